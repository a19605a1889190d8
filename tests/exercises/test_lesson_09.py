"""The lesson of chapter 09 has its four builds, in its order."""

from minicodec.exercises import answers_09, chapter_09
from minicodec.exercises.lesson_09 import LESSON


def test_they_stand_first_in_the_chapter():
    assert chapter_09.EXERCISES[: len(LESSON)] == LESSON
    assert [exercise.answer for exercise in LESSON] == [
        answers_09.norm,
        answers_09.Average,
        answers_09.Mixer,
        answers_09.one_loss,
    ]
