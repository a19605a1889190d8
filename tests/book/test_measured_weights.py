"""What the book says of the shipped codec's sound was measured on the weights that ship."""

import json
from pathlib import Path

import pytest

import minicodec
from minicodec.model.checkpoint import fingerprint

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.mark.parametrize("name", ["bfloat16", "concealment", "entropy", "rate_distortion"])
def test_a_measurement_is_of_the_weights_that_ship(name):
    measured = json.loads((BENCHMARKS / f"{name}.json").read_text())
    assert measured["fingerprint"] == fingerprint(minicodec.load("mini_24khz")).hex()


def test_two_measurements_of_quality_agree():
    """One of them names its weights, and the other one, which does not, is of the same."""
    rows = json.loads((BENCHMARKS / "rate_distortion.json").read_text())["means"]
    curves = {(row["condition"], row["class"]): row for row in rows}
    compared = 0
    for row in json.loads((BENCHMARKS / "quality.json").read_text()):
        other = curves.get((row["condition"], row["class"]))
        if other and row["condition"].startswith("mini_24khz"):
            compared += 1
            for measure in ("si_sdr", "mel_distance", "visqol"):
                assert abs(row[measure] - other[measure][0]) < 0.02
    assert compared == 28
