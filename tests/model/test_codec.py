"""The codec's arithmetic, its lengths, and the sentences with which it refuses."""

import dataclasses
import math

import pytest
import torch

from minicodec.model.config import ENCODEC_24KHZ, ENCODEC_48KHZ, MINI_24KHZ, CodecConfig
from minicodec.model.segments import Segments


@pytest.mark.parametrize(
    ("fields", "rule"),
    [
        (dict(channels=3), "channels is 1"),
        (dict(channels=0), "channels is 1"),
        (dict(channels=True), "channels is an integer"),
        (dict(sample_rate=0), "sample_rate is at least 1"),
        (dict(sample_rate=24000.5), "sample_rate is an integer"),
        (dict(sample_rate="24000"), "sample_rate is an integer"),
        (dict(bandwidths=()), "bandwidths are positive and rising"),
        (dict(bandwidths=(3.0, 1.5)), "bandwidths are positive and rising"),
        (dict(bandwidths=(3.0, 3.0)), "bandwidths are positive and rising"),
        (dict(bandwidths=(0.0, 3.0)), "bandwidths are positive and rising"),
        (dict(bandwidths=(3.0, math.inf)), "bandwidths are positive and rising"),
        (dict(bandwidths=(math.nan,)), "bandwidths are positive and rising"),
        (dict(strides=()), "strides are integers"),
        (dict(strides=(2, 0)), "strides are integers"),
        (dict(strides=(2, 2.0)), "strides are integers"),
        (dict(n_filters=3), "n_filters is even"),
        (dict(n_filters=0), "n_filters is at least 1"),
        (dict(n_filters=2.0), "n_filters is an integer"),
        (dict(dimension=-1), "dimension is at least 1"),
        (dict(n_residual_layers=0), "n_residual_layers is at least 1"),
        (dict(lstm_layers=-1), "lstm_layers is 0 or more"),
        (dict(lstm_layers=None), "lstm_layers is an integer"),
        (dict(codebook_size=1000), "codebook_size is a power of two"),
        (dict(codebook_size=1), "codebook_size is a power of two, at least 2"),
        (dict(codebook_size=16.0), "codebook_size is an integer"),
        (dict(norm="batch_norm"), "norm is 'none'"),
        (dict(norm="time_group_norm"), "time_group_norm needs causal=False"),
        (dict(norm="time_group_norm", causal=False, n_filters=2), "time_group_norm needs n_fi"),
        (dict(pad_mode="circular"), "pad_mode is 'constant' or 'reflect'"),
        (dict(segment=0.001), "segment is None or positive, and at least one hop"),
        (dict(segment=-1.0), "segment is None"),
        (dict(segment=math.inf), "segment is None"),
        (dict(segment=math.nan), "segment is None"),
        (dict(overlap=1.0), "overlap is at least 0 and below 1"),
        (dict(overlap=-0.1), "overlap is at least 0"),
    ],
)
def test_a_config_checks_itself(fields, rule):
    with pytest.raises(ValueError, match=f"a codec's {rule}") as error:
        CodecConfig(**fields)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("config", "levels"),
    [
        (ENCODEC_24KHZ, {1.5: 2, 3: 4, 6: 8, 12: 16, 24: 32}),
        (ENCODEC_48KHZ, {3: 2, 6: 4, 12: 8, 24: 16}),
        (MINI_24KHZ, {1.5: 2, 3: 4, 6: 8, 12: 16}),
    ],
)
def test_codebooks_for_each_bandwidth(config, levels):
    assert {b: config.n_q(b) for b in config.bandwidths} == levels
    assert config.max_n_q == max(levels.values())
    for bandwidth, n_q in levels.items():
        assert n_q * config.bits * config.frame_rate == bandwidth * 1000  # as named, to the bit
    for wrong in (0, 2.0, 24.5, -6, None, "6"):
        with pytest.raises(ValueError, match="bandwidth must be one of .* kbps, but"):
            config.n_q(wrong)


def test_rates():
    assert (ENCODEC_24KHZ.hop_length, ENCODEC_24KHZ.frame_rate, ENCODEC_24KHZ.bits) == (320, 75, 10)
    assert ENCODEC_48KHZ.segments == Segments(length=48000, stride=47520, hop=320)
    assert ENCODEC_48KHZ.frame_rate == 150 and ENCODEC_24KHZ.segments == Segments(0, 0, 320)


@pytest.mark.parametrize("length", [1, 2, 319, 320, 321, 641, 5000])
def test_lengths_come_back(tiny, length):
    audio = torch.randn(1, 1, length)
    codes = tiny.encode(audio)
    assert codes.shape[2] == math.ceil(length / 320)
    assert tiny.decode(codes, length=length).shape == audio.shape
    assert tiny.decode(codes).shape[2] == codes.shape[2] * 320


@pytest.mark.parametrize("length", [1, 320, 7919, 7921, 8000, 8001, 8081, 20000])
def test_lengths_come_back_in_segments(tiny_stereo, length):
    audio = torch.randn(2, 2, length)
    codes, scales = tiny_stereo.encode_scaled(audio, 1.0)
    assert scales.shape == (2, len(tiny_stereo.config.segments.spans(length)))
    assert tiny_stereo.decode(codes, scales, length).shape == audio.shape


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


def test_loudness_passes_through_the_scale(tiny_stereo):
    audio = 0.1 * torch.randn(1, 2, 8000)
    codes, scales = tiny_stereo.encode_scaled(audio)
    louder, twice = tiny_stereo.encode_scaled(2 * audio)
    torch.testing.assert_close(twice, 2 * scales)
    assert (louder == codes).float().mean() > 0.99
    mono = audio.mean(1)
    torch.testing.assert_close(scales[:, 0], mono[:, :8000].pow(2).mean(1).sqrt())


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


def test_configs_do_not_change():
    with pytest.raises(dataclasses.FrozenInstanceError):
        MINI_24KHZ.channels = 2
