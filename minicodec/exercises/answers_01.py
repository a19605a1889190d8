"""Support: behind the exercises of chapter 01: right answers, input, and ways to be wrong."""

import math
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from minicodec.exercises.trying import draw
from minicodec.sound.spectral import (
    decibel,
    hz_to_mel,
    mel_filters,
    mel_spectrogram,
    mel_to_hz,
    stft,
)

RATE = 24000


def quantize(x: Tensor, bits: int) -> Tensor:
    """The nearest of 2**bits levels, spread evenly over [-1, 1].

    >>> quantize(torch.tensor([-0.9, 0.0, 0.2, 3.0]), 2)
    tensor([-0.7500,  0.2500,  0.2500,  0.7500])
    """
    step, most = 2 / 2**bits, 2 ** (bits - 1)
    return (torch.floor(x / step).clamp(-most, most - 1) + 0.5) * step


def toward_zero(x: Tensor, bits: int) -> Tensor:
    """Wrong: `int` drops the fraction, which moves samples below 0 up."""
    step = 2 / 2**bits
    return (x / step).int() * step + step / 2


def clamped_last(x: Tensor, bits: int) -> Tensor:
    """Wrong: -1 and 1 are no levels."""
    step = 2 / 2**bits
    return ((torch.floor(x / step) + 0.5) * step).clamp(-1, 1)


def samples_and_bits(generator: Generator) -> tuple[Tensor, int]:
    """Samples between the levels and a little beyond full scale."""
    x = 1.2 * (2 * torch.rand(40, generator=generator) - 1)
    return torch.cat([x, torch.tensor([-1.0, 1.0, 0.001, -0.001])]), draw(generator, 2, 5)


def snr(estimate: Tensor, reference: Tensor) -> Tensor:
    """Power of the reference over power of the error, in dB."""
    noise = estimate - reference
    return 10 * torch.log10(reference.pow(2).sum() / noise.pow(2).sum())


def copy_and_original(generator: Generator) -> tuple[Tensor, Tensor]:
    """[1, 1, T] twice: the copy is softer, noisy, and both have a mean."""
    original = torch.randn(1, 1, 500, generator=generator) + 0.7
    gain = 0.4 + 0.3 * float(torch.rand((), generator=generator))
    copy = gain * original + 0.2 * torch.randn(1, 1, 500, generator=generator) - 0.5
    return copy, original


def as_number(answer: Callable[..., Any], *arguments: Any) -> Any:
    """A tensor of one number counts as that number."""
    result = answer(*arguments)
    one = isinstance(result, Tensor) and result.numel() == 1
    return result.item() if one else result


