"""Pitch of a copy: an octave is gross, a few cents are fine, a whisper is unvoiced."""

import math

import numpy as np
import pytest
import torch

from minicodec.sound import judges, pitch
from minicodec.sound.pitch import pitch_errors

pytest.importorskip("librosa")
RATE = 16000


def hum(hertz: float, seconds: float = 1.2) -> torch.Tensor:
    """A buzz with the harmonics of a voice."""
    time = torch.arange(round(seconds * RATE)) / RATE
    sound = sum(torch.sin(2 * math.pi * k * hertz * time) / k for k in range(1, 9))
    return 0.2 * sound.view(1, 1, -1)


def hiss(seconds: float = 1.2) -> torch.Tensor:
    return 0.1 * torch.randn(1, 1, round(seconds * RATE))


def test_a_copy_has_no_errors():
    assert pitch_errors(hum(150), hum(150), RATE) == (0, 0, 0)


def test_an_octave_is_gross_and_not_fine():
    errors = pitch_errors(hum(300), hum(150), RATE)
    assert errors.gross > 90 and (math.isnan(errors.cents) or errors.cents < 60)


@pytest.mark.parametrize("cents", [30, -200])
def test_a_little_is_fine_and_not_gross(cents):
    errors = pitch_errors(hum(150 * 2 ** (cents / 1200)), hum(150), RATE)
    assert errors.gross == 0
    assert errors.cents == pytest.approx(abs(cents), abs=12)  # pYIN's steps have 10 cents


def test_half_a_whisper_is_half_unvoiced():
    whole, half = hum(150, 2.0), torch.cat([hum(150, 1.0), hiss(1.0)], dim=-1)
    errors = pitch_errors(half, whole, RATE)
    assert 35 < errors.voicing < 60 and errors.gross == 0
    assert pitch_errors(whole, half, RATE).voicing == errors.voicing


def test_where_nothing_is_voiced_in_both_there_is_no_pitch_to_compare():
    errors = pitch_errors(torch.zeros(1, 1, 19200), hum(150), RATE)
    assert math.isnan(errors.gross) and math.isnan(errors.cents) and errors.voicing > 80


def test_where_there_is_nothing_to_judge_there_is_no_verdict():
    for reference in (torch.zeros(1, 1, 19200), hum(150, 0.5)):
        assert all(math.isnan(error) for error in pitch_errors(reference, reference, RATE))
    with pytest.raises(ValueError, match=r"\[1, C, T\] of one shape"):
        pitch_errors(hum(150, 1.0), hum(150, 1.1), RATE)


def test_the_original_is_tracked_once_for_all_copies(monkeypatch):
    import librosa

    tracked, pyin = [], librosa.pyin
    monkeypatch.setattr(librosa, "pyin", lambda y, **how: tracked.append(y) or pyin(y, **how))
    pitch._track.cache_clear()
    for copy in (hum(151), hum(152)):
        for _ in range(3):
            pitch_errors(copy, hum(150), RATE)
    assert len(tracked) == 3
    assert all(isinstance(clip, np.ndarray) for clip in tracked)


def test_a_missing_package_is_one_sentence(monkeypatch):
    monkeypatch.setattr(judges, "missing", lambda name: "librosa" if name == "f0_cents" else "")
    with pytest.raises(ValueError, match=r"f0_cents needs a package: pip install .?librosa"):
        pitch_errors(hum(150), hum(150), RATE)
