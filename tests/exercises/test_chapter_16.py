"""What chapter 16 asks on paper is so."""

import pytest

from minicodec.exercises.answers_16 import price
from minicodec.exercises.chapter_16 import CODECS, EXERCISES

ANSWERS = {exercise.name: exercise.answer for exercise in EXERCISES}


def test_a_window_holds_that_many_seconds():
    kbps, by_token, by_frame = ANSWERS["16.window"]
    tokens, rate = price(12.5, 8, 2048)
    assert kbps == rate
    assert by_token * tokens == by_frame * 12.5 == pytest.approx(4096)


def test_the_label_promises_less_than_the_file_takes():
    promised, stored = ANSWERS["16.label"]
    assert promised == pytest.approx(price(24000 / 480, 6, 2048)[1])
    assert stored / promised == pytest.approx(16 / 11)


def test_the_ear_is_asked_about_three_codecs():
    assert sorted(ANSWERS["16.which_codec"]) == sorted(CODECS)
