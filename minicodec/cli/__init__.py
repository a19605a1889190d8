"""The command `minicodec`: files in, files out.

minicodec encode speech.wav -o speech.mcdc -b 6
minicodec decode speech.mcdc -o speech.wav
minicodec info speech.mcdc
minicodec roundtrip speech.wav -o heard.wav -b 1.5
minicodec listen speech.wav -o listen.html
"""

import argparse
import sys
import warnings
from collections.abc import Sequence

import minicodec
from minicodec.cli import files


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status: 0, 2 for wrong input, 130 when interrupted."""
    args = _parser().parse_args(argv)
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _note
            args.run(args)
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
    for module in (files,):
        module.add(commands)
    return parser


def _note(message: Warning | str, *_: object, **__: object) -> None:
    print(f"note: {message}", file=sys.stderr)
