"""Support: right and wrong range coders in digits of any base, for the exercises of chapter 11.

With digits of ten each slip shows within a few symbols; with the package's of 16 bits, it may not.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable
from fractions import Fraction
from typing import Any

import torch
from torch import Generator

from minicodec.exercises.trying import draw


def step(
    low: int, width: int, symbol: int, sums: list[int], base: int, floor: int, slip: str = ""
) -> tuple[list[int], int, int]:
    """One symbol of the encoder: the digits that leave, low, and range."""
    if slip == "tens":
        base, floor = 10, 1000
    elif slip == "room first":
        digits, low, width = _room(low, width, base, floor)
        return digits, *step(low, width, symbol, sums, base, 0)[1:]
    before, total = sums[symbol], sums[-1]
    frequency = sums[symbol + 1] - before
    unit: Any = width / total if slip == "fraction" else width // total
    start, size = unit * before, unit * frequency
    if slip == "product":
        start, size = width * before // total, width * frequency // total
    elif slip == "no unit":
        start = before
    elif slip == "whole":
        size = unit * sums[symbol + 1]
    elif slip == "own part":
        start = size * before
    return _room(low + start, size, base, floor, slip)


def _room(
    low: int, width: int, base: int, floor: int, slip: str = ""
) -> tuple[list[int], int, int]:
    digits: list[int] = []
    while width < floor or (slip == "border" and width == floor):
        if slip == "settled" and low // floor != (low + width - 1) // floor:
            break
        leading = low % base if slip == "last" else low // floor
        digits.append(leading % base if slip == "cut" else leading)
        low, width = (low if slip == "kept" else low % floor) * base, width * base
        if slip == "once":
            break
    return digits, low, width


def decode(
    digits: list[int], sums: list[int], count: int, base: int, places: int, slip: str = ""
) -> list[int]:
    """The symbols of a message in settled digits."""
    floor, width, offset = base ** (places - 1), base**places - (slip != "begin"), 0
    if slip != "no zeros":
        digits = digits + [0] * (places * count)
    for digit in digits[:places]:
        offset = offset * base + digit
    symbols: list[int] = []
    place = places
    for _ in range(count):
        unit = width // sums[-1]
        search = bisect_left if slip == "border" else bisect_right
        at = offset * sums[-1] // width if slip == "product" else offset // unit
        symbol = max(0, min(search(sums, at) - (slip != "from one"), len(sums) - 2))
        offset -= 0 if slip == "old low" else unit * sums[symbol]
        width = unit * (sums[symbol + 1] - (0 if slip == "whole" else sums[symbol]))
        while width < floor:
            digit = 0 if slip == "no digit" else digits[place]
            offset, width, place = offset * base + digit, width * base, place + 1
            if slip == "once":
                break
        symbols.append(symbol)
    return symbols


def decode_exactly(
    digits: list[int], sums: list[int], count: int, base: int, places: int
) -> list[int]:
    """Wrong symbols: in fractions that never drop a remainder, as the encoder does."""
    offset = sum((Fraction(d, base ** (n + 1)) for n, d in enumerate(digits)), Fraction(0))
    symbols = []
    for _ in range(count):
        symbol = bisect_right(sums, offset * sums[-1]) - 1
        offset = (offset * sums[-1] - sums[symbol]) / (sums[symbol + 1] - sums[symbol])
        symbols.append(symbol)
    return symbols


def _table(generator: Generator) -> list[int]:
    """Running sums of a table with a rare symbol, for which two digits leave at once.

    Their total divides 10 000, so that a range of 9999 is divided otherwise.
    """
    table = [6, draw(generator, 65, 90), draw(generator, 65, 90)]
    return _sums([*table, 250 - sum(table)], generator)


def _sums(table: list[int], generator: Generator) -> list[int]:
    order = torch.randperm(len(table), generator=generator)
    return [0, *torch.tensor(table)[order].cumsum(0).tolist()]


def steps_to_take(generator: Generator) -> tuple[Any, ...]:
    """States of an encoder, and a table, in digits of the base 12, 14 or 16.

    From the first state two digits leave at once; the second narrows to the floor itself; from the
    third one that is a carry leaves; from the fourth one on which both ends do not agree.
    """
    base = 2 * draw(generator, 6, 8)
    floor, half = base**3, base**2 // 2
    sums = _sums([6, half, draw(generator, 60, 99), draw(generator, 60, 99)], generator)
    parts = [high - low for low, high in zip(sums, sums[1:])]
    rare, even = parts.index(6), parts.index(half)
    states = [(5 * floor + 21, floor, rare), (draw(generator, 0, floor), 2 * base * sums[-1], even)]
    states += [(base * floor - 1, 2 * floor, 3), (6 * floor - 1, floor, 0)]
    states += [
        (draw(generator, 0, base * floor - 1), draw(generator, floor, base * floor - 1), n % 4)
        for n in range(12)
    ]
    return states, sums, base, floor


def take(answer: Callable[..., Any], states: list[Any], *others: Any) -> list[dict[str, Any]]:
    """One step from each state, each by itself; what is wrong is named.

    Raises:
        ValueError: if a step gives anything but three things, the digits first.
    """
    taken = [answer(*state, *others) for state in states]
    if any(not isinstance(result, (tuple, list)) or len(result) != 3 for result in taken):
        raise ValueError("a step gives three things: digits, low, width")
    if any(isinstance(digits, (int, float)) for digits, _, _ in taken):
        raise ValueError("a step gives digits, low, width in this order, and digits are a list")
    return [dict(zip(("digits", "low", "width"), result)) for result in taken]


class Short(list[int]):
    """A list that says what it means to read behind its end."""

    def __init__(self, values: Iterable[int] = (), said: str = "") -> None:
        super().__init__(values)
        self.said = said

    def __getitem__(self, place: Any) -> Any:
        if isinstance(place, int) and place >= len(self):
            raise IndexError(self.said)
        return super().__getitem__(place)


DIGITS_END = "the digits have ended; zeros may follow"
SUMS_END = (
    "no part holds this offset: it is measured from low, in the encoder's units, and the first "
    "part is number 0"
)
#: Slips that give symbols, but wrong ones; each shows in every message.
SLIPS = ("border", "once", "whole", "begin", "product", "old low", "from one", "no digit")


def message(generator: Generator) -> tuple[Any, ...]:
    """A message in digits, its table, its length, base and places."""
    base, places, sums = 10, 4, _table(generator)
    sums = Short(sums, SUMS_END)
    while True:
        count = draw(generator, 12, 29)
        symbols = torch.randint(4, (count,), generator=generator).tolist()
        digits = Short(settled(symbols, sums, base, places), DIGITS_END)
        given = digits, sums, count, base, places
        # One on which each of these slips gives wrong symbols, instead of the same exception.
        try:
            wrong = [decode(*given, slip=slip) for slip in SLIPS]
            if symbols not in [*wrong, decode_exactly(*given)]:
                return given
        except (IndexError, StopIteration, ZeroDivisionError):
            continue


def settled(symbols: list[int], sums: list[int], base: int, places: int) -> list[int]:
    """The message as digits, all carries brought home."""
    low, width, digits = 0, base**places - 1, [0]  # room for a carry, which never needs it
    for symbol in symbols:
        left, low, width = step(low, width, symbol, sums, base, base ** (places - 1))
        digits += left
    digits.append(-(-low // base ** (places - 1)))
    for place in reversed(range(1, len(digits))):
        carry, digits[place] = divmod(digits[place], base)
        digits[place - 1] += carry
    return digits[1:]
