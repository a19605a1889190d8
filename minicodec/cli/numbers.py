"""Support: numbers as they are typed: text to a number in its range, or one sentence.

Each of these is the `type` of an option of `minicodec.cli.arguments`. Like that, they import
nothing that has to wait for torch.
"""

import argparse
from collections.abc import Callable
from functools import partial

from minicodec.bits.container import MOST_SECONDS
from minicodec.sound.names import printable

#: Of seconds, minutes, steps and all that is counted: beyond it there are only mistakes.
_MOST = 10**9


def _number(text: str, fits: Callable[[float], bool], wanted: str) -> float:
    try:
        number = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"'{_short(text)}' is no number.") from None
    if not fits(number):  # nor does NaN
        raise argparse.ArgumentTypeError(f"{wanted}, not {_short(text)}.")
    return number


def positive(text: str) -> float:
    """Above 0, as minutes and bandwidths."""
    wanted = f"a number above 0 and at most {_MOST} is needed"
    return _number(text, lambda number: 0 < number <= _MOST, wanted)


def not_negative(text: str) -> float:
    """0 or more, as the second to begin at."""
    return _number(
        text, lambda number: 0 <= number <= _MOST, f"a number from 0 to {_MOST} is needed"
    )


def seconds_of_chunk(text: str) -> float:
    """As long as a chunk of a stream can be."""
    wanted = f"more than 0 and at most {MOST_SECONDS} seconds"
    return _number(text, lambda number: 0 < number <= MOST_SECONDS, wanted)


def _integer(text: str, least: int, most: int) -> int:
    if not text.isdecimal() or len(text) > 20 or not least <= int(text) <= most:
        raise argparse.ArgumentTypeError(
            f"an integer from {least} to {most} is needed, not {_short(text)}."
        )
    return int(text)


count = partial(_integer, least=1, most=_MOST)
copies = partial(_integer, least=1, most=1000)
rate = partial(_integer, least=1000, most=384000)
seed = partial(_integer, least=0, most=2**63 - 1)  # torch's limit
#: More than any machine has processors; the system ends a program that starts too many threads.
threads = partial(_integer, least=1, most=1024)
workers = partial(_integer, least=0, most=1024)


def _short(text: str) -> str:
    return printable(text if len(text) <= 40 else f"{text[:40]}…")
