"""Each layer as nodes is the taught layer: whole and in pieces, with the state that it carries."""

import numpy as np
import pytest
import torch
from in_pieces import assert_same, assert_same_codes
from onnx_exports import in_pieces, state_shapes, steps_of
from onnx_step import Step
from torch import nn

from minicodec.model import onnx_layers
from minicodec.model.conv import Conv1d, ConvTranspose1d
from minicodec.model.factorized import FactorizedQuantizer
from minicodec.model.onnx_graph import FLOAT, INT32
from minicodec.model.quantize import ResidualVectorQuantizer
from minicodec.model.seanet import ResidualBlock, SkipLSTM

KINDS = [ResidualVectorQuantizer, FactorizedQuantizer]
#: Frames of the pieces into which a clip of twelve is cut, in turn.
CUTS = [[12], [1], [2, 5, 1], [7, 4]]


def sequence(layers: list[nn.Module], channels: int, folder) -> Step:
    """Layers one after another, as steps."""
    return steps_of(
        {f"net.{index}": layer for index, layer in enumerate(layers)},
        lambda graph, x: onnx_layers.layers(graph, "net", layers, x),
        ((1, channels, "t"), (1, "c", "n")),
        (FLOAT, FLOAT),
        folder,
    )


def compare(layers, channels, unit, folder) -> Step:
    """Run both on the same clip, in all cuts."""
    torch.manual_seed(0)
    steps = sequence(layers, channels, folder)
    x = torch.randn(1, channels, 12 * unit)
    with torch.no_grad():
        whole = nn.Sequential(*layers)(x)
    for cut in CUTS:
        assert_same(torch.from_numpy(in_pieces(steps, x.numpy(), cut, unit)), whole)
    return steps


@pytest.mark.parametrize(
    ("kernel", "stride", "dilation", "past"),
    [(1, 1, 1, 0), (3, 1, 1, 2), (7, 1, 1, 6), (3, 1, 4, 8), (4, 2, 1, 2), (2, 1, 1, 1),
     (10, 5, 1, 5), (5, 5, 1, 0)],
)  # fmt: skip
def test_convolutions(tmp_path, kernel, stride, dilation, past):
    layer = Conv1d(3, 5, kernel, stride, dilation)
    nn.init.normal_(layer.bias)
    steps = compare([layer], 3, stride, tmp_path)
    assert state_shapes(steps) == ([[1, 3, past]] if past else [])


@pytest.mark.parametrize(("kernel", "stride"), [(4, 2), (2, 1), (16, 8), (3, 3), (7, 3)])
def test_transposed_convolutions(tmp_path, kernel, stride):
    """Also those that paint over more than the next frame, or over none."""
    layer = ConvTranspose1d(3, 5, kernel, stride)
    nn.init.normal_(layer.bias)
    steps = compare([layer], 3, 1, tmp_path)
    assert state_shapes(steps) == ([[1, 5, kernel - stride]] if kernel > stride else [])


@pytest.mark.parametrize("dilation", [1, 4])
def test_residual_blocks(tmp_path, dilation):
    steps = compare([nn.ELU(), ResidualBlock(6, dilation=dilation)], 6, 1, tmp_path)
    assert state_shapes(steps) == [[1, 6, 2 * dilation]]


@pytest.mark.parametrize("n_layers", [1, 3])
def test_lstms(tmp_path, n_layers):
    steps = compare([SkipLSTM(6, n_layers)], 6, 1, tmp_path)
    assert state_shapes(steps) == [[1, 1, 6]] * 2 * n_layers


def built(kind) -> nn.Module:
    torch.manual_seed(0)
    return kind(dim=6, n_q=3, codebook_size=16).eval()


@pytest.mark.parametrize("kind", KINDS)
def test_codes(tmp_path, kind):
    quantizer = built(kind)
    steps = steps_of(
        {"q": quantizer},
        lambda graph, x: onnx_layers.quantize(graph, "q", quantizer, x),
        ((1, 6, "n"), (1, 3, "n")),
        (FLOAT, INT32),
        tmp_path,
    )
    latents = torch.randn(1, 6, 200)
    latents[..., :7] = 0
    codes, states = steps(latents.numpy())
    assert states == [] and codes.dtype == np.int32
    with torch.no_grad():
        ours, theirs = torch.from_numpy(codes).long(), quantizer.encode(latents)
        assert_same_codes(quantizer, ours, theirs, latents)


@pytest.mark.parametrize("kind", KINDS)
def test_vectors_of_any_number_of_levels_and_muted_ones(tmp_path, kind):
    quantizer = built(kind)
    steps = steps_of(
        {"q": quantizer},
        lambda graph, x: onnx_layers.dequantize(graph, "q", quantizer, x),
        ((1, "k", "n"), (1, 6, "n")),
        (INT32, FLOAT),
        tmp_path,
    )
    codes = torch.randint(16, (1, 3, 50))
    with torch.no_grad():
        for levels in (1, 2, 3):
            some = codes[:, :levels]
            found, _ = steps(some.int().numpy())
            assert_same(torch.from_numpy(found), quantizer.decode(some))
        each = [book.decode(index) for book, index in zip(quantizer.codebooks, codes.unbind(1))]
        for muted in range(3):
            silent = codes.clone()
            silent[:, muted] = 16
            found, _ = steps(silent.int().numpy())
            others = sum(vector for level, vector in enumerate(each) if level != muted)
            assert_same(torch.from_numpy(found), others.transpose(1, 2))
        nothing, _ = steps(np.full((1, 3, 4), 16, np.int32))
        assert not nothing.any()
