"""`minicodec evaluate`."""

import csv
import json

import pytest
import torch
from command import TINY, bad_files, check_refused, run

from minicodec import audio
from minicodec.cli import evaluate
from minicodec.listening import evaluation, opus_codec
from minicodec.sound import judges


@pytest.fixture
def sounds(folder):
    for name in ("speech/a.wav", "speech/deep/b.flac", "music/c.wav"):
        path = folder / "sounds" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        audio.save(path, 0.1 * torch.randn(1, 6000), 24000)
    return folder


SMALL = ["sounds", *TINY, "--opus", "--measures", "si_sdr"]


@pytest.mark.filterwarnings("default")  # a random decoder may be loud, which is a note
def test_it_prints_and_writes_a_table_per_class(sounds, capsys):
    assert run("evaluate", *SMALL, "-b", "1.5", "3", "-o", "out.json") == 0
    out = capsys.readouterr().out
    assert "all (3 clips)" in out and "speech (2 clips)" in out and "music (1 clip)" in out
    rows = json.loads((sounds / "out.json").read_text())
    assert len(rows) == 6 and set(rows[0]) == {"condition", "class", "clips", "kbps", "si_sdr"}
    assert run("evaluate", *SMALL, "-b", "1.5", "-o", "out.csv") == 0
    assert len(list(csv.DictReader((sounds / "out.csv").read_text().splitlines()))) == 3


@pytest.mark.parametrize(
    ("words", "message"),
    [
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
    monkeypatch.setattr(evaluate, "load", lambda _: pytest.fail("a model was loaded"))
    monkeypatch.setattr(opus_codec, "opus_tools", lambda: False)
    monkeypatch.setattr(judges, "missing", lambda name: name if name == "pesq" else "")
    check_refused(sounds, capsys, ["evaluate", *words], message)


@pytest.mark.filterwarnings("default")
def test_what_is_not_installed_is_a_note(sounds, capsys, monkeypatch):
    monkeypatch.setattr(evaluation, "installed", lambda: ["si_sdr"])
    monkeypatch.setattr(opus_codec, "opus_tools", lambda: False)
    assert run("evaluate", "sounds", *TINY, "-b", "1.5") == 0
    err = capsys.readouterr().err
    assert "no rows for Opus" in err and "left out mel_distance, pesq, stoi" in err
