"""Answers of chapter 16c, done again in another way."""

import pytest
import torch

from minicodec.exercises.answers_16c import (
    delay_by,
    nucleus,
    scores_and_share,
    some_codes,
    some_pattern,
    steps,
    undelay,
    with_gaps,
)


def nucleus_by_hand(scores: list[float], share: float) -> list[float]:
    """One code after another, until there is enough."""
    p = torch.tensor(scores).softmax(0).tolist()
    kept: list[int] = []
    for index in sorted(range(len(p)), key=lambda i: -p[i]):
        kept.append(index)
        if sum(p[i] for i in kept) >= share:
            break
    total = sum(p[i] for i in kept)
    return [p[i] / total if i in kept else 0.0 for i in range(len(p))]


@pytest.mark.parametrize("seed", range(5))
def test_a_nucleus_is_filled_one_by_one(seed):
    scores, share = scores_and_share(torch.Generator().manual_seed(seed))
    expected = torch.tensor([nucleus_by_hand(row, share) for row in scores.tolist()])
    torch.testing.assert_close(nucleus(scores, share), expected)
    assert (expected > 0).sum(1).min() > 1, "no row is decided by one code alone"


def test_steps_by_hand():
    frames, stride, delays = some_pattern(torch.Generator().manual_seed(0))
    expected = [[stride * t + d for t in range(frames)] for d in delays]
    assert steps(frames, stride, delays).tolist() == expected


def test_wrong_delays_are_moved_as_they_say():
    (codes,) = some_codes(torch.Generator().manual_seed(0))
    right = delay_by(lambda n: tuple(range(n)))(codes)
    assert torch.equal(undelay(right), codes)
    assert with_gaps(right).shape == right.shape
