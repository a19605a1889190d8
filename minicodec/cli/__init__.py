"""Support: the command `minicodec`: files in, files out.

minicodec encode speech.wav -o speech.mcdc -b 6 --entropy histogram
minicodec decode speech.mcdc -o speech.wav
minicodec decode speech.mcdc -o part.wav --start 2 --duration 1
minicodec info speech.mcdc
cat speech.wav | minicodec encode - -b 6 | minicodec decode - > heard.wav
minicodec roundtrip speech.wav -o heard.wav -b 1.5
minicodec listen speech.wav -o listen.html
minicodec evaluate recordings -b 1.5 6 -o table.json
minicodec evaluate recordings --codec mine.py --codec mp3=32,64
minicodec export -o exported --to transformers

`arguments` knows what can be typed. Each command has a module of its name with a function `run`,
which checks all of its arguments before it begins with anything that takes long.
"""

import argparse
import re
import signal
import sys
import warnings
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from importlib import import_module

from minicodec.cli import arguments
from minicodec.cli.words import Notes, Output, finish
from minicodec.sound.names import printable
from minicodec.training.interrupts import Interrupted, Stopped, obeyed

#: What torch says, on the CPU and on a GPU.
_NO_MEMORY = re.compile("not enough memory|out of memory", re.IGNORECASE)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns:
        the exit status: 0, 2 for wrong input, 141 when nobody listened to the end of the output,
        128 + its number when a signal ended the command, so 130 for Ctrl-C and 143 for SIGTERM.
    """
    args = argparse.Namespace(command=None)
    with redirect_stdout(Output(sys.stdout)), redirect_stderr(Notes(sys.stderr)):
        try:
            try:
                return _run(arguments.parser(), argv, args)
            finally:
                finish()
        except BrokenPipeError:
            return 141
        except (ValueError, OSError) as error:
            _tell(args, _sentence(error))
            return 2


def _run(
    parser: argparse.ArgumentParser, argv: Sequence[str] | None, args: argparse.Namespace
) -> int:
    parser.parse_args(argv, args)
    if args.command is None:
        parser.print_help(sys.stderr)
        return 2
    try:
        # Imported now and not before: nearly all commands wait seconds for torch.
        command = import_module(f"minicodec.cli.{args.command.replace('-', '_')}")
        with obeyed(), warnings.catch_warnings():
            warnings.showwarning = _note
            command.run(args)
    except Interrupted as end:
        if str(end):  # of several processes that train together one speaks
            _tell(args, str(end))
        return 128 + end.number
    except KeyboardInterrupt as stop:
        number = stop.number if isinstance(stop, Stopped) else signal.SIGINT
        name = signal.Signals(number).name
        _tell(args, f"interrupted by {name}; no file is left half-written.")
        return 128 + number
    except (MemoryError, RuntimeError) as error:
        if isinstance(error, MemoryError) or _NO_MEMORY.search(str(error)):
            raise ValueError("there is not enough memory for this.") from error
        raise
    return 0


def _sentence(error: Exception) -> str:
    """Our own errors are sentences; of the system's the name and the reason make one."""
    if isinstance(error, ValueError) or not isinstance(error, OSError) or not error.strerror:
        return str(error)
    return f"{error.filename}: {error.strerror}." if error.filename else f"{error.strerror}."


def _tell(args: argparse.Namespace, sentence: str) -> None:
    command = f"minicodec {args.command}" if args.command else "minicodec"
    print(f"{command}: {printable(sentence)}", file=sys.stderr)


def _note(message: Warning | str, *_: object, **__: object) -> None:
    print(f"note: {printable(str(message))}", file=sys.stderr)
