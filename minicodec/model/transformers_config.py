"""Support: our config as the `config.json` of a `transformers.EncodecModel`, and the other way.

Their settings have all that ours have and more: kernels, dilations and a residual branch that we
hold fixed. Ours have three things that theirs have not: no LSTM, Snake, and factorized codebooks.
Whatever has no counterpart is refused, in either direction, before anything is read or written.
"""

from typing import Any

from minicodec.model.config import CodecConfig
from minicodec.model.fields import build, shown

#: Ours → theirs, where both mean the same by the value.
_SAME = {
    "sample_rate": "sampling_rate",
    "channels": "audio_channels",
    "bandwidths": "target_bandwidths",
    "n_filters": "num_filters",
    "dimension": "hidden_size",
    "n_residual_layers": "num_residual_layers",
    "lstm_layers": "num_lstm_layers",
    "codebook_size": "codebook_size",
    "causal": "use_causal_conv",
    "norm": "norm_type",
    "pad_mode": "pad_mode",
    "segment": "chunk_length_s",
    "overlap": "overlap",
    "normalize": "normalize",
}
#: What their files may leave out, and the defaults that they mean by it.
_DEFAULTS: dict[str, Any] = {
    "sampling_rate": 24000,
    "audio_channels": 1,
    "target_bandwidths": [1.5, 3.0, 6.0, 12.0, 24.0],
    "num_filters": 32,
    "hidden_size": 128,
    "num_residual_layers": 1,
    "num_lstm_layers": 2,
    "codebook_size": 1024,
    "use_causal_conv": True,
    "norm_type": "weight_norm",
    "pad_mode": "reflect",
    "chunk_length_s": None,
    "overlap": None,
    "normalize": False,
    "upsampling_ratios": [8, 5, 4, 2],
}
#: Settings of theirs that our layers hold fixed.
_FIXED: dict[str, Any] = {
    "kernel_size": 7,
    "last_kernel_size": 7,
    "residual_kernel_size": 3,
    "dilation_growth_rate": 2,
    "compress": 2,
    "trim_right_ratio": 1.0,
    "use_conv_shortcut": True,
}


def to_transformers(config: CodecConfig) -> dict[str, Any]:
    """Their settings for a codec of ours.

    Weights without a norm are written with one (`minicodec.model.renaming`), so their `norm_type`
    is "weight_norm" then.

    Raises:
        ValueError: in one sentence, for a codec that they cannot express.

    >>> to_transformers(CodecConfig(pad_mode="constant"))["pad_mode"]
    'constant'
    """
    check_known(config, "transformers")
    if not config.lstm_layers:
        raise ValueError(
            "transformers' EncodecModel always has an LSTM, and this codec has none: export it for "
            "the official package, or train it with lstm_layers=1."
        )
    if 1000 * config.bandwidths[-1] < config.bits * config.frame_rate:
        raise ValueError(
            f"transformers would build no codebook for {config.bandwidths[-1]:g} kbps, which is "
            "less than one of this codec costs."
        )
    theirs_of = {their: getattr(config, our) for our, their in _SAME.items()}
    if config.norm == "none":
        theirs_of["norm_type"] = "weight_norm"
    theirs_of["target_bandwidths"] = list(config.bandwidths)
    return {
        "architectures": ["EncodecModel"],
        "model_type": "encodec",
        **theirs_of,
        "upsampling_ratios": list(reversed(config.strides)),
        "codebook_dim": config.dimension,
        **_FIXED,
    }


def feature_extractor(config: CodecConfig) -> dict[str, Any]:
    """The settings of `EncodecFeatureExtractor`, which `AutoProcessor` reads beside the model's."""
    return {
        "feature_extractor_type": "EncodecFeatureExtractor",
        "feature_size": config.channels,
        "sampling_rate": config.sample_rate,
        "chunk_length_s": config.segment,
        "overlap": config.overlap,
        "padding_side": "right",
        "padding_value": 0.0,
        "return_attention_mask": True,
    }


def from_transformers(values: dict[str, Any]) -> CodecConfig:
    """Our config for a model of theirs, from its `config.json`.

    Raises:
        ValueError: in one sentence, for another kind of model, or a setting that ours cannot have.

    >>> from_transformers({"model_type": "encodec", "num_filters": 8}).pad_mode
    'reflect'
    """
    if values.get("model_type") != "encodec":
        raise ValueError(
            f"of transformers' models EncodecModel alone can be read, not "
            f"{shown(values.get('model_type'))}."
        )
    for name, fixed in _FIXED.items():
        if values.get(name, fixed) != fixed:
            raise ValueError(f"its {name} is {shown(values[name])}, but our layers know {fixed}.")
    theirs = {name: values.get(name, default) for name, default in _DEFAULTS.items()}
    codebook_dim = values.get("codebook_dim")
    if codebook_dim not in (None, theirs["hidden_size"]):
        raise ValueError(
            f"its codebook_dim is {shown(codebook_dim)}, but our codebooks have the size of a "
            f"latent, {shown(theirs['hidden_size'])}."
        )
    ours = {our: theirs[their] for our, their in _SAME.items()}
    ratios = theirs["upsampling_ratios"]
    ours["strides"] = ratios[::-1] if isinstance(ratios, list) else ratios
    if ours["overlap"] is None:  # which means something only with segments
        ours["overlap"] = CodecConfig.overlap
    config = build(CodecConfig, ours)
    to_transformers(config)  # refuses what they would build otherwise
    return config


def check_known(config: CodecConfig, package: str) -> None:
    """Refuse what neither transformers nor the official package has.

    Raises:
        ValueError: in one sentence.
    """
    if config.quantizer != "ema":
        raise ValueError(
            f"this codec has {config.quantizer} codebooks, which are looked up in other dimensions "
            f"than they are stored in: EnCodec has none of these, so {package} cannot run it."
        )
    if config.activation != "elu":
        raise ValueError(
            f"this codec has {config.activation} activations, and {package} knows EnCodec with elu "
            "alone."
        )
