"""Support: the one way in which sound is read: from front to back, in blocks.

    with open_sound("concert.flac") as sound:
        for block in sound.blocks:           # [n, channels]
            ...

Memory is bounded by what comes, whatever a header claims. Files are read by libsndfile
(`minicodec.sound.decoding`), and pipes, by whatever name, as WAV (`minicodec.sound.wav_pipe`). What
is shorter than it says is read with a warning.
"""

import os
import stat
import warnings
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO, cast

import numpy as np

from minicodec.sound.decoding import Decoder, open_decoder, warn_short
from minicodec.sound.files import AudioFileError, reason
from minicodec.sound.names import printable
from minicodec.sound.wav_pipe import Wav, read_header

_TOO_LOUD = 100  # times full scale: nobody means that


@dataclass
class Recording:
    """A sound that is read once: in a `with` statement, or to its end."""

    name: str
    sample_rate: int
    channels: int
    length: int | None  #: samples as stated, or None: nobody knows, or nobody could believe it
    blocks: Iterator[np.ndarray]  #: [n, channels] float32, finite; at least one
    _file: BinaryIO | None  #: to be closed
    _decoder: Decoder | None

    def skip(self, samples: int) -> None:
        """Go to so many samples behind the beginning, before anything is read.

        Raises:
            AudioFileError: if the file turns out not to be what it says.
        """
        if self._decoder is None or not self._decoder.skip(samples):
            self.blocks = _without(samples, self.blocks)

    def whole(self, most: float = float("inf")) -> np.ndarray:
        """All that there is, or its first `most` samples.

        Returns:
            [channels, n] float32
        """
        blocks, count = deque[np.ndarray](), 0
        while count < most and (block := next(self.blocks, None)) is not None:
            blocks.append(block[: int(min(len(block), most - count))])
            count += len(blocks[-1])
        samples, place = np.empty((self.channels, count), np.float32), 0
        while blocks:  # one goes as it is copied, so that nothing is there twice
            block = blocks.popleft()
            samples[:, place : place + len(block)] = block.T
            place += len(block)
        return samples

    def close(self) -> None:
        """Close the file, if it was opened here."""
        if self._decoder is not None:
            self._decoder.close()
        if self._file is not None:
            self._file.close()

    def __enter__(self) -> "Recording":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_sound(file: str | Path | IO[bytes]) -> Recording:
    """Open a sound.

    Args:
        file: a path, or an open binary file. A file may be of all `minicodec.sound.files.KINDS`; a
            pipe has to be WAV.

    Raises:
        AudioFileError: if there is no such file, or it is no audio; while blocks are read, if they
            are damaged, hold NaN or infinity, or there are none.
    """
    if not isinstance(file, (str, Path)):
        name = printable(str(getattr(file, "name", "this stream")))
        return _found(cast(BinaryIO, file), name)
    name = printable(str(file))
    source = _opened(file, name)
    try:
        sound = _found(source, name)
    except BaseException:
        source.close()
        raise
    sound._file = source
    return sound


def true_length(file: str | Path) -> tuple[int, int, int]:
    """How long a file is: a header may claim anything, so its last sample is looked at.

    Returns:
        samples, rate in Hz, and channels.

    Raises:
        AudioFileError: as `open_sound`.
    """
    with open_sound(file) as sound, suppress(AudioFileError), _silent():
        if sound.length is not None:
            sound.skip(sound.length - 1)
            if sum(len(block) for block in sound.blocks) == 1:
                return sound.length, sound.sample_rate, sound.channels
    with open_sound(file) as sound, _silent():
        return sum(len(block) for block in sound.blocks), sound.sample_rate, sound.channels


def _opened(path: str | Path, name: str) -> BinaryIO:
    if os.path.isdir(path):
        raise AudioFileError(f"{name} is a folder, not an audio file.")
    try:
        return open(path, "rb", buffering=0)
    except FileNotFoundError:
        raise AudioFileError(f"{name}: no such file.") from None
    except (OSError, ValueError) as error:  # ValueError for a name with a zero byte in it
        raise AudioFileError(f"{name} cannot be read: {reason(error)}.") from error


def _found(file: BinaryIO, name: str) -> Recording:
    decoder = open_decoder(file, name) if _goes_back(file) else None
    if decoder is not None:
        rate, channels = decoder.sound.samplerate, decoder.sound.channels
        blocks = _checked(decoder.blocks(), name)
        return Recording(name, rate, channels, decoder.length, blocks, None, decoder)
    wav = read_header(file, name)
    blocks = _checked(_piped(wav, file, name), name)
    return Recording(name, wav.sample_rate, wav.channels, None, blocks, None, None)


def _goes_back(file: BinaryIO) -> bool:
    """Is it a file, and not a pipe or a device?"""
    with suppress(AttributeError, OSError):  # not all that can be read has a number
        return stat.S_ISREG(os.fstat(file.fileno()).st_mode)
    return hasattr(file, "seekable") and file.seekable()


def _piped(wav: Wav, file: BinaryIO, name: str) -> Iterator[np.ndarray]:
    came = 0
    for block in wav.blocks(file):
        came += len(block)
        yield block
    if wav.size is not None and came < wav.size // wav.frame:
        warn_short(name, wav.size // wav.frame, came, wav.sample_rate)


def _checked(blocks: Iterator[np.ndarray], name: str) -> Iterator[np.ndarray]:
    empty, loud = True, False
    for block in blocks:
        peak = float(np.abs(block).max())  # NaN if there is one
        if not np.isfinite(peak):
            raise AudioFileError(f"{name} holds NaN or infinite samples.")
        if peak > _TOO_LOUD and not loud:
            loud = True
            warnings.warn(
                f"{name} has samples of {peak:.6g} times full scale: if they are 16-bit integers "
                "stored as floats, divide them by 32768.",
                stacklevel=2,
            )
        empty = False
        yield block
    if empty:
        raise AudioFileError(f"{name} is an audio file with no samples in it.")


def _without(samples: int, blocks: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
    for block in blocks:
        if samples < len(block):
            yield block[samples:]
        samples = max(0, samples - len(block))


@contextmanager
def _silent() -> Iterator[None]:
    """For what is measured, and will be read again."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
