"""What chapter 04's exercises call right is what the package's layers do."""

import torch

from minicodec.exercises import reference
from minicodec.exercises.chapter_04 import EXERCISES
from minicodec.exercises.lesson_04 import LESSON
from minicodec.model.config import CodecConfig
from minicodec.model.conv import Conv1d
from minicodec.model.seanet import Encoder


def test_the_lesson_comes_first():
    assert EXERCISES[: len(LESSON)] == LESSON


def test_look_ahead_on_paper_is_what_such_layers_need():
    layers = torch.nn.Sequential(
        *(Conv1d(1, 1, k, s, causal=False) for k, s in ((7, 1), (4, 2), (3, 1)))
    )
    for layer in layers:
        torch.nn.init.ones_(layer.weight)
    ahead = reference("02.look_ahead")(layers, 2)
    assert (ahead, 2 + ahead) == reference("04.look_ahead_on_paper")


def test_the_whole_encoder_looks_as_far_ahead_as_the_remark_says():
    config = CodecConfig(n_filters=2, dimension=2, causal=False, lstm_layers=0, norm="none")
    x = torch.randn(1, 1, 12 * 320, requires_grad=True)
    Encoder(config)(x)[..., 5].sum().backward()
    assert int(x.grad[0, 0].nonzero().max()) - (6 * 320 - 1) == 1195
    (exercise,) = [e for e in EXERCISES if e.name == "04.look_ahead_on_paper"]
    assert "1195 samples" in exercise.remark and round(1000 * 1195 / 24000) == 50


def test_packets():
    frame = 12_000 / 75 / 8
    assert (2 * frame + 40) * 8 * 75 / 2 / 1000 == reference("04.packets_on_paper")
