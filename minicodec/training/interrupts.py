"""Support: signals that end a program, obeyed wherever it is, or noted until a better moment.

A command lets `obeyed` raise them, and its `with` statements tidy up. What would lose hours of
work, or a recording, notes them with `Interrupts`, saves what it has, and ends with `Interrupted`.
A second signal of the same kind always finds less patience than the first.
"""

import os
import select
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import RawIOBase
from types import TracebackType
from typing import Any

#: Ctrl-C, the end that clusters and service managers announce, and a terminal that was closed.
SIGNALS = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)


class Stopped(KeyboardInterrupt):
    """A signal that is obeyed at once, whatever the program is doing."""

    def __init__(self, number: int):
        super().__init__(f"interrupted by {signal.Signals(number).name}")
        self.number = number


class Interrupted(Exception):
    """What a command ends with that a signal ended, after it has saved what it had.

    Args:
        sentence: for the user: what was saved, and how to go on.
        number: of the signal.
    """

    def __init__(self, sentence: str, number: int):
        super().__init__(sentence)
        self.number = number


@contextmanager
def obeyed() -> Iterator[None]:
    """Let the signals raise `Stopped`; a second one of the same kind ends the program there."""

    def stop(number: int, frame: object) -> None:
        signal.signal(number, signal.SIG_DFL)
        raise Stopped(number)

    before = _handle(stop)
    try:
        yield
    finally:
        _restore(before)


@contextmanager
def ignored() -> Iterator[None]:
    """Let the signals do nothing, to begin processes that are to ignore them from the first."""
    before = _handle(signal.SIG_IGN)
    try:
        yield
    finally:
        _restore(before)


class Interrupts:
    """Notes the signals instead of obeying at once; a second one of the same kind is obeyed.

        with Interrupts() as interrupts:
            while not interrupts.seen: ...

    In a recording nothing may be lost of what came before the signal:

        while data := interrupts.read(pipe, 65536): ...

    Attributes:
        seen: "interrupted by SIGINT", or "" as long as there was none.
        number: of the signal; 0 as long as there was none.
    """

    def __init__(self) -> None:
        self.seen, self.number = "", 0
        self._before: dict[int, Any] = {}
        self._wakes: tuple[int, ...] = ()
        self._left: int | None = None  # of what lay in a pipe when a signal came

    def __enter__(self) -> "Interrupts":
        self._before = _handle(self._note)
        if self._before and os.name == "posix":
            self._wakes = os.pipe()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        _restore(self._before)
        for handle in self._wakes:
            os.close(handle)
        self._wakes = ()

    def read(self, pipe: RawIOBase, size: int) -> bytes:
        """What comes next through a pipe; b"" at its end, or after a signal.

        What lay in the pipe when the signal came is read before that. Nothing is lost, as it would
        be if the signal were raised: just between the reading and the keeping of a block. Where a
        pipe cannot be waited for (Windows), the next block ends the waiting.

        Args:
            pipe: without a buffer, which may hold something although the pipe is empty.
            size: bytes at most.
        """
        if self._wakes and not self.seen:
            select.select([pipe.fileno(), self._wakes[0]], [], [])
        if not self.seen:
            return pipe.read(size) or b""
        if self._left is None:
            self._left = _lying_in(pipe) if self._wakes else 0
        data = (pipe.read(min(size, self._left)) or b"") if self._left else b""
        self._left -= len(data)
        return data

    def _note(self, number: int, frame: object) -> None:
        self.seen, self.number = f"interrupted by {signal.Signals(number).name}", number
        if self._wakes:
            os.write(self._wakes[1], b"!")
        signal.signal(number, self._before[number])


def _lying_in(pipe: RawIOBase) -> int:
    """Bytes that can be read without waiting, as many as a pipe holds at most."""
    import fcntl
    import termios

    count = fcntl.ioctl(pipe.fileno(), termios.FIONREAD, bytes(4))
    return min(int.from_bytes(count, sys.byteorder), 1 << 20)


def _handle(handler: Callable[[int, Any], None] | signal.Handlers) -> dict[int, Any]:
    """Set a handler for all signals but those that the program was told to ignore (nohup, &)."""
    if threading.current_thread() is not threading.main_thread():
        return {}
    kept = (number for number in SIGNALS if signal.getsignal(number) not in (signal.SIG_IGN, None))
    return {number: signal.signal(number, handler) for number in kept}


def _restore(before: dict[int, Any]) -> None:
    for number, handler in before.items():
        signal.signal(number, handler)
