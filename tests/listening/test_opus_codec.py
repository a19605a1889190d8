"""Opus's files ship with us, fit their originals sample by sample, and cost what they say."""

import pytest
import torch

from minicodec import audio
from minicodec.listening import opus, opus_codec
from minicodec.listening.opus_codec import opus_tools, packet_bytes, through_opus
from minicodec.sound import clips
from minicodec.sound.metrics import mel_distance, si_sdr


@pytest.mark.parametrize("name", ["speech_en", "music", "hard"])
def test_opus_is_in_time_with_the_original_and_has_its_rate(name, monkeypatch):
    monkeypatch.delenv(clips.RECORDINGS, raising=False)
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


def test_headers_are_not_counted(tmp_path):
    def page(*packets: bytes) -> bytes:
        return b"OggS" + bytes(22) + bytes([len(packets), *map(len, packets)]) + b"".join(packets)

    file = tmp_path / "x.opus"
    file.write_bytes(page(b"OpusHead") + page(b"OpusTags") + page(b"a" * 7, b"b" * 9) + page(b"c"))
    assert packet_bytes(file) == 17


def test_without_its_tools_opus_says_how_to_get_them(monkeypatch):
    monkeypatch.setattr(opus_codec.shutil, "which", lambda _: None)
    assert not opus_tools()
    with pytest.raises(ValueError, match="apt-get install opus-tools"):
        through_opus(torch.zeros(1, 1, 100), 6, 24000)


def test_tools_that_fail_are_quoted(monkeypatch):
    with pytest.raises(ValueError, match="^ls failed: .*no/such/file"):
        opus_codec._run("ls", "no/such/file")


@pytest.mark.skipif(not opus_tools(), reason="needs opusenc and opusdec")
def test_through_opus_is_as_long_as_before_and_has_its_rate():
    clip = audio.clip("speech_en", 24000, seconds=3)
    copy, size = through_opus(clip, 12, 24000)
    assert copy.shape == clip.shape
    assert 8 < size * 8 / 3 / 1000 < 16
    assert float(si_sdr(copy, clip)) > 3
