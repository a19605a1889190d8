"""Support: sound block by block, for files of any length, and pipes that do not tell theirs.

    sound = open_blocks("concert.flac")
    for block in sound.converted(24000, channels=1):         # [1, 1, n]
        ...

Files are read as `minicodec.audio` reads them. What comes through a pipe has to be WAV: its header
is enough to begin with, while other formats are read by going back and forth.

WAV is described in Microsoft and IBM, *Multimedia Programming Interface and Data Specifications
1.0*, 1991. A program that writes it into a pipe does not know the length either, and states a huge
one (ffmpeg 0xFFFFFFFF, sox about 0x7FFFF000) or none: so the end of the pipe counts.
"""

import struct
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

import numpy as np
import soundfile
import soxr
import torch
from torch import Tensor

from minicodec.sound import audio as audio_
from minicodec.sound.audio import AudioFileError
from minicodec.sound.files import whole_sound

_BLOCK = 1 << 16  # samples read at a time, whatever rate a header may claim
_UNKNOWN = 0xFFFFFFFF  # a length, in the header of a WAV that goes into a pipe
_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE
_SAMPLES = {  # by format and bits: type in the file, value of silence, value of full scale
    (_PCM, 8): ("u1", 128, 2.0**7),
    (_PCM, 16): ("<i2", 0, 2.0**15),
    (_PCM, 24): ("u1", 0, 2.0**31),
    (_PCM, 32): ("<i4", 0, 2.0**31),
    (_FLOAT, 32): ("<f4", 0, 1.0),
    (_FLOAT, 64): ("<f8", 0, 1.0),
}


@dataclass(frozen=True)
class BlockReader:
    """A sound that is read once, from front to back."""

    sample_rate: int
    channels: int
    length: int | None  #: samples, if they are known before they are read
    blocks: Iterable[Tensor]  #: [C, n] float32

    def converted(self, sample_rate: int, channels: int) -> Iterator[Tensor]:
        """The same sound at another rate and with other channels, as `audio.resample` and `mix`.

        Yields:
            [1, channels, n]

        Raises:
            ValueError: for a change that has no meaning, or by more than a factor of 1000.
        """
        audio_.check_rates(self.sample_rate, sample_rate)
        mixed = (audio_.mix(block, channels) for block in self.blocks)
        if sample_rate == self.sample_rate:
            yield from (block[None] for block in mixed)
            return
        stream = soxr.ResampleStream(self.sample_rate, sample_rate, channels, quality="VHQ")
        first, silent = None, True
        for block in mixed:
            first = block[:, :1] if first is None else first
            out = stream.resample_chunk(np.ascontiguousarray(block.numpy().T))
            silent = silent and not len(out)
            if len(out):
                yield torch.from_numpy(out.T.copy())[None]
        out = stream.resample_chunk(np.zeros((0, channels), np.float32), last=True)
        if len(out):
            yield torch.from_numpy(out.T.copy())[None]
        elif silent and first is not None:  # a clip of one sample has one at a lower rate too
            yield first[None]


def open_blocks(file: str | Path | BinaryIO) -> BlockReader:
    """Open a sound, to be read in blocks.

    Args:
        file: the path of a file that `audio.load` reads, or an open binary file or pipe with WAV.

    Raises:
        AudioFileError: if there is no such file, or it is no audio; while blocks are read, if they
            are damaged, hold NaN or infinity, or there are none.
    """
    if not isinstance(file, (str, Path)):
        return _open_wav(file)
    audio_.check_file(file)
    try:
        opened = soundfile.SoundFile(file)
    except (soundfile.SoundFileError, RuntimeError, TypeError) as error:
        raise audio_.unreadable(file, error) from error

    def blocks() -> Iterator[np.ndarray]:
        with opened:
            while True:
                try:
                    block = opened.read(_BLOCK, dtype="float32", always_2d=True)
                except (soundfile.SoundFileError, RuntimeError) as error:
                    raise audio_.unreadable(file, error) from error
                if not len(block):
                    return
                yield block

    rate, channels, length = opened.samplerate, opened.channels, opened.frames
    return BlockReader(rate, channels, length, _checked(blocks(), str(file)))


