"""The exercises at the end of chapter 11: figures on paper are computed again, tables compared."""

import heapq
import itertools
import math

import pytest
import torch

from minicodec.bits.range_coder import decode_codes, encode_codes
from minicodec.exercises.answers_11_counts import Counts, some_codes, tables
from minicodec.exercises.chapter_11 import FLIPS, Memory, best_increment
from minicodec.exercises.exercise import find
from minicodec.exercises.lesson_11 import divergence, entropy


def huffman_bits(shares: list[float]) -> float:
    """What the words cost: each join adds a bit to all that it joins."""
    heap, cost = list(shares), 0.0
    heapq.heapify(heap)
    while len(heap) > 1:
        joined = heapq.heappop(heap) + heapq.heappop(heap)
        cost += joined
        heapq.heappush(heap, joined)
    return cost


def test_words_for_pairs():
    p = [0.7, 0.2, 0.1]
    pairs = [math.prod(pair) for pair in itertools.product(p, repeat=2)]
    expected = entropy(p), huffman_bits(p), huffman_bits(pairs) / 2
    assert find("11.huffman").answer == pytest.approx(expected, abs=1e-4)


def test_bytes_that_a_model_loses_that_is_too_sure():
    p, q = (torch.tensor(shares, dtype=torch.float64) for shares in ([0.75, 0.25], [0.875, 0.125]))
    assert find("11.bytes_lost").answer == pytest.approx(1000 * divergence(p, q), abs=0.05)


def test_a_memory_favours_the_last_codes_and_can_be_decoded():
    (codes,) = some_codes(torch.Generator().manual_seed(0))
    plain, favoured = tables(Counts, codes), tables(Memory, codes)
    assert torch.equal(plain[0], favoured[0])
    for t in range(codes.shape[1]):
        more = favoured[t + 1] - plain[t + 1]
        assert more.sum() == 3 * 64 and (more[torch.arange(3), codes[:, t]] == 64).all()
    assert torch.equal(decode_codes(Memory(), encode_codes(Memory(), codes), 3, 14), codes)


def test_the_best_increment_follows_the_prior():
    """Codes that the prior foretells want a small one, codes that it does not a large one."""
    codes = torch.arange(4).repeat(40)[None]
    right, wrong = torch.ones(2, 1, 64, dtype=torch.int64)
    right[:, :4] += 1000
    wrong[:, 60:] += 1000
    increments = [1, 16, 256]
    assert best_increment(codes, right, increments) < best_increment(codes, wrong, increments)


def test_what_is_heard_is_in_no_given_order():
    assert sorted(find("11.flips").answer) == sorted(FLIPS)
    assert find("11.flips").answer != FLIPS
