"""Files that have tripped programs of this kind: the whole sound, or one sentence. Never noise,
never a shorter clip in silence.

Each row is a file, and what is to be expected of it by path and through a pipe.
"""

import io
import json
import os
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cases
import numpy as np
import pytest
from cases import LENGTH, RATE, Pipe, written
from command import Standard, run
from short_runs import CODEC, CONFIG

from minicodec.bits.lm_training import read_codes
from minicodec.model.checkpoint import save_codec
from minicodec.model.codec import Codec
from minicodec.sound import audio
from minicodec.sound.blocks import open_blocks
from minicodec.sound.clips import RECORDINGS
from minicodec.sound.files import READABLE
from minicodec.training import folder, sources

pytestmark = [
    pytest.mark.filterwarnings("default"),
    pytest.mark.skipif(os.name != "posix", reason="names of any bytes are those of POSIX"),
]


@dataclass(frozen=True)
class Heard:
    """So much of it is heard, with a note that says these words if there are any."""

    seconds: float
    note: str = ""


@dataclass(frozen=True)
class Refused:
    """One sentence with these words."""

    words: str


@dataclass(frozen=True)
class Case:
    name: str
    make: Callable[[], bytes]
    path: Heard | Refused
    pipe: Heard | Refused | None = None  #: None for what only a file can be


def by(kind: str, subtype: str | None = None, **more) -> Callable[[], bytes]:
    return lambda: written(kind, subtype, **more)


