"""`minicodec train-lm`."""

import pytest
import torch
from command import TINY, bad_files, check_refused, run

import minicodec
from minicodec import audio
from minicodec.bits.language_model_file import SHIPPED_LM, facts, for_codec, load_language_model
from minicodec.bits.range_coder import decode_codes, encode_codes
from minicodec.cli import train_lm
from minicodec.model.checkpoint import fingerprint

TINY_LM = ["--minutes", "0.03", "--dim", "16", "--layers", "1", "--heads", "2"]
LINE = ["train-lm", "--codec", TINY[1], "--data", "data", "--valid", "valid", *TINY_LM]


@pytest.fixture
def recordings(folder):
    for name in ("data", "valid"):
        (folder / name).mkdir()
        audio.save(folder / name / "0.wav", audio.clip("speech_en", seconds=3), 24000)
    return folder


def test_it_learns_and_writes_an_exact_model(recordings, tiny, capsys, monkeypatch):
    tiny.name = "tiny"
    minicodec.save(tiny, recordings / "tiny.safetensors")
    assert run(*LINE, "-o", "lm.safetensors") == 0
    out = capsys.readouterr().out
    assert "% saved" in out and "fingerprint" in out
    lm, codec = load_language_model("lm.safetensors"), minicodec.load("tiny.safetensors")
    assert lm.codec == fingerprint(codec) and lm.config.n_q == codec.config.max_n_q
    assert facts("lm.safetensors")["bits_per_code"]["3"]["exact"] > 0
    codes = codec.encode(audio.clip("speech_en", seconds=1))[0]
    assert torch.equal(decode_codes(lm, encode_codes(lm, codes), *codes.shape), codes)
    monkeypatch.setitem(SHIPPED_LM, "tiny", recordings / "lm.safetensors")
    assert for_codec(codec).fingerprint == lm.fingerprint


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["-o", "taken.safetensors"], "taken.safetensors exists already"),
        (["-o", "lm.bin"], "lm.bin: the ending must be one of .safetensors"),
        (["-o", "no/lm.safetensors"], "no is not a folder"),
        (["-o", "lm.safetensors", "--valid", "nowhere"], "nowhere is not a folder"),
        (["-o", "lm.safetensors", "--data", "nowhere"], "nowhere is not a folder"),
        (["-o", "lm.safetensors", "--codec", "nobody"], "no model 'nobody'"),
        (["-o", "lm.safetensors", "--heads", "5"], "a multiple of its heads"),
    ],
)
def test_wrong_input_costs_one_line(recordings, capsys, monkeypatch, words, message):
    bad_files(recordings)
    monkeypatch.setattr(train_lm, "load", lambda _: pytest.fail("a model was loaded"))
    check_refused(recordings, capsys, [*LINE, *words], message)
