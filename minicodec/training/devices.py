"""The machine that a run is on: devices and processes through `accelerate`, and its signals.

Chapter 10.
"""

import os
import signal
import threading
from types import TracebackType
from typing import Any

import torch


def accelerator() -> Any:
    """What `accelerate` finds: a CPU, a GPU, or the processes that torchrun started.

    On a GPU that has bfloat16, convolutions use it; ACCELERATE_MIXED_PRECISION=no prevents that.

    Raises:
        ValueError: if accelerate is not installed, or float16 is asked for.
    """
    try:
        import accelerate
    except ImportError as error:
        raise ValueError(
            "training needs the package accelerate: pip install 'minicodec[train]'."
        ) from error
    asked = os.environ.get("ACCELERATE_MIXED_PRECISION")
    if asked not in (None, "no", "bf16"):
        raise ValueError(
            f"mixed precision {asked!r} is not supported: losses would have to be rescaled, which "
            "the balancer would undo. Use bf16 or no."
        )
    if asked is None:
        fast = torch.cuda.is_available() and torch.cuda.get_device_capability()[0] >= 8
        asked = "bf16" if fast else "no"
    # Told nothing, accelerate lets processes without a GPU each train alone.
    cpus = int(os.environ.get("WORLD_SIZE", 1)) > 1 and not torch.cuda.is_available()
    return accelerate.Accelerator(mixed_precision=asked, cpu=cpus)


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
