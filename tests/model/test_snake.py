"""Snake between the convolutions: what it computes, and a codec of it wherever codecs go."""

import dataclasses
import json

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from minicodec.model.checkpoint import facts, fingerprint, load_codec, read_metadata, save_codec
from minicodec.model.codec import Codec
from minicodec.model.config import MINI_24KHZ, CodecConfig
from minicodec.model.export import check_exportable
from minicodec.model.fast.codec import faster
from minicodec.model.fields import build
from minicodec.model.onnx_export import check_exportable as check_onnx
from minicodec.model.pretrained import load
from minicodec.model.snake import Snake, activation

SMALL = CodecConfig(n_filters=4, dimension=16, bandwidths=(1.5, 6.0), activation="snake")


def small(config: CodecConfig = SMALL) -> Codec:
    """With waves of a length of their own in every channel, as training would make them."""
    torch.manual_seed(0)
    codec = Codec(config)
    with torch.no_grad():
        for module in codec.modules():
            if isinstance(module, Snake):
                module.alpha.uniform_(0.3, 3)
    return codec.eval()


def test_it_is_its_formula():
    snake, x = Snake(3), torch.randn(2, 3, 50, dtype=torch.float64)
    snake.alpha.data = torch.tensor([[0.5], [1.0], [4.0]], dtype=torch.float64)
    for channel, a in enumerate((0.5, 1.0, 4.0)):
        expected = x[:, channel] + torch.sin(a * x[:, channel]) ** 2 / a
        torch.testing.assert_close(snake(x)[:, channel], expected, rtol=1e-6, atol=1e-8)


def test_it_goes_on_in_waves_and_never_down():
    """x plus a periodic part of a period π / α; its slope 1 + sin(2αx) is never below 0."""
    snake = Snake(1).double()
    snake.alpha.data.fill_(2.0)
    x = torch.linspace(-20, 20, 8001, dtype=torch.float64)[None, None]
    beyond = snake(x) - x
    torch.testing.assert_close(snake(x + torch.pi / 2) - (x + torch.pi / 2), beyond,
                               rtol=0, atol=1e-8)  # fmt: skip
    assert (snake(x).diff() >= -1e-9).all() and beyond.min() >= 0 and beyond.max() <= 0.5


def test_without_a_wave_it_changes_nothing():
    snake = Snake(2)
    snake.alpha.data.zero_()
    x = torch.randn(1, 2, 9)
    assert torch.equal(snake(x), x)


def test_each_channel_learns_the_length_of_its_waves():
    torch.manual_seed(0)
    snake, target = Snake(2), Snake(2)
    target.alpha.data = torch.tensor([[1.5], [0.6]])
    optimizer = torch.optim.Adam(snake.parameters(), 0.02)
    for _ in range(300):
        x = torch.randn(16, 2, 32)
        optimizer.zero_grad()
        (snake(x) - target(x)).square().mean().backward()
        optimizer.step()
    torch.testing.assert_close(snake.alpha, target.alpha, rtol=0.02, atol=0)


def test_one_of_two_kinds():
    assert isinstance(activation("elu", 3), nn.ELU)
    assert activation("snake", 3).alpha.shape == (3, 1)
    with pytest.raises(ValueError, match="activation is 'elu' or 'snake', not 'relu'"):
        CodecConfig(activation="relu")


def test_every_activation_of_a_codec_is_one():
    """One before each convolution but the first of both networks and the shortcuts."""
    codec = small()
    assert not [m for m in codec.modules() if isinstance(m, nn.ELU)]
    snakes = [module for module in codec.modules() if isinstance(module, Snake)]
    strides = len(SMALL.strides)
    assert len(snakes) == 2 * (strides * (1 + 2) + 1)
    widths = {len(module.alpha) for module in snakes}
    assert widths == {2, 4, 8, 16, 32, 64}


# --- what files say


def test_a_config_says_so_only_if_it_is_not_elu():
    """Else every name of a model, its fingerprint, would be another one since Snake is there."""
    assert "activation" not in MINI_24KHZ.as_dict()
    assert SMALL.as_dict()["activation"] == "snake"
    for config in (MINI_24KHZ, SMALL):
        assert build(CodecConfig, json.loads(json.dumps(config.as_dict()))) == config


