"""Support: behind the exercises of chapter 05: right answers, input, and ways to be wrong.

What the package has stays there: here it is taken out of its classes, a step at a time.
"""

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from minicodec.exercises.trying import draw, value_and_gradients
from minicodec.model.quantize import Codebook, nearest

Totals = tuple[Tensor, Tensor]


def lloyd_step(x: Tensor, means: Tensor) -> Tensor:
    """One round of k-means: each vector moves to the mean of its points, or stays if it has none.

    Shape:
        x: [points, D]; means: [N, D] → [N, D]

    >>> lloyd_step(torch.tensor([[0.0], [2.0], [9.0]]), torch.tensor([[0.0], [5.0], [50.0]]))
    tensor([[ 1.],
            [ 9.],
            [50.]])
    """
    codes, moved = nearest(x, means), means.clone()
    for index in range(len(means)):
        mine = x[codes == index]
        if len(mine):
            moved[index] = mine.mean(0)
    return moved


def straight_through(z: Tensor, vector: Tensor) -> Tensor:
    """The code's vector forwards, z backwards.

    Shape:
        z: [frames, D]; vector: [frames, D] → [frames, D]
    """
    return z + (vector - z).detach()


def running_means(
    sums: Tensor, counts: Tensor, z: Tensor, decay: float = 0.99
) -> tuple[Tensor, Tensor]:
    """Both totals after one more batch.

    Shape:
        sums: [N, D]; counts: [N]; z: [frames, D] → [N, D], [N]
    """
    book = _codebook(sums, counts, decay)
    book.update(z, book.encode(z))
    return book.sums, book.counts


def rescued(
    sums: Tensor, counts: Tensor, fresh: Tensor, share: float = 0.1
) -> tuple[Tensor, Tensor]:
    """Both totals after those with less than a share of an even count have begun anew.

    Shape:
        sums: [N, D]; counts: [N]; fresh: [N, D], a latent for each vector → [N, D], [N]
    """
    even = counts.mean()
    dead = counts < share * even
    counts = torch.where(dead, even, counts)
    return torch.where(dead[:, None], fresh * even, sums), counts


def gradient_step(embedding: Tensor, z: Tensor, rate: float) -> Tensor:
    """The codebook after one step down the mean squared distance of latents from their codes.

    Shape:
        embedding: [N, D]; z: [frames, D] → [N, D]
    """
    book = embedding.clone().requires_grad_()
    loss = (z - book[nearest(z, embedding)]).pow(2).sum(1).mean()
    (gradient,) = torch.autograd.grad(loss, book)
    return embedding - rate * gradient


def _codebook(sums: Tensor, counts: Tensor, decay: float) -> Codebook:
    size, dim = sums.shape
    with torch.random.fork_rng(devices=[]):  # a check draws nothing from the chapter's numbers
        book = Codebook(size, dim, decay=decay, dead_share=0.0)
    book.sums.copy_(sums)
    book.counts.copy_(counts)
    book.embedding.copy_(sums / counts[:, None])
    return book


def latents_and_book(generator: Generator) -> tuple[Tensor, Tensor]:
    """z [50, 6] and a codebook [N, 6]."""
    z = torch.randn(50, 6, generator=generator)
    return z, _book(generator)


def _book(generator: Generator) -> Tensor:
    size = draw(generator, 8, 40)
    # Vectors of unequal length: whoever forgets a norm picks others.
    return torch.randn(size, 6, generator=generator) * torch.linspace(0.3, 2, size)[:, None]


def points_and_means(generator: Generator) -> Totals:
    """Points [60, 3] and vectors [N, 3], one of which nobody chooses."""
    size = draw(generator, 4, 8)
    x = torch.randn(60, 3, generator=generator) + 1
    means = x[torch.randperm(60, generator=generator)[:size]] + 0.1
    means[draw(generator, 0, size - 1)] = 40.0  # nobody chooses it
    return x, means


def one_after_the_other(x: Tensor, means: Tensor) -> Tensor:
    """Each vector moves before the points of the next one are sought."""
    moved = means.clone()
    for index in range(len(means)):
        mine = x[nearest(x, moved) == index]
        if len(mine):
            moved[index] = mine.mean(0)
    return moved


def assigned(x: Tensor, means: Tensor) -> tuple[Tensor, Tensor]:
    """Sums and counts of the points of each vector."""
    chosen = F.one_hot(nearest(x, means), len(means)).to(x)
    return chosen.T @ x, chosen.sum(0)[:, None]


