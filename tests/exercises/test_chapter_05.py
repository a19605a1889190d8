"""What chapter 05 asks on paper is so."""

import math

import pytest
import torch

from minicodec.exercises.answers_05 import running_means
from minicodec.exercises.chapter_05 import EXERCISES

ANSWERS = {exercise.name: exercise.answer for exercise in EXERCISES}


def test_bits_are_those_of_a_code_times_codes():
    assert ANSWERS["05.bits_per_second"] == math.log2(1024) * 75


def test_the_lag_is_that_of_a_vector_that_all_latents_choose():
    sums, counts = torch.zeros(1, 1), torch.ones(1)
    for batch in range(2000):
        z = torch.full((4, 1), 0.02 * batch)
        sums, counts = running_means(sums, counts, z, 0.99)
    behind = 0.02 * batch - float(sums / counts)
    assert behind == pytest.approx(ANSWERS["05.lag"], abs=0.01)


def test_the_ear_is_asked_about_three_codebooks():
    assert sorted(ANSWERS["05.whose_codebook"]) == ["noise", "piano", "speech"]
