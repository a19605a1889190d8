"""Residual vector quantization: say roughly what it is, then what you missed.

One codebook of 1024 vectors spends 10 bits on a latent. A codebook of 2^80 vectors would spend 80
bits and describe it far better, but would never fit in memory. Eight codebooks of 1024 also spend
80 bits: the first names the nearest vector, the next the nearest to the error that is left, and so
on. Dropping the last levels costs quality, not correctness, and that is how one model serves many
bandwidths.

Chapters 05 and 06. Paper: section 3.2. The codebooks are not learned by gradient: each is the
moving average of the vectors that chose it, so two running totals, `sums` and `counts`, are the
only truth and `embedding` is always derived from them.
"""

from typing import NamedTuple, cast

import torch
import torch.nn.functional as F
from torch import Tensor, distributed, nn

_INTEGERS = (torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64)
_ROWS = 4096


class Quantized(NamedTuple):
    """What a training pass through the quantizer gives back."""

    quantized: Tensor  #: [B, D, T], with the gradient passed straight through
    codes: Tensor  #: [B, K, T] int64
    commitment: Tensor  #: scalar: how far the latents are from their codes, mean over levels


def nearest(x: Tensor, embedding: Tensor) -> Tensor:
    """Index of the row of `embedding` closest to each row of `x`.

    Uses ‖x − e‖² = ‖x‖² − 2 x·e + ‖e‖², one matrix product instead of an [N, size, D] difference.
    Written term by term as the official code does, so that even near ties fall the same way.

    Shape:
        x: [N, D]; embedding: [size, D] → [N] int64

    >>> nearest(torch.tensor([[0.9, 0.1]]), torch.eye(2))
    tensor([0])
    """
    distance = x.pow(2).sum(1, keepdim=True) - 2 * x @ embedding.t()
    distance = distance + embedding.t().pow(2).sum(0)
    return distance.min(dim=1).indices


def kmeans(x: Tensor, size: int, iterations: int = 20) -> tuple[Tensor, Tensor]:
    """Means and counts of `size` clusters of the rows of `x` (Lloyd's algorithm).

    Distances are computed a few thousand rows at a time, so memory does not grow with N. A cluster
    that nobody chose keeps its mean.

    Shape:
        x: [N, D] → means [size, D], counts [size]
    """
    if len(x) >= size:
        chosen = torch.randperm(len(x), device=x.device)[:size]
    else:
        chosen = torch.randint(len(x), (size,), device=x.device)
    means = x[chosen]
    counts = torch.zeros(size, device=x.device)
    for _ in range(iterations):
        codes = torch.cat([nearest(rows, means) for rows in x.split(_ROWS)])
        sums, counts = _totals(x, codes, size)
        means = torch.where(counts[:, None] > 0, sums / counts[:, None], means)
    return means, counts


def _totals(x: Tensor, codes: Tensor, size: int) -> tuple[Tensor, Tensor]:
    sums = x.new_zeros(size, x.shape[1]).index_add_(0, codes, x)
    counts = torch.bincount(codes, minlength=size).to(x.dtype)
    return sums, counts


def _together() -> bool:
    """Whether several processes train one model."""
    return distributed.is_available() and distributed.is_initialized()


def _gather(x: Tensor) -> Tensor:
    """The rows that all processes hold, in the order of the processes; batches are equally long."""
    if not _together():
        return x
    x = x.contiguous()
    parts = [torch.empty_like(x) for _ in range(distributed.get_world_size())]
    distributed.all_gather(parts, x)
    return torch.cat(parts)


def _agree(x: Tensor) -> Tensor:
    """The first process's value, in every process: what was drawn at random differs among them."""
    if _together():
        distributed.broadcast(x, src=0)
    return x


