"""Fixtures that tests of the model share: each codec plain and fast."""

import pytest
import torch
from small_codecs import KINDS, in_segments

from minicodec.model.codec import Codec
from minicodec.model.config import CodecConfig

both_kinds = [(pad, kind) for pad in ("constant", "reflect") for kind in KINDS]


@pytest.fixture(scope="module", params=both_kinds, ids="-".join)
def codec(request):
    """A codec that streams."""
    torch.manual_seed(0)
    pad_mode, kind = request.param
    config = CodecConfig(n_filters=4, dimension=16, bandwidths=(1.5, 6.0), pad_mode=pad_mode)
    return KINDS[kind](Codec(config).eval())


@pytest.fixture(scope="module", params=KINDS)
def segmented(request):
    """A codec that works segment by segment, with scales."""
    return KINDS[request.param](in_segments(normalize=True))
