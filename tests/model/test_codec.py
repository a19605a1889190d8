"""What the codec gives for whole clips and in pieces, and the sentences with which it refuses."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from in_pieces import assert_same, assert_same_codes, long_pieces, seeds, streamed

from minicodec.model.codec import Codec
from minicodec.model.config import CodecConfig


@pytest.mark.parametrize("length", [1, 2, 319, 320, 321, 641, 5000])
def test_lengths_come_back(tiny, length):
    audio = torch.randn(1, 1, length)
    codes = tiny.encode(audio)
    assert codes.shape[2] == math.ceil(length / 320)
    assert tiny.decode(codes, length=length).shape == audio.shape
    assert tiny.decode(codes).shape[2] == codes.shape[2] * 320


def test_a_batch_gives_each_clip_what_it_would_get_alone(tiny, tiny_stereo):
    for codec, channels in ((tiny, 1), (tiny_stereo, 2)):
        audio = torch.randn(3, channels, 9000)
        codes, scales = codec.encode_scaled(audio)
        restored = codec.decode(codes, scales)
        for i in range(3):
            alone, scale = codec.encode_scaled(audio[i : i + 1])
            assert torch.equal(alone, codes[i : i + 1])
            torch.testing.assert_close(codec.decode(alone, scale), restored[i : i + 1])


def test_fewer_kbps_are_a_prefix(tiny):
    audio = torch.randn(1, 1, 3000)
    low, high = tiny.encode(audio, 1.5), tiny.encode(audio, 3.0)
    assert low.shape[1] < high.shape[1]
    assert torch.equal(high[:, : low.shape[1]], low)
    assert torch.equal(tiny.encode(audio), high)  # the highest by default


def test_encoding_is_deterministic_and_changes_nothing(tiny):
    before = {key: value.clone() for key, value in tiny.state_dict().items()}
    audio = torch.randn(1, 1, 3000)
    assert torch.equal(tiny.encode(audio), tiny.encode(audio))
    tiny.train()
    tiny.encode(audio)
    assert all(torch.equal(value, before[key]) for key, value in tiny.state_dict().items())
    assert not tiny.decode(tiny.encode(audio)).requires_grad


@pytest.mark.parametrize("level", [0.0, 1e-30, 1e-8, 1.0, 1000.0])
def test_silence_and_noise_of_any_level_give_finite_sound(tiny, tiny_stereo, level):
    for codec, channels in ((tiny, 1), (tiny_stereo, 2)):
        audio = level * torch.randn(1, channels, 9000)
        codes, scales = codec.encode_scaled(audio)
        assert torch.isfinite(codec.decode(codes, scales)).all()


def test_other_floats_and_strides_of_memory(tiny):
    audio = torch.randn(1, 1, 3000)
    codes = tiny.encode(audio)
    assert torch.equal(tiny.encode(audio.double()), codes)
    assert torch.equal(tiny.encode(audio.half()), tiny.encode(audio.half().float()))
    twice = audio.repeat_interleave(2, dim=2)[..., ::2]
    assert not twice.is_contiguous() and torch.equal(tiny.encode(twice), codes)
    for dtype in (torch.int32, torch.uint8, torch.int16):
        assert torch.equal(tiny.decode(codes.to(dtype)), tiny.decode(codes))
    assert tiny(audio.double()).audio.shape == audio.shape


@pytest.mark.parametrize("kind", ["tiny", "tiny_stereo"])
def test_training_reaches_every_parameter(kind, request):
    codec = request.getfixturevalue(kind).train()
    audio = torch.randn(2, codec.config.channels, 4000)
    for _ in range(codec.config.max_n_q + 1):  # one codebook starts at each step
        result = codec(audio)
    assert result.audio.shape == audio.shape and result.codes.shape[1] == codec.config.max_n_q
    ((result.audio - audio).pow(2).mean() + result.commitment).backward()
    for name, parameter in codec.named_parameters():
        assert parameter.grad is not None and parameter.grad.abs().sum() > 0, name


def test_training_takes_one_segment(tiny_stereo):
    with pytest.raises(ValueError, match="segments of at most 8000 samples, .* has 8001"):
        tiny_stereo(torch.randn(1, 2, 8001))


def test_codes_without_scales_would_mean_nothing(tiny_stereo):
    with pytest.raises(ValueError, match="codes alone cannot be decoded: use codes, scales"):
        tiny_stereo.encode(torch.randn(1, 2, 100))


@pytest.mark.parametrize(
    ("audio", "words"),
    [
        (torch.zeros(1, 2, 100), "must have 1 channel here"),
        (torch.zeros(100), "three axes"),
        (torch.zeros(1, 1, 0), "at least one sample"),
        (torch.full((1, 1, 9), math.nan), "NaN"),
        (torch.zeros(1, 1, 9, dtype=torch.int16), "int16"),
        ("speech.wav", "this is a str"),
    ],
)
def test_audio_that_is_not_audio(tiny, audio, words):
    for call in (tiny, tiny.encode, tiny.encode_scaled):
        with pytest.raises(ValueError, match=words):
            call(audio)


def test_bandwidths_that_the_model_lacks(tiny):
    with pytest.raises(ValueError, match="one of 1.5, 3 kbps, but 6.0 was given"):
        tiny.encode(torch.zeros(1, 1, 100), bandwidth=6.0)


@pytest.mark.parametrize(
    ("codes", "words"),
    [
        ([[1, 2]], "this is a list"),
        (torch.zeros(2, 5, dtype=torch.long), r"this is a tensor \[2, 5\] of int64"),
        (torch.zeros(1, 2, 5), "of float32"),
        (torch.zeros(1, 2, 5, dtype=torch.bool), "of bool"),
        (torch.zeros(1, 2, 5, dtype=torch.complex64), "of complex64"),
        (torch.zeros(1, 2, 0, dtype=torch.long), r"at least one frame .* \[1, 2, 0\]"),
        (torch.zeros(1, 0, 5, dtype=torch.long), "1 to 10 levels"),
        (torch.zeros(1, 11, 5, dtype=torch.long), "1 to 10 levels"),
        (torch.full((1, 2, 5), 16), "between 0 and 15, but these reach from 16 to 16"),
        (torch.full((1, 2, 5), -1), "between 0 and 15, but these reach from -1"),
    ],
)
def test_codes_that_are_not_codes(tiny, codes, words):
    with pytest.raises(ValueError, match=words):
        tiny.decode(codes)


def test_lengths_that_the_codes_do_not_hold(tiny):
    codes = torch.zeros(1, 2, 3, dtype=torch.long)
    for length in (961, 0, -5):
        with pytest.raises(ValueError, match=f"hold 1 to 960 samples, but {length} were asked"):
            tiny.decode(codes, length=length)


def accelerator() -> str | None:
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else None


@pytest.mark.skipif(accelerator() is None, reason="this machine has neither CUDA nor MPS")
def test_an_accelerator_gives_the_same(tiny):
    audio = torch.randn(1, 1, 24000)
    codes = tiny.encode(audio)
    sound = tiny.decode(codes)
    tiny.to(accelerator())
    assert (tiny.encode(audio).cpu() == codes).float().mean() > 0.99
    torch.testing.assert_close(tiny.decode(codes).cpu(), sound, atol=1e-3, rtol=1e-3)


@torch.no_grad()
@given(seeds, st.integers(1, 30000), long_pieces(1, 5000))
@settings(max_examples=30, deadline=None)
def test_codec_gives_the_codes_of_the_whole_clip(codec, seed, length, chunks):
    torch.manual_seed(seed)
    audio = torch.randn(1, 1, length)
    latents = codec.encoder(audio)
    whole = codec.quantizer.encode(latents, codec.config.n_q(6.0))

    def encode(x, state, last):
        return codec.stream_encode(x, state, 6.0, last)

    codes = streamed(encode, audio, chunks)
    assert_same_codes(codec.quantizer, codes, whole, latents)
    by_seconds = codec.encode(audio, 6.0)
    assert_same_codes(codec.quantizer, by_seconds, whole, latents)
    expected = codec.decoder(codec.quantizer.decode(codes))
    frames = [1 + chunk // 200 for chunk in chunks]
    assert_same(streamed(codec.stream_decode, codes, frames), expected)
    assert_same(codec.decode(codes), expected)


def test_a_codec_that_needs_the_whole_clip_says_so():
    codec = Codec(CodecConfig(n_filters=4, dimension=8, bandwidths=(1.5,), causal=False)).eval()
    audio = torch.randn(1, 1, 30000)
    with pytest.raises(ValueError, match="cannot stream: it is not causal"):
        codec.stream_encode(audio)
    with pytest.raises(ValueError, match="cannot stream: it is not causal"):
        codec.stream_decode(codec.encode(audio))
    assert torch.equal(codec.encode(audio), codec.quantizer.encode(codec.encoder(audio)))


def test_a_stream_without_scales_is_refused(segmented):
    with pytest.raises(ValueError, match="use stream_encode_scaled"):
        segmented.stream_encode(torch.randn(1, 2, 100))
