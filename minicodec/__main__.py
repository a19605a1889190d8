"""Support: the process that `minicodec`, or `python -m minicodec`, is."""

import os
import signal
import sys


def main() -> int:
    """Run the command that was typed, and end as its status says."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        # While torch is being imported there is nothing to tidy up, and much that would complain.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from minicodec import cli
    from minicodec.training.interrupts import SIGNALS

    status = cli.main()
    if os.name == "posix" and status - 128 in SIGNALS:
        # Shells see 128 + number either way. But a loop over files ends at Ctrl-C only if the
        # command dies of the signal, too; one that merely says so is followed by the next.
        signal.signal(status - 128, signal.SIG_DFL)
        os.kill(os.getpid(), status - 128)
    return status


if __name__ == "__main__":
    sys.exit(main())
