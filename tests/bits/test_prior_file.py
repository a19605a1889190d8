"""The prior as a file: what `for_codec` counts with, and a sentence where there is none."""

import json

import pytest
import torch

import minicodec
from minicodec.bits.histogram import Histogram, for_codec
from minicodec.bits.prior_file import prior_json
from minicodec.model.checkpoint import fingerprint
from minicodec.model.codec import Codec
from minicodec.model.config import CodecConfig


def test_a_histogram_can_be_made_of_it():
    codec = minicodec.load("mini_24khz")
    prior, wanted = json.loads(prior_json(codec)), for_codec(codec)
    histogram = Histogram(1024, torch.tensor(prior["counts"]))
    assert torch.equal(histogram.prior, wanted.prior) and histogram.increment == wanted.increment
    assert prior["fingerprint"] == histogram.fingerprint.hex() == wanted.fingerprint.hex()
    assert (prior["model"], prior["codec"]) == (codec.name, fingerprint(codec).hex())


def test_a_codec_that_was_never_counted_has_none():
    codec = Codec(CodecConfig(n_filters=2, dimension=8, bandwidths=(1.5,)), "new").eval()
    with pytest.raises(ValueError, match="'new' has no counts of its codes"):
        prior_json(codec)
