"""Codes as bytes: a plain container, with a header that says what they are and a checksum.

::

    0   4s   "MCDC"
    4   u8   version, 0
    5   u8   K, codebooks used
    6   u8   bits per code
    7   u8   channels
    8   u32  sample rate, Hz
    12  u64  samples of the original clip
    20  8s   fingerprint of the model
    28  u8   n, length of the model's name; then the name, UTF-8
        u32  number of chunks that carry a loudness; then that many float32
        codes, frame by frame, level by level, each in its bits, most significant first
        u32  CRC-32 of everything before it

All numbers are big-endian. This first version packs codes as they are; entropy coding, chunks that
survive damage, and pipes are for chapters 11 to 13.

Chapter 13.
"""

import math
import struct
import zlib
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from minicodec import audio as audio_
from minicodec.checkpoint import SHIPPED, fingerprint, load_codec
from minicodec.codec import Codec

_FIXED = struct.Struct(">4sBBBBIQ8sB")


class BitstreamError(ValueError):
    """Bytes that are not a whole, undamaged stream, or not one of this model."""


@dataclass(frozen=True)
class Header:
    """What a stream says about itself."""

    n_q: int
    bits: int
    channels: int
    sample_rate: int
    length: int
    fingerprint: bytes
    model: str
    scales: tuple[float, ...]

    @property
    def seconds(self) -> float:
        """Duration of the clip."""
        return self.length / self.sample_rate


def compress(
    codec: Codec,
    audio: Tensor,
    bandwidth: float | None = None,
    entropy: str = "none",
    progress: bool = False,
) -> bytes:
    """One clip as bytes.

    Args:
        audio: [1, C, T] in [-1, 1], at the codec's rate.
        bandwidth: in kbps; the highest by default.
        entropy: "none"; the other modes come with the chapters on entropy coding.
        progress: show a bar.

    Raises:
        ValueError: for audio that is not one clip of this codec's kind, or an unknown bandwidth or
            entropy mode.

    >>> from minicodec.codec import Codec
    >>> from minicodec.config import CodecConfig
    >>> codec = Codec(CodecConfig(n_filters=2, dimension=8, bandwidths=(1.5,))).eval()
    >>> audio = torch.randn(1, 1, 24000)
    >>> data = compress(codec, audio)
    >>> len(data), decompress(data, codec).shape
    (232, torch.Size([1, 1, 24000]))
    """
    if entropy != "none":
        raise ValueError(f"entropy must be 'none' for now, but {entropy!r} was given.")
    audio_.check(audio, codec.config.channels)
    if len(audio) != 1:
        raise ValueError(f"compress takes one clip [1, C, T], but this is a batch of {len(audio)}.")
    codes, scales = codec.encode_scaled(audio, bandwidth, progress)
    loudness = [] if scales is None else scales[0].tolist()
    name = codec.name.encode()[:255].decode(errors="ignore").encode()  # no character cut in half
    config = codec.config
    if codes.shape[1] > 255:
        raise ValueError(f"a stream has room for 255 codebooks, not for {codes.shape[1]}.")
    head = _FIXED.pack(
        b"MCDC", 0, codes.shape[1], config.bits, config.channels, config.sample_rate,
        audio.shape[-1], fingerprint(codec), len(name),
    )  # fmt: skip
    body = head + name + struct.pack(f">I{len(loudness)}f", len(loudness), *loudness)
    body += _pack(codes[0].T.reshape(-1).cpu().numpy(), config.bits)
    return body + struct.pack(">I", zlib.crc32(body))


