"""Support: right and wrong packers of bits that a student's test of chapter 15b is tried on.

How a test is judged is in `answers_15b_tests`.
"""

from collections.abc import Callable, Sequence
from typing import Any

from minicodec.exercises.answers_15b_tests import judged

Pack = Callable[[list[int], int], bytes]
Unpack = Callable[[bytes, int, int], list[int]]


def packer(
    high_first: bool,
    bits: int | None = None,
    cut: bool = False,
    modulus: Callable[[int], int] = lambda width: 1 << width,
) -> Pack:
    """Numbers into bytes.

    Args:
        high_first: most significant bits first.
        bits: always so many, whatever is asked for.
        cut: forget the last byte if it is not full.
        modulus: of a width; each number is taken modulo it.
    """

    def pack(numbers: list[int], width: int) -> bytes:
        width = bits or width
        kept = [n % modulus(width) for n in numbers]
        digits = "".join(f"{n:0{width}b}" if high_first else f"{n:0{width}b}"[::-1] for n in kept)
        if not cut:
            digits += "0" * (-len(digits) % 8)
        pieces = [digits[i : i + 8] for i in range(0, len(digits) // 8 * 8, 8)]
        return bytes(int(p if high_first else p[::-1], 2) for p in pieces)

    return pack


def unpacker(high_first: bool, bits: int | None = None, ghosts: bool = False) -> Unpack:
    """Bytes into numbers; `ghosts` are those that the last byte's filling makes."""

    def unpack(data: bytes, width: int, count: int) -> list[int]:
        width = bits or width
        digits = "".join(f"{b:08b}" if high_first else f"{b:08b}"[::-1] for b in data)
        parts = [digits[i : i + width] for i in range(0, len(digits) - width + 1, width)]
        found = [int(p if high_first else p[::-1], 2) for p in parts]
        return found if ghosts else found[:count]

    return unpack


ZEROS = (
    "It passes an unpacker that gives nothing but zeros: does `assert` compare what comes back? "
    "What a test gives back nobody reads."
)
CUT = "It passes a packer that forgets a byte that is not full: are all lengths tried?"
TOP = "It passes a packer that loses the highest bit: are the largest numbers tried?"
LARGEST = "It passes a packer that makes 0 of the largest number of each width: is it tried?"
WIDTH = "It passes a packer that always takes 10 bits: are wider numbers tried?"
GHOSTS = (
    "It passes an unpacker that makes numbers of the last byte's filling: are few bits tried, and "
    "numbers of which there are too many?"
)
STRICT_PACKER = (
    "It fails a packer that is right: numbers come back, but how they lie in the bytes is its own "
    "business."
)


def judge_packer(test: Callable[..., Any], seed: int) -> str:
    """Whether a test tells right pairs of packer and unpacker from wrong ones."""
    return judged(
        test,
        [(packer(True), unpacker(True)), (packer(False), unpacker(False))],
        [
            (ZEROS, (packer(True), lambda data, bits, count: [0] * count)),
            (CUT, (packer(True, cut=True), unpacker(True))),
            (TOP, (packer(True, modulus=lambda width: 1 << (width - 1)), unpacker(True))),
            (LARGEST, (packer(True, modulus=lambda width: (1 << width) - 1), unpacker(True))),
            (WIDTH, (packer(False, bits=10), unpacker(False, bits=10))),
            (GHOSTS, (packer(False), unpacker(False, ghosts=True))),
        ],
        STRICT_PACKER,
    )


def packer_test(
    widths: Sequence[int] = (1, 3, 8, 10, 16),
    counts: Sequence[int] = range(9),
    largest: Callable[[int], int] = lambda width: (1 << width) - 1,
    begins: bool = False,
    first_bytes: bool = False,
) -> Callable[[Pack, Unpack], None]:
    """A round trip over widths and counts; or one that looks at less, or at too much."""

    def test(pack: Pack, unpack: Unpack) -> None:
        for width in widths:
            for count in counts:
                numbers = [largest(width) >> (i % 2) for i in range(count)]
                found = unpack(pack(numbers, width), width, count)
                assert (found[:count] if begins else found) == numbers, (width, count)
        if first_bytes:
            assert pack([1, 2], 10) == b"\x00\x40\x20"

    return test
