"""Support: one frame of a running stream, in numpy.

A frame of a small codec is a hundred thousand numbers and five million products: little beside
what it costs to call a library two hundred times, and numpy's calls cost less than torch's. All
memory is laid out beforehand: each layer writes where the next one reads, behind what that one
remembers, and windows are views that lie ready. Weights are those of the layers themselves.

A `Program` serves streams that have begun, of one clip. All else goes the way of
`minicodec.model.fast.networks`, with the same states.
"""

from collections.abc import Callable
from typing import Any, cast

import numpy as np
import torch
from numpy.lib.stride_tricks import as_strided
from torch import Tensor

from minicodec.model.conv import ConvState
from minicodec.model.fast.convolution import FastConv, FastUp
from minicodec.model.fast.layers import FastBlock, FastLSTM

Array = np.ndarray
_TYPE = np.float32


class Unready(Exception):
    """A stream that is not where a program begins: at its start, or within a frame."""


def elu(x: Array, out: Array) -> None:
    """max(x, e^x − 1), as in `activation`; there are no blocks, since there is little."""
    np.minimum(x, 0, out=out)
    np.exp(out, out=out)
    np.subtract(out, 1, out=out)
    np.maximum(x, out, out=out)


class _Conv:
    """`FastConv` of a fixed number of samples. `x` is written to, `y` is read."""

    def __init__(self, conv: FastConv, length: int):
        taps, channels = conv.kernel, conv.rows.shape[0] // conv.kernel
        windows = length // conv.stride
        self.total, self.activated = conv.total, conv.activated
        self.joined = np.zeros((self.total + length, channels), _TYPE)
        self.new = self.joined[self.total :]
        self.x = np.empty_like(self.new) if conv.activated else self.new
        self.old = self.joined[: self.total]
        self.next = self.joined[length:]
        row = channels * self.joined.itemsize
        self.windows = as_strided(
            self.joined,
            (windows, taps, channels),
            (conv.stride * row, conv.dilation * row, self.joined.itemsize),
        )
        self.rows = np.empty((windows, taps * channels), _TYPE)
        self.inside = self.rows.reshape(self.windows.shape)
        self.matrix, self.bias = conv.rows.numpy(), conv.bias.numpy()
        self.y = np.empty((windows, len(self.bias)), _TYPE)

    def __call__(self, state: ConvState | None) -> ConvState:
        if state is None or not state.started or state.past.shape[2] != self.total:
            raise Unready
        np.copyto(self.old, state.past.numpy()[0].T)
        if self.activated:
            elu(self.x, self.new)
        np.copyto(self.inside, self.windows)
        np.dot(self.rows, self.matrix, out=self.y)
        np.add(self.y, self.bias, out=self.y)
        return ConvState(torch.from_numpy(self.next.T[None].copy()), True)


class _Block:
    """`FastBlock`."""

    def __init__(self, block: FastBlock, length: int):
        self.look = _Conv(block.look, length)
        self.x, self.seen = self.look.x, self.look.y
        self.near, self.far = block.near.numpy(), block.far.numpy()
        self.bias = block.bias.numpy()
        self.activated = np.empty_like(self.seen)
        self.y = np.empty((length, len(self.bias)), _TYPE)
        self.added = np.empty_like(self.y)

    def __call__(self, state: tuple[Tensor, ConvState] | None) -> tuple[Tensor, ConvState]:
        if state is None or state[0].shape[2]:
            raise Unready
        inner = self.look(state[1])
        elu(self.seen, self.activated)
        np.dot(self.x, self.near, out=self.y)
        np.dot(self.activated, self.far, out=self.added)
        np.add(self.y, self.added, out=self.y)
        np.add(self.y, self.bias, out=self.y)
        return state[0], inner


