"""How long chapters take: measured and estimated in one way, and written wherever it is said.

    python tools/minutes.py                             write the minutes, from what was measured
    python tools/minutes.py --check                     exit 1 and say where they disagree
    python tools/minutes.py --measure                   run the chapters whose code has changed
    python tools/minutes.py --measure chapters/x.ipynb  run this one

They stand in each chapter's head (with a table of its sections), in README.md and in _toc.yml.

**A student's minutes** are no measurement. They follow from what a section holds, by the rates
below, so that all chapters are estimated alike: words are read, lines of code are read slowly,
formulas and figures looked at, players listened to. Sections are rounded to whole minutes, chapters
to five. Exercises state their own minutes, and come on top.

**Seconds of computing** are measured: processor time of the kernel and its children, in one thread,
which other programs on the machine do not change much. They and the counts of operations are kept
in benchmarks/minutes.json.

**A T4** was not at hand. Its seconds are an estimate from the operations counted: each PyTorch
operation takes the longest of a kernel's launch, its arithmetic, and its way through memory, at the
rates below; a recurrent layer launches for every step. All else (Python, NumPy, players, pictures)
takes as long as here. So small operations get no faster, and large ones do. It says what a T4 could
do if a chapter's tensors lay on it. As they stand, the chapters compute on the CPU.
"""

import argparse
import hashlib
import json
import os
import re
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from notebooks import (
    MINUTES,
    ROOT,
    Notebook,
    alt_of,
    chapters,
    clean,
    count_words,
    dumps,
    read,
    shown,
    source_of,
    tags_of,
)
from student import CHECK

from minicodec.exercises.exercise import find

MEASURED = ROOT / "benchmarks" / "minutes.json"
EXECUTED = ROOT / "_build" / "minutes"
MEND = "python tools/minutes.py"

# A student's pace. English is not the first language of most readers, and each formula is new.
WORDS_PER_MINUTE = 100
SECONDS = {"line of code": 7, "formula": 45, "figure": 30, "player": 75}
QUESTION = 1  # minutes for one of the quiz
PLAYERS = r"\b(?:compare|abx|mushra|listening\.bandwidths|listening\.record)\("

# NVIDIA's data sheet of the T4 says 8.1 TFLOP/s in float32 and 320 GB/s. PyTorch, which launches
# one kernel after another from Python, gets a part of that out of layers as small as ours.
T4_LAUNCH, T4_FLOPS, T4_BYTES = 10e-6, 0.3 * 8.1e12, 0.6 * 320e9

# Runs in the kernel before the chapter: a line of figures for each cell.
HOOK = '''
import json as _json, resource as _resource, time as _time
_began = _time.process_time()
import torch as _torch
from torch.utils._python_dispatch import TorchDispatchMode as _Mode
from torch.utils._pytree import tree_leaves as _leaves
from torch.utils.flop_counter import flop_registry as _flops
_imported = _time.process_time() - _began

class _Count(_Mode):
    """Counts operations, what they compute and move, and the time that they take here."""
    def __init__(self):
        super().__init__()
        self.operations, self.t4, self.seconds, self.flops, self.own = 0, 0.0, 0.0, 0.0, 0.0
    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        began = _time.thread_time()
        out = func(*args, **kwargs)
        ended = _time.thread_time()
        self.seconds += ended - began
        self.operations += 1
        name, launches, flops, moved = str(func), 1, 0.0, 0.0
        tensors = [t for t in _leaves((args, out)) if isinstance(t, _torch.Tensor)]
        try:
            if "view" not in name and "detach" not in name:
                moved = sum(t.numel() * t.element_size() for t in tensors)
            if func.overloadpacket in _flops:
                flops = _flops[func.overloadpacket](*args, **kwargs, out_val=out)
            elif "rnn" in name or "lstm" in name:
                weights = sum(t.numel() for t in tensors[1:] if t.dim() == 2)
                launches = max(tensors[0].shape[:2])
                flops = 2.0 * weights * tensors[0].shape[0] * tensors[0].shape[1]
        except Exception:
            pass
        self.flops += flops
        self.t4 += max(launches * LAUNCH, flops / FLOPS, moved / BYTES)
        self.own += _time.thread_time() - ended
        return out

def _processor():
    child = _resource.getrusage(_resource.RUSAGE_CHILDREN)
    return _time.process_time() + child.ru_utime + child.ru_stime

_x = _torch.zeros(1)
def _tiny(count=500):
    began = _time.process_time()
    for _ in range(count):
        _x + 1
    return (_time.process_time() - began) / count
# The way of an operation through Python, without what is counted above.
_tries = []
for _ in range(20):
    _plain = _tiny()
    with _Count() as _counted:
        _tries.append(_tiny() - _plain - _counted.own / 500)
_overhead = max(0.0, sorted(_tries)[10])

class _Watch:
    def before(self, info):
        self.count = _Count()
        self.count.__enter__()
        self.began = _processor()
    def after(self, result):
        if not hasattr(self, "count"):
            return
        seconds = _processor() - self.began
        self.count.__exit__(None, None, None)
        count = self.count
        seconds -= count.own + count.operations * _overhead
        line = {"seconds": max(0.0, seconds), "torch": count.seconds, "t4": count.t4,
                "operations": count.operations, "flops": count.flops, "imported": _imported}
        with open(TARGET, "a") as file:
            file.write(_json.dumps(line) + "\\n")

_watch = _Watch()
get_ipython().events.register("pre_run_cell", _watch.before)
get_ipython().events.register("post_run_cell", _watch.after)
'''


