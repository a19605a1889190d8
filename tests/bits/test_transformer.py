"""Layers that look at a bounded past: by pieces as at once, and like torch's own layer."""

import math

import pytest
import torch
from torch import nn

from minicodec.bits.transformer import Layer, Layers, position_embedding, visible

SIZES = {"dim": 16, "heads": 2, "hidden": 24, "context": 5}


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


def test_what_is_visible():
    mask = visible(3, 5, context=2).int().tolist()
    assert mask == [[1, 1, 1, 0, 0], [0, 1, 1, 1, 0], [0, 0, 1, 1, 1]]


def test_positions_are_waves_from_one_radian_to_a_ten_thousandth_per_frame():
    embedding = position_embedding(torch.tensor([0.0, 3.0]), 16)
    assert embedding.shape == (2, 16)
    assert embedding[0].tolist() == [1.0] * 8 + [0.0] * 8
    assert float(embedding[1, 0]) == pytest.approx(math.cos(3.0), abs=1e-6)
    assert float(embedding[1, 15]) == pytest.approx(math.sin(3e-4), abs=1e-8)


@torch.no_grad()
def test_a_layer_is_that_of_torch_where_the_mask_is_the_same():
    ours = Layer(**SIZES)
    theirs = nn.TransformerEncoderLayer(16, 2, 24, 0.0, "gelu", batch_first=True)
    names = {"qkv.": "self_attn.in_proj_", "out.": "self_attn.out_proj.", "up.": "linear1.",
             "down.": "linear2.", "norm1.": "norm1.", "norm2.": "norm2."}  # fmt: skip
    weights = {}
    for name, tensor in ours.state_dict().items():
        part = name.split(".")[0] + "."
        weights[name.replace(part, names[part])] = tensor
    theirs.load_state_dict(weights)
    x, empty = torch.randn(2, 12, 16), torch.zeros(2, 2, 0, 8)
    expected = theirs(x, src_mask=~visible(12, 12, SIZES["context"]))  # True hides there
    assert torch.allclose(ours(x, empty, empty)[0], expected, atol=1e-6)


@torch.no_grad()
@pytest.mark.parametrize("cuts", [(1,) * 12, (5, 7), (11, 1)])
def test_pieces_equal_the_whole_and_only_what_is_visible_is_kept(cuts):
    layers = Layers(3, **SIZES)
    x = torch.randn(2, 12, 16)
    whole, _, _ = layers(x, *layers.start(2))
    keys, values = layers.start(2)
    pieces = []
    for piece in x.split(cuts, dim=1):
        y, keys, values = layers(piece, keys, values)
        pieces.append(y)
    assert torch.allclose(torch.cat(pieces, 1), whole, atol=1e-6)
    assert len(keys) == len(values) == 3
    assert all(past.shape == (2, 2, SIZES["context"], 8) for past in (*keys, *values))


@torch.no_grad()
def test_the_past_begins_with_a_frame_of_zeros():
    layers = Layers(2, **SIZES)
    keys, values = layers.start(1)
    _, key, value = layers[0].split(layers[0].qkv(torch.zeros(1, 1, 16)))
    assert torch.equal(keys[0], key) and torch.equal(values[0], value)
