"""The answers of chapter 02's lesson against torch and against what the chapter states."""

import torch

from minicodec.exercises import reference
from minicodec.exercises.lesson_02 import LESSON


def test_the_lesson_is_code_that_the_chapter_needs():
    assert [e.kind for e in LESSON] == ["code"] * 5 and all(e.core for e in LESSON)


def test_the_encoders_view_is_the_one_that_the_chapter_states():
    layers = [(7, 1, 1)]
    for stride in (2, 4, 5, 8):
        layers += [(3, 1, 1), (2 * stride, stride, 1)]
    assert reference("02.view")([*layers, (7, 1, 1)]) == (2718, 320)


def test_only_half_of_the_padding_lets_an_output_see_the_hop_behind_its_own():
    x, weight = torch.zeros(1, 1, 21), torch.ones(1, 1, 8)
    x[..., 12] = 1  # the first sample of frame 3
    pad = reference("02.padded_conv")
    assert pad(x, weight, None, 4)[0, 0].nonzero().min() == 3
    assert pad(x, weight, None, 4, causal=False)[0, 0].nonzero().min() == 2
    assert pad(x, weight, None, 4).shape[2] == 6


def test_way_back_and_weight_norm_are_torchs():
    x, weight = torch.randn(3, 5), torch.randn(3, 2, 4)
    painted = torch.conv_transpose1d(x[None], weight, stride=2)[0]
    torch.testing.assert_close(reference("02.conv_transpose1d")(x, weight, 2), painted)
    layer = torch.nn.utils.parametrizations.weight_norm(torch.nn.Conv1d(4, 3, 5))
    stored = layer.parametrizations.weight
    ours = reference("02.weight_norm")(stored.original1, stored.original0)
    torch.testing.assert_close(ours, layer.weight)
