"""A config checks itself, and its numbers are those of the paper."""

import dataclasses
import math
import random
from collections import Counter

import pytest
import torch

from minicodec.model.checkpoint import fold_weight_norm
from minicodec.model.codec import Codec
from minicodec.model.config import ENCODEC_24KHZ, ENCODEC_48KHZ, MINI_24KHZ, CodecConfig
from minicodec.model.conv import Conv1d, ConvTranspose1d
from minicodec.model.segments import Segments


@pytest.mark.parametrize(
    ("fields", "rule"),
    [
        (dict(channels=3), "channels is an integer from 1 to 2, not 3"),
        (dict(channels=0), "channels is an integer from 1 to 2"),
        (dict(channels=True), "channels is an integer"),
        (dict(sample_rate=0), "sample_rate is an integer from 1 to 1000000, not 0"),
        (dict(sample_rate=24000.5), "sample_rate is an integer"),
        (dict(sample_rate="24000"), "sample_rate is an integer"),
        (dict(bandwidths=()), "bandwidths is a list of 1 to 64"),
        (dict(bandwidths=5), "bandwidths is a list"),
        (dict(bandwidths=("1.5",)), "bandwidths is a list of 1 to 64, each a number"),
        (dict(bandwidths=(3.0, 1.5)), "bandwidths are positive and rising"),
        (dict(bandwidths=(3.0, 3.0)), "bandwidths are positive and rising"),
        (dict(bandwidths=(0.0, 3.0)), "bandwidths are positive and rising"),
        (dict(bandwidths=(3.0, math.inf)), "bandwidths is a list of 1 to 64, each a number"),
        (dict(bandwidths=(math.nan,)), "bandwidths is a list of 1 to 64, each a number"),
        (dict(bandwidths=(9999.0,)), "bandwidths pay for at most 1024 codebooks"),
        (dict(strides=()), "strides is a list of 1 to 64"),
        (dict(strides=(2, 0)), "strides is a list of 1 to 64, each an integer from 1 to 1024"),
        (dict(strides=(2, 2.0)), "strides is a list"),
        (dict(strides=[1] * 65), "strides is a list of 1 to 64"),
        (dict(strides=(1024, 1024)), "strides multiply to at most 65536"),
        (dict(n_filters=3), "n_filters is even"),
        (dict(n_filters=0), "n_filters is an integer from 1"),
        (dict(n_filters=2.0), "n_filters is an integer"),
        (dict(n_filters=4096), "n_filters with its strides and layers calls for .* weights"),
        (dict(strides=(1,) * 60), "n_filters with its strides and layers calls for .* weights"),
        (dict(dimension=-1), "dimension is an integer from 1"),
        (dict(n_residual_layers=0), "n_residual_layers is an integer from 1"),
        (dict(n_residual_layers=1000), "n_residual_layers is an integer from 1 to 8"),
        (dict(lstm_layers=-1), "lstm_layers is an integer from 0"),
        (dict(lstm_layers=None), "lstm_layers is an integer"),
        (dict(codebook_size=1000), "codebook_size is a power of two"),
        (dict(codebook_size=1), "codebook_size is an integer from 2"),
        (dict(codebook_size=16.0), "codebook_size is an integer"),
        (dict(quantizer="magic"), "quantizer is 'ema' or 'factorized', not 'magic'"),
        (dict(norm="batch_norm"), "norm is 'none' or"),
        (dict(norm="time_group_norm"), "causal is False with time_group_norm"),
        (dict(norm="time_group_norm", causal=False, n_filters=2), "n_filters is at least 4"),
        (dict(causal=1), "causal is true or false, not 1"),
        (dict(pad_mode="circular"), "pad_mode is 'constant' or 'reflect'"),
        (dict(segment=0.001), "segment lasts at least one hop"),
        (dict(segment=[0], sample_rate=1_000_000), "segment is a number from 0 to 3600, or none"),
        (dict(segment=-1.0), "segment is a number"),
        (dict(segment=math.inf), "segment is a number"),
        (dict(segment=math.nan), "segment is a number"),
        (dict(normalize=True), "normalize is False for a causal model without segments"),
        (dict(overlap=1.0), "overlap is a number from 0 to 0.9"),
        (dict(overlap=-0.1), "overlap is a number"),
        (dict(overlap=10**5000), "overlap is a number from 0 to 0.9, not one of int"),
    ],
)
def test_a_config_checks_itself(fields, rule):
    with pytest.raises(ValueError, match=f"a codec's {rule}") as error:
        CodecConfig(**fields)
    assert "\n" not in str(error.value) and len(str(error.value)) < 200


@pytest.mark.parametrize(
    "config",
    [
        ENCODEC_24KHZ,
        ENCODEC_48KHZ,
        CodecConfig(n_filters=2, strides=(3, 2), n_residual_layers=3, dimension=6, channels=2,
                    bandwidths=(0.5,), lstm_layers=0, quantizer="factorized", codebook_size=64),
    ],
    ids=["encodec_24khz", "encodec_48khz", "factorized"],
)  # fmt: skip
def test_how_large_a_model_is_follows_from_its_config(config):
    """So that nothing has to be built to know it."""
    with torch.device("meta"):
        codec = fold_weight_norm(Codec(config))
    tensors = {k: v for k, v in codec.state_dict().items() if not k.endswith(".sums")}
    assert config.weights == sum(v.numel() for v in tensors.values() if v.dim() > 1)
    kinds = (Conv1d, ConvTranspose1d)
    assert config.convolutions == sum(isinstance(m, kinds) for m in codec.modules())


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


def test_bandwidths_are_drawn_as_often_as_each_other_and_alike_everywhere():
    rng = random.Random(7)
    drawn = [ENCODEC_24KHZ.draw_bandwidth(rng) for _ in range(5000)]
    times = Counter(drawn)
    assert times.keys() == set(ENCODEC_24KHZ.bandwidths)
    assert all(850 < count < 1150 for count in times.values()), times
    other_process = random.Random(7)
    assert [ENCODEC_24KHZ.draw_bandwidth(other_process) for _ in range(9)] == drawn[:9]


def test_configs_do_not_change():
    with pytest.raises(dataclasses.FrozenInstanceError):
        MINI_24KHZ.channels = 2
