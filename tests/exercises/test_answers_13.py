"""Streams read by hand are read as the package reads them, and a flipped bit is mended."""

import zlib

import pytest
import torch

from minicodec.exercises.answers_13 import damaged, flipped, in_one_string, mend, read, stream


def read_by_hand(data: bytes) -> tuple[list[list[int]], list[int], int]:
    """Codes of each frame, frames of each chunk, and samples; from bytes alone."""
    bits, n_q = data[7], int.from_bytes(data[8:10], "big")
    place, codes, frames = 37 + data[36] + 4, [], []
    while True:
        count, size = (int.from_bytes(data[place + i : place + i + 2], "big") for i in (8, 10))
        payload = data[place + 17 : place + 17 + size]
        if not count:
            return codes, frames, int.from_bytes(payload, "big")
        digits = "".join(f"{byte:08b}" for byte in payload)
        numbers = [int(digits[i * bits : (i + 1) * bits], 2) for i in range(count * n_q)]
        codes += [numbers[i : i + n_q] for i in range(0, len(numbers), n_q)]
        frames.append(count)
        place += 17 + size + 4


@pytest.mark.parametrize("seed", range(5))
def test_reading_by_hand_is_reading_with_the_package(seed):
    (data,) = stream(torch.Generator().manual_seed(seed))
    expected, frames, told = read_by_hand(data)
    codes, samples = read(data)
    assert codes.T.tolist() == expected
    assert samples == told
    assert frames[-1] < frames[0], "the last one is short"
    assert in_one_string(data)[0].T.tolist() != expected, "a chunk's last byte is filled"


def test_one_flipped_bit_is_mended_and_two_are_not():
    data, checksum = damaged(torch.Generator().manual_seed(0))
    mended = mend(data, checksum)
    assert mended is not None and zlib.crc32(mended) == checksum
    place = next(place for place in range(8 * len(data)) if flipped(data, place) == mended)
    assert mend(flipped(data, place - 1 if place else 1), checksum) is None
