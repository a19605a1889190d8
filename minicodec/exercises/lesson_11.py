"""Support: what is built inside the lesson of chapter 11, as exercises.

Those at the chapter's end are in `chapter_11`.
"""

import math
from collections.abc import Iterable
from functools import partial

import torch
from torch import Generator, Tensor

from minicodec.exercises import answers_11_counts as counts
from minicodec.exercises.answers_11 import (
    decode,
    decode_exactly,
    message,
    step,
    steps_to_take,
    take,
)
from minicodec.exercises.exercise import Exercise, Mistake
from minicodec.exercises.trying import draw


def _shares(generator: Generator, size: int) -> Tensor:
    shares = torch.rand(size, generator=generator, dtype=torch.float64) + 0.05
    shares[draw(generator, 0, size - 1)] = 0
    return shares / shares.sum()


def entropy(probabilities: Iterable[float]) -> float:
    """Bits per symbol, equation (1)."""
    return sum(p * math.log2(1 / p) for p in probabilities if p > 0)


def divergence(p: Tensor, q: Tensor) -> float:
    """Bits per symbol that a model loses which believes q where p is true."""
    there = p > 0
    return float((p[there] * (p[there] / q[there]).log2()).sum())


def _truth_and_belief(generator: Generator) -> tuple[Tensor, Tensor]:
    belief = torch.rand(9, generator=generator, dtype=torch.float64) + 0.05
    return _shares(generator, 9), belief / belief.sum()


