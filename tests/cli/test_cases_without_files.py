"""What has tripped commands without any bad file: devices, links, pipes, folders, options.

A recording that a signal ends is in `test_many`, sound of many gigabytes in `test_files`, data sets
in `test_published`, and models as others save them in `test_pretrained`.
"""

import os
import re
import socket
import stat
import threading
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
import torch
from command import TINY, Standard, contents, encoded, run

from minicodec import audio
from minicodec.cli import listen

pytestmark = pytest.mark.skipif(os.name != "posix", reason="links and devices are those of POSIX")


@pytest.fixture
def there(folder, capsys):
    """A folder with a sound, its stream, and what the stream decodes to."""
    data = encoded((folder / TINY[1]).read_bytes(), (folder / "mono.wav").read_bytes())
    (folder / "mono.mcdc").write_bytes(data)
    (folder / "data").mkdir()
    assert run("decode", "mono.mcdc", *TINY, "-o", "heard.wav") == 0
    capsys.readouterr()
    return folder


@contextmanager
def read_by_somebody(open_end: Callable[[], int]) -> Iterator[list[bytes]]:
    """Read what is written at the other end, until it is closed."""
    got: list[bytes] = []

    def read() -> None:
        handle = open_end()
        try:
            while data := os.read(handle, 1 << 16):
                got.append(data)
        except OSError:  # how a terminal ends
            pass
        os.close(handle)

    thread = threading.Thread(target=read)
    thread.start()
    yield got
    thread.join(20)
    assert not thread.is_alive()


class Made(NamedTuple):
    """A command that codes, and the file that it makes of ours."""

    words: list[str]
    file: str


ENCODE = Made(["encode", "mono.wav", *TINY], "mono.mcdc")
DECODE = Made(["decode", "mono.mcdc", *TINY], "heard.wav")
CODING = pytest.mark.parametrize("made", [ENCODE, DECODE], ids=["encode", "decode"])


@CODING
@pytest.mark.parametrize("force", [[], ["-f"]])
def test_a_named_pipe_as_output_is_written_to_and_stays(there, made, force):
    os.mkfifo("out")
    with read_by_somebody(lambda: os.open("out", os.O_RDONLY)) as got:
        assert run(*made.words, "-o", "out", *force) == 0
    assert b"".join(got) == (there / made.file).read_bytes()
    assert stat.S_ISFIFO(os.stat("out").st_mode)


@CODING
def test_a_device_as_output_is_written_to_and_stays(there, made):
    """A terminal of our own, since one that everybody needs would be lost if this failed."""
    ours, theirs = os.openpty()
    tty.setraw(theirs)
    device = os.ttyname(theirs)
    with read_by_somebody(lambda: ours) as got:
        assert run(*made.words, "-f", "-o", device) == 0
        os.close(theirs)
    assert b"".join(got) == (there / made.file).read_bytes()
    assert stat.S_ISCHR(os.stat(device).st_mode) if os.path.exists(device) else True


@CODING
def test_a_socket_as_output_is_refused_and_stays(there, made, capsys):
    """It cannot be opened by its name."""
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind("out")
        assert run(*made.words, "-f", "-o", "out") == 2
    assert "out cannot be written" in capsys.readouterr().err
    assert stat.S_ISSOCK(os.stat("out").st_mode)


@CODING
def test_a_link_as_output_stays_and_its_target_is_rewritten(there, made):
    (there / "far").mkdir()
    ending = Path(made.file).suffix
    target = there / f"far/target{ending}"
    target.write_bytes(b"old")
    Path(f"link{ending}").symlink_to(target)
    assert run(*made.words, "-f", "-o", f"link{ending}") == 0
    assert Path(f"link{ending}").is_symlink()
    assert target.read_bytes() == (there / made.file).read_bytes()


@CODING
def test_a_named_pipe_as_input_is_read_as_a_pipe(there, made):
    """As `<(…)` of a shell is."""
    os.mkfifo("in")
    data = (there / made.words[1]).read_bytes()
    thread = threading.Thread(target=lambda: Path("in").write_bytes(data))
    thread.start()
    command, _, *options = made.words
    assert run(command, "in", *options, "-o", f"x{Path(made.file).suffix}") == 0
    thread.join(20)
    assert (there / f"x{Path(made.file).suffix}").read_bytes() == (there / made.file).read_bytes()


