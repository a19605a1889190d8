"""Curves that a chapter shows without training again are those that a benchmark saved."""

import ast
import json
from pathlib import Path

from notebooks import read, source_of

ROOT = Path(__file__).resolve().parents[2]


def test_the_two_starts_of_chapter_03():
    cells = [source_of(cell) for cell in read(ROOT / "chapters/03_the_autoencoder.ipynb")["cells"]]
    (cell,) = (cell for cell in cells if cell.startswith("saved = {"))
    shown = ast.literal_eval(cell[cell.index("{") : cell.index("\n}") + 2])
    rows = json.loads((ROOT / "benchmarks/starts.json").read_text())["rows"]
    assert list(shown.values()) == [
        [row["si_sdr"][::10] for row in rows if row["start"] == start]
        for start in ("ours", "torch")
    ]


def test_the_three_seeds_of_chapter_09():
    cells = [
        source_of(cell) for cell in read(ROOT / "chapters/09_the_loss_balancer.ipynb")["cells"]
    ]
    (cell,) = (cell for cell in cells if cell.startswith("saved = {"))
    shown = ast.literal_eval(cell[cell.index("{") : cell.index("\n}") + 2])
    rows = json.loads((ROOT / "benchmarks/balancer.json").read_text())["rows"]
    for case, runs in shown.items():
        for key, balance in (("with", True), ("without", False)):
            assert runs[key] == [
                (round(row["si_sdr"], 2), round(row["mel_distance"], 2))
                for row in rows
                if row["case"] == case and row["balance"] == balance
            ]
