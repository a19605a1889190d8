"""Opus's files ship with us, fit their originals sample by sample, and cost what they say."""

import pytest

from minicodec import audio
from minicodec.listening import opus
from minicodec.sound.metrics import mel_distance


@pytest.mark.parametrize("name", ["speech_en", "music", "hard"])
def test_opus_is_in_time_with_the_original_and_has_its_rate(name, monkeypatch):
    monkeypatch.delenv(audio.RECORDINGS, raising=False)
    clip = audio.clip(name)
    low, high = opus(name, 6), opus(name, 12)
    assert low.audio.shape == high.audio.shape == clip.shape
    assert low.kbps == pytest.approx(6, rel=0.02) and high.kbps == pytest.approx(12, rel=0.02)
    distances = [float(mel_distance(each.audio, clip, 24000)) for each in (high, low)]
    assert distances[0] < distances[1] < 20
    # Three milliseconds late would be heard as a jump when switching, and seen here.
    late = float(mel_distance(high.audio.roll(480, -1), clip, 24000))
    assert late > distances[0]


@pytest.mark.parametrize(("name", "kbps"), [("speech_en", 7), ("drums", 6), ("../x", 6)])
def test_what_there_is_not(name, kbps):
    with pytest.raises(ValueError, match="as Opus there are .*music_6k"):
        opus(name, kbps)
