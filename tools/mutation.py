"""Do the tests of a module notice when its code is wrong? Mutation testing.

    python tools/mutation.py minicodec/bits/range_coder.py            all mutants of a module
    python tools/mutation.py minicodec/bits/range_coder.py --again    those that survived last time

`tools/mutants.py` makes wrong versions of the module, and the tests that `tools/mutation.yml` names
for it run on each. A version that fails one of them is killed. One that survives all shows what no
test holds, or that the code says more than it must. Where neither is so, because the wrong version
does the same, `tools/mutation.yml` says why: the mutant is explained.

The tests run in a copy of the tree. Everything but this package is imported once; each mutant then
gets a fork of that process, and in it only the tests that reach the wrong line, the fastest first.
Each test has limits of processor time and memory, so an endless loop is noticed as well. Left out
are tests that start processes: they take seconds each, and what they reach cannot be seen.

The result goes into benchmarks/mutation.json. Exit status: 0 if none survived unexplained.
"""

import argparse
import gc
import importlib
import json
import os
import resource
import shutil
import signal
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any

import hypothesis
import pytest
import yaml
from mutants import Mutant, mutants

ROOT = Path(__file__).resolve().parent.parent
EXPLAINED = ROOT / "tools" / "mutation.yml"
REPORT = ROOT / "benchmarks" / "mutation.json"
NOT_COPIED = shutil.ignore_patterns(".*", "_build", "chapters", "local", "runs", "__pycache__")
PYTEST = ["-qx", "--tb=no", "--no-header", "--assert=plain", "-pno:cacheprovider", "-pno:nbval"]
FAILED = 99
MEMORY = 6 << 30  # bytes; the tests themselves stay below one
MOST_SECONDS = 300  # on the clock: processes that wait for each other use no processor time


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("module", help="a file of the package, as minicodec/bits/range_coder.py")
    parser.add_argument("--again", action="store_true", help="only what survived last time")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # not without ending what runs
    module = Path(options.module).resolve().relative_to(ROOT).as_posix()
    settings = yaml.safe_load(EXPLAINED.read_text(encoding="utf-8"))[module]
    explained = explanations(settings)
    report = json.loads(REPORT.read_text(encoding="utf-8")) if REPORT.exists() else {}
    everything = mutants((ROOT / module).read_text(encoding="utf-8"))
    trials = everything
    if options.again:
        if report[module]["mutants"] != len(everything):
            sys.exit("the module is not what it was last time: run it without --again.")
        alive = {tuple(key) for key in report[module]["survived"]} | set(explained)
        trials = [mutant for mutant in everything if mutant.key in alive]
    strangers = set(explained) - {mutant.key for mutant in everything}
    for key in strangers:
        print(f"explained, but not there: {' | '.join(key)}")

    survived, told = [], 0
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder) / "tree", module, settings["tests"])
        for number, mutant in enumerate(trials, 1):
            lives, known = bench.survives(mutant), mutant.key in explained
            told += lives and known
            if lives and not known:
                survived.append(mutant.key)
                print(f"\n{module}:{mutant.span.start} {mutant.where}\n    {mutant.change}")
            elif known and not lives:
                print(f"\nexplained, but killed: {' | '.join(mutant.key)}")
            print(".", end="" if number % 100 else f" {number}\n", flush=True)

    killed = len(everything) - told - len(survived)
    report[module] = {
        "mutants": len(everything), "killed": killed, "explained": told, "survived": survived
    }  # fmt: skip
    REPORT.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"\n{module}: {len(everything)} mutants, {killed} killed, {told} explained, "
          f"{len(survived)} survived")  # fmt: skip
    return int(bool(survived or strangers))


def explanations(settings: dict[str, Any]) -> dict[tuple[str, str, str], str]:
    """Why a mutant is no fault, by its key."""
    return {
        (entry["where"], entry["line"], change): entry["why"]
        for entry in settings.get("explained", [])
        for change in entry["changes"]
    }


