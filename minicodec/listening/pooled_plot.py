"""Support: the picture of a class's test, with every listener in it."""

from typing import TYPE_CHECKING

from minicodec.listening.abx import abx_p_value
from minicodec.listening.analysis import Analysis, means_of_listeners
from minicodec.listening.pooled import Heard, Pooled, Rated
from minicodec.sound.names import printable

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_PALE = 0.35


def plotted(pooled: Pooled) -> "Figure":
    """One panel for each test, one below the other."""
    import matplotlib.pyplot as plt

    from minicodec.sound.plotting import as_text

    heights = [0.9 + 0.36 * _lines(test) for test in pooled.tests]
    figure, panels = plt.subplots(
        len(pooled.tests),
        figsize=(7, sum(heights)),
        height_ratios=heights,
        squeeze=False,
        layout="constrained",
    )
    for ax, test in zip(panels[:, 0], pooled.tests):
        ax.set_title(as_text(printable(test.title)), loc="left")
        if isinstance(test, Rated):
            _ratings(ax, test.analysis)
        else:
            _trials(ax, test)
    return figure


def _lines(test: Rated | Heard) -> int:
    if isinstance(test, Rated):
        return len(test.analysis.scores) if test.analysis else 1
    return len(test.results)


def _ratings(ax: "Axes", analysis: Analysis | None) -> None:
    if analysis is None:
        ax.set_axis_off()
        return
    from minicodec.sound.plotting import COLORS

    places = {score.condition: i for i, score in enumerate(reversed(analysis.scores))}
    for condition, means in means_of_listeners(analysis.ratings).items():
        for mean in means.values():
            # Below the line of the mean, so that neither hides the other.
            ax.plot(mean, places[condition] - 0.22, ".", color=COLORS[0], alpha=_PALE)
    analysis.plot(ax)
    ax.set_xlabel("rating: each listener, mean and 95 % interval")


def _trials(ax: "Axes", test: Heard) -> None:
    if not test.results:
        ax.set_axis_off()
        return
    from minicodec.sound.plotting import COLORS, as_text

    ordered = sorted(test.results.items(), key=lambda pair: pair[1].correct)
    trials = ordered[0][1].trials
    for place, (_, result) in enumerate(ordered):
        ax.plot(result.correct, place, "o", color=COLORS[0])
    ax.axvline(trials / 2, color="#7a7a7a", linestyle=":", label="who only guesses, on average")
    needed = [k for k in range(trials + 1) if abx_p_value(k, trials) <= 0.05]
    if needed:
        ax.axvline(needed[0], color=COLORS[1], label=f"{needed[0]}: p of one listener below 0.05")
    ax.set_yticks(range(len(ordered)), [as_text(printable(who)) for who, _ in ordered])
    ax.set(xlim=(-0.3, trials + 0.3), xlabel=f"right answers of {trials}")
    ax.legend(loc="lower right", fontsize=8)
