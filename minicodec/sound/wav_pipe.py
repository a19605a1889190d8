"""Support: WAV as it comes through a pipe, where nobody can go back, nor need know the length.

WAV is described in Microsoft and IBM, *Multimedia Programming Interface and Data Specifications
1.0*, 1991, and beyond 4 GiB, as RF64, in EBU Tech 3306. A program that writes it into a pipe does
not know the length and states a huge one (ffmpeg 0xFFFFFFFF, sox about 0x7FFFF000) or none: then
the end of the pipe counts. Where the length is known, what stands behind the samples is no sound.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np

from minicodec.sound.files import AudioFileError

#: A length, in the header of a WAV that goes into a pipe.
UNKNOWN = 0xFFFFFFFF
PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE
_MOST = 1 << 16  # bytes read at a time: a pipe holds as many
#: What programs state that do not know: all bits, or about the most that 31 bits can say.
_NOBODY = (range(0x7FFF0000, 0x80000100), range(0xFFFFFF00, 1 << 32))
#: What stands behind the samples, where it could be taken for them.
_OTHER_CHUNKS = {b"LIST", b"id3 ", b"ID3 ", b"bext", b"iXML", b"cue ", b"fact", b"PEAK", b"JUNK"}
_CODINGS = {2: "ADPCM", 6: "A-law", 7: "µ-law", 17: "ADPCM", 49: "GSM", 80: "MPEG", 85: "MP3"}
_SAMPLES = {  # by format and bytes: type in the file, value of silence, value of full scale
    (PCM, 1): ("u1", 128, 2.0**7),
    (PCM, 2): ("<i2", 0, 2.0**15),
    (PCM, 3): ("u1", 0, 2.0**31),
    (PCM, 4): ("<i4", 0, 2.0**31),
    (_FLOAT, 4): ("<f4", 0, 1.0),
    (_FLOAT, 8): ("<f8", 0, 1.0),
}


@dataclass(frozen=True)
class Wav:
    """What a WAV header says; the file stands at the first sample, or `first` bytes behind it."""

    sample_rate: int
    channels: int
    tag: int  #: PCM or float
    frame: int  #: bytes of one sample of all channels
    size: int | None  #: bytes of all samples, None if whoever wrote this did not know
    first: bytes = b""  #: of the samples, read already

    def blocks(self, file: BinaryIO) -> Iterator[np.ndarray]:
        """The samples, in blocks of what has come, so that live sound does not wait.

        Yields:
            [n, channels] float32
        """
        take = getattr(file, "read1", file.read)
        rest, came = self.first, len(self.first)
        while True:
            whole = len(rest) // self.frame * self.frame  # a pipe may break within a sample
            if whole:
                yield _samples(rest[:whole], self.tag, self.frame // self.channels).reshape(
                    -1, self.channels
                )
            left = _MOST if self.size is None else min(_MOST, self.size - came)
            more = take(left) if left > 0 else b""
            if not more:
                return
            came += len(more)
            rest = rest[whole:] + more


def nobody_knew(size: int) -> bool:
    """Is this what a program states that does not know how long its sound will be?"""
    return any(size in sizes for sizes in _NOBODY)


def read_header(file: BinaryIO, name: str) -> Wav:
    """Read on to the first sample.

    Raises:
        AudioFileError: if this is not WAV, or of a kind that only a file can be read as.
    """
    head = _read(file, 12)
    if not head:
        raise AudioFileError(f"{name}: nothing came through the pipe.")
    if head[:4] not in (b"RIFF", b"RF64", b"BW64") or head[8:] != b"WAVE":
        raise AudioFileError(
            f"{name} is not WAV, but begins with {head[:12]!r}: only WAV can be read from a pipe."
        )
    chunks = {b"fmt ": b"", b"ds64": b""}
    while True:
        kind, size = _chunk_head(file, name)
        if kind == b"data":
            break
        if kind in chunks and size <= 1024:
            chunks[kind] = _read(file, size + size % 2)
        else:
            _skip(file, size + size % 2)
    sample_rate, channels, tag, frame = _form(chunks[b"fmt "], name)
    stated: int | None = size
    if size == UNKNOWN and len(chunks[b"ds64"]) >= 16:
        (stated,) = struct.unpack_from("<Q", chunks[b"ds64"], 8)
    elif nobody_knew(size):
        stated = None
    first = b""
    if not stated:
        first, stated = _read(file, 4), None
        if first in _OTHER_CHUNKS:
            first, stated = b"", 0
    return Wav(sample_rate, channels, tag, frame, stated, first)


def _form(form: bytes, name: str) -> tuple[int, int, int, int]:
    if len(form) < 16:
        raise AudioFileError(f"{name} is WAV, but says nothing about its samples.")
    tag, channels, rate, _, frame, bits = struct.unpack_from("<HHIIHH", form)
    if tag == _EXTENSIBLE and len(form) >= 26:
        (tag,) = struct.unpack_from("<H", form, 24)
    width = frame // channels if channels else 0  # 20 bits stand in the upper ones of 24
    known = (tag, width) in _SAMPLES and frame == width * channels and width == -(-bits // 8)
    if not known or not rate:
        coding = f"{_CODINGS[tag]}, " if tag in _CODINGS else ""
        raise AudioFileError(
            f"{name} is WAV of a kind that cannot be read from a pipe ({coding}format {tag}, "
            f"{bits} bits, {channels} channels, {rate} Hz): use 16-bit PCM."
        )
    return rate, channels, tag, frame


def _chunk_head(file: BinaryIO, name: str) -> tuple[bytes, int]:
    head = _read(file, 8)
    if len(head) < 8:
        raise AudioFileError(f"{name} is WAV, but breaks off before its samples.")
    return head[:4], int.from_bytes(head[4:], "little")


def _samples(data: bytes, tag: int, width: int) -> np.ndarray:
    kind, silence, scale = _SAMPLES[tag, width]
    raw = np.frombuffer(data, kind)
    if width == 3:  # the upper three bytes of an integer of four
        four = np.zeros((len(raw) // 3, 4), np.uint8)
        four[:, 1:] = raw.reshape(-1, 3)
        raw = four.view("<i4").reshape(-1)
    with np.errstate(over="ignore"):  # it becomes infinite, which is refused
        return ((raw.astype(np.float64) - silence) / scale).astype(np.float32)


def _read(file: BinaryIO, size: int) -> bytes:
    """`size` bytes, fewer at the end only: a pipe gives what it has."""
    pieces = []
    while size and (data := file.read(size)):
        pieces.append(data)
        size -= len(data)
    return b"".join(pieces)


def _skip(file: BinaryIO, size: int) -> None:
    while size and (data := _read(file, min(size, _MOST))):
        size -= len(data)
