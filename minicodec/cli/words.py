"""Support: where a command's words and bytes go: the standard output and the standard error."""

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from minicodec.sound.names import printable

#: How tqdm goes from one bar to another.
_BETWEEN_BARS = re.compile(r"\n*(\x1b\[A)*")


class Output:
    """The standard output. Names cannot steer a terminal, and what cannot be written is said.

    Raises:
        ValueError: where writing fails. Not if nobody listens any more: BrokenPipeError.
    """

    def __init__(self, stream: Any):
        self._stream = stream

    @property
    def buffer(self) -> "Output":
        """For bytes, which are not changed."""
        return Output(self._stream.buffer)

    def write(self, data: Any) -> int:
        with _said():
            return self._stream.write(_harmless(data, self) if isinstance(data, str) else data)

    def flush(self) -> None:
        with _said():
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class Notes:
    """The standard error. Names cannot steer a terminal, but progress bars can.

    If it cannot be written there is nobody to tell, and work goes on.
    """

    def __init__(self, stream: Any):
        self._stream = stream

    def write(self, text: str) -> int:
        begin = "\r" if text.startswith("\r") else ""  # of a bar; names stand within a line
        if not _BETWEEN_BARS.fullmatch(text):
            text = begin + _harmless(text.removeprefix(begin), self)
        with suppress(OSError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError):
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def finish() -> None:
    """Write what is left in the buffer of the standard output, or drop it where that fails.

    Python would try once more at its exit, and complain in its own way.

    Raises:
        ValueError, BrokenPipeError: as `Output`.
    """
    try:
        sys.stdout.flush()
    except (ValueError, OSError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
        raise


def _harmless(text: str, stream: Any) -> str:
    """Lines without escape sequences, in letters that the stream can encode."""
    lines = "\n".join(map(printable, text.split("\n")))
    encoding = getattr(stream, "encoding", None) or "utf-8"
    return lines.encode(encoding, "backslashreplace").decode(encoding)


@contextmanager
def _said() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        reason = error.strerror or error
        raise ValueError(f"the standard output cannot be written: {reason}.") from error
