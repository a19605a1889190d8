"""The arithmetic of convolutions where nothing is learned, with time before channels in memory.

Torch keeps a signal channel by channel: all of time, then the next channel. To a convolution, what
belongs together is one moment of all channels::

    [B, C, T] as torch keeps it     c₀t₀ c₀t₁ c₀t₂ …  c₁t₀ c₁t₁ c₁t₂ …
    [B, T, C] as it is kept here    c₀t₀ c₁t₀ c₂t₀ …  c₀t₁ c₁t₁ c₂t₁ …

In the second order the taps of a window are one piece of memory, chunks of a stream are joined by
appending, and a kernel of size 1 is a matrix product. The library's convolutions know that order
for images, so here a signal is an image that is one line high. What comes out equals what
`torch.nn.Conv1d` gives, up to rounding; to encode takes a sixth less time, to decode a quarter.

Chapter 04.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from minicodec.model.fast.derived import Derived
from minicodec.model.fast.elu import ELU

#: Inputs of fewer numbers are convolved as matrix products.
_LITTLE = 2**14


def joined(past: Tensor, x: Tensor, activation: ELU | None = None) -> Tensor:
    """`past`, and after it `x`, activated on the way.

    Shape:
        past [B, C, n], x [B, C, T] → [B, n + T, C]

    >>> joined(torch.zeros(1, 1, 1), torch.ones(1, 1, 2))[0, :, 0]
    tensor([0., 1., 1.])
    """
    n = past.shape[-1]
    if not n:
        return (x if activation is None else activation(x)).mT.contiguous()
    both = x.new_empty(len(x), n + x.shape[-1], x.shape[1])
    both[:, :n] = past.mT
    if activation is None:
        both[:, n:] = x.mT
    else:
        activation.into(x, both[:, n:].mT)
    return both


class Windows:
    """A convolution without padding: every full window of the input gives one output.

    Shape:
        x [B, T, C_in], weight [C_out, C_in, kernel_size] → [B, windows, C_out]

    >>> x, weight = torch.randn(2, 5, 50), torch.randn(3, 5, 4)
    >>> y = Windows()(x.mT, weight, None, stride=2, dilation=3)
    >>> torch.allclose(y.mT, F.conv1d(x, weight, stride=2, dilation=3), atol=1e-5)
    True
    """

    def __init__(self) -> None:
        self._image = Derived(_as_image)
        # [C_out, C_in, kernel_size] → [C_out, kernel_size * C_in]
        self._rows = Derived(lambda weight: weight.mT.flatten(1).contiguous())

    def __call__(
        self, x: Tensor, weight: Tensor, bias: Tensor | None, stride: int, dilation: int
    ) -> Tensor:
        if x.shape[-1] == 1 or _is_little(x, weight):
            # One row for each window, with taps in their order and channels within each.
            reach = (weight.shape[-1] - 1) * dilation + 1
            rows = x.unfold(1, reach, stride)[..., ::dilation].mT.flatten(2)
            return F.linear(rows, self._rows(weight), bias)
        y = F.conv2d(x.mT.unsqueeze(2), self._image(weight), bias, (1, stride), 0, (1, dilation))
        return y.squeeze(2).mT


class Strokes:
    """A transposed convolution: every frame paints `kernel_size` samples, and all are added up.

    Shape:
        x [B, N, C_in], weight [C_in, C_out, kernel_size]
        → [B, (N - 1) * stride + kernel_size, C_out]

    >>> x, weight = torch.randn(2, 5, 50), torch.randn(5, 3, 4)
    >>> y = Strokes()(x.mT, weight, None, stride=2)
    >>> torch.allclose(y.mT, F.conv_transpose1d(x, weight, stride=2), atol=1e-5)
    True
    """

    def __init__(self) -> None:
        self._image = Derived(_as_image)
        # [C_in, C_out, kernel_size] → [C_in, kernel_size * C_out]
        self._rows = Derived(lambda weight: weight.mT.flatten(1).contiguous())

    def __call__(self, x: Tensor, weight: Tensor, bias: Tensor | None, stride: int) -> Tensor:
        if not _is_little(x, weight):
            y = F.conv_transpose2d(x.mT.unsqueeze(2), self._image(weight), bias, (1, stride))
            return y.squeeze(2).mT
        batch, frames, _ = x.shape
        _, channels, taps = weight.shape
        # Each frame's samples in one row; then what falls on its own stride, on the next one, ...
        strokes = (x @ self._rows(weight)).unflatten(2, (taps, channels)).split(stride, dim=2)
        y = x.new_zeros(batch, frames - 1 + len(strokes), stride, channels)
        if bias is not None:
            y += bias
        for later, part in enumerate(strokes):
            y[:, later : later + frames, : part.shape[2]] += part
        return y.flatten(1, 2)[:, : (frames - 1) * stride + taps]


def _is_little(x: Tensor, weight: Tensor) -> bool:
    """Whether the library's convolution would take longer to prepare than to compute.

    It puts the weights into another order at every call.
    """
    return x.numel() < max(_LITTLE, weight.numel())


def _as_image(weight: Tensor) -> Tensor:
    """A kernel that is one line high, with its channels next to each other in memory."""
    return weight.unsqueeze(2).contiguous(memory_format=torch.channels_last)
