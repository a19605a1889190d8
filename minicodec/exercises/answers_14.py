"""Support: answers of chapter 14, right and wrong: chances, intervals, many questions at once."""

from collections.abc import Callable
from math import comb
from typing import Any

import torch
from torch import Generator, Tensor

from minicodec.exercises.trying import draw
from minicodec.listening import paired
from minicodec.listening.analysis import analyse, t_quantile


def binomial(first: int, trials: int, q: float = 0.5) -> float:
    """Chance of `first` or more right answers, where each is right with chance q."""
    return sum(comb(trials, i) * q**i * (1 - q) ** (trials - i) for i in range(first, trials + 1))


def needed(trials: int, level: float) -> int:
    """The fewest right answers of a test that succeeds; one more than there are, if none does."""
    return next(k for k in range(trials + 2) if binomial(k, trials) <= level)


def power(q: float, trials: int, level: float = 0.05) -> float:
    """Chance that an ABX test finds a listener who is right with chance q."""
    return binomial(needed(trials, level), trials, q)


def interval(means: Tensor) -> tuple[float, float]:
    """The 95 % interval of a mean, from one number of each listener, [n]."""
    n = len(means)
    half = t_quantile(n - 1) * float(means.std()) / n**0.5
    return float(means.mean()) - half, float(means.mean()) + half


def around(half: Callable[[Tensor], float]) -> Callable[[Tensor], tuple[float, float]]:
    """An interval with another half."""
    return lambda means: (float(means.mean()) - half(means), float(means.mean()) + half(means))


def holm(ps: dict[str, float], level: float = 0.05) -> dict[str, bool]:
    """Which differences stand, among all that were asked for."""
    adjusted = paired.holm(list(ps.values()))
    return {name: p <= level for name, p in zip(ps, adjusted)}


def holm_without_an_end(ps: dict[str, float], level: float = 0.05) -> dict[str, bool]:
    """Goes on after the first failure."""
    order = sorted(ps, key=ps.__getitem__)
    return {name: ps[name] <= level / (len(ps) - place) for place, name in enumerate(order)}


def holm_from_the_largest(ps: dict[str, float], level: float = 0.05) -> dict[str, bool]:
    """Begins at the wrong end."""
    stands: dict[str, bool] = {}
    for place, name in enumerate(sorted(ps, key=ps.__getitem__, reverse=True)):
        stands[name] = ps[name] <= level / (len(ps) - place) and all(stands.values())
    return stands


def right_answers(generator: Generator) -> tuple[int, int]:
    """So many right, of so many trials."""
    trials = draw(generator, 8, 30)
    return draw(generator, trials // 2, trials - 2), trials


def listener(generator: Generator) -> tuple[float, int, float]:
    """A chance of being right, a number of trials, a level."""
    return 0.65 + 0.2 * float(torch.rand((), generator=generator)), draw(generator, 12, 40), 0.05


def means(generator: Generator) -> tuple[Tensor]:
    """One number of each listener, [n]."""
    numbers = torch.randn(draw(generator, 5, 12), generator=generator, dtype=torch.float64)
    return (60 + 8 * numbers,)


def questions(generator: Generator) -> tuple[dict[str, float]]:
    """Six p: one below Bonferroni's line, one below Holm's alone, then a failure before passes."""
    wavers = 1 + 0.04 * torch.rand(6, generator=generator)
    ps = (torch.tensor([0.004, 0.0092, 0.0131, 0.0142, 0.021, 0.2]) * wavers).tolist()
    order = torch.randperm(6, generator=generator).tolist()
    return ({"abcdef"[place]: ps[index] for place, index in enumerate(order)},)


GAP, HABIT, SOUNDS = 6.0, 8.0, 8


def ratings(listeners: int, waver: float, tests: int) -> tuple[Tensor, Tensor]:
    """Two codecs whose truth is 6 points apart, rated: [tests, listeners, sounds] of each."""
    habit = 60 + HABIT * torch.randn(tests, listeners, 1)
    shape = (tests, listeners, SOUNDS)
    return habit + waver * torch.randn(shape), habit + GAP + waver * torch.randn(shape)


def _found(gains: Tensor) -> float:
    """Share of tests whose interval leaves out zero; gains: [tests, witnesses]."""
    n = gains.shape[1]
    half = t_quantile(n - 1) * gains.std(1) / n**0.5
    return float((gains.mean(1).abs() > half).double().mean())


def found(listeners: int, waver: float, tests: int = 2000) -> float:
    """Share of tests that find the difference, subtracted within each listener."""
    low, high = ratings(listeners, waver, tests)
    return _found((high - low).mean(2))


def found_by_ratings(listeners: int, waver: float, tests: int = 2000) -> float:
    """Each rating a witness."""
    low, high = ratings(listeners, waver, tests)
    return _found((high - low).flatten(1))


def found_by_one_sound(listeners: int, waver: float, tests: int = 2000) -> float:
    """Each listener's rating of one sound."""
    low, high = ratings(listeners, waver, tests)
    return _found((high - low)[..., 0])


def found_by_gaps(listeners: int, waver: float, tests: int = 2000) -> float:
    """By whether the two intervals are apart."""
    low, high = (rated.mean(2) for rated in ratings(listeners, waver, tests))
    step = t_quantile(listeners - 1) / listeners**0.5
    return float(
        (high.mean(1) - step * high.std(1) > low.mean(1) + step * low.std(1)).double().mean()
    )


def shares(answer: Callable[..., Any], *_: object) -> Any:
    """What an answer finds in three tests of different size; the 1 is the measure of tolerance."""
    found_ = [float(answer(n, w)) for n, w in ((6, 9.0), (8, 18.0), (16, 18.0))]
    return torch.tensor([*found_, 1.0])


def mushra_table(reference: int = 100, items: int = 2) -> str:
    """Ratings as the player saves them. Made up."""
    values = {"reference": reference, "codec": 60, "anchor 7 kHz": 45, "anchor 3.5 kHz": 20}
    rows = ["listener,item,condition,rating"]
    rows += [f"me,sound {i},{name},{v}" for i in range(items) for name, v in values.items()]
    return "\n".join(rows) + "\n"


def mushra_judge(answer: Any) -> str:
    """What is wrong with a file of ratings; "" if it says something about two sounds at least."""
    try:
        ratings_ = analyse(answer).ratings
    except ValueError as error:
        if "no listener, item" in str(error):
            return "That is no table of ratings; the MUSHRA player saves one when it is done."
        if "screened out" in str(error):
            return (
                "The hidden reference got less than 90, or the 7 kHz anchor more: find the "
                "reference first, by switching to and fro."
            )
        return f"{str(error)[0].upper()}{str(error)[1:]}"
    if len({rating.item for rating in ratings_}) < 2:
        return "One sound only: rate both, speech and music."
    return ""


def mushra_told(answer: Any) -> str:
    """The mean of each condition."""
    scores = analyse(answer).scores
    return ", ".join(f"{score.condition} {score.mean:.0f}" for score in scores) + "."