def test_the_shipped_codecs_keep_their_names():
    """Streams in the world carry them; `book/bitstream.md` says the first."""
    assert fingerprint(load("mini_24khz")).hex() == "ffc5a05e9d5f338a"
    assert fingerprint(load("mini_24khz_adversarial")).hex() == "a4e08e93eb4840a3"


def test_a_saved_codec_comes_back(tmp_path):
    codec, path = small(), tmp_path / "snake.safetensors"
    save_codec(codec, path, {"licence": "MIT"})
    back = load_codec(path)
    assert back.config == SMALL and facts(path) == {"licence": "MIT"}
    assert fingerprint(back) == fingerprint(codec)
    assert json.loads(read_metadata(path)["config"])["activation"] == "snake"
    audio = torch.randn(1, 1, 3000)
    codes = codec.encode(audio)
    assert torch.equal(back.encode(audio), codes)
    assert torch.equal(back.decode(codes), codec.decode(codes))


def test_the_waves_are_part_of_its_name():
    codec, other = small(), small()
    next(m for m in other.modules() if isinstance(m, Snake)).alpha.data[0] += 1e-3
    assert fingerprint(codec) != fingerprint(other)


def test_a_file_of_snakes_is_not_read_as_elus(tmp_path):
    """Every tensor has a place, so a wrong config cannot pass."""
    save_codec(small(), tmp_path / "x.safetensors")
    data = (tmp_path / "x.safetensors").read_bytes()
    assert data.count(b"snake") == 1
    (tmp_path / "x.safetensors").write_bytes(data.replace(b'snake\\"', b'elu\\"  '))
    with pytest.raises(ValueError, match="alpha, which a model of its config does not"):
        load_codec(tmp_path / "x.safetensors")


# --- wherever codecs go


@settings(max_examples=8, deadline=None)
@given(
    length=st.integers(1, 1500),
    chunks=st.lists(st.integers(0, 600), max_size=4),
    pad_mode=st.sampled_from(["constant", "reflect"]),
)
def test_streamed_it_is_what_it_is_offline(length, chunks, pad_mode):
    codec = small(dataclasses.replace(SMALL, pad_mode=pad_mode))
    audio = torch.randn(1, 1, length, generator=torch.Generator().manual_seed(length))
    whole = codec.encode(audio)
    ends = sorted({min(length, sum(chunks[: i + 1])) for i in range(len(chunks))} - {length})
    codes, state = [], None
    for start, end in zip([0, *ends], [*ends, length]):
        piece, state = codec.stream_encode(audio[..., start:end], state, last=end == length)
        codes.append(piece)
    assert torch.equal(torch.cat(codes, 2), whole)
    heard, state = [], None
    for frame in range(whole.shape[2]):
        piece, state = codec.stream_decode(
            whole[..., frame : frame + 1], state, last=frame == whole.shape[2] - 1
        )
        heard.append(piece)
    offline = codec.decode(whole)  # of random weights, so louder than sound can be
    assert (torch.cat(heard, -1) - offline).abs().max() <= 1e-5 * max(1, offline.abs().max())


def test_the_fast_codec_is_the_taught_one():
    codec = small()
    quick, audio = faster(codec), torch.randn(2, 1, 3000)
    codes = codec.encode(audio)
    assert torch.equal(quick.encode(audio), codes)
    assert torch.equal(quick.decode(codes), codec.decode(codes))
    assert fingerprint(quick) == fingerprint(codec)
    with torch.no_grad():  # a weight that changes is noticed, as with ELU
        next(m for m in quick.decoder.modules() if isinstance(m, Snake)).alpha.mul_(1.5)
    assert not torch.equal(quick.decode(codes), codec.decode(codes))


def test_training_reaches_every_wave():
    codec = small().train()
    codec(torch.randn(2, 1, 2000)).audio.square().sum().backward()
    for module in codec.modules():
        if isinstance(module, Snake):
            assert module.alpha.grad.abs().sum() > 0


def test_what_has_no_snake_refuses_it():
    with pytest.raises(ValueError, match="snake activations: only models with elu"):
        check_onnx(SMALL)
    for package in ("transformers", "official"):
        with pytest.raises(ValueError, match="snake activations, and"):
            check_exportable(SMALL, package)
