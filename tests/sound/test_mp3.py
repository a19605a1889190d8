"""Frames of an MP3 are counted whatever its header says."""

from io import BytesIO

import cases
import numpy as np
import pytest

from minicodec.sound import mp3


def made(rate: int, seconds: float = 2.0, **how) -> bytes:
    sound = 0.1 * np.random.default_rng(0).standard_normal(round(rate * seconds))
    return cases.written("MP3", None, sound, rate=rate, **how)


@pytest.mark.parametrize("how", ["CONSTANT", "VARIABLE"])
@pytest.mark.parametrize("rate", [8000, 16000, 22050, 24000, 32000, 44100, 48000])
def test_all_frames_are_counted(rate, how):
    count = mp3.samples(BytesIO(made(rate, bitrate_mode=how, compression_level=0.4)), rate)
    assert 2 * rate < count <= 2 * rate + 4 * 1152  # a header, and what a filter needs at both ends


def test_notes_are_no_frames():
    data = cases.mp3()
    count = mp3.samples(BytesIO(data), cases.RATE)
    before = b"ID3\4\0\0" + bytes([0, 0, 7, 104]) + bytes(1000)
    assert mp3.samples(BytesIO(before + data + b"TAG" + bytes(125)), cases.RATE) == count
    assert mp3.says_its_length(BytesIO(before + data))


def test_whether_it_says_its_length():
    assert mp3.says_its_length(BytesIO(cases.mp3()))
    assert not mp3.says_its_length(BytesIO(cases.mp3(header=False)))


@pytest.mark.parametrize("head", [b"", b"ID3", bytes(99), b"\xff\xfb\xf0\0", b"\xff\xfb\0\0"])
def test_other_bytes_end_the_count(head):
    assert mp3.samples(BytesIO(9 * head), 8000) == 0
    assert not mp3.says_its_length(BytesIO(9 * head))
