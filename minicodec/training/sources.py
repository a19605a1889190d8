"""Where sound comes from: folders of files, torchaudio's datasets, streams from Hugging Face.

All have one method, `crop(random, length)`, which draws a piece of sound as a codec wants it. Only
`random` decides which piece, so the same draw gives the same sound again: that is what makes a run
that was killed go on as if nothing had happened.

Chapter 10. Paper: section 4.1 (its data sets).
"""

import io
from bisect import bisect_right
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping
from itertools import accumulate, islice
from pathlib import Path
from random import Random
from typing import Any, Protocol

import numpy as np
import soundfile
import torch
import torch.nn.functional as F
from torch import Tensor
from tqdm import tqdm

from minicodec.sound import audio

_ENDINGS = {".wav", ".flac", ".ogg", ".opus", ".mp3"}
_TRIES = 100  # pieces that may turn out unusable in a row before we believe that all are


class Source(Protocol):
    """Something that sound can be drawn from."""

    name: str
    #: What there is to draw from, in seconds; None if nobody knows before it has been read.
    seconds: float | None
    #: Why recordings could not be used, and how many for each reason.
    skipped: Counter[str]

    def crop(self, random: Random, length: int) -> Tensor:
        """Shape: [C, length], float32 in [-1, 1]."""
        ...


