"""Every chapter begins with the whole system, its own part in colour; no diagram is left unused."""

import ast
import inspect
import re

import pytest
from notebooks import chapters, from_text, source_of, to_text

from minicodec import diagrams

CHAPTERS = chapters()
SMALL = {name for name, _ in inspect.getmembers(diagrams, inspect.isfunction)} - {"system"}


def code_cells(path) -> list[dict]:
    cells = from_text(to_text(path))["cells"]
    return [cell for cell in cells if cell["cell_type"] == "code"]


def tags(cell) -> list[str]:
    return cell["metadata"].get("tags", [])


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_a_chapter_begins_with_the_whole_system(path):
    """Right behind the imports, in a cell of its own whose code is folded away."""
    cells = [cell for cell in code_cells(path) if "setup" not in tags(cell)]
    imports, first = map(source_of, cells[:2])
    assert "diagrams" in re.search(r"from minicodec import (\([^)]*\)|[^\n]*)", imports)[1]
    assert "hide-input" in tags(cells[1])
    (statement,) = ast.parse(first).body
    call = statement.value
    assert ast.unparse(call.func) == "diagrams.system"
    diagrams.system(*(ast.literal_eval(part) for part in call.args))
    others = [source_of(cell) for cell in cells[2:]]
    assert not any("diagrams.system(" in source for source in others)


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_diagrams_stand_in_cells_of_their_own(path):
    for cell in code_cells(path):
        called = re.findall(r"\bdiagrams\.(\w+)\(", source_of(cell))
        assert set(called) <= {"system", *SMALL}
        if called:
            assert "hide-input" in tags(cell) and len(ast.parse(source_of(cell)).body) == 1


def test_every_diagram_is_shown_somewhere():
    sources = "\n".join(source_of(cell) for path in CHAPTERS for cell in code_cells(path))
    shown = set(re.findall(r"\bdiagrams\.(\w+)\(", sources))
    assert SMALL - shown == set()
