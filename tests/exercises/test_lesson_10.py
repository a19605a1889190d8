"""The lesson of chapter 10 has its five builds, in its order."""

from minicodec.exercises import answers_10, answers_10_updates, chapter_10
from minicodec.exercises.lesson_10 import LESSON


def test_they_stand_first_in_the_chapter():
    assert chapter_10.EXERCISES[: len(LESSON)] == LESSON
    assert [exercise.answer for exercise in LESSON] == [
        answers_10.mix,
        answers_10.forward,
        answers_10.start,
        answers_10_updates.update,
        answers_10.rate,
    ]
