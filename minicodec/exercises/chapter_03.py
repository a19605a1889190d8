"""Support: the exercises of chapter 03, the autoencoder.

Those inside its lesson are in `lesson_03`.
"""

from collections.abc import Callable

import torch
from torch import Generator, Tensor

from minicodec.exercises.blind import mistaken, order
from minicodec.exercises.exercise import Exercise, Mistake
from minicodec.exercises.lesson_03 import LESSON
from minicodec.exercises.trying import draw

# Exercise 3: how strong the first weights are.


def _spread(in_channels: int, kernel_size: int, stride: int = 1, transposed: bool = False) -> float:
    summed = in_channels * kernel_size / (stride if transposed else 1)
    return float(summed**-0.5)


def _sizes(generator: Generator) -> tuple[int, int, int]:
    channels, stride = (draw(generator, 2, 8) for _ in range(2))
    return channels, 2 * stride, stride


def _both_kinds(
    answer: Callable[..., float], channels: int, kernel_size: int, stride: int
) -> dict[str, float]:
    return {
        "convolution": answer(channels, kernel_size, stride, False),
        "transposed": answer(channels, kernel_size, stride, True),
    }


# Exercise 4: the best two matrices.


def _two_matrices(train: Tensor, test: Tensor, kept: int) -> Tensor:
    mean, axes = train.mean(0), _axes(train - train.mean(0))[:kept]
    return (test - mean) @ axes.T @ axes + mean


def _axes(blocks: Tensor) -> Tensor:
    return torch.linalg.svd(blocks, full_matrices=False)[2]


def _two_sets(generator: Generator) -> tuple[Tensor, Tensor, int]:
    """Clouds longer in some directions than in others, far from 0, not of the same shape."""
    sets = []
    for _ in range(2):
        turn = torch.linalg.qr(torch.randn(8, 8, generator=generator))[0]
        cloud = torch.randn(60, 8, generator=generator) * 2.0 ** -torch.arange(8)
        sets.append(cloud @ turn + torch.randn(8, generator=generator))
    return sets[0], sets[1], draw(generator, 2, 4)


def _by_columns(train: Tensor, test: Tensor, kept: int) -> Tensor:
    axes = _axes(train - train.mean(0))[:, :kept]
    return (test - train.mean(0)) @ axes @ axes.T + train.mean(0)


def _last_ones(train: Tensor, test: Tensor, kept: int) -> Tensor:
    axes = _axes(train - train.mean(0))[-kept:]
    return (test - train.mean(0)) @ axes.T @ axes + train.mean(0)


def _without_mean(train: Tensor, test: Tensor, kept: int) -> Tensor:
    axes = _axes(train)[:kept]
    return test @ axes.T @ axes


CHANGES = ("held", "smoothed", "noisy")

