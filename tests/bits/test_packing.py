"""Codes as bytes, and the model that predicts them."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from mcdc_by_hand import parse
from small_streams import noise, offline

from minicodec.bits.bitstream import BitstreamError, compress, decompress
from minicodec.bits.packing import pack, unpack


def test_codes_that_predict_nothing_are_packed(codecs):
    """An entropy coding never makes a stream longer."""
    codec = codecs["as mini"]
    audio = noise(codec, 24000)
    plain, coded = (compress(codec, audio, 1.5, entropy=e, chunk_seconds=0.1)
                    for e in ("none", "histogram"))  # fmt: skip
    for one, other in zip(parse(plain).chunks, parse(coded).chunks):
        assert len(other.codes) <= len(one.codes)


def test_the_language_model_is_named_too(codecs, language_models):
    codec, lm = codecs["as mini"], language_models[10]
    audio = noise(codec, 3000)
    data = compress(codec, audio, entropy="lm", lm=lm)
    assert parse(data).entropy_fingerprint == lm.fingerprint
    assert torch.equal(decompress(data, codec, lm=lm), offline(codec, audio))
    with pytest.raises(BitstreamError, match=f"{lm.fingerprint.hex()}, but the one here is"):
        decompress(data, codec, lm=language_models[5])
    with pytest.raises(BitstreamError, match="no language model ships"):
        decompress(data, codec)


@given(st.integers(1, 16), st.data())
def test_what_is_packed_comes_back(bits, data):
    codes = data.draw(st.lists(st.integers(0, 2**bits - 1), max_size=50))
    packed = pack(np.array(codes, np.int64), bits)
    assert len(packed) == -(-len(codes) * bits // 8)
    assert unpack(packed, bits, len(codes)).tolist() == codes
