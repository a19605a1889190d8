"""Support: what is built inside the lesson of chapter 13, as exercises.

Those at the chapter's end are in `chapter_13`.
"""

import struct
import zlib
from functools import partial

import torch
from torch import Generator, Tensor

from minicodec.bits.container import chunk_bytes
from minicodec.bits.packing import pack, to_bytes
from minicodec.exercises.exercise import Exercise, Mistake
from minicodec.exercises.trying import draw


def packed(codes: Tensor, bits: int) -> bytes:
    """Codes [K, T] as bytes, frame by frame, most significant bit first."""
    return to_bytes(codes, bits, None)


def _codes(generator: Generator) -> tuple[Tensor, int]:
    # 9 and 11 bits times an odd number of codes: the last byte is never full.
    bits = 9 + 2 * draw(generator, 0, 1)
    shape = 3, 3 + 2 * draw(generator, 0, 2)
    return torch.randint(1 << bits, shape, generator=generator), bits


def _digits(codes: Tensor, bits: int) -> str:
    return "".join(f"{code:0{bits}b}" for code in codes.T.reshape(-1).tolist())


def _cut(digits: str) -> bytes:
    return bytes(int(digits[i : i + 8], 2) for i in range(0, len(digits), 8))


def _filled_in_front(codes: Tensor, bits: int) -> bytes:
    digits = _digits(codes, bits)
    return _cut("0" * (-len(digits) % 8) + digits)


def _backwards(codes: Tensor, bits: int) -> bytes:
    flat = codes.T.reshape(-1).tolist()
    digits = "".join(f"{code:0{bits}b}"[::-1] for code in flat)
    return _cut(digits + "0" * (-len(digits) % 8))


def _without_the_rest(codes: Tensor, bits: int) -> bytes:
    return packed(codes, bits)[:-1]


def _not_filled(codes: Tensor, bits: int) -> bytes:
    return _cut(_digits(codes, bits))


def _crc(
    data: bytes,
    first: int = 0xFFFFFFFF,
    last: int = 0xFFFFFFFF,
    divisor: int = 0xEDB88320,
    shifts: int = 8,
    always: bool = False,
) -> int:
    remainder = first
    for byte in data:
        remainder ^= byte
        for _ in range(shifts):
            taken = divisor if remainder & 1 or always else 0
            remainder = remainder >> 1 ^ taken
    return remainder ^ last


def _bytes(generator: Generator) -> bytes:
    size = draw(generator, 9, 29)
    return bytes(torch.randint(256, (size,), generator=generator).tolist())


def chunk(index: int, frames: int, payload: bytes, seed: int) -> bytes:
    """One chunk as it stands in the stream."""
    return chunk_bytes(seed, index, frames, (), payload)


def _chunk(
    index: int,
    frames: int,
    payload: bytes,
    seed: int,
    order_: str = ">",
    first: int | None = None,
    whole: bool = True,
    more: int = 0,
) -> bytes:
    head = b"CHNK" + struct.pack(f"{order_}IHHB", index, frames, len(payload) + more, 0)
    start = seed if first is None else first
    head += struct.pack(f"{order_}I", zlib.crc32(head, start))
    covered = head + payload if whole else payload
    return head + payload + struct.pack(f"{order_}I", zlib.crc32(covered, start))


def _one_checksum(index: int, frames: int, payload: bytes, seed: int) -> bytes:
    body = b"CHNK" + struct.pack(">IHHB", index, frames, len(payload), 0) + payload
    return body + struct.pack(">I", zlib.crc32(body, seed))


def _parts(generator: Generator) -> tuple[int, int, bytes, int]:
    frames, seed = draw(generator, 1, 98), draw(generator, 1, 1 << 31 - 1)
    return draw(generator, 300, 899), frames, _bytes(generator), seed


LESSON = (
    Exercise(
        "13.pack",
        "Write the codes as one long binary number, frame by frame, most significant bit first, "
        "and cut it every eight bits; zeros fill the last byte.",
        packed,
        (
            Mistake(
                "Level by level; what comes frame by frame can be played while it still comes.",
                lambda codes, bits: pack(codes.reshape(-1).numpy(), bits),
            ),
            Mistake("The zeros stand in front; they should fill the last byte.", _filled_in_front),
            Mistake(
                "The least significant bit comes first; it should be the most significant one.",
                _backwards,
            ),
            Mistake("The last bits are lost, those that do not fill a byte.", _without_the_rest),
            Mistake(
                "The last byte was not filled up with zeros behind its bits, but read as it was.",
                _not_filled,
            ),
            Mistake(
                "Two bytes for each code: that is easier, and a good half larger.",
                lambda codes, bits: codes.T.reshape(-1).numpy().astype(">u2").tobytes(),
            ),
        ),
        minutes=8,
        points=2,
        inputs=_codes,
        remark="Ten bits for a code are ten bits in the file.",
    ),
    Exercise(
        "13.crc32",
        "Take each byte into the remainder and divide eight times, mirrored; begin and end with "
        "all bits inverted.",
        zlib.crc32,
        (
            Mistake(
                "It begins with zeros: then zeros in front of the data would not be noticed.",
                partial(_crc, first=0),
            ),
            Mistake("The bits are not inverted at the end.", partial(_crc, last=0)),
            Mistake(
                "That is the divisor as it is in books; mirrored, it begins at the other end.",
                partial(_crc, divisor=0x04C11DB7),
            ),
            Mistake("A byte has eight bits; here one fewer is divided.", partial(_crc, shifts=7)),
            Mistake(
                "The divisor is taken away each time; it should be where the lowest bit is 1.",
                partial(_crc, always=True),
            ),
            Mistake(
                "Neither at the beginning nor at the end are the bits inverted.",
                partial(_crc, first=0, last=0),
            ),
        ),
        minutes=8,
        points=2,
        inputs=lambda generator: (_bytes(generator),),
        remark="Zip, PNG and Ethernet use the same checksum.",
    ),
    Exercise(
        "13.chunk",
        "Put together the sync word, index, frames, bytes of payload, a 0, their checksum, the "
        "payload, and the checksum of all of it; both begin with the seed.",
        chunk,
        (
            Mistake(
                "The checksums do not begin with the header's, so chunks of other streams fit.",
                partial(_chunk, first=0),
            ),
            Mistake(
                "The last checksum covers the payload alone; it should cover the head as well.",
                partial(_chunk, whole=False),
            ),
            Mistake(
                "The least significant byte comes first: which sign stands in front of the format?",
                partial(_chunk, order_="<"),
            ),
            Mistake(
                "The length counts the last checksum too; it is that of the payload.",
                partial(_chunk, more=4),
            ),
            Mistake(
                "The head has no checksum of its own, so its length cannot be trusted.",
                _one_checksum,
            ),
        ),
        minutes=8,
        points=2,
        inputs=_parts,
    ),
)
