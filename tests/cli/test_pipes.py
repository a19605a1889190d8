"""Files and pipes alike."""

import os
import subprocess
import sys
from io import BytesIO

import numpy as np
import pytest
import soundfile
import torch
from command import TINY, Standard, piped, run

from minicodec import audio
from minicodec.cli.pipes import stated_seconds


@pytest.mark.filterwarnings("default")  # a random decoder may be loud, which is a note
def test_pipes(folder, capsys, monkeypatch):
    wav = (folder / "mono.wav").read_bytes()
    words = [*TINY, "-b", "1.5", "--entropy", "histogram", "--chunk", "0.5"]
    stream = piped(monkeypatch, wav, "encode", "-", *words)
    assert piped(monkeypatch, b"", "encode", "mono.wav", "-o", "-", *words) == stream
    restored = piped(monkeypatch, stream, "decode", "-", *TINY)
    table = piped(monkeypatch, stream, "info", "-").decode()
    assert "entropy coding: histogram" in table and table.splitlines()[-1].startswith("    2  ")
    err = capsys.readouterr().err
    assert "output: 1.25 s in" in err and "output: 1.25 s, 1 channel(s), 24000 Hz" in err
    monkeypatch.undo()
    monkeypatch.chdir(folder)
    (folder / "piped.mcdc").write_bytes(stream)
    assert run("decode", "piped.mcdc", *TINY) == 0
    heard, rate = audio.load(BytesIO(restored))
    assert rate == 24000 and heard.shape == (1, 30000)
    torch.testing.assert_close(heard, audio.load("piped.wav")[0], atol=4e-5, rtol=0)


class File(Standard):
    """A file to which the standard output was redirected."""

    def fileno(self):
        return self.buffer.fileno()


@pytest.mark.filterwarnings("default")
def test_what_goes_behind_another_sound_is_said(folder, capsys, monkeypatch):
    assert run("encode", "mono.wav", *TINY) == 0
    before = (folder / "mono.wav").read_bytes()
    for way, begin in (("ab", before), ("wb", b"")):
        with open("mono.wav", way) as file, monkeypatch.context() as patch:
            patch.setattr(sys, "stdout", File(file))
            assert run("decode", "mono.mcdc", *TINY, "-o", "-") == 0
        data = (folder / "mono.wav").read_bytes()
        added = data[len(begin) :]
        assert data.startswith(begin) and len(added) == 44 + 2 * 30000
        # The length is written down afterwards, but not where that would go to the end.
        stated = 0xFFFFFFFF if way == "ab" else 2 * 30000
        assert int.from_bytes(added[40:44], "little") == stated
        said = "note: the output goes behind what its file holds already" in capsys.readouterr().err
        assert said == (way == "ab")


def test_terminals_are_no_pipes(folder, capsys, monkeypatch):
    stdout = sys.stdout
    monkeypatch.setattr(sys, "stdin", Standard(BytesIO(), terminal=True))
    for words in (["encode", "-", *TINY, "-o", "y.mcdc"], ["decode", "-", *TINY, "-o", "y.wav"]):
        assert run(*words) == 2
        assert "the standard input is this terminal" in capsys.readouterr().err
    monkeypatch.setattr(sys, "stdout", Standard(BytesIO(), terminal=True))
    status = run("encode", "mono.wav", *TINY, "-o", "-")
    monkeypatch.setattr(sys, "stdout", stdout)
    assert status == 2 and "would fill this terminal" in capsys.readouterr().err


@pytest.mark.filterwarnings("default")
def test_long_clips_show_a_bar_and_short_ones_do_not(folder, capsys):
    audio.save("long.wav", 0.1 * torch.randn(1, 24000 * 21), 24000)
    for words in (["encode", "long.wav"], ["decode", "long.mcdc", "-f"], ["roundtrip", "long.wav"]):
        assert run(*words, *TINY) == 0
        assert "100%" in capsys.readouterr().err
    assert run("encode", "mono.wav", *TINY) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_named_pipe_needs_no_ending_and_is_not_replaced(folder):
    os.mkfifo("there")
    with subprocess.Popen(["cat", "there"], stdout=subprocess.PIPE) as reader:
        assert run("encode", "mono.wav", *TINY, "-o", "there") == 0
        data = reader.stdout.read()
    assert run("encode", "mono.wav", *TINY) == 0
    assert data == (folder / "mono.mcdc").read_bytes() and (folder / "there").is_fifo()


SHELL = {"OMP_NUM_THREADS": "1", "MINICODEC": f"{sys.executable} -m minicodec"}


def shell(command: str) -> subprocess.CompletedProcess:
    return subprocess.run(["bash", "-c", command], env=os.environ | SHELL, capture_output=True,
                          check=False, timeout=600)  # fmt: skip


def test_how_long_a_stream_says_it_is(folder):
    assert run("encode", "mono.wav", *TINY) == 0
    assert stated_seconds("mono.mcdc") == 1.25
    assert stated_seconds("-") is None
    data = (folder / "mono.mcdc").read_bytes()
    for name, cut in (("cut.mcdc", data[:-1]), ("empty.mcdc", b""), ("short.mcdc", data[:9])):
        (folder / name).write_bytes(cut)
        assert stated_seconds(name) is None


def test_real_pipes(folder):
    """The line that the book promises, and a listener who leaves early."""
    line = shell(
        "cat mono.wav | $MINICODEC encode - -b 1.5 --entropy histogram -m tiny.safetensors"
        " | $MINICODEC decode - -m tiny.safetensors > out.wav"
    )
    assert line.returncode == 0, line.stderr
    samples, rate = audio.load("out.wav")
    assert (rate, samples.shape) == (24000, (1, 30000))
    assert audio.load(BytesIO((folder / "out.wav").read_bytes()))[0].shape == (1, 30000)

    audio.save("long.wav", 0.1 * torch.randn(1, 24000 * 12), 24000)
    assert run("encode", "long.wav", *TINY) == 0
    line = shell(
        "$MINICODEC decode long.mcdc -o - -m tiny.safetensors | head -c 10 > /dev/null;"
        " echo status ${PIPESTATUS[0]}"
    )
    assert b"status 141" in line.stdout and b"Error" not in line.stderr, line


# Once the short sound has been there and back, the long one should need no more.
PEAKS = """
import resource
from minicodec.cli import main
for name in ("short", "long"):
    for words in (["encode", f"{name}.flac"], ["decode", f"{name}.mcdc", "-o", f"{name}.wav"]):
        assert main([*words, "-m", "tiny.safetensors"]) == 0
    print("peak", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def test_memory_does_not_grow_with_length(folder):
    """Four minutes at another rate take as much as twenty seconds."""
    rate = 16000
    for name, seconds in (("short", 20), ("long", 240)):
        with soundfile.SoundFile(f"{name}.flac", "w", rate, 2) as file:
            for _ in range(seconds):
                file.write(np.random.default_rng(0).uniform(-0.1, 0.1, (rate, 2)))
    pytest.importorskip("resource")
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    said = subprocess.check_output([sys.executable, "-c", PEAKS], env=environment, text=True)
    short, long = (int(line.split()[1]) for line in said.splitlines() if line.startswith("peak"))
    assert long < 1.03 * short, f"{short} at 20 s, {long} at 240 s"
    assert audio.load("long.wav")[0].shape == (1, 240 * 24000)
