"""Save what the official packages give in the chapters, for machines where they do not import.

    python tools/official_results.py            run the cells that ask them, save all results
    python tools/official_results.py 02 05      those of two chapters
    python tools/official_results.py --run      run them as a chapter does, save nothing
    python tools/official_results.py --check    exit 1 and name each result that is stale

Such a cell calls `official.run(name, function)` (`minicodec.sound.official`). Before it, only those
lines of its chapter run that make what it uses. A result is stale when the function's text is not
the one that gave it.
"""

import argparse
import ast
import json
import re
import runpy
import symtable
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from notebooks import ROOT, chapters, read, source_of, tags_of

from minicodec.sound import official

MEND = "python tools/official_results.py"


def code_of(path: Path) -> list[str]:
    """Code cells of a chapter but its set-up, with lines for the notebook alone taken out."""
    return [
        re.sub(r"(?m)^(\s*)[%!].*", r"\1pass", source_of(cell))
        for cell in read(path)["cells"]
        if cell["cell_type"] == "code" and "setup" not in tags_of(cell)
    ]


def asked(source: str) -> dict[str, str]:
    """Names of results that a cell asks for, each with the text of its function."""
    tree = ast.parse(source)
    functions = {n.name: n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)}
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "official.run":
            name, function = node.args[:2]
            assert isinstance(name, ast.Constant) and isinstance(function, ast.Name)
            text = ast.get_source_segment(source, functions[function.id], padded=True)
            found[str(name.value)] = text or ""
    return found


def names(source: str) -> tuple[set[str], set[str]]:
    """Global names that a cell makes, and those that it uses, in functions too."""
    top = symtable.symtable(source, "cell", "exec")
    made = {s.get_name() for s in top.get_symbols() if s.is_assigned() or s.is_imported()}
    used = {s.get_name() for s in top.get_symbols() if s.is_referenced()}
    inner = list(top.get_children())
    while inner:
        scope = inner.pop()
        used |= {s.get_name() for s in scope.get_symbols() if s.is_global()}
        inner += scope.get_children()
    return made, used


def statements(source: str) -> list[str]:
    """The text of each statement of a cell."""
    lines = source.splitlines()
    return ["\n".join(lines[n.lineno - 1 : n.end_lineno]) for n in ast.parse(source).body]


def needed(cells: list[str], index: int) -> str:
    """The cell, and before it those statements that make what it uses, or set torch up."""
    made, used = names(cells[index])
    wanted, chosen = used - made, [cells[index]]
    for statement in reversed([one for cell in cells[:index] for one in statements(cell)]):
        made, used = names(statement)
        if made & wanted or re.match(r"torch\.[\w.]+\(", statement):
            chosen.append(statement)
            wanted = (wanted - made) | used
    return "\n".join(chosen[::-1])


def official_cells(only: list[str]) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Of each cell that asks: its chapter, the code to run, and what it asks for."""
    for path in chapters():
        if only and path.stem.partition("_")[0] not in only:
            continue
        cells = code_of(path)
        for index, cell in enumerate(cells):
            if "official.run(" in cell:
                yield path.stem, needed(cells, index), asked(cell)


def run_code(chapter: str, source: str) -> None:
    """Run what came out of a chapter, as a notebook does; what it shows is not drawn."""
    import matplotlib

    matplotlib.use("Agg")
    # A file, so that a function finds its own text, as it does in a notebook.
    with tempfile.TemporaryDirectory() as folder, torch.enable_grad():  # some turn it off for good
        file = Path(folder) / f"{chapter}.py"
        file.write_text(source, encoding="utf-8")
        runpy.run_path(str(file), {"display": print}, "__main__")


def stale(results: dict[str, Any]) -> list[str]:
    """What is wrong with the saved results, a line each."""
    wanted = {name: text for _, _, found in official_cells([]) for name, text in found.items()}
    complaints = [
        f"{name}: is saved, but no chapter asks for it" for name in results.keys() - wanted
    ]
    for name, text in wanted.items():
        if name not in results:
            complaints.append(f"{name}: is not saved")
        elif results[name]["source"] != official.fingerprint(text):
            complaints.append(f"{name}: its function has changed since it was saved")
    return sorted(complaints)


def record(only: list[str]) -> dict[str, Any]:
    """Run what the chapters ask, live, and give the results as they are saved."""
    sys.path.append(str(ROOT / "benchmarks"))
    from machine import machine

    facts = machine("encodec", "torchaudio")
    made = {key: facts[key] for key in ("date", "cpu", "encodec", "torch", "torchaudio")}
    results: dict[str, Any] = {}

    def taken(name: str, function: Any, package: str = "encodec") -> Any:
        error = official.why_not(package)
        if error:
            raise SystemExit(f"{package} does not import here ({error}): nothing is saved.")
        value = official.live(name, function)
        results[name] = {
            "source": official.fingerprint(official.source_of(function)),
            "made": made,
            "value": value,
        }
        return value

    run, official.run = official.run, taken
    try:
        for chapter, code, found in official_cells(only):
            run_code(chapter, code)
            print(f"saved: {', '.join(found)}")
    finally:
        official.run = run
    return results


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 when stale")
    parser.add_argument("--run", action="store_true", help="run the cells, save nothing")
    parser.add_argument("chapters", nargs="*", metavar="NN", help="all of them if none is named")
    args = parser.parse_args()

    path = official.RESULTS
    results = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    if args.run:
        for chapter, code, found in official_cells(args.chapters):
            print(f"== {chapter}: {', '.join(found)}")
            run_code(chapter, code)
        return 0
    if not args.check:
        new = record(args.chapters)
        kept = {name: value for name, value in results.items() if args.chapters}
        results = dict(sorted({**kept, **new}.items()))
        lines = (f"{json.dumps(name)}: {json.dumps(value)}" for name, value in results.items())
        path.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
    complaints = stale(results)
    for complaint in complaints:
        print(f"{complaint}; run: {MEND}")
    if not complaints:
        print(f"{len(results)} results of the official packages are saved")
    return int(bool(complaints))


if __name__ == "__main__":
    sys.exit(main())
