"""The lesson of chapter 01 leaves to write what the package has, where it has it."""

from minicodec.exercises.lesson_01 import LESSON
from minicodec.sound import metrics, spectral


def test_right_answers_are_the_packages_own():
    answers = {exercise.name: exercise.answer for exercise in LESSON}
    assert answers["01.stft"] is spectral.stft
    assert answers["01.mel_filters"] is spectral.mel_filters
    assert answers["01.si_sdr"] is metrics.si_sdr
    assert all(exercise.points == 2 and exercise.core for exercise in LESSON)