class Codebook(nn.Module):
    """`size` vectors, each kept at the average of the latents that chose it.

    Args:
        size: number of vectors; a code costs `log2(size)` bits.
        dim: D, of one vector.
        decay: of the moving averages; 0.99 remembers about the last hundred batches.
        dead_share: a vector used less than this share of an even split is thrown out and restarts
            from a latent of the present batch.

    >>> book = Codebook(size=16, dim=8)
    >>> codes = book.encode(torch.randn(5, 8))
    >>> book.decode(codes).shape
    torch.Size([5, 8])
    """

    embedding: Tensor
    sums: Tensor
    counts: Tensor
    initialized: Tensor

    def __init__(self, size: int, dim: int, decay: float = 0.99, dead_share: float = 0.1):
        super().__init__()
        self.decay = decay
        self.dead_share = dead_share
        self.register_buffer("embedding", torch.randn(size, dim) / dim**0.5)
        self.register_buffer("sums", self.embedding.clone())
        self.register_buffer("counts", torch.ones(size))
        self.register_buffer("initialized", torch.tensor(False))

    def encode(self, x: Tensor) -> Tensor:
        """Shape: x [N, D] → codes [N]."""
        return nearest(x, self.embedding)

    def decode(self, codes: Tensor) -> Tensor:
        """Shape: codes [...] → [..., D]."""
        return F.embedding(codes, self.embedding)

    @torch.no_grad()
    def initialize(self, x: Tensor) -> None:
        """Start from k-means of the latents `x` [N, D].

        The totals start as `means * counts`, not as the means: the next average divides them by
        the counts again.
        """
        means, counts = kmeans(_gather(x), len(self.embedding))
        self.counts.copy_(_agree(counts).clamp(min=1))
        self.embedding.copy_(_agree(means))
        self.sums.copy_(self.embedding * self.counts[:, None])
        self.initialized.fill_(True)

    @torch.no_grad()
    def update(self, x: Tensor, codes: Tensor) -> None:
        """Move the averages towards the latents `x` [N, D] that chose `codes` [N].

        Vectors that are hardly chosen any more are replaced in the totals themselves, so the next
        average does not bring the old ones back. Where several processes train together, the totals
        are those of all of them, and all take the same replacements.
        """
        sums, counts = _totals(x, codes, len(self.embedding))
        if _together():
            distributed.all_reduce(sums)
            distributed.all_reduce(counts)
        self.sums.lerp_(sums, 1 - self.decay)
        self.counts.lerp_(counts, 1 - self.decay)
        even = self.counts.mean()
        dead = self.counts < self.dead_share * even
        if dead.any():
            x = _gather(x)
            fresh = _agree(x[torch.randint(len(x), (len(dead),), device=x.device)])
            self.counts.copy_(torch.where(dead, even, self.counts))
            self.sums.copy_(torch.where(dead[:, None], fresh * even, self.sums))
        self.embedding.copy_(self.sums / self.counts[:, None])


