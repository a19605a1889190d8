"""What the checks of chapter 16c's lesson count as right is what the package's model does."""

import math

import torch

from minicodec.exercises.exercise import find
from minicodec.generation.patterns import delayed


def test_delayed_and_back_is_the_package_s_pattern():
    codes = torch.randint(1024, (4, 9))
    sequence = find("16c.delay").answer(codes)
    assert torch.equal(sequence, delayed(4).apply(codes[None])[0])
    assert torch.equal(find("16c.undelay").answer(sequence), codes)


def test_bits_and_perplexity_by_hand():
    scores = torch.tensor([[[0.5, 0.25, 0.25]], [[0.125, 0.125, 0.75]]]).log()
    frame, perplexity = find("16c.cost").answer(scores, torch.tensor([[0], [1]]))
    assert math.isclose(frame, 1 + 3, rel_tol=1e-5)
    assert math.isclose(perplexity, 2**2, rel_tol=1e-5)
