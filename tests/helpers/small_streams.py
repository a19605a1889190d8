"""Codecs of every kind that run in milliseconds, and streams of theirs: whole, hurt and forged."""

import random
import warnings
from dataclasses import replace
from io import BytesIO

import torch
from mcdc_by_hand import parse

from minicodec.bits.bitstream import compress, decompress
from minicodec.model.codec import Codec
from minicodec.model.config import CodecConfig

SMALL = dict(n_filters=4, dimension=8, codebook_size=16, lstm_layers=1)

IN_SEGMENTS = dict(sample_rate=8000, bandwidths=(0.5, 1.0), causal=False, norm="time_group_norm",
                   pad_mode="reflect", **SMALL)  # fmt: skip

CONFIGS = {
    "as mini": CodecConfig(bandwidths=(1.5, 3.0), **SMALL),
    "as encodec_24khz": CodecConfig(bandwidths=(1.5, 3.0), pad_mode="reflect", **SMALL),
    "as encodec_48khz": CodecConfig(channels=2, segment=1.0, normalize=True, **IN_SEGMENTS),
    "segments that do not overlap": CodecConfig(segment=0.5, overlap=0.0, **IN_SEGMENTS),
    "segments without loudness": CodecConfig(channels=2, segment=0.7, **IN_SEGMENTS),
    "the whole clip at once": CodecConfig(normalize=True, **IN_SEGMENTS),
}


def offline(codec: Codec, audio: torch.Tensor, bandwidth: float | None = None) -> torch.Tensor:
    """What a stream should give back."""
    return codec.decode(*codec.encode_scaled(audio, bandwidth), audio.shape[-1])


def noise(codec: Codec, length: int) -> torch.Tensor:
    """A clip for this codec, [1, C, length]."""
    return 0.1 * torch.randn(1, codec.config.channels, length)


class Trickle:
    """A pipe: no seeking, no telling, and a few bytes at a time."""

    def __init__(self, data: bytes):
        self.file, self.chance, self.taken = BytesIO(data), random.Random(0), 0

    def read(self, size: int) -> bytes:
        data = self.file.read(self.chance.randint(1, min(size, 50)))
        self.taken += len(data)
        return data


def flipped(data: bytes, *places: int) -> bytes:
    """The bytes with the bits at these places turned over."""
    wrong = bytearray(data)
    for place in places:
        wrong[place // 8] ^= 0x80 >> place % 8
    return bytes(wrong)


def tolerated(data: bytes, codec: Codec, *words: str) -> torch.Tensor:
    """What can be heard of a damaged stream, whose warnings say these words."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        audio = decompress(data, codec, tolerant=True)
    said = " / ".join(str(warning.message) for warning in caught)
    assert len(caught) == len(words) and all(word in said for word in words), said
    return audio


def forged(codec: Codec, edit, **fields) -> bytes:
    """A stream of three chunks, changed, with right checksums."""
    config = codec.config
    data = compress(codec, noise(codec, 2 * config.sample_rate), config.bandwidths[0],
                    entropy=fields.pop("coding", "none"), chunk_seconds=1)  # fmt: skip
    stream = parse(data).but(**fields)
    if edit:
        stream = stream.but(chunks=edit(stream.chunks))
    return stream.build()


def end_at(length):
    """An edit: the stream claims to be so long."""
    return lambda chunks: [*chunks[:-1], replace(chunks[-1], codes=length.to_bytes(8, "big"))]


def first(**change):
    """An edit: of the first chunk."""
    return lambda chunks: [replace(chunks[0], **change), *chunks[1:]]
