"""Support: what is to be coded, one file or many, and where each goes."""

import argparse
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from minicodec.cli.pipes import target_or_pipe


class Job(NamedTuple):
    """One sound or stream to be coded."""

    source: str  #: a file, or - for the standard input
    target: Path | None  #: None for the standard output


def one_alone(args: argparse.Namespace) -> bool:
    """Whether one source was named, and no folder: to be coded as if there were no others."""
    return len(args.inputs) == 1 and not Path(args.inputs[0]).is_dir()


def jobs_of(
    args: argparse.Namespace, find: Callable[[Path], list[Path]], endings: Sequence[str]
) -> list[Job]:
    """What is to be done.

    One source may be a pipe and has the target that -o names. Of several, or of a folder's, each
    goes into the folder that -o names, which is made if need be and gets the folders that were
    below the one that was given; without -o each goes beside its source.

    Args:
        find: the files of a folder that can be coded.
        endings: of targets; the first where nothing else was asked for.

    Raises:
        ValueError: if a source is missing, two would become one target, or targets are there
            already and neither --force nor --keep says what is to become of them.
    """
    ending = args.format or endings[0]
    output = None if args.output in (None, "-") else Path(args.output)
    if one_alone(args) and not (output and output.is_dir()):
        [source] = args.inputs
        if args.keep and args.output is None and source != "-":
            output = Path(source).with_suffix(ending)
        if args.keep and output and output.is_file():
            return []
        wanted = [ending] if args.format else endings
        return [Job(source, target_or_pipe(source, args.output, wanted, args.force, ending))]
    if args.output == "-" or "-" in args.inputs:
        raise ValueError("a pipe takes or gives one sound: name one input.")
    if output and output.exists() and not output.is_dir():
        raise ValueError(f"{output} is a file, but several inputs go into a folder.")
    if output and output.suffix.lower() in endings and not output.is_dir():
        raise ValueError(f"{output} names one file, but several inputs go into a folder.")
    targets: dict[Path, Path] = {}
    for source, place in _sources(args.inputs, find):
        target = ((output / place) if output else source).with_suffix(ending)
        other = targets.setdefault(target, source)
        if other != source:
            raise ValueError(f"{other} and {source} would both become {target}: code one alone.")
    there = [target for target in targets if target.exists()]
    if there and not (args.force or args.keep):
        raise ValueError(
            f"{len(there)} of {len(targets)} targets are there already, as {there[0]}: replace "
            "them with -f, or leave them and do the others with --keep."
        )
    kept = {*there} if args.keep else set()
    return [Job(str(s), target) for target, s in targets.items() if target not in kept]


def _sources(
    inputs: Sequence[str], find: Callable[[Path], list[Path]]
) -> Iterator[tuple[Path, Path]]:
    """Files, and their places in the folder that they come from."""
    for name in map(Path, inputs):
        if name.is_dir():
            found = find(name)
            if not found:
                raise ValueError(f"there is nothing in the folder {name} that could be coded.")
            yield from ((path, path.relative_to(name)) for path in found)
        elif name.exists():
            yield name, Path(name.name)
        else:
            raise ValueError(f"{name}: no such file.")
