"""Support: what chapter 01b leaves to write: masking, bits, a gain, the MDCT and its way back."""

import math

import torch

from minicodec.exercises import answers_01b as answers
from minicodec.exercises.exercise import Exercise, Mistake

LESSON = (
    Exercise(
        "01b.spread",
        "Give the share of the power at f that reaches a place, both in Hz, by equations (2) and "
        "(3); a share of power, not decibels.",
        answers.spread,
        (
            Mistake(
                "Those are decibels; a share of power is asked for.",
                lambda place, f: answers.spread(place, f, as_power=lambda db: db),
            ),
            Mistake(
                "Decibels of *power* are divided by 10, not by 20.",
                lambda place, f: answers.spread(place, f, as_power=lambda db: 10 ** (db / 20)),
            ),
            Mistake(
                "Masking should spread upwards more than downwards: is δ the place less the "
                "frequency?",
                lambda place, f: answers.spread(f, place),
            ),
            Mistake(
                "The peak is not at the frequency itself: where is 0.474?",
                lambda place, f: answers.spread(place, f, shift=0),
            ),
            Mistake(
                "Equation (3) takes distances in Bark; these are in Hz.",
                lambda place, f: answers.spread(place, f, scale=lambda hz: hz),
            ),
            Mistake(
                "That is e to the power of it; decibels count in tens.",
                lambda place, f: answers.spread(place, f, as_power=lambda db: (db / 10).exp()),
            ),
        ),
        minutes=6,
        points=2,
        inputs=answers.places_and_frequencies,
    ),
    Exercise(
        "01b.allocation",
        "Give the bits of each coefficient by equation (5).",
        answers.allocation,
        (
            Mistake(
                "Some are negative; what does a coefficient get that lies below its mask?",
                lambda powers, noise: 0.5 * torch.log2(powers / noise),
            ),
            Mistake(
                "Twice too many: these are *powers*, and a bit halves the amplitude of the noise.",
                lambda powers, noise: 2 * answers.allocation(powers, noise),
            ),
            Mistake(
                "That is the natural logarithm; bits count in twos.",
                lambda powers, noise: answers.allocation(powers, noise) * math.log(2),
            ),
            Mistake(
                "That is the logarithm to base 10; bits count in twos.",
                lambda powers, noise: answers.allocation(powers, noise) * math.log10(2),
            ),
            Mistake(
                "The fraction is upside down: who lies far above the mask needs many bits.",
                lambda powers, noise: answers.allocation(noise, powers),
            ),
            Mistake(
                "Bits are not rounded here: on average a coefficient may have 1.3 of them.",
                lambda powers, noise: answers.allocation(powers, noise).round(),
            ),
        ),
        minutes=4,
        points=2,
        inputs=answers.powers_and_noise,
    ),
    Exercise(
        "01b.coding_gain",
        "Give the arithmetic over the geometric mean of the coefficients' powers, in dB.",
        answers.coding_gain,
        (
            Mistake(
                "The sign is the other one: the arithmetic mean is the larger one.",
                lambda c: -answers.coding_gain(c),
            ),
            Mistake(
                "Powers take 10 log10, not 20.",
                lambda c: 2 * answers.coding_gain(c),
            ),
            Mistake(
                "That is the natural logarithm; decibels count in tens.",
                lambda c: math.log(10) * answers.coding_gain(c),
            ),
            Mistake(
                "Those are means of absolute values; a power is a mean of squares.",
                lambda c: float(
                    10 * (c.abs().mean(0).mean().log10() - c.abs().mean(0).log10().mean())
                ),
            ),
            Mistake(
                "Which axis is the mean along? Each *coefficient* has one power, over all blocks.",
                lambda c: answers.coding_gain(c.T),
            ),
            Mistake(
                "The logarithm of every single square is taken; first the mean over the blocks, "
                "then the logarithm.",
                lambda c: float(10 * (c.pow(2).mean().log10() - c.pow(2).log10().mean())),
            ),
            Mistake(
                "The geometric mean of M powers is the M-th *root* of their product.",
                lambda c: float(
                    10 * (c.pow(2).mean(0).mean().log10() - c.pow(2).mean(0).log10().sum())
                ),
            ),
            Mistake(
                "That is the ratio; give it in dB.",
                lambda c: 10 ** (answers.coding_gain(c) / 10),
            ),
        ),
        minutes=6,
        points=2,
        inputs=answers.coefficients_of_unequal_power,
    ),
    Exercise(
        "01b.cosines",
        "Give the matrix [2M, M] of equation (7), without its window: the root and the cosines.",
        answers.cosines,
        (
            Mistake(
                "The cosines have the wrong phase: where is M/2?",
                lambda M: answers.cosines(M, shift=0),
            ),
            Mistake(
                "The frequencies are off by a half: it is k + ½.",
                lambda M: answers.cosines(M, half=0),
            ),
            Mistake(
                "The samples are off by a half: it is n + ½.",
                lambda M: answers.cosines(M, middle=0),
            ),
            Mistake(
                "They turn half as fast as they should: π is over M, not over 2M.",
                lambda M: answers.cosines(M, period=2),
            ),
            Mistake(
                "The root is missing: √(2/M), not 2/M.",
                lambda M: answers.cosines(M, scale=lambda size: 2 / size),
            ),
            Mistake(
                "The factor √(2/M) is missing.",
                lambda M: answers.cosines(M, scale=lambda size: 1.0),
            ),
            Mistake(
                "A frame has 2M samples; this takes half of them.",
                lambda M: answers.cosines(M)[:M],
            ),
            Mistake(
                "Samples should run down and coefficients across; here it is the other way round.",
                lambda M: answers.cosines(M).T,
            ),
            Mistake(
                "The window comes with `frames`; leave it out here.",
                lambda M: (
                    answers.cosines(M)
                    * torch.sin(math.pi * (torch.arange(2 * M) + 0.5) / (2 * M))[:, None]
                ),
            ),
        ),
        minutes=8,
        points=2,
        inputs=answers.some_size,
        tolerance=1e-3,
    ),
    Exercise(
        "01b.imdct",
        "Give the sound again: take each frame back to 2M samples, fade it once more, and add the "
        "halves that meet.",
        answers.imdct,
        (
            Mistake(
                "Nothing is added: mirror images stay. Which two halves lie on the same samples?",
                lambda c, M, length: answers.faded(c, M)[1:, :M].flatten()[:length],
            ),
            Mistake(
                "The wrong halves meet: a frame's second half lies where the *next* one's first "
                "half lies.",
                lambda c, M, length: (
                    answers.faded(c, M)[1:, M:] + answers.faded(c, M)[:-1, :M]
                ).flatten()[:length],
            ),
            Mistake(
                "Each frame is to be faded once more, with the same window; then w² + w² = 1 where "
                "two meet.",
                lambda c, M, length: (
                    (c @ answers.cosines(M).T)[:-1, M:] + (c @ answers.cosines(M).T)[1:, :M]
                ).flatten()[:length],
            ),
            Mistake(
                "It begins half a frame too early: the first half of the first frame meets "
                "nothing, and is left out.",
                lambda c, M, length: answers.overlapped(c, M)[:length],
            ),
            Mistake(
                "The half frames at both ends, which meet nothing, are still there; where does the "
                "sound begin, and where does it end?",
                lambda c, M, length: answers.overlapped(c, M),
            ),
            Mistake(
                "The frames stand one after another; they should overlap by half.",
                lambda c, M, length: answers.faded(c, M).flatten()[:length],
            ),
            Mistake(
                "It is too long: frames are whole, and the sound may end in the middle of one.",
                lambda c, M, length: answers.imdct(c, M, len(c) * M),
            ),
            Mistake(
                "That is half of it: a mean instead of a sum?",
                lambda c, M, length: answers.imdct(c, M, length) / 2,
            ),
            Mistake(
                "The mirror images add up instead of going away: a sum, not a difference.",
                lambda c, M, length: (
                    answers.faded(c, M)[:-1, M:] - answers.faded(c, M)[1:, :M]
                ).flatten()[:length],
            ),
        ),
        minutes=10,
        points=2,
        inputs=answers.coefficients_and_length,
        tolerance=1e-3,
        remark="Frames overlap by half, and yet there is one number for each sample.",
    ),
)
