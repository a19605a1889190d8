"""The student edition: gaps where solutions were, nothing leaked, and the way back."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from notebooks import chapters, clean, read, source_of, tags_of
from stamp import address
from student import (
    BEGIN,
    END,
    LEFT_OUT,
    REGION,
    gap_of,
    make,
    names_of_checks,
    student_notebook,
)

from minicodec.exercises.exercise import find

ROOT = Path(__file__).resolve().parents[2]
SHORT = 25  # characters: what is shorter may stand in a chapter for other reasons


@pytest.fixture(scope="module")
def edition(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("edition")
    make(folder)
    return folder


def cell(source: str, kind: str = "code", *tags: str) -> dict:
    return {"cell_type": kind, "source": source, "metadata": {"tags": list(tags)} if tags else {}}


def made(*cells: dict) -> list[dict]:
    return student_notebook({"cells": list(cells)}, *address())["cells"]


def regions(notebook: dict) -> list[str]:
    """What students are to find out: all regions, and all cells that are left out."""
    hidden = []
    for cell in notebook["cells"]:
        source = source_of(cell)
        hidden += [region[2] for region in REGION.finditer(source)]
        if LEFT_OUT & set(tags_of(cell)):
            hidden.append(source)
    return hidden


FUNCTION = f"""\
def my_nearest(z, embedding):
    \"\"\"z: [frames, D]\"\"\"
    {BEGIN}
    secret = z @ embedding.T
    return secret.argmax(1)
    {END}"""
VALUE = f"""\
bits = None  # your answer
{BEGIN}
bits = 75 * 10
{END}"""
CHECK = cell('exercises.check("05.nearest_code", my_nearest)', "code", "check")


def test_a_gap_in_a_function_raises_and_says_the_task():
    (stub, _) = made(cell(FUNCTION, "code", "exercise", "hide-input"), CHECK)
    source, task = source_of(stub), find("05.nearest_code").task
    assert source.startswith('def my_nearest(z, embedding):\n    """z: [frames, D]"""\n')
    assert "    # 05.nearest_code · core · " in source and "secret" not in source
    scope: dict = {}
    exec(source, scope)
    with pytest.raises(NotImplementedError) as error:
        scope["my_nearest"](1, 2)
    assert str(error.value) == task
    assert tags_of(stub) == ["exercise"]


def test_a_gap_at_top_level_is_a_comment_and_stops_nothing():
    (stub, _) = made(
        cell(VALUE, "code", "exercise"), cell('exercises.check("05.bits_per_second", bits)')
    )
    scope: dict = {}
    exec(source_of(stub), scope)
    assert (
        scope["bits"] is None and "750" not in source_of(stub) and "75 * 10" not in source_of(stub)
    )
    words = " ".join(line.lstrip("# ") for line in source_of(stub).splitlines()[2:])
    assert words == find("05.bits_per_second").task


def test_left_out_cells_are_gone():
    kept = made(
        cell("a", "markdown"), cell("b", "markdown", "solution"), cell("c", "code", "instructor")
    )
    assert [source_of(c) for c in kept] == ["a"]


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (f"{BEGIN}\nx = 1", "is not closed"),
        (f"x = 1\n{END}", "is not closed"),
        (f"{VALUE}\n{VALUE}", "more than one region"),
        (f"if True:\n    {BEGIN}\n    x = 1\n    {END}", "in no function"),
    ],
)
def test_a_cell_that_cannot_be_cut_is_named(source, said):
    with pytest.raises(ValueError, match=f"05.nearest_code: .*{said}"):
        made(cell(source, "code", "exercise"), CHECK)


def test_a_region_that_no_check_asks_for_is_refused():
    with pytest.raises(ValueError, match="there is no exercise ''"):
        made(cell(VALUE, "code", "exercise"))


def test_the_edition_has_every_chapter_and_what_they_link_to(edition):
    names = sorted(path.name for path in (edition / "chapters").iterdir())
    assert names == [path.name for path in chapters()]
    for path in (edition / "chapters").iterdir():
        text = path.read_text(encoding="utf-8")
        for link in set(re.findall(r"\]\((\.\./book/[^)#\s]+\.md)|\]\((\w+\.ipynb)", text)):
            assert (path.parent / "".join(link)).is_file(), f"{path.name} links to {link}"


def test_nothing_leaks_into_any_file(edition):
    """No solution stands anywhere, whole or by its longer lines, unless the lesson shows them."""
    texts = {
        path: path.read_text(encoding="utf-8", errors="replace")
        for path in edition.rglob("*")
        if path.is_file()
    }
    everything = "\n".join(texts.values())
    for word in ("BEGIN SOLUTION", "END SOLUTION", "BEGIN HIDDEN", "Worked answer", '"solution"'):
        assert word not in everything
    for path in chapters():
        notebook = read(path)
        shown = "\n".join(
            REGION.sub("", source_of(c))
            for c in notebook["cells"]
            if not LEFT_OUT & set(tags_of(c))
        )
        mine = json.loads((edition / "chapters" / path.name).read_text(encoding="utf-8"))
        theirs = "\n".join(source_of(c) for c in mine["cells"])
        for hidden in regions(notebook):
            assert hidden.strip() and hidden not in theirs
            for line in hidden.splitlines():
                if len(line.strip()) > SHORT and line.strip() not in shown:
                    assert line.strip() not in theirs, f"{path.name}: {line}"


def test_the_edition_is_clean(edition):
    for path in (edition / "chapters").iterdir():
        notebook = read(path)
        assert notebook == clean(notebook), path.name
        for found in notebook["cells"]:
            assert not found.get("outputs") and set(found["metadata"]) <= {
                "tags",
                "mystnb",
                "slideshow",
            }


def test_badges_open_the_edition(edition):
    url, branch = address()
    for path in [*(edition / "chapters").iterdir(), *edition.rglob("*.md")]:
        text = path.read_text(encoding="utf-8")
        assert f"/blob/{branch}/chapters/" not in text, path.name
        if path.suffix == ".ipynb":
            assert f"/blob/student/chapters/{path.name}" in text


@pytest.mark.parametrize("path", chapters(), ids=lambda path: path.stem)
def test_solutions_put_back_give_the_instructors_chapter(path):
    """Then every check passes: the instructor's chapters are run, and their checks read."""
    notebook = read(path)
    cells = [c for c in notebook["cells"] if not LEFT_OUT & set(tags_of(c))]
    stubs = student_notebook(notebook, *address())["cells"]
    assert len(stubs) == len(cells)
    for whole, stub, name in zip(cells, stubs, names_of_checks(cells)):
        gap = gap_of(source_of(whole), name) if whole["cell_type"] == "code" else None
        if not gap:
            same = source_of(stub).replace("/blob/student/", f"/blob/{address()[1]}/")
            assert same == source_of(whole).rstrip("\n")
            continue
        start = source_of(stub).index(f"{gap.indent}# {name} · ")
        # Behind the region a cell goes on as it did.
        rest = REGION.split(source_of(whole))[-1]
        end = len(source_of(stub)) - len(rest.rstrip("\n"))
        back = source_of(stub)[:start] + gap.lines + source_of(stub)[end:]
        assert back.strip() == REGION.sub(lambda r: r[2], source_of(whole)).strip()


def test_a_strange_folder_is_not_emptied(tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    tool = subprocess.run(
        [sys.executable, "tools/student.py", str(tmp_path)],
        cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    assert tool.returncode == 1 and "no student edition" in tool.stdout
    assert (tmp_path / "thesis.txt").read_text() == "mine"
