"""`minicodec evaluate`."""

import csv
import json

import pytest
import torch
from command import TINY, bad_files, check_refused, run

from minicodec import audio
from minicodec.cli import evaluate
from minicodec.listening import measures, opus_codec
from minicodec.sound import judges


@pytest.fixture
def sounds(folder):
    for name in ("speech/a.wav", "speech/deep/b.flac", "music/c.wav"):
        path = folder / "sounds" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        audio.save(path, 0.1 * torch.randn(1, 6000), 24000)
    return folder


FAST = ["--opus", "--measures", "si_sdr"]
SMALL = ["sounds", *TINY, *FAST]
#: A codec that a person might write.
MINE = """
import torch

class Eight:
    name, sample_rate, channels, note = "eight bits", 16000, 1, "a first try"

    def encode(self, audio):
        return ((audio[0, 0].clamp(-1, 1) + 1) * 127.5).round().byte().numpy().tobytes()

    def decode(self, data):
        return (torch.frombuffer(bytearray(data), dtype=torch.uint8) / 127.5 - 1).view(1, 1, -1)

codec = Eight()
"""


@pytest.mark.filterwarnings("default")  # a random decoder may be loud, which is a note
def test_it_prints_and_writes_a_table_per_class(sounds, capsys):
    assert run("evaluate", *SMALL, "-b", "1.5", "3", "-o", "out.json") == 0
    out = capsys.readouterr().out
    assert "all (3 clips)" in out and "speech (2 clips)" in out and "music (1 clip)" in out
    rows = json.loads((sounds / "out.json").read_text())
    fields = {"condition", "class", "clips", "kbps", "khz", "delay_ms", "si_sdr"}
    assert len(rows) == 6 and set(rows[0]) == fields
    assert run("evaluate", *SMALL, "-b", "1.5", "-o", "out.csv") == 0
    assert len(list(csv.DictReader((sounds / "out.csv").read_text().splitlines()))) == 3


def test_other_codecs_alone_and_beside_the_model(sounds, capsys):
    (sounds / "mine.py").write_text(MINE)
    alone = ["sounds", *FAST, "--codec", "mine.py", "--codec", "mp3=24,32"]
    assert run("evaluate", *alone, "-o", "out.json") == 0
    out = capsys.readouterr().out
    assert "mini_24khz" not in out and out.rstrip().endswith("eight bits: a first try.")
    rows = json.loads((sounds / "out.json").read_text())
    assert [row["condition"] for row in rows[::3]] == ["eight bits", "mp3 24", "mp3 32"]
    assert [row["khz"] for row in rows[::3]] == [16, 24, 24] and rows[0]["note"] == "a first try"
    assert rows[0]["kbps"] == pytest.approx(128, rel=0.01)
    # Of noise the codec at 16 kHz keeps two thirds, which is all that a comparison at 16 kHz hears.
    assert rows[0]["si_sdr"] < 6
    assert run("evaluate", *alone, "--rate", "16000", "-o", "out.json", "-f") == 0
    assert json.loads((sounds / "out.json").read_text())[0]["si_sdr"] > 15
    assert run("evaluate", *SMALL, "-b", "1.5", "--codec", "mine.py", "-o", "out.csv") == 0
    table = list(csv.DictReader((sounds / "out.csv").read_text().splitlines()))
    assert [row["condition"] for row in table[::3]] == ["unnamed 1.5", "eight bits"]


def test_measures_are_explained_without_recordings(capsys):
    assert run("evaluate", "--explain") == 0
    out = capsys.readouterr().out
    assert all(f"{name} (" in out for name in measures.MEASURES) and out.count("  misses  ") > 5


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], r"which recordings\? Name the folder"),
        (["sounds", *FAST, "--codec", "mp3", "-b", "6"], "-b and -e are of the model -m"),
        (["sounds", *FAST, "--codec", "mp3", "-e", "lm"], "-b and -e are of the model -m"),
        (["sounds", *FAST, "--codec", "mine.py"], "mine.py: no such file"),
        (["sounds", *FAST, "--codec", "broken.py"], "broken.py raised ZeroDivisionError in line 1"),
        (["sounds", *FAST, "--codec", "flac"], "there is no codec 'flac'"),
        (["sounds", *FAST, "--codec", "mp3", "--codec", "mp3"], "two codecs are called 'mp3 64'"),
        (["nowhere", *TINY], "nowhere is not a folder"),
        (["empty", *TINY], "empty has no recordings"),
        ([*SMALL, "-b", "7"], "must be one of 1.5, 3 kbps"),
        ([*SMALL, "-m", "encodec_48khz", "-b", "1.5"], "must be one of 3, 6, 12, 24 kbps"),
        ([*SMALL, "-o", "x.txt"], "x.txt: the ending must be one of .json, .csv"),
        ([*SMALL, "-o", "taken.json"], "taken.json exists already"),
        (["sounds", *TINY, "--measures", "pesq"], "pesq needs a package"),
        (["sounds", *TINY, "--opus", "6"], "opusenc and opusdec, which are not installed"),
    ],
)
def test_wrong_input_costs_one_line(sounds, capsys, monkeypatch, words, message):
    bad_files(sounds)
    (sounds / "empty").mkdir()
    (sounds / "broken.py").write_text("1 / 0")
    monkeypatch.setattr(evaluate, "load", lambda _: pytest.fail("a model was loaded"))
    monkeypatch.setattr(opus_codec, "opus_tools", lambda: False)
    monkeypatch.setattr(judges, "missing", lambda name: name if name == "pesq" else "")
    check_refused(sounds, capsys, ["evaluate", *words], message)


@pytest.mark.filterwarnings("default")
def test_what_is_not_installed_is_a_note(sounds, capsys, monkeypatch):
    monkeypatch.setattr(measures, "installed", lambda: ["si_sdr"])
    monkeypatch.setattr(opus_codec, "opus_tools", lambda: False)
    assert run("evaluate", "sounds", *TINY, "-b", "1.5") == 0
    err = capsys.readouterr().err
    assert "no rows for Opus" in err
    assert "left out f0_cents, f0_gross, mel_distance, pesq, stoi" in err
