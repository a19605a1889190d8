"""The codec is EnCodec: same codes, same audio as the official package and as transformers.

The plain codec is held against the one and the fast codec against the other. Random weights are
copied by `minicodec.model.pretrained.convert` alone. Lengths reach from one sample over exact
chunks and one sample more to several chunks. `pytest -s` prints the table.
"""

import math
from functools import partial

import pytest
import torch
from recordings import recordings

from minicodec.model.checkpoint import assemble
from minicodec.model.codec import Codec
from minicodec.model.config import ENCODEC_24KHZ, ENCODEC_48KHZ
from minicodec.model.fast.codec import faster
from minicodec.model.pretrained import convert

CONFIGS = {"encodec_24khz": ENCODEC_24KHZ, "encodec_48khz": ENCODEC_48KHZ}
LENGTHS = {
    "encodec_24khz": [1, 2, 7, 319, 320, 321, 2240, 4801, 24000, 47999, 72123],
    "encodec_48khz": [1, 2, 319, 480, 4801, 47520, 47521, 47681, 48000, 48001, 95041, 150000],
}
#: The official decoder fails where the last chunk is 161 to 320 samples long: it decodes to less
#: than what the chunk before it already covers.
CRASHES_OFFICIALLY = 47681
#: And transformers cannot stack three chunks of 150, 149 and 1 frames.
CRASHES_TRANSFORMERS = 2 * 47520 + 1
CASES = [(name, length) for name in CONFIGS for length in LENGTHS[name]]


def bandwidths(name: str, length: int) -> tuple[float, ...]:
    """All of a model's; for long clips the lowest and the highest.

    How many codebooks are used changes nothing about how chunks are put together.
    """
    every = CONFIGS[name].bandwidths
    return every if length <= 24000 else (every[0], every[-1])


def randomize(codebooks):
    """Official codebooks start as zeros; give them vectors, each level smaller than the last."""
    for level, book in enumerate(codebooks):
        book.normal_(0, 0.2 * 0.8**level)


@pytest.fixture(scope="module")
def official():
    from encodec import EncodecModel

    torch.manual_seed(1)
    models = {}
    for name in CONFIGS:
        model = getattr(EncodecModel, name.replace("_", "_model_"))(pretrained=False).eval()
        randomize(layer._codebook.embed for layer in model.quantizer.vq.layers)
        models[name] = model
    return models


@pytest.fixture(scope="module")
def transformers_models():
    from transformers import EncodecConfig, EncodecModel

    torch.manual_seed(2)
    models = {}
    for name, config in CONFIGS.items():
        stereo = {} if config.channels == 1 else dict(
            sampling_rate=48000, audio_channels=2, normalize=True, chunk_length_s=1.0, overlap=0.01,
            use_causal_conv=False, norm_type="time_group_norm")  # fmt: skip
        model = EncodecModel(
            EncodecConfig(target_bandwidths=list(config.bandwidths), **stereo)
        ).eval()
        randomize(layer.codebook.embed for layer in model.quantizer.layers)
        models[name] = model
    return models


@pytest.fixture(scope="module")
def ours(official, transformers_models) -> dict[str, tuple[Codec, Codec]]:
    """The plain codec with weights of the one, the fast codec with those of the other."""
    return {
        name: (
            assemble(config, convert(official[name].state_dict()), name),
            faster(assemble(config, convert(transformers_models[name].state_dict()), name)),
        )
        for name, config in CONFIGS.items()
    }


def sound(name: str, length: int) -> torch.Tensor:
    """A real recording with noise in the other channel, tiled if it is too short."""
    clip = recordings("speech", 1, 6)[0]
    clip = clip.repeat(1, 1, math.ceil(length / clip.shape[-1]))[..., :length]
    if name == "encodec_48khz":
        clip = torch.cat([clip, 0.5 * clip.flip(-1) + 0.01 * torch.randn_like(clip)], dim=1)
    return clip


@torch.no_grad()
@pytest.mark.parametrize(("name", "length"), CASES)
def test_codes_and_audio_are_the_official_ones(name, length, official, ours):
    theirs, codec = official[name], ours[name][0]
    audio = sound(name, length)
    for bandwidth in bandwidths(name, length):
        theirs.set_target_bandwidth(bandwidth)
        frames = theirs.encode(audio)
        codes, scales = codec.encode_scaled(audio, bandwidth)
        assert torch.equal(codes, torch.cat([frame for frame, _ in frames], dim=2))
        if scales is not None:
            torch.testing.assert_close(scales, torch.cat([scale for _, scale in frames], dim=1))
        restored = codec.decode(codes, scales, length)
        if length == CRASHES_OFFICIALLY:
            with pytest.raises(RuntimeError, match="must match the size"):
                theirs.decode(frames)
            assert restored.shape == audio.shape
            continue
        difference = (restored - theirs.decode(frames)[..., :length]).abs().max()
        print(f"\n{name} {length:6d} samples {bandwidth:4g} kbps: codes equal, "
              f"largest difference {difference:.1e}", end="")  # fmt: skip
        assert difference <= 1e-5


@torch.no_grad()
@pytest.mark.parametrize(("name", "length"), CASES)
def test_codes_and_audio_are_those_of_transformers(name, length, transformers_models, ours):
    theirs, codec = transformers_models[name], ours[name][1]
    audio = sound(name, length)
    for bandwidth in bandwidths(name, length):
        codes, scales = codec.encode_scaled(audio, bandwidth)
        restored = codec.decode(codes, scales, length)
        if length == CRASHES_TRANSFORMERS:
            with pytest.raises(RuntimeError, match="stack expects each tensor to be equal size"):
                theirs.encode(audio, bandwidth=bandwidth)
            continue
        encoded = theirs.encode(audio, bandwidth=bandwidth)
        chunks = list(encoded.audio_codes)  # all padded to one length, the last to be cut again
        chunks[-1] = chunks[-1][..., : chunks[-1].shape[-1] - encoded.last_frame_pad_length]
        assert torch.equal(codes, torch.cat(chunks, dim=2))
        decode = partial(theirs.decode, encoded.audio_codes, encoded.audio_scales,
                         last_frame_pad_length=encoded.last_frame_pad_length)  # fmt: skip
        if length == CRASHES_OFFICIALLY:
            with pytest.raises(RuntimeError, match="must match the size"):
                decode()
            continue
        assert (restored - decode()[0][..., :length]).abs().max() <= 1e-5


def test_parameter_counts_are_the_papers():
    assert sum(p.numel() for p in Codec(ENCODEC_24KHZ).parameters()) == 14_851_810
    assert sum(p.numel() for p in Codec(ENCODEC_48KHZ).parameters()) == 14_856_294
