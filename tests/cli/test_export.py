"""`minicodec export`: for transformers, for the official package, as ONNX."""

import json
import os

import pytest
import torch
from command import TINY, bad_files, check_refused, contents, run
from exports import of_script
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from short_runs import trainer

from minicodec.cli import arguments, export
from minicodec.model import checkpoint
from minicodec.model.checkpoint import fingerprint, load_codec, save_codec
from minicodec.model.codec import Codec
from minicodec.model.config import CodecConfig
from minicodec.model.export import FILES
from minicodec.model.pretrained import load


def test_the_choices_are_what_there_is():
    assert (*FILES, "onnx") == arguments.EXPORTS


@pytest.mark.parametrize("to", FILES)
def test_a_folder_for_each_model(folder, capsys, to):
    assert run("export", *TINY, "--to", to) == 0
    assert sorted(os.listdir(f"tiny_{to}")) == sorted(FILES[to])
    out = capsys.readouterr().out
    assert all(name in out for name in FILES[to])
    assert ("EncodecModel.from_pretrained('tiny_transformers')" in out) == (to == "transformers")


def test_transformers_is_what_it_writes_unasked(folder):
    assert run("export", *TINY, "-o", "out") == 0
    assert json.loads((folder / "out/config.json").read_text())["model_type"] == "encodec"


@pytest.mark.filterwarnings("ignore:.*weight_norm. is deprecated")
def test_what_it_writes_computes_the_same(folder):
    from transformers import EncodecModel

    for to in FILES:
        assert run("export", *TINY, "-o", to, "--to", to) == 0
    codec, audio = load_codec("tiny.safetensors"), torch.randn(1, 1, 4000)
    bandwidth = codec.config.bandwidths[-1]
    codes = codec.encode(audio, bandwidth)
    official = of_script(folder / "official")
    official.set_target_bandwidth(bandwidth)
    with torch.no_grad():
        theirs = EncodecModel.from_pretrained("transformers").encode(audio, bandwidth=bandwidth)
        assert torch.equal(theirs.audio_codes[0], codes)
        assert torch.equal(official.encode(audio)[0][0], codes)


def test_what_it_wrote_is_a_model_to_all_commands(folder):
    """And can be exported again, with what was known of it."""
    codec = load_codec("tiny.safetensors")
    save_codec(codec, "free.safetensors", {"licence": "MIT"})
    assert run("export", "-m", "free.safetensors", "-o", "saved") == 0
    assert run("encode", "mono.wav", "-m", "saved", "-o", "a.mcdc") == 0
    assert run("decode", "a.mcdc", *TINY, "-o", "a.wav") == 0
    assert run("export", "-m", "saved", "-o", "again", "--to", "official") == 0
    assert run("export", "-m", "saved", "-o", "graphs", "--to", "onnx") == 0
    assert fingerprint(load_codec("graphs/saved.safetensors")) == fingerprint(codec)
    for name in ("saved", "again"):
        with safe_open(f"{name}/model.safetensors", "pt") as file:
            assert json.loads(file.metadata()["facts"]) == {"licence": "MIT"}


def test_onnx_is_the_same_as_the_older_command(folder):
    assert run("export", *TINY, "--to", "onnx", "-o", "one") == 0
    assert run("export-onnx", *TINY, "-o", "other") == 0
    assert contents(folder / "one") == contents(folder / "other") != {}


def test_a_run_and_a_decoder_alone_are_models(folder, tiny, monkeypatch):
    run_ = trainer(folder / "run.1")
    run_.run()
    run_.close()
    save_codec(tiny, folder / "first.safetensors")
    monkeypatch.setitem(checkpoint.SHIPPED, "first", folder / "first.safetensors")
    save_codec(tiny, folder / "second.safetensors", decoder_of="first")
    for model in ("run.1", "second.safetensors"):
        assert run("export", "-m", model, "-o", f"{model}.out") == 0
        assert fingerprint(load(f"{model}.out")) == fingerprint(load(model))


def test_an_older_export_is_replaced_only_if_asked(folder, capsys):
    words = ["export", *TINY, "-o", "out"]
    assert run(*words) == 0
    (folder / "out/config.json").write_text("old")
    check_refused(folder, capsys, words, "model.safetensors exists already: .* -f")
    assert run(*words, "-f") == 0
    assert fingerprint(load("out")) == fingerprint(load_codec("tiny.safetensors"))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["-m", "gone"], "there is no model 'gone'"),
        (["-m", "gone.safetensors"], "gone.safetensors: no such file"),
        (["-m", "cut.safetensors"], "cut.safetensors is not a whole safetensors file"),
        (["-m", "text.wav"], "text.wav is not a whole safetensors file"),
        (["-m", "empty"], "empty is a folder, but none of a training run or of save_pretrained"),
        ([*TINY, "-o", "taken.json"], "taken.json is a file, but 3 files go into a folder"),
        ([*TINY, "-o", "no/such"], "no is not a folder"),
        (["-m", "snake.safetensors"], "snake activations, and transformers knows EnCodec with elu"),
        (["-m", "snake.safetensors", "--to", "official"], "snake activations, and the official"),
        (["-m", "learned.safetensors"], "factorized codebooks"),
        (["-m", "plain.safetensors"], "always has an LSTM"),
        (["-m", "boasting.safetensors"], "boasting.safetensors holds facts that cannot be read"),
        (["-m", "encodec_24khz", "--to", "onnx"], "pads with reflections"),
    ],
)
def test_wrong_input_costs_one_line(folder, capsys, monkeypatch, words, message):
    bad_files(folder)
    (folder / "empty").mkdir()
    small = dict(n_filters=4, dimension=8, bandwidths=(1.5,))
    for name, change in {
        "snake": {"activation": "snake"}, "learned": {"quantizer": "factorized"},
        "plain": {"lstm_layers": 0},
    }.items():  # fmt: skip
        save_codec(Codec(CodecConfig(**small, **change)), folder / f"{name}.safetensors")
    with safe_open("tiny.safetensors", "pt") as file:
        metadata = file.metadata()
    save_file(load_file("tiny.safetensors"), "boasting.safetensors", metadata | {"facts": "[1"})
    monkeypatch.setattr(export, "load", lambda *_, **__: pytest.fail("a model was loaded"))
    check_refused(folder, capsys, ["export", *words], message)


def test_an_unknown_package_is_no_choice(folder, capsys):
    with pytest.raises(SystemExit):
        run("export", *TINY, "--to", "pickle")
    assert "invalid choice: 'pickle'" in capsys.readouterr().err
