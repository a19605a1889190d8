"""Support: behind the exercises of chapter 10: batch, pass, codebooks and rate, right and wrong.

Gradients, and what they move, are in `answers_10_updates`.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Generator, Tensor, nn

from minicodec.exercises.limited import Failed
from minicodec.exercises.trying import draw
from minicodec.model.codec import Codec
from minicodec.model.config import CodecConfig
from minicodec.model.quantize import Codebook
from minicodec.training.config import TrainConfig

#: A codec that is built and run in milliseconds.
TINY = CodecConfig(
    sample_rate=8000,
    n_filters=2,
    dimension=8,
    strides=(2, 4, 5),
    lstm_layers=0,
    codebook_size=16,
    bandwidths=(0.8, 1.6, 3.2),
)

# A batch.


def mix(sounds: Sequence[Tensor], gains: Sequence[float]) -> Tensor:
    """Sounds at levels in decibels, added; made quieter as a whole where they would clip.

    >>> mix([torch.tensor([0.5, -1.0])], [20 * math.log10(2)])
    tensor([ 0.5000, -1.0000])
    """
    return mix_with()(sounds, gains)


def mix_with(
    gain: Callable[[float], float] = lambda db: 10 ** (db / 20),
    safe: Callable[[Tensor], Tensor] = lambda x: x / max(1.0, float(x.abs().max())),
    each: Callable[[Tensor], Tensor] = lambda x: x,
    total: Callable[[Tensor], Tensor] = lambda x: x.sum(0),
    one_gain: bool = False,
) -> Callable[[Sequence[Tensor], Sequence[float]], Tensor]:
    """A mixture with another gain, or another way to keep it from clipping."""

    def mixed(sounds: Sequence[Tensor], gains: Sequence[float]) -> Tensor:
        used = [gains[0]] * len(gains) if one_gain else gains
        parts = [each(sound * gain(db)) for sound, db in zip(sounds, used)]
        return safe(total(torch.stack(parts)))

    return mixed


def quiet_and_loud(generator: Generator) -> tuple[list[Tensor], list[list[float]]]:
    """Two sounds [1, 50], and gains with which they do not clip, and do."""
    sounds = [torch.rand(1, 50, generator=generator) - 0.7 for _ in range(2)]
    low, high = -25 + 5 * torch.rand(2, generator=generator), torch.tensor([11.0, 4.0])
    return sounds, [low.tolist(), high.tolist()]


def both_mixed(
    answer: Callable[..., Any], sounds: list[Tensor], gains: list[list[float]]
) -> list[Any]:
    """A single quiet sound, two quiet ones, two loud ones."""
    quiet, loud = gains
    cases = ((sounds[:1], quiet[:1]), (sounds, quiet), (sounds, loud))
    return [answer([sound.clone() for sound in given], levels) for given, levels in cases]


# Forwards.


def forward(codec: Codec, x: Tensor, bandwidth: float | None = None) -> tuple[Tensor, Tensor]:
    """Copy and commitment loss; without a bandwidth, without the quantizer.

    Shape:
        x: [B, 1, T] → [B, 1, T], scalar
    """
    some = bandwidth or codec.config.bandwidths[0]
    output, _, commitment = codec(x, some, bandwidth is not None)
    return output, commitment


def forward_with(
    levels: Callable[[float], int | None] = TINY.n_q,
    when: Callable[[float | None], bool] = lambda bandwidth: bandwidth is not None,
    cut: bool = True,
    decoded: bool = True,
    nothing: Callable[[Tensor], Any] = lambda latents: latents.new_zeros(()),
) -> Callable[..., Any]:
    """A pass with another number of levels, or with something left out."""

    def passed(codec: Codec, x: Tensor, bandwidth: float | None = None) -> Any:
        latents = codec.encoder(x)
        seen, commitment = latents, nothing(latents)
        if when(bandwidth):
            seen, _, commitment = codec.quantizer(latents, levels(bandwidth or 0.8))
        output = codec.decoder(seen if decoded else latents)
        return output[..., : x.shape[-1]] if cut else output, commitment

    return passed


def forward_by_codes(codec: Codec, x: Tensor, bandwidth: float | None = None) -> Any:
    """By the methods for use, through which nothing learns."""
    if bandwidth is None:
        return forward(codec, x)
    copy = codec.decode(codec.encode(x, bandwidth), length=x.shape[-1])
    return copy, codec.quantizer(codec.encoder(x), TINY.n_q(bandwidth))[2]


def seed_and_clips(generator: Generator) -> tuple[int, Tensor]:
    """A seed for the codec, and clips [2, 1, T] of no whole number of frames."""
    samples = 40 * draw(generator, 10, 14) + draw(generator, 5, 35)
    return draw(generator, 0, 2**31), torch.randn(2, 1, samples, generator=generator)


def passed(answer: Callable[..., Any], seed: int, x: Tensor) -> list[Any]:
    """Without and with the quantizer: what comes out, and what the encoder would learn from it."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        codec = Codec(TINY).eval()
        return [_one_pass(answer, codec, x, bandwidth) for bandwidth in (None, 1.6)]


