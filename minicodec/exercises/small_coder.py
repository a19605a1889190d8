"""Support: the range coder of chapter 11 in digits of any base, and the slips that students make.

With digits of ten each slip shows within a few symbols; with the package's of 16 bits, it may not.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable
from typing import Any

import torch
from torch import Generator


def between(generator: Generator, low: int, high: int) -> int:
    """An integer from `low` on and below `high`."""
    return int(torch.randint(low, high, (), generator=generator))


def step(
    low: int, width: int, symbol: int, sums: list[int], base: int, floor: int, slip: str = ""
) -> tuple[list[int], int, int]:
    """One symbol of the encoder: the digits that leave, low, and range."""
    unit = width // sums[-1]
    low += sums[symbol] if slip == "no unit" else unit * sums[symbol]
    width = unit * (sums[symbol + 1] - (0 if slip == "whole" else sums[symbol]))
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
    table[between(generator, 0, 4)] = 6
    return [0, *table.cumsum(0).tolist()]


def steps_to_take(generator: Generator) -> tuple[Any, ...]:
    """States of an encoder, and a table; from the first state two digits leave at once."""
    sums, floor = _table(generator), 1000
    rare = min(range(4), key=lambda symbol: sums[symbol + 1] - sums[symbol])
    states = [(5 * floor + 21, floor, rare)]
    states += [
        (between(generator, 0, 10 * floor), between(generator, floor, 10 * floor), n % 4)
        for n in range(12)
    ]
    return states, sums, 10, floor


def take(answer: Callable[..., Any], states: list[Any], *others: Any) -> list[Any]:
    """One step from each state, each by itself."""
    return [answer(*state, *others) for state in states]


def message(generator: Generator) -> tuple[Any, ...]:
    """A message in digits, its table, its length, base and places."""
    base, places, sums = 10, 4, _table(generator)
    table = torch.tensor(sums).diff().double()
    while True:
        count = between(generator, 12, 30)
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
