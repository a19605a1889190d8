"""Keep the chapters clean, and edit them as text.

    python tools/notebooks.py                                   mend chapters/*.ipynb in place
    python tools/notebooks.py chapters/x.ipynb                  mend one
    python tools/notebooks.py --check                           say what is wrong, change nothing
    python tools/notebooks.py to-text chapters/x.ipynb x.py     notebook to text (none: print it)
    python tools/notebooks.py from-text x.py chapters/x.ipynb   text to notebook

The text is jupytext's py:percent format. A cell starts at a `# %%` line and ends at the next:

    # %% [markdown]
    # # A title
    #
    # Prose, each line a comment. Math is written as $x^2$.

    # %% tags=["setup"]
    # %pip install -q something        (magics are commented in the text, live in the notebook)

    # %% alt="A falling line, steep at first: the loss of 300 steps."
    plt.plot(losses)                 (the text a screen reader gives for the plot in the book)

    # %% [markdown] slideshow={"slide_type": "skip"}
    # Not on the slides (tools/slide_rules.py; `notes` and `slide` are the other types)

Notebooks are stored without outputs. The id of a cell is a hash of its type and source, so the same
text always gives the same bytes and an inserted cell leaves its neighbours' lines alone.
"""

import argparse
import hashlib
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
MEND = "python tools/notebooks.py"
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
MAX_CODE_LINES, MAX_LINE = 40, 100
CELLS, WORDS = (25, 50), (1400, 2600)
# What is listened to needs fewer cells and words than what is built.
SHORTER = {"00_first_listen": ((15, 50), (900, 2600))}
# What of a cell's metadata is written in the text.
FILTER = "tags,alt,slideshow,-all"
# A table that tools/minutes.py writes.
MINUTES = r"<details><summary>Minutes by section</summary>.*?</details>"
# The whole system, with the chapter's part lit, stands before the first section is over.
DIAGRAM, DIAGRAM_BY = "diagrams.system(", 5

Notebook = dict[str, Any]


def chapters() -> list[Path]:
    return sorted((ROOT / "chapters").glob("*.ipynb"))


def shown(path: Path) -> str:
    """The path as it is named in messages: from the repository's root where it lies inside."""
    path = path.resolve()
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)


def source_of(cell: dict[str, Any]) -> str:
    source = cell["source"]
    return source if isinstance(source, str) else "".join(source)


def tags_of(cell: dict[str, Any]) -> list[str]:
    return cell.get("metadata", {}).get("tags", [])


def alt_of(cell: dict[str, Any]) -> str:
    """The description of a cell's plot: `alt` in text, and where MyST-NB looks for it else."""
    metadata = cell.get("metadata", {})
    return metadata.get("alt") or metadata.get("mystnb", {}).get("image", {}).get("alt", "")


def slide_type_of(cell: dict[str, Any]) -> str:
    """What tools/slide_rules.py is told about a cell: skip, notes or slide; mostly nothing."""
    kind = cell.get("metadata", {}).get("slideshow", {}).get("slide_type", "")
    return "" if kind == "-" else kind


def clean(notebook: Notebook) -> Notebook:
    """The notebook with nothing in it but what an author wrote: sources, tags, descriptions."""
    cells, seen = [], set()
    for cell in notebook["cells"]:
        kind, source = cell["cell_type"], source_of(cell).strip("\n")
        # Equal cells need different ids, so the hash is salted with the number of tries.
        tries, name = 0, ""
        while not name or name in seen:
            name = hashlib.sha256(f"{tries}{kind}{source}".encode()).hexdigest()[:12]
            tries += 1
        seen.add(name)
        metadata: dict[str, Any] = {}
        if tags_of(cell):
            metadata["tags"] = tags_of(cell)
        if alt_of(cell):
            metadata["mystnb"] = {"image": {"alt": alt_of(cell)}}
        if slide_type_of(cell):
            metadata["slideshow"] = {"slide_type": slide_type_of(cell)}
        tidy: dict[str, Any] = {"cell_type": kind, "id": name, "metadata": metadata}
        tidy["source"] = source.splitlines(keepends=True)
        if kind == "code":
            tidy |= {"execution_count": None, "outputs": []}
        cells.append(tidy)
    return {"cells": cells, "metadata": METADATA, "nbformat": 4, "nbformat_minor": 5}


def read(path: Path) -> Notebook:
    return json.loads(path.read_text(encoding="utf-8"))


