"""Fixtures that tests of the model share: each codec plain and fast."""

import pytest
import torch
from small_codecs import KINDS, in_segments

from minicodec.model.codec import Codec
from minicodec.model.config import CodecConfig

STREAMING = [(pad, kind) for pad in ("constant", "reflect") for kind in KINDS]
SEGMENTED = [("segmented", kind) for kind in KINDS]


def built(way: str, kind: str) -> Codec:
    """A small codec with random weights, the same ones every time."""
    if way == "segmented":
        return KINDS[kind](in_segments(normalize=True))
    torch.manual_seed(0)
    config = CodecConfig(n_filters=4, dimension=16, bandwidths=(1.5, 6.0), pad_mode=way)
    return KINDS[kind](Codec(config).eval())


@pytest.fixture(scope="module", params=STREAMING, ids="-".join)
def codec(request):
    """A codec that streams layer by layer."""
    return built(*request.param)


@pytest.fixture(scope="module", params=SEGMENTED, ids="-".join)
def segmented(request):
    """A codec that works segment by segment, with scales."""
    return built(*request.param)


@pytest.fixture(scope="module", params=[*STREAMING, *SEGMENTED], ids="-".join)
def any_codec(request):
    """One of all these."""
    return built(*request.param)
