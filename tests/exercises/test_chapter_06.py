"""What chapter 06 asks on paper is so."""

from minicodec.exercises.answers_06 import kbps
from minicodec.exercises.chapter_06 import EXERCISES

ANSWERS = {exercise.name: exercise.answer for exercise in EXERCISES}


def test_so_many_codebooks_cost_as_much_as_plain_samples():
    count = ANSWERS["06.codebooks_of_pcm"]
    assert kbps(count, 1024, 75) == 24 * 16
    assert 1024**count == (2**16) ** 320  # as many sums as blocks


def test_the_ear_is_asked_about_three_levels():
    assert sorted(ANSWERS["06.missing_level"]) == ["first", "last", "second"]
