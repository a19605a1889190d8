"""A config checks itself, and its numbers are those of the paper."""

import dataclasses
import math
import random
from collections import Counter

import pytest

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
