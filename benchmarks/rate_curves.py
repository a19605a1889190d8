"""Support of `benchmarks/rate_distortion.py`: what its rows say of one codec beside another.

Three questions, each with an interval that 95 of 100 draws of as many clips, with repetition, give
(the bootstrap, Efron 1979, with percentiles; the draws are the same in every run):

- **means** of each measure over the clips of a class;
- **differences** at equal real kbps, clip by clip: what Opus has at the rate of our file is read
  off a line between the two rates of Opus around it, over the logarithm of the rate. A file that
  is smaller or larger than all that Opus makes of that clip has no counterpart, and is not counted;
- **BD-rate** (Bjøntegaard, VCEG-M33, 2001): how many per cent fewer or more bits are needed for the
  same quality, and how much more quality there is for the same bits, on average over what both
  curves of means have in common. Between points goes a monotone piecewise cubic (PCHIP), as in the
  later VCEG-AI11, which does not swing as one cubic through all points does.

Where more bits buy less, as they do between two of Opus's modes, a curve has no single rate for a
quality. It then leads from each point to the next that is better: nobody would pay for the others.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.interpolate import PchipInterpolator

from minicodec.listening.measures import MEASURES

Row = dict[str, Any]
Interval = tuple[float, float, float]  # a value, and from where to where 95 of 100 draws lie

DRAWS = 1000
#: Of Opus's two ways to count, which one is in a row as what.
AGAINST = {"packets": "kbps", "file": "kbps_file"}
_RATES = ("kbps", "kbps_none", "kbps_histogram", "kbps_lm", "kbps_file")
_FEWEST = 0.95  # of all draws, with an overlap: of a sliver that comes and goes there is no number


class Clips:
    """Rows as arrays: a value for each clip, in one order for all conditions.

    Args:
        rows: of one class, or of all; "clip", "condition", rates and measures; every clip has every
            condition.

    Raises:
        ValueError: if a clip lacks a condition.
    """

    def __init__(self, rows: Sequence[Row]):
        self.names = list(dict.fromkeys(row["clip"] for row in rows))
        self.conditions = list(dict.fromkeys(row["condition"] for row in rows))
        self._rows = {(row["condition"], row["clip"]): row for row in rows}
        for condition in self.conditions:
            for name in self.names:
                if (condition, name) not in self._rows:
                    raise ValueError(f"{name} was not measured with {condition}.")
        chance = np.random.default_rng(0)
        self.draws = chance.integers(0, len(self.names), (DRAWS, len(self.names)))

    def has(self, condition: str, field: str) -> bool:
        return any(self._rows[condition, name].get(field) is not None for name in self.names)

    def values(self, condition: str, field: str) -> np.ndarray:
        """[clips], NaN where there is none."""
        found = [self._rows[condition, name].get(field) for name in self.names]
        return np.array([np.nan if value is None else value for value in found])

    def curve(self, conditions: Sequence[str], field: str) -> np.ndarray:
        """[1 + draws, conditions]: means over the clips, then over each draw of them."""
        each = np.stack([self.values(condition, field) for condition in conditions], -1)
        return np.concatenate([np.nanmean(each, 0)[None], np.nanmean(each[self.draws], 1)])


def summary(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """What follows from the rows: "means", "differences" and "bd", over all clips and by class.

    Args:
        rows: of `rate_distortion.of_clip`.
    """
    found: dict[str, list[Row]] = {"means": [], "differences": [], "bd": []}
    for kind in ["all", *dict.fromkeys(row["class"] for row in rows)]:
        mine = [row for row in rows if kind in ("all", row["class"])]
        clips = Clips(mine)
        # A mean over all is one over all: what is measured of speech alone has none.
        measures = [m for m in MEASURES if all(m in row for row in mine)]
        head = {"class": kind, "clips": len(clips.names)}
        found["means"] += [
            {"condition": c, **head} | means(clips, c, measures) for c in clips.conditions
        ]
        rivals = [c for c in clips.conditions if clips.has(c, "kbps_file")]
        for codec, own in contenders(clips).items():
            for field in (f for f in _RATES[:-1] if clips.has(own[0], f)):
                which = {"codec": codec, "entropy": field.removeprefix("kbps").lstrip("_"), **head}
                found["differences"] += [
                    {"condition": c, **which} | differences(clips, c, field, rivals, measures)
                    for c in own
                ]
                # Whole files are compared as they ship; packets in every way.
                for against in AGAINST if field == "kbps_lm" else ("packets",):
                    found["bd"] += [
                        {**which, "against": against, "measure": measure}
                        | compared(clips, own, field, rivals, AGAINST[against], measure)
                        for measure in measures
                    ]
    return found


def contenders(clips: Clips) -> dict[str, list[str]]:
    """Codec → its conditions: what is compared with Opus, ours and, if measured, the official."""
    found: dict[str, list[str]] = {}
    for condition in clips.conditions:
        if clips.has(condition, "kbps_none") or condition.startswith("official "):
            found.setdefault(condition.rpartition(" ")[0], []).append(condition)
    return found


def means(clips: Clips, condition: str, measures: Sequence[str]) -> dict[str, Interval]:
    """Rates and measures of one condition, each with its interval."""
    fields = [field for field in (*_RATES, *measures) if clips.has(condition, field)]
    return {field: interval(clips.curve([condition], field)[:, 0]) for field in fields}


def differences(
    clips: Clips, condition: str, field: str, rivals: Sequence[str], measures: Sequence[str]
) -> Row:
    """One condition less the rivals at the same kbps: see above.

    Args:
        field: which of the condition's rates counts.

    Returns:
        "kbps", how many clips are "inside" the rivals' range of rates, "below" and "above", and
        for each measure an interval over those inside, or None where they are less than half.
    """
    rates = clips.values(condition, field)
    theirs = np.stack([clips.values(rival, "kbps") for rival in rivals], -1)
    inside = (rates >= theirs.min(-1)) & (rates <= theirs.max(-1))
    row: Row = {"kbps": round(float(rates.mean()), 4), "inside": int(inside.sum()),
                "below": int((rates < theirs.min(-1)).sum()),
                "above": int((rates > theirs.max(-1)).sum())}  # fmt: skip
    for measure in measures:
        row[measure] = None
        if row["inside"] * 2 < len(rates):
            continue
        copies = np.stack([clips.values(rival, measure) for rival in rivals], -1)
        gaps = clips.values(condition, measure)[inside] - [
            at_rate(rate, *each)
            for rate, *each in zip(rates[inside], theirs[inside], copies[inside])
        ]
        draws = np.random.default_rng(0).integers(0, len(gaps), (DRAWS, len(gaps)))
        row[measure] = interval(np.array([np.nanmean(gaps), *np.nanmean(gaps[draws], 1)]))
    return row


def at_rate(rate: float, rates: np.ndarray, values: np.ndarray) -> float:
    """The value at a rate between others, on straight lines over the logarithm of the rate."""
    order = np.argsort(rates)
    return float(np.interp(np.log(rate), np.log(rates[order]), values[order]))


def compared(
    clips: Clips,
    own: Sequence[str],
    field: str,
    rivals: Sequence[str],
    rival_field: str,
    measure: str,
) -> Row:
    """BD-rate and its counterpart, of the curves of means.

    Returns:
        "overlap" of the quality, "rate" in per cent (below 0: we need fewer bits), "draws" that
        have an overlap; "kbps" that both have, and "quality", the mean difference there. None
        where there is no overlap, or where fewer than 95 % of the draws have one. "same" has for
        each condition its kbps and those of the rival with the same quality, "fewer" where even
        its worst is as good, "never" where none is.
    """
    sign = 1 if MEASURES[measure].better == "higher" else -1
    pairs = [
        (np.log10(clips.curve(names, rate)), sign * clips.curve(names, measure))
        for names, rate in ((own, field), (rivals, rival_field))
    ]
    draws = [[(rate[d], value[d]) for rate, value in pairs] for d in range(len(pairs[0][0]))]
    rates = [bd(*(front(*curve)[::-1] for curve in draw)) for draw in draws]
    gains = [bd(*(ordered(*curve) for curve in draw)) for draw in draws]
    row: Row = {"overlap": None, "rate": None, "kbps": None, "quality": None}
    row["same"] = {
        condition: [round(float(10**rate), 4), same(value, *front(*draws[0][1]))]
        for condition, rate, value in zip(own, *draws[0][0])
    }
    for key, edges, each in (("rate", "overlap", rates), ("quality", "kbps", gains)):
        known = np.array([draw for draw in each if draw is not None])
        if each[0] is None or len(known) - 1 < _FEWEST * DRAWS:
            continue
        if key == "rate":
            row[edges] = sorted(round(sign * float(edge), 4) for edge in known[0, 1:])
            row[key] = interval(100 * (10 ** known[:, 0] - 1))
        else:
            row[edges] = [round(float(10**edge), 4) for edge in known[0, 1:]]
            row[key] = interval(sign * known[:, 0])
    row["draws"] = round(float(np.mean([rate is not None for rate in rates[1:]])), 3)
    return row


def front(rates: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The points that are better than all cheaper ones, cheapest first."""
    rates, values = ordered(rates, values)
    best = np.maximum.accumulate(np.concatenate([[-np.inf], values[:-1]]))
    return rates[values > best], values[values > best]


