"""Support: what exercises share that are tried on tensors: numbers drawn, gradients followed."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Generator, Tensor

from minicodec.exercises.limited import Failed


def draw(generator: Generator, low: int, high: int) -> int:
    """A whole number from `low` to `high`, both included."""
    return int(torch.randint(low, high + 1, (), generator=generator))


def value_and_gradients(result: Any, weights: Tensor, to: dict[str, Tensor]) -> Any:
    """What an answer gives, and what flows back through it; zeros where nothing does.

    Args:
        result: of the answer; None goes back as it is, to be told so.
        weights: the gradient that comes from behind, of the shape that the result should have.
        to: where it should arrive, by the words with which a wrong one is named.

    Raises:
        Failed: if the result is something else than a tensor.
    """
    if result is None:
        return None
    if not isinstance(result, Tensor):
        raise Failed(
            f"Expected a tensor {list(weights.shape)}, got {type(result).__name__}, which carries "
            "no gradient."
        )
    found = {"value": result.detach()}
    gradients: Sequence[Tensor | None] = [None] * len(to)
    if result.requires_grad and result.shape == weights.shape:
        total = (result * weights).sum()
        gradients = torch.autograd.grad(total, list(to.values()), allow_unused=True)
    for (name, tensor), gradient in zip(to.items(), gradients):
        found[name] = torch.zeros_like(tensor) if gradient is None else gradient
    return found
