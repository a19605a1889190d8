"""The exported graphs are the codec: same codes, same sound, however the frames are cut."""

import json
from dataclasses import replace

import numpy as np
import onnx
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from in_pieces import assert_same_codes, seeds
from onnx_steps import Exported

from minicodec.model.checkpoint import fingerprint, load_codec, save_codec
from minicodec.model.codec import Codec
from minicodec.model.config import ENCODEC_24KHZ, ENCODEC_48KHZ, CodecConfig
from minicodec.model.onnx_export import check_exportable, export_onnx

SMALL = CodecConfig(n_filters=4, dimension=16, bandwidths=(1.5, 6.0), codebook_size=64)
#: What a config may ask for, one or two things at a time.
CONFIGS = {
    "plain": SMALL,
    "blocks": replace(SMALL, n_residual_layers=3, strides=(3, 2)),
    "stereo": replace(SMALL, channels=2, lstm_layers=0),
    "factorized": replace(SMALL, quantizer="factorized", lstm_layers=1),
    "stride one": replace(SMALL, strides=(1, 5), norm="none", bandwidths=(30.0,)),
    "one stride": replace(SMALL, strides=(7,), lstm_layers=3, bandwidths=(60.0,)),
}
frames = st.lists(st.integers(1, 9), min_size=1, max_size=5)


def built(config: CodecConfig) -> Codec:
    torch.manual_seed(0)
    codec = Codec(config, "small").eval()
    for level, book in enumerate(codec.quantizer.codebooks):
        book.embedding.data.mul_(0.7**level)  # of the size of what is left over
    return codec.requires_grad_(False)


@pytest.fixture(scope="module", params=CONFIGS)
def exported(request, tmp_path_factory):
    return Exported(built(CONFIGS[request.param]), tmp_path_factory.mktemp("export"))


def same_codes(codec: Codec, audio, ours, theirs) -> None:
    if codec.config.quantizer == "ema":
        assert_same_codes(codec.quantizer, ours, theirs, codec.encoder(audio))
    else:
        assert torch.equal(ours, theirs)


@given(seeds, st.integers(1, 30), frames, frames)
@settings(max_examples=25, deadline=None)
def test_every_way_to_cut_into_frames(exported, seed, length, here, there):
    torch.manual_seed(seed)
    codec = exported.codec
    audio = 0.3 * torch.randn(1, codec.config.channels, length * codec.config.hop_length)
    codes = exported.encode(audio, here)
    assert codes.dtype == torch.int32
    same_codes(codec, audio, codes.long(), codec.encode(audio))
    heard = exported.decode(codes, there)
    torch.testing.assert_close(heard, codec.decode(codes), atol=1e-5, rtol=1e-4)
