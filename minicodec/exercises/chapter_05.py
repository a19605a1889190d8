"""Support: the exercises of chapter 05, vector quantization."""

import torch
from torch import Generator, Tensor

from minicodec.exercises.exercise import Exercise, Mistake
from minicodec.model.quantize import nearest


def _latents_and_book(generator: Generator) -> tuple[Tensor, Tensor]:
    size = int(torch.randint(8, 40, (), generator=generator))
    z = torch.randn(50, 6, generator=generator)
    # Vectors of unequal length: whoever forgets a norm picks others.
    book = torch.randn(size, 6, generator=generator) * torch.linspace(0.3, 2, size)[:, None]
    return z, book


def _products(z: Tensor, book: Tensor) -> Tensor:
    return z @ book.T


EXERCISES = (
    Exercise(
        "05.nearest_code",
        "Give the number of the nearest vector for each latent, by equation (1), without a loop.",
        nearest,
        (
            Mistake(
                "These are the farthest vectors: a distance is to be small, so argmin, not argmax.",
                lambda z, e: torch.cdist(z, e).argmax(1),
            ),
            Mistake(
                "This takes the largest product; a long vector then wins although it is far away. "
                "Where is ‖e‖² of equation (1)?",
                lambda z, e: _products(z, e).argmax(1),
            ),
            Mistake(
                "The factor 2 of equation (1) is missing.",
                lambda z, e: (e.pow(2).sum(1) - _products(z, e)).argmin(1),
            ),
            Mistake(
                "The product in equation (1) has a minus sign.",
                lambda z, e: (e.pow(2).sum(1) + 2 * _products(z, e)).argmin(1),
            ),
            Mistake(
                "One number for each vector of the codebook; it should be one for each latent. "
                "Along which axis is the smallest sought?",
                lambda z, e: torch.cdist(z, e).argmin(0),
            ),
        ),
        minutes=8,
        inputs=_latents_and_book,
    ),
    Exercise(
        "05.bits_per_second",
        "Give the bits per second of one codebook of 1024 vectors at 75 latents per second.",
        750.0,
        (
            Mistake("That is the number of vectors per second; how many bits name one?", 75.0),
            Mistake("1024 vectors are named by fewer than 1024 bits.", 76800.0),
            Mistake("That is kilobits; the question asks for bits.", 0.75),
            Mistake("That is the natural logarithm of 1024; a bit halves, so base 2.", 519.86),
        ),
        minutes=2,
        kind="paper",
    ),
)
