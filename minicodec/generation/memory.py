"""Is it new? The longest stretch of codes that stands, code for code, in what was learned from.

A model that has learned a recording by heart plays it back. Then it has made nothing, and what it
plays may belong to somebody. Codes make the question exact: of all stretches of a drawn sound, how
long is the longest that occurs in the training codes? Beside it stands the same number for
recordings that were never learned from: chance and silence repeat, too.

Chapter 16c.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

_BASE = np.uint64(0x9E3779B97F4A7C15)  # odd, and its powers do not repeat for long


def longest_copy(codes: Tensor, others: Sequence[Tensor]) -> int:
    """Frames of the longest stretch of `codes` that occurs in one of `others`.

    Args:
        codes: [K, T] of the sound in question.
        others: [K, any] each; what it may have been copied from.

    Raises:
        ValueError: if they are not codes [K, T] of the same levels.

    >>> longest_copy(torch.tensor([[7, 1, 2, 3, 9]]), [torch.tensor([[0, 1, 2, 3, 4]])])
    3
    """
    if codes.dim() != 2 or any(o.dim() != 2 or len(o) != len(codes) for o in others):
        raise ValueError("codes are compared as [K, T] tensors of the same levels.")
    mine = _frames(codes)
    theirs = [_frames(other) for other in others]
    shortest, longest = 0, len(mine)  # a stretch of `shortest` occurs, none longer than `longest`
    while shortest < longest:
        # Doubling, for most stretches are short; once one has failed, halving.
        middle = (shortest + longest + 1) // 2
        length = min(max(1, 2 * shortest), middle)
        if _occurs(mine, theirs, length):
            shortest = length
        else:
            longest = length - 1
    return shortest


def _occurs(mine: np.ndarray, theirs: list[np.ndarray], length: int) -> bool:
    """Whether any stretch of this length stands in both; by hashes of 64 bits."""
    wanted = np.unique(_hashes(mine, length))
    return any(bool(np.isin(_hashes(other, length), wanted).any()) for other in theirs)


def _frames(codes: Tensor) -> np.ndarray:
    """One number for each frame, the same for the same codes."""
    frames = np.zeros(codes.shape[1], dtype=np.uint64)
    for level in codes.to(torch.int64).cpu().numpy().astype(np.uint64):
        frames = frames * _BASE + level + np.uint64(1)
    return frames


def _hashes(frames: np.ndarray, length: int) -> np.ndarray:
    """A number for each stretch, none where there is no stretch so long."""
    count = len(frames) - length + 1
    if count < 1:
        return frames[:0]
    hashes = np.zeros(count, dtype=np.uint64)
    for place in range(length):
        mixed = frames[place : place + count] ^ (frames[place : place + count] >> np.uint64(29))
        hashes = (hashes + mixed) * _BASE
        hashes ^= hashes >> np.uint64(32)
    return hashes
