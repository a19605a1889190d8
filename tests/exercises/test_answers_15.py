"""Names, segments and `.ecdc` files of the exercises are the package's, and wrong ones are not."""

import json

import pytest
import torch

import minicodec
from minicodec.bits.ecdc import read_header, write_ecdc
from minicodec.exercises import answers_15 as answers
from minicodec.exercises.exercise import find
from minicodec.model.config import ENCODEC_24KHZ
from minicodec.model.renaming import our_name
from minicodec.model.segments import overlap_add


@pytest.fixture(scope="module")
def codec():
    torch.manual_seed(0)
    return minicodec.Codec(ENCODEC_24KHZ, "encodec_24khz").eval()


def drawn(make, seed):
    return make(torch.Generator().manual_seed(seed))


def test_the_file_is_the_packages(codec):
    clip = 0.1 * torch.randn(1, 1, 3333)
    codes = codec.encode(clip, 3.0)
    data = write_ecdc(codec, clip, 3.0)
    assert answers.ecdc(codes[0], 3333, "encodec_24khz") == data
    fields, read = answers.read(data)
    header = read_header(data)
    assert fields == {"m": header.model, "al": 3333, "nc": 4, "lm": False}
    assert torch.equal(read, codes[0])


@pytest.mark.parametrize("seed", range(5))
def test_drawn_codes_come_back_from_their_file(seed):
    codes, samples, model = drawn(answers.codes_and_name, seed)
    data = answers.ecdc(codes, samples, model)
    assert (codes.numel() * 10) % 8, "the last byte is to be filled up"
    fields, read = answers.read(data)
    assert fields["al"] == samples and torch.equal(read, codes)
    size = int.from_bytes(data[5:9], "big")
    assert json.loads(data[9 : 9 + size]) == fields


@pytest.mark.parametrize("seed", range(5))
def test_the_rules_are_the_packages_where_they_are_whole(seed):
    (names,) = drawn(answers.official_names, seed)
    assert answers.each(answers.renamed(), names) == answers.each(our_name, names)
    (both,) = drawn(answers.names_of_both, seed)
    renamed = answers.each(our_name, both)
    assert not [name for name in renamed.values() if "conv" in name or "original" in name]


@pytest.mark.parametrize("seed", range(5))
def test_clips_have_a_tail_inside_of_the_segment_before(seed):
    (cases,) = drawn(answers.clips, seed)
    tails = 0
    for samples, length, stride in cases:
        spans = answers.spans(samples, length, stride)
        assert spans[0][0] == 0 and spans[-1][1] == samples
        tails += len(spans) > 1 and spans[-2][1] == samples
    assert tails >= 2


def test_loudness_is_that_of_the_mix():
    (audio,) = drawn(answers.stereo, 0)
    divided, scale = answers.over_loudness(audio)
    assert torch.allclose(divided[:2].mean(1).pow(2).mean(1), torch.ones(2), atol=1e-4)
    assert torch.allclose(divided * scale, audio) and float(scale[2]) == pytest.approx(1e-8)


@pytest.mark.parametrize("seed", range(5))
def test_weighting_with_the_triangle_is_the_cross_fade(seed):
    segments, stride = drawn(answers.pieces, seed)
    joined = answers.weighted(segments, stride, answers.triangle)
    assert torch.allclose(joined, overlap_add(segments, stride), atol=1e-6)
    assert not torch.allclose(joined[..., : answers.cut(segments, stride).shape[-1]],
                              answers.cut(segments, stride), atol=1e-3)  # fmt: skip


@pytest.mark.parametrize("seed", range(5))
def test_one_file_of_two_has_whole_hops_and_their_headers_differ(seed):
    (files,) = drawn(answers.files_of, seed)
    fields = [answers.read(data)[0] for data in files.values()]
    assert [bool(each["al"] % 320) for each in fields] == [True, False]
    assert len({data[8] for data in files.values()}) == 2


def test_the_right_renaming_knows_official_names_alone():
    # In the chapter `my_rename` is the one of the package: else 15.both had nothing to do.
    rename = find("15.rename").answer
    for name in ("encoder.layers.3.conv.bias", "quantizer.layers.3.codebook.embed"):
        assert rename(name) != our_name(name)
