"""Small codecs of both kinds, plain and fast: what holds for one must hold for the other."""

import torch

from minicodec.model.codec import Codec
from minicodec.model.config import CodecConfig
from minicodec.model.fast.codec import faster

#: The codec as the chapters build it, and the fast one. The references of their tests are the
#: taught layers, which both have.
KINDS = {"plain": lambda codec: codec, "fast": faster}


def in_segments(segment=0.1, overlap=0.1, **more):
    """A codec of the 48 kHz kind, with segments of a tenth of a second."""
    torch.manual_seed(0)
    config = CodecConfig(
        sample_rate=24000, channels=2, bandwidths=(1.5, 6.0), n_filters=4, dimension=8,
        causal=False, norm="time_group_norm", pad_mode="reflect", segment=segment,
        overlap=overlap, **more,
    )  # fmt: skip
    return Codec(config).eval()


def segment_latents(codec, audio):
    """Latents and scale of each segment, encoded by itself."""
    pieces = [audio[..., begin:end] for begin, end in codec.config.segments.spans(audio.shape[-1])]
    scales = [1e-8 + x.mean(1, keepdim=True).square().mean(2, keepdim=True).sqrt() for x in pieces]
    return [(codec.encoder(x / scale), scale) for x, scale in zip(pieces, scales)]
