"""Judge codecs: real bit rates and every measure of quality, for each class of sound.

Chapter 14. `evaluate` gives a row for each clip and condition of one of our codecs beside Opus,
`measure` does so for any codecs (`minicodec.listening.codecs`); `means` condenses the rows, and
`table` writes them down. What is measured is in `minicodec.listening.measures`.
"""

import math
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean, median
from typing import Any

from torch import Tensor
from tqdm import tqdm

from minicodec.listening.codecs import AnyCodec, delay, through
from minicodec.listening.known_codecs import Ours
from minicodec.listening.measures import MEASURES, SPEECH_ONLY, chosen
from minicodec.listening.opus_codec import Opus
from minicodec.model.codec import Codec
from minicodec.sound import audio as audio_
from minicodec.sound.names import printable

Row = dict[str, Any]

_TITLES = {"kbps": "kbps", "khz": "kHz", "delay_ms": "delay ms",
           **{name: measure.title for name, measure in MEASURES.items()}}  # fmt: skip


def evaluate(
    codec: Codec,
    clips: Mapping[str, Sequence[Tensor | str | Path]],
    bandwidths: Sequence[float] | None = None,
    measures: Sequence[str] | None = None,
    *,
    opus: Sequence[int] = (),
    entropy: str = "none",
    seconds: float | None = None,
    progress: bool = False,
) -> list[Row]:
    """Run every clip through the codec at every bandwidth, and measure.

    Args:
        clips: as of `measure`, at the codec's rate and with its channels.
        bandwidths: in kbps; all of the codec's by default.
        measures: as of `measure`.
        opus: bit rates in kbps at which Opus is measured too.
        entropy: how the bitstream codes, which changes the kbps alone.
        seconds: take only the beginning of each clip.
        progress: show a bar.

    Returns:
        the rows of `measure`.

    Raises:
        ValueError: for no clips, an unknown bandwidth, or a measure or a tool that is missing.

    >>> import torch
    >>> from minicodec.model.config import CodecConfig
    >>> codec = Codec(CodecConfig(n_filters=2, dimension=8, bandwidths=(1.5,))).eval()
    >>> rows = evaluate(codec, {"noise": [torch.randn(1, 1, 24000)]}, measures=["si_sdr"])
    >>> [(row["condition"], round(row["kbps"], 1)) for row in rows]
    [('unnamed 1.5', 2.3)]
    """
    config = codec.config
    codecs: list[AnyCodec] = [*ours(codec, bandwidths, entropy)]
    codecs += [Opus(kbps, config.sample_rate, config.channels) for kbps in opus]
    return measure(
        codecs, clips, measures, sample_rate=config.sample_rate, channels=config.channels,
        seconds=seconds, progress=progress,
    )  # fmt: skip


def ours(
    codec: Codec, bandwidths: Sequence[float] | None = None, entropy: str = "none"
) -> list[Ours]:
    """One of our codecs at each of its bandwidths, or at those that are named, for `measure`."""
    rates = codec.config.bandwidths if bandwidths is None else bandwidths
    return [Ours(codec, bandwidth, entropy) for bandwidth in rates]


def measure(
    codecs: Sequence[AnyCodec],
    clips: Mapping[str, Sequence[Tensor | str | Path]],
    measures: Sequence[str] | None = None,
    *,
    sample_rate: int,
    channels: int = 1,
    seconds: float | None = None,
    progress: bool = False,
) -> list[Row]:
    """Run every clip through every codec, and measure what comes back beside the clip.

    Each clip is resampled to what the codec takes and back again, and compared at one rate.

    Args:
        clips: class of sound → clips, [1, channels, T] at `sample_rate`, or audio files. A file
            that cannot be read or converted is left out, with a warning.
        measures: names in `MEASURES`; all that are installed by default. Those for speech alone are
            taken in classes whose name has "speech" in it.
        sample_rate, channels: of the comparison.
        seconds: take only the beginning of each clip.
        progress: show a bar.

    Returns:
        a row for each clip and codec: "class", "clip", "condition" (the codec's name), "kbps",
        "khz" (the codec's own rate), "delay_ms" (see `codecs.delay`), the measures, and "note" if
        the codec has one. The kbps are real: all bytes that decode, over the clip's duration.

    Raises:
        ValueError: for no clips, codecs of one name, a codec that fails, or a measure that is
            missing.
    """
    if seconds is not None and not seconds > 0:
        raise ValueError(f"seconds is positive, not {seconds!r}.")
    names = chosen(measures)
    conditions = [codec.name for codec in codecs]
    if len(set(conditions)) < len(conditions):
        twice = next(name for name in conditions if conditions.count(name) > 1)
        raise ValueError(f"two codecs are called {twice!r}: give them names that differ.")
    rows, left_out = list[Row](), list[str]()
    listed = [(kind, *numbered) for kind, each in clips.items() for numbered in enumerate(each)]
    for kind, place, source in tqdm(listed, unit="clip", disable=not progress):
        try:
            clip = _clip(source, sample_rate, channels, seconds)
        except audio_.AudioFileError as error:
            left_out.append(str(error))
            continue
        name = str(place) if isinstance(source, Tensor) else printable(Path(source).name)
        wanted = [n for n in names if n not in SPEECH_ONLY or "speech" in kind.lower()]
        for codec in codecs:
            copy, size = through(codec, clip, sample_rate)
            row = {
                "class": printable(kind),
                "clip": name,
                "condition": printable(codec.name),
                "kbps": size * 8 * sample_rate / clip.shape[-1] / 1000,
                "khz": codec.sample_rate / 1000,
                "delay_ms": delay(copy, clip, sample_rate),
            }
            row |= {n: MEASURES[n](copy, clip, sample_rate) for n in wanted}
            note = getattr(codec, "note", "")
            rows.append(row | ({"note": printable(note)} if note else {}))
    for text in left_out:  # now, so that they do not stand in the middle of the bar
        warnings.warn(f"left out: {text}", stacklevel=2)
    if not rows:
        raise ValueError("there is not one clip to evaluate on.")
    return rows


