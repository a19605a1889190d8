"""The shipped clips are found, and the reader's own recordings take their places where they fit."""

import pytest
import torch

from minicodec import audio
from minicodec.sound import clips


def test_every_clip_loads_at_any_rate(monkeypatch):
    monkeypatch.delenv(clips.RECORDINGS, raising=False)
    assert {"speech_en", "music", "noise"} <= set(audio.clips())
    for name in audio.clips():
        clip = audio.clip(name, 16000, seconds=0.5)
        assert clip.shape == (1, 1, 8000) and torch.isfinite(clip).all()


def test_clips_that_there_are_not():
    with pytest.raises(ValueError, match="no clip 'speach'; there are .*speech_en"):
        audio.clip("speach")
    for seconds in (0, -1):
        with pytest.raises(ValueError, match=f"seconds={seconds} was given"):
            audio.clip("music", seconds=seconds)


def test_own_recordings_replace_clips_that_fit(tmp_path, monkeypatch):
    shipped = audio.clip("music", seconds=0.1)
    for place, level in (("speech/librispeech_en/0.flac", 0.25), ("speech/de/0.flac", 0.5)):
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        audio.save(tmp_path / place, torch.full((1, 24000), level), 24000)
    (tmp_path / "speech" / "en_notes.txt").write_text("not a recording")
    monkeypatch.setenv(clips.RECORDINGS, str(tmp_path))
    assert audio.clip("speech_en").mean() == 0.25
    assert audio.clip("speech_de").mean() == 0.5
    assert torch.equal(audio.clip("music", seconds=0.1), shipped)  # nothing fits: ours
    monkeypatch.setenv(clips.RECORDINGS, str(tmp_path / "gone"))
    with pytest.raises(ValueError, match="RECORDINGS names .*gone, which is not a folder"):
        audio.clip("speech_en")
