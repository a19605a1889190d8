"""What the checks of chapter 15 count as right is the official package's own naming and fading."""

import warnings

import pytest
import torch

from minicodec.exercises.exercise import find
from minicodec.model.checkpoint import fold_weight_norm
from minicodec.model.codec import Codec
from minicodec.model.config import ENCODEC_24KHZ, ENCODEC_48KHZ


@pytest.mark.parametrize(
    ("name", "config"), [("encodec_24khz", ENCODEC_24KHZ), ("encodec_48khz", ENCODEC_48KHZ)]
)
def test_renaming_meets_every_name_of_an_official_model(name, config):
    encodec = pytest.importorskip("encodec")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        build = getattr(encodec.EncodecModel, name.replace("_", "_model_"))
        theirs = build(pretrained=False).state_dict()
    renamed = {find("15.rename").answer(key) for key in theirs}
    ours = set(fold_weight_norm(Codec(config)).state_dict())
    lengths = {key for key in renamed if key.endswith(".weight_g")}
    assert {key.replace("weight_v", "weight") for key in renamed - lengths} == ours
    assert len(renamed) == len(theirs)


def test_fading_is_the_official_one():
    utils = pytest.importorskip("encodec.utils")
    segments = [torch.randn(1, 2, size) for size in (16, 16, 13)]
    joined = find("15.cross_fade").answer(segments, 11)
    assert torch.allclose(joined, utils._linear_overlap_add(segments, 11), atol=1e-6)
