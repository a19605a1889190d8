"""`minicodec export-onnx`."""

import importlib.util
import json
import os

import pytest
from command import TINY, bad_files, check_refused, run
from short_runs import trainer

from minicodec.cli import export_onnx
from minicodec.model import checkpoint
from minicodec.model.checkpoint import facts, fingerprint, load_codec, save_codec
from minicodec.model.pretrained import load
from minicodec.model.streams import silent_frame

FILES = ["tiny.json", "tiny.safetensors", "tiny_decoder.onnx", "tiny_encoder.onnx"]


def test_a_folder_for_each_model(folder, capsys):
    assert run("export-onnx", *TINY) == 0
    assert sorted(os.listdir("tiny_onnx")) == FILES
    out = capsys.readouterr().out
    assert all(name in out for name in ("tiny_onnx", *FILES))
    about = json.loads((folder / "tiny_onnx/tiny.json").read_text())
    codec = load_codec("tiny.safetensors")
    assert about["fingerprint"] == fingerprint(codec).hex()
    assert about["silence"] == silent_frame(codec).flatten().tolist()
    assert about["licence"] is None


def test_the_licence_comes_along(folder, tiny):
    save_codec(tiny, "free.safetensors", {"licence": "MIT", "step": 7})
    assert run("export-onnx", "-m", "free.safetensors", "-o", "out") == 0
    assert json.loads((folder / "out/free.json").read_text())["licence"] == "MIT"
    assert facts("out/free.safetensors")["step"] == 7


def test_an_older_export_is_replaced_only_if_asked(folder, capsys):
    assert run("export-onnx", *TINY) == 0
    before = (folder / "tiny_onnx/tiny.json").read_bytes()
    (folder / "tiny_onnx/tiny.json").write_text("old")
    check_refused(folder, capsys, ["export-onnx", *TINY], "tiny.safetensors exists already")
    (folder / "tiny_onnx/other.txt").write_text("not ours")
    assert run("export-onnx", *TINY, "-f") == 0
    assert (folder / "tiny_onnx/tiny.json").read_bytes() == before
    assert (folder / "tiny_onnx/other.txt").read_text() == "not ours"


def test_into_the_folder_of_the_model_itself(folder, capsys):
    """Its weights are there already; written anew they are the same."""
    before = (folder / "tiny.safetensors").read_bytes()
    words = ["export-onnx", *TINY, "-o", "."]
    check_refused(folder, capsys, words, "tiny.safetensors exists already")
    assert run(*words, "-f") == 0
    assert (folder / "tiny.safetensors").read_bytes() == before


def test_a_decoder_for_codes_of_another_is_written_whole(folder, tiny, monkeypatch):
    save_codec(tiny, folder / "first.safetensors")
    monkeypatch.setitem(checkpoint.SHIPPED, "first", folder / "first.safetensors")
    save_codec(tiny, folder / "second.safetensors", decoder_of="first")
    assert run("export-onnx", "-m", "second.safetensors", "-o", "out") == 0
    assert checkpoint.is_whole(folder / "out/second.safetensors")


def test_a_run_is_a_model(folder, capsys):
    run_ = trainer(folder / "run.1")
    run_.run()
    run_.close()
    assert run("export-onnx", "-m", "run.1", "-o", "out") == 0
    about = json.loads((folder / "out/run.1.json").read_text())
    assert (about["name"], about["licence"]) == ("run.1", None)
    assert about["fingerprint"] == fingerprint(load("run.1")).hex()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["-m", "gone"], "there is no model 'gone'"),
        (["-m", "gone.safetensors"], "gone.safetensors: no such file"),
        (["-m", "cut.safetensors"], "cut.safetensors is not a whole safetensors file"),
        (["-m", "stereo.safetensors"], "cannot stream"),
        (["-m", "encodec_24khz"], "pads with reflections"),
        (["-m", "encodec_48khz"], "cannot stream"),
        ([*TINY, "-o", "taken.json"], "taken.json is a file, but 4 files go into a folder"),
        ([*TINY, "-o", "no/such"], "no is not a folder"),
    ],
)
def test_wrong_input_costs_one_line(folder, capsys, monkeypatch, words, message):
    bad_files(folder)
    monkeypatch.setattr(export_onnx, "load", lambda _: pytest.fail("a model was loaded"))
    check_refused(folder, capsys, ["export-onnx", *words], message)


def test_without_the_package_it_says_what_to_install(folder, capsys, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    check_refused(folder, capsys, ["export-onnx", *TINY], r'pip install "onnx>=')
