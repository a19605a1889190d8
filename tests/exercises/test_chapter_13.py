"""The exercises at the end of chapter 13: figures on paper are those of real files."""

import pytest
import torch

import minicodec
from minicodec.exercises.chapter_13 import STAND_INS
from minicodec.exercises.exercise import find


@pytest.fixture(scope="module")
def codec():
    return minicodec.load("mini_24khz")


def size(codec, frames: int) -> int:
    clip = torch.zeros(1, 1, frames * codec.config.hop_length)
    return len(minicodec.compress(codec, clip, bandwidth=1.5, entropy="none", chunk_seconds=60))


def test_the_rate_and_the_overhead_are_those_of_a_file(codec):
    kbps, seconds = find("13.real_rate").answer
    assert size(codec, 75) * 8 / 1000 == pytest.approx(kbps, rel=1e-3)
    for more, too_much in ((-0.2, True), (0.2, False)):
        frames = round(75 * (seconds + more))
        whole = size(codec, frames)
        assert ((whole - frames * 20 / 8) / whole > 0.05) == too_much


def test_the_check_bits_leave_no_remainder():
    sent, divisor = int("1110" + find("13.by_hand").answer, 2), 0b1011
    for place in reversed(range(4)):
        if sent >> place + 3 & 1:
            sent ^= divisor << place
    assert sent == 0


def test_what_is_heard_is_in_no_given_order():
    assert sorted(find("13.stand_ins").answer) == sorted(STAND_INS)
    assert find("13.stand_ins").answer != STAND_INS