def dumps(notebook: Notebook) -> str:
    """The one way in which this project writes a notebook, so that diffs show edits alone."""
    return json.dumps(notebook, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def write(path: Path, notebook: Notebook) -> None:
    path.write_text(dumps(notebook), encoding="utf-8")


def lesson(notebook: Notebook) -> list[dict[str, Any]]:
    """The cells before the exercises, without the checks among them."""
    cells: list[dict[str, Any]] = []
    for cell in notebook["cells"]:
        before, heading, _ = f"\n{source_of(cell)}".partition("\n## Exercises\n")
        if heading and cell["cell_type"] == "markdown":
            return [*cells, {**cell, "source": before}] if before.strip() else cells
        if "check" not in tags_of(cell):
            cells.append(cell)
    return cells


def words(notebook: Notebook) -> int:
    """Words of prose in a lesson; the minutes at its head are written by a tool."""
    markdown = "\n".join(source_of(c) for c in lesson(notebook) if c["cell_type"] == "markdown")
    return count_words(re.sub(MINUTES, " ", markdown, flags=re.S))


def count_words(markdown: str) -> int:
    """Words without links' addresses, HTML tags and formulas."""
    no_prose = r"\$\$.*?\$\$|\$[^$\n]+\$|```.*?```|<[^>]+>"
    no_prose += r'|\]\([^\s)]*(?:\s+"[^"]*")?\)'  # a link's address and title
    return len(re.findall(r"[^\W\d_][\w'’-]*", re.sub(no_prose, " ", markdown, flags=re.S)))


def problems_of_cell(cell: dict[str, Any]) -> Iterator[str]:
    source = source_of(cell)
    if cell["cell_type"] == "code":
        lines = sum(bool(line.strip()) for line in source.splitlines())
        if lines > MAX_CODE_LINES:
            yield f"has {lines} lines of code; split it, {MAX_CODE_LINES} are the most"
        for line in source.splitlines():
            if len(line) > MAX_LINE and not line.lstrip().startswith(("%", "!")):
                yield f"has a line of {len(line)} characters; {MAX_LINE} are the most: {line[:40]}…"
        return
    if re.search(r"^\s*(`{3,}|:{3,})\{", source, flags=re.M):
        yield "holds a MyST directive, which Colab shows raw; use plain Markdown"
    if re.search(r"!\[\s*\]\(", source):
        yield "shows an image without alt text; write it between the brackets of ![…]"
    for image in re.findall(r"<img\b[^>]*>", source):
        if not re.search(r"\balt\s*=\s*[\"'][^\"']", image):
            yield 'shows an <img> without alt text; add alt="…"'


def check(path: Path) -> list[str]:
    """What must be mended in this notebook."""
    notebook, found = read(path), []
    if path.read_text(encoding="utf-8") != dumps(clean(notebook)):
        found.append(f"is not in its stored form (outputs, ids or layout); run: {MEND}")
    for number, cell in enumerate(notebook["cells"]):
        found += [f"cell {number} {problem}" for problem in problems_of_cell(cell)]

    cells, prose = SHORTER.get(path.stem, (CELLS, WORDS))
    for number, what, (least, most) in [
        (len(lesson(notebook)), "cells", cells),
        (words(notebook), "words of prose", prose),
    ]:
        if not least <= number <= most:
            found.append(f"has {number} {what} before its exercises, not {least} to {most}")
    if not any(DIAGRAM in source_of(cell) for cell in notebook["cells"][:DIAGRAM_BY]):
        found.append(f"does not show its place in the system; call {DIAGRAM}…) after the imports")
    return found


def to_text(notebook: Path) -> str:
    import jupytext

    source = jupytext.read(notebook)
    for cell in source.cells:
        if alt_of(cell):
            cell.metadata["alt"] = alt_of(cell)
    source.metadata = {
        "jupytext": {"notebook_metadata_filter": "-all", "cell_metadata_filter": FILTER}
    }
    return jupytext.writes(source, fmt="py:percent")


def from_text(text: str) -> Notebook:
    import jupytext

    return clean(jupytext.reads(text, fmt="py:percent"))


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 if not clean")
    parser.add_argument("words", nargs="*", metavar="to-text | from-text | CHAPTER")
    args = parser.parse_args()

    command, paths = args.words[0] if args.words else "", [Path(word) for word in args.words]
    if command == "to-text" and len(paths) in (2, 3):
        text = to_text(paths[1])
        if len(paths) == 2:
            sys.stdout.write(text)
        else:
            paths[2].write_text(text, encoding="utf-8")
        return 0
    if command == "from-text" and len(paths) == 3:
        write(paths[2], from_text(paths[1].read_text(encoding="utf-8")))
        return 0
    if any(not path.is_file() for path in paths):
        parser.error("name chapters, or to-text or from-text with a source and a target")

    failed = False
    for path in paths or chapters():
        if not args.check:
            write(path, clean(read(path)))
        found = check(path)
        for problem in found:
            print(f"{shown(path)}: {problem}")
        failed |= bool(found)
    if not failed:
        print(f"{len(paths or chapters())} chapters are clean")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
