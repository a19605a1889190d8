"""The losses that chapter 08 asks for are those that the package trains with."""

import torch

from minicodec.exercises.lesson_08_losses import FEATURE_MATCHING, HINGE


def test_who_knows_nothing_pays_two():
    nothing = [torch.zeros(1, 1, 4, 3), torch.zeros(1, 1, 2, 9)]
    assert float(HINGE.answer(nothing, nothing)) == 2


def test_ten_per_cent_off_in_every_layer_is_a_tenth():
    real = [[torch.randn(1, 2, 5), 50 * torch.randn(1, 2, 9)]]
    fake = [[1.1 * layer for layer in maps] for maps in real]
    assert torch.allclose(FEATURE_MATCHING.answer(real, fake), torch.tensor(0.1))
