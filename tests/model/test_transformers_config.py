"""Our config as theirs and back; what one of both cannot say is refused in one sentence."""

import dataclasses
import json

import pytest
from exports import CONFIGS
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from minicodec.model.config import ENCODEC_24KHZ, ENCODEC_48KHZ, MINI_24KHZ, CodecConfig
from minicodec.model.transformers_config import (
    feature_extractor,
    from_transformers,
    to_transformers,
)

EVERY = [*CONFIGS.values(), ENCODEC_24KHZ, ENCODEC_48KHZ, MINI_24KHZ]


@pytest.mark.parametrize("config", EVERY, ids=str)
def test_there_and_back_through_json(config):
    theirs = json.loads(json.dumps(to_transformers(config)))
    if config.norm == "none":
        config = dataclasses.replace(config, norm="weight_norm")
    assert from_transformers(theirs) == config


def test_their_defaults_are_the_official_24_khz_model():
    from transformers import EncodecConfig

    assert from_transformers({"model_type": "encodec"}) == ENCODEC_24KHZ
    assert from_transformers(json.loads(EncodecConfig().to_json_string())) == ENCODEC_24KHZ
    assert from_transformers(json.loads(EncodecConfig().to_json_string(use_diff=False))) == (
        ENCODEC_24KHZ
    )


def test_the_official_48_khz_model_as_they_configure_it():
    from transformers import EncodecConfig

    theirs = EncodecConfig(
        target_bandwidths=[3.0, 6.0, 12.0, 24.0], sampling_rate=48000, audio_channels=2,
        normalize=True, chunk_length_s=1.0, overlap=0.01, use_causal_conv=False,
        norm_type="time_group_norm",
    )  # fmt: skip
    assert from_transformers(json.loads(theirs.to_json_string())) == ENCODEC_48KHZ


@pytest.mark.parametrize("config", EVERY, ids=str)
def test_they_derive_from_it_what_we_do(config):
    from transformers import EncodecConfig, EncodecFeatureExtractor

    theirs = EncodecConfig(**to_transformers(config))
    assert theirs.frame_rate == config.frame_rate and theirs.hop_length == config.hop_length
    assert theirs.num_quantizers == config.max_n_q and theirs.codebook_nbits == config.bits
    if config.segment is not None:
        extractor = EncodecFeatureExtractor(**feature_extractor(config))
        for each in (theirs, extractor):
            assert each.chunk_length == config.segments.length
            assert each.chunk_stride == config.segments.stride


@settings(max_examples=300, deadline=None)
@given(
    bandwidth=st.floats(0.01, 100),
    codebook_size=st.sampled_from([2, 64, 1024, 4096]),
    strides=st.lists(st.integers(1, 9), min_size=1, max_size=5),
    sample_rate=st.integers(4000, 96000),
)
def test_they_count_codebooks_as_we_do_or_we_say_so(bandwidth, codebook_size, strides, sample_rate):
    """Rounded differently, a stream of ours would have other levels than one of theirs.

    They divide floats and round down, and we divide with //. A codebook costs a whole number of
    bits, so its multiples are floats, and the quotient of what is less cannot round up to them.
    """
    from transformers import EncodecConfig
    from transformers.models.encodec.modeling_encodec import EncodecResidualVectorQuantizer

    try:
        config = CodecConfig(bandwidths=(bandwidth,), codebook_size=codebook_size, n_filters=2,
                             strides=tuple(strides), sample_rate=sample_rate)  # fmt: skip
        values = to_transformers(config)
    except ValueError:
        reject()
    theirs = EncodecConfig(**values)
    built = theirs.num_quantizers
    used = EncodecResidualVectorQuantizer.get_num_quantizers_for_bandwidth(theirs, bandwidth)
    assert min(built, used) == config.max_n_q


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model_type": "dac"}, "EncodecModel alone can be read, not 'dac'"),
        ({"model_type": None}, "EncodecModel alone can be read, not None"),
        ({"kernel_size": 5}, "its kernel_size is 5, but our layers know 7"),
        ({"last_kernel_size": 3}, "its last_kernel_size is 3, but our layers know 7"),
        ({"residual_kernel_size": 7}, "its residual_kernel_size is 7, but our layers know 3"),
        ({"dilation_growth_rate": 3}, "its dilation_growth_rate is 3"),
        ({"compress": 4}, "its compress is 4"),
        ({"trim_right_ratio": 0.5}, "its trim_right_ratio is 0.5"),
        ({"use_conv_shortcut": False}, "its use_conv_shortcut is False"),
        (
            {"codebook_dim": 64},
            "its codebook_dim is 64, but our codebooks have the size of a latent",
        ),
        ({"pad_mode": "replicate"}, "pad_mode is 'constant' or 'reflect', not 'replicate'"),
        ({"norm_type": "layer_norm"}, "norm is .*, not 'layer_norm'"),
        ({"audio_channels": 6}, "channels is an integer from 1 to 2, not 6"),
        ({"codebook_size": 1000}, "codebook_size is a power of two"),
        ({"num_lstm_layers": 0}, "always has an LSTM"),
        ({"upsampling_ratios": 320}, "strides is a list"),
        ({"upsampling_ratios": []}, "strides is a list"),
        ({"target_bandwidths": []}, "bandwidths is a list"),
        ({"target_bandwidths": [24.0, 6.0]}, "bandwidths are positive and rising"),
        ({"target_bandwidths": [0.1]}, "no codebook for 0.1 kbps"),
        ({"hidden_size": 10**30}, "dimension is an integer"),
        ({"normalize": "yes"}, "normalize is true or false"),
    ],
    ids=str,
)
def test_settings_that_ours_cannot_have(change, message):
    values = {"model_type": "encodec"} | change
    with pytest.raises(ValueError, match=message) as error:
        from_transformers(values)
    assert "\n" not in str(error.value) and len(str(error.value)) < 250


def test_settings_that_change_no_computation_are_passed_over():
    more = {"transformers_version": "4.31.0.dev0", "torch_dtype": "float32", "wings": 2}
    assert from_transformers({"model_type": "encodec", **more}) == ENCODEC_24KHZ