LESSON = (
    Exercise(
        "11.entropy",
        "Give the entropy of these probabilities in bits, by equation (1); one of them may be 0.",
        entropy,
        (
            Mistake(
                "That is in natural units, not in bits: to which base is the logarithm?",
                lambda p: sum(x * math.log(1 / x) for x in p if x > 0),
            ),
            Mistake(
                "This adds up what each symbol tells; how often does each of them come?",
                lambda p: sum(math.log2(1 / x) for x in p if x > 0),
            ),
            Mistake(
                "The sign is the other one: information is the logarithm of 1/p, not of p.",
                lambda p: sum(x * math.log2(x) for x in p if x > 0),
            ),
            Mistake(
                "A symbol that never comes adds nothing, but 1/0 cannot be computed: leave it out.",
                lambda p: sum(x * math.log2(1 / x) for x in p),
            ),
            Mistake(
                "The logarithm of zero is as little a number as 1/0: leave out what never comes.",
                lambda p: -sum(x * math.log2(x) for x in p),
            ),
            Mistake(
                "The sum is already an average, for the probabilities add up to 1: why divide?",
                lambda p: entropy(p) / len(p),
            ),
        ),
        minutes=4,
        inputs=lambda generator: (_shares(generator, draw(generator, 4, 8)).tolist(),),
    ),
    Exercise(
        "11.step",
        "Narrow low and width to the symbol's part, then let leading digits leave while the width "
        "is below the floor.",
        step,
        (
            Mistake(
                "Low moves by a running sum alone; how wide is one unit of the table?",
                partial(step, slip="no unit"),
            ),
            Mistake(
                "The new range reaches from the old low to the part's end: where does it begin?",
                partial(step, slip="whole"),
            ),
            Mistake(
                "One digit leaves at most; is the range of a rare symbol then wide enough again?",
                partial(step, slip="once"),
            ),
            Mistake(
                "The last digit of low leaves, and that one is not settled: which one is?",
                partial(step, slip="last"),
            ),
            Mistake(
                "A unit has a fraction here, and floats are not alike everywhere: which division "
                "drops the remainder?",
                partial(step, slip="fraction"),
            ),
            Mistake(
                "Multiplied first and divided then: parts do not begin at whole units, as they do "
                "for the decoder.",
                partial(step, slip="product"),
            ),
            Mistake(
                "Low still holds the digit that has left, so it grows with the message.",
                partial(step, slip="kept"),
            ),
            Mistake(
                "Low moves by the units before the symbol; how wide is one of them?",
                partial(step, slip="own part"),
            ),
            Mistake(
                "A digit waits here until both ends agree; it leaves whenever the width is below "
                "the floor, and a carry mends it later.",
                partial(step, slip="settled"),
            ),
            Mistake(
                "A digit that has reached the base is cut here; it leaves whole, for what is too "
                "much is a carry.",
                partial(step, slip="cut"),
            ),
            Mistake(
                "A range that is exactly the floor is not below it.", partial(step, slip="border")
            ),
            Mistake(
                "Ten and a thousand are but an example; base and floor are arguments.",
                partial(step, slip="tens"),
            ),
            Mistake(
                "Room is made before the symbol has narrowed the range: which comes first?",
                partial(step, slip="room first"),
            ),
        ),
        minutes=8,
        points=2,
        inputs=steps_to_take,
        remark="However long the message, no number gets longer.",
        use=take,
    ),
    Exercise(
        "11.decode",
        "Repeat the encoder's divisions, and find each time the part in which the offset lies.",
        decode,
        (
            Mistake(
                "The offset is measured from low, and low has moved with the last symbol.",
                partial(decode, slip="old low"),
            ),
            Mistake(
                "A number on the border of two parts belongs to the upper one: which `bisect`?",
                partial(decode, slip="border"),
            ),
            Mistake(
                "One digit is read at most; after a rare symbol the encoder let go of more.",
                partial(decode, slip="once"),
            ),
            Mistake(
                "The digits end before the symbols do: what may follow any number?",
                partial(decode, slip="no zeros"),
            ),
            Mistake(
                "The new range is that of the symbol and of all before it; whose is it?",
                partial(decode, slip="whole"),
            ),
            Mistake(
                "Fractions keep every remainder, but the encoder has dropped its own.",
                decode_exactly,
            ),
            Mistake(
                "The range begins one wider than in `my_encode`.", partial(decode, slip="begin")
            ),
            Mistake(
                "Multiplied first and divided then: which units did the encoder count in?",
                partial(decode, slip="product"),
            ),
            Mistake(
                "All parts are one too high: what number has the first running sum?",
                partial(decode, slip="from one"),
            ),
            Mistake(
                "The offset moves up, but no digit follows: what does the last place hold now?",
                partial(decode, slip="no digit"),
            ),
        ),
        minutes=12,
        points=2,
        inputs=message,
        remark="It never learns what low is: the offset is all it needs.",
    ),
    Exercise(
        "11.histogram",
        "Count the codes just seen, 8 for each in its own codebook, and give the counts as the "
        "next frame's table.",
        counts.Counts,
        (
            Mistake("An occurrence adds 1; against 1024 ones that says little.", counts.ByOne),
            Mistake(
                "Tables that were given out change afterwards: is it a copy that you count in?",
                counts.InPlace,
            ),
            Mistake(
                "Every codebook counts the codes of all; each has but its own.", counts.AllLevels
            ),
            Mistake(
                "Every codebook counts the codes of all, and in tables that were given out: pair "
                "each row with its own code, in a copy.",
                counts.AllInPlace,
            ),
            Mistake("8 stands in place of the count, and should be added to it.", counts.Once),
            Mistake(
                "The counts are handed back as they came, so all but the last frame is forgotten.",
                counts.Forgets,
            ),
            Mistake("The table is one frame late: it lacks what has just been seen.", counts.Late),
            Mistake(
                "A code stands for a row here; the rows are the codebooks, and codes are columns.",
                counts.Rows,
            ),
        ),
        minutes=6,
        points=2,
        inputs=counts.some_codes,
        remark="The decoder can count the same, so nothing extra is sent.",
        use=counts.tables,
    ),
    Exercise(
        "11.divergence",
        "Give the Kullback-Leibler divergence of equation (2) in bits; p may have zeros.",
        divergence,
        (
            Mistake(
                "That is the divergence of p from q turned round: who draws, and who believes?",
                lambda p, q: float((q[p > 0] * (q[p > 0] / p[p > 0]).log2()).sum()),
            ),
            Mistake(
                "That is in natural units, not in bits: to which base is the logarithm?",
                lambda p, q: divergence(p, q) * math.log(2),
            ),
            Mistake(
                "That is the whole cross-entropy; how much of it would the true p cost as well?",
                lambda p, q: float(-(p * q.log2()).sum()),
            ),
            Mistake(
                "Where p is 0, its term is 0, but 0 times the logarithm of 0 is not a number here.",
                lambda p, q: float((p * (p / q).log2()).sum()),
            ),
            Mistake(
                "A divergence is never negative: which of the two is divided by which?",
                lambda p, q: -divergence(p, q),
            ),
            Mistake(
                "It is infinite, for q is divided by p, which has zeros: who draws, and who "
                "believes?",
                lambda p, q: float((q * (q / p).log2()).sum()),
            ),
            Mistake(
                "Each logarithm counts alike here; how often does each symbol come?",
                lambda p, q: float((p / q)[p > 0].log2().sum()),
            ),
        ),
        minutes=6,
        points=2,
        inputs=_truth_and_belief,
        remark="What is lost is the model's, not the coder's.",
    ),
)
