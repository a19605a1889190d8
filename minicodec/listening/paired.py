"""Support: differences between conditions, each listener compared with themselves.

Some listeners rate high and some low, which widens the interval of each condition's mean and not
that of a difference within one listener. Many pairs are many chances to be fooled, so each p is
also given by Holm's rule (chapter 14).
"""

import math
from collections.abc import Sequence
from itertools import combinations
from statistics import fmean, stdev
from typing import NamedTuple

from minicodec.listening.analysis import Rating, means_of_listeners, t_p_value, t_quantile
from minicodec.listening.mushra import ANCHORS


class Difference(NamedTuple):
    """How much higher one condition is rated than another, by the same listeners."""

    higher: str
    lower: str
    mean: float
    low: float  #: of the 95 % interval
    high: float
    p: float  #: two-sided, of this pair alone
    holm: float  #: of this pair among all
    listeners: int


def differences(ratings: Sequence[Rating]) -> list[Difference]:
    """All pairs of conditions but the anchors, the largest difference first.

    Averaged first are each listener's own ratings, over the sounds; the interval is Student's t
    over the listeners' differences.

    Raises:
        ValueError: for fewer than two listeners.

    >>> given = [("x", 90, 60), ("y", 80, 55), ("z", 95, 60)]
    >>> found = differences([Rating(who, "a", c, float(r))
    ...                      for who, a, b in given for c, r in (("6", a), ("3", b))])
    >>> [f"{d.higher} over {d.lower}: {d.mean:.0f}, {d.low:.1f} to {d.high:.1f}" for d in found]
    ['6 over 3: 30, 17.6 to 42.4']
    """
    means = means_of_listeners(rating for rating in ratings if rating.condition not in ANCHORS)
    found = []
    for first, second in combinations(means, 2):
        both = [who for who in means[first] if who in means[second]]
        if len(both) < 2:
            raise ValueError(
                f"a difference needs two listeners or more who rated both {first!r} and {second!r}."
            )
        gains = [means[first][who] - means[second][who] for who in both]
        mean = fmean(gains)
        if mean < 0:
            first, second, gains, mean = second, first, [-gain for gain in gains], -mean
        df, error = len(both) - 1, stdev(gains) / math.sqrt(len(both))
        half = t_quantile(df) * error
        p = t_p_value(mean, error, df)
        found.append(
            Difference(first, second, mean, mean - half, mean + half, p, math.nan, len(both))
        )
    adjusted = holm([each.p for each in found])
    found = [each._replace(holm=p) for each, p in zip(found, adjusted)]
    return sorted(found, key=lambda each: -each.mean)


def holm(ps: Sequence[float]) -> list[float]:
    """Each p among all of them: below 0.05 where Holm's rule lets it stand at that level.

    The smallest is multiplied by their number, the next by one less, and so on; none is smaller
    than one that comes before it.

    >>> [round(p, 3) for p in holm([0.01, 0.04, 0.03])]
    [0.03, 0.06, 0.06]
    """
    adjusted, largest = [0.0] * len(ps), 0.0
    for rank, index in enumerate(sorted(range(len(ps)), key=lambda i: ps[i])):
        largest = max(largest, min(1.0, (len(ps) - rank) * ps[index]))
        adjusted[index] = largest
    return adjusted
