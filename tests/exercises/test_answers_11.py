"""The coder in digits of any base: it is the package's where its digits have 16 bits."""

import pytest
import torch

from minicodec.bits.range_coder import RangeDecoder, RangeEncoder, cumulate
from minicodec.exercises.answers_11 import (
    DIGITS_END,
    SLIPS,
    SUMS_END,
    decode,
    message,
    settled,
    step,
    steps_to_take,
    take,
)


def drawn(count: int) -> tuple[list[int], list[int]]:
    generator = torch.Generator().manual_seed(count)
    table = torch.randint(1, 100, (20,), generator=generator)
    symbols = torch.multinomial(table.double(), count, True, generator=generator)
    return symbols.tolist(), cumulate(table).tolist()


@pytest.mark.parametrize("count", [1, 10, 500])
def test_each_reads_what_the_other_has_written(count):
    symbols, sums = drawn(count)
    digits = settled(symbols, sums, 2**16, 4)
    data = b"".join(digit.to_bytes(2, "big") for digit in digits)
    assert RangeDecoder(data).decode(cumulate(torch.tensor(sums).diff()), count) == symbols
    encoder = RangeEncoder()
    encoder.encode(symbols, cumulate(torch.tensor(sums).diff()))
    theirs = encoder.finish()
    theirs += bytes(len(theirs) % 2)
    words = [int.from_bytes(theirs[i : i + 2], "big") for i in range(0, len(theirs), 2)]
    assert decode(words, sums, count, 2**16, 4) == symbols


def test_carries_come_home():
    """Of many messages in tens, some have a digit that was one too large."""
    sums, carried = [0, 5, 8, 10], 0
    for seed in range(300):
        symbols = torch.randint(3, (9,), generator=torch.Generator().manual_seed(seed)).tolist()
        low, width, digits = 0, 9999, []
        for symbol in symbols:
            left, low, width = step(low, width, symbol, sums, 10, 1000)
            digits += left
        carried += max(digits) > 9
        assert max(settled(symbols, sums, 10, 4)) < 10
        assert decode(settled(symbols, sums, 10, 4), sums, 9, 10, 4) == symbols
    assert carried > 3


def test_slips_give_other_symbols():
    given = message(torch.Generator().manual_seed(0))
    right = decode(*given)
    assert right not in [decode(*given, slip=slip) for slip in SLIPS]
    states, sums, base, floor = steps_to_take(torch.Generator().manual_seed(0))
    here = [step(*state, sums, base, floor) for state in states]
    for slip in (
        "no unit", "whole", "fraction", "product", "once", "last", "kept",
        "own part", "settled", "cut", "border", "room first", "tens",
    ):  # fmt: skip
        assert here != [step(*state, sums, base, floor, slip) for state in states], slip
    assert len(here[0][0]) == 2, "from the first state two digits leave"


@pytest.mark.parametrize("result", [None, 7, [1, 2], "abcd"])
def test_a_step_of_another_shape_is_named(result):
    with pytest.raises(ValueError, match="three things: digits, low, width"):
        take(lambda *given: result, *steps_to_take(torch.Generator().manual_seed(0)))


def test_digits_before_which_stands_low_are_missed_as_such():
    with pytest.raises(ValueError, match="in this order"):
        take(lambda *given: (1, 2, []), *steps_to_take(torch.Generator().manual_seed(0)))


def test_what_is_read_behind_the_end_says_so():
    digits, sums, *_ = message(torch.Generator().manual_seed(0))
    with pytest.raises(IndexError, match=DIGITS_END):
        digits[len(digits)]
    with pytest.raises(IndexError, match=SUMS_END[:20]):
        sums[5]
    assert sums[-1] == sums[4] == 250 and digits[:2] == list(digits)[:2]


@pytest.mark.parametrize("seed", range(20))
def test_states_meet_the_floor_and_a_carry(seed):
    states, sums, base, floor = steps_to_take(torch.Generator().manual_seed(seed))
    taken = [step(*state, sums, base, floor) for state in states]
    assert len(taken[0][0]) == 2
    assert taken[1][0] == [] and taken[1][2] == floor
    assert taken[2][0][0] >= base
    assert taken[3] != step(*states[3], sums, base, floor, "settled")
