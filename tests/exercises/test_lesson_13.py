"""What the checks of chapter 13 count as right is what stands in a stream of the package."""

import zlib
from io import BytesIO

import pytest
import torch

import minicodec
from minicodec.bits.container import StreamBytes
from minicodec.exercises.lesson_13 import LESSON, chunk, packed


@pytest.fixture(scope="module")
def written() -> tuple[torch.Tensor, bytes]:
    codec = minicodec.load("mini_24khz")
    clip = torch.rand(1, 1, 6400, generator=torch.Generator().manual_seed(0))
    return codec.encode(clip, bandwidth=1.5)[0], minicodec.compress(codec, clip, bandwidth=1.5)


def test_codes_are_packed_as_in_a_stream(written):
    codes, data = written
    first, _ = list(StreamBytes(BytesIO(data)))
    assert packed(codes, 10) == first.codes


def test_a_chunk_stands_in_the_stream(written):
    codes, data = written
    source = StreamBytes(BytesIO(data))
    seed = zlib.crc32(data[: source.header_size - 4])
    assert chunk(0, codes.shape[1], packed(codes, 10), seed) in data


def test_the_checksum_is_the_common_one():
    (exercise,) = [exercise for exercise in LESSON if exercise.name == "13.crc32"]
    assert exercise.answer(b"123456789") == 0xCBF43926
