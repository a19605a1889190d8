"""Support: small streams, read rightly and wrongly, for the exercises of chapter 13."""

import struct
import zlib
from io import BytesIO

import torch
from torch import Generator, Tensor

from minicodec.bits.container import Chunk, Header, StreamBytes, chunk_bytes
from minicodec.bits.packing import from_bytes, to_bytes, unpack
from minicodec.exercises.trying import draw

_HOP, _FULL = 320, 5


def flipped(data: bytes, place: int) -> bytes:
    """The same bytes with one bit changed."""
    wrong = bytearray(data)
    wrong[place // 8] ^= 0x80 >> place % 8
    return bytes(wrong)


def mend(data: bytes, checksum: int) -> bytes | None:
    """The bytes that differ in one bit and have this CRC-32; None if there are none."""
    for place in range(8 * len(data)):
        if zlib.crc32(tried := flipped(data, place)) == checksum:
            return tried
    return None


def damaged(generator: Generator) -> tuple[bytes, int]:
    """Bytes of which a bit was flipped, and the checksum of what they were."""
    data = bytes(torch.randint(256, (draw(generator, 20, 39),), generator=generator).tolist())
    return flipped(data, draw(generator, 0, 8 * len(data) - 1)), zlib.crc32(data)


def stream(generator: Generator) -> tuple[bytes]:
    """One without entropy coding, whose last chunk is short and whose last bytes are filled."""
    n_q, bits, frames = 3, 9 + 2 * draw(generator, 0, 1), 3 * _FULL + 2
    codes = torch.randint(1 << bits, (n_q, frames), generator=generator)
    name = "abcdefghij"[: draw(generator, 2, 9)]
    header = Header(
        "none", 1, bits, n_q, _FULL, _FULL * _HOP, 24000, b"model---", bytes(8), name
    ).to_bytes()
    seed, data = zlib.crc32(header[:-4]), header
    pieces = codes.split(_FULL, 1)
    for index, piece in enumerate(pieces):
        payload = to_bytes(piece, bits, None)
        data += chunk_bytes(seed, index, piece.shape[1], (), payload)
    samples = frames * _HOP - draw(generator, 1, _HOP - 1)
    return (data + chunk_bytes(seed, len(pieces), 0, (), struct.pack(">Q", samples)),)


def read(data: bytes) -> tuple[Tensor, int]:
    """Codes [K, T] and samples of a stream without entropy coding."""
    return read_with(data)


def read_with(
    data: bytes,
    levels_first: bool = False,
    samples_of_frames: bool = False,
    whole_chunks: bool = False,
) -> tuple[Tensor, int]:
    """As `read`, or with a mistake."""
    header, pieces, samples = parts(data)
    if whole_chunks:
        pieces = [piece for piece in pieces if piece.frames == header.chunk_frames]
    read_ = [from_bytes(piece, header, None) for piece in pieces]
    if levels_first:
        read_ = [codes.T.reshape(codes.shape) for codes in read_]
    codes = torch.cat(read_, 1)
    return codes, codes.shape[1] * _HOP if samples_of_frames else samples


def parts(data: bytes) -> tuple[Header, list[Chunk], int]:
    """Header and chunks of a stream, and the number of samples that its last chunk tells."""
    source = StreamBytes(BytesIO(data))
    *pieces, last = source
    return source.header, pieces, last.length


def in_one_string(data: bytes) -> tuple[Tensor, int]:
    """The mistake of joining all payloads before the bits are counted."""
    header, pieces, samples = parts(data)
    frames = sum(piece.frames for piece in pieces)
    flat = unpack(b"".join(piece.codes for piece in pieces), header.bits, frames * header.n_q)
    return torch.from_numpy(flat).view(frames, header.n_q).T, samples
