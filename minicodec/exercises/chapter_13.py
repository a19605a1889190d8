"""Support: the exercises of chapter 13, the bitstream.

Those inside its lesson are in `lesson_13`.
"""

from functools import partial

from torch import Tensor

from minicodec.exercises.answers_13 import (
    damaged,
    flipped,
    in_one_string,
    mend,
    read,
    read_with,
    stream,
)
from minicodec.exercises.blind import mistaken, order
from minicodec.exercises.exercise import Exercise, Mistake
from minicodec.exercises.lesson_13 import LESSON


def _place(data: bytes, checksum: int) -> int:
    right = mend(data, checksum)
    return next(place for place in range(8 * len(data)) if flipped(data, place) == right)


STAND_INS = ("last frame again", "codes of silence", "nothing")
_STAND_INS = order("13.stand_ins", STAND_INS)


def _transposed(data: bytes) -> tuple[Tensor, int]:
    codes, samples = read(data)
    return codes.T, samples


EXERCISES = (
    *LESSON,
    Exercise(
        "13.real_rate",
        "Give the real kbps of a second at 1.5 kbps, and the seconds in one chunk for which 5 % "
        "of the file is overhead.",
        (2.312, 10.23),
        (
            Mistake("That is kilobytes per second; a byte has eight bits.", (0.289, 10.23)),
            Mistake("The rate lacks the last chunk, which tells the length.", (2.08, 10.23)),
            Mistake("The rate lacks the header.", (1.904, 10.23)),
            Mistake("The time lacks the last chunk, which tells the length.", (2.312, 7.296)),
            Mistake("Both lack the last chunk, which tells the length.", (2.08, 7.296)),
            Mistake(
                "That is 5 % of the codes; equation (1) has the whole file below the line.",
                (2.312, 10.773),
            ),
        ),
        minutes=6,
        kind="paper",
        tolerance=0.004,
        remark="A short clip at a low rate is mostly wrapping.",
    ),
    Exercise(
        "13.by_hand",
        "Give the three check bits of 1110 with the divisor 1011, as text.",
        "100",
        (
            Mistake("Three zeros are to be appended before the division.", "101"),
            Mistake(
                "That is the remainder of an ordinary division; here nothing is borrowed.", "010"
            ),
            Mistake("The right bits in the wrong order: which one comes first?", "001"),
            Mistake("That is all that is sent; which three of the bits are the check?", "1110100"),
            Mistake("Give the bits as text, in quotation marks.", 100),
        ),
        minutes=4,
        kind="paper",
    ),
    Exercise(
        "13.mend",
        "Find the flipped bit: give the bytes whose CRC-32 is the checksum and that differ from "
        "these in one bit.",
        mend,
        (
            Mistake(
                "No try fits: does each begin with the damaged bytes, and are all eight bits of a "
                "byte tried?",
                lambda data, checksum: None,
            ),
            Mistake("These are the damaged bytes.", lambda data, checksum: data),
            Mistake(
                "That is the place of a bit; give the mended bytes.",
                _place,
            ),
            Mistake(
                "Every bit is flipped: are earlier tries undone?",
                lambda data, checksum: bytes(byte ^ 0xFF for byte in data),
            ),
        ),
        minutes=10,
        points=2,
        inputs=damaged,
        remark="What a checksum finds, patience can mend.",
    ),
    Exercise(
        "13.read",
        "Read a stream without entropy coding: give its codes [K, T] and the number of samples.",
        read,
        (
            Mistake("Codes are [levels, frames]; these are the other way round.", _transposed),
            Mistake(
                "The numbers are right but stand in wrong places: in a chunk, frame follows frame.",
                partial(read_with, levels_first=True),
            ),
            Mistake(
                "Behind the first chunk the bits are shifted: each chunk fills its own last byte.",
                in_one_string,
            ),
            Mistake(
                "That many samples fit in the frames; the last chunk tells how many there were.",
                partial(read_with, samples_of_frames=True),
            ),
            Mistake(
                "The last frames are missing: a chunk may be shorter than the header says.",
                partial(read_with, whole_chunks=True),
            ),
        ),
        minutes=20,
        core=False,
        points=3,
        inputs=stream,
        remark="Whoever can do that needs nobody's program to hear these files in ten years.",
    ),
    Exercise(
        "13.stand_ins",
        "Say what fills the gaps in x, y and z: 'last frame again', 'codes of silence' or "
        "'nothing'.",
        _STAND_INS,
        mistaken(
            _STAND_INS,
            {
                ("codes of silence", "nothing"): "Two are exchanged: both fall silent, but one of "
                "them begins with a click.",
                ("last frame again", "codes of silence"): "Two are exchanged: in one the gaps "
                "drone, in the other they die away.",
                ("last frame again", "nothing"): "Two are exchanged: in one the gaps drone, in the "
                "other they are cut out.",
            },
            (
                "None is right: begin with the one whose gaps drone.",
                "None is right: begin with the one whose gaps open with a click.",
            ),
        ),
        minutes=5,
        kind="ear",
        remark="The click is what the package avoids with the codes of silence.",
    ),
)
