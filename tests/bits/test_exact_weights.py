"""Integers, scales and tables: what could not be exact is refused."""

import dataclasses
import math

import pytest
import torch
from exact_models import CONFIG, PAPER, sharpened

from minicodec.bits.exact import ExactLanguageModel, exact_copy
from minicodec.bits.exact_weights import ACTIVATION, LIMIT, POSITIONS
from minicodec.bits.language_model import LanguageModel


@pytest.fixture(scope="module")
def model() -> ExactLanguageModel:
    return exact_copy(sharpened())


def test_sums_stay_in_range():
    """The worst that weights and limits allow is still exact."""
    config = dataclasses.replace(PAPER, layers=1, hidden=1040)
    floats = LanguageModel(config)
    for weight in floats.parameters():
        weight.data.fill_(1.0)  # every row as long as it can be
    model = exact_copy(floats)
    for name, tensor in model.tensors.items():
        if name.endswith(".weight"):
            assert int(tensor.int().abs().sum(1).max()) * ACTIVATION < 2**24
    assert config.dim**2 * LIMIT**2 < 2**49


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("exp", None, "has a tensor 'exp'"),
        ("more", torch.zeros(1), "has no tensor 'more'"),
        ("norm.gain", torch.zeros(3, dtype=torch.float64), r"norm.gain should be float64 \[48\]"),
        ("positions", torch.zeros(POSITIONS, 48), "should be int16"),
        ("norm.bias", torch.full((48,), math.nan, dtype=torch.float64), "not finite"),
        ("norm.bias", torch.full((48,), 1e12, dtype=torch.float64), "far too large"),
        ("norm.epsilon", torch.tensor(0.5, dtype=torch.float64), "epsilon is an integer"),
        ("exp", torch.zeros(1473, dtype=torch.int32), "should fall from 2"),
    ],
)
def test_wrong_tensors(model, name, change, message):
    tensors = dict(model.tensors)
    if change is None:
        del tensors[name]
    else:
        tensors[name] = change
    with pytest.raises(ValueError, match=message):
        ExactLanguageModel(CONFIG, tensors)


def test_rows_that_could_leave_the_exact_range_are_refused():
    config = dataclasses.replace(CONFIG, hidden=2048)
    tensors = dict(exact_copy(LanguageModel(config)).tensors)
    tensors["layers.1.down.weight"] = torch.full((48, 2048), 127, dtype=torch.int8)
    with pytest.raises(ValueError, match="float32 is exact only below"):
        ExactLanguageModel(config, tensors)


def test_models_too_wide_or_not_finite():
    with pytest.raises(ValueError, match="at most 512 channels"):
        exact_copy(LanguageModel(dataclasses.replace(CONFIG, dim=640, layers=1)))
    far = dataclasses.replace(CONFIG, frame_rate=1000, seconds=4.5)
    with pytest.raises(ValueError, match="looks back over at most 4095 frames, but this over 4500"):
        exact_copy(LanguageModel(far))
    broken = sharpened()
    broken.heads.weight[0, 0] = math.nan
    with pytest.raises(ValueError, match="NaN or infinite"):
        exact_copy(broken)
