"""Support: one job or many: one bar for all, notes and results, and processes that share the work.

A command makes its jobs (`minicodec.cli.jobs`), and hands over what does one of them. A file that
cannot be coded does not keep the others from it.
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
from threading import Lock, Thread
from typing import Any, cast

import torch
from tqdm import tqdm

from minicodec.cli.jobs import Job, one_alone
from minicodec.cli.pipes import bar
from minicodec.training.interrupts import Interrupted, Stopped, ignored


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
    print(f"{done} files: {screen.seconds:.2f} s")
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
