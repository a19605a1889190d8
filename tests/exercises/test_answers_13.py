"""Streams read by hand are read as the package reads them, and a flipped bit is mended."""

import zlib
from io import BytesIO

import pytest
import torch

from minicodec.bits.container import StreamBytes
from minicodec.bits.packing import from_bytes
from minicodec.exercises.answers_13 import damaged, flipped, in_one_string, mend, read, stream


@pytest.mark.parametrize("seed", range(5))
def test_reading_by_hand_is_reading_with_the_package(seed):
    (data,) = stream(torch.Generator().manual_seed(seed))
    source = StreamBytes(BytesIO(data))
    *pieces, last = list(source)
    expected = torch.cat([from_bytes(piece, source.header, None) for piece in pieces], 1)
    codes, samples = read(data)
    assert torch.equal(codes, expected)
    assert samples == last.length
    assert pieces[-1].frames < source.header.chunk_frames, "the last one is short"
    assert not torch.equal(in_one_string(data)[0], expected), "a chunk's last byte is filled"


def test_one_flipped_bit_is_mended_and_two_are_not():
    data, checksum = damaged(torch.Generator().manual_seed(0))
    mended = mend(data, checksum)
    assert mended is not None and zlib.crc32(mended) == checksum
    place = next(place for place in range(8 * len(data)) if flipped(data, place) == mended)
    assert mend(flipped(data, place - 1 if place else 1), checksum) is None
