"""Time before channels: the same convolutions and activations, by every way they are computed."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from minicodec.model.fast import time_major
from minicodec.model.fast.elu import ELU
from minicodec.model.fast.time_major import Strokes, Windows, joined

ways = pytest.mark.parametrize("little", [0, 2**30], ids=["image", "matrix product"])
sizes = st.integers(1, 6)


def both_ways(monkeypatch, little):
    monkeypatch.setattr(time_major, "_is_little", lambda x, weight: x.numel() < little)


@ways
@torch.no_grad()
def test_windows_are_a_convolution(monkeypatch, little):
    both_ways(monkeypatch, little)

    @given(sizes, sizes, sizes, st.integers(1, 8), st.integers(1, 5), st.integers(1, 3), sizes)
    @settings(max_examples=150)
    def equal(batch, channels, out, taps, stride, dilation, windows):
        length = (windows - 1) * stride + (taps - 1) * dilation + 1
        x, weight = torch.randn(batch, channels, length), torch.randn(out, channels, taps)
        bias = torch.randn(out) if taps % 2 else None
        y = Windows()(x.mT.contiguous(), weight, bias, stride, dilation)
        torch.testing.assert_close(
            y.mT, F.conv1d(x, weight, bias, stride, 0, dilation), atol=1e-5, rtol=1e-5
        )

    equal()


@ways
@torch.no_grad()
def test_strokes_are_a_transposed_convolution(monkeypatch, little):
    both_ways(monkeypatch, little)

    @given(sizes, sizes, sizes, st.integers(1, 8), st.integers(1, 5), sizes)
    @settings(max_examples=150)
    def equal(batch, channels, out, taps, stride, frames):
        taps = max(taps, stride)
        x, weight = torch.randn(batch, channels, frames), torch.randn(channels, out, taps)
        bias = torch.randn(out) if taps % 2 else None
        y = Strokes()(x.mT.contiguous(), weight, bias, stride)
        torch.testing.assert_close(
            y.mT, F.conv_transpose1d(x, weight, bias, stride), atol=1e-5, rtol=1e-5
        )

    equal()


def test_weights_that_change_are_noticed():
    windows, weight, x = Windows(), torch.ones(1, 1, 2), torch.ones(1, 5, 1)
    assert windows(x, weight, None, 1, 1).unique().item() == 2
    weight[:] = 3
    assert windows(x, weight, None, 1, 1).unique().item() == 6


@pytest.mark.parametrize("length", [0, 1, 100, 5000, 70001])  # none, torch's own, one block, more
@pytest.mark.parametrize("inplace", [False, True])
@pytest.mark.parametrize("first", ["channels", "time"])
def test_the_activation_is_elu(length, inplace, first):
    x = 3 * torch.randn(2, 5, length)
    x = x if first == "channels" else x.mT.contiguous().mT
    expected = F.elu(x)
    y = ELU(inplace)(x)
    torch.testing.assert_close(y, expected, atol=3e-7, rtol=0)
    assert y.stride() == x.stride() and (y.data_ptr() == x.data_ptr()) == (inplace or not length)


@pytest.mark.parametrize("length", [0, 7, 50000])
@pytest.mark.parametrize("past", [0, 3])
def test_joined_is_cat(past, length):
    before, x = torch.randn(2, 4, past), torch.randn(2, 4, length)
    kept = x.clone()
    both = joined(before, x)
    assert torch.equal(both.mT, torch.cat([before, x], dim=-1))
    active = joined(before, x, ELU())
    torch.testing.assert_close(active.mT, torch.cat([before, F.elu(x)], dim=-1), atol=3e-7, rtol=0)
    assert torch.equal(x, kept)
