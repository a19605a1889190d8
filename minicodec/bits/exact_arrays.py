"""Support: what numpy and torch spell differently, so that `exact_fast` is written once for both.

All operations here are elementwise and rounded as IEEE 754 prescribes, or look something up, or are
sums and maxima that are exact because the caller's numbers are integers. So it does not matter
which of the two computes: that, too, is tested.
"""

from typing import Any

import numpy as np
import torch
from torch import Tensor

#: An array of numpy or of torch.
Array = Any


class Numpy:
    """On the CPU, with the least to do around each small operation."""

    def place(self, tensor: Tensor, bits: int) -> Array:
        return self.floats(tensor.numpy(), bits)

    def floats(self, x: Array, bits: int) -> Array:
        return x.astype(np.float32 if bits == 32 else np.float64)

    def zeros(self, *shape: int) -> Array:
        return np.zeros(shape)

    def rint(self, x: Array) -> Array:
        return np.rint(x, out=x)

    def sqrt(self, x: Array) -> Array:
        return np.sqrt(x)

    def clip(self, x: Array, low: float, high: float) -> Array:
        return np.minimum(np.maximum(x, low, out=x), high, out=x)

    def cap(self, x: Array, high: float) -> Array:
        return np.minimum(x, high, out=x)

    def take(self, table: Array, index: Array) -> Array:
        return table.take(index.astype(np.intp), axis=0)

    def share(self, number: int, x: Array) -> Array:
        return number / x

    def peak(self, x: Array) -> Array:
        return x.max(-1, keepdims=True)

    def total(self, x: Array) -> Array:
        return x.sum(-1, keepdims=True, dtype=np.float64)

    def tensor(self, x: Array) -> Tensor:
        return torch.from_numpy(x.astype(np.int64))


class Torch:
    """On any device that has float64: a CPU, a CUDA GPU, but not MPS."""

    def __init__(self, device: str | torch.device):
        self.device = torch.device(device)
        if self.device.type == "mps":
            raise ValueError("MPS has no float64: leave device=None, for numpy on the CPU.")

    def place(self, tensor: Tensor, bits: int) -> Array:
        return self.floats(tensor.to(self.device), bits)

    def floats(self, x: Array, bits: int) -> Array:
        return x.to(torch.float32 if bits == 32 else torch.float64)

    def zeros(self, *shape: int) -> Array:
        return torch.zeros(shape, dtype=torch.float64, device=self.device)

    def rint(self, x: Array) -> Array:
        return x.round_()

    def sqrt(self, x: Array) -> Array:
        return x.sqrt()

    def clip(self, x: Array, low: float, high: float) -> Array:
        return x.clamp_(low, high)

    def cap(self, x: Array, high: float) -> Array:
        return x.clamp_(max=high)

    def take(self, table: Array, index: Array) -> Array:
        return table.index_select(0, index.int().view(-1)).view(*index.shape, *table.shape[1:])

    def share(self, number: int, x: Array) -> Array:
        # number / x would become number * (1 / x) in torch, and be rounded twice.
        return torch.full_like(x, number) / x

    def peak(self, x: Array) -> Array:
        return x.amax(-1, keepdim=True)

    def total(self, x: Array) -> Array:
        return x.sum(-1, keepdim=True, dtype=torch.float64)

    def tensor(self, x: Array) -> Tensor:
        return x.to("cpu", torch.int64)
