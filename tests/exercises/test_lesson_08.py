"""The lesson of chapter 08 has its five builds, in its order."""

from minicodec.exercises import answers_08, chapter_08
from minicodec.exercises.lesson_08 import LESSON
from minicodec.training.losses import discriminator_loss, feature_matching_loss


def test_they_stand_first_in_the_chapter():
    assert chapter_08.EXERCISES[: len(LESSON)] == LESSON
    assert [exercise.answer for exercise in LESSON] == [
        discriminator_loss,
        answers_08.conv2d,
        answers_08.two_colours,
        feature_matching_loss,
        answers_08.lesson,
    ]
