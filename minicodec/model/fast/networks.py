"""Support: encoder and decoder as a list of fast layers.

Where time is long and channels are few, a second at a time passes through the layers, so that what
lies between them stays in the cache. At the narrow end the LSTM is fastest with as many frames as
there are.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import Any, cast

import torch
from torch import Tensor, nn

from minicodec.model.conv import Conv1d, ConvTranspose1d
from minicodec.model.fast.convolution import FastConv, FastUp
from minicodec.model.fast.frames import Program, Unready, can_be_laid_out
from minicodec.model.fast.layers import FastBlock, FastLSTM
from minicodec.model.seanet import (
    Decoder,
    Encoder,
    ResidualBlock,
    SkipLSTM,
    StreamState,
    each_tensor,
)

#: Frames that pass through the wide layers at once.
_TILE = 75

#: One layer: the piece [B, T, C], its state, and whether the clip ends.
FastLayer = Callable[[Tensor, Any, bool], tuple[Tensor, Any]]


class FastNetwork:
    """`Encoder.stream` or `Decoder.stream` on [B, T, C], with the same states.

    Args:
        network: a causal one, with weight norm folded.
        hop_length: samples per frame.
        dtype: to compute in; what goes in and out, and the states, are float32.
    """

    def __init__(
        self,
        network: Encoder | Decoder,
        hop_length: int,
        dtype: torch.dtype = torch.float32,
    ):
        self.dtype = dtype
        self.count = len(network.layers)
        self.layers: list[tuple[int, FastLayer]] = []
        activated = False
        for index, layer in enumerate(network.layers):
            if isinstance(layer, Conv1d):
                self.layers.append((index, FastConv(layer, activated, dtype)))
            elif isinstance(layer, ConvTranspose1d):
                self.layers.append((index, FastUp(layer, dtype)))
            elif isinstance(layer, ResidualBlock):
                self.layers.append((index, FastBlock(layer, dtype)))
            elif isinstance(layer, SkipLSTM):
                self.layers.append((index, FastLSTM(layer, dtype)))
            activated = isinstance(layer, nn.ELU)  # its turn comes inside the next layer
        # The stage with the fewest steps and most channels belongs to the narrow end; in the
        # encoder only from its strided convolution on: many weights, few steps.
        changes = [i for i, (_, layer) in enumerate(self.layers) if _changes_rate(layer)]
        changes = changes or [len(self.layers) - 1]  # all strides are 1: no end is narrow
        self.encodes = isinstance(network, Encoder)
        if self.encodes:
            self.cut, self.tile = changes[-1], _TILE * hop_length
        else:
            stages = [layer for _, layer in self.layers if isinstance(layer, FastBlock)]
            self.cut = changes[0] + 1 + len(stages) // len(changes)
            self.tile = _TILE * self.layers[changes[0]][1].stride  # type: ignore[attr-defined]
        # Programs for one frame that are not at work: a stream takes one of them out, so that two
        # threads never write into the same memory.
        self.programs: list[Program] = []
        self.frame = hop_length if self.encodes else 1
        if dtype != torch.float32 or not can_be_laid_out([layer for _, layer in self.layers]):
            self.frame = 0

    def __call__(
        self, x: Tensor, states: StreamState | None, last: bool
    ) -> tuple[Tensor, list[StreamState]]:
        """Shape: x [B, T, C] → [B, N, C']."""
        if states is not None and not last and x.shape[:2] == (1, self.frame):
            with suppress(Unready):
                return self._one_frame(x, states)
        states = list(states) if states is not None else [None] * self.count
        if self.dtype != torch.float32:
            x, states = each_tensor((x, states), lambda tensor: tensor.to(self.dtype))
        first, second = self.layers[: self.cut], self.layers[self.cut :]
        if self.encodes:
            x = self._through(second, self._tiled(first, x, states, last), states, last)
        else:
            x = self._tiled(second, self._through(first, x, states, last), states, last)
        if self.dtype != torch.float32:
            x, states = each_tensor((x, states), Tensor.float)
        return x, states

    def _one_frame(self, x: Tensor, states: StreamState) -> tuple[Tensor, list[StreamState]]:
        """By a program, which nobody else uses meanwhile."""
        try:
            program = self.programs.pop()
        except IndexError:
            program = Program(self.layers, self.frame)
        try:
            return program(x, cast(list[StreamState], states))
        finally:
            self.programs.append(program)

    def _tiled(
        self, layers: list[tuple[int, FastLayer]], x: Tensor, states: list[StreamState], last: bool
    ) -> Tensor:
        if x.shape[1] <= self.tile:
            return self._through(layers, x, states, last)
        tiles = x.split(self.tile, 1)
        outputs = [self._through(layers, tile, states, False) for tile in tiles[:-1]]
        return torch.cat([*outputs, self._through(layers, tiles[-1], states, last)], 1)

    @staticmethod
    def _through(
        layers: list[tuple[int, FastLayer]], x: Tensor, states: list[StreamState], last: bool
    ) -> Tensor:
        for index, layer in layers:
            x, states[index] = layer(x, states[index], last)
        return x


def _changes_rate(layer: FastLayer) -> bool:
    return isinstance(layer, FastUp) or (isinstance(layer, FastConv) and layer.stride > 1)