class _Up:
    """`FastUp`, where the kernel is two strides."""

    def __init__(self, up: FastUp, length: int):
        self.matrix = up.columns.numpy()
        self.x, self.activated = (np.empty((length, len(self.matrix)), _TYPE) for _ in range(2))
        painted = np.empty((length, self.matrix.shape[1]), _TYPE)
        half = painted.shape[1] // 2
        self.bias = up.biases[:half].numpy()
        self.painted, self.own, self.later = painted, painted[:, :half], painted[:, half:]
        self.y = np.empty((length * up.stride, len(up.bias)), _TYPE)
        self.frames = self.y.reshape(length, half)
        self.first = self.y[: up.stride]
        self.shape = (up.stride, len(up.bias))

    def __call__(self, state: Tensor | None) -> Tensor:
        if state is None:
            raise Unready
        elu(self.x, self.activated)
        np.dot(self.activated, self.matrix, out=self.painted)
        np.add(self.own, self.bias, out=self.frames)
        if len(self.frames) > 1:
            np.add(self.frames[1:], self.later[:-1], out=self.frames[1:])
        np.add(self.first, state.numpy()[0].T, out=self.first)
        return torch.from_numpy(self.later[-1].reshape(self.shape).T[None].copy())


class _Lstm:
    """`FastLSTM`."""

    def __init__(self, lstm: FastLSTM, length: int):
        self.size = size = lstm.layers[0][1].shape[0]
        self.layers = [tuple(weight.numpy() for weight in weights) for weights in lstm.layers]
        self.x, self.y = (np.empty((length, size), _TYPE) for _ in range(2))
        self.gates = np.empty((length, 4 * size), _TYPE)
        self.hidden = np.empty(4 * size, _TYPE)
        self.each = np.empty((length, size), _TYPE)

    def __call__(self, state: tuple[Tensor, Tensor] | None) -> tuple[Tensor, Tensor]:
        if state is None:
            raise Unready
        hiddens, cells = (part.numpy().copy() for part in state)
        size, x = self.size, self.x
        for layer, (w_in, w_hidden, bias) in enumerate(self.layers):
            hidden, cell = hiddens[0, layer], cells[0, layer]
            np.dot(x, w_in, out=self.gates)
            np.add(self.gates, bias, out=self.gates)
            for gates, y in zip(self.gates, self.each):
                np.dot(hidden, w_hidden, out=self.hidden)
                np.add(gates, self.hidden, out=gates)
                np.tanh(gates, out=gates)
                opened, candidate = gates[: 3 * size], gates[3 * size :]
                np.multiply(opened, 0.5, out=opened)
                np.add(opened, 0.5, out=opened)
                np.multiply(cell, opened[size : 2 * size], out=cell)
                np.multiply(candidate, opened[:size], out=candidate)
                np.add(cell, candidate, out=cell)
                np.tanh(cell, out=hidden)
                np.multiply(hidden, opened[2 * size :], out=hidden)
                np.copyto(y, hidden)
            x = self.each
        np.add(self.x, self.each, out=self.y)
        return torch.from_numpy(hiddens), torch.from_numpy(cells)


def can_be_laid_out(layers: list[Any]) -> bool:
    """Whether a program can be made of these layers."""
    return all(not isinstance(up, FastUp) or up.kernel == 2 * up.stride for up in layers)


class Program:
    """All layers of a network for pieces of `length` samples, whole frames of them, or frames."""

    def __init__(self, layers: list[tuple[int, Any]], length: int):
        self.steps: list[tuple[int, Callable[[Any], Any]]] = []
        makers: dict[type, Callable[[Any, int], Any]] = {
            FastConv: _Conv, FastBlock: _Block, FastUp: _Up, FastLSTM: _Lstm,
        }  # fmt: skip
        made: list[Any] = []
        for index, layer in layers:
            made.append(makers[type(layer)](layer, length))
            length = len(made[-1].y)
            self.steps.append((index, made[-1]))
        # Each layer computes into the place from which the next one reads.
        for before, after in zip(made, made[1:]):
            before.y = after.x
            if isinstance(before, _Up):
                before.frames = after.x.reshape(before.frames.shape)
                before.first = after.x[: len(before.first)]
        self.x, self.y = made[0].x, made[-1].y

    def __call__(self, x: Tensor, states: list[Any]) -> tuple[Tensor, list[Any]]:
        """Shape: x [1, length, C] → [1, N, C'], in memory of its own.

        Raises:
            Unready: for states that a program does not begin with; nothing has been changed.
        """
        np.copyto(self.x, x.numpy()[0])
        states = list(states)
        for index, step in self.steps:
            states[index] = step(states[index])
        return torch.from_numpy(cast(Array, self.y[None].copy())), states
