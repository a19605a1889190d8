"""ABX: can you tell two sounds apart? A blind test that runs in the page, and its exact p.

Chapter 14.
"""

from math import comb
from pathlib import Path

from torch import Tensor

from minicodec.listening.blind import blind_fragment
from minicodec.listening.fragment import save_page
from minicodec.listening.sounds import Condition, Sound, prepare

_MOST = 100  # nobody listens to more in one sitting


class Abx:
    """A test that shows itself in a notebook, and saves itself as a page."""

    def __init__(self, a: Sound, b: Sound, sample_rate: int, trials: int, title: str, note: str):
        self.sounds = (a, b)
        self.sample_rate, self.trials = sample_rate, trials
        self.title, self.note = title, note

    def _repr_html_(self) -> str:
        return self._fragment(self.title)

    def _fragment(self, title: str, **data: str) -> str:
        """The test as a piece of a page; `data` is what a page around it tells its script."""
        items = "".join(sound.item() for sound in self.sounds)
        return blind_fragment(
            "abx",
            title,
            f'<ol class="mc-sounds">{items}</ol>',
            self.note,
            scripts=(),
            data={
                "title": self.title,
                "rate": str(self.sample_rate),
                "seconds": f"{self.sounds[0].seconds:.4f}",
                "trials": str(self.trials),
                **data,
            },
        )

    def __repr__(self) -> str:
        return f"Abx of {self.trials} trials, {self.sounds[0].seconds:.1f} s"

    def save(self, file: str | Path, intro: str = "") -> Path:
        """Write a page of its own that works anywhere, from disk, without a network."""
        return save_page(file, self.title, intro, self._fragment(""))


def abx(
    a: Tensor,
    b: Tensor,
    sample_rate: int,
    trials: int = 12,
    title: str = "Can you tell them apart?",
    *,
    match_loudness: bool = False,
) -> Abx:
    """A blind test: in each trial X is A or B, by the toss of a coin, and you say which.

    A, B and X run on one clock and switch in mid-note, and a part can be looped. The number of
    trials is fixed beforehand and the result is shown after the last one: who may stop whenever it
    looks good will succeed by chance sooner or later. The result, with its exact p, can be saved
    as CSV and JSON.

    The coin is tossed in the browser when a trial begins, and what it said stands nowhere in the
    page. It is in the script's memory, though, so this is a test of your own ears: someone who
    works with the browser's console could find it out.

    Args:
        a, b: [1, C, T], [C, T] or [T] of one shape. Silence at an end, or another level, is a
            difference too: see to it that you test what you mean to.
        sample_rate: in Hz.
        trials: 1 to 100. With 12, ten right answers have p = 0.019.
        match_loudness: bring B to the loudness of A; the page says so.

    Raises:
        ValueError: for what is not audio, for two shapes, or an impossible number of trials.

    >>> import torch
    >>> x = 0.1 * torch.randn(1, 1, 24000)
    >>> abx(x, x.sign() * 0.1, 24000, trials=16)
    Abx of 16 trials, 1.0 s
    """
    if isinstance(trials, bool) or not isinstance(trials, int) or not 1 <= trials <= _MOST:
        raise ValueError(f"trials is an integer from 1 to {_MOST}, not {trials!r}.")
    sounds: dict[str, Tensor | Condition] = {"A": a, "B": b}
    prepared, note = prepare(sounds, sample_rate, match_loudness)
    if prepared[0].seconds != prepared[1].seconds:
        raise ValueError(
            f"A lasts {prepared[0].seconds:.3f} s and B {prepared[1].seconds:.3f} s, and length "
            "alone would tell them apart: cut both to the same."
        )
    return Abx(prepared[0], prepared[1], sample_rate, trials, title, note)


def abx_p_value(correct: int, trials: int) -> float:
    """Chance that a guesser gets `correct` or more of `trials` right: exact, one-sided.

    Σ C(n, i) / 2ⁿ for i from `correct` to n, the upper tail of a binomial distribution with an even
    chance. It is one-sided because only many right answers speak for a difference that is heard.

    Raises:
        ValueError: unless 0 ≤ correct ≤ trials, and there is a trial.

    >>> f"{abx_p_value(10, 12):.4f}"
    '0.0193'
    """
    if not 0 <= correct <= trials or trials < 1:
        raise ValueError(f"correct is from 0 to trials, but {correct} of {trials} was given.")
    return sum(comb(trials, i) for i in range(correct, trials + 1)) / 2**trials
