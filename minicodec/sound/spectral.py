"""Sound as a picture: the short-time Fourier transform and the mel scale.

Chapter 01. Paper: section 3.4 uses the mel spectrogram as its frequency loss.
"""

from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor


def stft(
    audio: Tensor, n_fft: int = 1024, hop_length: int | None = None, center: bool = True
) -> Tensor:
    """Complex spectrum of short, overlapping, windowed pieces of the signal.

    The signal is mirrored at both ends so that frame `t` is centred on sample `t * hop_length`,
    and scaled by 1 / ‖window‖ so that windows of different lengths give comparable values.

    Args:
        n_fft: samples per piece.
        hop_length: samples from one piece to the next; a quarter of `n_fft` by default.
        center: False mirrors nothing: frame `t` *begins* at sample `t * hop_length`, and samples
            that fill no whole piece at the end are left out. A clip shorter than one piece is
            lengthened with zeros.

    Shape:
        audio: [..., T] → [..., n_fft // 2 + 1, 1 + T // hop_length], complex; not centred, there
        are 1 + (T - n_fft) // hop_length frames

    >>> stft(torch.randn(1, 1, 24000)).shape
    torch.Size([1, 1, 513, 94])
    """
    hop_length = n_fft // 4 if hop_length is None else hop_length
    flat = audio.reshape(-1, audio.shape[-1])
    # A clip shorter than half a window has nothing to mirror: pad it with zeros first.
    least = n_fft // 2 + 1 if center else n_fft
    flat = F.pad(flat, (0, max(0, least - flat.shape[-1])))
    window = torch.hann_window(n_fft, device=audio.device, dtype=audio.dtype)
    spectrum = (
        torch.stft(flat, n_fft, hop_length, window=window, center=center, return_complex=True)
        / window.pow(2).sum().sqrt()
    )
    return spectrum.reshape(*audio.shape[:-1], *spectrum.shape[-2:])


def hz_to_mel(frequency: Tensor | float) -> Tensor:
    """Pitch in mels: nearly linear below 1 kHz, logarithmic above (O'Shaughnessy's formula).

    >>> round(float(hz_to_mel(1000.0)))
    1000
    """
    return 2595 * torch.log10(1 + torch.as_tensor(frequency) / 700)


def mel_to_hz(mel: Tensor | float) -> Tensor:
    """The way back from `hz_to_mel`."""
    return 700 * (10 ** (torch.as_tensor(mel) / 2595) - 1)


@lru_cache(maxsize=64)
@torch.inference_mode(False)  # a tensor first made in inference mode could never be trained with
def mel_filters(sample_rate: int, n_fft: int, n_mels: int = 64, f_min: float = 0.0) -> Tensor:
    """Triangles, evenly spaced in mels, that sum FFT bins as the ear's critical bands do.

    A short window has few bins. Where a triangle is narrower than the gap between two bins it may
    catch none at all and stay empty: with 64 mels and `n_fft=32`, most do.

    Shape:
        [n_mels, n_fft // 2 + 1]

    >>> mel_filters(24000, 1024).shape
    torch.Size([64, 513])
    """
    bins = torch.linspace(0, sample_rate / 2, n_fft // 2 + 1, dtype=torch.float64)
    low, high = hz_to_mel(f_min), hz_to_mel(sample_rate / 2)
    edges = mel_to_hz(torch.linspace(float(low), float(high), n_mels + 2, dtype=torch.float64))
    rise = (bins - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    fall = (edges[2:, None] - bins) / (edges[2:] - edges[1:-1])[:, None]
    return torch.minimum(rise, fall).clamp(min=0).float()


def mel_spectrogram(
    audio: Tensor,
    sample_rate: int,
    n_fft: int = 1024,
    hop_length: int | None = None,
    n_mels: int = 64,
) -> Tensor:
    """Magnitudes of the spectrum, gathered into mel bands.

    Shape:
        audio: [..., T] → [..., n_mels, 1 + T // hop_length]

    >>> mel_spectrogram(torch.randn(1, 1, 24000), 24000).shape
    torch.Size([1, 1, 64, 94])
    """
    magnitude = stft(audio, n_fft, hop_length).abs()
    return mel_filters(sample_rate, n_fft, n_mels).to(magnitude) @ magnitude


def decibel(magnitude: Tensor, floor: float = -80.0) -> Tensor:
    """20 log10, cut off at `floor`; 0 dB is a magnitude of one.

    >>> decibel(torch.tensor([1.0, 0.1, 0.0]))
    tensor([  0., -20., -80.])
    """
    return 20 * torch.log10(magnitude.clamp(min=10 ** (floor / 20)))
