"""The longest copy: found wherever it stands, as a plain search finds it."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from minicodec.generation.memory import longest_copy


def plainly(codes: torch.Tensor, others: list[torch.Tensor]) -> int:
    mine = [tuple(frame) for frame in codes.T.tolist()]
    best = 0
    for other in others:
        theirs = [tuple(frame) for frame in other.T.tolist()]
        for i in range(len(mine)):
            for j in range(len(theirs)):
                n = 0
                while (i + n < len(mine) and j + n < len(theirs)
                       and mine[i + n] == theirs[j + n]):  # fmt: skip
                    n += 1
                best = max(best, n)
    return best


@given(st.integers(0, 999), st.integers(1, 2), st.integers(2, 4), st.integers(0, 12))
def test_as_a_plain_search(seed, levels, size, frames):
    torch.manual_seed(seed)
    codes = torch.randint(size, (levels, frames))
    others = [torch.randint(size, (levels, n)) for n in (9, 1, 15)]
    assert longest_copy(codes, others) == plainly(codes, others)


def test_a_planted_second_is_found():
    torch.manual_seed(0)
    known = torch.randint(1024, (4, 5000))
    made = torch.randint(1024, (4, 300))
    assert longest_copy(made, [known]) == 0
    made[:, 100:175] = known[:, 3210:3285]
    assert longest_copy(made, [known[:, :3000], known]) == 75
    made[3, 120] += 1  # one level of one frame differs
    assert longest_copy(made, [known]) == 54
    assert longest_copy(made[:3], [known[:3]]) == 75


def test_order_and_repetition_count():
    rise = torch.arange(20)[None]
    assert longest_copy(rise.flip(1), [rise]) == 1
    assert longest_copy(torch.zeros(1, 9, dtype=torch.int64), [rise]) == 1
    assert longest_copy(rise, []) == 0


@pytest.mark.parametrize("other", [torch.zeros(2, 5), torch.zeros(5)])
def test_other_levels(other):
    with pytest.raises(ValueError, match="same levels"):
        longest_copy(torch.zeros(1, 5), [other.long()])
