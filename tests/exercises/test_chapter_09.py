"""What chapter 09 asks on paper is so."""

import pytest
import torch

from minicodec.exercises.chapter_09 import EXERCISES
from minicodec.training.balancer import Balancer

ANSWERS = {exercise.name: exercise.answer for exercise in EXERCISES}


def pull(constant: float) -> float:
    y = torch.zeros(1, 1, 1, requires_grad=True)
    return float(Balancer({"a": 1})({"a": constant * y.sum()}, y).gradient)


def test_a_constant_leaves_its_sign():
    assert tuple(pull(c) / pull(1.0) for c in (1000, 0.5, -2)) == ANSWERS["09.constant"]


def test_four_arrows_of_a_quarter_are_so_long():
    arrows = torch.eye(4) / 4
    opposed = torch.stack([arrows[0], -arrows[0], arrows[1], -arrows[1]])
    one_way = arrows[:1].expand(4, 4)
    found = [float(some.sum(0).norm()) for some in (opposed, arrows, one_way)]
    assert found == pytest.approx(ANSWERS["09.bounds"])


def test_the_ear_is_asked_about_three_copies():
    assert sorted(ANSWERS["09.three_shares"]) == ["adversarial", "equal", "time"]
