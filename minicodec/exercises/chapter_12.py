"""Support: the exercises of chapter 12, a language model for codes.

Those of its Transformer are in `lesson_12`.
"""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Generator, Tensor

from minicodec.bits.language_model import bits
from minicodec.exercises.blind import mistaken, order
from minicodec.exercises.exercise import Exercise, Mistake
from minicodec.exercises.lesson_12 import LESSON
from minicodec.exercises.trying import draw


def file_bytes(scores: Tensor, codes: Tensor) -> float:
    """Bytes that codes [K, T] take with scores [K, T, N], equation (1)."""
    return float(bits(scores[None], codes[None]).sum()) / 8


def _scores_and_codes(generator: Generator) -> tuple[Tensor, Tensor]:
    scores = 2 * torch.randn(2, 9, 16, generator=generator)
    return scores, torch.randint(16, (2, 9), generator=generator)


def _expected(scores: Tensor, codes: Tensor) -> float:
    p = scores.softmax(-1)
    return float(-(p * p.log2()).sum()) / 8


def to_integers(x: Tensor, largest: int) -> tuple[Tensor, Tensor]:
    """Each row divided by its peak: integers from −largest to largest, and the step."""
    step = x.abs().amax(-1, keepdim=True).clamp(min=1e-9) / largest
    return (x / step).round(), step


def _rows(generator: Generator) -> tuple[Tensor, int]:
    # Of very different loudness, one silent; the farthest number of each other row is negative.
    x = torch.randn(5, 12, generator=generator) * torch.tensor([[0.1], [1.0], [0.0], [9.0], [0.5]])
    x[:, 3] = -2 * x.abs().amax(1)
    return x, draw(generator, 100, 255)


def _step_of_silence_left_out(
    answer: Callable[..., Any], x: Tensor, largest: int
) -> tuple[Tensor, Tensor]:
    """Integers and steps; where a row is zeros, any step will do."""
    integers, step = answer(x, largest)
    return integers, torch.where(x.any(-1, keepdim=True), step, 0.0)


def _with_peak(peak: Callable[[Tensor], Tensor]) -> Callable[..., Any]:
    def wrong(x: Tensor, largest: int) -> Any:
        step = peak(x).clamp(min=1e-9) / largest
        return (x / step).round(), step

    return wrong


def _without_its_axis(x: Tensor, largest: int) -> tuple[Tensor, Tensor]:
    step = x.abs().amax(-1) / largest
    return (x / step).round(), step


def _with(end: Callable[[Tensor, Tensor, int], Any]) -> Callable[..., Any]:
    def wrong(x: Tensor, largest: int) -> Any:
        return end(x, to_integers(x, largest)[1], largest)

    return wrong


def coarse(weight: Tensor, largest: int) -> Tensor:
    """The weights that are left when each row has 2 × largest + 1 values."""
    integers, step = to_integers(weight, largest)
    return integers * step


def _weight(generator: Generator) -> tuple[Tensor, int]:
    loudness = torch.tensor([[0.1], [1.0], [5.0], [0.5]])
    weight = torch.randn(4, 9, generator=generator) * loudness
    return weight, int(torch.randint(3, 20, (), generator=generator))


TEMPERATURES = ("low", "middle", "high")
_TEMPERATURES = order("12.temperatures", TEMPERATURES)


