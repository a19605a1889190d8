"""Support: the process that `minicodec`, or `python -m minicodec`, is."""

import os
import signal
import sys


def main() -> int:
    """Run the command that was typed, and end as its status says."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        # While torch is being imported there is nothing to tidy up, and much that would complain.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    open_streams()
    import minicodec.cli as cli  # `from minicodec import` would wait for torch
    from minicodec.training.interrupts import SIGNALS

    status = cli.main()
    if os.name == "posix" and status - 128 in SIGNALS:
        # Shells see 128 + number either way. But a loop over files ends at Ctrl-C only if the
        # command dies of the signal, too; one that merely says so is followed by the next.
        signal.signal(status - 128, signal.SIG_DFL)
        os.kill(os.getpid(), status - 128)
    return status


def open_streams() -> None:
    """Put something in the place of standard streams that are closed.

    Else the next file to be opened takes their numbers, and notes go into a stream of sound. What
    would be lost is refused, since it is opened the wrong way round: notes alone may get lost.
    """
    for number, way in ((0, os.O_WRONLY), (1, os.O_RDONLY), (2, os.O_WRONLY)):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, way)  # takes the lowest number that is free
    if sys.stdin is None:
        sys.stdin = os.fdopen(0, closefd=False)
    if sys.stdout is None:
        sys.stdout = os.fdopen(1, "w", closefd=False)
    if sys.stderr is None:
        sys.stderr = os.fdopen(2, "w", closefd=False)


if __name__ == "__main__":
    sys.exit(main())
