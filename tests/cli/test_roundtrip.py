"""`minicodec roundtrip`."""

import pytest
import torch
from command import TINY, bad_files, check_refused, run

import minicodec
from minicodec import audio
from minicodec.cli import roundtrip


@pytest.mark.filterwarnings("default")  # a random decoder may be loud, which is a note
def test_a_clip_comes_back(folder, capsys):
    assert run("roundtrip", "mono.wav", *TINY, "-b", "3") == 0
    assert "mono.decoded.wav: SI-SDR" in capsys.readouterr().out
    assert audio.load("mono.decoded.wav")[0].shape == (1, 30000)


@pytest.mark.filterwarnings("default")
def test_clipping_is_a_note(folder, capsys, monkeypatch):
    loud = torch.full((1, 1, 30000), 2.0)
    monkeypatch.setattr(minicodec.Codec, "decode", lambda self, *_, **__: loud)
    assert run("roundtrip", "mono.wav", *TINY) == 0
    assert "note: 30000 samples beyond [-1, 1] were clipped" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["text.wav"], "text.wav cannot be read"),
        (["three.wav"], "three.wav has 3 channels"),
        (["mono.wav", "-o", "no/x.wav"], "no is not a folder"),
        (["mono.wav", "-o", "x.mcdc"], "x.mcdc: the ending must be one of"),
        (["mono.wav", "-o", "taken.wav"], "taken.wav exists already"),
        (["mono.wav", "-b", "7"], "one of 1.5, 3 kbps"),
    ],
)
def test_wrong_input_costs_one_line(folder, capsys, monkeypatch, words, message):
    bad_files(folder)
    monkeypatch.setattr(roundtrip, "load", lambda _: pytest.fail("a model was loaded"))
    check_refused(folder, capsys, ["roundtrip", *words, *TINY], message)
