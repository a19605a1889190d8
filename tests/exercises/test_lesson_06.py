"""The lesson of chapter 06 has its four builds, in its order."""

from minicodec.exercises import answers_06, chapter_06
from minicodec.exercises.lesson_06 import LESSON


def test_they_stand_first_in_the_chapter():
    assert chapter_06.EXERCISES[: len(LESSON)] == LESSON
    assert [exercise.answer for exercise in LESSON] == [
        answers_06.encode,
        answers_06.decode,
        answers_06.kbps,
        answers_06.commitment,
    ]