class Bench:
    """A copy of the tree in which a module is replaced by its mutants, one after another.

    Args:
        tree: a folder to be made.
        module: path of the module in the tree.
        tests: paths of the tests that hold it; doctests of the module itself are tests too.

    Raises:
        SystemExit: if the tests fail without any mutant.
    """

    def __init__(self, tree: Path, module: str, tests: list[str]):
        shutil.copytree(ROOT, tree, ignore=NOT_COPIED)
        os.chdir(tree)
        sys.path.insert(0, str(tree))
        os.environ["OMP_NUM_THREADS"] = "1"  # a process is forked safely while it has one thread
        self._tree, self._module, self._tests = tree, tree / module, [*tests, module]
        self._notes, self._log = tree / ".notes", tree / ".log"
        sys.dont_write_bytecode = False
        if fork(self._watch, self._log) != 0:
            sys.exit(f"{self._log.read_text()}\nThese tests fail without any mutant.")
        notes = json.loads(self._notes.read_text())
        self._seconds: dict[str, float] = notes["seconds"]
        self._reached = {test: set(lines) for test, lines in notes["reached"].items()}
        for name in notes["modules"]:
            with suppress(Exception):
                importlib.import_module(name)
        gc.collect()
        gc.freeze()  # each fork would otherwise look through all that was imported, again and again
        # Python takes a compiled file for fresh if size and second of the source are the same.
        sys.dont_write_bytecode = True
        for compiled in (self._module.parent / "__pycache__").glob(f"{self._module.stem}.*"):
            compiled.unlink()

    def survives(self, mutant: Mutant) -> bool:
        """Whether no test fails on it; one that takes too long does fail."""
        lines = set(mutant.span)
        seconds = {
            name: self._seconds[name] for name, reached in self._reached.items() if lines & reached
        }
        if not seconds:
            return True
        self._module.write_text(mutant.source, encoding="utf-8")
        return fork(lambda: run_pytest(self._tests, Chosen(seconds)), self._log) == 0

    def _watch(self) -> int:
        """Run the tests as they are, and note what each needs and what all of them import."""
        watch, tree = Watch(self._module), str(self._tree)
        status = run_pytest(self._tests, watch)
        notes = {
            "seconds": watch.seconds,
            "reached": watch.reached,
            "modules": [
                name
                for name, module in sys.modules.items()
                if not (getattr(module, "__file__", None) or tree).startswith(tree)
            ],
        }
        self._notes.write_text(json.dumps(notes))
        return status


def run_pytest(tests: list[str], plugin: object) -> int:
    return int(pytest.main([*PYTEST, *tests], plugins=[plugin]))


class Chosen:
    """A plugin: only these tests run, the fastest first, none much longer than it takes."""

    def __init__(self, seconds: dict[str, float]):
        self.seconds = seconds
        signal.setitimer(signal.ITIMER_PROF, 60)  # for what is done on import

    def pytest_sessionstart(self) -> None:
        """One failing example is enough; to look for the smallest takes time."""
        phases = [hypothesis.Phase.explicit, hypothesis.Phase.generate]
        hypothesis.settings.register_profile("mutant", hypothesis.settings(), phases=phases)
        hypothesis.settings.load_profile("mutant")

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = [item for item in items if item.nodeid in self.seconds]
        # Tests of one file stay together: they share what their fixtures made.
        items.sort(key=lambda item: (item.nodeid.partition("::")[0], self.seconds[item.nodeid]))

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """The timer counts processor time, so it does not matter how busy the machine is."""
        signal.setitimer(signal.ITIMER_PROF, 3 + 3 * self.seconds[nodeid])


class Watch:
    """A plugin: which lines of a file each test reaches, and its seconds of processor time.

    What is reached outside a test, on import or in a fixture that many share, counts for all of
    them. A test that starts a process is skipped.
    """

    def __init__(self, file: Path):
        self.seconds: dict[str, float] = {}
        self._file = str(file)
        self._common: set[int] = set()
        self._reached: dict[str, set[int]] = {}
        self._now = self._common
        self._started = 0.0
        sys.addaudithook(self._hear)
        sys.settrace(self._enter)
        threading.settrace(self._enter)

    @property
    def reached(self) -> dict[str, list[int]]:
        return {test: sorted(lines | self._common) for test, lines in self._reached.items()}

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Iterator[None]:
        self._now = set()
        try:
            yield
            self._reached[item.nodeid] = self._now
        finally:
            self._now = self._common

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self._started = time.process_time()

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        self.seconds[nodeid] = time.process_time() - self._started

    def _hear(self, event: str, _: Any) -> None:
        if event == "subprocess.Popen":
            pytest.skip("starts a process")

    def _enter(self, frame: FrameType, event: str, _: Any) -> Any:
        return self._step if frame.f_code.co_filename == self._file else None

    def _step(self, frame: FrameType, event: str, _: Any) -> Any:
        self._now.add(frame.f_lineno)
        return self._step


def fork(work: Callable[[], int], log: Path) -> int:
    """Exit status of `work` in a process of its own; negative if it took too much and was ended.

    Args:
        work: gives its exit status; what it starts is ended with it.
        log: gets what it prints.
    """
    pid = os.fork()
    if not pid:
        status = FAILED
        try:
            os.setsid()
            for number in (signal.SIGTERM, signal.SIGPROF):
                signal.signal(number, signal.SIG_DFL)
            for stream in (1, 2):
                os.dup2(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND), stream)
            resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
            status = work()
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            os._exit(status)
    end = time.monotonic() + MOST_SECONDS
    try:
        while not os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            if time.monotonic() > end:
                break
            time.sleep(0.01)
    finally:
        with suppress(ProcessLookupError):  # not waited for as yet, so its number is still its own
            os.killpg(pid, signal.SIGKILL)
        _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    sys.exit(main())
