"""Support: what is built inside the lesson of chapter 16, as exercises.

Those at the chapter's end are in `chapter_16`.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from minicodec.exercises import answers_16 as answers
from minicodec.exercises.exercise import Exercise, Mistake
from minicodec.model.quantize import nearest
from minicodec.model.snake import Snake


def _wave(x: Tensor, alpha: Tensor) -> Tensor:
    return torch.sin(alpha * x).square() / alpha


LESSON = (
    Exercise(
        "16.gain",
        "Give by how much `one` is lower than `other`, on average over the witnesses, and the two "
        "ends of the 95 % interval, by equation (1).",
        answers.gain,
        (
            Mistake(
                "The witnesses' own levels are still in the interval: subtract first, witness by "
                "witness.",
                answers.gained(answers.apart_error),
            ),
            Mistake(
                "It reaches 1.96 errors to each side, which is for many witnesses; these are few.",
                answers.gained(answers.paired_error, lambda df: 1.96),
            ),
            Mistake(
                "That is how far single witnesses spread; how sure is their mean?",
                answers.gained(lambda one, other: float((other - one).std())),
            ),
            Mistake(
                "The sign is the other one: lower is better, and a gain is positive.",
                lambda one, other: answers.gain(other, one),
            ),
            Mistake(
                "Student's t for n degrees of freedom; the mean has taken one of them.",
                answers.gained(answers.paired_error, lambda df: answers.t_quantile(df + 1)),
            ),
            Mistake(
                "The error is divided by n, not by its root.",
                answers.gained(lambda one, other: float((other - one).std()) / len(one)),
            ),
            Mistake(
                "It reaches one error to each side; how many of them Student's t takes for 95 %, "
                "`t_quantile` says.",
                answers.gained(answers.paired_error, lambda df: 1.0),
            ),
            Mistake(
                "The standard deviation is divided by n, as NumPy has it; here by n − 1.",
                answers.gained(answers.flat_error),
            ),
            Mistake(
                "Those are distances from the mean; the two ends themselves are wanted.",
                answers.reach_alone,
            ),
            Mistake(
                "The high end stands before the low one.",
                lambda one, other: tuple(answers.gain(one, other)[i] for i in (0, 2, 1)),
            ),
        ),
        minutes=6,
        points=2,
        inputs=answers.scores,
    ),
    Exercise(
        "16.snake",
        "Give x + sin²(αx) / α, equation (2), with the layer's own alpha.",
        Snake,
        (
            Mistake("The sine is not squared.", answers.snake(lambda x, a: x + (a * x).sin() / a)),
            Mistake("Only the wave is there; it is to be added to x.", answers.snake(_wave)),
            Mistake(
                "Inside of the sine alpha is missing: it says how long the waves are.",
                answers.snake(lambda x, a: x + x.sin().square() / a),
            ),
            Mistake(
                "The wave is not divided by alpha: short waves are to be low ones.",
                answers.snake(lambda x, a: x + (a * x).sin().square()),
            ),
            Mistake(
                "The wave is multiplied by alpha, not divided by it.",
                answers.snake(lambda x, a: x + (a * x).sin().square() * a),
            ),
            Mistake(
                "The square stands inside of the sine.",
                answers.snake(lambda x, a: x + (a * x).square().sin() / a),
            ),
            Mistake(
                "All is divided by alpha; only the wave should be.",
                answers.snake(lambda x, a: (x + (a * x).sin().square()) / a),
            ),
            Mistake(
                "Alpha is missing, inside of the sine and below it.",
                answers.snake(lambda x, a: x + x.sin().square()),
            ),
            Mistake(
                "The wave is to be added, not taken away.",
                answers.snake(lambda x, a: x - _wave(x, a)),
            ),
            Mistake(
                "The values are right, but alpha gets no gradient: is it detached?",
                answers.snake(lambda x, a: x + _wave(x, a), fixed=True),
            ),
        ),
        minutes=4,
        points=2,
        inputs=answers.sound_and_alpha,
        use=answers.bent,
        remark="The gradient of alpha is right, too: each channel can learn its wavelength.",
    ),
    Exercise(
        "16.lookup",
        "Give each latent's code: project it, bring both sides to length 1, and take the nearest, "
        "equation (3).",
        answers.lookup,
        (
            Mistake(
                "Lengths still decide: neither side is brought to length 1.",
                lambda z, down, embedding: nearest(z @ down.T, embedding),
            ),
            Mistake(
                "The codebook's vectors have kept their lengths.",
                lambda z, down, embedding: nearest(F.normalize(z @ down.T), embedding),
            ),
            Mistake(
                "The largest product: a long vector wins it by being long.",
                lambda z, down, embedding: (z @ down.T @ embedding.T).argmax(1),
            ),
            Mistake(
                "The codebook's columns have length 1, not its rows: which axis is one vector?",
                lambda z, down, embedding: nearest(
                    F.normalize(z @ down.T), F.normalize(embedding, dim=0)
                ),
            ),
            Mistake(
                "The columns of the projected latents have length 1, not the rows.",
                lambda z, down, embedding: nearest(
                    F.normalize(z @ down.T, dim=0), F.normalize(embedding)
                ),
            ),
            Mistake(
                "Both tables are divided by one length of the whole; each row has its own.",
                lambda z, down, embedding: nearest(
                    z @ down.T / (z @ down.T).norm(), embedding / embedding.norm()
                ),
            ),
            Mistake(
                "That is the direction furthest away.",
                lambda z, down, embedding: (
                    F.normalize(z @ down.T) @ F.normalize(embedding).T
                ).argmin(1),
            ),
            Mistake(
                "These are vectors; their indices are wanted.",
                lambda z, down, embedding: F.normalize(embedding)[
                    answers.lookup(z, down, embedding)
                ],
            ),
        ),
        minutes=6,
        points=2,
        inputs=answers.latents_and_directions,
        remark="To bring the codebook to length 1 would be enough; both make it a cosine.",
    ),
    Exercise(
        "16.share",
        "Give the share of clips that train this level: those that keep all, and of the share p "
        "that draws, those that drew this level or a higher one.",
        answers.share,
        (
            Mistake(
                "Only those that draw; the others, which keep all levels, are missing.",
                lambda level, n_q, p: p * (n_q - level + 1) / n_q,
            ),
            Mistake(
                "Too few by those that drew exactly this level: it takes part, too.",
                lambda level, n_q, p: 1 - p + p * (n_q - level) / n_q,
            ),
            Mistake(
                "It is the other way round: the share p draws, and the others keep all levels.",
                lambda level, n_q, p: p + (1 - p) * (n_q - level + 1) / n_q,
            ),
            Mistake(
                "Low levels come out rare: a clip that drew 5 trains levels 1 to 5.",
                lambda level, n_q, p: 1 - p + p * level / n_q,
            ),
            Mistake(
                "That is as if all clips drew.",
                lambda level, n_q, p: (n_q - level + 1) / n_q,
            ),
            Mistake(
                "Of those that draw, only those of exactly this level are counted; a higher number "
                "trains it, too.",
                lambda level, n_q, p: 1 - p + p / n_q,
            ),
            Mistake(
                "Only those that keep all; some of those that draw train this level, too.",
                lambda level, n_q, p: 1 - p,
            ),
            Mistake(
                "The second part counts in full, but only the share p draws.",
                lambda level, n_q, p: 1 - p + (n_q - level + 1) / n_q,
            ),
            Mistake(
                "That is in per cent; a share lies between 0 and 1.",
                lambda level, n_q, p: 100 * answers.share(level, n_q, p),
            ),
        ),
        minutes=4,
        inputs=answers.level_and_dropout,
    ),
    Exercise(
        "16.price",
        "Give tokens per second and kbps, equation (4).",
        answers.price,
        (
            Mistake(
                "A frame has a token for each codebook; these are frames per second.",
                lambda rate, n_q, size: (rate, answers.price(rate, n_q, size)[1]),
            ),
            Mistake(
                "The second number is in bits per second, not in thousands of them.",
                lambda rate, n_q, size: (rate * n_q, 1000 * answers.price(rate, n_q, size)[1]),
            ),
            Mistake(
                "That is the natural logarithm; bits count in twos.",
                lambda rate, n_q, size: (rate * n_q, rate * n_q * math.log(size) / 1000),
            ),
            Mistake(
                "A token costs the logarithm of the codebook's size, not the size.",
                lambda rate, n_q, size: (rate * n_q, rate * n_q * size / 1000),
            ),
            Mistake(
                "The kbps are those of one codebook.",
                lambda rate, n_q, size: (rate * n_q, rate * math.log2(size) / 1000),
            ),
            Mistake(
                "Right numbers, in the other order.",
                lambda rate, n_q, size: answers.price(rate, n_q, size)[::-1],
            ),
        ),
        minutes=3,
        inputs=answers.sizes,
    ),
)
