"""WAV from pipes is what libsndfile reads from files, comes at once, and never becomes noise."""

import random
import struct
from io import BytesIO

import cases
import numpy as np
import pytest
import soundfile
from cases import Pipe, written

from minicodec.sound.files import AudioFileError
from minicodec.sound.wav_pipe import nobody_knew, read_header


class Trickle(Pipe):
    """A pipe that gives what it likes."""

    def __init__(self, data: bytes):
        super().__init__(data)
        self.chance = random.Random(0)

    def read(self, size: int) -> bytes:
        return super().read(self.chance.randint(1, size))


def heard(file) -> np.ndarray:
    """[n, channels]"""
    wav = read_header(file, "this stream")
    return np.concatenate([np.zeros((0, wav.channels), np.float32), *wav.blocks(file)])


@pytest.mark.parametrize("channels", [1, 2, 5])
@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"])
def test_it_is_what_libsndfile_reads(subtype, channels):
    sound = np.random.default_rng(0).uniform(-1, 1, (30_001, channels))
    for kind in ("WAV", "WAVEX", "RF64"):
        data = written(kind, subtype, sound)
        expected, _ = soundfile.read(BytesIO(data), dtype="float32", always_2d=True)
        wav = read_header(Trickle(data), "x")
        assert (wav.sample_rate, wav.channels) == (cases.RATE, channels)
        assert np.array_equal(heard(Trickle(data)), expected)


@pytest.mark.parametrize("size", [0, 0xFFFFFFFF, 0xFFFFFFDB, 0x7FFFF024, 0x80000000, 10**6])
def test_lengths_that_nobody_knew(size):
    data = cases.plain_wav()
    place = data.find(b"data") + 4
    told = data[:place] + struct.pack("<I", size) + data[place + 4 :]
    expected, _ = soundfile.read(BytesIO(data), dtype="float32", always_2d=True)
    assert np.array_equal(heard(Pipe(told)), expected)
    assert np.array_equal(heard(Pipe(told[:-1])), expected[:-1])  # cut within a sample
    assert read_header(Pipe(told), "x").size == (10**6 if size == 10**6 else None)


def test_a_length_between_those_is_one():
    assert not nobody_knew(3 << 30) and nobody_knew(0xFFFFFFFF)


@pytest.mark.parametrize(
    "data",
    [
        cases.list_behind_data(),
        cases.odd_chunk_padded(),
        cases.rf64_list_behind_data(),
        cases.twenty_bits_in_24(),
        cases.length_never_written(),
    ],
    ids=["LIST behind", "odd chunk", "RF64", "20 bits", "length never written"],
)
def test_the_samples_and_nothing_else(data):
    for pipe in (Pipe(data), Trickle(data)):
        sound = heard(pipe)[:, 0]
        assert sound.shape == (cases.LENGTH,)
        np.testing.assert_allclose(sound, cases.samples(), atol=1e-4)


def test_rf64_of_which_nobody_knew_the_length():
    data = cases.rf64_list_behind_data(0)
    assert len(heard(Pipe(data))) > cases.LENGTH  # nobody can tell what comes behind


@pytest.mark.parametrize("data", [cases.empty_data(), cases.empty_data_then_list()])
def test_no_samples_are_no_samples(data):
    assert len(heard(Pipe(data))) == 0


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "^x: nothing came through the pipe.$"),
        (b"fLaC" + bytes(50), "is not WAV, but begins with b'fLaC"),
        (b"RIFF\0\0\0\0AVI " + bytes(50), "is not WAV"),
        (cases.plain_wav()[:30], "breaks off before its samples"),
        (cases.plain_wav().replace(b"fmt ", b"fmx "), "says nothing about its samples"),
        (written("WAV", "ULAW"), r"pipe \(µ-law, format 7, 8 bits, 1 channels, 8000 Hz"),
        (written("WAV", "ALAW"), r"pipe \(A-law, format 6, 8 bits"),
        (written("WAV", "MS_ADPCM"), r"pipe \(ADPCM, format 2"),
        (written("WAV", "IMA_ADPCM"), r"pipe \(ADPCM, format 17"),
        (cases.plain_wav().replace(struct.pack("<I", 8000), bytes(4), 1), "of a kind .* 0 Hz"),
    ],
    # The bytes themselves hold the time of writing, and workers must agree on the names of tests.
    ids=["nothing", "FLAC", "AVI", "cut", "no format", "mu-law", "A-law", "MS", "IMA", "0 Hz"],
)
def test_something_else(data, words):
    with pytest.raises(AudioFileError, match=words) as error:
        read_header(Pipe(data), "x")
    assert "\n" not in str(error.value)


class Live:
    """A pipe that gives a little at a time, and notes how much was asked for."""

    def __init__(self, header: bytes, pieces: list[bytes]):
        self._header, self._pieces = BytesIO(header), pieces
        self.asked: list[int] = []

    def read(self, size: int) -> bytes:
        return self._header.read(size)

    def read1(self, size: int) -> bytes:
        self.asked.append(size)
        return self._pieces.pop(0) if self._pieces else b""


def test_live_sound_comes_at_once_and_nothing_of_it_is_lost():
    """Blocks are what has come, without the beginning of a frame; the end may come at any time."""
    sound = np.arange(20, dtype="<i2").reshape(10, 2)
    data = sound.tobytes()
    header = cases.form()[:10] + struct.pack("<HIIHH", 2, 8000, 32000, 4, 16)
    header = b"RIFF\xff\xff\xff\xffWAVE" + header + b"data\xff\xff\xff\xff" + data[:4]
    live = Live(header, [data[4:5], data[5:14], data[14:16], data[16:39], data[39:]])
    wav = read_header(live, "x")
    lengths = [len(block) for block in wav.blocks(live)]
    assert lengths == [1, 2, 1, 5, 1]
    assert max(live.asked) <= 1 << 16
    live = Live(header, [data[4:5], data[5:14]])  # then somebody says that it is over
    wav = read_header(live, "x")
    came = np.concatenate(list(wav.blocks(live))) * 32768
    assert np.array_equal(came, sound[:3])


def test_blocks_are_of_what_a_pipe_holds_at_most():
    data = written("WAV", "PCM_16", np.zeros((400_000, 1)))
    file = Pipe(data, 1 << 30)
    assert max(len(block) for block in read_header(file, "x").blocks(file)) <= 1 << 16


def test_random_headers_cost_nothing_and_end():
    chance, data = random.Random(0), cases.plain_wav()[:144]
    for _ in range(3000):
        wrong = bytearray(data)
        for _ in range(chance.choice([1, 2, 5])):
            wrong[chance.randrange(60)] = chance.randrange(256)
        try:
            assert heard(Trickle(bytes(wrong))).size <= len(data)
        except AudioFileError as error:
            assert "\n" not in str(error)
