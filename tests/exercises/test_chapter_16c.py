"""The exercises at the end of chapter 16c: figures on paper are those of patterns and of toys."""

import torch

from minicodec.exercises.chapter_16c import KNOBS, ORIGINS
from minicodec.exercises.exercise import find
from minicodec.generation.patterns import delayed, flat, parallel


def test_steps_of_thirty_seconds():
    counted = tuple(pattern(4).length(30 * 50) for pattern in (flat, parallel, delayed))
    assert find("16c.steps").answer == counted


def test_two_equal_coins():
    """Bits of a frame are entropies: of the pair, and of each coin by itself."""
    together = torch.tensor([[0.5, 0.0], [0.0, 0.5]])
    apart = torch.outer(together.sum(1), together.sum(0))
    entropy = -(torch.xlogy(together, together).sum() / torch.tensor(2.0).log())
    cross = -(torch.xlogy(together, apart).sum() / torch.tensor(2.0).log())
    never = apart[together == 0].sum()
    assert find("16c.at_once").answer == (float(entropy), float(cross), float(never))


def test_what_is_heard_is_in_no_given_order():
    for name, words in (("16c.knobs", KNOBS), ("16c.origins", ORIGINS)):
        assert sorted(find(name).answer) == sorted(words)
        assert find(name).answer != words
