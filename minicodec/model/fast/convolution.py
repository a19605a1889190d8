"""Support: convolutions with time before channels in memory.

Torch keeps a signal channel by channel: all of time, then the next channel. To a convolution, what
belongs together is one moment of all channels::

    [B, C, T] as torch keeps it     c₀t₀ c₀t₁ c₀t₂ …  c₁t₀ c₁t₁ c₁t₂ …
    [B, T, C] as it is kept here    c₀t₀ c₁t₀ c₂t₀ …  c₀t₁ c₁t₁ c₂t₁ …

In the second order the taps of a window are one piece of memory, pieces of a stream are joined by
appending, and a kernel of size 1 is a matrix product. Long inputs go through the library's
convolution of images (the signal is an image one line high), which knows that order and is up to
two and a half times as quick as a matrix product. Short ones are matrix products, since for them
the library does the same with more ado (`benchmarks/tricks.json` has what that costs a frame).

States are those of the taught layers, so a stream may go on with either kind of codec.
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
from minicodec.model.fast.activation import elu_into, is_small

#: Inputs of fewer numbers are convolved as matrix products.
_LITTLE = 20_480

#: Samples of a block, where a convolution has one output channel.
_TOGETHER = 8


class FastConv:
    """`Conv1d.stream`, with the activation before it, on [B, T, C].

    Args:
        conv: a causal convolution without a norm; its weights are taken as they are now.
        activated: whether an ELU stands before it.
        dtype: to compute in.
    """

    def __init__(self, conv: Conv1d, activated: bool = False, dtype: torch.dtype = torch.float32):
        (self.kernel,), (self.stride,) = conv.kernel_size, conv.stride
        (self.dilation,) = conv.dilation
        self.total = total_padding(self.kernel, self.stride, self.dilation)
        self.mirrors = conv.pad_mode == "reflect"
        self.activated = activated
        self.weight, self.bias = prepared(conv.weight, dtype), prepared(conv.bias, dtype)
        # A row for each tap and channel, as they follow each other in a window.
        self.rows = as_matrix(self.weight.permute(2, 1, 0).flatten(0, 1))

    @cached_property
    def image(self) -> Tensor:
        """The kernel one line high, with its channels next to each other in memory."""
        return self.weight.unsqueeze(2).contiguous(memory_format=torch.channels_last)

    def __call__(self, x: Tensor, state: ConvState | None, last: bool) -> tuple[Tensor, ConvState]:
        """Shape: x [B, T, C_in] → [B, N, C_out]."""
        past, started = state if state is not None else (x.mT[..., :0], False)
        length = past.shape[-1] + x.shape[1]
        if not started and self.mirrors and length <= self.total and not last:
            return x.new_zeros(len(x), 0, len(self.bias)), ConvState(self.joined(past, x).mT, False)
        left = 0 if started else self.total
        right = extra_padding(left + length - self.total, self.stride) if last else 0
        x = self.joined(past, x, left, right)
        windows = max(0, (x.shape[1] - self.total) // self.stride)
        state = ConvState(x[:, windows * self.stride :].mT, True)
        if not windows:
            return x.new_zeros(len(x), 0, len(self.bias)), state
        return self.convolved(x, windows), state

    def joined(self, past: Tensor, x: Tensor, left: int = 0, right: int = 0) -> Tensor:
        """What is remembered, then `x`, activated on the way, and padding at both ends.

        Shape:
            past [B, C, n], x [B, T, C] → [B, left + n + T + right, C]
        """
        n, length = past.shape[-1], past.shape[-1] + x.shape[1]
        if not (left or right) and (is_small(x) or not self.activated):
            x = F.elu(x) if self.activated else x
            return torch.cat((past.mT, x), 1) if n else x
        both = x.new_empty(len(x), left + length + right, x.shape[2])
        inside = both[:, left : left + length]
        inside[:, :n] = past.mT
        if self.activated:
            elu_into(x, inside[:, n:])
        else:
            inside[:, n:] = x
        if not self.mirrors:
            both[:, :left], both[:, left + length :] = 0, 0
        elif length > max(left, right):
            both[:, :left] = inside[:, 1 : left + 1].flip(1)
            both[:, left + length :] = inside[:, length - 1 - right : length - 1].flip(1)
        else:
            return pad1d(inside.mT, left, right, "reflect").mT.contiguous()
        return both

    def convolved(self, x: Tensor, windows: int) -> Tensor:
        """The first full windows of a contiguous x [B, T, C_in] → [B, windows, C_out]."""
        batch, length, channels = x.shape
        if batch == len(self.bias) == self.stride == self.dilation == 1 < channels:
            return self.one_channel(x[0, : self.total + windows])
        if self.kernel == 2 * self.stride > 2 and self.dilation == 1 and not is_little(x):
            return self.halves(x[:, : self.total + windows * self.stride])
        if channels > 1 and not is_little(x):
            x = x[:, : self.total + windows * self.stride].mT.unsqueeze(2)
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

    def halves(self, x: Tensor) -> Tensor:
        """All windows of x [B, total + N * stride, C_in], where a window is two strides.

        Cut into strides, the signal is rows of which each window has two: two products, of which
        the second is added onto the first. The library would put the weights into another order.
        """
        rows = x.unflatten(1, (-1, self.stride)).flatten(2)
        first, second = self.rows.chunk(2)
        y = x.new_empty(len(x), rows.shape[1] - 1, len(self.bias))
        for here, out in zip(rows, y):
            torch.addmm(self.bias, here[:-1], first, out=out).addmm_(here[1:], second)
        return y

    def one_channel(self, x: Tensor) -> Tensor:
        """All windows of x [total + N, C_in] → [1, N, 1].

        The library is slow where a single channel comes out. So the signal is cut into blocks of
        `_TOGETHER` samples, no fewer than a kernel has taps beside its first: such a block of
        outputs needs two blocks of inputs, and what each of them gives is one matrix product.
        """
        blocks = x.shape[0] // _TOGETHER
        done, parts = 0, []
        if self.total <= _TOGETHER and blocks > 1:
            done = (blocks - 1) * _TOGETHER
            here, before = (x[: blocks * _TOGETHER].view(blocks, -1) @ self.blocks).chunk(2, 1)
            parts.append((here[:-1] + before[1:]).flatten())
        # Of the rest, each tap's share of all samples in one product, and a sum of shifted shares.
        rest = x.shape[0] - self.total - done
        if rest:
            shares = self.weight[0].t() @ x[done:].t()
            y = shares[0, :rest].clone()
            for tap in range(1, self.kernel):
                y += shares[tap, tap : tap + rest]
            parts.append(y)
        y = torch.cat(parts) if len(parts) > 1 else parts[0]
        return y.add_(self.bias).view(1, -1, 1)

    @cached_property
    def blocks(self) -> Tensor:
        """What a block of inputs gives to its own outputs, and to those of the block before it.

        Shape:
            [_TOGETHER * C_in, 2 * _TOGETHER]
        """
        taps = self.weight[0].t()
        both = taps.new_zeros(2 * _TOGETHER, len(taps[0]), _TOGETHER)
        for output in range(_TOGETHER):
            both[output : output + self.kernel, :, output] = taps
        return both.unflatten(0, (2, _TOGETHER)).permute(1, 2, 0, 3).reshape(-1, 2 * _TOGETHER)


class FastUp:
    """`ConvTranspose1d.stream`, with the activation before it, on [B, N, C].

    Args:
        up: a causal one without a norm; its weights are taken as they are now.
        dtype: to compute in.

    The input is overwritten by its activation: nobody else needs it.
    """

    def __init__(self, up: ConvTranspose1d, dtype: torch.dtype = torch.float32):
        (self.kernel,), (self.stride,) = up.kernel_size, up.stride
        self.weight, self.bias = prepared(up.weight, dtype), prepared(up.bias, dtype)
        # A frame's samples in one row: those of its own stride, which get the bias, then the rest.
        self.columns = as_matrix(self.weight.permute(0, 2, 1).flatten(1))
        bias = self.bias.repeat(self.kernel, 1)
        bias[self.stride :] = 0
        self.biases = bias.flatten()

    @cached_property
    def image(self) -> Tensor:
        """As in `FastConv`."""
        return self.weight.unsqueeze(2).contiguous(memory_format=torch.channels_last)

    def __call__(self, x: Tensor, state: Tensor | None, last: bool) -> tuple[Tensor, Tensor]:
        """Shape: x [B, N, C_in] → [B, N * stride, C_out]."""
        batch, frames, _ = x.shape
        overlap, channels = self.kernel - self.stride, len(self.bias)
        if state is None:
            state = x.new_zeros(batch, channels, overlap)
        if not frames:
            return x.new_zeros(batch, 0, channels), state
        if overlap == self.stride and not is_little(x):
            return self.halves(x, state)
        x = F.elu_(x) if is_small(x) else elu_into(x, x)
        if overlap == self.stride:
            painted = torch.addmm(self.biases, x.reshape(batch * frames, -1), self.columns)
            painted = painted.view(batch, frames, 2, overlap * channels)
            own, later = painted[:, :, 0], painted[:, :, 1]
            before = state.mT.reshape(batch, 1, overlap * channels)
            if frames > 1:
                before = torch.cat((before, later[:, :-1]), 1)
            ready = (own + before).view(batch, frames * self.stride, channels)
            return ready, later[:, -1].unflatten(1, (overlap, channels)).mT
        y = F.conv_transpose2d(x.mT.unsqueeze(2), self.image, self.bias, (1, self.stride))
        painted = y.squeeze(2).mT
        painted[:, :overlap] += state.mT
        ready, rest = painted.split([frames * self.stride, overlap], dim=1)
        return ready, (rest - self.bias).mT  # it comes once, with the frame that completes them

    def halves(self, x: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Many frames, where the kernel is two strides: two products, added as they are made.

        A stride of samples is the first half of its own frame and the second half of the one
        before. Frames lie behind a row of zeros, so that "the ones before" are the same memory,
        begun a row sooner. What the piece before has left is added to the first.
        """
        batch, frames, channels = x.shape
        rows = x.new_empty(batch, frames + 1, channels)
        rows[:, 0] = 0
        elu_into(x, rows[:, 1:])
        own, later = self.columns.chunk(2, 1)
        ready = x.new_empty(batch, frames, own.shape[1])
        for here, y in zip(rows, ready):
            torch.addmm(self.biases[: y.shape[1]], here[1:], own, out=y).addmm_(here[:-1], later)
        ready = ready.view(batch, frames * self.stride, -1)
        ready[:, : self.stride] += state.mT
        return ready, (rows[:, -1] @ later).unflatten(1, (self.stride, -1)).mT


def prepared(weight: Tensor | None, dtype: torch.dtype) -> Tensor:
    """A weight as it is now, in the type to compute in."""
    if weight is None:
        raise ValueError("a codec's convolutions all have a bias.")
    return weight.detach().to(dtype)


def as_matrix(weight: Tensor) -> Tensor:
    """[in, out], in the order in which a single row meets it soonest.

    Weights that meet the same input lie together; in bfloat16, those that make the same output.
    """
    return weight.contiguous() if weight.dtype == torch.float32 else weight.t().contiguous().t()


def is_little(x: Tensor) -> bool:
    """Whether the library would not use its quick convolution anyway."""
    return x.numel() < _LITTLE
