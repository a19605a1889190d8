"""What chapter 10 asks on paper is so."""

import pytest
import torch

from minicodec.exercises.chapter_10 import EXERCISES
from minicodec.training.config import load_config

ANSWERS = {exercise.name: exercise.answer for exercise in EXERCISES}


def test_hours_are_those_of_the_papers_run():
    paper = load_config("encodec_24khz")
    hours = paper.steps * 64 * paper.seconds / 3600
    assert (hours, hours / 17_500) == pytest.approx(ANSWERS["10.hours"], rel=1e-3)


@pytest.mark.parametrize(("gradient", "place"), [(0.002, 0), (200.0, 1)])
def test_adams_first_step_is_so_long(gradient, place):
    weight = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.Adam([weight], 3e-4, (0.5, 0.9))
    (gradient * weight).sum().backward()
    optimizer.step()
    assert abs(float(weight)) == pytest.approx(ANSWERS["10.first_step"][place], rel=1e-3)


def test_the_ear_is_asked_about_three_steps():
    assert sorted(ANSWERS["10.stages"]) == ["step 120", "step 320", "step 40"]
