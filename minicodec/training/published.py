"""Support: data sets that others have published, as sources: torchaudio's, streams of Hugging Face.

Paper: section 4.1 (its data sets).
"""

import io
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from random import Random
from typing import Any

import numpy as np
from torch import Tensor

from minicodec.sound import audio
from minicodec.training.folder import TRIES, fill, fitted, shuffled


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
        for _ in range(TRIES):
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
                return fill(fitted(piece, rate, self.sample_rate, self.channels), length)
            except ValueError as error:
                self.skipped[str(error)] += 1
        raise ValueError(
            f"{self.name}: {TRIES} recordings in a row cannot be used: {dict(self.skipped)}."
        )

    def recordings(self) -> Iterator[Tensor]:
        for index in shuffled(len(self.dataset)):
            waveform, rate = self.dataset[index][:2]
            samples = np.asarray(waveform, dtype=np.float32)
            if samples.shape[-1] >= self.shortest * rate:
                try:
                    yield fitted(samples, rate, self.sample_rate, self.channels)
                except ValueError as error:
                    self.skipped[str(error)] += 1


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
        return fill(clip[:, start : start + length], length)

    def recordings(self) -> Iterator[Tensor]:
        for example in islice(self._stream, self.part, None, self.parts):
            clip = self._usable(example)
            if clip is not None:
                yield clip

    def _usable(self, example: Mapping[str, Any]) -> Tensor | None:
        if self.column not in example:
            raise ValueError(
                f"this stream has no column {self.column!r}, but {', '.join(example)}."
            )
        try:
            samples, rate = _decoded(example[self.column])
            if samples.shape[-1] < self.shortest * rate:
                raise ValueError("too short")
            return fitted(samples, rate, self.sample_rate, self.channels)
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
