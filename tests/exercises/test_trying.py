"""Numbers are drawn with both ends; gradients are told where they arrive, and zero elsewhere."""

import pytest
import torch

from minicodec.exercises.limited import Failed
from minicodec.exercises.trying import draw, value_and_gradients


def test_both_ends_are_drawn():
    generator = torch.Generator().manual_seed(0)
    assert {draw(generator, 3, 5) for _ in range(50)} == {3, 4, 5}


def test_a_gradient_is_zero_where_none_arrives():
    a, b = torch.ones(2, requires_grad=True), torch.ones(3, requires_grad=True)
    found = value_and_gradients(2 * a, torch.tensor([5.0, 1.0]), {"a": a, "b": b})
    assert found["value"].tolist() == [2, 2] and not found["value"].requires_grad
    assert found["a"].tolist() == [10, 2] and found["b"].tolist() == [0, 0, 0]


def test_an_answer_without_gradient_has_none_anywhere():
    a = torch.ones(2, requires_grad=True)
    assert value_and_gradients(a.detach(), torch.ones(2), {"a": a})["a"].tolist() == [0, 0]


def test_of_another_shape_the_value_alone_is_told():
    a = torch.ones(2, requires_grad=True)
    found = value_and_gradients(a[:1], torch.ones(2), {"a": a})
    assert found["value"].shape == (1,) and found["a"].tolist() == [0, 0]


def test_what_is_no_tensor_is_named():
    assert value_and_gradients(None, torch.ones(2), {}) is None
    with pytest.raises(Failed, match=r"Expected a tensor \[2\], got list, which carries no gradi"):
        value_and_gradients([1.0], torch.ones(2), {})
