"""Support: sound block by block, for files of any length, and pipes that do not tell theirs.

    sound = open_blocks("concert.flac")
    for block in sound.converted(24000, channels=1):         # [1, 1, n]
        ...

What is read is what `minicodec.audio.load` reads (`minicodec.sound.reading`); what is written into
a pipe is WAV.
"""

import os
import struct
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

import numpy as np
import soxr
import torch
from torch import Tensor

from minicodec.sound import audio as audio_
from minicodec.sound.files import whole_sound
from minicodec.sound.reading import open_sound
from minicodec.sound.wav_pipe import PCM, UNKNOWN

_MOST = 1 << 16  # samples that go through the resampler at a time, after it


@dataclass(frozen=True)
class BlockReader:
    """A sound that is read once, from front to back: in a `with` statement, or to its end."""

    name: str
    sample_rate: int
    channels: int
    length: int | None  #: samples, if they are known before they are read
    blocks: Iterable[Tensor]  #: [C, n] float32
    close: Callable[[], None]  #: lets go of the file

    def converted(self, sample_rate: int, channels: int) -> Iterator[Tensor]:
        """The same sound at another rate and with other channels, as `audio.resample` and `mix`.

        Yields:
            [1, channels, n]

        Raises:
            AudioFileError: at once, for a change that has no meaning, or by more than a factor of
                100.
        """
        try:
            audio_.check_rates(self.sample_rate, sample_rate)
            audio_.mix(torch.zeros(self.channels, 1), channels)
        except ValueError as error:
            raise audio_.AudioFileError(f"{self.name}: {error}") from error
        return self._converted(sample_rate, channels)

    def _converted(self, sample_rate: int, channels: int) -> Iterator[Tensor]:
        mixed = (audio_.mix(block, channels) for block in self.blocks)
        if sample_rate == self.sample_rate:
            yield from (block[None] for block in mixed)
            return
        stream = soxr.ResampleStream(self.sample_rate, sample_rate, channels, quality="VHQ")
        first, silent = None, True
        most = max(1, _MOST * self.sample_rate // sample_rate)
        for block in chain.from_iterable(block.split(most, dim=-1) for block in mixed):
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

    def __enter__(self) -> "BlockReader":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_blocks(file: str | Path | BinaryIO) -> BlockReader:
    """Open a sound, to be read in blocks.

    Args:
        file: as of `minicodec.sound.reading.open_sound`, which also says what is raised.
    """
    sound = open_sound(file)

    def blocks() -> Iterator[Tensor]:
        with sound:
            for block in sound.blocks:
                yield torch.from_numpy(np.ascontiguousarray(block.T))

    return BlockReader(
        sound.name, sound.sample_rate, sound.channels, sound.length, blocks(), sound.close
    )


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
            self._begin = target.tell() if target.seekable() and not _appends(target) else None
            target.write(
                struct.pack("<4sI8sI", b"RIFF", UNKNOWN, b"WAVEfmt ", 16)
                + struct.pack("<HHII", PCM, channels, sample_rate, sample_rate * width)
                + struct.pack("<HH4sI", width, 16, b"data", UNKNOWN)
            )

    def write(self, audio: Tensor) -> None:
        """Append audio [1, C, n].

        Raises:
            ValueError: for NaN or infinite samples, which a model may make and no file can hold.
        """
        audio_.check_finite(audio)
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
        if self._begin is None or size > UNKNOWN - 36:
            return
        end = target.tell()
        for place, number in ((4, 36 + size), (40, size)):
            target.seek(self._begin + place)
            target.write(struct.pack("<I", number))
        target.seek(end)


def _appends(file: BinaryIO) -> bool:
    """Does all that is written go to the end of a file (`>>`), wherever one would put it?"""
    try:
        from fcntl import F_GETFL, fcntl  # which not every system has

        return bool(fcntl(file.fileno(), F_GETFL) & os.O_APPEND)
    except (ImportError, OSError):
        return False