class ResidualVectorQuantizer(nn.Module):
    """Quantize with `n_q` codebooks, each on what the ones before it left over.

    Args:
        dim: D, of one latent vector.
        n_q: codebooks; each one costs `log2(codebook_size) * frame_rate` bits per second.
        codebook_size: vectors in each codebook.

    Shape:
        x: [B, D, T] → quantized [B, D, T], codes [B, K, T] with K ≤ n_q

    >>> rvq = ResidualVectorQuantizer(dim=8, n_q=4, codebook_size=16)
    >>> codes = rvq.encode(torch.randn(1, 8, 5), n_q=2)
    >>> codes.shape, rvq.decode(codes).shape
    (torch.Size([1, 2, 5]), torch.Size([1, 8, 5]))
    """

    def __init__(self, dim: int, n_q: int, codebook_size: int = 1024):
        super().__init__()
        self.dim = dim
        self.codebooks = nn.ModuleList(Codebook(codebook_size, dim) for _ in range(n_q))

    def encode(self, x: Tensor, n_q: int | None = None) -> Tensor:
        """Codes of the first `n_q` levels (all of them by default).

        Shape:
            x: [B, D, T] → [B, K, T] int64

        Raises:
            ValueError: if `x` is not [B, D, T], or for a number of levels that there is not.
        """
        residual = self._flatten(x)
        codes = []
        for book in self._levels(n_q):
            index = book.encode(residual)
            residual = residual - book.decode(index)
            codes.append(index.view(x.shape[0], x.shape[2]))
        return torch.stack(codes, dim=1)

    def decode(self, codes: Tensor) -> Tensor:
        """Sum of the vectors that the codes name.

        Shape:
            codes: [B, K, T] → [B, D, T]

        Raises:
            ValueError: for more levels than there are codebooks.
        """
        levels = self._levels(codes.shape[1])
        vectors = [book.decode(index) for book, index in zip(levels, codes.unbind(1))]
        # One after another, as when encoding: sums of floats depend on their order.
        total = vectors[0]
        for vector in vectors[1:]:
            total = total + vector
        return total.transpose(1, 2)

    def forward(self, x: Tensor, n_q: int | None = None) -> Quantized:
        """Quantize; in training mode also learn.

        The commitment term pulls the latents towards their codes at *every* level, because each
        level's residual is taken from the latents themselves, with only the codes detached.
        Training starts one new codebook a step, so that each k-means sees the residual of
        codebooks that already work.

        Raises:
            ValueError: as `encode`.
        """
        residual = self._flatten(x)
        total, codes, losses = torch.zeros_like(residual), [], []
        for book in self._levels(n_q):
            first = self.training and not book.initialized
            if first:
                book.initialize(residual)
            index = book.encode(residual.detach())
            vector = book.decode(index)
            if self.training and not first:
                book.update(residual, index)
            losses.append(F.mse_loss(residual, vector))
            residual = residual - vector
            total = total + vector
            codes.append(index.view(x.shape[0], x.shape[2]))
            if first:
                break
        quantized = total.view(x.shape[0], x.shape[2], self.dim).transpose(1, 2)
        straight_through = x + (quantized - x).detach()
        return Quantized(straight_through, torch.stack(codes, dim=1), torch.stack(losses).mean())

    def _flatten(self, x: Tensor) -> Tensor:
        if x.dim() != 3 or x.shape[1] != self.dim:
            raise ValueError(
                f"the quantizer takes latents [B, {self.dim}, T], but was given {list(x.shape)}."
            )
        return x.transpose(1, 2).reshape(-1, self.dim)

    def _levels(self, n_q: int | None) -> list[Codebook]:
        books = [cast(Codebook, book) for book in self.codebooks]
        if n_q is not None and not 1 <= n_q <= len(books):
            raise ValueError(f"this quantizer has 1 to {len(books)} codebooks, not {n_q}.")
        return books[:n_q]


def check_codes(codes: Tensor, n_q: int, size: int) -> None:
    """Check that this can be a batch of codes.

    Args:
        codes: should be [B, K, T] of integers in [0, size), K at most `n_q`.

    Raises:
        ValueError: naming what it is instead.
    """
    if not isinstance(codes, Tensor) or codes.dim() != 3 or codes.dtype not in _INTEGERS:
        found = type(codes).__name__
        if isinstance(codes, Tensor):
            found = f"tensor {list(codes.shape)} of {str(codes.dtype)[6:]}"
        raise ValueError(f"codes are an integer tensor [B, K, T], but this is a {found}.")
    if codes.numel() == 0 or codes.shape[1] > n_q:
        raise ValueError(
            f"codes need at least one frame and 1 to {n_q} levels, but their shape is "
            f"{list(codes.shape)}."
        )
    if not 0 <= int(codes.min()) <= int(codes.max()) < size:
        raise ValueError(
            f"codes lie between 0 and {size - 1}, but these reach from {int(codes.min())} to "
            f"{int(codes.max())}."
        )
