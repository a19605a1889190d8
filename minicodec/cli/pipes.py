"""Support: files and pipes alike, for commands that read or write streams. - stands for a pipe."""

import os
import stat
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO, cast

from tqdm import tqdm

from minicodec.bits.container import END_BYTES, SYNC, BitstreamError, Readable, StreamBytes
from minicodec.cli.common import LONG, target_path
from minicodec.sound.files import whole
from minicodec.training.interrupts import Interrupts


def target_or_pipe(
    source: str, output: str | None, endings: Sequence[str], force: bool, default: str = ""
) -> Path | None:
    """The file to write, as `target_path`; None for the standard output.

    Raises:
        ValueError: also if the standard output is a terminal.
    """
    if output == "-" or (output is None and source == "-"):
        if sys.stdout.isatty():
            raise ValueError("the output would fill this terminal: redirect it, or name -o.")
        if _holds_something(sys.stdout):
            warnings.warn(
                "the output goes behind what its file holds already, and of two in one file only "
                "the first is read.",
                stacklevel=2,
            )
        return None
    return target_path(source if source != "-" else None, output, endings, force, default)


def _holds_something(stream: Any) -> bool:
    """Is it a file that was not empty (`>>`)?"""
    with suppress(AttributeError, OSError, ValueError):  # not all that can be written has a number
        status = os.fstat(stream.fileno())
        return stat.S_ISREG(status.st_mode) and status.st_size > 0
    return False


def standard_input() -> BinaryIO:
    """The pipe that feeds us.

    Raises:
        ValueError: if it is a terminal, a folder, or closed.
    """
    if sys.stdin.isatty():
        raise ValueError("- reads from a pipe, but the standard input is this terminal.")
    pipe = sys.stdin.buffer
    try:
        if hasattr(pipe, "raw"):  # in tests and notebooks there is less
            os.read(pipe.fileno(), 0)
    except OSError as error:
        raise ValueError(
            f"- reads from a pipe, but the standard input cannot be read: {error.strerror}."
        ) from error
    return pipe


def is_pipe(name: str) -> bool:
    """Whether a source is read once, from front to back: -, a named pipe, a device."""
    path = Path(name)
    return name == "-" or (path.exists() and not path.is_file() and not path.is_dir())


@contextmanager
def opened_pipe(name: str) -> Iterator[BinaryIO]:
    """The pipe of that name; - is the standard input."""
    if name == "-":
        yield standard_input()
        return
    with open(name, "rb") as file:
        yield file


def recording(pipe: BinaryIO, interrupts: Interrupts) -> BinaryIO:
    """The pipe, but a signal is its end: what came before it is read, and nothing is lost."""
    # A file that was redirected here is read as a file. What is no real pipe (in tests, a notebook)
    # cannot be waited for.
    waits = hasattr(pipe, "raw") and not pipe.seekable()
    return cast(BinaryIO, _Recording(pipe, interrupts)) if waits else pipe


class _Recording:
    def __init__(self, pipe: Any, interrupts: Interrupts):
        self.name, self._raw, self._interrupts = pipe.name, pipe.raw, interrupts

    def read(self, size: int = -1) -> bytes:
        """What has come, at most `size` bytes; b"" at the end, or after a signal."""
        return self._interrupts.read(self._raw, size)

    read1 = read


@contextmanager
def writable(target: Path | None) -> Iterator[BinaryIO]:
    """A file that appears whole or not at all, or the standard output."""
    if target is None:
        yield sys.stdout.buffer
        return
    with whole(target) as part, part.open("wb") as file:
        yield file


@contextmanager
def readable(name: str) -> Iterator[tuple[bytes, Any]]:
    """The first four bytes, and the file from its beginning.

    Raises:
        ValueError: for a folder, a file that there is not, or a pipe through which nothing comes.
    """
    if is_pipe(name):
        with opened_pipe(name) as pipe:
            magic = pipe.read(4)
            if not magic:
                raise ValueError("nothing came through the pipe.")
            yield magic, _Again(magic, pipe)
        return
    if Path(name).is_dir():
        raise ValueError(f"{name} is a folder, not a stream.")
    if not Path(name).is_file():
        raise ValueError(f"{name}: no such file.")
    with open(name, "rb") as file:
        magic = file.read(4)
        file.seek(0)
        yield magic, file


class _Again:
    """A pipe of which the first bytes, read already, are read again."""

    def __init__(self, first: bytes, file: Readable):
        self._first, self._file = first, file

    def read(self, size: int, /) -> bytes:
        first, self._first = self._first, b""
        return first or self._file.read(size)


def stated_seconds(name: str) -> float | None:
    """How long a stream says at its end that it is; None for a pipe, or where the end is missing.

    Nothing has been checked here: it may be damaged, or a lie.
    """
    if is_pipe(name):
        return None
    try:
        with open(name, "rb") as file:
            rate = StreamBytes(file).header.sample_rate
            file.seek(max(0, file.seek(0, 2) - END_BYTES))
            end = file.read(END_BYTES)
    except (OSError, BitstreamError):
        return None  # it will be said when it is decoded
    return int.from_bytes(end[-12:-4], "big") / rate if end[:4] == SYNC else None


def bar(text: str, seconds: float | None) -> "tqdm[Any]":
    """A progress bar on the standard error, for what takes long or nobody knows how long."""
    show = sys.stderr.isatty() if seconds is None else seconds > LONG
    return tqdm(desc=text, total=seconds, unit="s", unit_scale=True, disable=not show)
