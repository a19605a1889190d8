"""SEANet: the convolutional encoder and decoder, with a small LSTM at the narrow end.

::

    [B, 1, 24000]  samples                                         samples  [B, 1, 24000]
         │  conv 7                                               conv 7 ▲
         │  residual block, conv k=2s stride s    × 4     convT k=2s stride s, residual block
         │  LSTM                                                   LSTM │
         ▼  conv 7                                               conv 7 │
    [B, 128, 75]  latents  ───────────  quantizer  ──────────▶  latents [B, 128, 75]

Strides 2, 4, 5, 8 multiply to a hop of 320 samples, and each halving of time doubles the channels.

Chapters 03 and 04. Paper: section 3.1. Where the paper and the official weights differ, this
follows the weights: the second convolution of a residual block has kernel size 1, not 3.
"""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from minicodec.model.config import CodecConfig
from minicodec.model.conv import Conv1d, ConvTranspose1d, Norm, PadMode
from minicodec.model.snake import Activation, activation

#: What layers remember from one piece of a stream to the next: tensors, in tuples and lists.
StreamState = Any


def stream_layers(
    layers: Iterable[nn.Module], x: Tensor, states: StreamState | None, last: bool
) -> tuple[Tensor, list[StreamState]]:
    """Pass a piece through layers one after another, each with a state of its own.

    Returns:
        what came out of the last layer, and the list of new states.
    """
    layers = list(layers)
    states = list(states) if states is not None else [None] * len(layers)
    for index, layer in enumerate(layers):
        if isinstance(layer, (Conv1d, ResidualBlock)):
            x, states[index] = layer.stream(x, states[index], last)
        elif isinstance(layer, (ConvTranspose1d, SkipLSTM)):
            x, states[index] = layer.stream(x, states[index])
        else:
            x = layer(x)
    return x, states


def each_tensor(state: StreamState, change: Callable[[Tensor], Tensor]) -> StreamState:
    """A state nested in the same way, with each of its tensors changed."""
    if isinstance(state, Tensor):
        return change(state)
    if isinstance(state, (tuple, list)):
        parts = [each_tensor(part, change) for part in state]
        return type(state)(*parts) if hasattr(state, "_fields") else type(state)(parts)
    return state


