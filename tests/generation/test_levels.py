"""Levels that are swapped, and levels that stand still."""

import pytest
import torch

from minicodec.generation.levels import freeze_levels, swap_levels


def test_the_named_levels_come_from_the_other_clip():
    a, b = torch.randint(9, (1, 4, 6)), 9 + torch.randint(9, (1, 4, 6))
    before = a.clone()
    mixed = swap_levels(a, b, [1, 3])
    assert torch.equal(mixed[:, ::2], b[:, ::2]) and torch.equal(mixed[:, 1::2], a[:, 1::2])
    assert torch.equal(a, before)
    assert torch.equal(swap_levels(a, b, []), a) and torch.equal(swap_levels(a, b, range(1, 5)), b)


@pytest.mark.parametrize("frames", [(6, 4), (4, 6)])
def test_the_shorter_clip_decides(frames):
    a, b = (torch.zeros(1, 2, n, dtype=torch.int64) for n in frames)
    assert swap_levels(a, b, [1]).shape == (1, 2, 4)


def test_a_frozen_level_has_one_code_and_the_others_all_of_theirs():
    codes = torch.tensor([[[5, 7, 7, 1], [1, 2, 3, 4]]])
    assert freeze_levels(codes, [1]).tolist() == [[[7, 7, 7, 7], [1, 2, 3, 4]]]
    assert codes[0, 0, 0] == 5


@pytest.mark.parametrize("level", [0, 3, -1])
def test_levels_that_there_are_not(level):
    codes = torch.zeros(1, 2, 3, dtype=torch.int64)
    for change in (
        lambda: swap_levels(codes, codes, [level]),
        lambda: freeze_levels(codes, [level]),
    ):
        with pytest.raises(ValueError, match="levels count from 1"):
            change()


def test_clips_of_other_levels():
    with pytest.raises(ValueError, match="the same levels"):
        swap_levels(torch.zeros(1, 2, 3), torch.zeros(1, 4, 3), [1])
