"""Support: convolutions with time before channels in memory.

Torch keeps a signal channel by channel: all of time, then the next channel. To a convolution, what
belongs together is one moment of all channels::

    [B, C, T] as torch keeps it     c₀t₀ c₀t₁ c₀t₂ …  c₁t₀ c₁t₁ c₁t₂ …
    [B, T, C] as it is kept here    c₀t₀ c₁t₀ c₂t₀ …  c₀t₁ c₁t₁ c₂t₁ …

In the second order the taps of a window are one piece of memory, pieces of a stream are joined by
appending, and a kernel of size 1 is a matrix product. Long inputs go through the library's
convolution of images (the signal is an image one line high), which knows that order; short ones are
matrix products, since the library would take longer to prepare than to compute: it puts the weights
into another order at every call.

States are those of the taught layers, so a stream may change from one kind of codec to the other.
"""

from functools import cached_property

import torch
import torch.nn.functional as F
from torch import Tensor

from minicodec.model.conv import (
    Conv1d,
    ConvState,
    ConvTranspose1d,
    extra_padding,
    pad1d,
    total_padding,
)
from minicodec.model.fast.activation import elu, elu_into, is_small

#: Inputs of fewer numbers are convolved as matrix products.
_LITTLE = 2**14


class FastConv:
    """`Conv1d.stream`, with the activation before it, on [B, T, C].

    Args:
        conv: a causal convolution without a norm; its weights are taken as they are now.
        activated: whether an ELU stands before it.
    """

    def __init__(self, conv: Conv1d, activated: bool = False):
        self.kernel, self.stride, self.dilation = (
            conv.kernel_size[0],
            conv.stride[0],
            conv.dilation[0],
        )
        self.total = total_padding(self.kernel, self.stride, self.dilation)
        self.mirrors = conv.pad_mode == "reflect"
        self.activated = activated
        self.weight, self.bias = conv.weight.detach(), conv.bias.detach()
        # A row for each tap and channel, as they follow each other in a window.
        self.rows = self.weight.permute(2, 1, 0).flatten(0, 1).contiguous()

    @cached_property
    def image(self) -> Tensor:
        """The kernel one line high, with its channels next to each other in memory."""
        return self.weight.unsqueeze(2).contiguous(memory_format=torch.channels_last)

    def __call__(self, x: Tensor, state: ConvState | None, last: bool) -> tuple[Tensor, ConvState]:
        """Shape: x [B, T, C_in] → [B, N, C_out]."""
        past, started = state if state is not None else (None, False)
        x = joined(past, x, self.activated)
        if not started and self.mirrors and x.shape[1] <= self.total and not last:
            return x.new_zeros(len(x), 0, len(self.bias)), ConvState(x.mT, False)
        if last or not started:
            left = 0 if started else self.total
            right = extra_padding(left + x.shape[1] - self.total, self.stride) if last else 0
            x = pad1d(x.mT, left, right, "reflect").mT.contiguous() if self.mirrors else (
                F.pad(x, (0, 0, left, right))
            )  # fmt: skip
        windows = max(0, (x.shape[1] - self.total) // self.stride)
        state = ConvState(x[:, windows * self.stride :].mT, True)
        if not windows:
            return x.new_zeros(len(x), 0, len(self.bias)), state
        return self.convolved(x, windows), state

    def convolved(self, x: Tensor, windows: int) -> Tensor:
        """The first full windows of a contiguous x [B, T, C_in] → [B, windows, C_out]."""
        batch, length, channels = x.shape
        if channels > 1 and not is_little(x, self.weight):
            x = x[:, : self.total + windows * self.stride]
            x = x.mT.unsqueeze(2)
            y = F.conv2d(x, self.image, self.bias, (1, self.stride), 0, (1, self.dilation))
            return y.squeeze(2).mT
        if self.dilation == 1:
            size = (batch, windows, self.kernel * channels)
            strides = (length * channels, self.stride * channels, 1)
            rows = x.as_strided(size, strides, x.storage_offset())
        else:
            rows = x.unfold(1, self.total + self.stride, self.stride)[:, :windows]
            rows = rows[..., :: self.dilation].mT
        rows = rows.reshape(batch * windows, self.kernel * channels)
        return torch.addmm(self.bias, rows, self.rows).view(batch, windows, len(self.bias))


class FastUp:
    """`ConvTranspose1d.stream`, with the activation before it, on [B, N, C].

    Args:
        up: a causal one without a norm; its weights are taken as they are now.

    The input is overwritten by its activation: nobody else needs it.
    """

    def __init__(self, up: ConvTranspose1d):
        self.kernel, self.stride = up.kernel_size[0], up.stride[0]
        self.weight, self.bias = up.weight.detach(), up.bias.detach()
        # What a frame paints on its own stride, and what on the next: only the first gets the bias.
        self.twice = self.kernel == 2 * self.stride
        self.columns = self.weight.permute(0, 2, 1).flatten(1).contiguous()
        bias = self.bias.repeat(self.kernel).view(self.kernel, -1)
        bias[self.stride :] = 0
        self.both_biases = bias.flatten()

    @cached_property
    def image(self) -> Tensor:
        """As in `FastConv`."""
        return self.weight.unsqueeze(2).contiguous(memory_format=torch.channels_last)

    def __call__(self, x: Tensor, state: Tensor | None, last: bool) -> tuple[Tensor, Tensor]:
        """Shape: x [B, N, C_in] → [B, N * stride, C_out]."""
        batch, frames, _ = x.shape
        overlap = self.kernel - self.stride
        if state is None:
            state = x.new_zeros(batch, len(self.bias), overlap)
        if not frames:
            return x.new_zeros(batch, 0, len(self.bias)), state
        x = F.elu_(x) if is_small(x) else elu_into(x, x)
        if self.twice and is_little(x, self.weight):
            painted = torch.addmm(self.both_biases, x.reshape(batch * frames, -1), self.columns)
            painted = painted.view(batch, frames, 2, -1)
            own, later = painted[:, :, 0], painted[:, :, 1]
            before = state.mT.reshape(batch, 1, -1)
            if frames > 1:
                before = torch.cat((before, later[:, :-1]), 1)
            ready = (own + before).view(batch, frames * self.stride, -1)
            return ready, later[:, -1].unflatten(1, (overlap, -1)).mT
        y = F.conv_transpose2d(x.mT.unsqueeze(2), self.image, None, (1, self.stride))
        painted = y.squeeze(2).mT
        painted[:, :overlap] += state.mT
        ready, rest = painted.split([frames * self.stride, overlap], dim=1)
        return ready + self.bias, rest.mT


def joined(past: Tensor | None, x: Tensor, activated: bool) -> Tensor:
    """What is remembered, and after it `x`, activated on the way.

    Shape:
        past [B, C, n], x [B, T, C] → [B, n + T, C]

    >>> joined(torch.zeros(1, 1, 1), torch.ones(1, 2, 1), True)[0, :, 0]
    tensor([0., 1., 1.])
    """
    if past is None or not past.shape[-1]:
        return elu(x) if activated else x
    if not activated or is_small(x):
        return torch.cat((past.mT, F.elu(x) if activated else x), 1)
    n = past.shape[-1]
    both = x.new_empty(len(x), n + x.shape[1], x.shape[2])
    both[:, :n] = past.mT
    elu_into(x, both[:, n:])
    return both


def is_little(x: Tensor, weight: Tensor) -> bool:
    """Whether the library's convolution would take longer to prepare than to compute."""
    return x.numel() < max(_LITTLE, weight.numel())
