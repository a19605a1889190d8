"""Support: right and wrong range coders in digits of any base, for the exercises of chapter 11.

With digits of ten each slip shows within a few symbols; with the package's of 16 bits, it may not.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable
from typing import Any

import torch
from torch import Generator

from minicodec.exercises.trying import draw


def step(
    low: int, width: int, symbol: int, sums: list[int], base: int, floor: int, slip: str = ""
) -> tuple[list[int], int, int]:
    """One symbol of the encoder: the digits that leave, low, and range."""
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
    low, width = low + start, size
    digits = []
    while width < floor:
        digits.append(low % base if slip == "last" else low // floor)
        low, width = (low if slip == "kept" else low % floor) * base, width * base
        if slip == "once":
            break
    return digits, low, width


def decode(
    digits: list[int], sums: list[int], count: int, base: int, places: int, slip: str = ""
) -> list[int]:
    """The symbols of a message in settled digits."""
    floor, width, offset = base ** (places - 1), base**places - 1, 0
    following = iter(digits if slip == "no zeros" else digits + [0] * places)
    for _ in range(places):
        offset = offset * base + next(following)
    symbols = []
    for _ in range(count):
        unit = width // sums[-1]
        search = bisect_left if slip == "border" else bisect_right
        symbol = search(sums, offset // unit) - 1
        offset -= 0 if slip == "old low" else unit * sums[symbol]
        width = unit * (sums[symbol + 1] - (0 if slip == "whole" else sums[symbol]))
        while width < floor:
            offset, width = offset * base + next(following), width * base
            if slip == "once":
                break
        symbols.append(symbol)
    return symbols


def _table(generator: Generator) -> list[int]:
    """Running sums of a table with a rare symbol, for which two digits leave at once."""
    table = torch.randint(60, 100, (4,), generator=generator)
    table[draw(generator, 0, 3)] = 6
    return [0, *table.cumsum(0).tolist()]


def steps_to_take(generator: Generator) -> tuple[Any, ...]:
    """States of an encoder, and a table; from the first state two digits leave at once."""
    sums, floor = _table(generator), 1000
    rare = min(range(4), key=lambda symbol: sums[symbol + 1] - sums[symbol])
    states = [(5 * floor + 21, floor, rare)]
    states += [
        (draw(generator, 0, 10 * floor - 1), draw(generator, floor, 10 * floor - 1), n % 4)
        for n in range(12)
    ]
    return states, sums, 10, floor


def take(answer: Callable[..., Any], states: list[Any], *others: Any) -> list[dict[str, Any]]:
    """One step from each state, each by itself; what is wrong is named.

    Raises:
        ValueError: if a step gives anything but three things.
    """
    taken = [answer(*state, *others) for state in states]
    if any(not isinstance(result, (tuple, list)) or len(result) != 3 for result in taken):
        raise ValueError("a step gives three things: digits, low, width")
    return [dict(zip(("digits", "low", "width"), result)) for result in taken]


def message(generator: Generator) -> tuple[Any, ...]:
    """A message in digits, its table, its length, base and places."""
    base, places, sums = 10, 4, _table(generator)
    table = torch.tensor(sums).diff().double()
    while True:
        count = draw(generator, 12, 29)
        symbols = torch.multinomial(table, count, True, generator=generator).tolist()
        given = settled(symbols, sums, base, places), sums, count, base, places
        # One on which each of these slips gives wrong symbols, instead of the same exception.
        try:
            if symbols not in [decode(*given, slip=s) for s in ("border", "once", "whole")]:
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
