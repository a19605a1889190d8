"""The simplest model of codes that saves anything: count them.

A code that has been frequent so far will be frequent again. So each codebook keeps a count for each
of its codes, the counts *are* the frequency table, and after each frame the codes just seen are
counted. The decoder sees the same codes and so keeps the same counts: nothing has to be sent. No
network, no floats, and so exact.

A chunk of a stream is short, 375 frames for tables of 1024 codes, and most codes have not been seen
yet when it ends. It helps to begin with the counts of other material, a *prior*, which then is part
of the model: encoder and decoder must have the same.

Chapter 11. Adaptive models: Witten, Neal and Cleary, *Arithmetic coding for data compression*,
1987.
"""

import hashlib
from collections.abc import Iterable

import torch
from torch import Tensor

from minicodec.bits.range_coder import MAX_TOTAL
from minicodec.model.codec import Codec
from minicodec.model.quantize import Codebook


class Histogram:
    """Adaptive counts, a `minicodec.bits.range_coder.CodeModel`.

    Args:
        codebook_size: N.
        prior: [K, N] integers ≥ 1, the counts to begin with, for up to K codebooks, as `count`
            makes them, each row adding up to at most 2^24; None begins with ones, for any number
            of codebooks.
        increment: what an occurrence adds. A large one learns fast what is special about this
            stream; a small one stays close to the prior. By default 8, or 32 with a prior, for one
            that adds up to 2^14: about the best for real codes in chunks of 5 s.

    Raises:
        ValueError: for a prior or an increment that is not as above.

    >>> histogram = Histogram(codebook_size=4, increment=10)
    >>> table, state = histogram.stream(None, histogram.start(n_q=1))
    >>> table
    tensor([[1, 1, 1, 1]])
    >>> histogram.stream(torch.tensor([2]), state)[0]
    tensor([[ 1,  1, 11,  1]])
    """

    def __init__(
        self, codebook_size: int, prior: Tensor | None = None, increment: int | None = None
    ):
        if prior is not None and (
            prior.dim() != 2
            or prior.numel() == 0
            or prior.shape[1] != codebook_size
            or prior.is_floating_point()
            or int(prior.min()) < 1
            or int(prior.max()) > MAX_TOTAL
            or int(prior.sum(1).max()) > MAX_TOTAL
        ):
            raise ValueError(
                f"a prior is of integers [K, {codebook_size}] from 1 on, whose rows add up to at "
                f"most {MAX_TOTAL}, but this is {str(prior.dtype)[6:]} {list(prior.shape)}."
            )
        if increment is None:
            increment = 8 if prior is None else 32
        if not 1 <= increment <= MAX_TOTAL // 4:
            raise ValueError(f"an increment is from 1 to {MAX_TOTAL // 4}, not {increment}.")
        self.codebook_size = codebook_size
        self.prior = None if prior is None else prior.to("cpu", torch.int64)
        self.increment = increment

    @property
    def fingerprint(self) -> bytes:
        """Eight bytes that name the prior; zeros if there is none."""
        if self.prior is None:
            return bytes(8)
        return hashlib.sha256(self.prior.numpy().tobytes()).digest()[:8]

    def start(self, n_q: int) -> Tensor:
        """The counts to begin with, [n_q, N].

        Raises:
            ValueError: for more codebooks than the prior has.
        """
        if n_q < 1 or (self.prior is not None and n_q > len(self.prior)):
            known = "1 or more" if self.prior is None else f"1 to {len(self.prior)}"
            raise ValueError(f"this histogram knows {known} codebooks, not {n_q}.")
        if self.prior is None:
            return torch.ones(n_q, self.codebook_size, dtype=torch.int64)
        return self.prior[:n_q]

    def stream(self, codes: Tensor | None, state: Tensor) -> tuple[Tensor, Tensor]:
        """Count a frame: codes [K] → the table for the next one [K, N], and the new counts."""
        if codes is None:
            return state, state
        counts = state.clone()
        counts[torch.arange(len(codes)), codes] += self.increment
        full = counts.sum(1) > MAX_TOTAL - self.increment
        counts[full] = (counts[full] + 1) // 2  # the distant past fades; no count falls to 0
        return counts, counts

    def tables(self, codes: Tensor) -> Tensor:
        """codes [K, T] → the table before each frame, [T, K, N].

        Step by step as the decoder does, since counting is quick: they cannot differ.

        Raises:
            ValueError: for more codebooks than the prior has.
        """
        table, state = self.stream(None, self.start(len(codes)))
        tables = [table]
        for frame in codes.T[:-1]:
            table, state = self.stream(frame, state)
            tables.append(table)
        return torch.stack(tables)[: codes.shape[1]]


def for_codec(codec: Codec) -> Histogram:
    """The histogram that begins with how often each code was chosen when the codec was trained.

    A codec without such counts, as one with learned codebooks, gets a histogram without a prior.
    """
    books = [book for book in codec.quantizer.codebooks if isinstance(book, Codebook)]
    if not books:
        return Histogram(codec.config.codebook_size)
    counts = torch.stack([book.counts for book in books]).cpu().double()
    # From here on in integers: both sides must find the same prior, to the last bit.
    whole = (counts.clamp(max=2.0**20) * 2**20).floor().long()
    if not bool((whole.amin(1) < whole.amax(1)).all()):
        return Histogram(codec.config.codebook_size)  # never counted
    prior = 1 + whole * (1 << 14) // whole.sum(1, keepdim=True)
    return Histogram(codec.config.codebook_size, prior)


def count(clips: Iterable[Tensor], codebook_size: int, total: int = 1 << 14) -> Tensor:
    """A prior from the codes of many clips.

    Args:
        clips: codes [K, T] of each, all with the same K.
        codebook_size: N.
        total: what each codebook's counts add up to, about; 2^14 says all that matters.

    Shape:
        [K, N] int64, each at least 1

    Raises:
        ValueError: if there are no codes, or some that are not of such codebooks.

    >>> count([torch.tensor([[0, 0, 0, 1]])], codebook_size=4, total=16)
    tensor([[8, 4, 2, 2]])
    """
    counts = None
    for codes in clips:
        counts = torch.ones(len(codes), codebook_size) if counts is None else counts
        if codes.numel() and not 0 <= int(codes.min()) <= int(codes.max()) < codebook_size:
            raise ValueError(f"codes to count lie in 0 to {codebook_size - 1}.")
        if codes.dim() != 2 or len(codes) != len(counts):
            raise ValueError(
                f"codes to count are [{len(counts)}, T], but these are {list(codes.shape)}."
            )
        counts += torch.stack([torch.bincount(row, minlength=codebook_size) for row in codes])
    if counts is None:
        raise ValueError("a prior needs the codes of at least one clip.")
    shares = counts / counts.sum(1, keepdim=True)
    return (shares * total).round().clamp_min(1).long()
