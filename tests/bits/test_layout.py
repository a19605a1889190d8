"""How clips are divided into chunks."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_streams import CONFIGS, IN_SEGMENTS

from minicodec.bits.layout import Layout
from minicodec.model.config import CodecConfig


def test_chunks_are_shorter_where_codes_are_many():
    for config in (CodecConfig(), CONFIGS["as encodec_48khz"]):
        for n_q in (1, 32, 500):
            layout = Layout.of(config, n_q, 60)
            short = config.segments.full  # what may follow the full ones
            assert (layout.frames + short) * n_q * config.bits <= 65535 * 8
            assert layout.frames <= 65535 and layout.samples <= 60 * config.sample_rate
    with pytest.raises(ValueError, match="2622 codebooks of 4 bits are too many"):
        Layout.of(CONFIGS["as encodec_48khz"], 2622, 5)


@given(
    st.sampled_from(sorted(CONFIGS)),
    st.sampled_from([0.05, 0.3, 1.0, 5.0]),
    st.integers(1, 40) | st.integers(1, 100_000),
)
@settings(max_examples=300, deadline=None)
def test_chunks_hold_all_that_the_codec_makes(kind, seconds, length):
    config = CONFIGS[kind]
    layout = Layout.of(config, config.max_n_q, seconds)
    chunks, frames, scales = layout.divide(length)
    made = config.segments.frames(length)
    assert (chunks - 1) * layout.frames + frames == sum(made)
    assert 1 <= frames <= layout.frames + config.segments.full
    if config.segment and config.normalize:
        assert (chunks - 1) * layout.scales + scales == len(made)
    else:
        assert scales == layout.scales == int(config.normalize)


@given(
    st.floats(0, 0.89),
    st.sampled_from([1, 8, 40]),
    st.sampled_from([0.01, 0.3, 20]),
    st.integers(1, 100_000),
)
@settings(max_examples=300, deadline=None)
def test_the_last_chunk_has_room_for_all_that_overlaps(overlap, n_q, seconds, length):
    """Of 0.75, four segments begin within one: our own reader found the last chunk too long."""
    config = CodecConfig(segment=0.25, overlap=overlap, normalize=True, **IN_SEGMENTS)
    layout = Layout.of(config, n_q, seconds)
    chunks, frames, scales = layout.divide(length)
    assert frames <= layout.most_frames <= min(2 * layout.frames, 65535)
    assert layout.most_frames * n_q * config.bits <= 65535 * 8
    assert scales <= 255
    assert (chunks - 1) * layout.samples < length < (chunks + 10) * layout.samples
    assert (chunks - 1) * layout.scales + scales == len(config.segments.frames(length))


def test_frames_of_a_chunk_can_be_counted_in_16_bits():
    """Also where frames are very short: 2000 a second, of one bit."""
    config = CodecConfig(sample_rate=8000, strides=(2, 2), bandwidths=(2.0,), codebook_size=2,
                         causal=False, norm="none", segment=1.0, overlap=0.0)  # fmt: skip
    layout = Layout.of(config, 1, 60)
    assert 60_000 < layout.most_frames <= 65535
