"""Support: call a stranger's function, and come back whatever it does."""

import ctypes
import threading
import traceback
from collections.abc import Callable
from types import TracebackType
from typing import Any

#: Seconds for one call. Beside eight busy programs an answer took 2 s at most, and 8 s with what
#: torch loads at its first call.
SECONDS = 20.0


class Failed(Exception):
    """It did not return; the message is one sentence that says why.

    Args:
        raised: what it raised, if it did.
    """

    def __init__(self, sentence: str, raised: BaseException | None = None):
        super().__init__(sentence)
        self.raised = raised


class Endless(Failed):
    """It ran too long. It is not tried again: the student has waited already."""


class _Stop(BaseException):
    """Thrown into a thread that takes too long; `except Exception` does not catch it."""


def limited(function: Callable[..., Any], *arguments: Any) -> Any:
    """What the function returns.

    It runs in a thread, for a thread can be left alone where it cannot be stopped: a signal
    reaches no loop inside of a library, and there are none on Windows.

    Raises:
        Endless: if it runs longer than `SECONDS`.
        Failed: if it raises that itself, or anything else.
    """
    result: list[Any] = []
    raised: list[BaseException] = []

    def run() -> None:
        try:
            result.append(function(*arguments))
        except BaseException as error:  # SystemExit of an exit(), too
            raised.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(SECONDS)
    if thread.is_alive():
        _stop(thread)
        raise Endless(
            f"It did not end within {SECONDS:g} seconds: is there a loop whose condition never "
            "becomes false, or one that could be a product of tensors?"
        )
    if raised:
        error = raised[0]
        if isinstance(error, Failed):
            raise error
        raise Failed(f"It raised {said(error)}{_place(error.__traceback__)}.", error)
    return result[0]


def _stop(thread: threading.Thread) -> None:
    """Python code ends at its next line; what waits inside of a library goes on by itself."""
    ident = ctypes.c_ulong(thread.ident or 0)
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ident, ctypes.py_object(_Stop))
    thread.join(1.0)


def said(error: BaseException) -> str:
    """Kind and first line of the message, in bounds."""
    lines = str(error).strip().splitlines()
    message = lines[0].rstrip(".") if lines else ""
    if len(message) > 160:
        message = message[:160] + "…"
    return (
        f"{type(error).__name__}: {message}"
        if message and message != "None"
        else type(error).__name__
    )


def _place(trace: TracebackType | None) -> str:
    """The last line of the answer itself, not of the library that it called."""
    for frame in reversed(traceback.extract_tb(trace)):
        inside = "site-packages" in frame.filename or "minicodec" in frame.filename.split("/")
        if not inside and frame.line and "/lib/python" not in frame.filename:
            return f", at line {frame.lineno} of its cell: `{frame.line.strip()[:100]}`"
    return ""
