"""Support: data sets that others have published, as sources: torchaudio's, streams of Hugging Face.

Paper: section 4.1 (its data sets).
"""

import io
import os
import re
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from torch import Tensor

from minicodec.sound import audio
from minicodec.training.folder import TRIES, fill, fitted, shuffled

_ARCHIVED = re.compile("(zip|tar|gzip|bz2|xz|zstd|lz4)://")
_LARGEST = 1 << 30  # bytes of one recording


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
        place: folder or address (`hf://datasets/OWNER/NAME`) below which files may be read that
            examples name; without it examples have to bring the bytes or the samples.
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
        place: str | None = None,
    ):
        self.name, self.column, self.place = "stream", column, place
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
            samples, rate = _decoded(example[self.column], self.place)
            if samples.shape[-1] < self.shortest * rate:
                raise ValueError("too short")
            return fitted(samples, rate, self.sample_rate, self.channels)
        except (ValueError, RuntimeError, OSError) as error:
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


def open_stream(
    name: str, *config_and_split: str, part: int = 0, parts: int = 1, **how: Any
) -> Stream:
    """A data set of Hugging Face, or a folder with one, that is read as it comes.

    Args:
        name: as `datasets.load_dataset` takes it.
        config_and_split: a split, or the name of a config and a split.
        how: as of `Stream`.
    """
    import datasets

    *config, split = config_and_split
    builder = datasets.load_dataset_builder(name, *config)
    if hasattr(builder.config, "decode_num_threads"):
        builder.config.decode_num_threads = 0
    stream = builder.as_streaming_dataset(split=split)
    # Where it knows that something is audio it needs torchcodec, even to hand out a file's name.
    stream.info.features = None
    place = os.path.abspath(name) if os.path.isdir(name) else f"hf://datasets/{name}"
    return Stream(stream, part=part, parts=parts, place=place, **how)


def _decoded(value: Any, place: str | None) -> tuple[np.ndarray, int]:
    """Samples and rate of an "audio" value: a file's bytes or path, or an array."""
    if isinstance(value, str):
        value = {"path": value}
    if isinstance(value, Mapping) and value.get("array") is not None:
        return np.asarray(value["array"], dtype=np.float32), int(value["sampling_rate"])
    if isinstance(value, Mapping) and (value.get("bytes") or value.get("path")):
        data = value.get("bytes") or _content(value["path"], place)
        clip, rate = audio.load(io.BytesIO(data))
        return clip.numpy(), rate
    raise ValueError("neither a file's bytes, nor its path, nor samples")


def _content(path: str, place: str | None) -> bytes:
    """The bytes of a file in the data set's place, or of one inside an archive there.

    Raises:
        ValueError: for a file elsewhere, which the data set has no business to name.
    """
    import fsspec

    *inside, outside = path.split("::")  # zip://a.wav::/data/train.zip
    if place is None or not _below(outside, place) or not all(map(_ARCHIVED.match, inside)):
        raise ValueError("names a file outside of its data set")
    with fsspec.open(path, "rb") as file:
        data: bytes = file.read(_LARGEST + 1)
    if len(data) > _LARGEST:
        raise ValueError(f"a file of more than {_LARGEST >> 20} MB")
    return data


def _below(path: str, place: str) -> bool:
    if "://" in place:
        return path.startswith((f"{place}@", f"{place}/")) and ".." not in path.split("/")
    return "://" not in path and Path(os.path.abspath(path)).is_relative_to(place)
