"""Support: one file or many: where each goes, one bar for all, and processes that share the work.

A command makes its jobs, a source and a target each, and hands over what does one of them. A file
that cannot be coded does not keep the others from it.
"""

import argparse
import os
import signal
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context, parent_process
from multiprocessing.process import BaseProcess
from pathlib import Path
from threading import Lock, Thread
from typing import Any, NamedTuple, cast

import torch
from tqdm import tqdm

from minicodec.cli.pipes import bar, target_or_pipe
from minicodec.training.interrupts import Interrupted, Stopped, ignored


class Job(NamedTuple):
    """One sound or stream to be coded."""

    source: str  #: a file, or - for the standard input
    target: Path | None  #: None for the standard output


class Report:
    """What is said while jobs are done, put where it is shown: a bar, notes, lines of results."""

    def __init__(self, put: Callable[[str, Any], None]):
        self._put = put

    def seconds(self, more: float) -> None:
        """So much more sound is done."""
        self._put("seconds", more)

    def note(self, text: str) -> None:
        """What should be known; the same words are shown once, however many files they fit."""
        self._put("note", text)

    def result(self, job: Job, text: str) -> None:
        """What has become of a job; not on the standard output, if sound or bytes went there."""
        self._put("result", (job.target, text))


#: What does one job after another: made of the arguments, once in each process.
Work = Callable[[Job, Report], None]


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
        if args.keep and output is None and source != "-":
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


def run(
    args: argparse.Namespace,
    jobs: Sequence[Job],
    work: Callable[[argparse.Namespace], Work],
    doing: str,
    length: Callable[[str], float | None],
) -> None:
    """Do all jobs, with one bar for all of them.

    Args:
        work: makes what does the jobs; has a name that other processes can import.
        doing: what is done, for the bar.
        length: seconds of sound in a source; None if that is not known.

    Raises:
        ValueError: of the only job; of many, when all are done: how many have failed.
        Interrupted: how many were done when a signal came.
    """
    if not jobs:
        print("all targets are there already, and were left as they are.", file=sys.stderr)
        return
    if one_alone(args):
        with bar(doing, length(jobs[0].source)) as progress:
            work(args)(jobs[0], Report(_Screen(progress).show))
        return
    for job in jobs:
        if job.target:
            job.target.parent.mkdir(parents=True, exist_ok=True)
    seconds = sum(length(job.source) or 0 for job in jobs)
    done, failed = 0, 0
    with bar(f"{doing} {len(jobs)} files", seconds) as progress:
        screen = _Screen(progress)
        outcomes = _in_processes if args.jobs > 1 else _one_by_one
        try:
            for job, error in outcomes(args, jobs, work, screen):
                done += not error
                failed += bool(error)
                if error:
                    screen.show("failure", f"minicodec {args.command}: {_naming(job, error)}")
        except KeyboardInterrupt as stop:
            number = stop.number if isinstance(stop, Stopped) else signal.SIGINT
            raise Interrupted(
                f"interrupted by {signal.Signals(number).name}: {done} of {len(jobs)} files are "
                "done; the same words with --keep do the others.",
                number,
            ) from stop
    screen.show("result", (Path(f"{done} files"), f"{screen.seconds:.2f} s"))
    if failed:
        raise ValueError(f"{failed} of {len(jobs)} files could not be coded: see above.")


class _Screen:
    """Shows what jobs report, around the bar."""

    def __init__(self, progress: "tqdm[Any]"):
        self._bar, self._noted, self.seconds = progress, set[str](), 0.0

    def show(self, kind: str, what: Any) -> None:
        if kind == "seconds":
            self._bar.update(what)
            self.seconds += what
        elif kind == "result":
            target, text = what
            self._bar.write(f"{target or 'output'}: {text}", sys.stdout if target else sys.stderr)
        elif kind == "failure":
            self._bar.write(what, sys.stderr)
        elif what not in self._noted:
            self._noted.add(what)
            self._bar.write(f"note: {what}", sys.stderr)


def _naming(job: Job, error: str) -> str:
    """An error's sentence, with the name of the file that it is about."""
    return error if job.source in error else f"{job.source}: {error}"


@contextmanager
def _with_warnings(job: Job, report: Report) -> Iterator[None]:
    with warnings.catch_warnings():

        def show(message: Warning | str, *_: object, **__: object) -> None:
            report.note(_naming(job, str(message)))

        warnings.showwarning = show
        yield


def _one(work: Work, job: Job, report: Report) -> str:
    """Do a job of many; what was wrong with it."""
    try:
        with _with_warnings(job, report):
            work(job, report)
    except (ValueError, OSError) as error:
        return str(error)
    return ""


def _one_by_one(
    args: argparse.Namespace,
    jobs: Sequence[Job],
    make: Callable[[argparse.Namespace], Work],
    screen: _Screen,
) -> Iterator[tuple[Job, str]]:
    work, report = make(args), Report(screen.show)
    for job in jobs:
        yield job, _one(work, job, report)


def _in_processes(
    args: argparse.Namespace,
    jobs: Sequence[Job],
    make: Callable[[argparse.Namespace], Work],
    screen: _Screen,
) -> Iterator[tuple[Job, str]]:
    # Spawned, since a process that has used torch's threads cannot be forked.
    context = get_context("spawn")
    count = min(args.jobs, len(jobs))
    threads = max(1, torch.get_num_threads() // count)
    # Signals are the first process's to obey; it says to the others when to stop.
    with ignored():
        queue, stop = context.SimpleQueue(), context.Event()
        pool = ProcessPoolExecutor(count, context, _begin, (args, make, queue, stop, threads))
        waiting = {pool.submit(_in_process, job): job for job in jobs}
    with pool:
        try:
            while waiting:
                finished, _ = wait(waiting, timeout=0.1, return_when=FIRST_COMPLETED)
                while not queue.empty():
                    screen.show(*queue.get())
                for future in finished:
                    yield waiting.pop(future), future.result()
        except BrokenProcessPool as error:
            raise ValueError(
                "a process was ended from outside while it coded, perhaps because memory ran out: "
                "use fewer --jobs."
            ) from error
        except BaseException:
            stop.set()
            pool.shutdown(cancel_futures=True)
            raise


# In the other processes:

_work: Work
_report: Report
_busy = Lock()


def _begin(
    args: argparse.Namespace,
    make: Callable[[argparse.Namespace], Work],
    queue: Any,
    stop: Any,
    threads: int,
) -> None:
    """Set a process up."""
    global _work, _report
    torch.set_num_threads(threads)

    first = cast(BaseProcess, parent_process())

    def put(kind: str, what: Any) -> None:
        if stop.is_set() or not first.is_alive():
            raise KeyboardInterrupt
        queue.put((kind, what))

    def follow() -> None:
        first.join()
        with _busy:  # a job tidies up before that
            os._exit(1)

    # If the first process is killed nobody would ever end this one.
    Thread(target=follow, daemon=True).start()
    _work, _report = make(args), Report(put)


def _in_process(job: Job) -> str:
    with _busy:
        return _one(_work, job, _report)
