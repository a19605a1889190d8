"""Support: behind the exercises of chapter 01b: right answers, input, and ways to be wrong."""

import math
from collections.abc import Callable

import torch
from torch import Generator, Tensor

from minicodec.exercises.trying import draw

#: Coefficients below this one lie under 100 Hz at M = 512 and 24 kHz, and are never filled.
FIRST = 4


def bark(f: Tensor) -> Tensor:
    """Equation (2): frequency in Hz → Bark."""
    return 26.81 * f / (1960 + f) - 0.53


def spread(
    place: Tensor,
    f: Tensor,
    *,
    scale: Callable[[Tensor], Tensor] = bark,
    shift: float = 0.474,
    as_power: Callable[[Tensor], Tensor] = lambda db: 10 ** (db / 10),
) -> Tensor:
    """Equation (3): the share of the power at f that reaches a place, both in Hz.

    The other arguments make it go wrong.

    >>> f = torch.tensor([800.0, 1000.0, 1200.0])
    >>> [round(float(share), 3) for share in spread(torch.tensor(1000.0), f)]
    [0.228, 1.0, 0.102]
    """
    delta = scale(place) - scale(f) + shift
    return as_power(15.81 + 7.5 * delta - 17.5 * (1 + delta**2).sqrt())


def places_and_frequencies(generator: Generator) -> tuple[Tensor, Tensor]:
    """[places, 1] and [frequencies], in Hz, so that all pairs are tried."""
    both = 200 + 6000 * torch.rand(2, 8, generator=generator)
    return both[0, :, None], both[1]


def allocation(powers: Tensor, noise: Tensor) -> Tensor:
    """Equation (5): bits of each coefficient.

    >>> allocation(torch.tensor([64.0, 4.0, 0.5]), torch.tensor(1.0))
    tensor([3., 1., 0.])
    """
    return (0.5 * torch.log2(powers / noise)).clamp(min=0)


def powers_and_noise(generator: Generator) -> tuple[Tensor, Tensor]:
    """Some powers lie under their mask."""
    powers = 10 ** (3 * torch.rand(12, generator=generator))
    return powers, 10 ** (2 * torch.rand(12, generator=generator))


def coding_gain(coefficients: Tensor) -> float:
    """Arithmetic over geometric mean of the coefficients' powers, in dB.

    Shape:
        coefficients: [blocks, M]
    """
    powers = coefficients.pow(2).mean(0)
    return float(10 * (powers.mean().log10() - powers.log10().mean()))


def coefficients_of_unequal_power(generator: Generator) -> tuple[Tensor]:
    """Coefficients [30, 6], each with a power of its own."""
    scale = 0.3 + 10 * torch.rand(6, generator=generator)
    return (torch.randn(30, 6, generator=generator) * scale + 0.5,)


def cosines(
    M: int,
    *,
    middle: float = 0.5,
    shift: float = 0.5,
    half: float = 0.5,
    period: float = 1.0,
    scale: Callable[[int], float] = lambda M: math.sqrt(2 / M),
) -> Tensor:
    """The cosines of equation (7), [2M, M]; the other arguments make them go wrong."""
    n = torch.arange(2 * M, dtype=torch.float64)[:, None] + middle
    k = torch.arange(M) + half
    return (scale(M) * torch.cos(math.pi / (M * period) * (n + shift * M) * k)).float()


def some_size(generator: Generator) -> tuple[int]:
    """M."""
    return (draw(generator, 4, 24),)


def imdct(coefficients: Tensor, M: int, length: int) -> Tensor:
    """[frames, M] → [length]: fade each frame once more, and add the halves that meet."""
    first, second = faded(coefficients, M).split(M, dim=1)
    return (second[:-1] + first[1:]).flatten()[:length]


def faded(coefficients: Tensor, M: int) -> Tensor:
    """[frames, M] → [frames, 2M]: what comes back of each frame alone."""
    fade = torch.sin(math.pi * (torch.arange(2 * M) + 0.5) / (2 * M))
    return coefficients @ cosines(M).T * fade


def overlapped(coefficients: Tensor, M: int) -> Tensor:
    """[frames, M] → [(frames + 1) M]: all that frames give, with the lone halves at both ends."""
    first, second = faded(coefficients, M).split(M, dim=1)
    return torch.cat([first[0], (second[:-1] + first[1:]).flatten(), second[-1]])


def coefficients_and_length(generator: Generator) -> tuple[Tensor, int, int]:
    """Coefficients [frames, M], M, and a length that ends inside of a frame."""
    M, frames = draw(generator, 4, 12), draw(generator, 5, 9)
    coefficients = torch.randn(frames, M, generator=generator)
    return coefficients, M, (frames - 1) * M - draw(generator, 1, M - 1)


def fill(q: Tensor, amount: float) -> Tensor:
    """Random numbers of ± amount steps where nothing was sent, but for the lowest coefficients.

    Shape:
        q: [frames, M] → the same
    """
    noise = (2 * torch.rand(q.shape) - 1) * amount
    noise[:, :FIRST] = 0
    return torch.where(q == 0, noise, q)


def rounded_numbers(generator: Generator) -> tuple[Tensor, float]:
    """Mostly zeros, as at 6 kbps; and how far to fill."""
    # First a number of its own: an answer that draws from a generator of the same seed would else
    # draw what made the zeros.
    amount = 0.1 + 0.3 * float(torch.rand((), generator=generator))
    return (0.5 * torch.randn(60, 40, generator=generator)).round(), amount


def judge_fill(answer: Callable[[Tensor, float], Tensor], q: Tensor, amount: float) -> str:
    """What is wrong with a filling, in a sentence; many are right, for chance fills."""
    filled = answer(q.clone(), amount)  # who fills in place does no harm
    if not isinstance(filled, Tensor) or filled.shape != q.shape:
        return "Give numbers of the same shape, [frames, M]."
    if not torch.equal(filled[q != 0], q[q != 0]):
        return "Numbers that were sent are changed; only zeros should be."
    if filled[:, :FIRST][q[:, :FIRST] == 0].any():
        return (
            f"The lowest {FIRST} coefficients are filled too; below 100 Hz the mask is so high "
            "that a part of a step is a roar."
        )
    new = filled[:, FIRST:][q[:, FIRST:] == 0]
    if not new.any():
        return "All zeros are still there."
    if float(new.min()) >= 0 or float(new.max()) <= 0:
        return "All of the new numbers have the same sign; noise goes both ways."
    largest = float(new.abs().max())
    if largest > 1.001 * amount:
        return "Some of the new numbers are larger than `amount` steps."
    if largest < 0.7 * amount:
        return "None of the new numbers comes near `amount` steps: is `amount` halved somewhere?"
    if abs(float(new.mean())) > 0.15 * amount:
        return "The new numbers lean to one side; their mean should be near 0."
    before, after = filled[:-1, FIRST:], filled[1:, FIRST:]
    both = (q[:-1, FIRST:] == 0) & (q[1:, FIRST:] == 0)
    if torch.equal(before[both], after[both]):
        return "Each frame gets the same numbers, which rings; draw new ones for each."
    return ""
