"""Judge a codec: real bit rates and every measure of quality, for each class of sound, beside Opus.

Chapter 14. `evaluate` gives a row for each clip and condition, `means` condenses them, and `table`
writes them down. The measures are those of `minicodec.metrics` and `minicodec.sound.judges`.
"""

import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from statistics import fmean
from typing import Any

from torch import Tensor
from tqdm import tqdm

from minicodec.bits.bitstream import compress, decompress
from minicodec.listening.opus_codec import need_opus_tools, through_opus
from minicodec.model.codec import Codec
from minicodec.sound import audio as audio_
from minicodec.sound import judges
from minicodec.sound.metrics import mel_distance, si_sdr
from minicodec.sound.names import printable

Row = dict[str, Any]

#: Measures by the name they have in rows. Those in SPEECH_ONLY mean something for speech alone.
MEASURES: dict[str, Callable[[Tensor, Tensor, int], float]] = {
    "si_sdr": lambda x, y, rate: float(si_sdr(x, y)),
    "mel_distance": lambda x, y, rate: float(mel_distance(x, y, rate)),
    "visqol": judges.visqol,
    "visqol_speech": lambda x, y, rate: judges.visqol(x, y, rate, "speech"),
    "pesq": judges.pesq,
    "stoi": judges.stoi,
}
SPEECH_ONLY = ("visqol_speech", "pesq", "stoi")
_TITLES = {"kbps": "kbps", "si_sdr": "SI-SDR dB", "mel_distance": "mel dist. dB",
           "visqol": "ViSQOL", "visqol_speech": "ViSQOL sp.", "pesq": "PESQ-wb",
           "stoi": "STOI"}  # fmt: skip


def installed() -> list[str]:
    """The measures that can be taken here."""
    return [name for name in MEASURES if not judges.missing(name)]


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
        clips: class of sound → clips, [1, C, T] at the codec's rate, or audio files. A file that
            cannot be read or converted is left out, with a warning.
        bandwidths: in kbps; all of the codec's by default.
        measures: names in `MEASURES`; all that are installed by default. Those for speech alone are
            taken in classes whose name has "speech" in it.
        opus: bit rates in kbps at which Opus is measured too.
        entropy: how the bitstream codes, which changes the kbps alone.
        seconds: take only the beginning of each clip.
        progress: show a bar.

    Returns:
        a row for each clip and condition: "class", "clip", "condition", "kbps", and the measures.
        The kbps are real: all bytes of `compress`, over the clip's duration; for Opus its packets.

    Raises:
        ValueError: for no clips, an unknown bandwidth, or a measure or a tool that is missing.

    >>> import torch
    >>> from minicodec.model.config import CodecConfig
    >>> codec = Codec(CodecConfig(n_filters=2, dimension=8, bandwidths=(1.5,))).eval()
    >>> rows = evaluate(codec, {"noise": [torch.randn(1, 1, 24000)]}, measures=["si_sdr"])
    >>> [(row["condition"], round(row["kbps"], 1)) for row in rows]
    [('unnamed 1.5', 2.3)]
    """
    if seconds is not None and not seconds > 0:
        raise ValueError(f"seconds is positive, not {seconds!r}.")
    names = installed() if measures is None else list(measures)
    for name in names:
        if name not in MEASURES:
            raise ValueError(f"there is no measure {name!r}; there are {', '.join(MEASURES)}.")
        judges.need(name)
    config = codec.config
    conditions: dict[str, Callable[[Tensor], tuple[Tensor, int]]] = {}
    for bandwidth in config.bandwidths if bandwidths is None else bandwidths:
        config.n_q(bandwidth)  # refuses one that the codec does not have
        conditions[f"{codec.name} {bandwidth:g}"] = _ours(codec, bandwidth, entropy)
    if opus:
        need_opus_tools()
    for bitrate in opus:
        conditions[f"opus {bitrate:g}"] = partial(
            through_opus, kbps=bitrate, sample_rate=config.sample_rate
        )
    rows, left_out = list[Row](), list[str]()
    listed = [(kind, *numbered) for kind, each in clips.items() for numbered in enumerate(each)]
    for kind, place, source in tqdm(listed, unit="clip", disable=not progress):
        try:
            clip = _clip(source, codec, seconds)
        except audio_.AudioFileError as error:
            left_out.append(str(error))
            continue
        name = str(place) if isinstance(source, Tensor) else printable(Path(source).name)
        wanted = [n for n in names if n not in SPEECH_ONLY or "speech" in kind.lower()]
        for condition, run in conditions.items():
            copy, size = run(clip)
            kbps = size * 8 * config.sample_rate / clip.shape[-1] / 1000
            row = {"class": printable(kind), "clip": name, "condition": condition, "kbps": kbps}
            rows.append(row | {n: MEASURES[n](copy, clip, config.sample_rate) for n in wanted})
    for text in left_out:  # now, so that they do not stand in the middle of the bar
        warnings.warn(f"left out: {text}", stacklevel=2)
    if not rows:
        raise ValueError("there is not one clip to evaluate on.")
    return rows


def means(rows: Sequence[Row]) -> list[Row]:
    """Means over all clips, and over those of each class.

    A measure without a value for some clips (silence has no SI-SDR) is averaged over the others,
    and None if there is none.

    >>> rows = [{"class": "a", "clip": "0", "condition": "x", "kbps": 6.0, "si_sdr": s}
    ...         for s in (4.0, 5.0, math.nan)]
    >>> means(rows)[0]
    {'condition': 'x', 'class': 'all', 'clips': 3, 'kbps': 6.0, 'si_sdr': 4.5}
    """
    fields = [f for f in ("kbps", *MEASURES) if any(f in row for row in rows)]
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
                mean = fmean(values) if values else None
                if any(field in r for r in mine):
                    row[field] = mean if mean is None or math.isinf(mean) else round(mean, 3)
            result.append(row)
    return result


def table(rows: Sequence[Row]) -> str:
    """Means as text, one block for each class.

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
            cells = [f"{'–' if row.get(f) is None else format(row[f], '.2f'):>{widths[f]}}"
                     for f in fields]  # fmt: skip
            lines.append(f"{row['condition']:{width}}" + "  ".join(cells))
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks)


def _ours(codec: Codec, bandwidth: float, entropy: str) -> Callable[[Tensor], tuple[Tensor, int]]:
    def run(clip: Tensor) -> tuple[Tensor, int]:
        data = compress(codec, clip, bandwidth, entropy)
        return decompress(data, codec).to(clip.device), len(data)

    return run


def _clip(source: Tensor | str | Path, codec: Codec, seconds: float | None) -> Tensor:
    config = codec.config
    if isinstance(source, Tensor):
        audio_.check(source, config.channels)
        end = None if seconds is None else max(1, round(seconds * config.sample_rate))
        return source[..., :end]
    return audio_.load(source, config.sample_rate, config.channels, seconds)[0][None]