EXERCISES = (
    *LESSON,
    Exercise(
        "03.lstm_parameters",
        "Count the parameters of two LSTM layers from equation (2): of 512 channels, and of 256.",
        (4_202_496, 1_052_672),
        (
            Mistake(
                "Half of them is missing: two layers, and each vector is made of the frame and of "
                "the last output.",
                (2_101_248, 526_336),
            ),
            Mistake(
                "A quarter: a layer computes four vectors, each with a matrix of its own.",
                (1_050_624, 263_168),
            ),
            Mistake(
                "With half the channels both sides of each matrix halve.", (4_202_496, 2_101_248)
            ),
            Mistake("Where are the biases?", (4_194_304, 1_048_576)),
            Mistake("Those are bytes, four for each parameter.", (16_809_984, 4_210_688)),
            Mistake("The two are swapped: first 512 channels, then 256.", (1_052_672, 4_202_496)),
        ),
        minutes=5,
        kind="paper",
        tolerance=2e-3,  # biases counted once or, as in torch, twice
        remark="More than half of the encoder's 7.4 million stand here.",
    ),
    Exercise(
        "03.unit_on_paper",
        "Give the multiplications per moment of the paper's unit, kernel 3 twice, in units of F².",
        4.0,
        (
            Mistake(
                "That is the unit with 3 and 1, and the paper's without its shortcut: which of "
                "the two did you count?",
                3.0,
            ),
            Mistake("The first convolution goes into half of the channels.", 7.0),
            Mistake("Half of the channels between the two, and a shortcut beside them.", 6.0),
            Mistake("The second convolution comes back to all F channels.", 3.25),
            Mistake("Those are times the official one; the question asks for F².", 4 / 3),
        ),
        minutes=4,
        kind="paper",
        tolerance=1e-2,
        remark="A third more work for a view of 5 samples instead of 3.",
    ),
    Exercise(
        "03.first_weights",
        "Give the standard deviation of weights that makes outputs as loud as inputs.",
        _spread,
        (
            Mistake(
                "That is their variance; the standard deviation is its root.",
                lambda f, k, s, up: _spread(f, k, s, up) ** 2,
            ),
            Mistake(
                "That is torch's start, which loses a factor √3 in each layer.",
                lambda f, k, s, up: _spread(f, k, s, up) / 3**0.5,
            ),
            Mistake(
                "Each output sums over the taps, too, not over channels alone.",
                lambda f, k, s, up: _spread(f, 1),
            ),
            Mistake(
                "Right for a convolution; into one sample of a transposed layer fewer strokes "
                "fall than a kernel has taps.",
                lambda f, k, s, up: _spread(f, k),
            ),
            Mistake(
                "Right for a transposed layer; each output of a convolution sums over all taps, "
                "whatever its stride.",
                lambda f, k, s, up: _spread(f, k, s, True),
            ),
            Mistake(
                "The more numbers are summed, the smaller each weight has to be.",
                lambda f, k, s, up: 1 / _spread(f, k, s, up),
            ),
        ),
        minutes=8,
        points=2,
        inputs=_sizes,
        use=_both_kinds,
        remark="Twenty layers later that is the difference between sound and 1/59,049 of it.",
    ),
    Exercise(
        "03.two_matrices",
        "Find the leading directions of the training blocks; rebuild the test blocks from them.",
        _two_matrices,
        (
            Mistake(
                "The directions come from the test blocks: that is knowing the answers beforehand.",
                lambda train, test, kept: _two_matrices(test, test, kept),
            ),
            Mistake("The mean is not taken away before the directions are sought.", _without_mean),
            Mistake(
                "The mean was taken away and not given back.",
                lambda train, test, kept: _two_matrices(train, test, kept) - train.mean(0),
            ),
            Mistake("Those are the last directions, in which little happens.", _last_ones),
            Mistake(
                "The directions are the rows of the third matrix that svd gives, not its columns.",
                _by_columns,
            ),
            Mistake(
                "Nothing is left out: the blocks come back as they were.",
                lambda train, test, kept: test.clone(),
            ),
        ),
        minutes=8,
        core=False,
        points=2,
        inputs=_two_sets,
        tolerance=1e-3,
        remark="No encoder and decoder of one matrix each can do better on the training blocks.",
    ),
    Exercise(
        "03.latents_by_ear",
        "Tell by ear what was done to the latents of x, y and z.",
        order("03.latents_by_ear", CHANGES),
        mistaken(
            order("03.latents_by_ear", CHANGES),
            {
                ("held", "smoothed"): "Two are swapped: one goes in steps, several a second, the "
                "other one slurs them.",
                ("held", "noisy"): "Two are swapped: one goes in even steps, the other one is "
                "rough all the time.",
                ("smoothed", "noisy"): "Two are swapped: in one consonants are swallowed, the "
                "other one is rough.",
            },
            (
                "None is where it belongs: begin with the one that goes in even steps.",
                "None is where it belongs: begin with the one that is rough all the time.",
            ),
        ),
        minutes=5,
        kind="ear",
        remark="Three kinds of damage in the middle, three kinds of speech, and no click in any.",
    ),
)
