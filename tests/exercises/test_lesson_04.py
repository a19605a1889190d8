"""The exercises inside chapter 04's lesson: code, core, answered by the package's layers."""

import torch

from minicodec.exercises import reference
from minicodec.exercises.lesson_04 import LESSON
from minicodec.model.conv import Conv1d


def test_the_lesson_is_code_that_the_chapter_needs():
    assert [e.kind for e in LESSON] == ["code"] * 3 and all(e.core for e in LESSON)


def test_the_state_is_the_tensor_that_the_chapter_prints():
    y, past = reference("04.stream_conv")(
        torch.arange(1.0, 10.0)[None, None], None, torch.ones(1, 1, 4), None, 2
    )
    assert y.tolist() == [[[3.0, 10.0, 18.0, 26.0]]] and past.tolist() == [[[7.0, 8.0, 9.0]]]


def test_a_chain_of_none_gives_the_piece_back():
    x = torch.randn(1, 1, 5)
    y, states = reference("04.stream")([], x, None)
    assert torch.equal(x, y) and list(states) == []
    y, _ = reference("04.stream")([Conv1d(1, 2, 3)], x, None)
    assert y.shape == (1, 2, 5)
