"""What goes in comes out, of every kind of codec."""

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mcdc_by_hand import parse
from small_streams import CONFIGS, noise, offline

from minicodec.bits.bitstream import BitstreamError, StreamReader, compress, decompress
from minicodec.bits.container import END_BYTES
from minicodec.model.codec import Codec
from minicodec.model.config import CodecConfig


@pytest.mark.parametrize("kind", CONFIGS)
@settings(max_examples=12, deadline=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture])  # fmt: skip
@given(data=st.data())
def test_round_trip_of_every_kind_of_codec(codecs, language_models, kind, data):
    codec = codecs[kind]
    rate, stride = codec.config.sample_rate, codec.config.segments.stride or 8000
    near = data.draw(st.integers(1, 4)) * stride + data.draw(st.integers(-85, 85))
    length = data.draw(st.just(near) | st.integers(1, 3 * rate) | st.integers(1, 700))
    bandwidth = data.draw(st.sampled_from([None, *codec.config.bandwidths]))
    entropy = data.draw(st.sampled_from(["none", "none", "histogram", "lm"]))
    seconds = data.draw(st.sampled_from([0.05, 0.3, 1.0, 5.0]))
    lm = language_models[10 if codec.config.max_n_q > 5 else 5] if entropy == "lm" else None
    length = min(length, rate // 2) if lm else length  # it is slow
    audio = noise(codec, length)
    stream = compress(codec, audio, bandwidth, entropy, chunk_seconds=seconds, lm=lm)
    restored = decompress(stream, codec, lm=lm)
    assert restored.shape == audio.shape
    torch.testing.assert_close(restored, offline(codec, audio, bandwidth), atol=1e-5, rtol=1e-5)


def test_bytes_of_any_kind(codecs):
    codec = codecs["as mini"]
    data = compress(codec, noise(codec, 400))
    for kind in (bytearray, memoryview):
        assert torch.equal(decompress(kind(data), codec), decompress(data, codec))
    with pytest.raises(BitstreamError, match="a stream is bytes, but this is a str"):
        decompress("MCDC", codec)
    with pytest.raises(BitstreamError, match="gave a str"), open(__file__) as text:
        StreamReader(text, codec)


@pytest.mark.parametrize("entropy", ["none", "histogram"])
def test_overhead_beyond_the_first_second_is_below_one_percent(entropy):
    """At 6 kbps: 21 bytes for five seconds, and 29 for the end."""
    config = CodecConfig(n_filters=2, dimension=8, bandwidths=(6.0,))
    codec = Codec(config).eval()
    audio = 0.1 * torch.randn(1, 1, 24000)
    one, eleven = (compress(codec, audio.tile(seconds), entropy=entropy) for seconds in (1, 11))
    codes = [sum(len(c.codes) for c in parse(d).chunks[:-1]) for d in (one, eleven)]
    assert (len(eleven) - len(one)) / (codes[1] - codes[0]) < 1.01
    assert len(eleven) - codes[1] == len(parse(eleven).head) + 3 * 21 + END_BYTES
