"""Numbers that chapters quote from elsewhere are those that stand there, or come out here."""

import ast
import hashlib
import json
import re
from pathlib import Path

import pytest
import torch
from notebooks import read, source_of

from minicodec.bits.language_model_file import load_language_model

ROOT = Path(__file__).resolve().parents[2]


def assigned(chapter: str, name: str) -> object:
    """The literal that a chapter assigns to `name`."""
    for cell in read(ROOT / "chapters" / chapter)["cells"]:
        if cell["cell_type"] != "code" or not re.search(rf"^{name} = ", source_of(cell), re.M):
            continue
        lines = [line for line in source_of(cell).splitlines() if not line.startswith("%")]
        for node in ast.parse("\n".join(lines)).body:
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name:
                return ast.literal_eval(node.value)
    raise AssertionError(f"{chapter} assigns nothing to {name}")


def test_the_hash_by_which_readers_compare_machines():
    """Chapter 12 asserts it, and the specification begins with the same bytes."""
    hashed = assigned("12_a_language_model_for_codes.ipynb", "book")
    codes = (37 * torch.arange(1100) + 11 * torch.arange(2)[:, None]) % 1024
    tables = load_language_model("mini_24khz").tables(codes).numpy().astype("<u4")
    assert hashlib.sha256(tables.tobytes()).hexdigest() == hashed, (
        "the tables of the shipped language model have changed: put this hash into chapter 12"
    )
    page = (ROOT / "book/exact-language-model.md").read_text(encoding="utf-8")
    assert re.search(rf"^2 +1099 +{hashed[:16]} ", page, re.M)


@pytest.mark.parametrize("name", ["last frame again", "nothing"])
def test_what_stands_in_for_lost_codes(name):
    """Chapter 13 shows what `benchmarks/concealment.py` found."""
    found = json.loads((ROOT / "benchmarks/concealment.json").read_text())
    paired = assigned("13_the_bitstream.ipynb", "paired")
    for kind in ("after", "edge"):
        rows = [tuple(gap[kind][name]["less_silence"][0]) for gap in found["gaps"]]
        assert paired[name][kind] == rows
    assert [gap["seconds"] for gap in found["gaps"]] == [0.04, 0.5, 2.0]


def test_the_readme_beside_opus():
    """What its words say of the table, whose numbers `test_numbers.py` holds."""
    rows = json.loads((ROOT / "benchmarks/quality.json").read_text())
    means = {row["condition"]: row for row in rows if row["class"] == "all"}
    low, opus = means["mini_24khz 1.5"], means["opus 6"]
    assert low["kbps"] < opus["kbps"] / 3 and low["visqol"] > opus["visqol"]
    assert means["opus 12"]["visqol"] > means["mini_24khz 12"]["visqol"]


def test_what_installing_takes():
    """Sums of what was measured, and what `make` says before it begins."""
    found = json.loads((ROOT / "benchmarks/install.json").read_text(encoding="utf-8"))
    installing, stages = found["the install in the last two"], found["stages, in seconds"]
    for name, seconds in (("make book", stages["book"]), ("make test", sum(stages.values()))):
        assert found[name]["minutes"] == pytest.approx(
            installing["minutes"] + seconds / 60, abs=0.06
        )
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    said = [float(gb) for gb in re.findall(r"call environment,([\d.]+) GB", makefile)]
    assert said == [round(found[name]["gb"]) for name in ("make test", "make hear")]
