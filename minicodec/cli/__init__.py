"""Support: the command `minicodec`: files in, files out.

minicodec encode speech.wav -o speech.mcdc -b 6 --entropy histogram
minicodec decode speech.mcdc -o speech.wav
minicodec decode speech.mcdc -o part.wav --start 2 --duration 1
minicodec info speech.mcdc
cat speech.wav | minicodec encode - -b 6 | minicodec decode - > heard.wav
minicodec roundtrip speech.wav -o heard.wav -b 1.5
minicodec listen speech.wav -o listen.html
minicodec evaluate recordings -b 1.5 6 -o table.json

`arguments` knows what can be typed. Each command has a module of its name with a function `run`,
which checks all of its arguments before it begins with anything that takes long.
"""

import os
import signal
import sys
import warnings
from collections.abc import Sequence
from importlib import import_module

from minicodec.cli import arguments
from minicodec.training.interrupts import Interrupted, Stopped, obeyed


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns:
        the exit status: 0, 2 for wrong input, 141 when nobody listened to the end of the output,
        128 + its number when a signal ended the command, so 130 for Ctrl-C and 143 for SIGTERM.
    """
    parser = arguments.parser()
    args = parser.parse_args(argv)
    if args.command is None:
        parser.print_help(sys.stderr)
        return 2
    try:
        # Imported now and not before: nearly all commands wait seconds for torch.
        command = import_module(f"minicodec.cli.{args.command.replace('-', '_')}")
        with obeyed(), warnings.catch_warnings():
            warnings.showwarning = _note
            command.run(args)
            sys.stdout.flush()
    except BrokenPipeError:
        # What is still in the buffer can go nowhere; Python would complain about it at its exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except (ValueError, OSError) as error:
        print(f"minicodec {args.command}: {error}", file=sys.stderr)
        return 2
    except Interrupted as end:
        if str(end):  # of several processes that train together one speaks
            print(f"minicodec {args.command}: {end}", file=sys.stderr)
        return 128 + end.number
    except KeyboardInterrupt as stop:
        number = stop.number if isinstance(stop, Stopped) else signal.SIGINT
        name = signal.Signals(number).name
        print(
            f"minicodec {args.command}: interrupted by {name}; no file is left half-written.",
            file=sys.stderr,
        )
        return 128 + number
    return 0


def _note(message: Warning | str, *_: object, **__: object) -> None:
    print(f"note: {message}", file=sys.stderr)
