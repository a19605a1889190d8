"""Which level carries what? Take some levels of the codes away, and listen to what has changed.

Two ways to take a level away: give it the codes of another speaker who says the same at the same
time, or hold it still, at one code for the whole clip. Levels count from 1, as in the book's text.

Chapter 16b.
"""

from collections.abc import Collection

from torch import Tensor


def swap_levels(codes: Tensor, others: Tensor, levels: Collection[int]) -> Tensor:
    """Codes with some levels taken from another clip; as long as the shorter of both.

    Shape:
        codes, others: [B, K, T] → [B, K, T]

    Raises:
        ValueError: for clips of other batches or levels, or a level that there is not.

    >>> import torch
    >>> a, b = torch.zeros(1, 3, 2, dtype=torch.int64), torch.ones(1, 3, 2, dtype=torch.int64)
    >>> swap_levels(a, b, [1])[0].tolist()
    [[1, 1], [0, 0], [0, 0]]
    """
    if codes.shape[:2] != others.shape[:2]:
        raise ValueError(
            "codes are swapped between clips with the same levels, but these are "
            f"{list(codes.shape)} and {list(others.shape)}."
        )
    rows, frames = _rows(codes, levels), min(codes.shape[2], others.shape[2])
    mixed = codes[..., :frames].clone()
    mixed[:, rows] = others[:, rows, :frames]
    return mixed


def freeze_levels(codes: Tensor, levels: Collection[int]) -> Tensor:
    """Codes with some levels held at their most common code, so that they tell nothing any more.

    Shape:
        codes: [B, K, T] → [B, K, T]

    Raises:
        ValueError: for a level that there is not.

    >>> import torch
    >>> freeze_levels(torch.tensor([[[5, 7, 7], [1, 2, 3]]]), [1])[0].tolist()
    [[7, 7, 7], [1, 2, 3]]
    """
    rows, frozen = _rows(codes, levels), codes.clone()
    frozen[:, rows] = codes[:, rows].mode(dim=2, keepdim=True).values.expand(-1, -1, codes.shape[2])
    return frozen


def _rows(codes: Tensor, levels: Collection[int]) -> list[int]:
    rows = [level - 1 for level in levels]
    if codes.dim() != 3 or any(not 0 <= row < codes.shape[1] for row in rows):
        raise ValueError(
            f"levels count from 1 to K in codes [B, K, T]: {list(levels)} are not all in codes "
            f"{list(codes.shape)}."
        )
    return rows