def means(rows: Sequence[Row]) -> list[Row]:
    """Means over all clips, and over those of each class.

    A measure without a value for some clips (silence has no SI-SDR) is averaged over the others,
    and None if there is none. Of delays it is the median: one clip that repeats itself misleads.

    >>> rows = [{"class": "a", "clip": "0", "condition": "x", "kbps": 6.0, "si_sdr": s}
    ...         for s in (4.0, 5.0, math.nan)]
    >>> means(rows)[0]
    {'condition': 'x', 'class': 'all', 'clips': 3, 'kbps': 6.0, 'si_sdr': 4.5}
    """
    fields = [f for f in _TITLES if any(f in row for row in rows)]
    result = []
    for condition in dict.fromkeys(row["condition"] for row in rows):
        for kind in ["all", *sorted({row["class"] for row in rows})]:
            mine = [r for r in rows if r["condition"] == condition and kind in ("all", r["class"])]
            if not mine:
                continue
            row = {"condition": condition, "class": kind, "clips": len(mine)}
            for field in fields:
                if kind == "all" and field in SPEECH_ONLY:
                    continue
                values = [r[field] for r in mine if not math.isnan(r.get(field, math.nan))]
                mean = (median if field == "delay_ms" else fmean)(values) if values else None
                if any(field in r for r in mine):
                    row[field] = mean if mean is None or math.isinf(mean) else round(mean, 3)
            note = mine[0].get("note")
            result.append(row | ({"note": note} if note else {}))
    return result


def table(rows: Sequence[Row]) -> str:
    """Means as text, one block for each class, and below them what codecs note.

    Args:
        rows: of `evaluate`, or of `means`.

    >>> print(table([{"class": "a", "clip": "0", "condition": "x 6", "kbps": 6.02, "si_sdr": 4.0}]))
    a (1 clip)    kbps  SI-SDR dB
    x 6           6.02       4.00
    """
    condensed = means(rows) if rows and "clip" in rows[0] else list(rows)
    sizes = {row["class"]: row["clips"] for row in condensed}
    kinds = list(sizes)
    if len(kinds) == 2 and len(set(sizes.values())) == 1:  # one class, which is all there is
        kinds.remove("all")
    names = [row["condition"] for row in condensed]
    blocks = []
    for kind in kinds:
        mine = [row for row in condensed if row["class"] == kind]
        clips = f"{kind} ({mine[0]['clips']} clip{'s' * (mine[0]['clips'] > 1)})"
        width = max(len(clips) + 2, *(len(name) + 2 for name in names))
        fields = [f for f in _TITLES if any(row.get(f) is not None for row in mine)]
        widths = {field: max(len(_TITLES[field]), 6) for field in fields}
        lines = [f"{clips:{width}}" + "  ".join(f"{_TITLES[f]:>{widths[f]}}" for f in fields)]
        for row in mine:
            cells = [
                "–" if row.get(f) is None else format(row[f], "g" if f == "khz" else ".2f")
                for f in fields
            ]
            cells = [f"{cell:>{widths[f]}}" for f, cell in zip(fields, cells)]
            lines.append(f"{row['condition']:{width}}" + "  ".join(cells))
        blocks.append("\n".join(lines))
    notes = {f"{row['condition']}: {row['note']}." for row in condensed if "note" in row}
    return "\n\n".join([*blocks, *(["\n".join(sorted(notes))] if notes else [])])


def _clip(
    source: Tensor | str | Path, sample_rate: int, channels: int, seconds: float | None
) -> Tensor:
    if isinstance(source, Tensor):
        audio_.check(source, channels)
        return source[..., : None if seconds is None else max(1, round(seconds * sample_rate))]
    return audio_.load(source, sample_rate, channels, seconds)[0][None]
