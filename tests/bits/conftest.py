"""Fixtures that tests of streams share."""

import functools

import pytest
import torch
from mcdc_by_hand import parse
from small_streams import CONFIGS, noise

from minicodec.bits import reader as stream_reader
from minicodec.bits import writer as stream_writer
from minicodec.bits.bitstream import compress, decompress
from minicodec.bits.exact import exact_copy
from minicodec.bits.language_model import LanguageModel, LanguageModelConfig
from minicodec.model.checkpoint import fingerprint
from minicodec.model.codec import Codec


@pytest.fixture(scope="module")
def codecs(fingerprints_once) -> dict[str, Codec]:
    """One of every kind, with random weights."""
    torch.manual_seed(1)
    return {name: Codec(config, name).eval() for name, config in CONFIGS.items()}


@pytest.fixture(scope="module")
def language_models() -> dict[int, object]:
    """For five codebooks and for ten."""
    models = {}
    for n_q in (5, 10):
        config = LanguageModelConfig(n_q=n_q, codebook_size=16, dim=8, layers=1, heads=2, hidden=8)
        models[n_q] = exact_copy(LanguageModel(config).eval())
    return models


@pytest.fixture(scope="module")
def fingerprints_once():
    """Taking them is most of the time of a test on a codec as small as these."""
    with pytest.MonkeyPatch.context() as patch:
        once = functools.cache(fingerprint)
        patch.setattr(stream_reader, "fingerprint", once)
        patch.setattr(stream_writer, "fingerprint", once)
        yield


@pytest.fixture
def broken(codecs):
    """Ten chunks of a quarter second, where each begins, and the sound of the whole."""
    codec = codecs["as mini"]
    data = compress(codec, noise(codec, 58000), entropy="histogram", chunk_seconds=0.25)
    places = [data.find(b"CHNK" + i.to_bytes(4, "big")) for i in range(11)]
    assert min(places) > 0 and len(parse(data).chunks) == 11
    return codec, data, places, decompress(data, codec)
