"""The lesson of chapter 16b has its five builds, in its order."""

from minicodec.exercises import answers_16b, chapter_16b
from minicodec.exercises.lesson_16b import LESSON
from minicodec.generation import distillation, probing


def test_they_stand_first_in_the_chapter():
    assert chapter_16b.EXERCISES[: len(LESSON)] == LESSON
    assert [exercise.answer for exercise in LESSON] == [
        probing.fit_table,
        probing.guess,
        answers_16b.split,
        distillation.distillation_loss,
        answers_16b.swap,
    ]