EXERCISES = (
    *LESSON,
    Exercise(
        "12.to_integers",
        "Give for each row integers from -largest to largest, and the step between them; a row of "
        "zeros gives zeros.",
        to_integers,
        (
            Mistake(
                "The peak is the number farthest from zero, on either side of it.",
                _with_peak(lambda x: x.amax(-1, keepdim=True)),
            ),
            Mistake(
                "All rows share one step, so quiet ones have few integers left.",
                _with_peak(lambda x: x.abs().amax().expand(len(x), 1)),
            ),
            Mistake(
                "Each column has a step here; it should be each row. Along which axis is the peak?",
                _with_peak(lambda x: x.abs().amax(0, keepdim=True)),
            ),
            Mistake(
                "A row of zeros is divided by zero.",
                lambda x, largest: (
                    (x / (x.abs().amax(-1, keepdim=True) / largest)).round(),
                    x.abs().amax(-1, keepdim=True) / largest,
                ),
            ),
            Mistake(
                "The peaks have lost their axis, and no longer stand beside their rows: `keepdim`.",
                _without_its_axis,
            ),
            Mistake("What comes out are no integers.", _with(lambda x, step, n: (x / step, step))),
            Mistake(
                "Cut off, not rounded: the error is twice as large.",
                _with(lambda x, step, n: ((x / step).trunc(), step)),
            ),
            Mistake(
                "That is the peak; the step is from one integer to the next.",
                _with(lambda x, step, n: ((x / step).round(), step * n)),
            ),
        ),
        minutes=6,
        points=2,
        inputs=_rows,
        remark="In whatever order these are added, the sum is the same.",
        use=_step_of_silence_left_out,
    ),
    Exercise(
        "12.beliefs",
        "Give the bits per code with 0.02 always, what share of ten bits that saves, and the bits "
        "per code with 0.039 and 0.001 by turns.",
        (5.644, 0.4356, 7.323),
        (
            Mistake(
                "The mean of the probabilities is 0.02 both times, but bits are added, not "
                "probabilities.",
                (5.644, 0.4356, 5.644),
            ),
            Mistake(
                "In natural units, not in bits: to which base is the logarithm?",
                (3.912, 0.6088, 5.076),
            ),
            Mistake("That share is what is left; how much is saved?", (5.644, 0.5644, 7.323)),
            Mistake("The last number is for two codes; how much for one?", (5.644, 0.4356, 14.646)),
            Mistake(
                "The saving is a share, not a percentage: between 0 and 1.", (5.644, 43.56, 7.323)
            ),
        ),
        minutes=5,
        kind="paper",
        tolerance=0.011,
        remark="A model pays dearly for what it holds for nearly impossible.",
    ),
    Exercise(
        "12.mantissa",
        "Give the number of binary digits that hold every integer up to the largest sum of 1024 "
        "products of 255 and 127.",
        25,
        (
            Mistake("That is what a float32 has; is the largest sum below 2 to this power?", 24),
            Mistake("A float keeps its sign beside its digits, so none is needed for it.", 26),
            Mistake("That is for one product; there are 1024 of them.", 15),
            Mistake("That is the largest sum itself; how many digits does it have?", 33162240),
            Mistake("That is what a float64 has, and far more than is needed.", 53),
            Mistake("There is no part of a digit: a whole number is asked for.", 24.983),
        ),
        minutes=5,
        kind="paper",
        tolerance=5e-4,
        remark="One more than a float32 has; a float64 has 53.",
    ),
    Exercise(
        "12.file_bytes",
        "Give the bytes that these codes take when a model gives them these scores, by equation "
        "(1) and a softmax.",
        file_bytes,
        (
            Mistake(
                "In natural units, not in bits: to which base is the logarithm?",
                lambda scores, codes: file_bytes(scores, codes) * math.log(2),
            ),
            Mistake(
                "That is bits; a file is counted in bytes.",
                lambda scores, codes: file_bytes(scores, codes) * 8,
            ),
            Mistake(
                "That is the mean of a code; a file holds all of them.",
                lambda scores, codes: file_bytes(scores, codes) / codes.numel(),
            ),
            Mistake(
                "That is what the model expects on average; what do the codes cost that came?",
                _expected,
            ),
            Mistake(
                "That is what the likeliest codes would cost; others came.",
                lambda scores, codes: file_bytes(scores, scores.argmax(-1)),
            ),
            Mistake(
                "These are minus the chosen scores; which function makes probabilities of scores?",
                lambda scores, codes: float(-scores.gather(2, codes[..., None]).sum()) / 8,
            ),
        ),
        minutes=8,
        points=2,
        inputs=_scores_and_codes,
        remark="The loss of training, in bytes.",
    ),
    Exercise(
        "12.coarse",
        "Give the weights that are left when each row is rounded to integers from -largest to "
        "largest.",
        coarse,
        (
            Mistake(
                "These are the integers; a weight is an integer times the step of its row.",
                lambda weight, largest: to_integers(weight, largest)[0],
            ),
            Mistake(
                "All rows share one step, so those with small weights lose most.",
                lambda weight, largest: coarse(weight.reshape(1, -1), largest).view_as(weight),
            ),
            Mistake(
                "Each column has a step here, for the columns stand in place of the rows.",
                lambda weight, largest: coarse(weight.T, largest).T,
            ),
            Mistake(
                "The weights are as they were; they are to be rounded.",
                lambda weight, largest: weight,
            ),
        ),
        minutes=8,
        core=False,
        points=2,
        inputs=_weight,
    ),
    Exercise(
        "12.temperatures",
        "Say which of x, y and z was drawn at which temperature: 'low', 'middle' or 'high'.",
        _TEMPERATURES,
        mistaken(
            _TEMPERATURES,
            {
                ("middle", "high"): "Two are exchanged: which one goes on like the voice, and "
                "which one like noise?",
                ("low", "middle"): "Two are exchanged: where the likeliest always wins, little new "
                "comes.",
                ("low", "high"): "Turned round: below 1 the likely becomes likelier. Does that "
                "give more or less variety?",
            },
            (
                "None is right: begin with the one in which little new comes.",
                "None is right: begin with the one that is most like noise.",
            ),
        ),
        minutes=4,
        kind="ear",
        remark="A low temperature repeats itself; a high one forgets what it was saying.",
    ),
)
