"""What chapter 08 asks on paper is so."""

import pytest
import torch

from minicodec.exercises.chapter_08 import EXERCISES
from minicodec.training.discriminator import STFTDiscriminator
from minicodec.training.losses import generator_loss

ANSWERS = {exercise.name: exercise.answer for exercise in EXERCISES}


def test_the_codec_pays_what_the_package_says():
    logits = [torch.tensor([0.2, 1.5])]
    paid = [float(generator_loss(logits, linear=linear)) for linear in (False, True)]
    assert paid == pytest.approx(ANSWERS["08.two_losses"])


def test_the_map_is_as_large_as_the_discriminators():
    logits = STFTDiscriminator(512, n_filters=1)(torch.zeros(1, 1, 48000)).logits
    assert tuple(logits.shape[2:]) == ANSWERS["08.map"]


def test_the_ear_is_asked_about_three_copies():
    assert sorted(ANSWERS["08.three_copies"]) == ["after", "before", "hiss"]
