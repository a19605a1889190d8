"""Files in and out, rates, channels, clips, and every sentence that refuses what is not audio."""

import subprocess
import sys

import librosa
import numpy as np
import pytest
import soundfile
import torch

from minicodec import audio
from minicodec.sound.audio import AudioFileError


def sine(hz: float, rate: int, seconds: float = 1.0, level: float = 0.5) -> torch.Tensor:
    time = torch.arange(round(rate * seconds), dtype=torch.float64) / rate
    return level * torch.sin(2 * torch.pi * hz * time).float()[None]


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("ending", [".wav", ".flac", ".ogg", ".mp3", ".WAV"])
def test_what_was_saved_is_loaded(tmp_path, ending, channels):
    clip = torch.cat([sine(440, 24000), 0.5 * sine(660, 24000)])[:channels]
    path = tmp_path / f"clip{ending}"
    audio.save(path, clip, 24000)
    back, rate = audio.load(path)
    assert (rate, back.shape, back.dtype) == (24000, clip.shape, torch.float32)
    lossless = ending.lower() in (".wav", ".flac")
    tolerance = 1.6 / 32768 if lossless else 0.03
    middle = slice(2000, -2000)
    torch.testing.assert_close(back[:, middle], clip[:, middle], atol=tolerance, rtol=0)
    if lossless:
        assert soundfile.info(path).subtype == "PCM_16"


def test_load_changes_rate_and_channels_and_takes_open_files(tmp_path):
    path = tmp_path / "stereo.wav"
    audio.save(path, torch.cat([sine(440, 44100), -sine(440, 44100)]), 44100)
    back, rate = audio.load(path, sample_rate=24000, channels=1)
    assert (rate, back.shape) == (24000, (1, 24000))
    assert back.abs().max() < 1e-4  # what is opposite in the two channels is not in their mean
    with path.open("rb") as file:
        assert audio.load(file)[0].shape == (2, 44100)


def test_a_long_ogg_does_not_crash_the_encoder(tmp_path):
    """Handed more than a few minutes at once, libsndfile's Vorbis encoder kills the process."""
    code = (
        "import sys, torch; from minicodec import audio;"
        "audio.save(sys.argv[1], 0.1 * torch.randn(2, 8000 * 600), 8000)"
    )
    path = tmp_path / "long.ogg"
    assert subprocess.run([sys.executable, "-c", code, path], check=False).returncode == 0
    assert soundfile.info(path).frames == 8000 * 600


