"""What chapter 07 asks on paper is so."""

import math

import pytest
import torch

from minicodec.exercises.chapter_07 import EXERCISES
from minicodec.training.losses import mel_loss, time_loss

ANSWERS = {exercise.name: exercise.answer for exercise in EXERCISES}


def test_at_that_shift_a_sine_costs_as_much_as_silence():
    t = torch.arange(24000, dtype=torch.float64) / 24000

    def tone(shift):
        return torch.sin(2 * math.pi * (441 * t - shift)).view(1, 1, -1)

    def cost(shift):
        return float(time_loss(tone(shift), tone(0)) / time_loss(0 * tone(0), tone(0)))

    assert cost(ANSWERS["07.shift"]) == pytest.approx(1, abs=1e-3)
    said = {0.25: 1.4, 0.5: 2.0, 1 / 3: 1.7}  # in the hints
    assert all(cost(shift) == pytest.approx(times, abs=0.05) for shift, times in said.items())


def test_a_clip_upside_down_costs_twice_or_nothing():
    x = torch.randn(1, 1, 2400)
    times = [
        float(loss(-x, x) / loss(0 * x, x))
        for loss in (time_loss, lambda y, x: mel_loss(y, x, 24000))
    ]
    assert times == pytest.approx(ANSWERS["07.upside_down"])


def test_the_ear_is_asked_about_three_losses():
    assert sorted(ANSWERS["07.what_made_it"]) == ["long", "short", "time"]