@dataclass
class Section:
    """What a heading is followed by, up to the next one."""

    title: str
    words: int = 0
    lines: int = 0
    formulas: int = 0
    figures: int = 0
    players: int = 0
    exercises: int = 0  #: minutes of those in it
    questions: int = 0
    cells: list[int] = field(default_factory=list)  #: its code cells, counted among code cells

    @property
    def minutes(self) -> int:
        seconds = (
            60 * self.words / WORDS_PER_MINUTE
            + self.lines * SECONDS["line of code"]
            + self.formulas * SECONDS["formula"]
            + self.figures * SECONDS["figure"]
            + self.players * SECONDS["player"]
        )
        return round(seconds / 60 + self.questions * QUESTION)


def sections(notebook: Notebook) -> list[Section]:
    """The parts of a chapter under headings of the second level; first what stands above them."""
    found, code = [Section("Opening")], 0
    for index, cell in enumerate(notebook["cells"]):
        source = source_of(cell)
        if cell["cell_type"] == "code":
            section = found[-1]
            section.cells.append(code)
            code += 1
            section.exercises += sum(find(name).minutes for name in CHECK.findall(source))
            if section.title == "Exercises":
                continue  # all of it is in their minutes
            if not {"setup", "hide-input", "remove-input", "check"} & set(tags_of(cell)):
                section.lines += sum(
                    bool(line.strip()) and not line.lstrip().startswith(("#", "import ", "from "))
                    for line in source.splitlines()
                )
            section.figures += bool(alt_of(cell)) or "diagrams." in source
            section.players += len(re.findall(rf"(?<!def ){PLAYERS}", source))
            continue
        if index == 0:
            # What this tool writes must not change what it counts.
            source = re.sub(r"(?m)^\|.*$", "", without_sections(source))
        for part in re.split(r"(?m)^(?=## )", source):
            heading = re.match(r"## (.+)", part)
            if heading:
                found.append(Section(plain(heading[1])))
            section = found[-1]
            if section.title in ("Exercises", "Further reading"):
                continue
            section.words += count_words(part)
            section.formulas += len(re.findall(r"\$\$.*?\$\$", part, flags=re.S))
            section.questions += len(re.findall(r"(?m)^\*\*\d+\. ", part))
    return [section for section in found if section.minutes or section.exercises or section.cells]


def plain(heading: str) -> str:
    return re.sub(r"[*`]", "", heading).replace("|", "/").strip()


def code_of(notebook: Notebook) -> list[str]:
    return [source_of(c) for c in notebook["cells"] if c["cell_type"] == "code"]


def state_of(notebook: Notebook) -> str:
    """Changes with the code but not with the set-up cell, which every release changes."""
    cells = [c for c in notebook["cells"] if c["cell_type"] == "code" and "setup" not in tags_of(c)]
    return hashlib.sha256("\0".join(source_of(c) for c in cells).encode()).hexdigest()[:16]


