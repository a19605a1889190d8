"""Spectra and mel bands agree with librosa, torch and torchaudio."""

import librosa
import numpy as np
import pytest
import torch
import torchaudio
from hypothesis import given, settings
from hypothesis import strategies as st

from minicodec.sound.spectral import (
    decibel,
    hz_to_mel,
    mel_filters,
    mel_spectrogram,
    mel_to_hz,
    stft,
)

WINDOWS = [32, 64, 128, 256, 512, 1024, 2048]


@pytest.mark.parametrize("n_fft", [64, 512, 2048])
def test_stft_is_that_of_librosa_and_torch(speech, n_fft):
    clip = speech[0, 0]
    window = torch.hann_window(n_fft)
    ours = stft(clip, n_fft) * window.pow(2).sum().sqrt()
    theirs = librosa.stft(clip.numpy(), n_fft=n_fft, hop_length=n_fft // 4, pad_mode="reflect")
    np.testing.assert_allclose(ours.numpy(), theirs, atol=2e-4)
    torchs = torch.stft(clip, n_fft, n_fft // 4, window=window, return_complex=True)
    torch.testing.assert_close(ours, torchs, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("n_fft", WINDOWS)
def test_white_noise_keeps_its_rms_in_every_window(n_fft):
    noise = 0.1 * torch.randn(200_000)
    inner = stft(noise, n_fft)[1:-1]  # the first and the last bin are real, with other statistics
    assert abs(inner.abs().pow(2).mean().sqrt() / 0.1 - 1) < 0.02


def test_a_tone_stands_where_its_frequency_is():
    tone = torch.sin(2 * torch.pi * 3000 * torch.arange(24000) / 24000)
    assert stft(tone, 1024).abs().mean(-1).argmax() == 3000 * 1024 // 24000


@given(st.integers(1, 3000), st.sampled_from(WINDOWS))
@settings(max_examples=40, deadline=None)
def test_clips_of_any_length_have_a_spectrum(length, n_fft):
    image = mel_spectrogram(torch.randn(2, 1, length), 24000, n_fft)
    assert image.shape[:3] == (2, 1, 64) and torch.isfinite(image).all()
    if length > n_fft // 2:
        assert image.shape[3] == 1 + length // (n_fft // 4)


@given(st.floats(0, 24000))
def test_mels_and_hertz_are_inverse(frequency):
    there = hz_to_mel(torch.tensor(frequency, dtype=torch.float64))
    assert abs(float(mel_to_hz(there)) - frequency) < 1e-6


def test_mels_rise():
    assert (hz_to_mel(torch.arange(0.0, 24000.0, 10)).diff() > 0).all()


@pytest.mark.parametrize(
    ("rate", "n_fft", "n_mels", "f_min"),
    [(24000, 1024, 64, 0.0), (48000, 2048, 128, 64.0), (16000, 256, 20, 20.0)],
)
def test_mel_filters_are_the_usual_ones(rate, n_fft, n_mels, f_min):
    ours = mel_filters(rate, n_fft, n_mels, f_min)
    theirs = torchaudio.functional.melscale_fbanks(
        n_fft // 2 + 1, f_min, rate / 2, n_mels, rate, norm=None, mel_scale="htk"
    )
    torch.testing.assert_close(ours, theirs.T, atol=1e-4, rtol=0)
    librosas = librosa.filters.mel(
        sr=rate, n_fft=n_fft, n_mels=n_mels, fmin=f_min, htk=True, norm=None
    )
    np.testing.assert_allclose(ours.numpy(), librosas, atol=1e-4)


@pytest.mark.filterwarnings("ignore:Empty filters detected")  # librosa counts them too
def test_a_short_window_leaves_most_filters_empty():
    empty = {n: int((mel_filters(24000, n).sum(1) == 0).sum()) for n in WINDOWS}
    assert empty[32] > 32 and empty[2048] == 0
    assert list(empty.values()) == sorted(empty.values(), reverse=True)
    for n in WINDOWS[:4]:
        theirs = librosa.filters.mel(sr=24000, n_fft=n, n_mels=64, htk=True, norm=None)
        assert empty[n] == int((theirs.sum(1) == 0).sum())


def test_filters_first_made_in_inference_mode_can_still_be_trained_with():
    with torch.inference_mode():
        mel_spectrogram(torch.randn(1, 4000), 22050, 512, n_mels=17)
    x = torch.randn(1, 4000, requires_grad=True)
    mel_spectrogram(x, 22050, 512, n_mels=17).sum().backward()
    assert x.grad.abs().sum() > 0


def test_decibel():
    assert decibel(torch.tensor([10.0, 1.0, 0.0]), floor=-60).tolist() == [20, 0, -60]


def test_double_precision_stays():
    assert mel_spectrogram(torch.randn(1, 4000, dtype=torch.float64), 24000).dtype == torch.float64
