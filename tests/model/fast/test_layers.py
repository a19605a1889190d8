"""Fast residual blocks, LSTM and codebooks: outputs and states of the taught ones."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from in_pieces import assert_same, cut, modes, pieces
from torch import nn

from minicodec.model.fast import layers
from minicodec.model.fast.layers import FastBlock, FastCodebooks, FastLSTM
from minicodec.model.quantize import ResidualVectorQuantizer
from minicodec.model.seanet import ResidualBlock, SkipLSTM


@torch.no_grad()
@given(st.integers(1, 3), st.integers(1, 4), modes, st.integers(1, 80), pieces)
@settings(max_examples=150)
def test_a_block(batch, dilation, mode, length, lengths):
    block = ResidualBlock(4, dilation=dilation, pad_mode=mode)
    for parameter in block.parameters():
        nn.init.normal_(parameter, std=0.5)
    fast = FastBlock(block)
    mine = theirs = None
    for piece, last in cut(torch.randn(batch, 4, length), lengths):
        expected, theirs = block.stream(piece, theirs, last)
        y, mine = fast(piece.mT.contiguous(), mine, last)
        assert_same(y.mT, expected)
        assert_same(mine[0], theirs[0])
        mine, theirs = theirs, mine


@pytest.mark.parametrize("few", [0, 12, 1000], ids=["library", "both", "steps"])
@torch.no_grad()
def test_the_lstm(monkeypatch, few):
    monkeypatch.setattr(layers, "_FEW", few)

    @given(st.integers(1, 3), st.integers(1, 3), st.integers(1, 80), pieces)
    @settings(max_examples=60)
    def same(batch, n_layers, length, lengths):
        lstm = SkipLSTM(5, n_layers)
        fast = FastLSTM(lstm)
        mine = theirs = None
        for piece, last in cut(torch.randn(batch, 5, length), lengths):
            expected, theirs = lstm.stream(piece, theirs)
            y, mine = fast(piece.mT.contiguous(), mine, last)
            assert_same(y.mT, expected)
            if theirs is not None:
                assert_same(mine[0], theirs[0])
                assert_same(mine[1], theirs[1])
            mine, theirs = theirs, mine

    same()


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@torch.no_grad()
def test_packed_weights_give_the_same_numbers(dtype):
    skip = SkipLSTM(6, 2).to(dtype)
    weights = layers.packed(skip.lstm)
    if not weights:
        pytest.skip("this torch has no packed weights")
    for length, batch in ((12, 1), (75, 3)):
        x, state = torch.randn(batch, length, 6, dtype=dtype).transpose(0, 1), None
        for _ in range(2):
            y, new = layers.through_packed(weights, x, state)
            expected, theirs = skip.lstm(x, state)
            assert torch.equal(y, expected)
            assert torch.equal(new[0], theirs[0]) and torch.equal(new[1], theirs[1])
            state = new


@torch.no_grad()
def test_without_packed_weights_the_library_is_asked(monkeypatch):
    expected = FastLSTM(skip := SkipLSTM(6, 2))(x := torch.randn(2, 30, 6), None, False)
    for broken in (AttributeError, RuntimeError):

        def fails(*_, broken=broken, **__):
            raise broken

        monkeypatch.setattr(layers, "through_packed", fails)
        fast = FastLSTM(skip)
        assert fast.packed == []
        assert_same(fast(x, None, False)[0], expected[0])
    monkeypatch.setattr(layers, "through_packed", lambda weights, x, state: (x + 1, state))
    assert FastLSTM(skip).packed == []  # other numbers than the library's


@torch.no_grad()
@given(st.integers(1, 3), st.integers(1, 40), st.integers(1, 6))
@settings(max_examples=60)
def test_codebooks(batch, frames, n_q):
    quantizer = ResidualVectorQuantizer(dim=6, n_q=6, codebook_size=32)
    fast, x = FastCodebooks(quantizer), torch.randn(batch, 6, frames)
    codes = fast.encode(x.mT, n_q)
    residual = x.mT
    for level, book in enumerate(quantizer.codebooks):
        if level < n_q:  # the nearest entry, or one that is as near as rounding can tell
            distance = torch.cdist(residual, book.embedding.expand(batch, -1, -1))
            chosen = distance.gather(2, codes[:, level, :, None])[..., 0]
            torch.testing.assert_close(chosen, distance.amin(2), atol=1e-4, rtol=1e-4)
            residual = residual - book.decode(codes[:, level])
    torch.testing.assert_close(fast.decode(codes).mT, quantizer.decode(codes))
