"""SEANet: the convolutional encoder and decoder, with a small LSTM at the narrow end.

::

    [B, 1, 24000]  samples                                         samples  [B, 1, 24000]
         │  conv 7                                               conv 7 ▲
         │  residual block, conv k=2s stride s    × 4     convT k=2s stride s, residual block
         │  LSTM                                                   LSTM │
         ▼  conv 7                                               conv 7 │
    [B, 128, 75]  latents  ───────────  quantizer  ──────────▶  latents [B, 128, 75]

Strides 2, 4, 5, 8 multiply to a hop of 320 samples, and each halving of time doubles the channels.

Chapter 03. Paper: section 3.1. Where the paper and the official weights differ, this follows the
weights: the second convolution of a residual block has kernel size 1, not 3.
"""

import math
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from minicodec.model.conv import Conv1d, ConvTranspose1d, Norm, PadMode
from minicodec.model.fast.derived import Derived
from minicodec.model.fast.elu import ELU
from minicodec.model.fast.time_major import joined

#: What a layer remembers between chunks: tensors, and tuples and lists of them.
State = Any

#: Below this many frames a hand-written LSTM step is faster than `nn.LSTM`.
_FEW = 12

#: Frames that pass through the wide layers at once; the LSTM is fastest with as many as there are.
_TILE = 75


def stream_layers(
    layers: Iterable[nn.Module], x: Tensor, states: State | None, last: bool
) -> tuple[Tensor, list[State]]:
    """Pass a chunk through layers one after another, each with a state of its own.

    Returns:
        what came out of the last layer, and the list of new states.
    """
    layers = list(layers)
    states = list(states) if states is not None else [None] * len(layers)
    activation = None
    for index, (layer, following) in enumerate(zip(layers, [*layers[1:], None])):
        if isinstance(layer, ELU) and isinstance(following, Conv1d):
            activation = layer  # the convolution copies its input anyway, and applies it then
        elif isinstance(layer, Conv1d):
            x, states[index] = layer.stream(x, states[index], last, activation)
            activation = None
        elif isinstance(layer, ResidualBlock):
            x, states[index] = layer.stream(x, states[index], last)
        elif isinstance(layer, (ConvTranspose1d, SkipLSTM)):
            x, states[index] = layer.stream(x, states[index])
        else:
            x = layer(x)
    return x, states


def _stream_tiles(
    layers: list[nn.Module], x: Tensor, states: list[State], last: bool, tile: int
) -> tuple[Tensor, list[State]]:
    """As `stream_layers`, but `tile` steps at a time: what lies between the layers stays small."""
    if x.shape[-1] <= tile:
        return stream_layers(layers, x, states, last)
    outputs = []
    for start in range(0, x.shape[-1], tile):
        ends = last and start + tile >= x.shape[-1]
        y, states = stream_layers(layers, x[..., start : start + tile], states, ends)
        outputs.append(y.mT)
    return torch.cat(outputs, dim=1).mT, states  # time before channels in memory


