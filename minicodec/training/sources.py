"""Support: where sound comes from, and how a source is named on the command line.

All sources have a method `crop(random, length)`, which draws a piece of sound as a codec wants it.
Only `random` decides which piece, so the same draw gives the same sound again: that is what makes a
run that was killed go on as if nothing had happened.
"""

import importlib
import math
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any, NamedTuple, Protocol

from torch import Tensor

from minicodec.sound.installs import remedy
from minicodec.training.config import TrainConfig
from minicodec.training.folder import Folder
from minicodec.training.published import Clips, open_stream


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

    def recordings(self) -> Iterator[Tensor]:
        """All that can be used, once and whole, [C, T] each; mixed where their order is known."""
        ...


class Weighted(NamedTuple):
    """A source, how often it is drawn from, and whether it is music."""

    source: Source
    weight: float
    music: bool = False


def open_source(
    text: str, config: TrainConfig, music: bool = False, rank: int = 0, world: int = 1
) -> Weighted:
    """A source as the command line names it.

    - `recordings/speech` a folder; its weight is its length in seconds
    - `recordings/speech=0.5` the same, with a weight of its own
    - `hf:owner/name:split` or `hf:owner/name:config:split` a Hugging Face data set, streamed
    - `torchaudio:LIBRISPEECH:folder` a data set of torchaudio, downloaded to the folder

    A source of unknown length weighs as much as an hour.

    Raises:
        ValueError: if there is no such source, or it needs a package that is missing.
    """
    name, weight = _name_and_weight(text)
    codec = config.codec
    kind, *rest = name.split(":")
    source: Source
    if kind == "hf" and len(rest) in (2, 3):
        _imported("datasets")
        with _refusals_of(name):
            source = open_stream(*rest, part=rank, parts=world, sample_rate=codec.sample_rate,
                                 channels=codec.channels, shortest=config.seconds)  # fmt: skip
    elif kind == "torchaudio" and len(rest) == 2:
        known = _imported("torchaudio").datasets
        if not hasattr(known, rest[0]):
            raise ValueError(f"torchaudio has no data set {rest[0]!r}.")
        with _refusals_of(name):
            dataset = getattr(known, rest[0])(rest[1], download=True)
        source = Clips(dataset, codec.sample_rate, codec.channels, config.seconds)
    elif kind in ("hf", "torchaudio"):
        raise ValueError(f"{name}: use hf:owner/name:split or torchaudio:CLASS:folder.")
    else:
        source = Folder(name, codec.sample_rate, codec.channels, config.seconds)
    return Weighted(source, weight if weight is not None else source.seconds or 3600.0, music)


def check_source(text: str) -> None:
    """Refuse a source that is no folder, before any recording is read.

    Raises:
        ValueError: in one sentence.
    """
    name, weight = _name_and_weight(text)
    if name.split(":")[0] not in ("hf", "torchaudio") and not Path(name).is_dir():
        raise ValueError(f"{name} is not a folder of recordings.")
    if weight is not None and not 0 < weight < math.inf:
        raise ValueError(f"the weight of {name} is a number above 0, not {weight}.")


def _name_and_weight(text: str) -> tuple[str, float | None]:
    name, _, weight = text.rpartition("=") if "=" in text else (text, "", "")
    try:
        return name, float(weight) if weight else None
    except ValueError:
        return text, None  # an = in the folder's own name


@contextmanager
def _refusals_of(name: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # each library has its own for names, networks and disks
        said = (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
        raise ValueError(f"{name} cannot be opened: {said}.") from error


def _imported(package: str) -> Any:
    try:
        return importlib.import_module(package)
    except (ImportError, OSError) as error:
        asked = remedy(package)
        raise ValueError(f"this source needs the package {package}: {asked} ({error}).") from error