def picture(
    x: Tensor,
    n_fft: int,
    hop_length: int,
    *,
    pad: str | None = "reflect",
    window: Callable[[int], Tensor] = torch.hann_window,
    norm: Callable[[Tensor], Tensor] = torch.linalg.vector_norm,
) -> Tensor:
    """An STFT as the chapter builds it, and as it goes wrong."""
    if pad is not None:
        x = F.pad(x[None], (n_fft // 2, n_fft // 2), mode=pad)[0]
    weights = window(n_fft)
    pieces = x.unfold(0, n_fft, hop_length) * weights
    return torch.fft.rfft(pieces / norm(weights)).T


def samples_and_window(generator: Generator) -> tuple[Tensor, int, int]:
    """Noise of no whole number of frames, a window, a quarter of it."""
    n_fft = 2 ** draw(generator, 5, 7)
    samples = torch.randn(n_fft * 6 + draw(generator, 1, 30), generator=generator)
    return samples, n_fft, n_fft // 4


def triangles(
    rate: int,
    n_fft: int,
    n_mels: int,
    *,
    top: float = 0.5,
    to_mel: Callable[[float], float] = lambda hz: 2595 * math.log10(1 + hz / 700),
    to_hz: Callable[[Tensor], Tensor] = lambda mel: 700 * (10 ** (mel / 2595) - 1),
    meet: Callable[[Tensor, Tensor], Tensor] = torch.minimum,
) -> Tensor:
    """Mel filters as the chapter builds them, and as they go wrong; not clamped."""
    frequency = torch.linspace(0, rate / 2, n_fft // 2 + 1)
    centres = to_hz(torch.linspace(0, to_mel(rate * top), n_mels + 2))
    left, middle, right = centres[:-2, None], centres[1:-1, None], centres[2:, None]
    return meet((frequency - left) / (middle - left), (right - frequency) / (right - middle))


def of_equal_area(rate: int, n_fft: int, n_mels: int) -> Tensor:
    """Mel filters as librosa makes them by default: the wider, the lower."""
    corners = mel_to_hz(torch.linspace(0, float(hz_to_mel(rate / 2)), n_mels + 2))
    return mel_filters(rate, n_fft, n_mels) * (2 / (corners[2:] - corners[:-2]))[:, None]


def summing_to_one(rate: int, n_fft: int, n_mels: int) -> Tensor:
    """Mel filters that give means, not sums."""
    filters = mel_filters(rate, n_fft, n_mels)
    return filters / filters.sum(1, keepdim=True)


def straight_in_mels(rate: int, n_fft: int, n_mels: int) -> Tensor:
    """Mel filters whose sides are straight lines over mels."""
    mels = hz_to_mel(torch.linspace(0, rate / 2, n_fft // 2 + 1))
    place = mels / float(hz_to_mel(rate / 2)) * (n_mels + 1)
    return (1 - (place - torch.arange(1, n_mels + 1)[:, None]).abs()).clamp(min=0)


def rate_window_and_bands(generator: Generator) -> tuple[int, int, int]:
    """Sample rate, window and number of bands."""
    rate = (16000, 24000, 32000)[draw(generator, 0, 2)]
    return rate, 1024, draw(generator, 20, 40)


def si_sdr(
    estimate: Tensor,
    reference: Tensor,
    *,
    centre: bool = True,
    alpha: Callable[[Tensor, Tensor], Tensor | float] | None = None,
    distortion: Callable[[Tensor, Tensor, Tensor], Tensor] = lambda e, r, target: e - target,
    scale: float = 10.0,
) -> Tensor:
    """SI-SDR as the chapter builds it, and as it goes wrong."""
    if centre:
        estimate, reference = estimate - estimate.mean(), reference - reference.mean()
    gain = (estimate * reference).sum() / reference.pow(2).sum()
    target = (gain if alpha is None else alpha(estimate, reference)) * reference
    noise = distortion(estimate, reference, target)
    return scale * torch.log10(target.pow(2).sum() / noise.pow(2).sum())


def compress(x: Tensor) -> Tensor:
    """[-1, 1] → [-1, 1], with more room for what is soft."""
    return x.sign() * torch.log1p(255 * x.abs()) / math.log(256)


def expand(y: Tensor) -> Tensor:
    """The way back from `compress`."""
    return y.sign() * (256 ** y.abs() - 1) / 255


def mu_law(x: Tensor, bits: int) -> Tensor:
    """Rounded where speech has most of its samples."""
    return expand(quantize(compress(x), bits))


def lost_way(x: Tensor, bits: int, way: Callable[[Tensor], Tensor]) -> Tensor:
    """Wrong: compressed and rounded, but `way` does not lead back."""
    y = quantize(compress(x), bits)
    return y.sign() * way(y.abs()) / 255


def soft_samples_and_bits(generator: Generator) -> tuple[Tensor, int]:
    """Most samples are soft, as in speech."""
    x = torch.randn(60, generator=generator).clamp(-3, 3) ** 3 / 27
    return x, draw(generator, 4, 8)


def mel_distance(copy: Tensor, original: Tensor) -> Tensor:
    """Mean difference of two mel pictures in dB, with one window of 1024 samples."""
    return (_decibels(copy) - _decibels(original)).abs().mean()


def two_clips(generator: Generator) -> tuple[Tensor, Tensor]:
    """[T] twice; the second half of both is silent, or nearly."""
    level = torch.cat([torch.ones(3000), torch.full((3000,), 1e-6)])
    clip, noise = torch.randn(2, 6000, generator=generator)
    return (clip + 0.3 * noise) * level, clip * level


def magnitudes(x: Tensor) -> Tensor:
    """Mel bands of one clip [T] → [64, frames]."""
    return mel_spectrogram(x, RATE, 1024)


def powers(x: Tensor) -> Tensor:
    """Mel bands of the power, not of the magnitude."""
    return mel_filters(RATE, 1024, 64) @ stft(x, 1024).abs().pow(2)


def _decibels(x: Tensor) -> Tensor:
    return decibel(magnitudes(x))
