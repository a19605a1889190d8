"""Chunks equal the whole: for every layer, every chunking, and for two streams at once."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from minicodec.codec import Codec
from minicodec.config import CodecConfig
from minicodec.conv import Conv1d, ConvTranspose1d
from minicodec.seanet import Decoder, Encoder, ResidualBlock, SkipLSTM

modes = st.sampled_from(["constant", "reflect"])
#: Lengths of chunks, from none up; used over and over until the clip is at its end.
chunkings = st.lists(st.integers(0, 40), min_size=1, max_size=6).filter(any)


def streamed(stream, x, chunks, last=True):
    """All outputs of a layer over the chunks of `x`, one after another."""
    outputs, state, start, turn = [], None, 0, 0
    while start < x.shape[-1] or not outputs:
        size = chunks[turn % len(chunks)]
        ends = start + size >= x.shape[-1]
        arguments = (x[..., start : start + size], state) + ((ends,) if last else ())
        y, state = stream(*arguments)
        outputs.append(y)
        start, turn = start + size, turn + 1
    return torch.cat(outputs, dim=-1)


def assert_same(a, b):
    assert a.shape == b.shape
    torch.testing.assert_close(a, b, atol=1e-5, rtol=1e-5)


@torch.no_grad()
@given(st.integers(1, 120), chunkings, st.integers(1, 9), st.integers(1, 4), st.booleans())
@settings(max_examples=300, deadline=None)
def test_conv_with_zero_padding(length, chunks, kernel, stride, dilated):
    kernel, dilation = max(kernel, stride), 2 if dilated and stride == 1 else 1
    conv = Conv1d(2, 3, kernel, stride, dilation, norm="weight_norm")
    x = torch.randn(2, 2, length)
    assert_same(streamed(conv.stream, x, chunks), conv(x))


@torch.no_grad()
@given(st.integers(1, 120), chunkings, st.integers(1, 5), modes)
@settings(max_examples=200, deadline=None)
def test_conv_as_the_codec_uses_it(length, chunks, stride, mode):
    conv = Conv1d(2, 3, 2 * stride, stride, pad_mode=mode)
    x = torch.randn(1, 2, length)
    assert_same(streamed(conv.stream, x, chunks), conv(x))


@torch.no_grad()
@given(st.integers(1, 60), chunkings, st.integers(1, 9), st.integers(1, 5))
@settings(max_examples=200, deadline=None)
def test_transposed_conv(length, chunks, kernel, stride):
    up = ConvTranspose1d(2, 3, max(kernel, stride), stride, norm="weight_norm")
    x = torch.randn(2, 2, length)
    assert_same(streamed(up.stream, x, chunks, last=False), up(x))


@torch.no_grad()
@given(st.integers(1, 80), chunkings, modes)
@settings(max_examples=100, deadline=None)
def test_residual_block(length, chunks, mode):
    block = ResidualBlock(4, dilation=2, pad_mode=mode)
    x = torch.randn(1, 4, length)
    assert_same(streamed(block.stream, x, chunks), block(x))


@torch.no_grad()
@given(st.integers(1, 80), chunkings)
@settings(max_examples=100, deadline=None)
def test_lstm(length, chunks):
    lstm = SkipLSTM(5)
    x = torch.randn(2, 5, length)
    assert_same(streamed(lstm.stream, x, chunks, last=False), lstm(x))


@pytest.fixture(scope="module", params=["constant", "reflect"])
def networks(request):
    torch.manual_seed(0)
    size = dict(n_filters=2, dimension=8, pad_mode=request.param)
    return Encoder(**size).eval(), Decoder(**size).eval()


@torch.no_grad()
@given(st.integers(1, 3000), st.lists(st.integers(1, 900), min_size=1, max_size=5))
@settings(max_examples=60, deadline=None)
def test_whole_encoder_and_decoder(networks, length, chunks):
    encoder, decoder = networks
    audio = torch.randn(1, 1, length)
    latents = encoder(audio)
    assert_same(streamed(encoder.stream, audio, chunks), latents)
    frames = [1 + chunk // 100 for chunk in chunks]
    assert_same(streamed(decoder.stream, latents, frames), decoder(latents))


@torch.no_grad()
def test_first_latent_comes_after_one_hop_with_zero_padding():
    encoder = Encoder(n_filters=2, dimension=8)
    latents, state = encoder.stream(torch.randn(1, 1, 319))
    assert latents.shape[-1] == 0
    latents, _ = encoder.stream(torch.randn(1, 1, 1), state)
    assert latents.shape[-1] == 1


@torch.no_grad()
def test_with_reflection_the_first_latent_comes_after_2240_samples():
    """93 ms instead of 13: what the official padding costs a call."""
    encoder = Encoder(n_filters=2, dimension=8, pad_mode="reflect")
    latents, state = encoder.stream(torch.randn(1, 1, 2239))
    assert latents.shape[-1] == 0
    latents, _ = encoder.stream(torch.randn(1, 1, 1), state)
    assert latents.shape[-1] > 0


@torch.no_grad()
def test_two_streams_on_one_model_do_not_touch(networks):
    encoder, _ = networks
    a, b = torch.randn(2, 1, 1, 9600)
    outputs, states = {0: [], 1: []}, [None, None]
    for start in range(0, 9600, 800):
        for which, clip in enumerate((a, b)):
            y, states[which] = encoder.stream(
                clip[..., start : start + 800], states[which], start == 8800
            )
            outputs[which].append(y)
    assert_same(torch.cat(outputs[0], -1), encoder(a))
    assert_same(torch.cat(outputs[1], -1), encoder(b))


def test_only_causal_layers_stream():
    for layer in (Conv1d(1, 1, 3, causal=False), ConvTranspose1d(1, 1, 4, 2, causal=False)):
        with pytest.raises(ValueError, match="only a causal one can stream"):
            layer.stream(torch.randn(1, 1, 9))


@pytest.fixture(scope="module", params=["constant", "reflect"])
def codec(request):
    torch.manual_seed(0)
    config = CodecConfig(n_filters=4, dimension=16, bandwidths=(1.5, 6.0), pad_mode=request.param)
    return Codec(config).eval()


@given(st.integers(1, 30000), st.lists(st.integers(1, 5000), min_size=1, max_size=5))
@settings(max_examples=30, deadline=None)
def test_codec_gives_the_codes_of_the_whole_clip(codec, length, chunks):
    audio = torch.randn(1, 1, length)
    latents = codec.encoder(audio)
    whole = codec.quantizer.encode(latents, codec.config.n_q(6.0))

    def encode(x, state, last):
        return codec.stream_encode(x, state, 6.0, last)

    codes = streamed(encode, audio, chunks)
    assert torch.equal(codes, whole)
    assert torch.equal(codec.encode(audio, 6.0), whole)  # a second at a time, when it is longer
    expected = codec.decoder(codec.quantizer.decode(whole))
    frames = [1 + chunk // 200 for chunk in chunks]
    assert_same(streamed(codec.stream_decode, codes, frames), expected)
    assert_same(codec.decode(codes), expected)


def test_codecs_that_cannot_stream_say_so(tiny_stereo):
    with pytest.raises(ValueError, match="cannot stream sample by sample"):
        tiny_stereo.stream_encode(torch.randn(1, 2, 100))
    with pytest.raises(ValueError, match="cannot stream sample by sample"):
        tiny_stereo.stream_decode(torch.zeros(1, 1, 3, dtype=torch.int64))
