"""The diagrams of quantizers choose as the quantizers do."""

import re

import pytest
import torch

from minicodec import diagrams
from minicodec.model.quantize import nearest
from minicodec.sound import diagrams_quantizer
from minicodec.sound.diagrams_quantizer import CODEBOOK, LATENT, TARGET


def test_the_nearest_code_is_the_nearest():
    latent, book = torch.tensor([LATENT]), torch.tensor(CODEBOOK)
    code = int(nearest(latent, book))
    distances = torch.cdist(latent, book)[0]
    said = re.sub(r"<[^>]*>", "", diagrams.nearest_code().svg)
    assert f"e{code} is nearest: the code is {code}" in said
    for index, distance in enumerate(distances.tolist()):
        assert f"e{index}: {distance:.2f}" in said


def test_regions_hold_what_is_nearest_to_their_vector():
    """Each place of the plane lies in the region of the vector that is nearest to it."""
    frame = [(-2.0, -1.5), (2.0, -1.5), (2.0, 1.5), (-2.0, 1.5)]
    regions = [diagrams_quantizer._region(index, frame) for index in range(len(CODEBOOK))]
    places = torch.rand(300, 2) * torch.tensor([4.0, 3.0]) - torch.tensor([2.0, 1.5])
    for place, code in zip(places.tolist(), nearest(places, torch.tensor(CODEBOOK)).tolist()):
        region = regions[code]
        sides = [(bx - ax) * (place[1] - ay) - (by - ay) * (place[0] - ax)
                 for (ax, ay), (bx, by) in zip(region, region[1:] + region[:1])]  # fmt: skip
        assert all(side >= -1e-6 for side in sides)


def test_residual_levels_are_the_quantizer_s():
    left, lengths = torch.tensor([TARGET]), []
    for level in range(3):
        lengths.append(float(left.norm()))
        book = torch.tensor(diagrams_quantizer._book(level))
        left = left - book[nearest(left, book)]
    lengths.append(float(left.norm()))
    assert lengths == sorted(lengths, reverse=True)
    drawn = re.findall(r">(\d\.\d\d)</text>", diagrams.residual_levels().svg)
    assert [float(number) for number in drawn] == pytest.approx(lengths, abs=0.006)


def test_the_split_quantizer_has_two_branches_and_a_teacher():
    svg = diagrams.split_quantizer().svg
    said = re.findall(r">([a-z1][^<>]*)</text>", svg)
    assert said.count("project") == 4
    assert {"semantic", "1 codebook", "acoustic", "teacher", "cosine"} <= set(said)
    assert "stroke-dasharray" in svg, "the teacher is no part of the codec"
