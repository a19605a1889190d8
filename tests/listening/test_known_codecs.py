"""Ours, MP3 and the official EnCodec: bytes that hold all that is heard."""

import builtins
import importlib.util

import pytest
import soundfile
import torch

from minicodec import audio, compress
from minicodec.bits.ecdc import read_header
from minicodec.listening import known_codecs
from minicodec.listening.codecs import check_codec, delay, through
from minicodec.listening.known_codecs import Mp3, Official, Ours
from minicodec.sound.metrics import si_sdr

ENCODEC = importlib.util.find_spec("encodec") is not None
official = pytest.mark.skipif(not ENCODEC, reason="needs the package encodec")


def speech(rate: int = 24000) -> torch.Tensor:
    return audio.clip("speech_en", rate, seconds=1)


@pytest.mark.parametrize("entropy", ["none", "histogram"])
def test_ours_is_a_stream(tiny, entropy):
    codec = Ours(tiny, 3.0, entropy)
    check_codec(codec)
    clip = speech()
    assert codec.name == "unnamed 3" and (codec.sample_rate, codec.channels) == (24000, 1)
    assert codec.encode(clip) == compress(tiny, clip, 3.0, entropy)
    expected = tiny.decode(tiny.encode(clip, 3.0), length=clip.shape[-1])
    assert torch.allclose(through(codec, clip, 24000).audio, expected, atol=1e-5)


def test_ours_in_stereo(tiny_stereo):
    check_codec(Ours(tiny_stereo, 2.0))
    with pytest.raises(ValueError, match="must be one of 1, 2 kbps"):
        Ours(tiny_stereo, 6.0)


@pytest.mark.parametrize(("kbps", "rate"), [(24, None), (48, None), (64, None), (32, 16000)])
@pytest.mark.parametrize("channels", [1, 2])
def test_mp3_is_in_time_and_takes_what_it_says(kbps, rate, channels):
    codec = Mp3(kbps, rate, channels)
    check_codec(codec)
    clip = audio.mix(speech(), channels)
    copy, size = through(codec, clip, 24000)
    assert size * 8 / 1000 == pytest.approx(kbps, rel=0.15)
    assert delay(copy, clip, 24000) == 0, "also where LAME writes no header that says its delay"
    assert float(si_sdr(copy, clip)) > 6
    assert codec.sample_rate == (rate or (44100 if kbps > 48 else 24000))


@pytest.mark.parametrize(
    ("how", "words"),
    [((64, 96000), "MP3 has 8000, .*48000 Hz, not 96000"), ((4,), "has 8 to 160 kbps, not 4"),
     ((16, 44100), "MP3 at 44100 Hz has 32 to 320 kbps, not 16"), ((640,), "32 to 320 kbps")],
)  # fmt: skip
def test_what_mp3_does_not_have(how, words):
    with pytest.raises(ValueError, match=words):
        Mp3(*how)


def test_mp3_needs_a_soundfile_that_takes_bit_rates(monkeypatch):
    monkeypatch.setattr(soundfile, "write", lambda file, data, samplerate: None)
    with pytest.raises(ValueError, match="soundfile 0.13 or newer"):
        Mp3(32).encode(speech())


@official
@pytest.mark.parametrize(("model", "bandwidth"), [("encodec_24khz", 1.5), ("encodec_48khz", 3.0)])
def test_the_official_package_writes_its_own_files(model, bandwidth):
    codec = Official(model, bandwidth)
    assert codec.note == "random weights" and codec.name == f"official {model} {bandwidth:g}"
    clip = audio.mix(audio.clip("speech_en", codec.sample_rate, seconds=1.2), codec.channels)
    data = codec.encode(clip)
    header = read_header(data)
    assert (header.model, header.length, header.lm) == (model, clip.shape[-1], False)
    assert len(data) * 8 / 1200 == pytest.approx(bandwidth, rel=0.35)  # with 60 bytes of JSON
    assert torch.equal(codec.decode(data), codec.decode(data))
    with torch.no_grad():
        direct = codec._model.decode(codec._model.encode(clip))[..., : clip.shape[-1]]
    assert torch.allclose(codec.decode(data), direct, atol=1e-4)


@official
def test_official_weights_come_from_a_file(tmp_path):
    donor = Official("encodec_24khz", 1.5)
    file = tmp_path / "encodec_24khz-x.th"
    torch.save(donor._model.state_dict(), file)
    codec, clip = Official("encodec_24khz", 1.5, file), speech()
    assert codec.note == "" and codec.encode(clip) == donor.encode(clip)
    (tmp_path / "words.th").write_text("no tensors")
    torch.save({"a": torch.zeros(1)}, tmp_path / "other.th")
    torch.save([torch.zeros(1)], tmp_path / "list.th")
    for name, words in (("words.th", "nor a file of tensors"), ("none.th", "no such file"),
                        ("list.th", "holds no state_dict"),
                        ("other.th", "does not hold the weights of encodec_24khz")):  # fmt: skip
        with pytest.raises(ValueError, match=words) as error:
            Official("encodec_24khz", 1.5, tmp_path / name)
        assert "\n" not in str(error.value)


def test_what_is_not_official(monkeypatch):
    with pytest.raises(ValueError, match="encodec_24khz and encodec_48khz, not 'mini'"):
        Official("mini", 6.0)
    with pytest.raises(ValueError, match="must be one of 1.5, 3, 6, 12, 24 kbps"):
        Official("encodec_24khz", 7.0)
    real = builtins.__import__

    def without(name, *args, **kwargs):
        if name == "encodec":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ValueError, match="pip install encodec"):
        Official("encodec_24khz", 6.0)


@pytest.mark.parametrize("rate", known_codecs._MP3_KBPS)
def test_the_lowest_and_the_highest_rate_of_mp3_are_what_lame_has(rate):
    sound = 0.1 * torch.randn(1, 1, 2 * rate)
    for kbps in known_codecs._MP3_KBPS[rate]:  # a short file has half a dozen frames too many
        assert len(Mp3(kbps, rate).encode(sound)) * 8 / 2000 == pytest.approx(kbps, rel=0.15)
