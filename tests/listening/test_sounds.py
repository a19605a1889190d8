"""Sounds are checked, levelled with each other, and packed without loss."""

import io

import numpy as np
import pytest
import soundfile
import torch

from minicodec.listening.sounds import Condition, flac, prepare

RATE = 24000


def unpacked(data: bytes) -> np.ndarray:
    return soundfile.read(io.BytesIO(data), dtype="float32", always_2d=True)[0].T


@pytest.mark.parametrize("shape", [(1,), (1, 1000), (2, 1000)])
def test_flac_holds_16_bits_of_every_sample(shape):
    clip = torch.rand(shape).reshape(-1, shape[-1]) * 1.9 - 0.95
    data = flac(clip, RATE)
    assert soundfile.info(io.BytesIO(data)).subtype == "PCM_16"
    np.testing.assert_allclose(unpacked(data), clip.numpy(), atol=2 / 32768)


def test_one_gain_for_all_where_one_is_too_loud():
    loud, quiet = torch.full((1, 10), 4.0), torch.full((1, 10), 0.5)
    sounds, note = prepare({"loud": loud, "quiet": quiet}, RATE)
    assert note == "all turned down by 12.0 dB"
    levels = [float(unpacked(sound.flac)[0, 5]) for sound in sounds]
    assert levels == pytest.approx([1.0, 0.125], abs=1e-4)
    assert [sound.peak for sound in sounds] == [1.0, 0.125]


def test_a_sound_says_what_would_make_it_as_loud_as_the_first():
    loud = 3.0 * torch.sin(torch.arange(1.0 * RATE))[None]
    for matched, gains in ((False, [0.0, 6.02, -6.02]), (True, [0.0] * 3)):
        sounds, _ = prepare({"loud": loud, "half": loud / 2, "twice": loud * 2}, RATE, matched)
        assert [sound.gain for sound in sounds] == pytest.approx(gains, abs=0.01)


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
