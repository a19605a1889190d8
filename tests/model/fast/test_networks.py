"""Fast encoder and decoder: the taught ones' outputs and states, in pieces and in tiles."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from in_pieces import cut, long_pieces

from minicodec.model.checkpoint import fold_weight_norm
from minicodec.model.config import CodecConfig
from minicodec.model.fast.networks import FastNetwork
from minicodec.model.seanet import Decoder, Encoder

SHAPES = {
    "zeros": {},
    "mirrored": dict(pad_mode="reflect"),
    "three blocks": dict(n_residual_layers=3),
    "stereo, no LSTM": dict(channels=2, lstm_layers=0),
    "one stage": dict(strides=(3,)),
    "stride of one": dict(strides=(2, 1, 3)),
    "no stride but one": dict(strides=(1,)),
}


@pytest.fixture(scope="module", params=SHAPES)
def pair(request):
    torch.manual_seed(0)
    config = CodecConfig(n_filters=2, dimension=6, **SHAPES[request.param])
    return [
        (fold_weight_norm(kind(config)).eval(), config.channels if kind is Encoder else 6)
        for kind in (Encoder, Decoder)
    ], config.hop_length


def close(a, b):
    """Up to 1e-5 of the largest value, since sums are rounded as finely as their largest parts."""
    largest = float(b.abs().amax()) if b.numel() else 0.0
    torch.testing.assert_close(a, b, atol=1e-5 * max(1.0, largest), rtol=1e-5)


def same_states(a, b):
    assert type(a) is type(b) or {type(a), type(b)} <= {list, tuple}
    if isinstance(a, torch.Tensor):
        close(a, b)
    elif isinstance(a, (list, tuple)):
        assert len(a) == len(b)
        for mine, theirs in zip(a, b):
            same_states(mine, theirs)
    else:
        assert a == b


@torch.no_grad()
@given(st.integers(1, 2000), long_pieces(0, 900))
@settings(max_examples=25)
def test_they_stream_as_the_taught_ones(pair, length, lengths):
    """Outputs and states, and each goes on where the other one stopped."""
    networks, hop = pair
    torch.manual_seed(length)
    for network, channels in networks:
        fast = FastNetwork(network, hop)
        if isinstance(network, Decoder):
            length, lengths = 1 + length // 40, [1 + n // 40 for n in lengths]
        mine = theirs = None
        for piece, last in cut(torch.randn(1, channels, length), lengths):
            expected, theirs = network.stream(piece, theirs, last)
            y, mine = fast(piece.mT.contiguous(), mine, last)
            close(y.mT, expected)
            same_states(mine, theirs)
            mine, theirs = theirs, mine


@torch.no_grad()
def test_tiles_leave_no_seams(pair):
    networks, hop = pair
    for network, channels in networks:
        length = 200 * hop + 3 if isinstance(network, Encoder) else 203
        x = torch.randn(2, channels, length)
        y, _ = FastNetwork(network, hop)(x.mT.contiguous(), None, True)
        close(y.mT, network(x))


@torch.no_grad()
def test_bfloat16_keeps_float32_outside(pair):
    networks, hop = pair
    for network, channels in networks:
        fast = FastNetwork(network, hop, torch.bfloat16)
        x = torch.randn(1, channels, 9 * hop if isinstance(network, Encoder) else 9)
        y, states = fast(x.mT.contiguous(), None, False)
        z, _ = fast(x.mT.contiguous(), states, True)
        assert y.dtype == z.dtype == torch.float32
        expected = network(torch.cat([x, x], -1))
        y = torch.cat([y, z], 1).mT
        assert (y - expected).square().mean() < 1e-3 * expected.square().mean()
        network.stream(x, states, True)  # the taught network takes such states
