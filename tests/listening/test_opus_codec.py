"""Opus's files ship with us, fit their originals sample by sample, and cost what they say."""

import pytest

from minicodec import audio
from minicodec.listening import opus, opus_codec
from minicodec.listening.codecs import check_codec, delay, through
from minicodec.listening.opus_codec import Opus, opus_tools, packet_bytes
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
        Opus(6)


def test_tools_that_fail_are_quoted(monkeypatch):
    with pytest.raises(ValueError, match="^ls failed: .*no/such/file"):
        opus_codec._run("ls", "no/such/file")


@pytest.mark.skipif(not opus_tools(), reason="needs opusenc and opusdec")
@pytest.mark.parametrize(("rate", "channels"), [(24000, 1), (48000, 2)])
def test_opus_as_a_codec_is_in_time_and_counts_its_packets(rate, channels):
    codec = Opus(12 * channels, rate, channels)
    check_codec(codec)
    clip = audio.mix(audio.clip("speech_en", rate, seconds=3), channels)
    copy, size = through(codec, clip, rate)
    assert copy.shape == clip.shape and abs(delay(copy, clip, rate)) < 0.1
    assert size < len(codec.encode(clip)) - 100  # its headers
    assert 8 * channels < size * 8 / 3 / 1000 < 16 * channels
    assert float(si_sdr(copy, clip)) > 3
