"""Blocks joined are the file, at any rate; what is written in blocks is written whole."""

import math
import struct
from io import BytesIO

import pytest
import soundfile
import torch

from minicodec import audio
from minicodec.sound.blocks import BlockWriter, open_blocks
from minicodec.sound.files import NotWritten


def joined(sound) -> torch.Tensor:
    return torch.cat(list(sound.blocks), dim=-1)


@pytest.mark.parametrize("ending", ["wav", "flac", "ogg", "mp3"])
def test_blocks_of_a_file_are_the_file(tmp_path, ending):
    path = tmp_path / f"x.{ending}"
    audio.save(path, 0.1 * torch.randn(2, 150_000), 24000)
    sound = open_blocks(path)
    whole, rate = audio.load(path)
    assert (sound.sample_rate, sound.channels, sound.length) == (rate, 2, whole.shape[1])
    blocks = list(open_blocks(path).blocks)
    assert len(blocks) > 1
    assert torch.equal(torch.cat(blocks, -1), whole)


@pytest.mark.parametrize(("old", "new"), [(44100, 24000), (8000, 48000), (48000, 24000)])
@pytest.mark.parametrize("channels", [(1, 2), (2, 1), (2, 2)])
def test_conversion_in_blocks_is_that_of_the_whole(tmp_path, old, new, channels):
    path = tmp_path / "x.wav"
    audio.save(path, 0.1 * torch.randn(channels[0], 150_007), old)
    blocks = list(open_blocks(path).converted(new, channels[1]))
    whole, _ = audio.load(path, channels=channels[1])
    expected = audio.resample(whole, old, new)
    assert len(blocks) > 1 and all(block.shape[:2] == (1, channels[1]) for block in blocks)
    converted = torch.cat(blocks, dim=-1)[0]
    assert converted.shape == expected.shape
    torch.testing.assert_close(converted, expected, atol=1e-6, rtol=0)


def test_one_sample_is_one_at_any_rate(tmp_path):
    audio.save(tmp_path / "x.wav", torch.full((1, 1), 0.5), 48000)
    sound = open_blocks(tmp_path / "x.wav")
    assert torch.cat(list(sound.converted(8000, 1)), -1).shape == (1, 1, 1)
    with pytest.raises(ValueError, match="more than a factor of 100"):
        list(open_blocks(tmp_path / "x.wav").converted(10, 1))


@pytest.mark.parametrize("ending", [".wav", ".flac"])
def test_written_in_blocks_is_written_whole(tmp_path, ending):
    clip = (0.1 * torch.randn(1, 2, 100_000)).clamp(-1, 1)
    with BlockWriter(tmp_path / f"x{ending}", 24000, 2) as out:
        for block in clip.split(30_000, dim=-1):
            out.write(block)
        assert not (tmp_path / f"x{ending}").exists()
    audio.save(tmp_path / f"y{ending}", clip, 24000)
    assert (tmp_path / f"x{ending}").read_bytes() == (tmp_path / f"y{ending}").read_bytes()
    assert out.length == 100_000


def test_an_error_leaves_what_was_there(tmp_path):
    (tmp_path / "x.wav").write_bytes(b"precious")
    with pytest.raises(KeyError), BlockWriter(tmp_path / "x.wav", 24000, 1) as out:
        out.write(torch.zeros(1, 1, 100))
        raise KeyError
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"precious"]


def test_a_full_disk_leaves_what_was_there(tmp_path, monkeypatch):
    (tmp_path / "x.flac").write_bytes(b"precious")

    def full_disk(self, samples):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(soundfile.SoundFile, "write", full_disk)
    message = "x.flac cannot be written: No space left on device.$"
    with (
        pytest.raises(NotWritten, match=message),
        BlockWriter(tmp_path / "x.flac", 24000, 1) as out,
    ):
        out.write(torch.zeros(1, 1, 100))
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"precious"]


class Pipe:
    """Takes everything, and cannot go back."""

    def __init__(self):
        self.data = b""

    def seekable(self):
        return False

    def write(self, data):
        self.data += data

    def flush(self):
        pass


def test_wav_into_a_pipe_and_into_a_file():
    clip, pipe, file = 0.1 * torch.randn(1, 2, 5000), Pipe(), BytesIO()
    for target in (pipe, file):
        with BlockWriter(target, 24000, 2) as out:
            out.write(clip[..., :3000])
            out.write(clip[..., 3000:])
    assert pipe.data[40:44] == b"\xff" * 4 and file.getvalue()[40:44] == struct.pack("<I", 20000)
    assert file.getvalue()[44:] == pipe.data[44:] and file.tell() == 20044
    for data in (pipe.data, file.getvalue()):
        restored = joined(open_blocks(BytesIO(data)))
        torch.testing.assert_close(restored, clip[0], atol=4e-5, rtol=0)
        samples, rate = soundfile.read(BytesIO(data), dtype="float32")
        assert rate == 24000 and len(samples) == 5000


def test_clipping_is_counted(tmp_path):
    message = "2 samples beyond .* were clipped in .*x.wav"
    with (
        pytest.warns(UserWarning, match=message),
        BlockWriter(tmp_path / "x.wav", 24000, 1) as out,
    ):
        out.write(torch.tensor([[[0.0, 1.5, -7.0]]]))
    assert audio.load(tmp_path / "x.wav")[0].max() > 0.99


@pytest.mark.parametrize(("name", "rate"), [("x.txt", 24000), ("x.wav", 0), ("no/x.wav", 24000)])
def test_targets_that_cannot_be(tmp_path, name, rate):
    with pytest.raises(ValueError, match="ending must be|sample rate of a file|cannot be written"):
        BlockWriter(tmp_path / name, rate, 1)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_sound_is_not_written(tmp_path, value):
    """As integers NaN would be full scale, in a file that looks like any other."""
    sound = torch.zeros(1, 1, 100)
    sound[..., 50] = value
    for target in (tmp_path / "x.wav", BytesIO()):
        with (
            pytest.raises(ValueError, match="audio holds NaN or infinite samples"),
            BlockWriter(target, 24000, 1) as out,
        ):
            out.write(sound)
    assert list(tmp_path.iterdir()) == []
