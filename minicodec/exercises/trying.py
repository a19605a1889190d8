"""Support: what exercises share that are tried on tensors: numbers drawn, gradients followed."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Generator, Tensor


def draw(generator: Generator, low: int, high: int) -> int:
    """A whole number from `low` to `high`, both included."""
    return int(torch.randint(low, high + 1, (), generator=generator))


def value_and_gradients(
    result: Any, weights: Tensor | float, to: dict[str, Tensor]
) -> dict[str, Tensor]:
    """What an answer gives, and what flows back through it; zeros where nothing does.

    Args:
        result: of the answer; anything but a tensor goes back as it is, to be told so.
        weights: the gradient that comes from behind.
        to: where it should arrive, by the words with which a wrong one is named.
    """
    if not isinstance(result, Tensor):
        return result
    found = {"value": result.detach()}
    gradients: Sequence[Tensor | None] = [None] * len(to)
    if result.requires_grad:
        total = (result * weights).sum()
        gradients = torch.autograd.grad(total, list(to.values()), allow_unused=True)
    for (name, tensor), gradient in zip(to.items(), gradients):
        found[name] = torch.zeros_like(tensor) if gradient is None else gradient
    return found
