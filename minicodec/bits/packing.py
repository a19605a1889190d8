"""What is in a chunk: how clips are divided, how codes become bytes, and what stands for silence.

Chapter 13.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from minicodec.bits import histogram
from minicodec.bits.container import (
    ENTROPY,
    MOST_BYTES,
    MOST_SECONDS,
    BitstreamError,
    Chunk,
    Header,
)
from minicodec.bits.exact import ExactLanguageModel
from minicodec.bits.language_model_file import for_codec
from minicodec.bits.range_coder import CodeModel, decode_codes, encode_codes
from minicodec.model.codec import Codec
from minicodec.model.config import CodecConfig


@dataclass(frozen=True)
class Layout:
    """How clips of a codec are divided into chunks: all are alike but the last.

    A chunk of a model that codes in segments holds whole segments. The last two segments of a clip
    may be short, and both are in its last chunk.
    """

    config: CodecConfig
    frames: int  #: frames in a chunk
    samples: int  #: samples from the start of one chunk to the start of the next
    segments: int  #: segments in a chunk; 0 for a model without

    @classmethod
    def of(cls, config: CodecConfig, n_q: int, seconds: float) -> "Layout":
        """The division into chunks of about so many seconds, less if codes are very many.

        Raises:
            ValueError: for a time that is not above 0 and at most 60 s, or a model with so many
                codes that not even one frame or segment fits in a chunk.
        """
        if not 0 < seconds <= MOST_SECONDS:
            raise ValueError(
                f"a chunk lasts more than 0 and at most {MOST_SECONDS} seconds, not {seconds}."
            )
        most = MOST_BYTES * 8 // (n_q * config.bits)
        length, stride = config.segment_length, config.segment_stride
        if length is None or stride is None:
            most = min(most, 65535, MOST_SECONDS * config.sample_rate // config.hop_length)
            frames = min(max(1, round(seconds * config.sample_rate / config.hop_length)), most)
            layout = cls(config, frames, frames * config.hop_length, 0)
        else:
            full = math.ceil(length / config.hop_length)
            # Behind the full segments of the last chunk there may be a short one.
            most = min(most // full - 1, 254, MOST_SECONDS * config.sample_rate // stride)
            segments = min(max(1, round(seconds * config.sample_rate / stride)), most)
            layout = cls(config, segments * full, segments * stride, segments)
        if layout.frames < 1:
            raise ValueError(f"{n_q} codebooks of {config.bits} bits are too many for a stream.")
        return layout

    @classmethod
    def stated(cls, config: CodecConfig, header: Header) -> "Layout":
        """The division that a stream's header states.

        Raises:
            BitstreamError: if it is none of this model's.
        """
        frames, samples = header.chunk_frames, header.chunk_samples
        length, stride = config.segment_length, config.segment_stride
        if length is None or stride is None:
            segments, unit = 0, (1, config.hop_length)
            times = frames
        else:
            unit = (math.ceil(length / config.hop_length), stride)
            segments = times = frames // unit[0]
        if times < 1 or (frames, samples) != (times * unit[0], times * unit[1]):
            raise BitstreamError(
                f"this stream's chunks of {frames} frames and {samples} samples are none of its "
                "model's."
            )
        return cls(config, frames, samples, segments)

    @property
    def whole(self) -> bool:
        """Whether the codec needs a whole clip at once."""
        return not (self.config.streams or self.config.segment)

    @property
    def scales(self) -> int:
        """Scales in a chunk: one for each segment, or, of a codec that needs all, the only one."""
        if not self.config.normalize or self.config.streams:
            return 0
        return self.segments or 1

    @property
    def shape(self) -> tuple[int, int]:
        """Frames and scales in every chunk but the last."""
        return self.frames, self.scales

    def divide(self, length: int) -> tuple[int, int, int]:
        """Chunks of a clip of `length` samples, and frames and scales in the last one."""
        if not self.segments:
            frames = -(-length // self.config.hop_length)
            chunks = -(-frames // self.frames)
            return chunks, frames - (chunks - 1) * self.frames, self.scales
        assert self.config.segment_length is not None and self.config.segment_stride is not None
        stride = self.config.segment_stride
        full = max(0, (length - self.config.segment_length) // stride + 1) // self.segments
        rest = length - full * self.samples
        if rest <= 0:  # segments that do not overlap leave nothing behind
            return full, self.frames, self.scales
        short = self.config.chunks(rest)
        frames = sum(-(-(end - start) // self.config.hop_length) for start, end in short)
        return full + 1, frames, len(short) if self.scales else 0


def silence(codec: Codec, n_q: int, frames: int, scales: int) -> tuple[Tensor, Tensor | None]:
    """Codes that stand in for a lost chunk: those that the codec gives to silence.

    Unlike silent samples they bring the decoder to rest and out of it again without a click. Where
    chunks carry their loudness, it is 0.

    Shape:
        codes [1, n_q, frames]; scales [1, scales], or None if there are none
    """
    if scales:
        return torch.zeros(1, n_q, frames, dtype=torch.int64), torch.zeros(1, scales)
    second = torch.zeros(1, codec.config.channels, codec.config.sample_rate)
    # By the end of a second the encoder has forgotten that there ever was anything else.
    last = codec.encode_scaled(second)[0][:, :n_q, -1:].cpu()
    return last.expand(-1, -1, frames), None


def code_model(
    codec: Codec,
    entropy: str,
    lm: ExactLanguageModel | None = None,
    wanted: bytes | None = None,
) -> tuple[CodeModel | None, bytes]:
    """The model that predicts the codes of `codec`, and eight bytes that name it.

    Args:
        lm: for "lm"; None takes the one that ships for this codec.
        wanted: the eight bytes that a stream states. A histogram that began with nothing can be had
            for every codec, also for one that would now begin with something.

    Raises:
        ValueError: for an entropy coding that there is not, or not for this codec.
    """
    if entropy not in ENTROPY:
        raise ValueError(f"entropy must be one of {', '.join(ENTROPY)}, but {entropy!r} was given.")
    if entropy == "none":
        return None, bytes(8)
    if entropy == "histogram":
        counts = histogram.for_codec(codec)
        if wanted == bytes(8):
            counts = histogram.Histogram(codec.config.codebook_size)
        return counts, counts.fingerprint
    model = lm or for_codec(codec)
    if model.codebook_size != codec.config.codebook_size:
        raise ValueError(
            f"this language model is for codebooks of {model.codebook_size}, but those of "
            f"{codec.name!r} have {codec.config.codebook_size} entries."
        )
    return model, model.fingerprint


def to_bytes(codes: Tensor, bits: int, model: CodeModel | None) -> bytes:
    """Codes [K, T] of a chunk: coded with the model where that is shorter, else packed."""
    packed = pack(codes.T.reshape(-1).numpy(), bits)
    if model is None:
        return packed
    coded = encode_codes(model, codes)
    return coded if len(coded) < len(packed) else packed


def from_bytes(chunk: Chunk, header: Header, model: CodeModel | None) -> Tensor:
    """The codes [K, T] of a chunk. Their length tells whether they are packed.

    Raises:
        BitstreamError: if no encoder wrote these bytes.
    """
    if model is None or len(chunk.codes) == header.packed_bytes(chunk.frames):
        flat = unpack(chunk.codes, header.bits, chunk.frames * header.n_q)
        return torch.from_numpy(flat.reshape(chunk.frames, header.n_q)).T
    try:
        return decode_codes(model, chunk.codes, header.n_q, chunk.frames)
    except ValueError as error:
        raise BitstreamError(f"chunk {chunk.index} cannot be decoded: {error}") from error


def pack(codes: np.ndarray, bits: int) -> bytes:
    """Integers as bits, one after another, most significant bit first; zeros fill the last byte.

    >>> pack(np.array([1, 2, 3]), bits=4).hex()
    '1230'
    """
    places = np.arange(bits - 1, -1, -1)
    return np.packbits((codes[:, None] >> places & 1).astype(np.uint8)).tobytes()


def unpack(data: bytes, bits: int, count: int) -> np.ndarray:
    """The integers that `pack` packed, int64.

    >>> unpack(bytes.fromhex("1230"), bits=4, count=3)
    array([1, 2, 3])
    """
    flags = np.unpackbits(np.frombuffer(data, np.uint8), count=count * bits).reshape(count, bits)
    return flags.astype(np.int64) @ (1 << np.arange(bits - 1, -1, -1))