class Folder:
    """All audio files below a folder; long ones are drawn from more often than short ones.

    Small sets are read once and kept in memory as 16-bit samples, resampled; of large ones only
    the piece that was drawn is read from the disk. Files that are damaged, too short or of too
    many channels are skipped and counted.

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
        if not Path(path).is_dir():
            raise ValueError(f"{path} is not a folder of recordings.")
        found = sorted(p for p in Path(path).rglob("*") if p.suffix.lower() in _ENDINGS)
        self.files: list[Path] = []
        lengths: list[float] = []
        for file in tqdm(found, desc=f"looking at {Path(path).name}", unit="file", leave=False):
            try:
                info = soundfile.info(file)
            except (soundfile.SoundFileError, RuntimeError):
                self._skip(file, "cannot be read")
                continue
            if info.frames < shortest * info.samplerate or info.frames < 1:
                self._skip(file, "too short")
            elif info.channels > 2 and channels == 2:
                self._skip(file, "more than two channels")
            else:
                self.files.append(file)
                lengths.append(info.frames / info.samplerate)
        self.samples: list[np.ndarray] | None = None
        if sum(lengths) * sample_rate * channels * 2 <= memory:
            lengths = self._read_all(shortest)
        if not self.files:
            raise ValueError(
                f"{path} has no recording of at least {shortest:g} s that can be used, of "
                f"{len(found)} audio files. Skipped: {dict(self.skipped) or 'none'}."
            )
        self.seconds: float | None = sum(lengths)
        self._ends = list(accumulate(lengths))

    def crop(self, random: Random, length: int) -> Tensor:
        for _ in range(_TRIES):
            index = bisect_right(self._ends, random.random() * self._ends[-1])
            index = min(index, len(self.files) - 1)
            place = random.random()
            if self.samples is not None:
                whole = self.samples[index]
                start = int(place * max(1, whole.shape[1] - length + 1))
                piece = torch.from_numpy(whole[:, start : start + length].astype(np.float32))
                return _fill(piece / 32768, length)
            try:
                return self._read(self.files[index], place, length)
            except (soundfile.SoundFileError, RuntimeError, ValueError):
                self._skip(self.files[index], "damaged inside")
        raise ValueError(f"{self.name}: {_TRIES} pieces in a row could not be read.")

    def _read(self, file: Path, place: float, length: int) -> Tensor:
        with soundfile.SoundFile(file) as f:
            wanted = -(-length * f.samplerate // self.sample_rate)
            f.seek(int(place * max(1, f.frames - wanted + 1)))
            samples = f.read(wanted, dtype="float32", always_2d=True)
            rate = f.samplerate
        return _fill(_fitted(samples.T, rate, self.sample_rate, self.channels), length)

    def _read_all(self, shortest: float) -> list[float]:
        kept, self.samples = [], []
        bar = tqdm(self.files, desc=f"reading {Path(self.name).name}", unit="file", leave=False)
        for file in bar:
            try:
                clip, _ = audio.load(file, self.sample_rate, self.channels)
            except ValueError:
                self._skip(file, "damaged inside")
                continue
            if clip.shape[1] < int(shortest * self.sample_rate):  # the header promised more
                self._skip(file, "too short")
                continue
            kept.append(file)
            self.samples.append((clip.clamp(-1, 1) * 32767).round().to(torch.int16).numpy())
        self.files = kept
        return [samples.shape[1] / self.sample_rate for samples in self.samples]

    def _skip(self, file: Path, reason: str) -> None:
        if str(file) not in self.bad:
            self.bad.append(str(file))
            self.skipped[reason] += 1


class Clips:
    """A map-style dataset that gives (waveform [C, T], sample rate, …): torchaudio's form.

        Clips(torchaudio.datasets.LIBRISPEECH("data", "train-clean-100", download=True), 24000)

    Recordings are drawn evenly, since their lengths are not known before they are read. Those that
    are too short or cannot be used are counted and another one is drawn.
    """

    def __init__(self, dataset: Any, sample_rate: int, channels: int = 1, shortest: float = 1.0):
        self.name, self.dataset = type(dataset).__name__, dataset
        self.sample_rate, self.channels, self.shortest = sample_rate, channels, shortest
        self.seconds: float | None = None
        self.skipped: Counter[str] = Counter()
        if not len(dataset):
            raise ValueError(f"the dataset {self.name} has no recordings.")

    def crop(self, random: Random, length: int) -> Tensor:
        for _ in range(_TRIES):
            waveform, rate = self.dataset[random.randrange(len(self.dataset))][:2]
            place = random.random()
            samples = np.asarray(waveform, dtype=np.float32)
            if samples.shape[-1] < self.shortest * rate:
                self.skipped["too short"] += 1
                continue
            wanted = -(-length * rate // self.sample_rate)
            start = int(place * max(1, samples.shape[-1] - wanted + 1))
            try:
                piece = samples[..., start : start + wanted]
                return _fill(_fitted(piece, rate, self.sample_rate, self.channels), length)
            except ValueError as error:
                self.skipped[str(error)] += 1
        raise ValueError(
            f"{self.name}: {_TRIES} recordings in a row cannot be used: {dict(self.skipped)}."
        )


class Stream:
    """A stream of examples with an "audio" column: Hugging Face `datasets` in streaming mode.

        Stream(datasets.load_dataset(name, split="train", streaming=True), 24000)

    A stream has no random access, so the last few recordings are kept and drawn from while new
    ones come in, one for every `uses` pieces. When the stream ends it starts again. Which ones are
    kept follows from the number of pieces drawn so far, so that number is all that is needed to go
    on after an interruption.

    Args:
        keep: recordings to draw from.
        uses: pieces that are drawn for each new recording.
        column: that holds the audio.
        part, parts: read only every `parts`-th recording, so that processes share a stream.
    """

    def __init__(
        self,
        stream: Iterable[Mapping[str, Any]],
        sample_rate: int,
        channels: int = 1,
        shortest: float = 1.0,
        *,
        keep: int = 64,
        uses: int = 8,
        column: str = "audio",
        part: int = 0,
        parts: int = 1,
    ):
        self.name, self.column = "stream", column
        self.sample_rate, self.channels, self.shortest = sample_rate, channels, shortest
        self.seconds: float | None = None
        self.skipped: Counter[str] = Counter()
        self.keep, self.uses, self.part, self.parts = keep, uses, part, parts
        self._stream = _undecoded(stream, column)
        self.seek(0)

    def seek(self, drawn: int) -> None:
        """Go to where `drawn` pieces have been drawn, by reading past what came before."""
        self.drawn = drawn
        self._read = drawn // self.uses
        self._kept: deque[Tensor | None] = deque(maxlen=self.keep)
        self._examples = islice(
            self._endless(), self.part + self._read * self.parts, None, self.parts
        )

    def crop(self, random: Random, length: int) -> Tensor:
        while self._read < self.keep + self.drawn // self.uses:
            self._kept.append(self._usable(next(self._examples)))
            self._read += 1
        self.drawn += 1
        clips = [clip for clip in self._kept if clip is not None]
        if not clips:
            raise ValueError(
                f"none of {self.keep} recordings of this stream can be used: {dict(self.skipped)}."
            )
        clip = random.choice(clips)
        start = int(random.random() * max(1, clip.shape[1] - length + 1))
        return _fill(clip[:, start : start + length], length)

    def _usable(self, example: Mapping[str, Any]) -> Tensor | None:
        if self.column not in example:
            raise ValueError(
                f"this stream has no column {self.column!r}, but {', '.join(example)}."
            )
        try:
            samples, rate = _decoded(example[self.column])
            if samples.shape[-1] < self.shortest * rate:
                raise ValueError("too short")
            return _fitted(samples, rate, self.sample_rate, self.channels)
        except (ValueError, RuntimeError) as error:
            self.skipped[str(error)] += 1
            return None

    def _endless(self) -> Iterator[Mapping[str, Any]]:
        while True:
            example = None
            for example in self._stream:  # noqa: B007 (it is used after the loop)
                yield example
            if example is None:
                raise ValueError("this stream has no recordings.")


def _fitted(samples: np.ndarray, rate: int, sample_rate: int, channels: int) -> Tensor:
    """[C, T] or [T] samples as a codec wants them."""
    clip = torch.from_numpy(np.ascontiguousarray(np.atleast_2d(samples), dtype=np.float32))
    if not torch.isfinite(clip).all():
        raise ValueError("NaN or infinite samples")
    return audio.resample(audio.mix(clip, channels), rate, sample_rate)


def _fill(clip: Tensor, length: int) -> Tensor:
    """Exactly `length` samples; a resampler may give one more or less."""
    return F.pad(clip[:, :length], (0, max(0, length - clip.shape[1])))


def _undecoded(stream: Any, column: str) -> Any:
    """Ask `datasets` for the bytes of a file, so that no decoder of its own is needed."""
    if getattr(stream, "features", None) and hasattr(stream, "cast_column"):
        from datasets import Audio

        if isinstance(stream.features.get(column), Audio):
            return stream.cast_column(column, Audio(decode=False))
    return stream


def _decoded(value: Any) -> tuple[np.ndarray, int]:
    """Samples and rate of an "audio" value: a file's bytes or path, or an array."""
    if isinstance(value, Mapping) and value.get("array") is not None:
        return np.asarray(value["array"], dtype=np.float32), int(value["sampling_rate"])
    if isinstance(value, Mapping) and (value.get("bytes") or value.get("path")):
        clip, rate = audio.load(io.BytesIO(value["bytes"]) if value["bytes"] else value["path"])
        return clip.numpy(), rate
    raise ValueError("neither a file's bytes, nor its path, nor samples")
