"""Our reading of the official coder: the same tables, the same bits, the same evaluation."""

import io

import pytest
import torch
from encodec.quantization import ac
from hypothesis import given, settings
from hypothesis import strategies as st
from official_lm import CONTEXT, ours_like, sharp_official_lm

from minicodec.bits.arithmetic_coder import (
    ArithmeticDecoder,
    ArithmeticEncoder,
    OfficialSteps,
    tables_from_floats,
)


def test_the_evaluation_is_the_official_one_to_the_bit():
    theirs = sharp_official_lm()
    ours = ours_like(theirs)
    steps = OfficialSteps(ours, 3)
    codes = torch.randint(1024, (3, 2 * CONTEXT))
    states, offset, seen, frame = None, 0, torch.zeros(1, 3, 1, dtype=torch.long), None
    with torch.no_grad():
        for t in range(2 * CONTEXT):
            expected, states, offset = theirs(seen, states, offset)
            assert torch.equal(steps.probabilities(frame), expected[0, :, :, 0].T), t
            frame, seen = codes[:, t], codes[None, :, t : t + 1] + 1
    with pytest.raises(ValueError, match="knows 1 to 4 codebooks, not 5"):
        OfficialSteps(ours, 5)


@given(st.integers(1, 300), st.integers(0, 40), st.sampled_from([0.0, 1.0, 10.0]), st.integers(0))
@settings(max_examples=40, deadline=None)
def test_the_coder_writes_the_official_bits(size, count, sharpness, seed):
    generator = torch.Generator().manual_seed(seed % 2**32)
    scores = sharpness * torch.randn(count, size, generator=generator)
    symbols = torch.randint(size, (count,), generator=generator).tolist()
    tables = tables_from_floats(scores.softmax(1))
    file = io.BytesIO()
    theirs, mine = ac.ArithmeticCoder(file), ArithmeticEncoder()
    for row, (symbol, scores_) in enumerate(zip(symbols, scores)):
        table = ac.build_stable_quantized_cdf(scores_.softmax(0), 24, check=False)
        assert tables[row].tolist() == table.tolist()
        theirs.push(symbol, table)
        mine.push(symbol, tables[row])
    theirs.flush()
    data = mine.finish()
    assert data == file.getvalue()
    decoder = ArithmeticDecoder(data + b"\xff")
    assert [decoder.pull(table) for table in tables] == symbols
    assert decoder.bytes_read == len(data)


def test_wrong_tables_are_noticed_or_give_other_symbols():
    tables = tables_from_floats(torch.randn(400, 50).softmax(1))
    encoder = ArithmeticEncoder()
    for table in tables:
        encoder.push(7, table)
    decoder, found = ArithmeticDecoder(encoder.finish()), []
    with pytest.raises(ValueError, match="between two symbols|data end"):
        for table in tables_from_floats(torch.randn(100_000, 50).softmax(1)):
            found.append(decoder.pull(table))
    assert found[:400] != [7] * 400


def test_data_on_the_edge_are_refused_in_time():
    """Between 0111… and 1000… no bit is ever sure, and a decoder's integers grow without end.

    Whoever knows the tables can write a file that stays there: always the symbol with the edge.
    """
    table = tables_from_floats(torch.tensor([0.3, 0.4, 0.3]))
    encoder, symbols = ArithmeticEncoder(), []
    while encoder.pending < 5000:
        while encoder.narrow:
            encoder.widen()
        edge = 1 << encoder.pending - 1
        parts = [encoder.part(table, symbol) for symbol in range(3)]
        symbols.append([low < edge <= high for low, high in parts].index(True))
        encoder.push(symbols[-1], table)
    decoder = ArithmeticDecoder(encoder.finish())
    with pytest.raises(ValueError, match="leave too many bits undecided"):
        for symbol in symbols:
            assert decoder.pull(table) == symbol
    assert 4096 < decoder.pending < 4200
