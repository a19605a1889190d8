"""The exercises at the end of chapter 15: figures on paper are those of a real file."""

import math

import torch

import minicodec
from minicodec.bits.ecdc import check_size, codes_of, read_header, write_ecdc
from minicodec.exercises.exercise import find
from minicodec.model.config import ENCODEC_48KHZ


def test_the_bytes_are_those_of_a_file():
    segments, frames, size = find("15.bytes").answer
    config = ENCODEC_48KHZ
    samples = int(2.5 * config.sample_rate)
    spans = config.segments.spans(samples)
    assert len(spans) == segments and sum(config.segments.frames(samples)) == frames
    bits = [config.n_q(6.0) * config.bits * count for count in config.segments.frames(samples)]
    assert sum(math.ceil(count / 8) + 4 for count in bits) == size
    torch.manual_seed(0)
    codec = minicodec.Codec(config, "encodec_48khz").eval()
    data = write_ecdc(codec, 0.1 * torch.randn(1, 2, samples), 6.0)
    check_size(read_header(data), size)
    assert len(codes_of(data)) == size and len(data) - size == 9 + data[8]
