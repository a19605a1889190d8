"""Support: signals that end a run, noted now and obeyed after the present step."""

import signal
import threading
from types import TracebackType
from typing import Any


class Interrupts:
    """Notes Ctrl-C, and the signal by which clusters announce the end, instead of obeying at once.

        with Interrupts() as interrupts:
            while not interrupts.seen: ...

    A second one of the same kind is obeyed.
    """

    def __init__(self) -> None:
        self.seen = ""
        self._before: dict[int, Any] = {}

    def __enter__(self) -> "Interrupts":
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, number: int, frame: object) -> None:
        self.seen = f"interrupted by {signal.Signals(number).name}"
        signal.signal(number, self._before[number])
