"""The exercises at the end of chapter 12: figures on paper are computed again, and integers."""

import math

import pytest
import torch

from minicodec.bits.language_model import bits
from minicodec.exercises.chapter_12 import TEMPERATURES, coarse, file_bytes, to_integers
from minicodec.exercises.exercise import find


def test_what_beliefs_cost():
    always, by_turns = math.log2(50), -(math.log2(0.039) + math.log2(0.001)) / 2
    expected = always, 1 - always / 10, by_turns
    assert find("12.beliefs").answer == pytest.approx(expected, rel=1e-3)


def test_digits_of_the_largest_sum():
    largest = 255 * 127 * 1024
    assert 2 ** (find("12.mantissa").answer - 1) < largest < 2 ** find("12.mantissa").answer
    exact = torch.full((1024,), 255.0 * 127, dtype=torch.float64)
    assert all(exact[torch.randperm(1024)].sum() == largest for _ in range(20))


def test_integers_are_integers_and_near():
    x = torch.randn(7, 33) * torch.logspace(-6, 6, 7)[:, None]
    x[3] = 0
    integers, step = to_integers(x, 255)
    assert torch.equal(integers, integers.round()) and integers.abs().max() == 255
    assert ((integers * step - x).abs() <= 0.501 * step).all()
    assert not integers[3].any() and not coarse(x, 9)[3].any()
    assert all(len(row.unique()) <= 19 for row in coarse(x, 9))


def test_bytes_are_the_loss():
    scores, codes = torch.randn(2, 9, 16), torch.randint(16, (2, 9))
    assert file_bytes(scores, codes) == pytest.approx(
        float(bits(scores[None], codes[None]).mean()) * 18 / 8, rel=1e-5
    )
    assert file_bytes(torch.zeros(2, 9, 16), codes) == pytest.approx(18 * 4 / 8)


def test_what_is_heard_is_in_no_given_order():
    assert sorted(find("12.temperatures").answer) == sorted(TEMPERATURES)
    assert find("12.temperatures").answer != TEMPERATURES
