"""What pages say of the shipped codec and of measurements is what files say."""

import json

import pytest
from notebooks import ROOT

#: Those that hold no measurement of a machine, or hold where they were measured in another file.
ELSEWHERE = {"quality.json": "minicodec/weights/mini_24khz_quality.json", "mutation.json": ""}


@pytest.mark.parametrize("path", sorted((ROOT / "benchmarks").glob("*.json")), ids=lambda p: p.name)
def test_a_result_says_where_and_when_it_was_measured(path):
    name = ELSEWHERE.get(path.name, f"benchmarks/{path.name}")
    if not name:
        return
    result = json.loads((ROOT / name).read_text(encoding="utf-8"))
    if "chapters" in result:  # each measured when it had changed
        result = list(result["chapters"].values())
    for part in result if isinstance(result, list) else [result]:
        machine = part["machine"]
        assert "committed" in machine or {"cpu", "cores", "torch", "date"} <= set(machine), name


def test_measures_of_single_recordings_are_those_of_the_means():
    """The means of the model card are those of the recordings that chapter 14 compares."""
    means = json.loads((ROOT / "benchmarks/quality.json").read_text(encoding="utf-8"))
    each = json.loads((ROOT / ELSEWHERE["quality.json"]).read_text(encoding="utf-8"))["rows"]
    for row in means:
        mine = [r for r in each if r["condition"] == row["condition"]
                and row["class"] in ("all", r["class"])]  # fmt: skip
        assert len(mine) == row["clips"]
        for measure in ("kbps", "si_sdr", "mel_distance", "visqol"):
            mean = sum(r[measure] for r in mine) / len(mine)
            assert mean == pytest.approx(row[measure], abs=2e-3)
