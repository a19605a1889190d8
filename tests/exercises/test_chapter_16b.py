"""What chapter 16b asks on paper is so."""

import pytest

from minicodec.exercises.chapter_16b import EXERCISES, STILL

ANSWERS = {exercise.name: exercise.answer for exercise in EXERCISES}


def test_as_many_seconds_as_tokens_last():
    rates = (8 * 75, 8 * 12.5, 12.5)
    assert ANSWERS["16b.context"] == pytest.approx([4096 / rate for rate in rates], rel=1e-4)


def test_the_ear_is_asked_about_three_ways_to_hold_still():
    assert sorted(ANSWERS["16b.still"]) == sorted(STILL)
