"""What the checks of chapter 11 count as right is what the package does."""

import torch

from minicodec.bits.range_coder import RangeEncoder, cumulate
from minicodec.exercises.lesson_11 import divergence, entropy


def test_entropy_is_what_a_long_message_takes():
    p = torch.tensor([0.7, 0.2, 0.1, 0.0], dtype=torch.float64)
    symbols = torch.multinomial(p, 20_000, True, generator=torch.Generator().manual_seed(0))
    shares = torch.bincount(symbols, minlength=4).double() / 20_000
    encoder = RangeEncoder()
    encoder.encode(symbols, cumulate(torch.bincount(symbols, minlength=4)))
    assert abs(len(encoder.finish()) - 20_000 * entropy(shares.tolist()) / 8) < 2


def test_divergence_is_what_a_wrong_table_costs():
    p = torch.tensor([0.5, 0.5, 0.0], dtype=torch.float64)
    q = torch.tensor([0.25, 0.5, 0.25], dtype=torch.float64)
    assert divergence(p, p) == 0
    assert divergence(p, q) == 0.5
