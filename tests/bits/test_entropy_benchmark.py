"""What `benchmarks/entropy.py` counts, on codes of which the answer is known."""

import json
import math
from pathlib import Path

import entropy
import pytest
import torch

from minicodec.bits.histogram import Histogram
from minicodec.bits.range_coder import encode_codes

ROOT = Path(__file__).resolve().parents[2]


def test_the_best_table_of_even_and_of_uneven_codes():
    clips = [torch.tensor([[0, 1, 2, 3], [0, 0, 0, 0]]), torch.tensor([[3, 2, 1, 0], [1, 1, 1, 1]])]
    assert entropy.static_bits(clips, 4).tolist() == pytest.approx([2, 1])


def test_a_table_of_the_others_knows_nothing_of_the_clip_itself():
    """Two clips that share no code: each is coded with what one count of 4 + 4 leaves it."""
    clips = [torch.zeros(1, 4, dtype=torch.long), torch.ones(1, 4, dtype=torch.long)]
    alone, _ = entropy.others_bits(clips, 4)
    assert alone.tolist() == pytest.approx([3])
    assert entropy.static_bits(clips, 4).tolist() == pytest.approx([1])


def test_pairs_find_what_follows_what():
    """Codes that go round: alone each is as likely as any, after the one before it is certain."""
    clips = [torch.arange(4000).remainder(8)[None]] * 3
    alone, pairs = entropy.others_bits(clips, 8)
    assert alone.tolist() == pytest.approx([3], abs=1e-3)
    assert 0 < float(pairs) < 1


def test_ideal_bits_are_those_of_a_perfect_coder_in_chunks():
    torch.manual_seed(0)
    codes, model = torch.randint(6, (3, 250)), Histogram(16)
    bits = entropy.ideal_bits(model, codes, 100)
    sizes = [8 * len(encode_codes(model, part)) for part in codes.split(100, dim=1)]
    assert bits.shape == (3,) and 0 <= sum(sizes) - float(bits.sum()) <= 3 * 17
    first = torch.tensor([[5], [5], [5]])
    assert entropy.ideal_bits(model, first, 100).tolist() == pytest.approx([math.log2(16)] * 3)


def test_spread_leaves_out_the_extremes():
    assert entropy.spread([100] * 11, list(range(0, 110, 10))) == [10.0, 90.0]


def test_the_saved_result_agrees_with_itself():
    """Files cost what their model says and a little more; levels make up the whole."""
    for row in json.loads((ROOT / "benchmarks" / "entropy.json").read_text())["rows"]:
        for mode in ("histogram", "lm"):
            said, spent = row["bits_per_code"][mode], row["bits_per_code_in_files"][mode]
            levels = row["bits_per_code_by_level"][mode]
            assert said < spent < said + 0.6
            assert sum(levels) / len(levels) == pytest.approx(said, abs=1e-3)
            saved = 100 * (1 - spent / row["bits_per_code_in_files"]["none"])
            assert saved == pytest.approx(row["saved"][mode], abs=0.1)