WHOLE = Heard(1.0)
NO_SOUND = Refused("cannot be read as audio")
NO_WAV = Refused("is not WAV, but begins with")
EMPTY = Refused("no samples in it")
OTHER = Refused("cannot be read from a pipe")
CASES = [
    Case("plain.wav", cases.plain_wav, WHOLE, WHOLE),
    Case("list_behind_data.wav", cases.list_behind_data, WHOLE, WHOLE),
    Case("odd_chunk_padded.wav", cases.odd_chunk_padded, WHOLE, WHOLE),
    Case("empty_data.wav", cases.empty_data, EMPTY, EMPTY),
    Case("empty_data_then_list.wav", cases.empty_data_then_list, EMPTY, EMPTY),
    Case("length_never_written.wav", cases.length_never_written, WHOLE, WHOLE),
    Case("rf64_list_behind_data.wav", cases.rf64_list_behind_data, WHOLE, WHOLE),
    Case("extensible_24_bit.wav", cases.extensible_24_bit, WHOLE, WHOLE),
    Case("20_bits_in_24.wav", cases.twenty_bits_in_24, WHOLE, WHOLE),
    Case("cut_short.wav", cases.cut_short_wav, Heard(0.5, "breaks off after 0.50 s"),
         Heard(0.5, "1.00 s long, but only 0.50 s")),
    Case("cut_short.aiff", cases.cut_short_aiff, Heard(0.5, "breaks off after 0.50 s")),
    Case("cut_short.mp3", cases.cut_short_mp3, Heard(1.95, "4.00 s long, but only 1.95 s")),
    Case("cut_short.ogg", cases.cut_short_ogg, Heard(1.54, "breaks off after 1.54 s")),
    Case("cut_short.flac", cases.cut_short_flac, Refused("flac decoder lost sync")),
    Case("nothing.wav", bytes, Refused("is empty"), Refused("nothing came through the pipe")),
    Case("lfs_pointer.wav", cases.lfs_pointer, NO_SOUND, NO_WAV),
    Case("web_page.wav", cases.web_page, NO_SOUND, NO_WAV),
    Case("pcm_u8.wav", by("WAV", "PCM_U8"), WHOLE, WHOLE),
    Case("alaw.wav", by("WAV", "ALAW"), WHOLE, OTHER),
    Case("ulaw.wav", by("WAV", "ULAW"), WHOLE, OTHER),
    Case("ms_adpcm.wav", by("WAV", "MS_ADPCM"), Heard(1.0), OTHER),
    Case("ima_adpcm.wav", by("WAV", "IMA_ADPCM"), Heard(1.0), OTHER),
    Case("louder_than_full_scale.wav", cases.louder_than_full_scale, WHOLE, WHOLE),
    Case("floats_scaled_as_int16.wav", cases.floats_scaled_as_int16,
         Heard(1.0, "divide them by 32768"), Heard(1.0, "divide them by 32768")),
    Case("huge_floats.wav", cases.huge_floats, Heard(1.0, "times full scale"),
         Heard(1.0, "times full scale")),
    Case("nan_at_the_end.wav", cases.nan_at_the_end, Refused("holds NaN"), Refused("holds NaN")),
    Case("denormals.wav", cases.denormals, WHOLE, WHOLE),
    Case("one_sample.wav", cases.one_sample, Heard(0.0), Heard(0.0)),
    Case("192_khz.wav", by("WAV", rate=192_000), Heard(0.04), Heard(0.04)),
    Case("six_channels.wav", cases.six_channels, Refused("has 6 channels"),
         Refused("has 6 channels")),
    Case("one_hertz.wav", by("WAV", rate=1), Refused("1 Hz to 8000 Hz"),
         Refused("1 Hz to 8000 Hz")),
    Case("plain.aiff", by("AIFF"), WHOLE, NO_WAV),
    Case("plain.au", by("AU"), WHOLE, NO_WAV),
    Case("plain.caf", by("CAF"), WHOLE, NO_WAV),
    Case("plain.flac", by("FLAC"), WHOLE, NO_WAV),
    Case("plain.mp3", by("MP3"), WHOLE, NO_WAV),
    Case("plain.ogg", by("OGG", "VORBIS"), WHOLE, NO_WAV),
    Case("plain.opus", by("OGG", "OPUS"), WHOLE, NO_WAV),
    Case("two_oggs_in_one.ogg", cases.two_oggs_in_one, Heard(2.0)),
    Case("oggs_of_two_rates.ogg", cases.oggs_of_two_rates, Heard(1.0, "begins a stream of 16000")),
    Case("no_header.mp3", lambda: cases.mp3(header=False), Heard(2.48, "only 2.48 s of 4.18 s")),
    Case("unknown_length.flac", lambda: cases.flac_says(0), WHOLE),
    Case("forged_length.flac", lambda: cases.flac_says((1 << 36) - 1), WHOLE),
    Case("wrong_length.flac", lambda: cases.flac_says(16_000),
         Heard(1.0, "2.00 s long, but only 1.00 s")),
    Case("dé ünï 音/ファイル ö.wav", cases.plain_wav, WHOLE),
    Case("n" * 247 + ".wav", cases.plain_wav, WHOLE),
    Case("音" * 80 + ".wav", cases.plain_wav, WHOLE),
    Case(os.fsdecode(b"bad\xff\xfename.wav"), cases.plain_wav, WHOLE),
    Case(os.fsdecode(b"bad\xff\xfeclass/a.wav"), cases.plain_wav, WHOLE),
]  # fmt: skip
FILES = pytest.mark.parametrize("case", CASES, ids=[ascii(c.name[:30]) for c in CASES])
PIPES = [case for case in CASES if case.pipe is not None]


@pytest.fixture(scope="module")
def models(tmp_path_factory) -> Path:
    """A folder with a codec for sound at 8 kHz."""
    folder = tmp_path_factory.mktemp("models")
    save_codec(Codec(CODEC).eval(), folder / "tiny.safetensors")
    return folder


