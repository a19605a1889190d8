"""See that every check passes in the chapters, and that no gap stops the student edition.

    python tools/check_exercises.py             both; `make book` has run the chapters
    python tools/check_exercises.py --table     only print what exercises there are

The instructor's edition: its outputs, as the book has just run them, praise every answer. The
student edition is made and run with all its gaps: each cell has to run through, and each check has
to say that nothing is written yet.
"""

import argparse
import os
import re
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from notebooks import chapters, read, source_of
from promises import executed_by_book
from student import CHECK, make

from minicodec.exercises.exercise import of_chapter

HANGS = 900  # seconds for one cell, on the busiest machine


def said(cell: dict[str, Any]) -> str:
    """What a cell printed."""
    return "".join(out.get("text", "") for out in cell.get("outputs", []))


def verdicts(cells: list[dict[str, Any]]) -> dict[str, str]:
    """For each exercise that is checked, the line that its check printed; "" for none."""
    found = {}
    for cell in cells:
        for name in CHECK.findall(source_of(cell)) if cell["cell_type"] == "code" else []:
            line = re.search(rf"(?m)^[✓✗…] {re.escape(name)}: .*$", said(cell))
            found[name] = line[0] if line else ""
    return found


def wrong_in_book() -> list[str]:
    """Checks of the chapters that do not praise, in the outputs that the book shows."""
    found = []
    for path in chapters():
        notebook = executed_by_book(path)
        if notebook is None:
            found.append(f"{path.name} has not been run; run: make chapters")
            continue
        found += [
            f"{path.name}: {line or name + ' printed nothing'}"
            for name, line in verdicts(notebook["cells"]).items()
            if not line.startswith("✓")
        ]
    return found


def wrong_in_gaps(path: Path) -> tuple[list[str], float]:
    """What stops a chapter of the student edition, and the seconds that it ran."""
    notebook = nbformat.read(path, as_version=4)
    began = time.monotonic()
    client = NotebookClient(
        notebook,
        timeout=HANGS,
        kernel_name="python3",
        resources={"metadata": {"path": path.parent}},
    )
    try:
        client.execute()
    except CellExecutionError as error:
        return [f"{path.name}: {str(error).strip().splitlines()[-1]}"], time.monotonic() - began
    found = [
        f"{path.name}: {line or name + ' printed nothing'}"
        for name, line in verdicts(notebook.cells).items()
        if line != f"… {name}: not written yet."
    ]
    return found, time.monotonic() - began


def table() -> str:
    """Exercises, checks and known wrong answers of every chapter."""
    rows = ["chapter                            on paper  in code  by ear  wrong answers  minutes"]
    total = [0] * 5
    for path in chapters():
        exercises = of_chapter(path.stem.partition("_")[0])
        kinds = [sum(e.kind == kind for e in exercises) for kind in ("paper", "code", "ear")]
        numbers = [
            *kinds,
            sum(len(e.mistakes) for e in exercises),
            sum(e.minutes for e in exercises),
        ]
        total = [a + b for a, b in zip(total, numbers)]
        rows.append("{:36}{:7}{:9}{:8}{:15}{:9}".format(path.stem, *numbers))
    return "\n".join([*rows, "{:36}{:7}{:9}{:8}{:15}{:9}".format("all", *total)])


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--table", action="store_true", help="run nothing")
    args = parser.parse_args()
    print(table())
    if args.table:
        return 0

    found = wrong_in_book()
    checks = sum(len(verdicts(read(path)["cells"])) for path in chapters())
    # Kernels take these over: what is checked here is no student's progress.
    os.environ |= {"MINICODEC_PROGRESS": "", "OMP_NUM_THREADS": "1"}
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(2) as pool:
        made = make(Path(folder))
        for path, (wrong, seconds) in zip(made, pool.map(wrong_in_gaps, made)):
            print(f"{path.stem:36}{seconds:7.0f} s with gaps{''.join('  ' + w for w in wrong)}")
            found += wrong
    print(*found, sep="\n")
    if not found:
        print(f"{checks} checks pass in the chapters, and no gap stops the student edition")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
