"""Support: the exercises of chapter 11, entropy coding.

Those inside its lesson are in `lesson_11`.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Generator, Tensor

from minicodec.bits.histogram import Histogram
from minicodec.bits.range_coder import encode_codes
from minicodec.exercises.answers_11_counts import Counts, some_codes, tables
from minicodec.exercises.blind import mistaken, order
from minicodec.exercises.exercise import Exercise, Mistake
from minicodec.exercises.lesson_11 import LESSON
from minicodec.exercises.trying import draw


class Memory(Counts):
    """A histogram with a bonus for the codes that have just been."""

    def stream(self, codes: Tensor | None, state: Tensor) -> tuple[Tensor, Tensor]:
        counts, state = super().stream(codes, state)
        return counts if codes is None else self.favoured(counts, codes), state

    def favoured(self, counts: Tensor, codes: Tensor) -> Tensor:
        table = counts.clone()
        table[torch.arange(len(codes)), codes] += 64
        return table


class _Kept(Memory):
    def favoured(self, counts: Tensor, codes: Tensor) -> Tensor:
        counts[torch.arange(len(codes)), codes] += 64
        return counts


class _Everywhere(Memory):
    def favoured(self, counts: Tensor, codes: Tensor) -> Tensor:
        table = counts.clone()
        table[:, codes] += 64
        return table


class _Instead(Memory):
    def favoured(self, counts: Tensor, codes: Tensor) -> Tensor:
        table = counts.clone()
        table[torch.arange(len(codes)), codes] = 64
        return table


class _Uncounted(Memory):
    def stream(self, codes: Tensor | None, state: Tensor) -> tuple[Tensor, Tensor]:
        return state if codes is None else self.favoured(state, codes), state


class _Late(Memory):
    def stream(self, codes: Tensor | None, state: Tensor) -> tuple[Tensor, Tensor]:
        return _Uncounted().stream(codes, state)[0], super().stream(codes, state)[1]


def best_increment(codes: Tensor, prior: Tensor, increments: list[int]) -> int:
    """The increment of the histogram that makes the fewest bytes of these codes."""
    return min(increments, key=lambda i: _size(codes, prior, i))


def _impatient(codes: Tensor, prior: Tensor, increments: list[int]) -> int:
    sizes = [_size(codes, prior, increment) for increment in increments]
    grown = (n for n in range(1, len(sizes)) if sizes[n] > sizes[n - 1])
    return increments[next(grown, len(sizes)) - 1]


def _size(codes: Tensor, prior: Tensor, increment: int) -> int:
    return len(encode_codes(Histogram(prior.shape[1], prior, increment), codes))


_TRIED = [1, 16, 4, 1024, 256, 64]  # in no order, so that a search must not stop half-way


def _codes_and_prior(generator: Generator) -> tuple[Any, ...]:
    """Such that the best increment is in the middle, and another without prior or for one level."""
    while True:
        spans = [draw(generator, 3, 24) for _ in range(2)]
        codes = torch.stack([torch.randint(s, (60,), generator=generator) for s in spans])
        prior = torch.randint(1, 4 ** draw(generator, 1, 4), (2, 32), generator=generator)
        best = best_increment(codes, prior, _TRIED)
        others = (codes, torch.ones_like(prior)), (codes[:1], prior[:1])
        if best not in (1, 1024, *(best_increment(*given, _TRIED) for given in others)):
            return codes, prior, _TRIED


def _size_with(
    answer: Callable[..., Any], codes: Tensor, prior: Tensor, increments: list[int]
) -> Any:
    """Bytes with the increment that is found best: where two are as good, either is right."""
    found = answer(codes, prior, increments)
    return _size(codes, prior, found) if found in increments else [found]


FLIPS = ("ten bits each", "chunks", "one piece")
_FLIPS = order("11.flips", FLIPS)


EXERCISES = (
    *LESSON,
    Exercise(
        "11.huffman",
        "Give the entropy of 0.7, 0.2 and 0.1, and the bits per symbol of Huffman's code, for "
        "single symbols and for pairs.",
        (1.1568, 1.3, 1.165),
        (
            Mistake(
                "A word for a pair stands for two symbols: 2.33 bits are for both of them.",
                (1.1568, 1.3, 2.33),
            ),
            Mistake(
                "The entropy is in natural units: to which base is the logarithm?",
                (0.8018, 1.3, 1.165),
            ),
            Mistake(
                "The words have 1, 2 and 2 bits, but they do not come equally often.",
                (1.1568, 1.6667, 1.165),
            ),
            Mistake(
                "Pairs come near to the entropy but do not reach it: join their nine shares.",
                (1.1568, 1.3, 1.1568),
            ),
            Mistake(
                "The words of pairs are not two words in a row: join the rarest of nine pairs.",
                (1.1568, 1.3, 1.3),
            ),
        ),
        minutes=10,
        kind="paper",
        tolerance=0.003,
        remark="Longer words come nearer to the entropy; pairs waste 0.008 bits instead of 0.143.",
    ),
    Exercise(
        "11.bytes_lost",
        "Give the bytes that 8000 symbols of 3/4 and 1/4 lose with a model of 7/8 and 1/8.",
        83.2,
        (
            Mistake("That is how many bits are lost; how many bytes?", 665.6),
            Mistake("In natural units, not in bits: to which base is the logarithm?", 57.67),
            Mistake(
                "That is all they take with this model; how much would the true one take?", 894.5
            ),
            Mistake("That is what the true model takes, and it loses nothing.", 811.3),
            Mistake(
                "That is lost when 7/8 and 1/8 are true and 3/4 and 1/4 believed: turned round.",
                69.59,
            ),
        ),
        minutes=5,
        kind="paper",
        tolerance=0.004,
        remark="A belief that is somewhat too sure costs a tenth more.",
    ),
    Exercise(
        "11.best_increment",
        "Give the increment with which `Histogram(N, prior, increment)` makes the fewest bytes "
        "of these codes.",
        best_increment,
        (
            Mistake(
                "With this increment they take the most bytes; which one takes the fewest?",
                lambda codes, prior, tried: max(tried, key=lambda i: _size(codes, prior, i)),
            ),
            Mistake(
                "That is the best one without a prior; was it handed on to the histogram?",
                lambda codes, prior, tried: best_increment(codes, torch.ones_like(prior), tried),
            ),
            Mistake(
                "That is how many bytes it takes; with which increment?",
                lambda codes, prior, tried: min(_size(codes, prior, i) for i in tried),
            ),
            Mistake(
                "That is the place of the increment among those to be tried; which is it?",
                lambda codes, prior, tried: tried.index(best_increment(codes, prior, tried)),
            ),
            Mistake(
                "That is the best one for the first level alone; which is it for all together?",
                lambda codes, prior, tried: best_increment(codes[:1], prior[:1], tried),
            ),
            Mistake(
                "The search ends where bytes first grow; must the increments come in order?",
                _impatient,
            ),
        ),
        minutes=8,
        points=2,
        inputs=_codes_and_prior,
        use=_size_with,
    ),
    Exercise(
        "11.memory",
        "Add 64 to the table, not to the counts, for the code that each level has just had.",
        Memory,
        (
            Mistake(
                "The 64 stay in the counts for ever: is it a copy that you favour codes in?", _Kept
            ),
            Mistake("Every level favours the codes of all; each has but its own.", _Everywhere),
            Mistake("The 64 stand in place of the count; they should be added to it.", _Instead),
            Mistake("This is the plain histogram: nothing is favoured yet.", Counts),
            Mistake(
                "Nothing is counted any more: what did the histogram's own `stream` do?", _Uncounted
            ),
            Mistake(
                "The table lacks the 8 that the code just seen counts: it is built on old counts.",
                _Late,
            ),
        ),
        minutes=10,
        core=False,
        points=2,
        inputs=some_codes,
        use=tables,
    ),
    Exercise(
        "11.flips",
        "Say which of x, y and z is which: 'ten bits each', 'chunks' or 'one piece'.",
        _FLIPS,
        mistaken(
            _FLIPS,
            {
                ("chunks", "one piece"): "Two are exchanged: listen on after the damage; does the "
                "sentence come back?",
                ("ten bits each", "chunks"): "Two are exchanged: one blemish is as short as a "
                "click, the other lasts.",
                ("ten bits each", "one piece"): "Two are exchanged: one is over at once, the other "
                "never ends. Which coder cannot lose its place?",
            },
            (
                "None is right: begin with the one in which the sentence never comes back.",
                "None is right: begin with the one whose blemish is as short as a click.",
            ),
        ),
        minutes=5,
        kind="ear",
        remark="Where a decoder starts afresh, damage ends.",
    ),
)
