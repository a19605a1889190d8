"""One way to read sound: by path, by name of a pipe, from open files; bounded by what comes."""

import os
import random
import subprocess
import threading
import tracemalloc
import warnings
from io import BytesIO
from pathlib import Path

import cases
import numpy as np
import pytest
from cases import Pipe

from minicodec.sound.files import AudioFileError
from minicodec.sound.reading import open_sound, true_length

POSIX = pytest.mark.skipif(os.name != "posix", reason="pipes with names are those of POSIX")


def heard(file) -> np.ndarray:
    with open_sound(file) as sound:
        return np.concatenate(list(sound.blocks))


def test_paths_files_and_pipes_are_the_same_sound(tmp_path):
    path = tmp_path / "x.wav"
    path.write_bytes(cases.plain_wav())
    expected = heard(path)
    assert np.array_equal(heard(str(path)), expected)
    assert np.array_equal(heard(BytesIO(cases.plain_wav())), expected)
    assert np.array_equal(heard(Pipe(cases.plain_wav())), expected)
    for buffering in (0, -1):
        with path.open("rb", buffering=buffering) as file:
            assert np.array_equal(heard(file), expected)
            assert not file.closed
    np.testing.assert_allclose(heard(BytesIO(cases.written("FLAC"))), expected, atol=1e-4)


@POSIX
def test_a_named_pipe_is_read_as_a_pipe(tmp_path):
    path = tmp_path / "pipe.wav"
    os.mkfifo(path)
    writer = threading.Thread(target=lambda: path.write_bytes(cases.plain_wav()), daemon=True)
    writer.start()
    assert len(heard(path)) == cases.LENGTH


@POSIX
def test_a_number_of_a_pipe_is_read_as_a_pipe(tmp_path):
    (tmp_path / "x.wav").write_bytes(cases.plain_wav())
    with subprocess.Popen(["cat", tmp_path / "x.wav"], stdout=subprocess.PIPE) as cat:
        assert len(heard(f"/dev/fd/{cat.stdout.fileno()}")) == cases.LENGTH


@pytest.mark.parametrize(
    ("name", "words"),
    [
        (".", "is a folder, not an audio file"),
        ("gone.wav", "gone.wav: no such file.$"),
        ("x" * 300, "cannot be read: File name too long.$"),
        ("a\0b", "cannot be read: embedded null byte.$"),
        ("/dev/null", "^/dev/null: nothing came through the pipe.$"),
    ],
)
@POSIX
def test_what_cannot_be_opened_is_one_sentence(tmp_path, name, words):
    with pytest.raises(AudioFileError, match=words) as error:
        open_sound(tmp_path / name)
    assert "\n" not in str(error.value) and "Errno" not in str(error.value)