@pytest.mark.parametrize(("from_rate", "to_rate"), [(44100, 24000), (24000, 48000), (16000, 24000)])
def test_a_resampled_sine_is_a_sine(from_rate, to_rate):
    out = audio.resample(sine(1000, from_rate), from_rate, to_rate)
    assert out.shape == (1, to_rate)
    middle = slice(to_rate // 10, -to_rate // 10)
    torch.testing.assert_close(out[:, middle], sine(1000, to_rate)[:, middle], atol=1e-4, rtol=0)


def test_resampling_agrees_with_librosa(speech):
    theirs = librosa.resample(speech[0].numpy(), orig_sr=24000, target_sr=16000,
                              res_type="soxr_vhq")  # fmt: skip
    ours = audio.resample(speech[0], 24000, 16000).numpy()
    assert ours.shape == theirs.shape
    np.testing.assert_allclose(ours, theirs, atol=1e-5)


def test_what_is_above_half_the_new_rate_is_gone():
    assert audio.resample(sine(11000, 48000), 48000, 16000)[:, 800:-800].abs().max() < 1e-4


def test_resampling_keeps_other_axes_and_the_single_sample():
    assert audio.resample(torch.randn(3, 2, 480), 48000, 24000).shape == (3, 2, 240)
    assert audio.resample(torch.ones(1, 1), 48000, 8000).shape == (1, 1)
    same = torch.randn(1, 5)
    assert audio.resample(same, 8000, 8000) is same


@pytest.mark.parametrize(
    ("rates", "words"),
    [
        ((0, 24000), "sample rates are positive, but 0"),
        ((24000, -1), "sample rates are positive"),
        ((2_000_000_000, 24000), "more than a factor of 100"),
        ((1, 24000), "more than a factor of 100"),
    ],
)
def test_rates_that_cannot_be(rates, words):
    with pytest.raises(ValueError, match=words):
        audio.resample(torch.zeros(1, 10), *rates)


def test_resampling_nothing():
    with pytest.raises(ValueError, match="at least one sample"):
        audio.resample(torch.zeros(1, 0), 44100, 24000)


def test_mix():
    stereo = torch.tensor([[[1.0, 0.5], [0.0, -0.5]]])
    assert torch.equal(audio.mix(stereo, 1), torch.tensor([[[0.5, 0.0]]]))
    assert audio.mix(stereo, 2) is stereo
    doubled = audio.mix(stereo[:, :1], 2)
    assert torch.equal(doubled[:, 0], doubled[:, 1])
    doubled[:, 0] = 0  # not two views of one channel
    assert doubled[:, 1].any()
    with pytest.raises(ValueError, match="turn 2 channels into 3"):
        audio.mix(stereo, 3)
    with pytest.raises(ValueError, match="at least 1 channel, but 0"):
        audio.mix(stereo[:, :1], 0)


BAD = [
    ([0.1, 0.2], "this is a list"),
    (np.zeros((1, 1, 5)), "this is a ndarray"),
    (torch.zeros(5), r"this has 1: \[5\]"),
    (torch.zeros(1, 5), r"three axes \[batch, channels, time\]"),
    (torch.zeros(1, 1, 1, 5), "this has 4"),
    (torch.zeros(1, 1, 5, dtype=torch.int16), "this holds int16: divide"),
    (torch.zeros(1, 1, 5, dtype=torch.bool), "this holds bool"),
    (torch.zeros(1, 1, 5, dtype=torch.complex64), "this holds complex64"),
    (torch.zeros(1, 1, 0), r"at least one sample, but its shape is \[1, 1, 0\]"),
    (torch.zeros(0, 1, 5), "at least one sample"),
    (torch.tensor([[[0.0, float("nan")]]]), "NaN or infinite"),
    (torch.tensor([[[0.0, float("-inf")]]]), "NaN or infinite"),
    (torch.zeros(1, 2, 5), r"must have 1 channel here, but this has 2: .*mix\(audio, 1\)"),
]


@pytest.mark.parametrize(("wrong", "words"), BAD, ids=[words[:24] for _, words in BAD])
def test_check_names_what_is_wrong(wrong, words):
    with pytest.raises(ValueError, match=words):
        audio.check(wrong, channels=1)


def test_check_lets_audio_pass():
    for dtype in (torch.float16, torch.float32, torch.float64):
        audio.check(torch.zeros(2, 2, 1, dtype=dtype), channels=2)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_one_wrong_sample_is_enough(value):
    clip = torch.zeros(1, 2, 1000)
    audio.check_finite(clip)
    clip[0, 1, 777] = value
    with pytest.raises(ValueError, match="^audio holds NaN or infinite samples.$"):
        audio.check_finite(clip)


@pytest.mark.parametrize(
    ("name", "kind", "subtype"),
    [("x.opus", "OGG", "OPUS"), ("x.oga", "OGG", "VORBIS"), ("x.aif", "AIFF", "PCM_24")],
)
def test_what_is_read_but_not_written(tmp_path, name, kind, subtype):
    tone = sine(440, 48000)
    soundfile.write(tmp_path / name, tone[0].numpy(), 48000, format=kind, subtype=subtype)
    back, rate = audio.load(tmp_path / name)
    assert (rate, back.shape) == (48000, tone.shape)
    assert (back - tone)[:, 5000:-5000].abs().max() < 0.03
    with pytest.raises(ValueError, match="the ending must be one of"):
        audio.save(tmp_path / name, tone, 48000)


#: Name, content, and what the message must say.
BROKEN = [
    ("missing.wav", None, "no such file"),
    ("empty.wav", b"", r"empty \(0 bytes\)"),
    ("text.wav", b"These are words, not sounds.\n" * 20, "cannot be read as audio"),
    ("half_header.wav", b"RIFF\x24\x00\x00\x00WAVE", "cannot be read as audio"),
    ("start_of.mp3", b"\xff\xfb\x90\x64" + bytes(20), "cannot be read as audio"),
    ("cut.flac", "cut", "lost sync"),
    ("noise.ogg", "noise", "cannot be read as audio"),
]


@pytest.mark.parametrize(("name", "content", "words"), BROKEN)
def test_broken_files_are_named(tmp_path, name, content, words):
    path = tmp_path / name
    if content == "cut":
        audio.save(path, 0.1 * torch.randn(1, 24000), 24000)
        content = path.read_bytes()[:20000]
    if content == "noise":
        content = np.random.default_rng(0).bytes(5000)
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(AudioFileError, match=words) as error:
        audio.load(path)
    assert str(path) in str(error.value)
    assert str(error.value).count(str(path)) == 1 and "\n" not in str(error.value)


def test_a_folder_a_silent_file_and_nan(tmp_path):
    with pytest.raises(AudioFileError, match="is a folder"):
        audio.load(tmp_path)
    soundfile.write(tmp_path / "none.wav", np.zeros((0, 1)), 24000)
    with pytest.raises(AudioFileError, match="no samples in it"):
        audio.load(tmp_path / "none.wav")
    soundfile.write(tmp_path / "nan.wav", np.array([0.0, np.nan]), 24000, subtype="FLOAT")
    with pytest.raises(AudioFileError, match="NaN or infinite"):
        audio.load(tmp_path / "nan.wav")
    (tmp_path / "text.wav").write_text("words")
    with (tmp_path / "text.wav").open("rb") as file, pytest.raises(AudioFileError, match="text"):
        audio.load(file)


@pytest.mark.parametrize(
    ("clip", "rate", "name", "words"),
    [
        ([1.0, 2.0], 24000, "a.wav", "this is a list"),
        (torch.zeros(5), 24000, "a.wav", r"one clip \[C, T\], but was given \[5\]"),
        (torch.zeros(2, 1, 5), 24000, "a.wav", r"one clip \[C, T\]"),
        (torch.zeros(1, 0), 24000, "a.wav", "at least one sample"),
        (torch.zeros(1, 5, dtype=torch.int32), 24000, "a.wav", "int32"),
        (torch.full((1, 5), float("nan")), 24000, "a.wav", "NaN"),
        (torch.zeros(1, 5), 24000, "a.txt", "ending must be one of .flac"),
        (torch.zeros(1, 5), 24000, "a", "ending must be one of"),
        (torch.zeros(1, 5), 0, "a.ogg", "from 1 to 200000 Hz, not 0"),
        (torch.zeros(1, 5), 200_001, "a.ogg", "not 200001"),
        (torch.zeros(1, 5), 24000.5, "a.wav", "not 24000.5"),
        (torch.zeros(1, 5), 96000, "a.mp3", "cannot be written: .*only supports sample rates"),
        (torch.zeros(9, 5), 24000, "a.flac", "cannot be written"),
        (torch.zeros(1, 5), 24000, "no/such/folder/a.wav", "cannot be written"),
    ],
)
def test_save_refuses(tmp_path, clip, rate, name, words):
    with pytest.raises(ValueError, match=words):
        audio.save(tmp_path / name, clip, rate)
    assert list(tmp_path.iterdir()) == []


def test_save_warns_where_it_clips(tmp_path):
    with pytest.warns(UserWarning, match=r"2 samples beyond \[-1, 1\] were clipped in .*loud.wav"):
        audio.save(tmp_path / "loud.wav", torch.tensor([[0.0, 1.5, -2.0, 1.0]]), 24000)
    assert audio.load(tmp_path / "loud.wav")[0].abs().max() <= 1


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "kept.wav"
    audio.save(path, sine(440, 24000), 24000)
    before = path.read_bytes()

    def full_disk(self, samples):
        raise OSError("No space left on device")

    monkeypatch.setattr(soundfile.SoundFile, "write", full_disk)
    with pytest.raises(ValueError, match="kept.wav cannot be written: No space left"):
        audio.save(path, sine(660, 24000), 24000)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_example_falls_back_without_a_network(monkeypatch, capsys):
    def offline(name, hq):
        raise ConnectionError

    monkeypatch.setattr(librosa, "ex", offline)
    clip = audio.example("trumpet", "music", seconds=1)
    assert torch.equal(clip, audio.clip("music", seconds=1))
    assert capsys.readouterr().out.count("\n") == 1


def test_example_uses_what_librosa_has(monkeypatch, tmp_path):
    audio.save(tmp_path / "ex.wav", sine(440, 44100, 2), 44100)
    monkeypatch.setattr(librosa, "ex", lambda name, hq: str(tmp_path / "ex.wav"))
    assert audio.example("trumpet", "music", seconds=1).shape == (1, 1, 24000)
