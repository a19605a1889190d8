"""The command line does what it says; wrong input costs one line and exit status 2."""

import os
import re
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

import minicodec
from minicodec import audio, bitstream
from minicodec.checkpoint import save_codec
from minicodec.cli import main


@pytest.fixture
def folder(tmp_path, monkeypatch, tiny, tiny_stereo):
    """A folder to work in, with two models and some sounds."""
    monkeypatch.chdir(tmp_path)
    save_codec(tiny, "tiny.safetensors")
    save_codec(tiny_stereo, "stereo.safetensors")
    audio.save("mono.wav", 0.1 * torch.randn(1, 30000), 24000)
    audio.save("stereo44.flac", 0.1 * torch.randn(2, 44100), 44100)
    return tmp_path


def run(*words: str) -> int:
    return main([str(word) for word in words])


@pytest.mark.filterwarnings("default")  # a random decoder may be loud: the note is tested below
def test_encode_info_decode(folder, capsys, tiny):
    assert run("encode", "mono.wav", "-m", "tiny.safetensors", "-b", "1.5") == 0
    out, err = capsys.readouterr()
    size = (folder / "mono.mcdc").stat().st_size
    assert out == f"mono.mcdc: 1.25 s in {size} bytes, {size * 8 / 1250:.2f} kbps\n" and err == ""
    header, _ = bitstream.read((folder / "mono.mcdc").read_bytes())
    assert header.n_q == tiny.config.n_q(1.5)

    assert run("info", "mono.mcdc") == 0
    out = capsys.readouterr().out
    assert "1.250 s, 30000 samples, 24000 Hz, 1 channel(s)" in out
    assert f"{size} bytes" in out and f"{header.n_q} codebooks of 16 entries" in out

    assert run("decode", "mono.mcdc", "-m", "tiny.safetensors", "-o", "back.flac") == 0
    assert "back.flac: 1.25 s, 1 channel(s), 24000 Hz" in capsys.readouterr().out
    back, rate = audio.load("back.flac")
    assert (rate, back.shape) == (24000, (1, 30000))


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("model", ["tiny.safetensors", "stereo.safetensors"])
def test_other_rates_and_channels_are_changed_with_a_note(folder, capsys, model):
    config = minicodec.load(model).config
    assert run("encode", "stereo44.flac", "-m", model, "-o", "x.mcdc") == 0
    note = capsys.readouterr().err
    assert note.startswith("note: 44100 Hz with 2 channel(s) becomes ") and note.count("\n") == 1
    assert run("decode", "x.mcdc", "-m", model) == 0
    back, rate = audio.load("x.wav")
    assert (rate, back.shape) == (config.sample_rate, (config.channels, config.sample_rate))


@pytest.mark.filterwarnings("default")
def test_roundtrip(folder, capsys):
    assert run("roundtrip", "mono.wav", "-m", "tiny.safetensors", "-b", "3") == 0
    assert "mono.decoded.wav: SI-SDR" in capsys.readouterr().out
    assert audio.load("mono.decoded.wav")[0].shape == (1, 30000)


@pytest.mark.filterwarnings("default")
def test_clipping_is_a_note(folder, capsys, monkeypatch, tiny):
    monkeypatch.setattr(minicodec.Codec, "decode", lambda self, *_: torch.full((1, 1, 30000), 2.0))
    assert run("roundtrip", "mono.wav", "-m", "tiny.safetensors") == 0
    assert "note: 30000 samples beyond [-1, 1] were clipped" in capsys.readouterr().err


def test_listen(folder, capsys):
    assert run("listen", "mono.wav", "-m", "tiny.safetensors") == 0
    assert f"open {folder / 'listen.html'}" in capsys.readouterr().out
    page = (folder / "listen.html").read_text(encoding="utf-8")
    assert page.count("<audio") == 3 and "1.5 kbps (file:" in page
    assert run("listen", "-m", "tiny.safetensors") == 0  # our own clip, onto our own page
    assert (folder / "listen.html").read_text(encoding="utf-8") != page