def measure(path: Path) -> dict[str, Any]:
    """Run a chapter, in one thread; seconds here and on a T4 by section."""
    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.read(path, as_version=4)
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "cells.jsonl"
        hook = HOOK.replace("TARGET", repr(str(target))).replace("LAUNCH", repr(T4_LAUNCH))
        hook = hook.replace("FLOPS", repr(T4_FLOPS)).replace("BYTES", repr(T4_BYTES))
        notebook.cells.insert(0, nbformat.v4.new_code_cell(hook))
        os.environ["OMP_NUM_THREADS"] = "1"
        NotebookClient(
            notebook, timeout=1800, resources={"metadata": {"path": str(path.resolve().parent)}}
        ).execute()
        lines = [json.loads(line) for line in target.read_text().splitlines()]
    del notebook.cells[0]
    EXECUTED.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, EXECUTED / path.name)

    original = read(path)
    assert len(lines) == len(code_of(original)), "a cell ran without being measured"
    lines[0]["seconds"] += lines[0]["imported"]  # the chapter's own import of torch found it there
    found = {}
    for section in filter(lambda section: section.cells, sections(original)):
        cells = [lines[index] for index in section.cells]
        here = sum(cell["seconds"] for cell in cells)
        t4 = sum(max(0, cell["seconds"] - cell["torch"]) + cell["t4"] for cell in cells)
        found[section.title] = {
            "seconds": round(here, 2),
            "t4": round(t4, 2),
            "operations": sum(cell["operations"] for cell in cells),
            "gflop": round(sum(cell["flops"] for cell in cells) / 1e9, 2),
        }
    return {"code": state_of(original), "sections": found}


def measured() -> dict[str, Any]:
    if not MEASURED.exists():
        return {"chapters": {}}
    return json.loads(MEASURED.read_text(encoding="utf-8"))


def about(seconds: float) -> str:
    """Seconds as they are worth saying: whole ones, then fives."""
    if seconds < 0.5:
        return "–"
    return f"{round(seconds) if seconds < 10 else 5 * round(seconds / 5)} s"


@dataclass
class Times:
    """All times of one chapter."""

    sections: list[Section]
    computing: dict[str, dict[str, float]]

    @property
    def minutes(self) -> int:
        """For reading, running and hearing it; exercises apart."""
        return 5 * round(sum(section.minutes for section in self.sections) / 5)

    @property
    def exercises(self) -> int:
        return 5 * round(sum(section.exercises for section in self.sections) / 5)

    def total(self, key: str) -> float:
        return sum(section[key] for section in self.computing.values())

    @property
    def cell(self) -> str:
        """What the table at a chapter's head says."""
        return (
            f"{self.minutes} minutes, exercises {self.exercises}; computing: "
            f"{about(self.total('seconds'))} on a CPU, {about(self.total('t4'))} on a T4 (estimate)"
        )

    @property
    def table(self) -> str:
        lines = [
            "<details><summary>Minutes by section</summary>",
            "",
            "| Section | Minutes | Exercises | CPU | T4 |",
            "|---|---|---|---|---|",
        ]
        for section in self.sections:
            seconds = self.computing.get(section.title, {})
            here, t4 = (about(seconds.get(key, 0)) for key in ("seconds", "t4"))
            own = [f"{minutes or '–'}" for minutes in (section.minutes, section.exercises)]
            lines.append(f"| {section.title} | {' | '.join(own)} | {here} | {t4} |")
        lines += [
            "",
            "Minutes are an estimate for a student, without the exercises beside them. CPU:",
            "computing, measured on one core. T4: the same, estimated from the number and size of",
            "operations, for tensors that lie on it; the chapter computes on the CPU, whatever the",
            "runtime.",
            "",
            "</details>",
        ]
        return "\n".join(lines)


def without_sections(head: str) -> str:
    return re.sub(rf"\n*{MINUTES}\n*", "\n\n", head, flags=re.S)


def times_of(path: Path) -> Times:
    entry = measured()["chapters"].get(path.stem, {"sections": {}})
    return Times(sections(read(path)), entry["sections"])


