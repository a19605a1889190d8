"""What does a code say? Guess something from it that is known, and count how often that is right.

If the phoneme can be guessed from a frame's code, then the code says the phoneme; if the speaker
can, it says who speaks. The guess must be simple, or it would say more of the guesser than of the
codes. Ours is a table: how often each code came with each label. As a score for every label, added
up over frames, it is a linear probe on one-hot codes, and counting fits it in one step.

Chapter 16b.
"""

import math

import torch
from torch import Tensor


def fit_table(codes: Tensor, labels: Tensor, size: int, kinds: int) -> Tensor:
    """Logarithm of the share of frames that have a code and a label.

    One is added to each count, so that what never came is unlikely and not impossible.

    Args:
        codes: of one level, 0 to size - 1.
        labels: of the same frames, 0 to kinds - 1.

    Shape:
        codes, labels: [frames] → [size, kinds]

    Raises:
        ValueError: if codes and labels are not of the same frames, or lie outside.

    >>> table = fit_table(torch.tensor([0, 0, 1]), torch.tensor([0, 0, 1]), size=2, kinds=2)
    >>> (7 * table.exp()).round().int().tolist()
    [[3, 1], [1, 2]]
    """
    counts = 1.0 + _counts(codes, labels, size, kinds)
    return (counts / counts.sum()).log().float()


def guess(codes: Tensor, table: Tensor) -> Tensor:
    """The label with the largest sum of scores over the frames of each window.

    Shape:
        codes: [windows, frames]; table: [size, kinds] → labels [windows]
    """
    return table[codes].sum(1).argmax(1)


def windows(frames: Tensor, length: int) -> Tensor:
    """Pieces of equal length; what is left at the end is left out.

    Shape:
        frames: [T] → [T // length, length]
    """
    return frames[: len(frames) // length * length].view(-1, length)


def information(codes: Tensor, labels: Tensor, size: int, kinds: int) -> float:
    """Bits that a code says of a label: how much less one has to ask once the code is known.

        I = Σ p(c, l) log₂ (p(c, l) / (p(c) p(l)))

    Few frames make it look too large, since what came once seems certain: see `excess`.

    Shape:
        codes, labels: [frames]

    Raises:
        ValueError: as `fit_table`.

    >>> a = torch.arange(400) % 4
    >>> [information(a, labels, 4, 4) for labels in (a, a // 2, torch.zeros_like(a))]
    [2.0, 1.0, 0.0]
    """
    joint = _counts(codes, labels, size, kinds) / len(codes)
    apart = joint.sum(1, keepdim=True) * joint.sum(0, keepdim=True)
    seen = joint > 0
    return float((joint[seen] * (joint[seen] / apart[seen]).log2()).sum())


def excess(codes: Tensor, labels: Tensor, size: int, kinds: int) -> float:
    """By how much `information` is expected to be too large, in bits (Miller's correction).

    Shape:
        codes, labels: [frames]

    Raises:
        ValueError: as `fit_table`.
    """
    seen = _counts(codes, labels, size, kinds) > 0
    free = int(seen.sum()) - int(seen.any(1).sum()) - int(seen.any(0).sum()) + 1
    return free / (2 * len(codes) * math.log(2))


def _counts(codes: Tensor, labels: Tensor, size: int, kinds: int) -> Tensor:
    """Frames with each code and label [size, kinds]."""
    if codes.dim() != 1 or codes.shape != labels.shape or not len(codes):
        raise ValueError(
            "a table is made of as many codes as labels, but there are "
            f"{list(codes.shape)} and {list(labels.shape)}."
        )
    for name, numbers, end in (("codes", codes, size), ("labels", labels, kinds)):
        # A label too large would be counted for the next code.
        if not 0 <= int(numbers.min()) <= int(numbers.max()) < end:
            raise ValueError(
                f"{name} of this table lie in 0 to {end - 1}, but these lie in "
                f"{int(numbers.min())} to {int(numbers.max())}."
            )
    counts = torch.bincount(codes * kinds + labels, minlength=size * kinds)
    return counts.view(size, kinds).double()
