"""The diagrams of bits agree with the coder, the language model and the format."""

import math
import re

import pytest
import torch

import minicodec
from minicodec import diagrams
from minicodec.bits.language_model import LanguageModelConfig
from minicodec.sound import diagrams_bits
from minicodec.sound.diagrams_bits import HUNDREDTHS, MESSAGE


def said(diagram) -> str:
    return re.sub(r"<[^>]*>", "", re.sub(r"</text>", "\n", diagram.svg))


def test_the_interval_is_as_wide_as_the_message_is_likely():
    assert sum(HUNDREDTHS.values()) == 100
    steps = diagrams_bits._intervals()
    low, width = steps[-1]
    assert width == pytest.approx(math.prod(HUNDREDTHS[s] / 100 for s in MESSAGE))
    assert low == pytest.approx(0.5 + 0.3 * 0.5 * 0.8)  # b, then a, then c
    for (a, wide), (b, narrow) in zip(steps, steps[1:]):
        assert a <= b and b + narrow <= a + wide + 1e-12
    assert f"−log2 {width:.3g} = {-math.log2(width):.2f} bits" in said(diagrams.range_interval())
    assert "0.62\n0.65\n" in said(diagrams.range_interval())


def test_the_language_model_is_the_paper_s():
    config = LanguageModelConfig(n_q=8)
    text = said(diagrams.language_model_step())
    assert f"Transformer, {config.layers} layers" in text
    assert f"{config.seconds:g} s: {config.context} cached keys" in text
    assert f"[{config.dim}]" in text and f"{config.codebook_size} probabilities" in text
    assert text.count("head\n") == config.n_q


def test_the_sizes_of_a_chunk_are_those_of_a_stream():
    codec = minicodec.load("mini_24khz")
    sizes = []
    for seconds in (5, 10):
        clip = torch.zeros(1, 1, seconds * 24000)
        data = minicodec.compress(codec, clip, bandwidth=6.0, entropy="none")
        sizes.append(len(data))
    text = said(diagrams.frame_in_bitstream())
    assert f"at most {sizes[1] - sizes[0]} bytes" in text
    assert "8 · 10 = 80 bits" in text and "320 · 16 = 5120 bits" in text