def _open_wav(file: BinaryIO) -> BlockReader:
    name = str(getattr(file, "name", "this stream"))
    head = _read(file, 12)
    if head[:4] not in (b"RIFF", b"RF64") or head[8:] != b"WAVE":
        raise AudioFileError(
            f"{name} is not WAV, but begins with {head[:12]!r}: only WAV can be read from a pipe."
        )
    form = b""
    while True:
        kind, size = _chunk_head(file, name)
        if kind == b"data":
            break
        if kind == b"fmt " and size <= 1024:
            form = _read(file, size + size % 2)
        else:
            _skip(file, size + size % 2)
    if len(form) < 16:
        raise AudioFileError(f"{name} is WAV, but says nothing about its samples.")
    tag, channels, rate, _, frame, bits = struct.unpack_from("<HHIIHH", form)
    if tag == _EXTENSIBLE and len(form) >= 26:
        (tag,) = struct.unpack_from("<H", form, 24)
    if (tag, bits) not in _SAMPLES or not channels or not rate or frame != channels * bits // 8:
        raise AudioFileError(
            f"{name} is WAV of a kind that is not known (format {tag}, {bits} bits, {channels} "
            f"channels, {rate} Hz): use 16-bit PCM."
        )

    def blocks() -> Iterator[np.ndarray]:
        left = size if size else _UNKNOWN
        while left:
            data = _read(file, min(left, _BLOCK // 4 * frame))  # the pipe may be live: not too much
            left = left - len(data) if left < 0x7FFFF000 else left
            data = data[: len(data) // frame * frame]  # a pipe may break within a sample
            if not data:
                return
            yield _samples(data, tag, bits).reshape(-1, channels)

    return BlockReader(rate, channels, None, _checked(blocks(), name))


def _chunk_head(file: BinaryIO, name: str) -> tuple[bytes, int]:
    head = _read(file, 8)
    if len(head) < 8:
        raise AudioFileError(f"{name} is WAV, but breaks off before its samples.")
    return head[:4], int.from_bytes(head[4:], "little")


def _samples(data: bytes, tag: int, bits: int) -> np.ndarray:
    kind, silence, scale = _SAMPLES[tag, bits]
    raw = np.frombuffer(data, kind)
    if bits == 24:  # the upper three bytes of an integer of four
        four = np.zeros((len(raw) // 3, 4), np.uint8)
        four[:, 1:] = raw.reshape(-1, 3)
        raw = four.view("<i4").reshape(-1)
    return ((raw.astype(np.float64) - silence) / scale).astype(np.float32)


def _read(file: BinaryIO, size: int) -> bytes:
    """`size` bytes, fewer at the end only: a pipe gives what it has."""
    pieces = []
    while size and (data := file.read(size)):
        pieces.append(data)
        size -= len(data)
    return b"".join(pieces)


def _skip(file: BinaryIO, size: int) -> None:
    while size and (data := _read(file, min(size, 1 << 16))):
        size -= len(data)


def _checked(blocks: Iterable[np.ndarray], name: str) -> Iterator[Tensor]:
    empty = True
    for block in blocks:
        audio = torch.from_numpy(np.ascontiguousarray(block.T))
        audio_.check_finite(audio, name, AudioFileError)
        empty = False
        yield audio
    if empty:
        raise AudioFileError(f"{name} is an audio file with no samples in it.")


class BlockWriter:
    """Sound to a file or a pipe, block by block, 16 bits per sample in WAV and FLAC.

    A file appears whole or not at all, when the `with` statement ends. Into a pipe goes WAV, with
    the length that stands for an unknown one.
    Samples beyond [-1, 1] are clipped, with a warning that says how many.

    Args:
        target: a path whose ending names the format, or an open binary file or pipe.

    Raises:
        ValueError: for an ending or a rate that there is not, or if the file cannot be written.
    """

    def __init__(self, target: Path | BinaryIO, sample_rate: int, channels: int):
        self.length, self._clipped, self._target, self._channels = 0, 0, target, channels
        if isinstance(target, Path):
            self._whole = whole_sound(target, sample_rate, channels)
            self._append = self._whole.__enter__()
        else:
            width = 2 * channels
            self._begin = target.tell() if target.seekable() else None
            target.write(
                struct.pack("<4sI8sI", b"RIFF", _UNKNOWN, b"WAVEfmt ", 16)
                + struct.pack("<HHII", _PCM, channels, sample_rate, sample_rate * width)
                + struct.pack("<HH4sI", width, 16, b"data", _UNKNOWN)
            )

    def write(self, audio: Tensor) -> None:
        """Append audio [1, C, n]."""
        self.length += audio.shape[-1]
        self._clipped += int((audio.abs() > 1).sum())
        samples = audio[0].detach().clamp(-1, 1).float().cpu().numpy().T
        if isinstance(self._target, Path):
            self._append(samples)
        else:
            integers = np.floor(samples * 32768).clip(-32768, 32767)  # as libsndfile does
            self._target.write(integers.astype("<i2").tobytes())
            self._target.flush()

    def __enter__(self) -> "BlockWriter":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if isinstance(self._target, Path):
            self._whole.__exit__(kind, error, trace)
        elif kind is None:
            self._tell_length(self._target)
        if self._clipped and kind is None:
            where = self._target if isinstance(self._target, Path) else "the output"
            warnings.warn(
                f"{self._clipped} samples beyond [-1, 1] were clipped in {where}.", stacklevel=2
            )

    def _tell_length(self, target: BinaryIO) -> None:
        """Put the length into the header of a WAV that is redirected to a file after all."""
        size = 2 * self._channels * self.length
        if self._begin is None or size > _UNKNOWN - 36:
            return
        end = target.tell()
        for place, number in ((4, 36 + size), (40, size)):
            target.seek(self._begin + place)
            target.write(struct.pack("<I", number))
        target.seek(end)
