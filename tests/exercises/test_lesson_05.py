"""The lesson of chapter 05 has its four builds, in its order, and each is the package's."""

from minicodec.exercises import answers_05, chapter_05
from minicodec.exercises.lesson_05 import LESSON
from minicodec.model.quantize import nearest


def test_they_stand_first_in_the_chapter():
    assert chapter_05.EXERCISES[: len(LESSON)] == LESSON
    assert [exercise.answer for exercise in LESSON] == [
        nearest,
        answers_05.lloyd_step,
        answers_05.straight_through,
        answers_05.running_means,
    ]
