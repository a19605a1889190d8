"""The quick activation is ELU, for every size and in every place."""

import pytest
import torch
import torch.nn.functional as F

from minicodec.model.fast.activation import QuickELU, elu_into

lengths = pytest.mark.parametrize("length", [0, 1, 100, 5000, 70001])  # none, one call, blocks


@lengths
@pytest.mark.parametrize("order", ["channels", "time"])
def test_it_is_elu(length, order):
    x = 3 * torch.randn(2, 5, length)
    x = x if order == "channels" else x.mT.contiguous()
    kept = x.clone()
    torch.testing.assert_close(QuickELU()(x), F.elu(kept), atol=3e-7, rtol=0)
    assert torch.equal(x, kept)
    y = QuickELU(inplace=True)(x)
    torch.testing.assert_close(y, F.elu(kept), atol=3e-7, rtol=0)
    assert y.data_ptr() == x.data_ptr()


@lengths
def test_it_is_written_where_one_wants_it(length):
    x = 3 * torch.randn(2, length, 5)
    place = torch.zeros(2, length + 3, 5)
    elu_into(x, place[:, 3:])
    torch.testing.assert_close(place[:, 3:], F.elu(x), atol=3e-7, rtol=0)
    assert not place[:, :3].any()
    expected = F.elu(x)
    torch.testing.assert_close(elu_into(x, x), expected, atol=3e-7, rtol=0)


def test_where_gradients_flow_it_is_the_librarys():
    x = torch.randn(100_000, requires_grad=True)
    QuickELU()(x).sum().backward()
    torch.testing.assert_close(x.grad, torch.where(x > 0, 1.0, x.detach().exp()))


def test_eight_bits_near_zero_are_not_lost():
    x = torch.linspace(-0.02, 0.02, 9000).bfloat16()
    torch.testing.assert_close(QuickELU()(x).float(), F.elu(x.float()), atol=0, rtol=2**-7)
