"""Support: codes as bytes and back, what predicts them, and the codes that stand for silence."""

import numpy as np
import torch
from torch import Tensor

from minicodec.bits import histogram
from minicodec.bits.container import ENTROPY, BitstreamError, Chunk, Header
from minicodec.bits.exact import ExactLanguageModel
from minicodec.bits.language_model_file import for_codec
from minicodec.bits.range_coder import CodeModel
from minicodec.bits.range_fast import decode_codes, encode_codes
from minicodec.model.codec import Codec
from minicodec.model.streams import silent_frame


def silence(codec: Codec, n_q: int, frames: int, scales: int) -> tuple[Tensor, Tensor | None]:
    """Codes that stand in for a lost chunk, see `minicodec.model.streams.silent_frame`.

    Where chunks carry their loudness, it is 0.

    Shape:
        codes [1, n_q, frames]; scales [1, scales], or None if there are none
    """
    if scales:
        return torch.zeros(1, n_q, frames, dtype=torch.int64), torch.zeros(1, scales)
    return silent_frame(codec)[:, :n_q].expand(-1, -1, frames), None


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
