"""The coders that `benchmarks/coder.py` compares all give back what they were given."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

pytest.importorskip("constriction")
pytest.importorskip("encodec")
pytest.importorskip("numba")

import coder
import coder_rivals
from coder_compiled import CompiledDecoder, CompiledEncoder

from minicodec.bits.range_coder import RangeDecoder, RangeEncoder, cumulate


@pytest.fixture(scope="module")
def probabilities():
    torch.manual_seed(0)
    return (2 * torch.randn(40, 64)).softmax(1)


@pytest.mark.parametrize("ready", [True, False])
@pytest.mark.parametrize("rows", [8, 40])
def test_every_coder_brings_symbols_back(probabilities, rows, ready):
    told = coder.message(probabilities, 200, rows)
    sizes = {}
    for name, one in coder_rivals.CODERS.items():
        encode, decode = coder.jobs(one, told, ready)
        data = encode()
        assert decode(data) == told.symbols.tolist(), name
        sizes.setdefault(one.format, set()).add(data)
        assert told.ideal * 200 - 8 <= 8 * len(data) <= 1.02 * told.ideal * 200 + 80, name
    assert len(sizes["minicodec"]) == 1


def test_every_coder_shares_a_table(probabilities):
    told = coder.message(probabilities[0], 300, 300)
    for name, one in coder_rivals.CODERS.items():
        encode, decode = coder.jobs(one, told, True)
        assert decode(encode()) == told.symbols.tolist(), name


def test_the_compiled_coder_carries_as_the_plain_one_does():
    """An interval around one half: one symbol lifts it over many words that have left."""
    thirds = cumulate([1, 1, 1])
    symbols = RangeDecoder(b"\x80" + bytes(100)).decode(thirds, 400)
    for ending in ([0, 0, 0], [2, 2, 2]):
        plain, compiled = RangeEncoder(), CompiledEncoder()
        for encoder in (plain, compiled):
            encoder.encode(np.array(symbols), thirds)
            encoder.encode(np.array(ending), thirds)
        data = plain.finish()
        assert compiled.finish() == data
        assert CompiledDecoder(data).decode(thirds, 403) == symbols + ending


def test_the_message_is_drawn_from_its_tables(probabilities):
    told = coder.message(torch.eye(64)[:40] * 0.999 + 0.001 / 64, 80, 8)
    assert (told.symbols == np.arange(80) % 40).mean() > 0.9
    assert told.ideal < 0.2
    assert [len(symbols) for symbols, _ in told.parts] == [8] * 10
    assert told.parts[0][1] is told.parts[5][1]


def test_what_chapter_11_says_of_the_saved_result():
    """A queue and a stack decode about equally fast; all decode far more than 600 per second."""
    path = Path(__file__).resolve().parents[2] / "benchmarks" / "coder.json"
    rows = json.loads(path.read_text())["rows"]
    speeds = {(row["way"], row["coder"]): row["decode_symbols_per_s"] for row in rows}
    assert min(speeds.values()) > 10_000
    for way in {way for way, _ in speeds}:
        queue, stack = (speeds[way, f"constriction, {kind}"] for kind in ("range coder", "ANS"))
        assert 0.5 < queue / stack < 2
