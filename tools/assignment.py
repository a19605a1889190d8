"""Make an nbgrader assignment of a chapter: `make assignment CHAPTER=05`.

    python tools/assignment.py 05 14                 in the course folder _build/course
    python tools/assignment.py 05 --course FOLDER    in your own

Writes `source/ch05` and, the first time, an `nbgrader_config.py`, and has nbgrader generate
`release/ch05`, which students get. Afterwards, in the course folder, as with any assignment:

    nbgrader zip_collect ch05        # or collect, where there is an exchange
    nbgrader autograde ch05
    nbgrader generate_feedback ch05

Each answer is a solution cell and each check a test worth the points of its exercise; optional
exercises are checked, too, but are worth none. What a check binds again stands in a cell of its
own, so that a wrong answer costs its own points only.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from notebooks import ROOT, Notebook, chapters, clean, dumps, read, source_of, tags_of
from student import CHECK, LEFT_OUT, gap_of, names_of_checks

from minicodec.exercises.exercise import Exercise, find

TARGET = ROOT / "_build" / "course"
CONFIG = '''\
"""Written once by minicodec's tools/assignment.py; change what you like."""

c = get_config()  # noqa: F821
c.CourseDirectory.course_id = "minicodec"
# Submissions from a learning platform: ch05_ada_attempt_2026-11-27-12-00-00_05_vector….ipynb
c.FileNameCollectorPlugin.named_regexp = (
    r".*?_(?P<student_id>[\\w.-]+?)_attempt_(?P<timestamp>[0-9-]+)_(?P<file_id>.+)"
)
# Cells do long work on a busy machine.
c.ExecutePreprocessor.timeout = 900
'''


def marked(cell: dict[str, Any], source: str, grade_id: str, **kind: Any) -> dict[str, Any]:
    """The cell with what nbgrader reads in its metadata."""
    told = {
        "schema_version": 3, "grade_id": grade_id.replace(".", "-"),
        "grade": False, "solution": False, "locked": False, "task": False, **kind,
    }  # fmt: skip
    return {**cell, "source": source, "metadata": {**cell["metadata"], "nbgrader": told}}


def answer_cell(cell: dict[str, Any], exercise: Exercise) -> dict[str, Any]:
    """A solution, with its task above the region that nbgrader will empty."""
    gap = gap_of(source_of(cell), exercise.name)
    assert gap is not None
    task = f"{gap.indent}# {exercise.name}: {exercise.task}\n"
    before, region = source_of(cell).split(f"{gap.indent}### BEGIN SOLUTION", 1)
    # Jupyter runs on after a cell with this tag, although its gap raises.
    tags = sorted({*tags_of(cell), "raises-exception"} - {"hide-input"})
    cell = {**cell, "metadata": {"tags": tags}}
    source = f"{before}{task}{gap.indent}### BEGIN SOLUTION{region}"
    return marked(cell, source, f"{exercise.name}-answer", solution=True)


def check_cells(cell: dict[str, Any]) -> list[dict[str, Any]]:
    """One test for each check, and what else the cell does in a cell that cannot fail with it."""
    cells, rest = [], source_of(cell)
    calls = [line for line in rest.splitlines() if CHECK.search(line)]
    for line in calls:
        exercise = find(CHECK.findall(line)[0])
        points = exercise.points if exercise.core else 0
        source = line.replace("exercises.check(", "exercises.grade(")
        cells.append(
            marked(cell, source, f"{exercise.name}-check", grade=True, locked=True, points=points)
        )
        rest = rest.replace(f"{line}\n", "").replace(line, "")
    if rest.strip():
        name = CHECK.findall(calls[0])[0] if calls else "other"
        cells.append(marked(cell, rest.strip("\n"), f"{name}-after", locked=True))
    return cells


def assignment(notebook: Notebook) -> Notebook:
    """The chapter as nbgrader's source.

    Raises:
        ValueError: if a cell with a region is followed by no check.
    """
    cells = [cell for cell in clean(notebook)["cells"] if not LEFT_OUT & set(tags_of(cell))]
    found: list[dict[str, Any]] = []
    for cell, name in zip(cells, names_of_checks(cells)):
        code = cell["cell_type"] == "code"
        if code and gap_of(source_of(cell), name):
            found.append(answer_cell(cell, find(name)))
        elif code and CHECK.search(source_of(cell)):
            found += check_cells(cell)
        else:
            found.append(cell)
    for number, cell in enumerate(found):
        cell["id"] = f"cell-{number:03}"
    return {**clean(notebook), "cells": found}


def chapter_of(number: str) -> Path:
    """The notebook of a chapter.

    Raises:
        ValueError: if there is no such chapter.
    """
    numbers = {path.stem.partition("_")[0]: path for path in chapters()}
    if number not in numbers:
        raise ValueError(f"there is no chapter {number!r}; there are {', '.join(numbers)}.")
    return numbers[number]


def make(number: str, course: Path) -> Path:
    """Write the source of one assignment; its notebook's path."""
    path = chapter_of(number)
    config = course / "nbgrader_config.py"
    target = course / "source" / f"ch{number}" / path.name
    target.parent.mkdir(parents=True, exist_ok=True)
    if not config.exists():
        config.write_text(CONFIG, encoding="utf-8")
    target.write_text(dumps(assignment(read(path))), encoding="utf-8")
    return target


def nbgrader(course: Path, *command: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run nbgrader in a course folder, with this environment's programs: it calls alembic."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    options["env"] = {**os.environ, **options.get("env", {}), "PATH": path}
    call = [sys.executable, "-m", "nbgrader", *command]
    return subprocess.run(call, cwd=course, text=True, **options)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("chapters", nargs="+", metavar="CHAPTER", help="such as 05")
    parser.add_argument("--course", type=Path, default=TARGET, help="default: _build/course")
    args = parser.parse_args()
    try:
        made = [make(number, args.course) for number in args.chapters]
    except (OSError, ValueError) as error:
        print(error)
        return 1
    for path in made:
        name = path.parent.name
        if nbgrader(args.course, "generate_assignment", name, "--force").returncode:
            return 1
        graded = [
            c["metadata"]["nbgrader"] for c in read(path)["cells"] if "nbgrader" in c["metadata"]
        ]
        points = sum(told.get("points", 0) for told in graded)
        print(f"{args.course}/release/{name}: {sum(t['solution'] for t in graded)} answers, "
              f"{sum(t['grade'] for t in graded)} checks, {points} points")  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())
