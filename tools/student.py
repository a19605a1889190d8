"""Make the student edition: chapters with gaps, without solutions.

    python tools/student.py             into _build/student: `make student`
    python tools/student.py FOLDER      elsewhere

The chapters of the repository are the instructor's edition. What stands between
`### BEGIN SOLUTION` and `### END SOLUTION` becomes a gap: inside a function it raises
NotImplementedError with the task in words, elsewhere it is a comment, so that "Run all" runs
through. Cells tagged `solution` or `instructor` are left out. The pages that chapters link to come
along, and the badges open the notebooks of the branch `student`, to which the edition is published.
"""

import argparse
import ast
import re
import shutil
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from notebooks import ROOT, Notebook, chapters, clean, dumps, read, source_of, tags_of
from stamp import COLAB, address

from minicodec.exercises.exercise import Exercise, find

BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
LEFT_OUT = {"solution", "instructor"}
BRANCH = "student"
TARGET = ROOT / "_build" / "student"
WIDTH = 88
REGION = re.compile(rf"(?ms)^( *){BEGIN}\n(.*?)^ *{END}(?:\n|\Z)")
CHECK = re.compile(r'exercises\.check\(\s*"([^"]+)"')
README = """\
# minicodec: student edition

The chapters with gaps to fill. Each gap says its task; the cell below checks what you wrote, and
tells you what is wrong with it. A gap that you leave open stops nothing: later cells use the
package's own.

{rows}

Made from [minicodec]({url}) {version}, where the book and its solutions are. To run the chapters on
your own machine: `pip install "minicodec[book] @ git+{url}@{branch}"`, then `jupyter lab` in the
folder `chapters`.
"""


@dataclass
class Gap:
    """One region of a cell, and the exercise that it belongs to."""

    exercise: Exercise
    indent: str
    lines: str
    inside: bool  #: of a function


def names_of_checks(cells: list[dict[str, Any]]) -> Iterator[str]:
    """For each cell: the exercise that the next check asks for; "" after the last one."""
    ahead = ""
    names = []
    for cell in reversed(cells):
        found = CHECK.findall(source_of(cell)) if cell["cell_type"] == "code" else []
        ahead = found[0] if found else ahead
        names.append(ahead)
    return reversed(names)


def gap_of(source: str, name: str) -> Gap | None:
    """The region of a cell, if it has one.

    Raises:
        ValueError: if the cell has more than one, one that does not close, or one that is neither
            at top level nor inside a function.
    """
    regions = list(REGION.finditer(source))
    if len(regions) != source.count(BEGIN) or len(regions) != source.count(END):
        raise ValueError(f"{name}: a region between {BEGIN} and {END} is not closed.")
    if not regions:
        return None
    if len(regions) > 1:
        raise ValueError(f"{name}: more than one region in a cell.")
    region = regions[0]
    line = source[: region.start()].count("\n") + 1
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    inside = any(
        isinstance(node, functions) and node.lineno < line <= (node.end_lineno or 0)
        for node in ast.walk(ast.parse(re.sub(r"(?m)^(\s*)[%!]", r"\1# ", source)))
    )
    if region[1] and not inside:
        raise ValueError(f"{name}: its region is indented, but in no function.")
    return Gap(find(name), region[1], region[2], inside)


def with_gap(source: str, gap: Gap) -> str:
    """The cell as a student gets it."""
    exercise = gap.exercise
    importance = "core" if exercise.core else "optional"
    about = f"# {exercise.name} · {importance} · {exercise.minutes} minutes"
    room = WIDTH - len(gap.indent) - 4
    if gap.inside:
        pieces = textwrap.wrap(exercise.task, room - 4, drop_whitespace=False)
        literals = [repr(piece) for piece in pieces]
        lines = [about, "raise NotImplementedError(", *(f"    {p}" for p in literals), ")"]
        if len(literals) == 1 and len(literals[0]) + 27 <= room:
            lines = [about, f"raise NotImplementedError({literals[0]})"]
    else:
        lines = [about, *(f"# {piece}" for piece in textwrap.wrap(exercise.task, room))]
    stub = "\n".join(gap.indent + line for line in lines) + "\n"
    return REGION.sub(lambda _: stub, source).rstrip("\n")


def student_notebook(notebook: Notebook, url: str, branch: str) -> Notebook:
    """The chapter as a student gets it."""
    cells = [cell for cell in notebook["cells"] if not LEFT_OUT & set(tags_of(cell))]
    found = []
    for cell, name in zip(cells, names_of_checks(cells)):
        source = repointed(source_of(cell), url, branch)
        tags = tags_of(cell)
        if cell["cell_type"] == "code" and (gap := gap_of(source, name)):
            source = with_gap(source, gap)
            tags = [tag for tag in tags if tag != "hide-input"]  # there is something to do
        metadata = {**cell["metadata"], "tags": tags} if tags else cell["metadata"]
        found.append({**cell, "source": source, "metadata": metadata})
    return clean({**notebook, "cells": found})


def repointed(text: str, url: str, branch: str) -> str:
    """Badges open the edition's own notebooks."""
    here = f"{COLAB}/github/{url.removeprefix('https://github.com/')}/blob/"
    return text.replace(f"{here}{branch}/chapters/", f"{here}{BRANCH}/chapters/")


def make(target: Path) -> list[Path]:
    """Write the edition; the paths of its notebooks.

    Raises:
        ValueError: if the target is a folder that this tool has not made.
    """
    mark = target / ".student-edition"
    if target.exists() and not mark.exists() and any(target.iterdir()):
        raise ValueError(f"{target} is there and no student edition; name another folder.")
    shutil.rmtree(target, ignore_errors=True)
    (target / "chapters").mkdir(parents=True)
    mark.touch()
    url, branch = address()
    made, rows = [], ["| Chapter | |", "|---|---|"]
    for path in chapters():
        made.append(target / "chapters" / path.name)
        notebook = student_notebook(read(path), url, branch)
        made[-1].write_text(dumps(notebook), encoding="utf-8")
        title, badge = source_of(notebook["cells"][0]).splitlines()[:3:2]
        rows.append(f"| [{title.strip('# ')}](chapters/{path.name}) | {badge} |")
    # Chapters link to these.
    (target / "book").mkdir()
    for page in sorted((ROOT / "book").glob("*.md")):
        if not page.name.startswith("instructors"):
            text = page.read_text(encoding="utf-8")
            (target / "book" / page.name).write_text(repointed(text, url, branch), encoding="utf-8")
    shutil.copy(ROOT / "LICENSE", target)
    import minicodec

    text = README.format(
        rows="\n".join(rows).replace("(../book", "(book"),
        url=url, branch=branch, version=minicodec.__version__,
    )  # fmt: skip
    (target / "README.md").write_text(text, encoding="utf-8")
    return made


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", nargs="?", type=Path, default=TARGET)
    args = parser.parse_args()
    try:
        made = make(args.folder)
    except (OSError, ValueError) as error:
        print(error)
        return 1
    gaps = sum(len(REGION.findall(source_of(c))) for p in chapters() for c in read(p)["cells"])
    print(f"{len(made)} chapters with {gaps} gaps are in {args.folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
