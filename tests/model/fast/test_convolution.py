"""The fast convolutions: outputs and states of the taught ones, by every way they compute."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from in_pieces import assert_same, cut, modes, pieces
from torch import nn

from minicodec.model.conv import Conv1d, ConvTranspose1d
from minicodec.model.fast import convolution
from minicodec.model.fast.convolution import FastConv, FastUp

ways = pytest.mark.parametrize("little", [0, 2**30], ids=["image", "matrix product"])
sizes = st.integers(1, 5)


@ways
@torch.no_grad()
def test_a_fast_convolution_streams_as_the_taught_one(monkeypatch, little):
    """Outputs and states, so that either can go on where the other one stopped."""
    monkeypatch.setattr(convolution, "is_little", lambda x: x.numel() < little)

    @given(
        sizes, sizes, st.sampled_from([1, 1, 3]), st.integers(1, 8), st.integers(1, 5),
        st.integers(1, 3), modes, st.booleans(), st.integers(1, 120), pieces,
    )  # fmt: skip
    @settings(max_examples=200)
    def same(batch, channels, out, kernel, stride, dilation, mode, activated, length, lengths):
        kernel, dilation = max(kernel, stride), dilation if stride == 1 else 1
        conv = Conv1d(channels, out, kernel, stride, dilation, pad_mode=mode)
        nn.init.normal_(conv.bias)
        fast = FastConv(conv, activated)
        mine = theirs = None
        for piece, last in cut(torch.randn(batch, channels, length), lengths):
            given_ = nn.functional.elu(piece) if activated else piece
            expected, theirs = conv.stream(given_, theirs, last)
            y, mine = fast(piece.mT.contiguous(), mine, last)
            assert_same(y.mT, expected)
            assert_same(mine.past, theirs.past)
            assert mine.started == theirs.started
            mine, theirs = theirs, mine  # each goes on with the other's

    same()


@ways
@torch.no_grad()
def test_a_fast_transposed_convolution_streams_as_the_taught_one(monkeypatch, little):
    monkeypatch.setattr(convolution, "is_little", lambda x: x.numel() < little)

    @given(sizes, sizes, sizes, st.integers(1, 9), st.integers(1, 5), st.integers(1, 60), pieces,
           st.booleans())  # fmt: skip
    @settings(max_examples=200)
    def same(batch, channels, out, kernel, stride, length, lengths, twice):
        kernel = 2 * stride if twice else max(kernel, stride)
        up = ConvTranspose1d(channels, out, kernel, stride)
        nn.init.normal_(up.bias)
        fast = FastUp(up)
        mine = theirs = None
        for piece, last in cut(torch.randn(batch, channels, length), lengths):
            expected, theirs = up.stream(nn.functional.elu(piece), theirs)
            y, mine = fast(piece.mT.contiguous(), mine, last)
            assert_same(y.mT, expected)
            assert_same(mine, theirs)
            mine, theirs = theirs, mine

    same()


@torch.no_grad()
@pytest.mark.parametrize("length", [1, 50, 30000])
def test_bfloat16_is_the_same_within_its_eight_bits(length):
    conv, up = Conv1d(4, 6, 4, 2), ConvTranspose1d(4, 6, 4, 2)
    x = torch.randn(1, 4, length)
    for layer, fast, given_ in (
        (conv, FastConv(conv, dtype=torch.bfloat16), x),
        (up, FastUp(up, torch.bfloat16), nn.functional.elu(x)),
    ):
        expected = layer.stream(given_, None)[0]
        y, _ = fast(x.mT.contiguous().bfloat16(), None, False)
        assert y.dtype == torch.bfloat16
        torch.testing.assert_close(y.mT.float(), expected, atol=0.1, rtol=0.05)
