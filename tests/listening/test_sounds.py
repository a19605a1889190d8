"""Sounds are checked, levelled with each other, and packed without loss."""

import io

import numpy as np
import pytest
import soundfile
import torch

from minicodec.listening.sounds import Condition, flac, loudness, prepare

RATE = 24000


def unpacked(data: bytes) -> np.ndarray:
    return soundfile.read(io.BytesIO(data), dtype="float32", always_2d=True)[0].T


@pytest.mark.parametrize("shape", [(1,), (1, 1000), (2, 1000)])
def test_flac_holds_16_bits_of_every_sample(shape):
    clip = torch.rand(shape).reshape(-1, shape[-1]) * 1.9 - 0.95
    data = flac(clip, RATE)
    assert soundfile.info(io.BytesIO(data)).subtype == "PCM_16"
    np.testing.assert_allclose(unpacked(data), clip.numpy(), atol=2 / 32768)


def test_loudness_weighs_as_the_recommendation_does():
    """Annex 1: a full-scale 997 Hz sine is -3.01 LUFS; ears hear less of the bass."""
    t = torch.arange(2 * RATE) / RATE
    levels = {hz: loudness(torch.sin(2 * torch.pi * hz * t)[None], RATE) for hz in (40, 997, 4000)}
    assert levels[997] == pytest.approx(-3.01, abs=0.02)
    assert levels[40] < -7 and -0.5 < levels[4000] < 0.5
    both = torch.sin(2 * torch.pi * 997 * t).expand(2, -1)
    assert loudness(both, RATE) == pytest.approx(0.0, abs=0.02)


def test_what_the_gate_closes_to_is_silence():
    quiet = torch.sin(torch.arange(2.0 * RATE))[None]
    assert loudness(quiet * 0, RATE) == -np.inf
    assert loudness(quiet * 10 ** (-75 / 20), RATE) == -np.inf
    assert loudness(quiet * 10 ** (-40 / 20), RATE) < loudness(quiet, RATE) - 39


def test_one_gain_for_all_where_one_is_too_loud():
    loud, quiet = torch.full((1, 10), 4.0), torch.full((1, 10), 0.5)
    sounds, note = prepare({"loud": loud, "quiet": quiet}, RATE)
    assert note == "all turned down by 12.0 dB"
    levels = [float(unpacked(sound.flac)[0, 5]) for sound in sounds]
    assert levels == pytest.approx([1.0, 0.125], abs=1e-4)


def test_silence_is_not_made_louder():
    tone = 0.1 * torch.sin(torch.arange(1.0 * RATE))
    sounds, _ = prepare({"tone": tone, "none": tone * 0}, RATE, match_loudness=True)
    assert not unpacked(sounds[1].flac).any()


def test_a_sound_says_how_long_it_is_and_what_it_costs():
    condition = Condition(torch.zeros(1, 1, RATE // 2), 6.0123, "SI-SDR 4.2 dB")
    ((sound,), note) = prepare({"<b>": condition}, RATE)
    assert (sound.seconds, note) == (0.5, "")
    assert sound.facts.replace("\N{NO-BREAK SPACE}", " ") == "6.01 kbps, SI-SDR 4.2 dB"
    assert "&lt;b&gt;" in sound.item() and "<b>" not in sound.item()


def test_sounds_that_cannot_be_packed_are_named():
    with pytest.raises(ValueError, match="'bad' cannot be played: audio holds NaN or infinite"):
        prepare({"good": torch.zeros(9), "bad": torch.tensor([float("inf")])}, RATE)
