"""Small codecs of every kind that can be exported, and what both sides make of one sound."""

import importlib.util
from pathlib import Path

import torch

from minicodec.model.codec import Codec
from minicodec.model.config import CodecConfig

_SIZE = dict(n_filters=4, dimension=8)
_SMALL = dict(**_SIZE, bandwidths=(1.5, 6.0))

#: What may differ from the shipped codec: each of these is a setting of their models, too.
CONFIGS = {
    "causal": CodecConfig(**_SMALL),
    "reflect": CodecConfig(**_SMALL, pad_mode="reflect"),
    "not causal": CodecConfig(**_SMALL, causal=False),
    "odd strides": CodecConfig(
        **_SIZE, strides=(3, 1, 5), lstm_layers=1, bandwidths=(16.0, 48.0)
    ),
    "three blocks": CodecConfig(
        **_SIZE, strides=(4, 2), n_residual_layers=3, bandwidths=(30.0, 60.0)
    ),
    "16 kHz": CodecConfig(
        n_filters=6, dimension=10, sample_rate=16000, strides=(2, 4, 5, 8), codebook_size=256,
        bandwidths=(0.4, 1.25, 3.3), overlap=0.05,
    ),
    "no norm": CodecConfig(**_SMALL, norm="none"),
    "loud": CodecConfig(**_SMALL, causal=False, normalize=True),
    "48 kHz stereo": CodecConfig(
        sample_rate=48000, channels=2, bandwidths=(3.0, 6.0), n_filters=4, dimension=8,
        causal=False, norm="time_group_norm", pad_mode="reflect", segment=0.1, normalize=True,
    ),
}  # fmt: skip
#: Of the official package alone.
WITHOUT_LSTM = CodecConfig(**_SMALL, lstm_layers=0)


def small(config: CodecConfig, name: str = "small") -> Codec:
    """A codec with weights that no training has made, but not those of a start either."""
    torch.manual_seed(3)
    codec = Codec(config, name)
    with torch.no_grad():
        for tensor in codec.parameters():
            tensor.add_(0.1 * torch.randn_like(tensor))
        for book in codec.quantizer.codebooks:
            book.counts.copy_(torch.rand_like(book.counts) * 9)
    return codec.eval().requires_grad_(False)


def sounds(config: CodecConfig) -> list[torch.Tensor]:
    """One sample, part of a frame, whole frames, and some seconds' worth of segments."""
    torch.manual_seed(4)
    hop, long = config.hop_length, 3 * (config.segments.length or 4000) - 7
    lengths = [1, hop - 1, 2 * hop, 2 * hop + 1, long]
    return [0.3 * torch.randn(1, config.channels, n) for n in lengths if n > 0]


def of_script(folder: Path) -> torch.nn.Module:
    """What `load_encodec.py` in a folder gives."""
    spec = importlib.util.spec_from_file_location("load_encodec", folder / "load_encodec.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.load()
