"""Support: behind the exercises of chapter 06: right answers and input.

What the package has stays there: here it is taken out of its classes.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Generator, Tensor

from minicodec.exercises.answers_05 import lloyd_step
from minicodec.exercises.trying import draw, value_and_gradients
from minicodec.model.quantize import ResidualVectorQuantizer, nearest
from minicodec.sound.metrics import codebook_use

#: Gives a codebook [size, D] for points [.., D].
Fit = Callable[[Tensor, int], Tensor]
#: What is left after a level, from z, the residual before it, and the vector that it named.
Step = Callable[[Tensor, Tensor, Tensor], Tensor]


def encode(z: Tensor, books: Sequence[Tensor]) -> Tensor:
    """Codes of every level.

    Shape:
        z: [frames, D]; books: K × [N, D] → [K, frames]
    """
    return quantizer(books).encode(z.T[None])[0]


def decode(codes: Tensor, books: Sequence[Tensor]) -> Tensor:
    """Sum of the vectors that the codes name.

    Shape:
        codes: [K, frames]; books: K × [N, D] → [frames, D]
    """
    return quantizer(books).decode(codes[None])[0].T


def commitment(z: Tensor, books: Sequence[Tensor]) -> Tensor:
    """Of each level: the mean squared difference of its residual and its vector.

    The mean over the levels is the commitment loss of the package's quantizer.

    Shape:
        z: [frames, D]; books: K × [N, D] → [K]
    """
    return committed()(z, books)


def learned_books(x: Tensor, n_q: int, size: int, fit: Fit) -> list[Tensor]:
    """A codebook for each level, fitted to what the levels before it leave over.

    Shape:
        x: [points, D] → n_q × [size, D]
    """
    residual, books = x, []
    for _ in range(n_q):
        book = fit(residual, size)
        residual = residual - book[nearest(residual, book)]
        books.append(book)
    return books


def without_level(codes: Tensor, books: Sequence[Tensor], missing: int) -> Tensor:
    """The sum of all levels but one; levels count from 1.

    Shape:
        codes: [K, frames]; books: K × [N, D] → [frames, D]
    """
    return decode(codes, books) - books[missing - 1][codes[missing - 1]]


def quantizer(books: Sequence[Tensor]) -> ResidualVectorQuantizer:
    """The package's, with these books [N, D], not in training."""
    size, dim = books[0].shape
    with torch.random.fork_rng(devices=[]):  # a check draws nothing from the chapter's numbers
        rvq = ResidualVectorQuantizer(dim, len(books), size).eval()
    for level, book in zip(rvq.codebooks, books):
        level.embedding.copy_(book)  # type: ignore[operator]
    return rvq


def kbps(n_q: int, size: int, frame_rate: float) -> float:
    """Bits per second of `n_q` codebooks of `size` vectors, in thousands."""
    return n_q * math.log2(size) * frame_rate / 1000


def entropy(codes: Tensor, size: int) -> Tensor:
    """Of each level: the entropy of its codes in bits.

    Shape:
        codes: [K, frames], from 0 to size - 1 → [K]
    """
    return codebook_use(codes[None], size).entropy


def latents_and_books(generator: Generator) -> tuple[Tensor, list[Tensor]]:
    """z [40, D] and K × [16, D], finer from level to level, as leftovers are."""
    n_q, dim = draw(generator, 4, 6), draw(generator, 7, 9)
    z = torch.randn(40, dim, generator=generator)
    books = [0.7**level * torch.randn(16, dim, generator=generator) for level in range(n_q)]
    return z, books


def codes_and_books(generator: Generator) -> tuple[Tensor, list[Tensor]]:
    """Codes [K, 40], each as likely as the others, and K × [16, D]."""
    z, books = latents_and_books(generator)
    return torch.randint(16, (len(books), len(z)), generator=generator), books


def codes_books_and_level(generator: Generator) -> tuple[Tensor, list[Tensor], int]:
    """As `codes_and_books`, and a level that is neither the first nor the last."""
    codes, books = codes_and_books(generator)
    return codes, books, draw(generator, 2, len(books) - 2)


