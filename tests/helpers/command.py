"""The command line as tests use it: words in, exit status out, in a folder with small models."""

import re
import sys
from functools import cache
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import soundfile
import torch

from minicodec import audio
from minicodec.cli import main

#: The option that names the model of most tests.
TINY = ["-m", "tiny.safetensors"]


def run(*words: object) -> int:
    return main([str(word) for word in words])


@cache
def encoded(model: bytes, sound: bytes) -> bytes:
    """The stream of a sound; nearly all tests want the same one."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "m.safetensors").write_bytes(model)
        (folder / "x.wav").write_bytes(sound)
        assert run("encode", folder / "x.wav", "-m", folder / "m.safetensors") == 0
        return (folder / "x.mcdc").read_bytes()


def bad_files(folder) -> None:
    """Everything a user might hand over by mistake."""
    (folder / "text.wav").write_text("These are words.\n" * 100)
    (folder / "empty.wav").write_bytes(b"")
    soundfile.write(folder / "nan.wav", np.array([0.0, np.nan]), 24000, subtype="FLOAT")
    soundfile.write(folder / "three.wav", np.zeros((100, 3)), 24000)
    audio.save(folder / "long.mp3", torch.zeros(1, 100), 24000)
    data = encoded(*((folder / name).read_bytes() for name in ("tiny.safetensors", "mono.wav")))
    (folder / "x.mcdc").write_bytes(data)
    (folder / "cut.mcdc").write_bytes(data[:-5])
    (folder / "cut.ecdc").write_bytes(b"ECDC\0")
    (folder / "words.mcdc").write_text("These are words.\n" * 100)
    (folder / "nothing.mcdc").write_bytes(b"")
    for ending in ("wav", "mcdc", "ecdc", "html", "json", "safetensors"):
        (folder / f"taken.{ending}").write_bytes(b"precious")
    (folder / "cut.safetensors").write_bytes((folder / "tiny.safetensors").read_bytes()[:1000])


def contents(folder) -> dict[str, bytes | None]:
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
    }


def check_refused(folder, capsys, words, message: str) -> None:
    """Wrong input costs one line and exit status 2, and changes no file."""
    before = contents(folder)
    capsys.readouterr()
    assert run(*words) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and err.startswith(f"minicodec {words[0]}: ")
    assert re.search(message, err), err
    assert contents(folder) == before


class Standard:
    """Stands in for sys.stdin and sys.stdout."""

    def __init__(self, buffer, terminal=False):
        self.buffer, self.terminal = buffer, terminal

    def isatty(self):
        return self.terminal

    def write(self, text):
        self.buffer.write(text.encode())

    def flush(self):
        pass


def piped(monkeypatch, data: bytes, *words: str) -> bytes:
    """Run a command between two pipes."""
    out = BytesIO()
    monkeypatch.setattr(sys, "stdin", Standard(BytesIO(data)))
    monkeypatch.setattr(sys, "stdout", Standard(out))
    assert run(*words) == 0
    return out.getvalue()