@pytest.mark.parametrize("command", ["encode", "decode", "info"])
def test_an_empty_pipe_is_told_from_a_wrong_one(there, capsys, monkeypatch, command):
    end, begin = os.pipe()
    os.close(begin)
    with open(end, "rb") as pipe:
        monkeypatch.setattr("sys.stdin", Standard(pipe))
        output = {"encode": ["-o", "x.mcdc"], "decode": ["-o", "x.wav"]}.get(command, [])
        assert run(command, "-", *output) == 2
    assert "nothing came through the pipe" in capsys.readouterr().err
    assert not list(there.glob("*x.*"))


@pytest.mark.parametrize("behind", [b"\0", b"more", b"\n" * 4000])
def test_bytes_behind_the_end_of_a_stream_are_refused_by_all(there, capsys, behind):
    (there / "long.mcdc").write_bytes((there / "mono.mcdc").read_bytes() + behind)
    for words in (["info", "long.mcdc"], ["decode", "long.mcdc", *TINY, "-o", "x.wav"]):
        assert run(*words) == 2, words
        assert capsys.readouterr().err.count("\n") == 1
    assert not (there / "x.wav").exists()


WORK = {
    "encode": ["mono.wav", *TINY, "-o", "locked/x.mcdc"],
    "decode": ["mono.mcdc", *TINY, "-o", "locked/x.wav"],
    "roundtrip": ["mono.wav", *TINY, "-o", "locked/x.wav"],
    "listen": ["mono.wav", *TINY, "-o", "locked/x.html"],
    "evaluate": ["data", *TINY, "-o", "locked/x.json"],
    "train": ["tiny", "--data", "data", "--out", "run", "--export", "locked/x.safetensors"],
    "train --out": ["tiny", "--data", "data", "--out", "locked/run"],
    "train-lm": ["--codec", TINY[1], "--data", "data", "--valid", "data", "-o",
                 "locked/x.safetensors"],
    "train-lm --run": ["--codec", TINY[1], "--data", "data", "--valid", "data", "-o",
                       "x.safetensors", "--run", "locked/run"],
    "export": [*TINY, "-o", "locked"],
    "export anew": [*TINY, "-o", "locked/x"],
    "export-onnx": [*TINY, "-o", "locked"],
    "export-onnx anew": [*TINY, "-o", "locked/x"],
}  # fmt: skip


@pytest.mark.parametrize("command", WORK)
def test_a_folder_that_cannot_be_written_is_named_before_the_work(
    there, capsys, monkeypatch, command
):
    """Root may write anywhere, so the system's answer is ours here."""
    (there / "locked").mkdir()
    ask = os.access
    monkeypatch.setattr(
        os, "access", lambda path, way: "locked" not in str(path) and ask(path, way)
    )
    monkeypatch.setattr("minicodec.model.pretrained.load", lambda *_, **__: pytest.fail("work"))
    before = contents(there)
    assert run(command.split()[0], *WORK[command]) == 2
    err = capsys.readouterr().err
    assert re.search("locked", err) and err.count("\n") == 1 and contents(there) == before


def test_listen_has_a_default_that_cannot_be_written_either(there, capsys, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, way: False)
    monkeypatch.setattr(listen, "load", lambda *_, **__: pytest.fail("work"))
    assert run("listen", *TINY) == 2
    assert "listen.html cannot be written" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        ["tiny", "--steps", "8"],
        ["mini_24khz", "--from", "encodec_24khz"],
        ["mini_24khz", "--from", TINY[1]],
    ],
)
def test_what_does_not_fit_a_config_is_one_sentence(there, capsys, words):
    audio.save(there / "data/a.wav", 0.1 * torch.randn(1, 48000), 24000)
    assert run("train", *words, "--data", "data", "--out", "run") == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1 and len(err) < 200, err


@pytest.mark.parametrize("kind", ["under autocast", "of half floats"])
def test_codecs_of_less_than_float32_work_or_say_why_not(tiny, kind):
    clip = 0.1 * torch.randn(1, 1, 2400)
    codes = tiny.encode(clip)
    if kind == "of half floats":
        half = tiny.half()
        with pytest.raises(ValueError, match="float32"):
            half.encode(clip.half())
        return
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(tiny.encode(clip), codes)
