"""The lesson of chapter 16 has its five builds, in its order."""

from minicodec.exercises import answers_16, chapter_16
from minicodec.exercises.lesson_16 import LESSON
from minicodec.model.snake import Snake


def test_they_stand_first_in_the_chapter():
    assert chapter_16.EXERCISES[: len(LESSON)] == LESSON
    assert [exercise.answer for exercise in LESSON] == [
        answers_16.gain,
        Snake,
        answers_16.lookup,
        answers_16.share,
        answers_16.price,
    ]
