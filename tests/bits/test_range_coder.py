"""The range coder brings back every message, in hardly more bytes than its probabilities allow."""

import math

import constriction
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from minicodec.bits.range_coder import (
    MAX_TOTAL,
    RangeDecoder,
    RangeEncoder,
    cumulate,
    decode_codes,
    encode_codes,
)


def encode(symbols, tables) -> bytes:
    encoder = RangeEncoder()
    encoder.encode(symbols, tables)
    return encoder.finish()


def ideal_bits(symbols, tables) -> float:
    rows = np.broadcast_to(tables, (len(symbols), tables.shape[-1]))
    index = np.arange(len(symbols))
    width = rows[index, np.add(symbols, 1)] - rows[index, symbols]
    return float(np.log2(rows[:, -1] / width).sum())


def draw(tables: np.ndarray, seed: int = 0) -> np.ndarray:
    """One symbol from each table, as often as its frequency says."""
    points = np.random.default_rng(seed).integers(0, tables[:, -1])
    return (tables <= points[:, None]).sum(1) - 1


@st.composite
def messages(draw_):
    """Tables of one to nine symbols, some impossible, some with all the mass, and a message."""
    size = draw_(st.integers(1, 9))
    largest = draw_(st.sampled_from([1, 3, 1000, MAX_TOTAL // 9]))
    row = st.lists(st.integers(0, largest), min_size=size, max_size=size).filter(any)
    tables = draw_(st.lists(row, min_size=1, max_size=60))
    symbols = [draw_(st.sampled_from([i for i, f in enumerate(row) if f])) for row in tables]
    return symbols, cumulate(tables)


@given(messages())
@settings(max_examples=120, deadline=None)
def test_a_message_comes_back_in_its_ideal_length(message):
    symbols, tables = message
    data = encode(symbols, tables)
    assert len(data) <= ideal_bits(symbols, tables) / 8 + 2
    decoder = RangeDecoder(data)
    assert decoder.decode(tables) == symbols
    decoder.finish()


@given(messages(), st.integers(0, 60))
@settings(max_examples=50, deadline=None)
def test_a_message_may_come_in_parts(message, split):
    symbols, tables = message
    encoder = RangeEncoder()
    encoder.encode(symbols[:split], tables[:split])
    encoder.encode(symbols[split:], tables[split:])
    data = encoder.finish()
    assert data == encode(symbols, tables)
    decoder = RangeDecoder(data)
    assert decoder.decode(tables[:split]) + decoder.decode(tables[split:]) == symbols


@pytest.mark.parametrize(
    ("low", "width", "count"),
    [
        (0, 1 << 48, 0),
        (1, (1 << 64) - 2, 1),
        ((1 << 56) + 1, 1 << 56, 1),
        ((1 << 56) + 1, (1 << 56) - 1, 2),  # the next multiple of 2^56 is just beyond the end
        ((1 << 64) - 1, 1 << 48, 0),  # with a carry, that would be written in a word before
    ],
)
def test_the_ending_points_into_the_interval(low, width, count):
    encoder = RangeEncoder()
    encoder._words, encoder.low, encoder.range = [5], low, width
    data = encoder.finish()
    assert len(data) == 2 + count
    number = int.from_bytes(data.ljust(10, b"\0"), "big")
    assert low <= number - (5 << 64) < low + width


def test_the_first_range_is_all_that_64_bits_hold():
    """It is a number of the format: another one would give other bytes."""
    assert RangeEncoder().range == RangeDecoder(b"").range == 0xFFFF_FFFF_FFFF_FFFF


def test_a_word_leaves_when_the_range_falls_below_its_floor():
    """As in any other coder of the format: at 2^48 none leaves, just below one does."""
    halves = cumulate([1, 1])
    for before, after in ((1 << 49, 1 << 48), ((1 << 49) - 1, ((1 << 48) - 1) << 16)):
        encoder, decoder = RangeEncoder(), RangeDecoder(bytes(9))
        encoder.range = decoder.range = before
        encoder.encode([0], halves)
        assert decoder.decode(halves) == [0]
        assert encoder.range == decoder.range == after


def test_symbols_one_at_a_time():
    table = cumulate([2, 1, 1])
    decoder = RangeDecoder(encode([1, 0, 2], table))
    assert [decoder.decode(table) for _ in range(3)] == [[1], [0], [2]]
    assert decoder.decode(table, 0) == []


def test_a_certain_symbol_costs_nothing():
    table = cumulate([0, 7, 0])
    assert encode([1] * 100_000, table) == b""
    assert RangeDecoder(b"").decode(table, 100_000) == [1] * 100_000


def test_the_largest_total_and_the_smallest_frequency():
    """All mass but 1023 ones: a code of the floor costs 24 bits, the likely one hardly any."""
    frequencies = np.ones(1024, np.int64)
    frequencies[500] = MAX_TOTAL - 1023
    table = cumulate(frequencies)
    for symbols in ([500] * 100_000, list(range(1024)), [0, 1023] * 500, [500] * 5000 + [3]):
        data = encode(symbols, table)
        bits = ideal_bits(symbols, table)
        assert len(data) <= 1.001 * bits / 8 + 2
        assert RangeDecoder(data).decode(table, len(symbols)) == symbols


def test_carries_run_back_through_many_words():
    """An interval around one half: its low end is 0.7FFFFFFF… until one symbol lifts it above."""
    thirds = cumulate([1, 1, 1])
    symbols = RangeDecoder(b"\x80" + bytes(100)).decode(thirds, 400)  # whatever holds one half
    encoder = RangeEncoder()
    encoder.encode(symbols, thirds)
    assert encoder._words[0] == 0x7FFF and set(encoder._words[1:]) == {0xFFFF}
    assert len(encoder._words) > 30
    for ending, first in (([0, 0, 0], b"\x7f\xff"), ([2, 2, 2], b"\x80\x00")):
        data = encode(symbols + ending, thirds)
        assert data[:2] == first and data[2:50] in (b"\xff" * 48, b"\0" * 48)
        assert RangeDecoder(data).decode(thirds, 403) == symbols + ending


@pytest.mark.parametrize("sharpness", [0.1, 1.0, 3.0, 8.0])
def test_length_of_many_symbols(sharpness):
    """Within 0.1 % and four bytes of the ideal, and of what constriction needs, 10⁵ symbols."""
    rng = np.random.default_rng(1)
    weights = np.exp(sharpness * rng.standard_normal((1000, 64)))
    frequencies = 1 + (weights / weights.sum(1, keepdims=True) * 60_000).astype(np.int64)
    tables = np.tile(cumulate(frequencies), (100, 1))
    symbols = draw(tables)
    data = encode(symbols, tables)
    ideal = ideal_bits(symbols, tables) / 8
    assert ideal - 1 <= len(data) <= 1.001 * ideal + 4

    theirs = constriction.stream.queue.RangeEncoder()
    family = constriction.stream.model.Categorical(perfect=False)
    floats = (frequencies / frequencies.sum(1, keepdims=True)).astype(np.float32)
    theirs.encode(symbols.astype(np.int32), family, np.tile(floats, (100, 1)))
    their_bytes = 4 * len(theirs.get_compressed())
    print(f"\n{len(symbols)} symbols: ideal {ideal:.1f} bytes, ours {len(data)}, "
          f"constriction {their_bytes}", end="")  # fmt: skip
    assert abs(len(data) - their_bytes) <= 0.001 * ideal + 8
    assert RangeDecoder(data).decode(tables) == symbols.tolist()


def test_a_message_cut_short_is_noticed():
    tables = cumulate(np.random.default_rng(0).integers(1, 50, (500, 32)))
    data = encode(draw(tables), tables)
    for size in range(len(data) - 2):
        with pytest.raises(ValueError, match="too few for the symbols|past the last symbol"):
            RangeDecoder(data[:size]).decode(tables)


def test_a_point_past_the_last_symbol_is_noticed():
    """What dividing leaves over belongs to no symbol. It is the end of the first range here."""
    sevenths = cumulate([[1, 6], [6, 1]])
    assert ((1 << 64) - 1) % 7 == 1
    for tables in (sevenths[0], sevenths, sevenths[:1]):
        with pytest.raises(ValueError, match="damaged: they point past the last symbol"):
            RangeDecoder(b"\xff" * 8).decode(tables)


def test_bytes_left_over_are_noticed():
    """As soon as there are more than the two with which a message may end."""
    ends = set()
    for seed in range(20):
        tables = cumulate(np.random.default_rng(seed).integers(1, 50, (20, 32)))
        symbols, encoder = draw(tables, seed), RangeEncoder()
        encoder.encode(symbols, tables)
        data = encoder.finish()
        end = len(data) - 2 * len(encoder._words)
        ends.add(end)
        for extra in range(4):
            decoder = RangeDecoder(data + bytes(extra))
            assert decoder.decode(tables) == symbols.tolist()
            if end + extra <= 2:
                decoder.finish()
                continue
            with pytest.raises(ValueError, match=f"{end + extra - 2} bytes are left after the"):
                decoder.finish()
    assert {1, 2} <= ends


@given(st.binary(max_size=40), messages())
@settings(max_examples=80, deadline=None)
def test_any_bytes_give_symbols_or_one_clear_error(data, message):
    _, tables = message
    try:
        symbols = RangeDecoder(data).decode(tables)
    except ValueError as error:
        assert "these bytes are" in str(error)
    else:
        assert len(symbols) == len(tables)
        assert all(row[s + 1] > row[s] for row, s in zip(tables, symbols))  # only possible ones


@pytest.mark.parametrize(
    ("frequencies", "message"),
    [
        ([0, 0], "add up to 1 to 16777216, but here to 0"),
        ([MAX_TOTAL, 1], "add up to 1 to 16777216, but here to 16777217"),
        ([3, -1], "lie in 0 to 16777216, but these lie in -1"),
        ([1 << 62, 1 << 62, 1 << 62, 1 << 62, 5], "frequencies lie in 0 to"),
        ([0.5, 0.5], "is of integers"),
        ([], "is of integers"),
        (np.zeros((3, 0), np.int64), r"int64 \[3, 0\]"),
        (5, "is of integers"),
    ],
)
def test_wrong_tables(frequencies, message):
    with pytest.raises(ValueError, match=message):
        cumulate(frequencies)


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.int32, np.int64, np.uint64])
def test_integers_of_any_size(dtype):
    frequencies = np.ones((2, 256), dtype)
    tables = cumulate(frequencies)
    assert tables.dtype == np.int64 and (tables == np.arange(257)).all()
    symbols = np.array([0, 255 if dtype == np.uint8 else 127], dtype)
    assert RangeDecoder(encode(symbols, tables)).decode(tables) == symbols.tolist()


def test_limits_of_a_table():
    assert cumulate([MAX_TOTAL]).tolist() == [0, MAX_TOTAL]
    assert cumulate(np.zeros((0, 4), np.int64)).shape == (0, 5)
    nothing = encode([], cumulate([1]))
    assert nothing == b"" and type(nothing) is bytes


def test_tables_may_lie_anyhow_in_memory():
    wide = np.repeat(cumulate([[3, 1, 2], [1, 5, 1]]), 2, axis=-1)
    for tables in (wide[:, ::2], np.asfortranarray(wide[:, ::2]), wide[::-1, ::2]):
        assert RangeDecoder(encode([2, 1], tables)).decode(tables) == [2, 1]
    one = wide[0, ::2]
    assert RangeDecoder(encode([2, 1], one)).decode(one, 2) == [2, 1]


def test_wrong_symbols():
    table = cumulate([1, 0, 1])
    for symbol, message in [(3, "lie in 0 to 2"), (-1, "lie in 0 to 2"), (1, "frequency of 0")]:
        with pytest.raises(ValueError, match=message):
            RangeEncoder().encode([symbol], table)
    for bad in (np.array([0, 0]), np.array([0, MAX_TOTAL + 1])):  # not made by cumulate
        with pytest.raises(ValueError, match="add up to"):
            RangeEncoder().encode([0], bad)
        with pytest.raises(ValueError, match="add up to"):
            RangeDecoder(b"abc").decode(bad, 1)


class Copycat:
    """A model that expects every code of the frame before to come again."""

    codebook_size = 16

    def start(self, n_q):
        return n_q

    def stream(self, codes, n_q):
        table = torch.ones(n_q, 16, dtype=torch.int64)
        if codes is not None:
            table[torch.arange(n_q), codes] = 500
        return table, n_q

    def tables(self, codes):
        seen = [None, *codes.T[:-1]]
        return torch.stack([self.stream(frame, len(codes))[0] for frame in seen])


@given(st.integers(1, 5), st.integers(0, 30), st.randoms())
@settings(max_examples=40, deadline=None)
def test_codes_come_back(n_q, frames, random):
    codes = torch.tensor([[random.randrange(16) for _ in range(frames)] for _ in range(n_q)])
    codes = codes.reshape(n_q, frames).long()
    data = encode_codes(Copycat(), codes)
    decoded = decode_codes(Copycat(), data, n_q, frames)
    assert torch.equal(decoded, codes) and decoded.dtype == torch.int64


def test_codes_may_be_small_integers():
    """A limit of 1024 is beyond what eight bits can be compared with."""

    class Even(Copycat):
        codebook_size = 1024

        def tables(self, codes):
            return torch.ones(codes.shape[1], codes.shape[0], 1024, dtype=torch.int64)

    codes = torch.randint(128, (3, 7))
    expected = encode_codes(Even(), codes)
    for dtype in (torch.uint8, torch.int8, torch.int16, torch.int32):
        assert encode_codes(Even(), codes.to(dtype)) == expected


def test_a_good_model_saves_bytes():
    codes = torch.randint(16, (4, 1)).repeat(1, 200)
    data = encode_codes(Copycat(), codes)
    expected = (4 * 4 + 4 * 199 * math.log2(515 / 500)) / 8
    assert abs(len(data) - expected) <= 2


def test_wrong_codes():
    for codes, message in [
        (torch.zeros(2, 3), r"integers \[K, T\], but these are torch.float32"),
        (torch.zeros(2, 3, 4, dtype=torch.long), r"integers \[K, T\], but these are"),
        (torch.zeros(0, 4, dtype=torch.long), r"integers \[K, T\], but these are"),
        (torch.full((2, 3), 16), "codes of this model lie in 0 to 15, but these lie in 16 to 16"),
        (torch.full((2, 3), -1), "codes of this model lie in 0 to 15, but these lie in -1 to -1"),
    ]:
        with pytest.raises(ValueError, match=message):
            encode_codes(Copycat(), codes)
    for n_q, frames in [(0, 3), (-1, 3), (2, -1)]:
        with pytest.raises(ValueError, match="n_q ≥ 1 and frames ≥ 0"):
            decode_codes(Copycat(), b"", n_q, frames)


def test_damaged_codes_never_hang():
    """They give other codes or an error: what was lost may by chance be likelier than what was."""
    codes = torch.randint(16, (2, 40))
    data = encode_codes(Copycat(), codes)
    flipped = [
        data[:i] + bytes([data[i] ^ 1 << random]) + data[i + 1 :]
        for i in range(len(data))
        for random in (i % 8, (i + 3) % 8)
    ]
    shortened = [data[:size] for size in range(0, len(data) - 2, 3)]
    noticed = wrong = 0
    for damaged in flipped + shortened:
        try:
            wrong += not torch.equal(decode_codes(Copycat(), damaged, 2, 40), codes)
        except ValueError:
            noticed += 1
    assert wrong + noticed >= len(flipped) + len(shortened) - 8  # the last bits may not matter
    assert noticed > 10
    with pytest.raises(ValueError, match="too few|past the last"):  # a false number of frames
        decode_codes(Copycat(), data, 2, 10**15)
    with pytest.raises(ValueError, match="left after"):
        decode_codes(Copycat(), data, 2, 20)
