"""Support: a folder of recordings as a source of sound."""

import warnings
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path
from random import Random

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor
from tqdm import tqdm

from minicodec.sound import audio
from minicodec.sound.files import recordings
from minicodec.sound.names import printable
from minicodec.sound.reading import open_sound, true_length

NAMED = 5  # damaged files that warnings name, at most
TRIES = 100  # pieces that may turn out unusable in a row before we believe that all are


class Folder:
    """All audio files below a folder; long ones are drawn from more often than short ones.

    Small sets are read once and kept in memory as 16-bit samples, resampled; of large ones only
    the piece that was drawn is read from the disk. Files that are damaged, too short or of too
    many channels are skipped and counted; a warning names those that are damaged.

    Args:
        sample_rate, channels: of the sound that comes out.
        shortest: seconds; shorter files are skipped.
        memory: bytes that samples may take up; 0 always reads from the disk.

    Raises:
        ValueError: if this is no folder, or not one of its files can be used.
    """

    def __init__(
        self,
        path: str | Path,
        sample_rate: int,
        channels: int = 1,
        shortest: float = 1.0,
        memory: float = 2e9,
    ):
        self.name, self.sample_rate, self.channels = str(path), sample_rate, channels
        self.skipped: Counter[str] = Counter()
        self.bad: list[str] = []
        self.damaged: list[str] = []
        found = recordings(path)
        self.files: list[Path] = []
        lengths: list[float] = []
        # "." and "recordings/.." have a name too.
        looking = f"looking at {Path(path).resolve().name}"
        for file in tqdm(found, desc=looking, unit="file", leave=False):
            try:
                frames, rate, own_channels = true_length(file)
            except ValueError as error:
                self._skip(file, "cannot be read", str(error))
                continue
            try:
                audio.check_rates(rate, sample_rate)
            except ValueError as error:
                self._skip(file, "of another rate", f"{printable(str(file))}: {error}")
                continue
            if frames < shortest * rate:
                self._skip(file, "too short")
            elif own_channels > 2 and channels == 2:
                self._skip(file, "more than two channels")
            else:
                self.files.append(file)
                lengths.append(frames / rate)
        self.samples: list[np.ndarray] | None = None
        if sum(lengths) * sample_rate * channels * 2 <= memory:
            lengths = self._read_all(shortest)
        if not self.files:
            raise ValueError(
                f"{path} has no recording of at least {shortest:g} s that can be used, of "
                f"{len(found)} audio files. Skipped: {dict(self.skipped) or 'none'}."
            )
        self.seconds: float | None = sum(lengths)
        self._lengths, self._ends = lengths, list(accumulate(lengths))
        for text in self.damaged[:NAMED]:
            warnings.warn(f"left out: {text}", stacklevel=2)
        if len(self.damaged) > NAMED:
            warnings.warn(f"left out: {len(self.damaged) - NAMED} more in {path}.", stacklevel=2)

    def crop(self, random: Random, length: int) -> Tensor:
        for _ in range(TRIES):
            index = bisect_right(self._ends, random.random() * self._ends[-1])
            index = min(index, len(self.files) - 1)
            place = random.random()
            if self.samples is not None:
                whole = self.samples[index]
                start = int(place * max(1, whole.shape[1] - length + 1))
                piece = torch.from_numpy(whole[:, start : start + length].astype(np.float32))
                return fill(piece / 32768, length)
            try:
                return self._read(index, place, length)
            except ValueError as error:
                self._skip(self.files[index], "damaged inside", str(error))
        raise ValueError(f"{self.name}: {TRIES} pieces in a row could not be read.")

    def recordings(self) -> Iterator[Tensor]:
        for index in shuffled(len(self.files)):
            if self.samples is not None:
                yield torch.from_numpy(self.samples[index].astype(np.float32)) / 32768
                continue
            try:
                yield audio.load(self.files[index], self.sample_rate, self.channels)[0]
            except ValueError as error:
                self._skip(self.files[index], "damaged inside", str(error))

    def _read(self, index: int, place: float, length: int) -> Tensor:
        with open_sound(self.files[index]) as sound:
            rate = sound.sample_rate
            wanted = -(-length * rate // self.sample_rate)
            there = round(self._lengths[index] * rate)
            sound.skip(int(place * max(1, there - wanted + 1)))
            samples = sound.whole(wanted)
        return fill(fitted(samples, rate, self.sample_rate, self.channels), length)

    def _read_all(self, shortest: float) -> list[float]:
        kept, self.samples = [], []
        reading = f"reading {Path(self.name).resolve().name}"
        bar = tqdm(self.files, desc=reading, unit="file", leave=False)
        for file in bar:
            try:
                clip, _ = audio.load(file, self.sample_rate, self.channels)
            except ValueError as error:
                self._skip(file, "damaged inside", str(error))
                continue
            if clip.shape[1] < int(shortest * self.sample_rate):  # the header promised more
                self._skip(file, "too short")
                continue
            kept.append(file)
            self.samples.append((clip.clamp(-1, 1) * 32767).round().to(torch.int16).numpy())
        self.files = kept
        return [samples.shape[1] / self.sample_rate for samples in self.samples]

    def _skip(self, file: Path, reason: str, error: str = "") -> None:
        if str(file) not in self.bad:
            self.bad.append(str(file))
            self.skipped[reason] += 1
            if error:
                self.damaged.append(error)


def shuffled(count: int) -> list[int]:
    """All numbers below `count`, each time in the same disorder."""
    return Random(0).sample(range(count), count)


def fitted(samples: np.ndarray, rate: int, sample_rate: int, channels: int) -> Tensor:
    """[C, T] or [T] samples as a codec wants them."""
    clip = torch.from_numpy(np.ascontiguousarray(np.atleast_2d(samples), dtype=np.float32))
    audio.check_finite(clip)
    return audio.resample(audio.mix(clip, channels), rate, sample_rate)


def fill(clip: Tensor, length: int) -> Tensor:
    """Exactly `length` samples; a resampler may give one more or less."""
    return F.pad(clip[:, :length], (0, max(0, length - clip.shape[1])))
