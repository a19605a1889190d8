"""What chapter 01b asks on paper is so."""

import torch

from minicodec.exercises import reference
from minicodec.exercises.answers_01b import allocation
from minicodec.exercises.chapter_01b import EXERCISES
from minicodec.exercises.lesson_01b import LESSON


def test_the_lesson_comes_first():
    assert EXERCISES[: len(LESSON)] == LESSON


def test_bits_of_a_band_and_what_a_volume_knob_costs():
    bits, more = reference("01b.band")
    power, noise = torch.full((20,), 1000.0), torch.tensor(10.0)
    assert abs(float(allocation(power, noise).sum()) - bits) < 1e-3
    louder = allocation(4 * power, 4 * noise).sum() - allocation(power, noise).sum()
    assert abs(float(louder) - more) < 1e-3