class ResidualBlock(nn.Module):
    """Look at the neighbours, through half the channels, and add what was seen to the input.

    Args:
        channels: F, at both ends.
        kernel_size: of the first convolution; the second has size 1.
        dilation: spacing of the first kernel's taps.
        causal, norm, pad_mode: as in `Conv1d`.
        kind: of activation; the paper's is "elu".

    Shape:
        x: [B, F, T] → [B, F, T]

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
        kind: Activation = "elu",
    ):
        super().__init__()
        conv = partial(Conv1d, causal=causal, norm=norm, pad_mode=pad_mode)
        self.block = nn.Sequential(
            activation(kind, channels),
            conv(channels, channels // 2, kernel_size, dilation=dilation),
            activation(kind, channels // 2),
            conv(channels // 2, channels, 1),
        )
        self.shortcut = conv(channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.shortcut(x) + self.block(x)

    def stream(
        self, x: Tensor, state: StreamState | None = None, last: bool = False
    ) -> tuple[Tensor, StreamState]:
        """As `Conv1d.stream`. Samples that the first convolution still waits for are held back.

        Shape:
            x: [B, F, T] → [B, F, T']
        """
        held, inner = state if state is not None else (x[..., :0], None)
        activate, look, *rest = self.block
        seen, inner = look.stream(activate(x), inner, last)  # type: ignore[operator]
        seen, _ = stream_layers(rest, seen, None, last)  # a kernel of size 1 remembers nothing
        x, ready = torch.cat([held, x], dim=-1), seen.shape[-1]
        short, _ = self.shortcut.stream(x[..., :ready], None, last)
        return short + seen, (x[..., ready:], inner)


class SkipLSTM(nn.Module):
    """An LSTM over time whose output is added to its input: memory beyond the receptive field.

    Shape:
        x: [B, F, T] → [B, F, T]
    """

    def __init__(self, channels: int, n_layers: int = 2):
        super().__init__()
        self.lstm = nn.LSTM(channels, channels, n_layers)

    def forward(self, x: Tensor) -> Tensor:
        x = x.permute(2, 0, 1)
        y, _ = self.lstm(x)
        return (x + y).permute(1, 2, 0)

    def stream(
        self, x: Tensor, state: tuple[Tensor, Tensor] | None = None
    ) -> tuple[Tensor, tuple[Tensor, Tensor] | None]:
        """Take the next frames, starting from what the frames before left in memory.

        Args:
            state: hidden and cell vectors, each [B, n_layers, F]; None begins a clip.

        Shape:
            x: [B, F, T] → [B, F, T]
        """
        if not x.shape[-1]:
            return x, state
        x = x.permute(2, 0, 1)
        if state is not None:  # the library wants layers before clips
            state = (state[0].transpose(0, 1).contiguous(), state[1].transpose(0, 1).contiguous())
        y, (hidden, cell) = self.lstm(x, state)
        return (x + y).permute(1, 2, 0), (hidden.transpose(0, 1), cell.transpose(0, 1))


class Encoder(nn.Module):
    """From samples to latents: `hop_length` (the product of the strides) samples become one frame.

    Args:
        config: its `channels`, `dimension`, `n_filters`, `strides`, `n_residual_layers`,
            `lstm_layers`, `causal`, `norm`, `pad_mode` and `activation`.

    Shape:
        x: [B, C, T] → [B, D, ceil(T / hop_length)]

    >>> encoder = Encoder(CodecConfig(n_filters=4, dimension=16))
    >>> encoder(torch.randn(1, 1, 24000)).shape
    torch.Size([1, 16, 75])
    """

    def __init__(self, config: CodecConfig):
        super().__init__()
        width = config.n_filters
        layers: list[nn.Module] = [_conv(config, config.channels, width, 7)]
        for stride in config.strides:
            layers += _residual_blocks(config, width)
            down = _conv(config, width, 2 * width, 2 * stride, stride)
            layers += [activation(config.activation, width), down]
            width *= 2
        if config.lstm_layers:
            layers += [SkipLSTM(width, config.lstm_layers)]
        layers += [activation(config.activation, width), _conv(config, width, config.dimension, 7)]
        self.layers = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x)

    def stream(
        self, x: Tensor, state: StreamState | None = None, last: bool = False
    ) -> tuple[Tensor, StreamState]:
        """Take the next samples of a clip, give back the latents that are now certain.

        Args:
            x: of any length, also empty.
            state: what the call before returned; None begins a clip. It is the caller's, so one
                encoder can serve many clips at once.
            last: this piece ends the clip.

        Shape:
            x: [B, C, T] → [B, D, T']

        Raises:
            ValueError: if the encoder is not causal.
        """
        return stream_layers(self.layers, x, state, last)


class Decoder(nn.Module):
    """From latents back to samples: the encoder's mirror image.

    Args:
        config: as for `Encoder`; its strides are undone last first.

    Shape:
        z: [B, D, T'] → [B, C, T' * hop_length]

    >>> decoder = Decoder(CodecConfig(n_filters=4, dimension=16))
    >>> decoder(torch.randn(1, 16, 75)).shape
    torch.Size([1, 1, 24000])
    """

    def __init__(self, config: CodecConfig):
        super().__init__()
        width = config.n_filters * 2 ** len(config.strides)
        layers: list[nn.Module] = [_conv(config, config.dimension, width, 7)]
        if config.lstm_layers:
            layers += [SkipLSTM(width, config.lstm_layers)]
        for stride in reversed(config.strides):
            up = _conv_transpose(config, width, width // 2, 2 * stride, stride)
            layers += [activation(config.activation, width), up]
            width //= 2
            layers += _residual_blocks(config, width)
        layers += [activation(config.activation, width), _conv(config, width, config.channels, 7)]
        self.layers = nn.Sequential(*layers)

    def forward(self, z: Tensor) -> Tensor:
        return self.layers(z)

    def stream(
        self, z: Tensor, state: StreamState | None = None, last: bool = False
    ) -> tuple[Tensor, StreamState]:
        """Take the next latents of a clip, give back the samples that are now certain.

        Args:
            z, state, last: as for `Encoder.stream`.

        Shape:
            z: [B, D, T'] → [B, C, T]; with zero padding T = T' * hop_length

        Raises:
            ValueError: if the decoder is not causal.
        """
        return stream_layers(self.layers, z, state, last)


def _conv(config: CodecConfig, *size: int) -> Conv1d:
    return Conv1d(*size, causal=config.causal, norm=config.norm, pad_mode=config.pad_mode)


def _conv_transpose(config: CodecConfig, *size: int) -> ConvTranspose1d:
    return ConvTranspose1d(*size, causal=config.causal, norm=config.norm)


def _residual_blocks(config: CodecConfig, channels: int) -> list[nn.Module]:
    """As many as the config asks for, each with twice the reach of the one before."""
    same: dict[str, Any] = dict(causal=config.causal, norm=config.norm, pad_mode=config.pad_mode)
    same["kind"] = config.activation
    return [ResidualBlock(channels, dilation=2**j, **same) for j in range(config.n_residual_layers)]
