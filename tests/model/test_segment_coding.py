"""Segments are coded alone, divided by their loudness, and cross-faded; in pieces as at once."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from in_pieces import assert_same, assert_same_codes, cut, long_pieces, seeds
from small_codecs import KINDS, in_segments, segment_latents

from minicodec.model.config import CodecConfig
from minicodec.model.segment_coding import decode_segments, encode_segments, normalized
from minicodec.model.segments import overlap_add


def whole_samples(normalize, segment=0.01, overlap=0.25):
    """Of a codec whose frames are samples: 80 in a segment, of which 20 are cross-faded."""
    return CodecConfig(sample_rate=8000, bandwidths=(80.0,), strides=(1,), causal=False,
                       segment=segment, overlap=overlap, normalize=normalize)  # fmt: skip


@pytest.mark.parametrize("normalize", [False, True])
@given(seeds, st.integers(1, 500), long_pieces(0, 200), long_pieces(0, 200))
@settings(max_examples=60, deadline=None)
def test_where_coding_loses_nothing_segments_do_not_either(normalize, seed, length, here, there):
    """Codes that are the samples themselves come back as the clip, however both sides are cut."""
    torch.manual_seed(seed)
    config, audio = whole_samples(normalize), torch.randn(2, 1, length)
    codes, scales, state = [], [], None
    for piece, last in cut(audio, here):
        new, scale, state = encode_segments(config, torch.Tensor.clone, piece, state, last)
        codes += new
        scales.append(scale)
    assert [c.shape[2] for c in codes] == config.segments.frames(length)
    assert state.shape[2] == 0
    if not normalize:
        assert scales == [None] * len(scales)
    else:
        torch.testing.assert_close(codes[0].square().mean(2), torch.ones(2, 1))
    scales = torch.cat(scales, 1) if normalize else None
    heard, state = [], None
    for piece, last in cut(torch.cat(codes, 2), there):
        first = scales if state is None else None
        y, state = decode_segments(config, torch.Tensor.clone, piece, state, last, first)
        heard.append(y)
    assert_same(torch.cat(heard, 2), audio)


def test_loudness_is_that_of_the_mono_mix():
    config = whole_samples(normalize=True)
    audio = torch.tensor([[[3.0, -3.0, 3.0, -3.0], [1.0, -1.0, 1.0, -1.0]]])
    sound, scale = normalized(config, audio)
    torch.testing.assert_close(scale, torch.tensor([[[2.0]]]))
    torch.testing.assert_close(sound, audio / 2)
    silence, scale = normalized(config, torch.zeros(1, 2, 9))
    assert not silence.any() and 0 < scale < 1e-7
    as_it_was, none = normalized(whole_samples(normalize=False), audio)
    assert as_it_was is audio and none is None


@pytest.mark.parametrize("length", [1, 320, 7919, 7921, 8000, 8001, 8081, 20000])
def test_lengths_come_back_in_segments(tiny_stereo, length):
    audio = torch.randn(2, 2, length)
    codes, scales = tiny_stereo.encode_scaled(audio, 1.0)
    assert scales.shape == (2, len(tiny_stereo.config.segments.spans(length)))
    assert tiny_stereo.decode(codes, scales, length).shape == audio.shape


def test_loudness_passes_through_the_scale(tiny_stereo):
    audio = 0.1 * torch.randn(1, 2, 8000)
    codes, scales = tiny_stereo.encode_scaled(audio)
    louder, twice = tiny_stereo.encode_scaled(2 * audio)
    torch.testing.assert_close(twice, 2 * scales)
    assert (louder == codes).float().mean() > 0.99
    mono = audio.mean(1)
    torch.testing.assert_close(scales[:, 0], mono[:, :8000].pow(2).mean(1).sqrt())


def test_scales_that_do_not_fit(tiny, tiny_stereo):
    codes, scales = tiny_stereo.encode_scaled(torch.randn(1, 2, 9000))
    with pytest.raises(ValueError, match="needs the scales that encode_scaled returned"):
        tiny_stereo.decode(codes)
    for wrong in (scales[:, :1], scales[0], scales.T):
        with pytest.raises(ValueError, match=r"these codes need scales \[1, 2\], not"):
            tiny_stereo.decode(codes, wrong)
    with pytest.raises(ValueError, match="not list"):
        tiny_stereo.decode(codes, [[1.0, 1.0]])
    with pytest.raises(ValueError, match="NaN or infinite"):
        tiny_stereo.decode(codes, scales * math.nan)
    with pytest.raises(ValueError, match="takes no scales"):
        tiny.decode(torch.zeros(1, 2, 3, dtype=torch.long), scales)


@torch.no_grad()
@given(seeds, st.integers(1, 9000), long_pieces(0, 3000))
@settings(max_examples=100, deadline=None)
def test_a_codec_in_segments_streams_too(segmented, seed, length, chunks):
    """As the 48 kHz model works. Codes of each segment alone, cross-faded, are the reference."""
    torch.manual_seed(seed)
    audio = torch.randn(2, 2, length)
    codes, scales, state, start, turn = [], [], None, 0, 0
    while start < length:
        size = chunks[turn % len(chunks)]
        chunk, last = audio[..., start : start + size], start + size >= length
        new, scale, state = segmented.stream_encode_scaled(chunk, state, 6.0, last)
        codes.append(new)
        scales.append(scale)
        start, turn = start + size, turn + 1
    codes, scales = torch.cat(codes, 2), torch.cat(scales, 1)

    alone = segment_latents(segmented, audio)
    latents = torch.cat([z for z, _ in alone], dim=2)
    whole = torch.cat([segmented.quantizer.encode(z, 8) for z, _ in alone], dim=2)
    assert_same_codes(segmented.quantizer, codes, whole, latents)
    parts = codes.split([z.shape[2] for z, _ in alone], dim=2)
    pieces = [
        segmented.decoder(segmented.quantizer.decode(part)) * scale
        for part, (_, scale) in zip(parts, alone)
    ]
    stride = segmented.config.segments.stride
    expected = overlap_add(pieces, stride)
    assert_same(segmented.decode(codes, scales), expected)

    heard, state, start = [], None, 0
    while start < codes.shape[2]:
        size = 1 + chunks[turn % len(chunks)] // 200
        part, last = codes[..., start : start + size], start + size >= codes.shape[2]
        y, state = segmented.stream_decode(part, state, last, scales if start == 0 else None)
        heard.append(y)
        start, turn = start + size, turn + 1
    assert_same(torch.cat(heard, -1), expected)


@pytest.mark.parametrize("overlap", [0.0, 0.3, 0.7])
@pytest.mark.parametrize("kind", KINDS)
def test_segments_with_other_overlaps(overlap, kind):
    codec = KINDS[kind](in_segments(overlap=overlap))
    audio = torch.randn(1, 2, 7001)
    codes = codec.encode(audio)
    pieces = [codec.decoder(codec.quantizer.decode(codec.quantizer.encode(codec.encoder(
        audio[..., start:end])))) for start, end in codec.config.segments.spans(7001)]  # fmt: skip
    assert_same(codec.decode(codes), overlap_add(pieces, codec.config.segments.stride))


def test_a_segment_needs_its_scale(segmented):
    codes, scales = segmented.encode_scaled(torch.randn(1, 2, 9000))
    with pytest.raises(ValueError, match="codes came before its scale"):
        segmented.stream_decode(codes)
