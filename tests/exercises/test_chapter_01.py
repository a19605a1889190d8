"""What chapter 01 asks on paper is so."""

import math

import torch

from minicodec.exercises import reference
from minicodec.exercises.chapter_01 import EXERCISES
from minicodec.exercises.lesson_01 import LESSON


def test_the_lesson_comes_first():
    assert EXERCISES[: len(LESSON)] == LESSON


def test_stereo_at_6_kbps():
    bits, times = reference("01.stereo")
    assert bits * 48_000 * 2 == 6000 and times == 48_000 * 16 * 2 / 6000


def test_aliases_leave_the_same_samples():
    n = torch.arange(200, dtype=torch.float64)
    for tone, rate, heard in zip((15_000, 11_000), (24_000, 8_000), reference("01.alias")):
        high, low = (torch.cos(2 * math.pi * f * n / rate) for f in (tone, heard))
        assert torch.allclose(high, low, atol=1e-9) and heard <= rate / 2
