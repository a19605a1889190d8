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

from collections.abc import Sequence
from functools import partial

from torch import Tensor, nn

from minicodec.conv import Conv1d, ConvTranspose1d, Norm, PadMode


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
            nn.ELU(),
            conv(channels, channels // 2, kernel_size, dilation=dilation),
            nn.ELU(),
            conv(channels // 2, channels, 1),
        )
        self.shortcut = conv(channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.shortcut(x) + self.block(x)


class SkipLSTM(nn.Module):
    """An LSTM over time whose output is added to its input: memory beyond the receptive field.

    Shape:
        x: [B, C, T] → [B, C, T]
    """

    def __init__(self, channels: int, n_layers: int = 2):
        super().__init__()
        self.lstm = nn.LSTM(channels, channels, n_layers)

    def forward(self, x: Tensor) -> Tensor:
        x = x.permute(2, 0, 1)
        y, _ = self.lstm(x)
        return (x + y).permute(1, 2, 0)


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
            layers += [block(width, dilation=2**j) for j in range(n_residual_layers)]
            layers += [nn.ELU(), conv(width, 2 * width, 2 * stride, stride)]
            width *= 2
        if lstm_layers:
            layers += [SkipLSTM(width, lstm_layers)]
        layers += [nn.ELU(), conv(width, dimension, 7)]
        self.layers = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x)


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
        for stride in reversed(strides):
            layers += [nn.ELU(), up(width, width // 2, 2 * stride, stride)]
            width //= 2
            layers += [block(width, dilation=2**j) for j in range(n_residual_layers)]
        layers += [nn.ELU(), conv(width, channels, 7)]
        self.layers = nn.Sequential(*layers)

    def forward(self, z: Tensor) -> Tensor:
        return self.layers(z)