def test_a_file_that_may_not_be_read(tmp_path, monkeypatch):
    def refused(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("builtins.open", refused)
    with pytest.raises(AudioFileError, match="x.wav cannot be read: Permission denied.$"):
        open_sound(tmp_path / "x.wav")


@POSIX
def test_names_need_not_be_utf8(tmp_path):
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/bad\xff\xfename.wav"))
    path.write_bytes(cases.plain_wav())
    assert len(heard(path)) == cases.LENGTH
    path.write_bytes(cases.web_page())
    with pytest.raises(AudioFileError, match="name.wav cannot be read as audio") as error:
        open_sound(path)
    str(error.value).encode("utf-8")
    with pytest.raises(AudioFileError, match=r"\\ud800.wav cannot be read"):
        open_sound("\ud800.wav")


def test_a_length_that_was_never_written_is_found_by_reading(tmp_path):
    (tmp_path / "x.wav").write_bytes(cases.length_never_written())
    with open_sound(tmp_path / "x.wav") as sound:
        assert sound.length is None and sound.whole().shape == (1, cases.LENGTH)
    for data in (cases.empty_data(), cases.empty_data_then_list()):
        (tmp_path / "x.wav").write_bytes(data)
        with pytest.raises(AudioFileError, match="x.wav is an audio file with no samples in it.$"):
            heard(tmp_path / "x.wav")


@pytest.mark.parametrize("kind", [BytesIO, Pipe])
@pytest.mark.parametrize("data", [cases.empty_data(), cases.empty_data_then_list()])
def test_no_samples(kind, data):
    with pytest.raises(AudioFileError, match="no samples in it.$"):
        heard(kind(data))


@pytest.mark.parametrize("kind", [BytesIO, Pipe])
def test_nan_is_refused_and_what_is_much_too_loud_is_said(kind):
    with pytest.raises(AudioFileError, match="holds NaN or infinite samples.$"):
        heard(kind(cases.nan_at_the_end()))
    with pytest.warns(UserWarning, match=r"has samples of 1\d{4}\.?\d* times full scale.*32768"):
        heard(kind(cases.floats_scaled_as_int16()))
    with pytest.warns(UserWarning, match=r"samples of 1e\+30 times"):
        heard(kind(cases.huge_floats()))
    for usual in (cases.louder_than_full_scale(), cases.denormals()):
        assert len(heard(kind(usual))) == cases.LENGTH


def test_a_pipe_that_ends_too_soon_is_said():
    with pytest.warns(UserWarning, match="<stdin> says that it is 1.00 s long, but only 0.50 s"):
        assert len(heard(Pipe(cases.cut_short_wav()))) == cases.LENGTH // 2


FILES = {
    "WAV": cases.plain_wav(),
    "never written": cases.length_never_written(),
    "FLAC": cases.written("FLAC"),
    "unknown FLAC": cases.flac_says(0),
    "OGG": cases.written("OGG", "VORBIS"),
    "MP3": cases.written("MP3"),
    "GSM": cases.written("WAV", "GSM610", cases.samples()[: 320 * 20]),
}


@pytest.mark.parametrize("kind", FILES)
def test_what_is_skipped_is_not_read_and_the_rest_is(kind):
    data = FILES[kind]
    whole = heard(BytesIO(data))
    for start in (0, 1, 3000, len(whole) - 1):
        with open_sound(BytesIO(data)) as sound:
            sound.skip(start)
            np.testing.assert_allclose(sound.whole(500).T, whole[start : start + 500], atol=2e-4)


def test_only_as_much_as_is_wanted_is_read():
    with open_sound(BytesIO(cases.plain_wav())) as sound:
        assert sound.whole(100).shape == (1, 100)
    with open_sound(BytesIO(cases.six_channels())) as sound:
        assert sound.whole().shape == (6, cases.LENGTH)


@pytest.mark.parametrize(
    ("data", "length"),
    [
        (cases.plain_wav(), cases.LENGTH),
        (cases.flac_says(0), cases.LENGTH),
        (cases.flac_says(90_000_000), cases.LENGTH),
        (cases.cut_short_wav(), cases.LENGTH // 2),
        (cases.length_never_written(), cases.LENGTH),
        (cases.mp3(), 4 * cases.LENGTH),
        (cases.one_sample(), 1),
    ],
)
def test_true_lengths(tmp_path, data, length):
    (tmp_path / "x").write_bytes(data)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert true_length(tmp_path / "x") == (length, cases.RATE, 1)


def test_memory_follows_what_comes_and_not_what_is_claimed():
    """A FLAC of 13 kB that claims 69 thousand million samples."""
    data = cases.flac_says((1 << 36) - 1)
    tracemalloc.start()
    try:
        with open_sound(BytesIO(data)) as sound:
            assert sound.whole().shape == (1, cases.LENGTH)
        assert tracemalloc.get_traced_memory()[1] < 3e6
    finally:
        tracemalloc.stop()


@POSIX
def test_files_are_closed(tmp_path):
    path = tmp_path / "x.wav"
    path.write_bytes(cases.plain_wav())
    (tmp_path / "bad.wav").write_bytes(cases.web_page())
    before = len(os.listdir("/dev/fd"))
    for _ in range(3):
        heard(path)
        true_length(path)
        with pytest.raises(AudioFileError):
            open_sound(tmp_path / "bad.wav")
    assert len(os.listdir("/dev/fd")) == before


def mutated(data: bytes, chance: random.Random) -> bytes:
    """Other bytes, most of them in the header; other sizes; cut; pieces twice or gone."""
    wrong = bytearray(data)
    how = chance.randrange(4)
    if how == 0:
        for _ in range(chance.choice([1, 2, 8])):
            wrong[chance.randrange(min(len(wrong), chance.choice([64, 10**9])))] = chance.randrange(
                256
            )
    elif how == 1:
        place = chance.randrange(min(len(wrong) - 4, 120))
        wrong[place : place + 4] = chance.choice([bytes(4), b"\xff" * 4, b"\xff\xff\xff\x7f"])
    elif how == 2:
        del wrong[chance.randrange(len(wrong)) :]
    else:
        start, end = sorted(chance.randrange(len(wrong)) for _ in range(2))
        wrong = (
            wrong[: chance.choice([start, end])] + wrong[end if chance.random() < 0.5 else start :]
        )
    return bytes(wrong)


SHORT = cases.samples()[:3000]
MUTATED = {
    "WAV": cases.written("WAV", None, SHORT),
    "RF64": cases.written("RF64", None, SHORT),
    "ADPCM": cases.written("WAV", "IMA_ADPCM", SHORT),
    "GSM": cases.written("WAV", "GSM610", SHORT),
    "AIFF": cases.written("AIFF", None, SHORT),
    "FLAC": cases.written("FLAC", None, SHORT),
    "OGG": cases.written("OGG", "VORBIS", SHORT),
    "Opus": cases.written("OGG", "OPUS", SHORT),
    "MP3": cases.written("MP3", None, SHORT),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", MUTATED)
def test_damaged_files_are_sound_or_one_sentence(kind, tmp_path):
    chance, path = random.Random(kind), tmp_path / "x"
    tracemalloc.start()
    try:
        for _ in range(60):
            data = mutated(MUTATED[kind], chance)
            path.write_bytes(data)
            for file in (path, BytesIO(data), Pipe(data)):
                try:
                    assert np.isfinite(heard(file)).all()
                except AudioFileError as error:
                    assert "\n" not in str(error)
        assert tracemalloc.get_traced_memory()[1] < 50e6
    finally:
        tracemalloc.stop()