def decompress(data: bytes, codec: Codec | None = None, progress: bool = False) -> Tensor:
    """The clip back, as many samples as went in.

    Args:
        codec: the one that made the stream; None loads it if it is one that ships with us.
        progress: show a bar.

    Returns:
        audio [1, C, T]

    Raises:
        BitstreamError: if the bytes are cut short, damaged, no stream of ours, or of another model.
    """
    header, payload = read(data)
    if codec is None:
        if header.model not in SHIPPED:
            raise BitstreamError(
                f"this stream was made by {header.model!r}, which does not ship with minicodec: "
                "load that model and pass it as codec=."
            )
        codec = load_codec(SHIPPED[header.model])
    config = codec.config
    if fingerprint(codec) != header.fingerprint:
        raise BitstreamError(
            f"this stream was made by other weights ({header.model!r}) than {codec.name!r} has."
        )
    claims = (header.bits, header.channels, header.sample_rate, len(header.scales) > 0)
    if claims != (config.bits, config.channels, config.sample_rate, config.normalize):
        raise BitstreamError(f"this stream's header contradicts its model, {codec.name!r}.")
    # A false length could mean more chunks than fit in memory, so bound it before counting them.
    if header.length * header.n_q * header.bits > len(payload) * 8 * config.hop_length:
        raise BitstreamError(
            f"this stream holds {len(payload)} bytes of codes, too few for {header.length} samples."
        )
    frames = sum(math.ceil((end - start) / config.hop_length)
                 for start, end in config.chunks(header.length))  # fmt: skip
    codes = _unpack(payload, header.bits, frames * header.n_q).reshape(1, frames, header.n_q)
    scales = torch.tensor([header.scales]) if config.normalize else None
    return codec.decode(torch.from_numpy(codes).transpose(1, 2), scales, header.length, progress)


def read(data: bytes) -> tuple[Header, bytes]:
    """Check a stream and take its header off.

    Raises:
        BitstreamError: naming what is wrong.
    """
    if not isinstance(data, (bytes, bytearray, memoryview)):
        raise BitstreamError(f"a stream is bytes, but this is a {type(data).__name__}.")
    data = bytes(data)
    if len(data) < _FIXED.size + 8:
        raise BitstreamError(
            f"{len(data)} bytes are too few for a stream: its header alone has {_FIXED.size + 8}."
        )
    magic, version, n_q, bits, channels, rate, length, print_, size = _FIXED.unpack_from(data)
    if magic != b"MCDC":
        raise BitstreamError(f"this is no minicodec stream: it begins with {magic!r}, not b'MCDC'.")
    if version != 0:
        raise BitstreamError(f"this stream is of version {version}; only version 0 is known.")
    if zlib.crc32(data[:-4]) != struct.unpack(">I", data[-4:])[0]:
        raise BitstreamError("this stream is cut short or damaged: its checksum does not match.")
    try:
        name = data[_FIXED.size : _FIXED.size + size].decode()
        (n_scales,) = struct.unpack_from(">I", data, _FIXED.size + size)
        start = _FIXED.size + size + 4
        if n_scales * 4 > len(data) - start:
            raise BitstreamError(
                f"this stream claims {n_scales} scales, but is too short for them."
            )
        scales = struct.unpack_from(f">{n_scales}f", data, start)
    except (struct.error, UnicodeDecodeError) as error:
        raise BitstreamError(f"this stream's header cannot be read: {error}.") from error
    if not (n_q and bits and channels and rate and length):
        raise BitstreamError("this stream's header holds a zero where none can be.")
    if not all(map(math.isfinite, scales)):
        raise BitstreamError("this stream's header holds NaN or infinite scales.")
    return (
        Header(n_q, bits, channels, rate, length, print_, name, scales),
        data[start + 4 * n_scales : -4],
    )


def _pack(codes: np.ndarray, bits: int) -> bytes:
    places = np.arange(bits - 1, -1, -1)
    return np.packbits((codes[:, None] >> places & 1).astype(np.uint8)).tobytes()


def _unpack(data: bytes, bits: int, count: int) -> np.ndarray:
    if len(data) != (count * bits + 7) // 8:
        raise BitstreamError(
            f"this stream holds {len(data)} bytes of codes, but its header calls for "
            f"{(count * bits + 7) // 8}."
        )
    flags = np.unpackbits(np.frombuffer(data, np.uint8), count=count * bits).reshape(count, bits)
    return flags.astype(np.int64) @ (1 << np.arange(bits - 1, -1, -1))
