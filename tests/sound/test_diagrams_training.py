"""The diagrams of training agree with the modules they are about."""

import re

import torch

from minicodec import diagrams
from minicodec.sound.spectral import stft
from minicodec.training.discriminator import WINDOWS, STFTDiscriminator


def labels(diagram) -> list[str]:
    found = re.findall(r"<text[^>]*>(.*?)</text>", diagram.svg)
    return [re.sub(r"<[^>]*>", "", label) for label in found]


def test_shapes_of_the_discriminator():
    audio = torch.randn(1, 1, 24000)
    with torch.no_grad():
        result = STFTDiscriminator(1024)(audio)
    frames, bins = stft(audio, 1024, center=False).transpose(-1, -2).shape[-2:]
    shapes = [[2, frames, bins], *(list(f.shape[1:]) for f in result.features),
              list(result.logits.shape[1:])]  # fmt: skip
    said = labels(diagrams.stft_discriminator())
    drawn = [label for label in said if re.fullmatch(r"\[\d+, \d+, \d+\]", label)]
    assert drawn == [str(shape) for shape in shapes]
    assert any(str(list(WINDOWS))[1:-1] in label for label in said)


def test_layers_of_the_discriminator():
    discriminator = STFTDiscriminator(1024)
    said = [label for label in labels(diagrams.stft_discriminator()) if label.startswith("conv")]
    for label, conv in zip(said, [*discriminator.convs, discriminator.last], strict=True):
        assert "conv {}×{}".format(*conv.kernel_size) in label
        if "d =" in label:
            assert f"d = {conv.dilation}, s = {conv.stride}" in label
        else:
            assert conv.dilation == conv.stride == (1, 1)


def test_gradients_have_the_paper_s_letters():
    said = labels(diagrams.gradient_paths())
    assert {"ℓt", "ℓf", "ℓg", "ℓfeat", "ℓw", "gt", "gf", "gg", "gfeat"} <= set(said)
    assert "each gi scaled to norm G λi / Σλ" in said
