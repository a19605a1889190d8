"""The fast range coder gives the bytes, the symbols and the errors of the plain one."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from minicodec.bits import packing, range_coder, range_fast
from minicodec.bits.histogram import Histogram
from minicodec.bits.range_coder import MAX_TOTAL, RangeDecoder, RangeEncoder
from minicodec.bits.range_fast import FastRangeDecoder


def outcome(function, *arguments):
    """What it returns, or the error that it raises, as text."""
    try:
        return function(*arguments)
    except ValueError as error:
        return str(error)


def end(decoder: RangeDecoder):
    return decoder.range, decoder.offset, decoder._at, outcome(decoder.finish)


def drawn(size: int, count: int, seed: int = 0):
    """Random tables, uneven ones, and a message of symbols as frequent as they say."""
    rng = np.random.default_rng(seed)
    weights = np.exp(3 * rng.standard_normal((count, size)))
    tables = (weights / weights.sum(1, keepdims=True) * (1 << 20)).astype(np.int64) + 1
    sums = range_coder.cumulate(tables)
    symbols = (sums <= rng.integers(0, sums[:, -1])[:, None]).sum(1) - 1
    encoder = RangeEncoder()
    encoder.encode(symbols, sums)
    return torch.from_numpy(tables), sums, symbols.tolist(), encoder.finish()


def same(data: bytes, *calls) -> list:
    """Both decoders asked in turn: what they answered, until one refused."""
    plain, fast, answers = RangeDecoder(data), FastRangeDecoder(data), []
    for call in calls:
        answers.append(outcome(plain.decode, *call))
        assert outcome(fast.decode, *call) == answers[-1]
        assert end(fast) == end(plain)
    return answers


@pytest.mark.parametrize("count", [1, 8, 127, 128, 129, 600])
def test_symbols_of_a_message_long_and_short(count):
    _, sums, symbols, data = drawn(64, count)
    assert same(data, [sums]) == [symbols]


def test_frame_by_frame():
    _, sums, symbols, data = drawn(1024, 400)
    assert sum(same(data, *([sums[i : i + 8]] for i in range(0, 400, 8))), []) == symbols


@pytest.mark.parametrize("count", [0, 1, 5, 8, 9, 5000])
def test_one_table_for_all(count):
    """Few symbols are searched in the array, many in a list."""
    _, sums, _, _ = drawn(64, 1)
    symbols = np.random.default_rng(1).integers(0, 64, count)
    encoder = RangeEncoder()
    encoder.encode(symbols, sums[0])
    assert same(encoder.finish(), [sums[0], count], [sums[0], 0]) == [symbols.tolist(), []]


@pytest.mark.parametrize(
    "make", [lambda s: s[:, ::-1][:, ::-1], np.asfortranarray, lambda s: s.astype(np.int32)]
)
def test_tables_may_lie_anyhow_in_memory(make):
    _, sums, symbols, data = drawn(32, 300)
    assert same(data, [make(sums)]) == [symbols]


@pytest.mark.parametrize("count", [40, 300])
def test_a_message_cut_short_or_lengthened(count):
    _, sums, symbols, data = drawn(32, count)
    refused = 0
    for size in range(len(data) + 1):
        (answer,) = same(data[:size], [sums])
        refused += answer != symbols
    assert refused >= len(data) - 2
    for extra in range(4):
        assert same(data + bytes(extra), [sums]) == [symbols]


def test_flipped_bits():
    _, sums, symbols, data = drawn(32, 200)
    damaged = [data[:i] + bytes([data[i] ^ 1 << i % 8]) + data[i + 1 :] for i in range(len(data))]
    answers = [same(one, [sums])[0] for one in damaged]
    assert all(answer != symbols for answer in answers[:-2])
    assert any(isinstance(answer, str) for answer in answers)


def test_a_point_past_the_last_symbol():
    sevenths = range_coder.cumulate([[1, 6], [6, 1]])
    for tables in (sevenths[0], sevenths, np.repeat(sevenths, 100, 0)):
        (answer,) = same(b"\xff" * 8, [tables])
        assert "past the last symbol" in answer


@st.composite
def messages(draw):
    """Tables of one to nine symbols, some impossible, some with all the mass; any bytes."""
    size = draw(st.integers(1, 9))
    largest = draw(st.sampled_from([1, 3, 1000, MAX_TOTAL // 9]))
    row = st.lists(st.integers(0, largest), min_size=size, max_size=size).filter(any)
    tables = draw(st.lists(row, min_size=1, max_size=60))
    symbols = [draw(st.sampled_from([i for i, f in enumerate(row) if f])) for row in tables]
    return tables, symbols


@given(messages(), st.integers(0, 60), st.binary(max_size=40))
@settings(max_examples=150, deadline=None)
def test_any_tables_and_any_bytes(message, split, noise):
    tables, symbols = message
    sums = range_coder.cumulate(tables)
    assert (range_fast.cumulate(torch.tensor(tables)) == sums).all()
    encoder = RangeEncoder()
    encoder.encode(symbols, sums)
    assert sum(same(encoder.finish(), [sums[:split]], [sums[split:]]), []) == symbols
    same(noise, [sums])
    same(noise, [sums[0], 50])


@pytest.mark.parametrize(
    "tables",
    [
        torch.zeros(2, 3, dtype=torch.long),
        torch.tensor([[1, 2], [0, 0]]),
        torch.tensor([MAX_TOTAL]),
        torch.tensor([MAX_TOTAL, 1]),
        torch.tensor([3, -1]),
        torch.tensor([1 << 62, 1 << 62, 1 << 62, 1 << 62, 5]),
        torch.tensor([0.5, 0.5]),
        torch.tensor([2, 1, 1], dtype=torch.int32),
        torch.tensor(5),
        torch.zeros(3, 0, dtype=torch.long),
        torch.zeros(0, 4, dtype=torch.long),
        torch.arange(12).reshape(3, 4).T,
    ],
    ids=lambda t: f"{list(t.shape)} {str(t.dtype)[6:]}",
)
def test_running_sums_of_right_and_wrong_tables(tables):
    plain, fast = (outcome(module.cumulate, tables) for module in (range_coder, range_fast))
    if isinstance(plain, str):
        assert fast == plain
    else:
        assert fast.dtype == plain.dtype and fast.tolist() == plain.tolist()


def test_tables_not_made_by_cumulate():
    for bad in (np.array([0, 0]), np.array([0, MAX_TOTAL + 1]), np.array([[0, 1], [0, 0]])):
        (answer,) = same(b"abc", [bad])
        assert "add up to 1 to" in answer
        assert "add up to" in same(b"abc", [bad, 0])[0]


class Drawn:
    """A model whose tables are random, and know nothing of the codes."""

    codebook_size = 64

    def __init__(self, tables):
        self._tables = tables

    def tables(self, codes):
        return self._tables[: codes.shape[1], : codes.shape[0]]

    def start(self, n_q):
        return n_q, 0

    def stream(self, codes, state):
        n_q, frame = state
        return self._tables[frame, :n_q], (n_q, frame + 1)


@pytest.mark.parametrize(("n_q", "frames"), [(1, 1), (3, 7), (8, 16), (8, 17), (8, 60), (8, 0)])
def test_codes_of_a_model(n_q, frames):
    tables, _, _, _ = drawn(64, 480, seed=2)
    codes = torch.randint(64, (n_q, frames))
    for model in (Drawn(tables.reshape(60, 8, 64)), Histogram(64)):
        data = range_fast.encode_codes(model, codes)
        assert data == range_coder.encode_codes(model, codes)
        for one in (data, data[:-3], data + b"abc", b"\xff" * len(data)):
            plain = outcome(range_coder.decode_codes, model, one, n_q, frames)
            fast = outcome(range_fast.decode_codes, model, one, n_q, frames)
            if isinstance(plain, str):
                assert fast == plain
            else:
                assert fast.dtype == plain.dtype and torch.equal(fast, plain)


def test_wrong_codes_and_wrong_tables_of_a_model():
    model = Histogram(16)
    for codes in (
        torch.zeros(2, 3), torch.zeros(2, 3, 4).long(), torch.zeros(0, 4).long(),
        torch.full((2, 3), 16), torch.full((2, 3), -1),
    ):  # fmt: skip
        with pytest.raises(ValueError) as plain:
            range_coder.encode_codes(model, codes)
        with pytest.raises(ValueError) as fast:
            range_fast.encode_codes(model, codes)
        assert str(fast.value) == str(plain.value)
    for n_q, frames in [(0, 3), (-1, 3), (2, -1)]:
        with pytest.raises(ValueError, match="n_q ≥ 1 and frames ≥ 0"):
            range_fast.decode_codes(model, b"", n_q, frames)
    tables = torch.ones(3, 2, 64, dtype=torch.long)
    for wrong in (-1, 0, MAX_TOTAL, 1 << 62):
        tables[1, 1] = wrong
        answers = {outcome(module.decode_codes, Drawn(tables), bytes(20), 2, 3)
                   for module in (range_coder, range_fast)}  # fmt: skip
        assert len(answers) == 1 and "frequencies" in answers.pop()


def test_small_integers_are_codes_too():
    """A limit of 1024 is beyond what eight bits can be compared with."""
    codes, model = torch.randint(128, (3, 7)), Drawn(torch.ones(7, 3, 1024, dtype=torch.long))
    model.codebook_size = 1024
    expected = range_coder.encode_codes(model, codes)
    for dtype in (torch.uint8, torch.int8, torch.int16, torch.int32):
        assert range_fast.encode_codes(model, codes.to(dtype)) == expected


def test_streams_are_coded_by_the_fast_one():
    assert packing.encode_codes is range_fast.encode_codes
    assert packing.decode_codes is range_fast.decode_codes