@pytest.fixture
def model(models, tmp_path, monkeypatch) -> list[str]:
    """The option that names the codec, in a folder of the test's own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(os, "fsync", lambda _: None)  # a busy disk takes long
    return ["-m", str(models / "tiny.safetensors")]


def put(case: Case, folder: str = ".") -> Path:
    path = Path(folder) / case.name
    path.parent.mkdir(exist_ok=True, parents=True)
    path.write_bytes(case.make())
    return path


def lines(text: str) -> list[str]:
    """Without bars."""
    return [
        line
        for line in text.splitlines()
        if line.strip() and "it/s" not in line and "%|" not in line
    ]


def check(status: int, said, expected: Heard | Refused) -> None:
    """What a command said, against the row."""
    *notes, last = lines(said.err) or [""]
    if isinstance(expected, Refused):
        assert status == 2 and not said.out and expected.words in last and last[-1] in ".?"
    else:
        assert status == 0, said.err
        notes.append(last)
        said_seconds = re.search(r"(\d+\.\d+) s in ", said.out)
        assert not said_seconds or float(said_seconds[1]) == pytest.approx(
            expected.seconds, abs=0.1
        )
    usual = re.compile("note: .*( becomes |were clipped|SI-SDR)")
    about = [note for note in notes if note and not usual.match(note)]
    words = expected.note if isinstance(expected, Heard) else ""
    assert len(about) == bool(words) and words in "".join(about)


@FILES
def test_encode(model, capsys, case):
    status = run("encode", put(case), *model, "-o", "x.mcdc")
    check(status, capsys.readouterr(), case.path)


@pytest.mark.parametrize("case", PIPES, ids=[case.name for case in PIPES])
def test_encode_through_a_pipe(model, capsys, monkeypatch, case):
    monkeypatch.setattr(sys, "stdin", Standard(Pipe(case.make())))
    status = run("encode", "-", *model, "-o", "x.mcdc")
    check(status, capsys.readouterr(), case.pipe)


#: What is read as a whole is so in `test_load`, by the same function.
ODD = [case for case in CASES if case.path != WHOLE or "length" in case.name]


@pytest.mark.parametrize("case", ODD, ids=[case.name for case in ODD])
def test_roundtrip(model, capsys, case):
    status = run("roundtrip", put(case), *model, "-o", "x.wav")
    check(status, capsys.readouterr(), case.path)
    if isinstance(case.path, Heard):
        sound, rate = audio.load("x.wav")
        assert sound.shape[1] / rate == pytest.approx(case.path.seconds, abs=0.1)


@FILES
def test_load(tmp_path, monkeypatch, case, recwarn):
    monkeypatch.chdir(tmp_path)
    path = put(case)
    if isinstance(case.path, Refused):
        with pytest.raises(audio.AudioFileError, match=re.escape(path.name[:40])):
            audio.load(path, RATE, 2)
        return
    sound, rate = audio.load(path)
    assert sound.shape[1] / rate == pytest.approx(case.path.seconds, abs=0.1)
    assert sound[0, : LENGTH // 4].abs().max() > 0
    assert any(case.path.note in str(note.message) for note in recwarn) or not case.path.note
    begin, _ = audio.load(path, seconds=0.02)
    assert begin.shape[1] == min(sound.shape[1], max(1, round(0.02 * rate)))
    np.testing.assert_allclose(begin, sound[:, : begin.shape[1]], rtol=1e-6)


REFUSED = [case for case in CASES if isinstance(case.path, Refused)]
LOOKED_AT = [case for case in CASES if case.name.endswith(READABLE)]
MAC = "._speech_en.wav"


@pytest.fixture
def everything(tmp_path) -> Path:
    """All cases in one folder, with what a Mac puts there, and a pipe that nobody writes to."""
    folder = tmp_path / "everything"
    for case in CASES:
        put(case, str(folder / "a"))
    (folder / "a" / MAC).write_bytes(cases.notes_of_a_mac())
    os.mkfifo(folder / "a" / "fifo.wav")
    return folder


def test_evaluate_goes_on_and_names_what_is_left_out(model, everything, capsys):
    words = ["--opus", "--measures", "si_sdr", "-b", "0.1", "--seconds", "0.2", "-o", "x.json"]
    assert run("evaluate", everything, *model, *words) == 0
    out, err = capsys.readouterr()
    left_out = re.findall("note: left out: .*", err)
    # Six channels are mixed to one here.
    named = [case for case in REFUSED if case.name != "six_channels.wav"]
    assert len(left_out) == len(named)
    for case in named:
        assert sum(case.name in line for line in left_out) == 1
    assert f"a ({len(LOOKED_AT) - len(named)} clips)" in out
    rows = json.loads(Path("x.json").read_text(encoding="utf-8"))
    assert rows[0]["clips"] == len(LOOKED_AT) - len(named)


def test_a_class_whose_name_is_not_utf8(model, capsys):
    for name in (b"bad\xff", b"b\xe4d"):
        put(Case(os.fsdecode(name) + "/a.wav", cases.plain_wav, WHOLE), "sounds")
    for target in ("x.json", "x.csv"):
        words = ["--opus", "--measures", "si_sdr", "-b", "0.1", "-o", target]
        assert run("evaluate", "sounds", *model, *words) == 0
        assert r"bad\xff (1 clip)" in capsys.readouterr().out
        assert "xff" in Path(target).read_text(encoding="utf-8")


@pytest.mark.parametrize("in_memory", [True, False])
def test_train_goes_on_and_counts_what_is_left_out(
    everything, tmp_path, capsys, monkeypatch, in_memory
):
    if not in_memory:
        usual = folder.Folder
        monkeypatch.setattr(sources, "Folder", lambda *args: usual(*args, memory=0))
    CONFIG.save(tmp_path / "mine.json")
    words = ["--data", everything, "--out", tmp_path / "run", "--steps", "3"]
    assert run("train", tmp_path / "mine.json", *words) == 0
    out, err = capsys.readouterr()
    counts = dict(re.findall(r"'([^']*)': (\d+)", out.splitlines()[0]))
    damaged = len(REFUSED) - 1  # six channels can be mixed to one
    assert counts == {"cannot be read": str(damaged - 1), "of another rate": "1", "too short": "2"}
    left_out = re.findall("note: left out: .*", err)
    assert len(left_out) == folder.NAMED + 1 and f"{damaged - folder.NAMED} more" in left_out[-1]
    minutes = float(re.search(r"(\d+\.\d) min", out)[1])
    assert minutes == pytest.approx((len(LOOKED_AT) - len(REFUSED)) / 60, abs=0.2)


def test_codes_to_learn_from_are_of_what_can_be_read(everything, capsys):
    codes = read_codes(everything, Codec(CODEC).eval())
    out = capsys.readouterr().out
    assert out.count("skipped: ") == len(REFUSED) - 1
    assert max(clip.shape[1] for clip in codes) <= 3 * CODEC.frame_rate


def test_a_clip_of_ones_own(everything, monkeypatch, capsys):
    """What a Mac notes about a file is not the recording."""
    put(Case("speech_en.wav", cases.plain_wav, WHOLE), str(everything))
    monkeypatch.setenv(RECORDINGS, str(everything))
    assert audio.clip("speech_en", RATE).shape == (1, 1, LENGTH)
    assert "is speech_en.wav" in capsys.readouterr().out


def test_listen_plays_the_beginning(model, capsys):
    path = put(Case("x.flac", lambda: cases.flac_says((1 << 36) - 1), WHOLE))
    assert run("listen", path, *model, "-o", "x.html") == 0
    assert "Traceback" not in capsys.readouterr().err


def test_a_few_bytes_do_not_become_hours():
    """A rate of 24 Hz in 400 kB would be two hours and a half at 24 kHz."""
    data = written("WAV", None, np.zeros(200_000), rate=24)
    with pytest.raises(audio.AudioFileError, match="24 Hz to 24000 Hz is a change by more than"):
        audio.load(io.BytesIO(data), 24000)
    slow = written("WAV", None, np.zeros(200_000), rate=240)
    blocks = list(open_blocks(io.BytesIO(slow)).converted(24000, 1))
    assert max(block.shape[-1] for block in blocks) < 1 << 17
    assert sum(block.shape[-1] for block in blocks) == 20_000_000