def uneven_codes(generator: Generator) -> tuple[Tensor, int]:
    """Codes [K, 200]: some come often, some never; and the size of the codebooks."""
    size = 2 ** draw(generator, 4, 6)
    chance = torch.rand(draw(generator, 3, 5), size, generator=generator).pow(2)
    chance[:, : size // 4] = 0.0
    return torch.multinomial(chance, 200, replacement=True, generator=generator), size


def entropies(
    of: Callable[[Tensor], Tensor], share: Callable[[Tensor], Tensor] = lambda n: n / n.sum()
) -> Callable[[Tensor, int], Tensor]:
    """A number for each level, made of the shares [size] of its codes.

    Args:
        of: makes it.
        share: makes shares of the counts [size] of the codes.
    """

    def levels(codes: Tensor, size: int) -> Tensor:
        counts = [torch.bincount(row, minlength=size).float() for row in codes]
        return torch.stack([of(share(n)) for n in counts])

    return levels


def counts_size_and_rate(generator: Generator) -> tuple[int, int, float]:
    """2 to 16 codebooks of 16 to 512 vectors, and frames per second."""
    size = 2 ** draw(generator, 4, 9)
    return draw(generator, 2, 16), size, (12.5, 50.0, 75.0, 150.0)[draw(generator, 0, 3)]


def points_and_fit(generator: Generator) -> tuple[Tensor, int, int, Fit]:
    """Points [60, 3], 3 or 4 books of 4 to 6 vectors, and k-means from the first points on."""
    x = torch.randn(60, 3, generator=generator)
    return x, draw(generator, 3, 4), draw(generator, 4, 6), _fit


def _fit(x: Tensor, size: int) -> Tensor:
    means = x[:size].clone()
    for _ in range(3):
        means = lloyd_step(x, means)
    return means


def coded(left: Step) -> Callable[[Tensor, Sequence[Tensor]], Tensor]:
    """An encoder with another idea of what is left after a level."""

    def encoder(z: Tensor, books: Sequence[Tensor]) -> Tensor:
        residual, codes = z, []
        for book in books:
            codes.append(nearest(residual, book))
            residual = left(z, residual, book[codes[-1]])
        return torch.stack(codes)

    return encoder


def learned(left: Step, near_x: bool = False) -> Callable[..., list[Tensor]]:
    """Books that are learned with another idea of what is left after a level."""

    def learn(x: Tensor, n_q: int, size: int, fit: Fit) -> list[Tensor]:
        residual, books = x, []
        for _ in range(n_q):
            book = fit(residual, size)
            residual = left(x, residual, book[nearest(x if near_x else residual, book)])
            books.append(book)
        return books

    return learn


def rows_move_up(codes: Tensor, books: Sequence[Tensor], missing: int) -> Tensor:
    """The sum where a row is gone, but no book."""
    rows = [row for level, row in enumerate(codes) if level != missing - 1]
    return decode(torch.stack(rows), books[: len(rows)])


def latents_books_and_weights(generator: Generator) -> tuple[Tensor, list[Tensor], Tensor]:
    """As `latents_and_books`, and how much the loss of each level [K] shall count."""
    z, books = latents_and_books(generator)
    return z, books, 0.5 + torch.rand(len(books), generator=generator)


def pulled(answer: Callable[..., Any], z: Tensor, books: Sequence[Tensor], weights: Tensor) -> Any:
    """Commitment losses, and the gradient with which they pull z."""
    z = z.clone().requires_grad_()
    losses = answer(z, books)
    if isinstance(losses, (list, tuple)) and all(isinstance(loss, Tensor) for loss in losses):
        losses = torch.stack([*losses]) if losses else losses
    return value_and_gradients(losses, weights, {"gradient at z": z})


def committed(
    straight_through: bool = False, detached: bool = False, summed: bool = False
) -> Callable[[Tensor, Sequence[Tensor]], Tensor]:
    """Commitment losses, right or wrong in one of these ways."""

    def losses(z: Tensor, books: Sequence[Tensor]) -> Tensor:
        residual, found = z.detach() if detached else z, []
        for book in books:
            vector = book[nearest(residual.detach(), book)]
            squares = (residual - vector).pow(2)
            found.append(squares.sum(1).mean() if summed else squares.mean())
            passed = residual + (vector - residual).detach()
            residual = residual - (passed if straight_through else vector)
        return torch.stack(found)

    return losses