class ResidualBlock(nn.Module):
    """Look at the neighbours, through half the channels, and add what was seen to the input.

    Args:
        channels: C, at both ends.
        kernel_size: of the first convolution; the second has size 1.
        dilation: spacing of the first kernel's taps.
        causal, norm, pad_mode: as in `Conv1d`.

    Shape:
        x: [B, C, T] → [B, C, T]

    >>> import torch
    >>> ResidualBlock(8)(torch.randn(1, 8, 20)).shape
    torch.Size([1, 8, 20])
    """

    def __init__(
        self,
        channels: int,
        kernel_size: int = 3,
        dilation: int = 1,
        *,
        causal: bool = True,
        norm: Norm = "none",
        pad_mode: PadMode = "constant",
    ):
        super().__init__()
        conv = partial(Conv1d, causal=causal, norm=norm, pad_mode=pad_mode)
        self.block = nn.Sequential(
            ELU(),
            conv(channels, channels // 2, kernel_size, dilation=dilation),
            ELU(inplace=True),
            conv(channels // 2, channels, 1),
        )
        self.shortcut = conv(channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.shortcut(x) + self.block(x)

    def stream(
        self, x: Tensor, state: State | None = None, last: bool = False
    ) -> tuple[Tensor, State]:
        """As `Conv1d.stream`. Samples that the first convolution still waits for are held back.

        Shape:
            x: [B, C, T] → [B, C, N]
        """
        held, inner = state if state is not None else (x[..., :0], None)
        activation, look, again, _ = self.block
        seen, inner = look.stream(x, inner, last, activation)  # type: ignore[operator]
        x = joined(held, x).mT
        ready = seen.shape[-1]
        return self._merge(x[..., :ready], again(seen)), (x[..., ready:], inner)

    def _merge(self, x: Tensor, seen: Tensor) -> Tensor:
        """The shortcut and the block's last convolution, both of size 1, added as they are made."""
        near, far = self.shortcut, self.block[-1]
        bias = near.bias + far.bias  # type: ignore[operator]
        y = F.linear(x.mT.flatten(0, 1), near.weight[..., 0], bias)
        y.addmm_(seen.mT.flatten(0, 1), far.weight[..., 0].t())  # type: ignore[index]
        return y.view(len(x), -1, y.shape[1]).mT


class SkipLSTM(nn.Module):
    """An LSTM over time whose output is added to its input: memory beyond the receptive field.

    Shape:
        x: [B, C, T] → [B, C, T]
    """

    def __init__(self, channels: int, n_layers: int = 2):
        super().__init__()
        self.lstm = nn.LSTM(channels, channels, n_layers)
        self._columns = [(Derived(_columns), Derived(_columns)) for _ in range(n_layers)]

    def forward(self, x: Tensor) -> Tensor:
        x = x.permute(2, 0, 1)
        y, _ = self.lstm(x)
        return (x + y).permute(1, 2, 0)

    def stream(
        self, x: Tensor, state: tuple[Tensor, Tensor] | None = None
    ) -> tuple[Tensor, tuple[Tensor, Tensor] | None]:
        """Take the next frames, starting from what the frames before left in memory.

        Args:
            state: hidden and cell vectors, each [B, n_layers, C]; None begins a clip.

        Shape:
            x: [B, C, T] → [B, C, T]
        """
        if not x.shape[-1]:
            return x, state
        x = x.permute(2, 0, 1)
        if state is not None:
            state = (state[0].transpose(0, 1).contiguous(), state[1].transpose(0, 1).contiguous())
        y, state = self._step(x, state) if len(x) < _FEW else self.lstm(x, state)
        return (x + y).permute(1, 2, 0), (state[0].transpose(0, 1), state[1].transpose(0, 1))

    def _step(
        self, x: Tensor, state: tuple[Tensor, Tensor] | None
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """`self.lstm(x, state)` for a few frames, without the library's preparations.

        On a CPU `nn.LSTM` repacks all weights at every call, which costs several times more than
        the arithmetic of one frame.
        """
        lstm = self.lstm
        shape = (lstm.num_layers, x.shape[1], lstm.hidden_size)
        hidden, cell = state if state is not None else (x.new_zeros(shape), x.new_zeros(shape))
        hiddens, cells = list(hidden), list(cell)
        for layer, (columns_in, columns_hidden) in enumerate(self._columns):
            w_in = columns_in(getattr(lstm, f"weight_ih_l{layer}"))
            w_hidden = columns_hidden(getattr(lstm, f"weight_hh_l{layer}"))
            bias = getattr(lstm, f"bias_ih_l{layer}") + getattr(lstm, f"bias_hh_l{layer}")
            outputs = []
            for frame in x @ w_in + bias:
                gates = torch.addmm(frame, hiddens[layer], w_hidden)
                candidate = gates.chunk(4, dim=-1)[2].tanh()
                let_in, forget, _, let_out = gates.sigmoid().chunk(4, dim=-1)
                cells[layer] = forget * cells[layer] + let_in * candidate
                hiddens[layer] = let_out * cells[layer].tanh()
                outputs.append(hiddens[layer])
            x = torch.stack(outputs)
        return x, (torch.stack(hiddens), torch.stack(cells))


def _columns(weight: Tensor) -> Tensor:
    """Transposed. One frame is coded as fast as weights come from memory, and they come twice as
    fast if those that meet the same input lie next to each other."""
    return weight.t().contiguous()


class Encoder(nn.Module):
    """From samples to latents: `hop_length` (the product of the strides) samples become one frame.

    Args:
        channels: of the audio; 1 for mono, 2 for stereo.
        dimension: D, of one latent vector.
        n_filters: C, channels after the first convolution; they double at every stride.
        strides: how much shorter each stage makes the signal, first stage first.
        n_residual_layers: residual blocks per stage, with dilations 1, 2, 4, …
        lstm_layers: 0 for none.
        causal, norm, pad_mode: as in `Conv1d`.

    Shape:
        x: [B, channels, T] → [B, D, ceil(T / hop_length)]

    >>> import torch
    >>> Encoder(n_filters=4, dimension=16)(torch.randn(1, 1, 24000)).shape
    torch.Size([1, 16, 75])
    """

    def __init__(
        self,
        channels: int = 1,
        dimension: int = 128,
        n_filters: int = 32,
        strides: Sequence[int] = (2, 4, 5, 8),
        *,
        n_residual_layers: int = 1,
        lstm_layers: int = 2,
        causal: bool = True,
        norm: Norm = "weight_norm",
        pad_mode: PadMode = "constant",
    ):
        super().__init__()
        conv = partial(Conv1d, causal=causal, norm=norm, pad_mode=pad_mode)
        block = partial(ResidualBlock, causal=causal, norm=norm, pad_mode=pad_mode)
        width = n_filters
        layers: list[nn.Module] = [conv(channels, width, 7)]
        for stride in strides:
            self.wide = len(layers)  # layers where time is long: those before the last stage
            layers += [block(width, dilation=2**j) for j in range(n_residual_layers)]
            layers += [ELU(), conv(width, 2 * width, 2 * stride, stride)]
            width *= 2
        if lstm_layers:
            layers += [SkipLSTM(width, lstm_layers)]
        layers += [ELU(), conv(width, dimension, 7)]
        self.layers = nn.Sequential(*layers)
        self.hop_length = math.prod(strides)

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x)

    def stream(
        self, x: Tensor, state: State | None = None, last: bool = False
    ) -> tuple[Tensor, State]:
        """Take the next samples of a clip, give back the latents that are now certain.

        Args:
            x: of any length, also empty.
            state: what the call before returned; None begins a clip. It is the caller's, so one
                encoder can serve many clips at once.
            last: this chunk ends the clip.

        Shape:
            x: [B, channels, T] → [B, D, N]

        Raises:
            ValueError: if the encoder is not causal.
        """
        layers, cut = list(self.layers), self.wide
        states = list(state) if state is not None else [None] * len(layers)
        x, wide = _stream_tiles(layers[:cut], x, states[:cut], last, _TILE * self.hop_length)
        x, narrow = stream_layers(layers[cut:], x, states[cut:], last)
        return x, wide + narrow


class Decoder(nn.Module):
    """From latents back to samples: the encoder's mirror image.

    Args:
        As for `Encoder`; `strides` are given in the encoder's order and undone last first.

    Shape:
        z: [B, D, N] → [B, channels, N * hop_length]

    >>> import torch
    >>> Decoder(n_filters=4, dimension=16)(torch.randn(1, 16, 75)).shape
    torch.Size([1, 1, 24000])
    """

    def __init__(
        self,
        channels: int = 1,
        dimension: int = 128,
        n_filters: int = 32,
        strides: Sequence[int] = (2, 4, 5, 8),
        *,
        n_residual_layers: int = 1,
        lstm_layers: int = 2,
        causal: bool = True,
        norm: Norm = "weight_norm",
        pad_mode: PadMode = "constant",
    ):
        super().__init__()
        conv = partial(Conv1d, causal=causal, norm=norm, pad_mode=pad_mode)
        block = partial(ResidualBlock, causal=causal, norm=norm, pad_mode=pad_mode)
        up = partial(ConvTranspose1d, causal=causal, norm=norm)
        width = n_filters * 2 ** len(strides)
        layers: list[nn.Module] = [conv(dimension, width, 7)]
        if lstm_layers:
            layers += [SkipLSTM(width, lstm_layers)]
        self.narrow = len(layers) + 2 + n_residual_layers  # layers where time is short, as above
        for stride in reversed(strides):
            layers += [ELU(inplace=True), up(width, width // 2, 2 * stride, stride)]
            width //= 2
            layers += [block(width, dilation=2**j) for j in range(n_residual_layers)]
        layers += [ELU(), conv(width, channels, 7)]
        self.layers = nn.Sequential(*layers)
        self.step = strides[-1]

    def forward(self, z: Tensor) -> Tensor:
        return self.layers(z)

    def stream(
        self, z: Tensor, state: State | None = None, last: bool = False
    ) -> tuple[Tensor, State]:
        """Take the next latents of a clip, give back the samples that are now certain.

        Args:
            z, state, last: as for `Encoder.stream`.

        Shape:
            z: [B, D, N] → [B, channels, T]; with zero padding T = N * hop_length

        Raises:
            ValueError: if the decoder is not causal.
        """
        layers, cut = list(self.layers), self.narrow
        states = list(state) if state is not None else [None] * len(layers)
        z, narrow = stream_layers(layers[:cut], z, states[:cut], last)
        z, wide = _stream_tiles(layers[cut:], z, states[cut:], last, _TILE * self.step)
        return z, narrow + wide
