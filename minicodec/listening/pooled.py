"""Support: the result of a class's listening test, as text and as a picture."""

import html
from typing import TYPE_CHECKING, NamedTuple

from minicodec.listening import headphones
from minicodec.listening.abx import abx_p_value
from minicodec.listening.abx_result import AbxResult
from minicodec.listening.analysis import Analysis
from minicodec.listening.paired import Difference
from minicodec.sound.names import printable

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Rated(NamedTuple):
    """A MUSHRA test of the class."""

    title: str
    analysis: Analysis | None  #: None where nobody is left
    excluded: dict[str, str]  #: listener → why, of those who count elsewhere
    differences: list[Difference]

    def __str__(self) -> str:
        lines = []
        if self.analysis:
            lines += [str(self.analysis)]
        else:
            lines += ["Nobody is left."]
        if self.differences:
            pairs = [(printable(d.higher), printable(d.lower), d) for d in self.differences]
            names = [f"{high} over {low}" for high, low, _ in pairs]
            width = max(map(len, names))
            lines += ["", f"{'the same listeners':{width}}   mean   95 % interval   p by Holm"]
            lines += [
                f"{name:{width}}  {d.mean:5.1f}  {d.low:5.1f} to {d.high:5.1f}  {_p(d.holm):>10}"
                for name, (_, _, d) in zip(names, pairs)
            ]
        lines += [f"left out: {printable(name)}, who {why}" for name, why in self.excluded.items()]
        return "\n".join(lines)


class Heard(NamedTuple):
    """An ABX test of the class."""

    title: str
    results: dict[str, AbxResult]  #: by listener
    holm: dict[str, float]  #: each listener's p among all of them
    excluded: dict[str, str]

    @property
    def together(self) -> AbxResult | None:
        """All trials as one test; its p is the chance if every listener guessed."""
        if not self.results:
            return None
        correct = sum(result.correct for result in self.results.values())
        trials = sum(result.trials for result in self.results.values())
        return AbxResult(correct, trials, abx_p_value(correct, trials))

    def __str__(self) -> str:
        names = {who: printable(who) for who in self.results}
        width = max(map(len, [*names.values(), "all together"]))
        lines = [f"{'listener':{width}}  correct        p  p by Holm"]
        lines += [
            f"{names[who]:{width}}  {r.correct:2} of {r.trials:<2}  {_p(r.p):>7}  "
            f"{_p(self.holm[who]):>9}"
            for who, r in sorted(self.results.items(), key=lambda pair: -pair[1].correct)
        ]
        if self.together:
            lines.append(f"all together: {self.together}, if everybody guessed")
        lines += [f"left out: {printable(name)}, who {why}" for name, why in self.excluded.items()]
        return "\n".join(lines)


class Pooled(NamedTuple):
    """A class's test; shows itself as text."""

    files: int
    listeners: list[str]  #: who passed the headphone check
    excluded: dict[str, str]  #: file → why
    tests: list[Rated | Heard]

    def of(self, title: str) -> Rated | Heard:
        """The results of one test.

        Raises:
            ValueError: for a title that no test has.
        """
        for test in self.tests:
            if test.title == title:
                return test
        raise ValueError(
            f"no test is called {title!r}; there are {', '.join(t.title for t in self.tests)}."
        )

    def plot(self) -> "Figure":
        """Each test: every listener as a pale point, means with their intervals."""
        from minicodec.listening.pooled_plot import plotted

        return plotted(self)

    def __str__(self) -> str:
        lines = [
            f"{self.files} files, {len(self.listeners)} listeners. The headphone check asks for "
            f"{headphones.PASS} of {headphones.TRIALS};",
            f"who only guesses passes it with a probability of {headphones.chance():.1%}, in "
            f"{headphones.TRIES} tries of {headphones.chance(headphones.TRIES):.1%}.",
        ]
        lines += [f"left out: {name}: {why}" for name, why in self.excluded.items()]
        for test in self.tests:
            lines += ["", printable(test.title), "-" * len(printable(test.title)), str(test)]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(str(self))}</pre>"


def _p(p: float) -> str:
    return "< 0.001" if p < 0.001 else f"{p:.3f}"
