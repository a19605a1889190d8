"""What chapter 02's exercises call right is what the package computes."""

import torch

from minicodec.exercises import reference
from minicodec.exercises.chapter_02 import EXERCISES
from minicodec.exercises.lesson_02 import LESSON
from minicodec.model.conv import Conv1d, extra_padding, total_padding


def test_the_lesson_comes_first():
    assert EXERCISES[: len(LESSON)] == LESSON


def test_answers_on_paper_are_the_packages():
    layer = Conv1d(1, 1, 5, 3, dilation=2)
    padding = total_padding(5, 3, 2), extra_padding(100, 3), layer(torch.zeros(1, 1, 100)).shape[-1]
    assert padding == reference("02.padding_on_paper")
    stack = [(3, 1, dilation) for dilation in (1, 3, 9, 27)]
    views = reference("02.view")(stack)[0], reference("02.view")([(16, 8, 1), *stack])[0]
    assert views == reference("02.view_on_paper")


def test_look_ahead_of_the_three_paddings():
    look_ahead = reference("02.look_ahead")
    for kernel in (7, 9):
        assert look_ahead(Conv1d(1, 1, kernel), 1) == 0
        assert look_ahead(Conv1d(1, 1, kernel, causal=False), 1) == (kernel - 1) // 2
        assert look_ahead(Conv1d(1, 1, kernel, pad_mode="reflect"), 1) == kernel - 1