def bad_files(folder):
    """Everything a user might hand over by mistake."""
    (folder / "text.wav").write_text("These are words.\n" * 100)
    (folder / "empty.wav").write_bytes(b"")
    soundfile.write(folder / "nan.wav", np.array([0.0, np.nan]), 24000, subtype="FLOAT")
    soundfile.write(folder / "three.wav", np.zeros((100, 3)), 24000)
    audio.save(folder / "long.mp3", torch.zeros(1, 100), 24000)
    run("encode", folder / "mono.wav", "-m", folder / "tiny.safetensors", "-o", folder / "x.mcdc")
    data = (folder / "x.mcdc").read_bytes()
    (folder / "cut.mcdc").write_bytes(data[:-5])
    (folder / "words.mcdc").write_text("These are words.\n" * 100)
    (folder / "nothing.mcdc").write_bytes(b"")
    (folder / "taken.wav").write_bytes(b"precious")
    (folder / "taken.mcdc").write_bytes(b"precious")
    (folder / "cut.safetensors").write_bytes((folder / "tiny.safetensors").read_bytes()[:1000])


T = ["-m", "tiny.safetensors"]
BAD = [
    (["encode", "gone.wav", *T], "gone.wav: no such file"),
    (["encode", "text.wav", *T], "text.wav cannot be read as audio"),
    (["encode", "empty.wav", *T], "empty.wav is empty"),
    (["encode", "nan.wav", *T], "nan.wav holds NaN"),
    (["encode", "three.wav", *T], "three.wav has 3 channels"),
    (["encode", "../", *T, "-o", "y.mcdc"], "is a folder"),
    (["encode", "mono.wav", *T, "-b", "7"], "one of 1.5, 3 kbps, but 7.0 was given"),
    (["encode", "mono.wav", *T, "-b", "nan"], "but nan was given"),
    (["encode", "mono.wav", "-m", "encodex"], "no model 'encodex': use mini_24khz"),
    (["encode", "mono.wav", "-m", "gone.safetensors"], "gone.safetensors: no such file"),
    (["encode", "mono.wav", "-m", "cut.safetensors"], "not a whole safetensors file"),
    (["encode", "mono.wav", "-m", "text.wav"], "not a whole safetensors file"),
    (["encode", "mono.wav", *T, "-o", "taken.mcdc"], "taken.mcdc exists already: .* -f"),
    (["encode", "mono.wav", *T, "-o", "mono.wav"], "mono.wav is the input itself"),
    (["encode", "mono.wav", *T, "-o", "mono.wav", "-f"], "mono.wav is the input itself"),
    (["encode", "mono.wav", *T, "-o", "no/x.mcdc"], "no is not a folder"),
    (["decode", "gone.mcdc", *T], "gone.mcdc: no such file"),
    (["decode", "cut.mcdc", *T], "cut short or damaged"),
    (["decode", "words.mcdc", *T], "begins with b'Thes'"),
    (["decode", "nothing.mcdc", *T], "0 bytes are too few"),
    (["decode", "x.mcdc"], "by 'unnamed', which does not ship .* with -m"),
    (["decode", "x.mcdc", "-m", "stereo.safetensors"], "by other weights"),
    (["decode", "x.mcdc", *T, "-o", "taken.wav"], "taken.wav exists already"),
    (["decode", "x.mcdc", *T, "-o", "x.mcdc", "-f"], "x.mcdc is the input itself"),
    (["decode", "x.mcdc", *T, "-o", "x.txt"], "ending must be one of"),
    (["decode", ".", *T, "-o", "y.wav"], "is a folder"),
    (["info", "gone.mcdc"], "gone.mcdc: no such file"),
    (["info", "cut.mcdc"], "cut short or damaged"),
    (["info", "mono.wav"], "begins with b'RIFF'"),
    (["roundtrip", "text.wav", *T], "text.wav cannot be read"),
    (["roundtrip", "mono.wav", *T, "-o", "no/x.wav"], "no is not a folder"),
    (["roundtrip", "mono.wav", *T, "-b", "0"], "but 0.0 was given"),
    (["listen", "gone.wav", *T], "gone.wav: no such file"),
    (["listen", "mono.wav", *T, "-o", "taken.wav"], "taken.wav exists already"),
    (["listen", "mono.wav", *T, "-o", "no/x.html"], "no is not a folder"),
]


