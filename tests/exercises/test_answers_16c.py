"""Answers of chapter 16c, done again in another way."""

import pytest
import torch

from minicodec.exercises.answers_16c import (
    cost,
    cost_over_frames,
    delay_by,
    expected_cost,
    nucleus,
    of_all_rows,
    one_too_many,
    scores_and_share,
    some_codes,
    some_pattern,
    sorted_again,
    steps,
    still_sorted,
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


def test_wrong_nuclei_differ_in_what_they_say():
    scores, share = scores_and_share(torch.Generator().manual_seed(0))
    right = nucleus(scores, share)
    more = one_too_many(scores, share)
    assert ((more > 0).sum(-1) == (right > 0).sum(-1) + 1).all()
    torch.testing.assert_close(more.sum(-1), torch.ones(len(scores)))
    for wrong in (still_sorted, sorted_again):
        torch.testing.assert_close(wrong(scores, share).sort().values, right.sort().values)
        assert not torch.equal(wrong(scores, share), right)
    assert (still_sorted(scores, share).diff(dim=-1) <= 0).all()


def test_wrong_costs_by_hand():
    """One level, two frames, two codes: scores favour the first code three to one, once."""
    scores, codes = torch.tensor([[[0.75, 0.25], [0.5, 0.5]]]).log(), torch.tensor([[0, 0]])
    log2 = torch.log2(torch.tensor([0.75, 0.25, 0.5, 0.6, 0.4]))
    entropy = -0.75 * log2[0] - 0.25 * log2[1]
    assert cost(scores, codes)[0] == pytest.approx(float(-log2[0] - log2[2]) / 2)
    assert expected_cost(scores, codes)[0] == pytest.approx(float(entropy + 1) / 2)
    assert cost_over_frames(scores, codes)[0] == pytest.approx(float(-log2[3] - log2[4]) / 2)


def test_one_limit_for_all_rows_leaves_some_with_nothing():
    scores = torch.tensor([[1.0, 2.0, 3.0], [11.0, 12.0, 13.0]])
    p = of_all_rows(scores, 1.0, 2)
    assert p[0].isnan().all() and (p[1] > 0).tolist() == [False, True, True]