def headed(source: str, times: Times) -> str:
    """The first cell with its time in the table, and the minutes of sections below the table."""
    lines = without_sections(source).splitlines()
    rows = [index for index, line in enumerate(lines) if line.startswith("|")]
    assert len(rows) >= 3, "the first cell has no table of what is built, heard, taken and needed"
    names = [name.strip() for name in lines[rows[0]].strip("|").split("|")]
    values = [value.strip() for value in lines[rows[2]].strip("|").split("|")]
    values[names.index("Time")] = times.cell
    lines[rows[2]] = f"| {' | '.join(values)} |"
    lines[rows[2] + 1 : rows[2] + 1] = ["", *times.table.splitlines()]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines))


README_ROW = r"(?m)^(\| \[[^\]]*\]\(chapters/(\w+)\.ipynb\) \| .* \| )\d*( \| \[!\[Open)"
TOC_ENTRY = r"(?m)^( *)- file: chapters/(\w+)\n(?: +title: .*\n)?"


def stamped() -> dict[Path, str]:
    """Every file that says how long a chapter takes, as it should be."""
    files, minutes, titles = {}, {}, {}
    for path in chapters():
        notebook, times = read(path), times_of(path)
        head = source_of(notebook["cells"][0])
        minutes[path.stem] = times.minutes
        titles[path.stem] = head.splitlines()[0].removeprefix("# ").strip()
        notebook["cells"][0]["source"] = headed(head, times)
        files[path] = dumps(clean(notebook))

    def row(match: re.Match[str]) -> str:
        known = match[2] in minutes
        return f"{match[1]}{minutes[match[2]]}{match[3]}" if known else match[0]

    def entry(match: re.Match[str]) -> str:
        indent, stem = match[1], match[2]
        if stem not in minutes:
            return match[0]
        title = json.dumps(f"{titles[stem]} ({minutes[stem]} min)", ensure_ascii=False)
        return f"{indent}- file: chapters/{stem}\n{indent}  title: {title}\n"

    for name, pattern, written in [
        ("README.md", README_ROW, row),
        ("_toc.yml", TOC_ENTRY, entry),
    ]:
        text = (ROOT / name).read_text(encoding="utf-8")
        missing = minutes.keys() - {match[2] for match in re.finditer(pattern, text)}
        if missing:
            raise SystemExit(f"{name}: has no line with minutes for {', '.join(sorted(missing))}")
        files[ROOT / name] = re.sub(pattern, written, text)
    return files


def unmeasured(path: Path) -> bool:
    entry = measured()["chapters"].get(path.stem)
    with_code = {section.title for section in sections(read(path)) if section.cells}
    return not entry or bool(with_code - entry["sections"].keys())


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("chapter", type=Path, nargs="*", help="chapters to measure")
    parser.add_argument("--measure", action="store_true", help="run chapters, with their clocks on")
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 when stale")
    args = parser.parse_args()

    failed = False
    if args.measure:
        sys.path.append(str(ROOT / "benchmarks"))
        from machine import machine
        from nbclient.exceptions import CellExecutionError

        for path in args.chapter or chapters():
            book = measured()
            if not args.chapter and book["chapters"].get(path.stem, {}).get("code") == state_of(
                read(path)
            ):
                continue
            try:
                entry = measure(path) | {"machine": machine()}
            except CellExecutionError as error:
                print(f"{shown(path)}: raises {error.ename}: {error.evalue}", flush=True)
                failed = True
                continue
            book = measured()  # others may have been measured meanwhile
            book["chapters"] = dict(sorted((book["chapters"] | {path.stem: entry}).items()))
            MEASURED.write_text(json.dumps(book, indent=1, ensure_ascii=False) + "\n")
            times = times_of(path)
            print(f"{shown(path)}: {times.cell}", flush=True)
        return int(failed)

    for path in filter(unmeasured, chapters()):
        print(f"{shown(path)}: has sections that were not measured; run: {MEND} --measure")
        failed = True
    for path, text in stamped().items():
        if path.read_text(encoding="utf-8") != text:
            if args.check:
                print(f"{shown(path)}: its minutes are stale; run: {MEND}")
                failed = True
            else:
                path.write_text(text, encoding="utf-8")
                print(f"{shown(path)}: minutes written")
    if not failed:
        total = sum(times_of(path).minutes for path in chapters())
        print(f"{len(chapters())} chapters, {total / 60:.0f} hours; all places agree")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
