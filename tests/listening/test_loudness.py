"""Loudness is that of ITU-R BS.1770, with its gates, and versions can be made equally loud."""

import math
import warnings

import pyloudnorm
import pytest
import torch

from minicodec.listening.loudness import below_full_scale, gain_to, loudness
from minicodec.sound import audio

RATES = [24000, 44100, 48000]


def tone(hz: float, rate: int, seconds: float = 2.0) -> torch.Tensor:
    return torch.sin(2 * torch.pi * hz * torch.arange(round(seconds * rate)) / rate)[None]


def theirs(clip: torch.Tensor, rate: int) -> float:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about logarithms of nothing, in pauses
        return float(pyloudnorm.Meter(rate).integrated_loudness(clip.numpy().T.astype("float64")))


def sounds(rate: int) -> dict[str, torch.Tensor]:
    found = {f"{hz} Hz": 0.3 * tone(hz, rate, 3) for hz in (40, 100, 997, 4000, 10000)}
    found["noise"] = 0.1 * torch.randn(1, 3 * rate)
    for name in ("speech_en", "music", "hard"):
        clip, _ = audio.load(audio.clip_folder() / f"{name}.flac", rate)
        quiet = 0.02 * clip
        found |= {
            name: clip,
            f"{name}, pauses": torch.cat([clip, torch.zeros(1, 2 * rate), quiet], 1),
            f"{name}, in steps": torch.cat([clip, 0.3 * clip, quiet], 1),
            f"{name}, stereo": torch.cat([clip, 0.5 * clip.roll(1000, 1)]),
            f"{name}, hardly a block": clip[:, rate : round(1.45 * rate)],
        }
    return found


@pytest.mark.parametrize("rate", RATES)
def test_it_agrees_with_another_implementation(rate):
    differences = {name: loudness(x, rate) - theirs(x, rate) for name, x in sounds(rate).items()}
    assert max(map(abs, differences.values())) < 0.1, differences


def test_it_weighs_as_the_recommendation_does():
    """Annex 1: a full-scale 997 Hz sine is -3.01 LUFS; ears hear less of the bass."""
    for rate in RATES:
        levels = {hz: loudness(tone(hz, rate), rate) for hz in (40, 997, 4000)}
        assert levels[997] == pytest.approx(-3.01, abs=0.02)
        assert levels[40] < -7 and -0.5 < levels[4000] < 0.5
        assert loudness(tone(997, rate).expand(2, -1), rate) == pytest.approx(0.0, abs=0.02)


def test_pauses_do_not_count():
    clip, rate = tone(997, 24000), 24000
    alone = loudness(clip, rate)
    for silence in (torch.zeros(1, 6 * rate), 1e-3 * torch.randn(1, 6 * rate)):
        # The blocks that the pause begins in count, with what they have of the tone.
        assert loudness(torch.cat([clip, silence], 1), rate) == pytest.approx(alone, abs=0.4)
    assert loudness(torch.cat([clip, 0.5 * clip], 1), rate) < alone - 1.5, "no pause, only quieter"


def test_what_the_gate_closes_to_is_silence():
    quiet = torch.sin(torch.arange(48000.0))[None]
    assert loudness(quiet * 0, 24000) == -math.inf
    assert loudness(quiet * 10 ** (-75 / 20), 24000) == -math.inf
    assert loudness(quiet * 10 ** (-40 / 20), 24000) < loudness(quiet, 24000) - 39


def test_what_is_shorter_than_a_block_is_one():
    short = tone(997, 24000, 0.3)
    assert loudness(short, 24000) == pytest.approx(-3.01, abs=0.2)
    assert loudness(torch.ones(1, 1), 24000) > -math.inf
    assert loudness(torch.ones(2, 5), 1) == -math.inf  # at this rate, nothing is heard


def test_a_long_sound_is_filtered_in_pieces_that_fit():
    clip = tone(100, 8000, 25) * torch.linspace(0.5, 1, 25 * 8000)
    assert loudness(clip, 8000) == pytest.approx(theirs(clip, 8000), abs=0.1)
    step = torch.cat([tone(50, 8000, 9.99), 0.5 * tone(50, 8000, 9)], 1)  # across a piece's edge
    assert loudness(step, 8000) == pytest.approx(theirs(step, 8000), abs=0.1)


def test_a_gain_brings_a_sound_to_a_loudness(speech):
    clip = speech[0]
    for factor in (0.5, 0.01, 3.0):
        gain = gain_to(loudness(clip, 24000), factor * clip, 24000)
        assert gain == pytest.approx(-20 * math.log10(factor), abs=0.01)


def test_gates_that_let_through_another_share_at_another_level_do_not_mislead():
    """Half as loud, the pauses fall below -70 LUFS, and what is left has another average."""
    parts = [(6, -66.0), (1, -30.0), (1, -45.0)]
    clip = torch.cat([10 ** ((level + 3) / 20) * tone(997, 24000, s) for s, level in parts], 1)
    target = loudness(clip, 24000)
    assert abs(target - loudness(clip / 2, 24000) - 6.02) > 0.1
    assert gain_to(target, clip / 2, 24000) == pytest.approx(6.02, abs=0.01)


def test_silence_stays_as_it_is():
    clip, silence = tone(997, 24000), torch.zeros(1, 48000)
    assert gain_to(loudness(clip, 24000), silence, 24000) == 0.0
    assert gain_to(loudness(silence, 24000), clip, 24000) == 0.0


def test_none_gets_above_full_scale():
    assert below_full_scale([0.0], [1.0]) == [0.0]
    assert below_full_scale([0.0, 6.0, -6.0], [0.5, 0.25, 1.0]) == [0.0, 6.0, -6.0]
    gains = below_full_scale([0.0, 20.0], [0.5, 0.5])
    assert gains[1] - gains[0] == 20.0
    assert 0.5 * 10 ** (gains[1] / 20) == pytest.approx(1.0)
