"""The command `minicodec`: files in, files out.

minicodec encode speech.wav -o speech.mcdc -b 6 --entropy histogram
minicodec decode speech.mcdc -o speech.wav
minicodec decode speech.mcdc -o part.wav --start 30 --duration 5
minicodec info speech.mcdc
cat speech.wav | minicodec encode - -b 6 | minicodec decode - > heard.wav
minicodec roundtrip speech.wav -o heard.wav -b 1.5
minicodec listen speech.wav -o listen.html
minicodec evaluate recordings -b 1.5 6 -o table.json
"""

import argparse
import os
import sys
import warnings
from collections.abc import Sequence

import minicodec
from minicodec.cli import evaluate, files, streams, train, train_lm


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns:
        the exit status: 0, 2 for wrong input, 130 when interrupted, 141 when nobody listened to the
        end of the output.
    """
    args = _parser().parse_args(argv)
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _note
            args.run(args)
            sys.stdout.flush()
    except BrokenPipeError:
        # What is still in the buffer can go nowhere; Python would complain about it at its exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except (ValueError, OSError) as error:
        print(f"minicodec {args.command}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted; nothing was written.", file=sys.stderr)
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="minicodec", description="Neural audio compression.")
    parser.add_argument("--version", action="version", version=minicodec.__version__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for module in (streams, files, evaluate, train, train_lm):
        module.add(commands)
    return parser


def _note(message: Warning | str, *_: object, **__: object) -> None:
    print(f"note: {message}", file=sys.stderr)