def z_vector_and_weights(generator: Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Three times [7, 4]: latents, their vectors, and a gradient that comes from behind."""
    z, vector, weights = (torch.randn(7, 4, generator=generator) for _ in range(3))
    return z, vector, weights


def passed(answer: Callable[..., Any], z: Tensor, vector: Tensor, weights: Tensor) -> Any:
    """What comes out of a way past the choice, and where its gradient goes."""
    z, vector = (tensor.clone().requires_grad_() for tensor in (z, vector))
    to = {"gradient at z": z, "gradient at the vector": vector}
    return value_and_gradients(answer(z, vector), weights, to)


def totals_and_batch(generator: Generator) -> tuple[Tensor, Tensor, Tensor, float]:
    """Sums [N, 4], counts [N], latents [60, 4], and a decay."""
    size = draw(generator, 5, 9)
    counts = 1 + 5 * torch.rand(size, generator=generator)
    book = torch.randn(size, 4, generator=generator)
    book[draw(generator, 0, size - 1)] += 20.0  # nobody chooses it
    sums = counts[:, None] * book
    z = torch.randn(60, 4, generator=generator)
    return sums, counts, z, 0.8 + 0.15 * float(torch.rand((), generator=generator))


def updated(
    past: Callable[[float], float],
    new: Callable[[float], float],
    mean: bool = False,
    of_sums: bool = False,
    count_fades: bool = True,
    only_chosen: bool = False,
    divided: bool = False,
) -> Callable[..., Totals]:
    """An update with other factors, or another idea of what is added."""

    def update(sums: Tensor, counts: Tensor, z: Tensor, decay: float) -> Totals:
        book = sums if of_sums else sums / counts[:, None]
        chosen = F.one_hot(nearest(z, book), len(counts)).to(z)
        n, total = chosen.sum(0), chosen.T @ z
        if mean:
            total = total / n.clamp(min=1)[:, None]
        kept = torch.full_like(counts, past(decay))
        if only_chosen:
            kept[n == 0] = 1.0
        sums = kept[:, None] * sums + new(decay) * total
        counts = kept * counts + new(decay) * n if count_fades else counts + n
        return sums / counts[:, None] if divided else sums, counts

    return update


def towards_means(sums: Tensor, counts: Tensor, z: Tensor, decay: float) -> Totals:
    """The vectors go towards their batch's means, whoever chose them how often."""
    book = sums / counts[:, None]
    return (decay * book + (1 - decay) * lloyd_step(z, book)) * counts[:, None], counts.clone()


def codebook_after(sums: Tensor, counts: Tensor, z: Tensor, decay: float) -> Tensor:
    """What the totals make, without the totals."""
    sums, counts = running_means(sums, counts, z, decay)
    return sums / counts[:, None]


def unequal_totals(generator: Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Of 24 vectors 6 are dead; others are rare, but not by the measure of an even share."""
    counts = torch.rand(24, generator=generator)
    counts[:6] = 0.1 + 0.2 * counts[:6]
    counts[6:12] = 0.8 + counts[6:12]
    counts[12:] = 3 + 9 * counts[12:]
    # Not the largest count is the measure, nor a tenth of all, nor an even share itself.
    counts[12:15] = torch.tensor([3.0, 9.0, 40.0])
    counts = counts[torch.randperm(24, generator=generator)]
    sums = counts[:, None] * torch.randn(24, 4, generator=generator)
    return sums, counts, torch.randn(24, 4, generator=generator)


def rescue_with(
    dead: Callable[[Tensor], Tensor],
    sums: Callable[[Tensor, Tensor], Tensor],
    count: Callable[[Tensor], Tensor],
    even_of: Callable[[Tensor], Tensor] = lambda counts: counts,
) -> Callable[..., Totals]:
    """A rescue with another idea of who is dead, or of how it begins anew.

    Args:
        dead: from the counts.
        sums: of a vector that begins anew, from its latent and the even share.
        count: of such a vector, from the counts that make the even share.
        even_of: which of all counts make the even share.
    """

    def rescue(old: Tensor, counts: Tensor, fresh: Tensor) -> Totals:
        gone, shared = dead(counts), even_of(counts)
        new = torch.where(gone[:, None], sums(fresh, shared.mean()), old)
        return new, torch.where(gone, count(shared), counts)

    return rescue


def measured_twice(sums: Tensor, counts: Tensor, fresh: Tensor) -> Totals:
    """A rescue that computes the even share anew after the counts have changed."""
    dead, counts = rare(counts), torch.where(rare(counts), counts.mean(), counts)
    return torch.where(dead[:, None], fresh * counts.mean(), sums), counts


def crowded(sums: Tensor, counts: Tensor, fresh: Tensor) -> Totals:
    """A rescue that hands out the first fresh latents, not each vector's own."""
    dead, even, sums = rare(counts), counts.mean(), sums.clone()
    sums[dead] = fresh[: int(dead.sum())] * even
    return sums, torch.where(dead, even, counts)


def rare(counts: Tensor) -> Tensor:
    """Which counts are below a tenth of an even share."""
    return counts < 0.1 * counts.mean()


def book_batch_and_rate(generator: Generator) -> tuple[Tensor, Tensor, float]:
    """A codebook [N, 6], latents [50, 6], and a learning rate."""
    z, book = latents_and_book(generator)
    return book, z, 0.2 + float(torch.rand((), generator=generator))


def moved(factor: Callable[[Tensor], float], per_code: bool = False) -> Callable[..., Tensor]:
    """A step that is so many times the right one, or that forgets how many chose a vector."""

    def step(book: Tensor, z: Tensor, rate: float) -> Tensor:
        if per_code:
            return book + rate * (lloyd_step(z, book) - book)
        return book + factor(z) * (gradient_step(book, z, rate) - book)

    return step
