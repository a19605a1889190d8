"""The command `minicodec train`."""

import importlib.util
import json
import re

import pytest
import torch
from command import contents
from short_runs import CODEC, CONFIG, RATE, batch

import minicodec
from minicodec.cli import main, train
from minicodec.model.checkpoint import facts
from minicodec.sound import judges
from minicodec.training import journal


@pytest.mark.filterwarnings("default:left out")
def test_the_command_trains_exports_and_refuses(tmp_path, capsys):
    (tmp_path / "data").mkdir()
    for i in range(3):
        minicodec.audio.save(tmp_path / f"data/{i}.wav", batch(i, 1)[0], RATE)
    (tmp_path / "data/broken.wav").write_bytes(b"RIFF")
    CONFIG.save(tmp_path / "mine.json")
    line = ["train", str(tmp_path / "mine.json"), "--data", str(tmp_path / "data"), "--out",
            str(tmp_path / "run"), "--valid", str(tmp_path / "data")]  # fmt: skip
    assert main([*line, "--steps", "3", "--export", str(tmp_path / "c.safetensors")]) == 0
    said = capsys.readouterr()
    assert "skipped {'cannot be read': 1}" in said.out and "done: 3 of 3 steps" in said.out
    assert minicodec.load(str(tmp_path / "c.safetensors")).config == CODEC
    assert main([*line, "--steps", "4"]) == 2
    assert "--resume" in capsys.readouterr().err
    assert main([*line, "--steps", "4", "--resume"]) == 0
    assert "from step 3" in capsys.readouterr().out
    assert "mel_0.2" in journal.read(tmp_path / "run/metrics.jsonl")[-1]
    assert main(["train", "huge", "--data", "x", "--out", "y"]) == 2
    assert "mini_24khz" in capsys.readouterr().err


def words(tmp_path, *more):
    """A command that trains three steps."""
    (tmp_path / "data").mkdir()
    minicodec.audio.save(tmp_path / "data/a.wav", batch(count=1)[0].repeat(1, 5), RATE)
    CONFIG.save(tmp_path / "mine.json")
    return ["train", str(tmp_path / "mine.json"), "--data", str(tmp_path / "data"), "--out",
            str(tmp_path / "run"), "--steps", "3", *more]  # fmt: skip


@pytest.mark.parametrize("said, option", [(None, True), ("no", True), ("bf16", False)])
def test_bfloat16_by_option_or_by_environment(said, option, tmp_path, monkeypatch, capsys):
    monkeypatch.delenv("ACCELERATE_MIXED_PRECISION", raising=False)
    if said:
        monkeypatch.setenv("ACCELERATE_MIXED_PRECISION", said)
    types = set()
    forward = torch.nn.functional.conv1d

    def seen(x, weight, *rest, **more):
        y = forward(x, weight, *rest, **more)
        types.add(y.dtype)
        return y

    monkeypatch.setattr(torch.nn.functional, "conv1d", seen)
    assert main(words(tmp_path, *["--bfloat16"] * option)) == 0
    assert torch.bfloat16 in types and "in bfloat16" in capsys.readouterr().out


def test_what_is_exported_says_whose_recordings_it_learned_from(tmp_path, capsys):
    told = tmp_path / "facts.json"
    told.write_text(json.dumps({"licence": "CC0", "data": "sine waves"}))
    line = words(tmp_path, "--facts", str(told))
    assert main(line) == 2 and "--export" in capsys.readouterr().err
    line += ["--export", str(tmp_path / "c.safetensors")]
    for text in ("{", "[1]"):
        told.write_text(text)
        assert main(line) == 2 and "facts.json" in capsys.readouterr().err
        assert not (tmp_path / "run").exists()  # found before any long work
    told.write_text(json.dumps({"licence": "CC0", "data": "sine waves"}))
    assert main(line) == 0
    known = facts(tmp_path / "c.safetensors")
    assert known["licence"] == "CC0" and known["data"] == "sine waves" and known["step"] == 3


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--data", "nowhere"], "nowhere is not a folder"),
        (["--music", "nowhere=0.5"], "nowhere is not a folder"),
        (["--data", "{}/data=0"], "the weight of .*data is a number above 0"),
        (["--valid", "nowhere"], "nowhere is not a folder"),
        (["--from", "nobody"], "no model 'nobody'"),
        (["--from", "gone.safetensors"], "gone.safetensors: no such file"),
        (["--from", "{}/data"], "data is a folder, but none of a training run"),
        (["--from", "mini_24khz"], "mini_24khz has another config"),
        (["--decoder-only"], "name one with --from"),
        (["--discriminator", "gone.safetensors"], "gone.safetensors: no such file"),
        (["--export", "{}/no/c.safetensors"], "no is not a folder"),
        (["--export", "{}/c.bin"], "c.bin: the ending must be one of .safetensors"),
        (["--export", "{}/there.safetensors"], "exists already: choose another --export"),
        (["--out", "{}/mine.json"], "mine.json is not a folder"),
        (["--batch", "2", "--seed", "1", "--tensorboard"], "TensorBoard is missing"),
        (["--visqol"], "visqol needs a package"),
    ],
)
def test_arguments_are_checked_before_recordings_are_read(
    more, message, tmp_path, capsys, monkeypatch
):
    line = words(tmp_path, *(word.format(tmp_path) for word in more))
    (tmp_path / "there.safetensors").write_bytes(b"precious")
    missing = {"tensorboard": None}
    monkeypatch.setattr(
        journal.importlib.util, "find_spec",
        lambda name, find=importlib.util.find_spec: missing.get(name, find(name)),
    )  # fmt: skip
    monkeypatch.setattr(judges, "missing", lambda name: name)
    monkeypatch.setattr(train, "open_source", lambda *_: pytest.fail("it began to read"))
    before = contents(tmp_path)
    assert main(line) == 2
    said = capsys.readouterr()
    assert re.search(message, said.err) and said.err.count("\n") == 1 and not said.out
    assert contents(tmp_path) == before


def test_a_run_is_a_model(tmp_path, capsys, monkeypatch):
    """Wherever a model can be named: to code, to measure, and to begin another run with."""
    line = words(tmp_path)
    assert main(line) == 0
    said = capsys.readouterr().out
    run = str(tmp_path / "run")
    assert f"minicodec listen -m {run}" in said and "--resume --export" in said
    monkeypatch.chdir(tmp_path)
    assert main(["evaluate", "data", "-m", run, "--opus", "--measures", "mel_distance"]) == 0
    assert "run 0.2" in capsys.readouterr().out
    assert main(["encode", "data/a.wav", "-m", run, "-o", "a.mcdc"]) == 0
    assert main(["decode", "a.mcdc", "-m", run, "-o", "a.wav"]) == 0
    assert main([*line, "--out", "next", "--from", run]) == 0
    assert minicodec.load("next").config == CODEC


def test_a_run_that_goes_on_needs_no_start_and_may_export_again(tmp_path, capsys):
    saved = str(tmp_path / "c.safetensors")
    assert main(words(tmp_path, "--export", saved)) == 0
    line = ["train", str(tmp_path / "run/config.json"), "--data", str(tmp_path / "data"), "--out",
            str(tmp_path / "run"), "--steps", "4", "--export", saved]  # fmt: skip
    assert main(line) == 2 and "exists already" in capsys.readouterr().err
    assert main([*line, "--resume"]) == 0
    assert facts(saved)["step"] == 4
    assert main([*line, "-f", "--out", str(tmp_path / "new"), "--steps", "3"]) == 0
    assert facts(saved)["step"] == 3
