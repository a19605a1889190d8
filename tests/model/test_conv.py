"""Lengths, causality and weight norm of the convolutions; pieces give what the whole gives."""

import copy
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from in_pieces import assert_same, modes, pieces, streamed
from torch import nn

from minicodec.model.checkpoint import fold_weight_norm
from minicodec.model.conv import Conv1d, ConvTranspose1d, extra_padding, pad1d

kernels = st.integers(1, 9)
lengths = st.integers(1, 70)


@given(lengths, kernels, st.integers(1, 5), st.integers(1, 3), st.booleans(),
       st.sampled_from(["constant", "reflect"]))  # fmt: skip
@settings(max_examples=150, deadline=None)
def test_conv_gives_ceil_of_length_over_stride(length, kernel, stride, dilation, causal, mode):
    kernel = max(kernel, stride)
    dilation = dilation if stride == 1 else 1
    conv = Conv1d(2, 3, kernel, stride, dilation, causal=causal, pad_mode=mode)
    assert conv(torch.randn(2, 2, length)).shape == (2, 3, math.ceil(length / stride))


@given(lengths, kernels, st.integers(1, 5), st.booleans())
@settings(max_examples=80, deadline=None)
def test_transposed_conv_gives_length_times_stride(length, kernel, stride, causal):
    kernel = max(kernel, stride)
    up = ConvTranspose1d(2, 3, kernel, stride, causal=causal)
    assert up(torch.randn(2, 2, length)).shape == (2, 3, length * stride)


@given(lengths, kernels, st.integers(1, 3), st.data())
@settings(max_examples=60, deadline=None)
def test_a_causal_output_ignores_the_future(length, kernel, dilation, data):
    moment = data.draw(st.integers(0, length - 1))
    x = torch.randn(1, 2, length)
    changed = x.clone()
    changed[..., moment + 1 :] += 1
    conv = Conv1d(2, 2, kernel, dilation=dilation)
    a, b = conv(x), conv(changed)
    torch.testing.assert_close(a[..., : moment + 1], b[..., : moment + 1])
    up = ConvTranspose1d(2, 2, 4, 2)
    torch.testing.assert_close(up(x)[..., : 2 * moment + 2], up(changed)[..., : 2 * moment + 2])


def test_a_non_causal_output_does_not():
    x = torch.randn(1, 1, 20)
    changed = x.clone()
    changed[..., 11] += 1
    conv = Conv1d(1, 1, 5, causal=False)
    assert not torch.equal(conv(x)[..., 10], conv(changed)[..., 10])


@given(lengths, st.integers(0, 9), st.integers(0, 9))
@settings(max_examples=100, deadline=None)
def test_pad1d_is_the_official_one(length, left, right):
    from encodec.modules.conv import pad1d as official

    x = torch.randn(1, 2, length)
    for mode in ("constant", "reflect"):
        assert torch.equal(pad1d(x, left, right, mode), official(x, (left, right), mode))


@given(st.integers(1, 500), st.integers(1, 9))
def test_extra_padding_is_the_official_one(length, stride):
    from encodec.modules.conv import get_extra_padding_for_conv1d as official

    x = torch.zeros(1, 1, length)
    assert extra_padding(length, stride) == official(x, 2 * stride, stride, stride)


def test_weight_norm_is_torchs_and_folds_without_a_trace():
    conv = Conv1d(3, 4, 5, norm="weight_norm")
    reference = nn.utils.parametrizations.weight_norm(nn.Conv1d(3, 4, 5))
    reference.load_state_dict(conv.state_dict())
    x = torch.randn(1, 3, 30)
    assert torch.equal(conv(x), reference(pad1d(x, 4, 0)))
    before = conv(x)
    fold_weight_norm(conv)
    assert sorted(conv.state_dict()) == ["bias", "weight"]
    assert torch.equal(conv(x), before)


def test_time_group_norm_cannot_be_causal():
    with pytest.raises(ValueError, match="whole clip, future included"):
        Conv1d(1, 2, 3, norm="time_group_norm", causal=True)


def test_unknown_norm_is_named():
    with pytest.raises(ValueError, match="'batch_norm' was given"):
        ConvTranspose1d(1, 2, 3, norm="batch_norm")


def test_folding_a_copy_leaves_the_original_whole():
    conv, x = Conv1d(3, 4, 5, norm="weight_norm"), torch.randn(1, 3, 30)
    before = conv(x)
    for _ in range(2):
        folded = fold_weight_norm(copy.deepcopy(conv))
        assert torch.equal(folded(x), before) and torch.equal(conv(x), before)
    assert "parametrizations.weight.original0" in conv.state_dict()


@torch.no_grad()
@given(st.integers(1, 120), pieces, st.integers(1, 9), st.integers(1, 4), st.booleans())
@settings(max_examples=300, deadline=None)
def test_conv_with_zero_padding(length, chunks, kernel, stride, dilated):
    kernel, dilation = max(kernel, stride), 2 if dilated and stride == 1 else 1
    conv = Conv1d(2, 3, kernel, stride, dilation, norm="weight_norm")
    x = torch.randn(2, 2, length)
    assert_same(streamed(conv.stream, x, chunks), conv(x))


@torch.no_grad()
@given(st.integers(1, 120), pieces, st.integers(1, 5), modes)
@settings(max_examples=200, deadline=None)
def test_conv_as_the_codec_uses_it(length, chunks, stride, mode):
    conv = Conv1d(2, 3, 2 * stride, stride, pad_mode=mode)
    x = torch.randn(1, 2, length)
    assert_same(streamed(conv.stream, x, chunks), conv(x))


@torch.no_grad()
@given(st.integers(1, 60), pieces, st.integers(1, 9), st.integers(1, 5))
@settings(max_examples=200, deadline=None)
def test_transposed_conv(length, chunks, kernel, stride):
    up = ConvTranspose1d(2, 3, max(kernel, stride), stride, norm="weight_norm")
    x = torch.randn(2, 2, length)
    assert_same(streamed(up.stream, x, chunks, last=False), up(x))


def test_only_causal_layers_stream():
    for layer in (Conv1d(1, 1, 3, causal=False), ConvTranspose1d(1, 1, 4, 2, causal=False)):
        with pytest.raises(ValueError, match="only a causal one can stream"):
            layer.stream(torch.randn(1, 1, 9))
