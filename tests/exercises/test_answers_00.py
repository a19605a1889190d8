"""Behind chapter 00: what is right is so, and slips go wrong where they should."""

import pytest
import torch

from minicodec.exercises import answers_00 as answers


@pytest.mark.parametrize("bits", [1, 2, 3])
def test_all_codes_occur_and_no_others(bits):
    codes = [answers.code(error / 100, 0.1, bits) for error in range(-200, 200)]
    assert sorted(set(codes)) == list(range(-(2 ** (bits - 1)), 2 ** (bits - 1)))
    assert codes == sorted(codes)


def test_an_error_lies_in_its_cell():
    for error in (-0.17, -0.01, 0.0, 0.04, 0.19):
        number = answers.code(error, 0.1, 3)
        assert number * 0.1 <= error < (number + 1) * 0.1


def test_bits_are_counted_as_what_is_sent():
    assert answers.kbps(bytes(48_000), 1.0) == 384


def test_the_climb_ends_at_what_the_codec_does_by_default():
    codec, clip = answers.small_codec_and_clip(torch.Generator().manual_seed(1))
    right, default = answers.climb(codec, clip), answers.climb_at_the_default(codec, clip)
    assert right[-1] == default[0] and right[0] != default[0]
    assert clip.shape[-1] % 320, "whole frames would hide a forgotten length"
    with pytest.raises(ValueError, match="of one shape"):
        answers.climb_of_whole_frames(codec, clip)
