"""The clips of the book are what tools/make_clips.py says they are."""

import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

import make_clips  # noqa: E402
import synth  # noqa: E402

LIMIT = 3_000_000  # bytes: the clips are part of the wheel


@pytest.fixture(params=make_clips.NAMES)
def clip(request):
    """Name, samples [C, T] and sample rate of one file."""
    audio, sr = sf.read(make_clips.CLIPS_DIR / f"{request.param}.flac", always_2d=True)
    return request.param, audio.T, sr


def test_rate_and_channels(clip):
    name, audio, sr = clip
    stereo = name.endswith("_stereo_48k")
    assert (sr, len(audio)) == ((48_000, 2) if stereo else (24_000, 1))
    info = sf.info(make_clips.CLIPS_DIR / f"{name}.flac")
    assert (info.format, info.subtype) == ("FLAC", "PCM_16")


def test_length_peak_dc_and_ends(clip):
    _, audio, sr = clip
    assert make_clips.faults(audio, sr) == []


def test_loudness(clip):
    """All near −22 dBFS where there is sound, except where the peak had to be held at 0.8."""
    _, audio, sr = clip
    level = synth.active_level(audio, sr)
    held = np.abs(audio).max() > 0.99 * make_clips.PEAK
    assert -26.0 < level < -21.0 if held else abs(level - make_clips.LEVEL) < 0.3


@pytest.mark.parametrize("name", make_clips.SPEECH)
def test_silence_in_speech_is_a_quiet_room(name):
    """Digital silence between words would make every metric harsh; a loud room would hide words."""
    audio, sr = sf.read(make_clips.CLIPS_DIR / f"{name}.flac")
    frames = audio[sr // 20 : -sr // 20]
    frames = frames[: len(frames) // 480 * 480].reshape(-1, 480)
    quietest = 20 * np.log10(np.sqrt(np.mean(frames**2, axis=1)).min())
    assert -75.0 < quietest < -58.0


@pytest.mark.parametrize("name", make_clips.SYNTHESIZED)
def test_the_code_still_makes_the_file(name):
    assert make_clips.check(name) == []


def test_the_check_notices_other_audio(tmp_path):
    sf.write(tmp_path / "sweep.flac", 0.2 * np.random.default_rng(0).uniform(size=96_000), 24_000)
    found = make_clips.check("sweep", tmp_path)
    assert any("differs" in fault for fault in found)
    assert any("DC" in fault for fault in found)
    assert "missing" in make_clips.check("drums", tmp_path)[0]


def test_another_rendering_may_differ_a_little_and_not_much():
    clip, sr = sf.read(make_clips.CLIPS_DIR / "piano.flac")
    assert make_clips.differences(clip, 1.05 * clip[:-2400], sr) == []
    assert "level" in make_clips.differences(clip, 0.8 * clip, sr)[0]
    assert "length" in make_clips.differences(clip, clip[: len(clip) // 2], sr)[0]


def test_size_and_table():
    files = sorted(make_clips.CLIPS_DIR.glob("*.flac"))
    assert sum(file.stat().st_size for file in files) < LIMIT
    assert {file.stem for file in files} == set(make_clips.NAMES)
    table = (make_clips.CLIPS_DIR / "README.md").read_text(encoding="utf-8")
    assert all(f"`{file.name}`" in table for file in files)