def _one_pass(answer: Callable[..., Any], codec: Codec, x: Tensor, bandwidth: float | None) -> Any:
    result = answer(codec, x, bandwidth)
    if result is None:
        return None
    if not isinstance(result, (tuple, list)) or len(result) != 2:
        raise Failed("It gives something else than a pair: the copy, and the commitment loss.")
    output, commitment = result
    if not isinstance(output, Tensor):
        raise Failed("The first of the two is no tensor: the copy comes first.")
    weight = next(codec.encoder.parameters())
    gradient = None
    if output.requires_grad:
        (gradient,) = torch.autograd.grad(output.pow(2).sum(), weight, allow_unused=True)
    learned = torch.zeros_like(weight) if gradient is None else gradient
    return {
        "copy": output.detach(),
        "commitment": commitment,
        "gradient at the encoder's first layer": learned,
    }


# The start of the codebooks.

Start = Callable[[Sequence[Codebook], Tensor], Any]


def start(codebooks: Sequence[Codebook], latents: Tensor) -> list[float]:
    """K-means level by level; the mean square that is left, before the first and after each.

    Shape:
        latents: [rows, D]
    """
    result: list[float] = start_with()(codebooks, latents)
    return result


def start_with(
    learned_from: Callable[[Tensor, Tensor], Tensor] = lambda latents, residual: residual,
    left: Callable[[Tensor, Tensor, Tensor], Tensor] = lambda z, residual, vector: (
        residual - vector
    ),
    energy: Callable[[Tensor], Tensor] = lambda x: x.pow(2).mean(),
    which: slice = slice(None),
    told: slice = slice(None),
) -> Start:
    """A start that learns from something else, or hands something else on to the next level."""

    @torch.no_grad()
    def started(codebooks: Sequence[Codebook], latents: Tensor) -> list[float]:
        residual, errors = latents, [float(energy(latents))]
        first = list(codebooks)[which]
        for book in codebooks:
            if any(book is one for one in first):
                book.initialize(learned_from(latents, residual))
            residual = left(latents, residual, book.decode(book.encode(residual)))
            errors.append(float(energy(residual)))
        return errors[told]

    return started


def seed_and_latents(generator: Generator) -> tuple[int, Tensor]:
    """A seed for k-means, and latents [60, 4] whose mean is not zero."""
    return draw(generator, 0, 2**31), 1 + torch.randn(60, 4, generator=generator)


def started(answer: Start, seed: int, latents: Tensor) -> Any:
    """What a start tells, and three codebooks after it."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        books = nn.ModuleList(Codebook(6, 4) for _ in range(3))
        result = answer(books, latents)  # type: ignore[arg-type]
    if result is None:
        return None
    vectors = torch.stack([book.embedding for book in books])  # type: ignore[misc]
    return {"energies": result, "codebooks": vectors}


# The learning rate.


def rate(step: int, total: int, highest: float = 5e-3, lowest: float = 1e-4) -> float:
    """Half a cosine from the highest to the lowest, which then stays.

    >>> [round(rate(step, 10, 1.0, 0.2), 3) for step in (0, 5, 10, 12)]
    [1.0, 0.6, 0.2, 0.2]
    """
    config = TrainConfig(steps=total + 1, learning_rate=highest, final_rate=lowest / highest)
    return config.rate(step)


def rate_with(
    shape: Callable[[float], float],
    clamped: bool = True,
    bottom: Callable[[float], float] = lambda low: low,
) -> Callable[[int, int, float, float], float]:
    """A rate whose way down from 1 to 0 is another one."""

    def of(step: int, total: int, highest: float, lowest: float) -> float:
        way = step / total
        low = bottom(lowest)
        return low + (highest - low) * shape(min(1.0, way) if clamped else way)

    return of


def half_cosine(way: float) -> float:
    """From 1 at 0 to 0 at 1."""
    return (1 + math.cos(math.pi * way)) / 2


def total_and_rates(generator: Generator) -> tuple[int, float, float]:
    """A number of steps, the highest rate, the lowest."""
    highest = 0.01 + 0.09 * float(torch.rand((), generator=generator))
    return 100 * draw(generator, 1, 9), highest, highest / draw(generator, 5, 20)


def whole_way(answer: Callable[..., Any], total: int, highest: float, lowest: float) -> list[Any]:
    """The rates at the start, on the way, at the end and beyond."""
    steps = (0, total // 4, total // 2, total * 9 // 10, total, total * 13 // 10)
    return [answer(step, total, highest, lowest) for step in steps]
