"""The loss on powers of wide bands: its formula, and what it hears that the mel loss does not."""

import math

import pytest
import torch

from minicodec.sound.spectral import mel_filters
from minicodec.training.bands import band_loss
from minicodec.training.losses import log_mel_loss

RATE = 24000


def sine(frequency: float) -> torch.Tensor:
    t = torch.arange(round(0.2 * RATE)) / RATE
    return 0.3 * torch.sin(2 * math.pi * frequency * t).view(1, 1, -1)


def test_band_loss_is_the_formula_written_out():
    torch.manual_seed(0)
    x, y = torch.randn(2, 1, 4000), 0.3 * torch.randn(2, 1, 4000)
    rms = x.square().mean((1, 2), keepdim=True).sqrt()
    total = 0.0
    for n_fft, bands in ((512, 24), (1024, 32), (2048, 40)):
        window = torch.hann_window(n_fft)
        powers = []
        for clip in (y / rms, x / rms):
            z = torch.stft(clip[:, 0], n_fft, n_fft // 4, window=window, return_complex=True)
            power = (z.real**2 + z.imag**2) / window.square().sum()
            powers.append((mel_filters(RATE, n_fft, bands) @ power + 1e-4).log10())
        total += float((powers[0] - powers[1]).abs().mean()) / 2
    assert float(band_loss(y, x, RATE)) == pytest.approx(total / 3, rel=1e-4)


def test_band_loss_hears_the_sum_of_a_band_and_not_which_bin_has_it():
    """A tone that moves within a wide band costs the band loss a smaller part of a far move."""
    there, beside, elsewhere = sine(6000), sine(6100), sine(9000)
    near, far = (float(band_loss(y, there, RATE)) for y in (beside, elsewhere))
    assert near < 0.35 * far
    narrow = [float(log_mel_loss(y, there, RATE)) for y in (beside, elsewhere)]
    assert near / far < narrow[0] / narrow[1]
