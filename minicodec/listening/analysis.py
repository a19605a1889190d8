"""Ratings to results: who listened carefully, what each condition got, and how sure that is.

Chapter 14. Screening as in Recommendation ITU-R BS.1534-3, section 4.1.2.
"""

import html
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean, stdev
from typing import TYPE_CHECKING, NamedTuple

from minicodec.listening.mushra import ANCHORS, REFERENCE
from minicodec.listening.returned import Returned, tables
from minicodec.sound.names import printable

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Names that others use: those of webMUSHRA's results.
_COLUMNS = {"trial_id": "item", "rating_stimulus": "condition", "rating_score": "rating"}
_NAMES = {"anchor35": "anchor 3.5 kHz", "anchor70": "anchor 7 kHz"}
_LISTENERS = ("listener", "session_uuid")
_LOW, _TOO_OFTEN, _NOT_THE_LISTENERS = 90, 0.15, 0.25


class Rating(NamedTuple):
    """One number that one listener gave."""

    listener: str
    item: str
    condition: str
    rating: float


class Score(NamedTuple):
    """What a condition got: a mean, and the interval that holds the true one in 95 of 100 tests."""

    condition: str
    mean: float
    low: float
    high: float
    listeners: int


class Analysis(NamedTuple):
    """The result of a test; shows itself as a table."""

    ratings: list[Rating]  #: of the listeners who are kept
    excluded: dict[str, str]  #: listener → why
    scores: list[Score]  #: best first

    def of(self, item: str) -> list[Score]:
        """The scores of one sound alone.

        Raises:
            ValueError: for a sound that nobody rated.
        """
        found = [rating for rating in self.ratings if rating.item == item]
        if not found:
            known = ", ".join(sorted({rating.item for rating in self.ratings}))
            raise ValueError(f"nobody rated {item!r}; there are {known}.")
        return scores_of(found)

    def plot(self, ax: "Axes | None" = None) -> "Axes":
        """Means as points, intervals as lines; the reference and the anchors in grey."""
        # Here, for whoever only listens need not wait for a library that draws.
        import matplotlib.pyplot as plt

        from minicodec.sound.plotting import COLORS, as_text

        if ax is None:
            ax = plt.subplots(figsize=(7, 0.6 + 0.36 * len(self.scores)))[1]
        for place, score in enumerate(reversed(self.scores)):
            color = "#7a7a7a" if score.condition in (REFERENCE, *ANCHORS) else COLORS[0]
            ax.plot([score.low, score.high], [place, place], color=color, linewidth=2)
            ax.plot(score.mean, place, "o", color=color)
        names = [as_text(printable(score.condition)) for score in reversed(self.scores)]
        ax.set_yticks(range(len(self.scores)), names)
        ax.set(xlim=(0, 100), xlabel="rating: mean and 95 % interval")
        ax.set_xticks(range(0, 101, 20))
        return ax

    def __str__(self) -> str:
        names = [printable(score.condition) for score in self.scores]
        width = max(map(len, names))
        lines = [f"{'condition':{width}}   mean   95 % interval   listeners"]
        for name, s in zip(names, self.scores):
            interval = f"{s.low:5.1f} to {s.high:5.1f}" if s.low == s.low else "needs two or more"
            lines.append(f"{name:{width}}  {s.mean:5.1f}  {interval:>14}  {s.listeners:9}")
        lines += [f"left out: {printable(name)}, who {why}" for name, why in self.excluded.items()]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(str(self))}</pre>"


def analyse(results: Returned | Iterable[Returned]) -> Analysis:
    """Screen the listeners, then give means and 95 % intervals.

    A listener is left out who rates the hidden reference below 90 on more than 15 % of the sounds,
    or the 7 kHz anchor above 90 on more than 15 %: who does not hear that 7 kHz is not everything
    cannot judge finer things. Where more than a quarter of all listeners rate the anchor above 90,
    that sound has little above 7 kHz, and it does not count against anyone.

    What is averaged first are each listener's own ratings of a condition, over all sounds. Those
    means are independent of each other, and the interval is Student's t over them. (Ratings of one
    person are not independent: to count each as a witness would make intervals too narrow.)

    Args:
        results: CSV files from `mushra` or webMUSHRA, as names, uploads or pasted text, or rows
            with the columns listener, item, condition and rating. A listener with several sessions
            counts once.

    Raises:
        ValueError: for a file that is not such a table, a rating outside 0 to 100, no hidden
            reference, or nobody left; it names the file and the line.

    >>> rows = [dict(listener=who, item="a", condition=c, rating=r)
    ...         for who, shift in (("x", 0), ("y", 5)) for c, r in (("reference", 95), ("mp3", 60 + shift))]
    >>> analyse(rows).scores[1]
    Score(condition='mp3', mean=62.5, low=30.7..., high=94.2..., listeners=2)
    """  # noqa: E501
    ratings = read_ratings(results)
    if not any(rating.condition == REFERENCE for rating in ratings):
        raise ValueError(f"no row has the condition {REFERENCE!r}, so nobody can be screened.")
    excluded = screen(ratings)
    kept = [rating for rating in ratings if rating.listener not in excluded]
    if not kept:
        raise ValueError(f"all {len(excluded)} listeners were screened out: nothing is left.")
    return Analysis(kept, excluded, scores_of(kept))


