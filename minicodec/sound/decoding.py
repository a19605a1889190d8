"""Support: files through libsndfile, read forward, and what libsndfile does not say about them.

It stops without a word where a file breaks off, where a second Ogg stream begins in the same file,
and where it had guessed that an MP3 would end. Here all of that is read, or said.
"""

import io
import os
import warnings
from collections.abc import Generator, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from typing import BinaryIO, Literal

import numpy as np
import soundfile

from minicodec.sound import mp3
from minicodec.sound.files import KINDS, AudioFileError, reason
from minicodec.sound.ogg import read_chain
from minicodec.sound.wav_pipe import UNKNOWN, nobody_knew

_BLOCK = 1 << 16  # frames read at a time, of up to 8 channels
_DENSEST = 1 << 16  # samples that a byte may stand for: a FLAC of silence comes near it
_FRAMES = 4 * 1152  # samples of an MP3 by which two ways to count may differ
_WAV = ("WAV", "WAVEX", "RF64")


class Forward(soundfile.SoundFile):
    """Reads on without looking back.

    soundfile seeks to where it is after each block, which fails in a file of unknown length, and
    changes the last bit of an MP3.
    """

    def seekable(self) -> bool:
        """Let nobody seek but us."""
        return False

    @property
    def seeks(self) -> bool:
        """Can libsndfile go elsewhere in this file?"""
        return bool(super().seekable())


@dataclass
class Decoder:
    """A file that libsndfile has opened."""

    name: str
    file: BinaryIO
    size: int  #: bytes
    sound: Forward
    length: int | None  #: samples; None if nobody knows, or nobody could believe it
    begin: int = 0  #: samples that were skipped

    def skip(self, samples: int) -> bool:
        """Go to so many samples behind the beginning, if that can be done without reading them.

        Raises:
            AudioFileError: if the file turns out not to be what it says.
        """
        if self.length is None or samples >= self.length or not self.sound.seeks:
            return False
        try:
            self.begin = self.sound.seek(samples)
        except (soundfile.SoundFileError, RuntimeError) as error:
            raise unreadable(self.name, error) from error
        return True

    def blocks(self) -> Iterator[np.ndarray]:
        """What there is, with a warning where there should be more.

        Yields:
            [n, channels] float32
        """
        rate, kind = self.sound.samplerate, self.sound.format
        came = self.begin + (yield from _read(self.sound, self.name))
        if kind == "OGG":
            yield from self._later_streams(came)
        elif self.length is not None and came < self.length:
            warn_short(self.name, self.length, came, rate)
        elif kind == "MP3":
            there = mp3.samples(self.file, rate)
            if came < there - _FRAMES:
                why = "does not say how long it is" if self.length is None else "says no more"
                _warn(f"{self.name}: only {came / rate:.2f} s of {there / rate:.2f} s were read, "
                      f"for its header {why}.")  # fmt: skip
        elif kind in (*_WAV, "AIFF"):
            lacking = _lacking(self.file, self.size)
            if lacking:
                _warn(f"{self.name} breaks off after {came / rate:.2f} s: {lacking} bytes of its "
                      "samples are not there.")  # fmt: skip

    def _later_streams(self, came: int) -> Iterator[np.ndarray]:
        """Of an Ogg file: a radio station begins a new one with each piece."""
        chain, first = read_chain(self.file), self.sound
        for begin, end in pairwise([*chain.starts[1:], self.size]):
            self.file.seek(begin)
            with _opened(io.BytesIO(self.file.read(end - begin)), self.name) as later:
                if (later.samplerate, later.channels) != (first.samplerate, first.channels):
                    _warn(f"{self.name}: {came / first.samplerate:.2f} s were read; behind them "
                          f"begins a stream of {later.samplerate} Hz and {later.channels} "
                          "channel(s), which was not.")  # fmt: skip
                    return
                came += yield from _read(later, self.name)
        if not chain.ends:
            _warn(f"{self.name} breaks off after {came / first.samplerate:.2f} s, for its last "
                  "page does not say that it is the last.")  # fmt: skip

    def close(self) -> None:
        """Close what libsndfile has; the file stays open."""
        self.sound.close()


def open_decoder(file: BinaryIO, name: str) -> Decoder | None:
    """Let libsndfile read a file from its beginning.

    Returns:
        None for a WAV of which nobody came to write the length down: read it as from a pipe.

    Raises:
        AudioFileError: if the file is empty, or no audio.
    """
    size = file.seek(0, io.SEEK_END)
    if not size:
        raise AudioFileError(f"{name} is empty (0 bytes), so there is no audio in it.")
    stated = mp3.says_its_length(file)
    sound = _opened(file, name)
    if sound.format in _WAV and not sound.frames:
        sound.close()
        file.seek(0)
        return None
    length: int | None = sound.frames
    if not 0 < sound.frames <= size * _DENSEST or (sound.format == "MP3" and not stated):
        length = None
    return Decoder(name, file, size, sound, length)


def unreadable(name: str, error: Exception) -> AudioFileError:
    """The error to raise for a file that libsndfile gives up on."""
    return AudioFileError(f"{name} cannot be read as audio ({KINDS}): {reason(error)}.")


def warn_short(name: str, length: int, came: int, rate: int) -> None:
    """Say that a sound is shorter than it says."""
    _warn(f"{name} says that it is {length / rate:.2f} s long, but only {came / rate:.2f} s of it "
          "are there.")  # fmt: skip


def _warn(text: str) -> None:
    warnings.warn(text, stacklevel=2)


def _opened(file: BinaryIO, name: str) -> Forward:
    source = _number(file)
    if source is not None:
        os.lseek(source, 0, os.SEEK_SET)
    file.seek(0)
    try:
        return Forward(file if source is None else source, closefd=False)
    except (soundfile.SoundFileError, RuntimeError, TypeError) as error:
        raise unreadable(name, error) from error


def _number(file: BinaryIO) -> int | None:
    """The number under which libsndfile can read a file without calling us back.

    A Ctrl-C that comes while it calls would be swallowed, and look like the end of the file.
    """
    if os.name == "posix":  # elsewhere a library may count its files by itself
        with suppress(AttributeError, OSError):
            return file.fileno()
    return None


def _read(sound: Forward, name: str) -> Generator[np.ndarray, None, int]:
    """All blocks from here on; returns how many samples there were."""
    most = max(1, min(_BLOCK, 8 * _BLOCK // sound.channels))
    came = 0
    while True:
        try:
            block = sound.read(most, dtype="float32", always_2d=True)
        except (soundfile.SoundFileError, RuntimeError) as error:
            raise unreadable(name, error) from error
        if not len(block):
            return came
        came += len(block)
        yield block


def _lacking(file: BinaryIO, size: int) -> int:
    """How many bytes the chunk of samples in WAV or AIFF claims behind the end of the file."""
    file.seek(0)
    order: Literal["big", "little"] = "big" if file.read(4) == b"FORM" else "little"
    place, large = 12, 0
    while place + 8 <= size:
        file.seek(place)
        head = file.read(8)
        stated = int.from_bytes(head[4:], order)
        if head[:4] == b"ds64":
            large = int.from_bytes(file.read(16)[8:], "little")
        if head[:4] in (b"data", b"SSND"):
            stated = large if stated == UNKNOWN and large else stated
            return 0 if nobody_knew(stated) else max(0, place + 8 + stated - size)
        place += 8 + stated + stated % 2
    return 0
