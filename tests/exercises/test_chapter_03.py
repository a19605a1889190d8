"""What chapter 03's exercises call right is what the package and torch compute."""

import torch
from torch import nn

from minicodec.exercises import reference
from minicodec.exercises.chapter_03 import EXERCISES
from minicodec.exercises.lesson_03 import LESSON
from minicodec.model.conv import Conv1d, ConvTranspose1d


def test_the_lesson_comes_first():
    assert EXERCISES[: len(LESSON)] == LESSON


def test_parameters_are_torchs():
    counts = (sum(p.numel() for p in nn.LSTM(f, f, 2).parameters()) for f in (512, 256))
    assert tuple(counts) == reference("03.lstm_parameters")


def test_multiplications_of_the_papers_unit():
    f = 16
    layers = Conv1d(f, f // 2, 3), Conv1d(f // 2, f, 3), Conv1d(f, f, 1)
    assert sum(layer.weight.numel() for layer in layers) / f**2 == reference("03.unit_on_paper")


def test_weights_of_that_spread_keep_the_loudness():
    torch.manual_seed(0)
    for kind, transposed in ((Conv1d, False), (ConvTranspose1d, True)):
        layer = kind(64, 64, 16, 8)
        layer.weight.data.normal_(std=reference("03.first_weights")(64, 16, 8, transposed))
        with torch.no_grad():
            assert 0.9 < float(layer(torch.randn(1, 64, 800)).std()) < 1.1


def test_two_matrices_leave_the_least_error_that_two_can():
    blocks = torch.randn(50, 8, generator=torch.Generator().manual_seed(0))
    rebuilt = reference("03.two_matrices")(blocks, blocks, 3)
    left = torch.linalg.svdvals(blocks - blocks.mean(0))[3:]
    torch.testing.assert_close((rebuilt - blocks).square().sum(), left.square().sum())
