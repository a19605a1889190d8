"""Losses on powers of wide bands: their formulas, and what each hears that others do not."""

import math

import pytest
import torch

from minicodec.sound.spectral import mel_filters
from minicodec.training.bands import band_loss, long_term_loss
from minicodec.training.losses import log_mel_loss
from minicodec.training.update import Update
from tests.helpers import short_runs

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


def test_long_term_loss_is_the_formula_written_out():
    torch.manual_seed(0)
    x, y = torch.randn(2, 1, 9000), 0.3 * torch.randn(2, 1, 9000)
    rms = x.square().mean((1, 2), keepdim=True).sqrt()
    window = torch.hann_window(2048)
    logs = []
    for clip in (y / rms, x / rms):
        z = torch.stft(clip[:, 0], 2048, 512, window=window, return_complex=True)
        power = (z.real**2 + z.imag**2) / window.square().sum()
        logs.append(((mel_filters(RATE, 2048, 40) @ power).mean(-1) + 1e-5).log10())
    expected = float((logs[0] - logs[1]).abs().mean()) / 2
    assert float(long_term_loss(y, x, RATE)) == pytest.approx(expected, rel=1e-4)


def test_the_best_steady_guess_is_too_soft_for_one_loss_and_right_for_the_other():
    """Of a noise that comes and goes, a guess that does not know when: median against mean."""
    torch.manual_seed(0)
    noise = torch.randn(4, 1, 48000)
    envelope = 10 ** (torch.randn(4, 1, 40) * 0.5).repeat_interleave(1200, -1)  # 10 dB up and down
    target, guess = envelope * noise, torch.randn(4, 1, 48000)
    target = target / target.square().mean((1, 2), keepdim=True).sqrt()
    gains = torch.linspace(-12, 3, 31)
    best = {
        loss: float(gains[torch.stack(
            [loss(10 ** (g / 20) * guess, target, RATE) for g in gains]).argmin()])
        for loss in (band_loss, long_term_loss)
    }  # fmt: skip
    assert best[band_loss] < -3
    assert abs(best[long_term_loss]) < 1.5


def test_a_step_is_taught_by_the_long_term_loss_only_where_it_is_asked_for():
    for weight in (0.0, 0.3):
        losses = Update(short_runs.changed(long_term=weight, warm_up=0))(short_runs.batch(0), 0)
        assert ("long_term" in losses) == (weight > 0)