def screen(ratings: Sequence[Rating]) -> dict[str, str]:
    """Listeners to leave out, and why: BS.1534-3, section 4.1.2."""
    mid = "anchor 7 kHz"
    by_item = defaultdict(list)
    for rating in ratings:
        if rating.condition == mid:
            by_item[rating.item].append(rating.rating > _LOW)
    dull = {item for item, high in by_item.items() if fmean(high) > _NOT_THE_LISTENERS}
    by_listener = defaultdict(list)
    for rating in ratings:
        by_listener[rating.listener].append(rating)
    excluded = {}
    for listener, own in by_listener.items():
        hidden = [r.rating < _LOW for r in own if r.condition == REFERENCE]
        anchor = [r.rating > _LOW for r in own if r.condition == mid and r.item not in dull]
        if not hidden:
            excluded[listener] = "never rated the hidden reference"
        elif fmean(hidden) > _TOO_OFTEN:
            excluded[listener] = (
                f"rated the hidden reference below {_LOW} on {sum(hidden)} of {len(hidden)} sounds"
            )
        elif anchor and fmean(anchor) > _TOO_OFTEN:
            excluded[listener] = (
                f"rated the 7 kHz anchor above {_LOW} on {sum(anchor)} of {len(anchor)} sounds"
            )
    return excluded


def scores_of(ratings: Sequence[Rating]) -> list[Score]:
    """Mean and 95 % interval of every condition, best first."""
    scores = []
    for condition, own in means_of_listeners(ratings).items():
        means = list(own.values())
        mean, n = fmean(means), len(means)
        half = t_quantile(n - 1) * stdev(means) / math.sqrt(n) if n > 1 else math.nan
        scores.append(Score(condition, mean, mean - half, mean + half, n))
    return sorted(scores, key=lambda score: -score.mean)


def means_of_listeners(ratings: Iterable[Rating]) -> dict[str, dict[str, float]]:
    """Condition → listener → the mean of their own ratings of it, over all sounds.

    >>> means_of_listeners([Rating("x", "a", "mp3", 60), Rating("x", "b", "mp3", 70)])
    {'mp3': {'x': 65.0}}
    """
    own: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for rating in ratings:
        own[rating.condition][rating.listener].append(rating.rating)
    return {c: {who: fmean(values) for who, values in each.items()} for c, each in own.items()}


def t_quantile(df: int, level: float = 0.95) -> float:
    """How many standard errors an interval reaches to each side, with `df` degrees of freedom.

    Student's t: its probability within ±t is a finite sum for whole degrees of freedom (Abramowitz
    and Stegun, 26.7.3 and 26.7.4), which bisection inverts.

    >>> round(t_quantile(9), 3), round(t_quantile(1000), 3)
    (2.262, 1.962)
    """
    low, high = 0.0, math.pi / 2  # of the angle whose tangent is t / √df
    for _ in range(60):
        angle = (low + high) / 2
        low, high = (angle, high) if _within(angle, df) < level else (low, angle)
    return math.sqrt(df) * math.tan(low)


def t_p_value(mean: float, error: float, df: int) -> float:
    """Chance that |t| is as large as this or larger where the true mean is 0: two-sided.

    Args:
        mean, error: and its standard error.

    >>> f"{t_p_value(2.262, 1, 9):.3f}"
    '0.050'
    """
    if mean == 0:
        return 1.0
    return max(0.0, 1 - _within(math.atan2(abs(mean), error * math.sqrt(df)), df))


def _within(angle: float, df: int) -> float:
    cos, term, total = math.cos(angle), 1.0, 0.0
    if df % 2:
        term = cos
        for k in range(1, df - 1, 2):
            total += term
            term *= cos * cos * (k + 1) / (k + 2)
        return (angle + math.sin(angle) * total) * 2 / math.pi
    for k in range(0, df - 1, 2):
        total += term
        term *= cos * cos * (k + 1) / (k + 2)
    return math.sin(angle) * total


def read_ratings(results: Returned | Iterable[Returned]) -> list[Rating]:
    """One rating for each listener, sound and condition, of everybody; `analyse` says of what.

    Raises:
        ValueError: for what is no table of ratings, or has none.
    """
    ratings = [rating for name, rows in tables(results) for rating in _ratings(name, rows)]
    if not ratings:
        raise ValueError("there is not one rating in the results.")
    return _once(ratings)


def _once(ratings: list[Rating]) -> list[Rating]:
    """One rating for each listener, sound and condition: the mean of repeated ones."""
    repeated = defaultdict(list)
    for rating in ratings:
        repeated[rating[:3]].append(rating.rating)
    return [Rating(*key, fmean(values)) for key, values in repeated.items()]


def _ratings(name: str, rows: Sequence[Mapping[str, object]]) -> list[Rating]:
    ratings = []
    for number, raw in enumerate(rows, 1):
        row = {
            _COLUMNS.get(key, key): _text(value) if key in _COLUMNS else value
            for key, value in raw.items()
        }
        who = next((row[key] for key in _LISTENERS if row.get(key)), None)
        missing = [key for key in ("item", "condition", "rating") if row.get(key) in (None, "")]
        if who is None or missing:
            wanted = ", ".join(["listener"] * (who is None) + missing)
            raise ValueError(f"{name}, row {number}: no {wanted}.")
        try:
            rating = float(str(row["rating"]))
        except ValueError:
            rating = math.nan
        if not 0 <= rating <= 100:
            raise ValueError(
                f"{name}, row {number}: a rating is from 0 to 100, not {row['rating']!r}."
            )
        condition = str(row["condition"])
        condition = _NAMES.get(condition, condition)
        ratings.append(Rating(str(who), str(row["item"]), condition, rating))
    return ratings


def _text(value: object) -> object:
    """What webMUSHRA has as HTML."""
    return html.unescape(value) if isinstance(value, str) else value
