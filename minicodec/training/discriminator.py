"""The MS-STFT discriminator: five networks with different windows, trained to tell copies apart.

Each looks at the complex spectrum of a clip, real and imaginary parts as two channels of a picture,
through a few two-dimensional convolutions, and gives a map of logits: above zero where the clip
sounds real. A magnitude alone would do for pitch and level, but not for phase, and codecs fail at
phase.

::

    audio ─ STFT ─ [2, frames, bins] ─ 3×9 ─ 3×9 /2 ─ 3×9 /2 ─ 3×9 /2 ─ 3×3 ─ 3×3 ─ logits
                                              dilation 1   2        4 (in time; /2 in frequency)

Chapter 08. Paper: section 3.4 and figure 2. The official code, `encodec.msstftd`, gives the same
numbers (tests/training/test_discriminator.py); it differs from the paper in three places, and we
follow the paper in two: weight normalization in *all* layers, each channel of a stereo clip a clip
by itself, but kernels of 9 bins where the paper says 8, which has no centre.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import weight_norm

from minicodec.sound.spectral import stft

#: The paper's five scales at 24 kHz, in samples; at 48 kHz each is twice as long.
WINDOWS = (2048, 1024, 512, 256, 128)
TIME_DILATIONS = (1, 2, 4)


class ScaleOutput(NamedTuple):
    """What the discriminator at one scale returns."""

    logits: Tensor  #: [N, 1, frames, bins / 8], above zero where the clip sounds real
    features: list[Tensor]  #: the 5 inner layers, each [N, n_filters, frames, bins']


class DiscriminatorOutput(NamedTuple):
    """What the discriminators at all J scales return, in the order of their windows."""

    logits: list[Tensor]  #: J maps of logits
    features: list[list[Tensor]]  #: J lists of 5 feature maps


class STFTDiscriminator(nn.Module):
    """The discriminator at one scale.

    Args:
        n_fft: window in samples; the hop is a quarter of it.
        n_filters: channels of every inner layer.
        channels: of audio, seen together in one picture.

    Shape:
        audio: [N, channels, T] → logits [N, 1, frames, ceil(bins / 8)], frames = (T − n_fft) /
        (n_fft / 4) + 1; a clip shorter than the window is lengthened with zeros to one frame

    >>> discriminator = STFTDiscriminator(n_fft=1024, n_filters=4)
    >>> discriminator(torch.randn(3, 1, 24000)).logits.shape
    torch.Size([3, 1, 90, 65])
    """

    def __init__(self, n_fft: int, n_filters: int = 32, channels: int = 1):
        super().__init__()
        self.n_fft = n_fft
        self.convs = nn.ModuleList([conv2d(2 * channels, n_filters, (3, 9))])
        for dilation in TIME_DILATIONS:
            self.convs.append(conv2d(n_filters, n_filters, (3, 9), stride=2, dilation=dilation))
        self.convs.append(conv2d(n_filters, n_filters, (3, 3)))
        self.last = conv2d(n_filters, 1, (3, 3))

    def forward(self, audio: Tensor) -> ScaleOutput:
        spectrum = stft(audio, self.n_fft, center=False).transpose(-1, -2)
        x = torch.cat([spectrum.real, spectrum.imag], dim=1)
        # Channels last in memory: on a CPU gradients of so few channels come twice as fast.
        x = x.contiguous(memory_format=torch.channels_last)
        features = []
        for conv in self.convs:
            x = F.leaky_relu(conv(x), 0.2)
            features.append(x)
        return ScaleOutput(self.last(x), features)


class MultiScaleDiscriminator(nn.Module):
    """Five of them, from long windows that resolve pitch to short ones that resolve attacks.

    Args:
        windows: STFT size of each, in samples.
        n_filters: channels of every inner layer; 32 in the paper, fewer for a quick experiment.
        channels: of audio that are seen together. With 1, the paper's way, left and right of a
            stereo clip count as two clips. The official code sees both in one picture; so does 2.

    Shape:
        audio: [B, C, T] → `DiscriminatorOutput` of N = B · C / channels clips

    Raises:
        ValueError: if the audio is not [B, C, T], is empty, or C is no multiple of `channels`.

    >>> discriminator = MultiScaleDiscriminator(n_filters=4)
    >>> output = discriminator(torch.randn(2, 1, 24000))
    >>> [list(logits.shape) for logits in output.logits][:2]
    [[2, 1, 43, 129], [2, 1, 90, 65]]
    """

    def __init__(self, windows: Sequence[int] = WINDOWS, n_filters: int = 32, channels: int = 1):
        super().__init__()
        self.channels = channels
        self.scales = nn.ModuleList(STFTDiscriminator(n, n_filters, channels) for n in windows)

    def forward(self, audio: Tensor) -> DiscriminatorOutput:
        if audio.dim() != 3 or not audio.numel() or audio.shape[1] % self.channels:
            raise ValueError(
                "the discriminator takes audio [B, C, T], not empty, with C a multiple of "
                f"{self.channels}, but was given {list(audio.shape)}."
            )
        clips = audio.reshape(-1, self.channels, audio.shape[-1])
        results = [scale(clips) for scale in self.scales]
        return DiscriminatorOutput([r.logits for r in results], [r.features for r in results])


class BandwidthDiscriminators(nn.Module):
    """One `MultiScaleDiscriminator` for each bandwidth, as in the paper's section 3.4.

    A clip at 1.5 kbps gives itself away by other signs than one at 24 kbps; a network that sees
    only one of them learns its signs better. Only the discriminator of the batch's bandwidth is
    run, so this costs memory and no time.

    Args:
        bandwidths: in kbps.
        windows, n_filters, channels: as in `MultiScaleDiscriminator`.

    Raises:
        ValueError: for a bandwidth that has no discriminator.

    >>> discriminators = BandwidthDiscriminators((1.5, 6.0), n_filters=4)
    >>> len(discriminators(torch.randn(2, 1, 24000), bandwidth=6.0).logits)
    5
    """

    def __init__(
        self,
        bandwidths: Sequence[float],
        windows: Sequence[int] = WINDOWS,
        n_filters: int = 32,
        channels: int = 1,
    ):
        super().__init__()
        self.bandwidths = tuple(bandwidths)
        self.discriminators = nn.ModuleList(
            MultiScaleDiscriminator(windows, n_filters, channels) for _ in bandwidths
        )

    def forward(self, audio: Tensor, bandwidth: float) -> DiscriminatorOutput:
        if bandwidth not in self.bandwidths:
            known = ", ".join(f"{b:g}" for b in self.bandwidths)
            raise ValueError(f"there are discriminators for {known} kbps, not for {bandwidth:g}.")
        output: DiscriminatorOutput = self.discriminators[self.bandwidths.index(bandwidth)](audio)
        return output


def conv2d(
    inputs: int, outputs: int, kernel: tuple[int, int], stride: int = 1, dilation: int = 1
) -> nn.Module:
    """[N, C, frames, bins]; strided in frequency and dilated in time, as many frames out as in."""
    padding = (dilation * (kernel[0] // 2), kernel[1] // 2)
    return weight_norm(
        nn.Conv2d(inputs, outputs, kernel, (1, stride), padding, dilation=(dilation, 1))
    )