def same(value: float, rates: np.ndarray, values: np.ndarray) -> float | str:
    """The kbps at which a front reaches a value, "fewer" than its first or "never"."""
    if value <= values[0] or value > values[-1]:
        return "fewer" if value <= values[0] else "never"
    return round(float(10 ** PchipInterpolator(values, rates)(value)), 4)


def ordered(rates: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The points by their rate."""
    order = np.argsort(rates)
    return rates[order], values[order]


def bd(
    ours: tuple[np.ndarray, np.ndarray], theirs: tuple[np.ndarray, np.ndarray]
) -> tuple[float, float, float] | None:
    """How far one curve lies above another on average, and from where to where both go.

    Args:
        ours, theirs: x, rising, and y.

    Returns:
        None where they have no stretch of x in common, or one of them is a point.

    >>> bd((np.array([0, 1]), np.array([3, 4])), (np.array([0.5, 2]), np.array([1.5, 3])))
    (2.0, 0.5, 1.0)
    """
    low, high = max(ours[0][0], theirs[0][0]), min(ours[0][-1], theirs[0][-1])
    if not low < high or min(len(ours[0]), len(theirs[0])) < 2:
        return None
    areas = [float(PchipInterpolator(x, y).integrate(low, high)) for x, y in (ours, theirs)]
    return (areas[0] - areas[1]) / float(high - low), float(low), float(high)


def interval(values: np.ndarray) -> Interval:
    """Of [1 + draws]: the first, and the 2.5th and 97.5th percentile of the others."""
    low, high = np.percentile(values[1:], [2.5, 97.5])
    return round(float(values[0]), 4), round(float(low), 4), round(float(high), 4)