@pytest.mark.parametrize(("words", "message"), BAD, ids=[" ".join(words) for words, _ in BAD])
def test_wrong_input_costs_one_line(folder, capsys, words, message):
    bad_files(folder)
    capsys.readouterr()
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert run(*words) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and err.startswith(f"minicodec {words[0]}: ")
    assert re.search(message, err), err
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_force_replaces(folder, capsys):
    bad_files(folder)
    assert run("encode", "mono.wav", *T, "-o", "taken.mcdc", "-f") == 0
    assert run("decode", "taken.mcdc", *T, "-o", "taken.wav", "--force") == 0
    assert audio.load("taken.wav")[0].shape == (1, 30000)


def test_a_streams_name_is_not_a_path_to_open(folder, capsys, tiny):
    """Whoever made the stream does not choose which of our files is read."""
    tiny.name = str(folder / "tiny.safetensors")
    (folder / "x.mcdc").write_bytes(minicodec.compress(tiny, torch.zeros(1, 1, 400)))
    assert run("decode", "x.mcdc") == 2
    assert "does not ship with minicodec" in capsys.readouterr().err


def test_a_false_length_is_refused_before_it_is_counted(folder, capsys, tiny_stereo):
    data = minicodec.compress(tiny_stereo, torch.zeros(1, 2, 400))
    fields = list(bitstream._FIXED.unpack_from(data))
    fields[6] = 2**64 - 1
    body = bitstream._FIXED.pack(*fields) + data[bitstream._FIXED.size : -4]
    (folder / "x.mcdc").write_bytes(body + zlib.crc32(body).to_bytes(4, "big"))
    assert run("decode", "x.mcdc", "-m", "stereo.safetensors") == 2
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.endswith("too few for 18446744073709551615 samples.")


@pytest.mark.filterwarnings("default")
def test_long_clips_show_a_bar_and_short_ones_do_not(folder, capsys):
    audio.save("long.wav", 0.1 * torch.randn(1, 24000 * 21), 24000)
    for words in (["encode", "long.wav"], ["decode", "long.mcdc", "-f"], ["roundtrip", "long.wav"]):
        assert run(*words, *T) == 0
        assert "100%" in capsys.readouterr().err
    assert run("encode", "mono.wav", *T) == 0
    assert capsys.readouterr().err == ""


def test_interruption(folder, capsys, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(minicodec, "compress", interrupted)
    assert run("encode", "mono.wav", *T) == 130
    assert capsys.readouterr().err == "interrupted; nothing was written.\n"
    assert not (folder / "mono.mcdc").exists()


def test_a_full_disk_leaves_nothing(folder, capsys, monkeypatch):
    def full_disk(self, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full_disk)
    assert run("encode", "mono.wav", *T) == 2
    assert "No space left on device" in capsys.readouterr().err
    assert not list(folder.glob("*.mcdc")) + list(folder.glob(".*"))


def test_as_a_module_and_without_arguments():
    command = [sys.executable, "-m", "minicodec"]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    version = subprocess.run([*command, "--version"], env=environment, capture_output=True,
                             text=True, check=True)  # fmt: skip
    assert version.stdout.strip() == minicodec.__version__
    bare = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert bare.returncode == 2 and "Traceback" not in bare.stderr


@pytest.mark.parametrize(
    "words", [["explode"], ["encode"], ["encode", "x.wav", "-b", "six"], ["info"]]
)
def test_wrong_arguments(words, capsys):
    with pytest.raises(SystemExit) as status:
        main(words)
    assert status.value.code == 2
    assert "usage: minicodec" in capsys.readouterr().err
