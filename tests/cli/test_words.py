"""Where a command's words and bytes go, and what they cannot do there."""

import io
import sys
from io import BytesIO, TextIOWrapper

import pytest
from tqdm import tqdm

from minicodec.cli.words import Notes, Output, finish

HOSTILE = "\x1b]0;title\x07\x1b[2J\r.wav"
SHOWN = r"\x1b]0;title\x07\x1b[2J\r.wav"


class Full(io.RawIOBase):
    """A disk without room."""

    error: OSError = OSError(28, "No space left on device")

    def writable(self):
        return True

    def write(self, data):
        raise self.error


class Gone(Full):
    """A pipe to which nobody listens."""

    error = BrokenPipeError(32, "Broken pipe")


def text(raw=None, encoding="utf-8") -> TextIOWrapper:
    return TextIOWrapper(BytesIO() if raw is None else raw, encoding=encoding, newline="\n")


def written(stream: TextIOWrapper) -> bytes:
    stream.flush()
    return stream.buffer.getvalue()


@pytest.mark.parametrize("kind", [Output, Notes])
def test_names_cannot_steer_a_terminal(kind):
    stream = text()
    print(f"{HOSTILE}: 1 s\nsecond line", file=kind(stream))
    assert written(stream).decode() == f"{SHOWN}: 1 s\nsecond line\n"


@pytest.mark.parametrize("kind", [Output, Notes])
def test_any_name_can_be_printed_in_any_language(kind):
    stream = text(encoding="ascii")
    print("caf\udce9 – 音", file=kind(stream))
    assert written(stream) == rb"caf\xe9 \u2013 \u97f3" + b"\n"


def test_bytes_are_left_alone():
    stream = text()
    Output(stream).buffer.write(b"\x1b\0\xff\r\n")
    assert written(stream) == b"\x1b\0\xff\r\n"


def test_bars_are_drawn_as_ever_but_their_names_are_not_obeyed():
    plain, ours = text(), text()
    for stream, name in ((plain, "here"), (Notes(ours), "here")):
        with tqdm(
            desc=name, total=3, file=stream, mininterval=0, ncols=30, bar_format="{desc}{n}"
        ) as outer:
            for _ in range(3):
                with tqdm(
                    desc="inner", total=1, file=stream, position=1, ncols=30, bar_format="{desc}{n}"
                ):
                    outer.update()
            outer.write("between", file=stream)
    assert written(plain) == written(ours) and b"\x1b[A" in written(ours)
    hostile = text()
    with tqdm(desc=HOSTILE, total=1, file=Notes(hostile)):
        pass
    assert SHOWN.encode() in written(hostile) and b"\x1b]" not in written(hostile)


def test_what_cannot_be_written_is_said():
    words = "the standard output cannot be written: No space left on device"
    with pytest.raises(ValueError, match=words):
        Output(text(Full())).buffer.write(bytes(1 << 20))
    out = Output(text(Full()))
    out.write("few words stay in a buffer")
    with pytest.raises(ValueError, match=words):
        out.flush()


def test_when_nobody_listens_that_is_no_error_of_ours():
    out = Output(text(Gone()))
    out.write("words")
    with pytest.raises(BrokenPipeError):
        out.flush()


def test_notes_that_cannot_be_written_end_nothing():
    for raw in (Full(), Gone()):
        notes = Notes(text(raw))
        print("words" * 10000, file=notes)
        notes.flush()


def test_what_is_left_in_the_buffer_does_not_fail_once_more(tmp_path, monkeypatch):
    """Python writes it at its exit, where nobody can catch what is raised."""
    with open(tmp_path / "full", "wb") as there:
        stream = text(Full())
        stream.fileno = there.fileno
        stream.write("words")
        monkeypatch.setattr(sys, "stdout", Output(stream))
        with pytest.raises(ValueError, match="No space"):
            finish()
        there.write(b"into the null device")
    assert (tmp_path / "full").read_bytes() == b""
