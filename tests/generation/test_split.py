"""The split quantizer and its codec: two branches that look at the same latents."""

import json

import pytest
import torch
from safetensors.torch import save_file

import minicodec
from minicodec.generation.split import SplitCodec, SplitQuantizer, load_split, save_split
from minicodec.model.checkpoint import SHIPPED, CheckpointError

SIZES = {"dim": 64, "n_q": 4, "codebook_size": 16, "slower": 3, "width": 16}


@pytest.fixture
def split():
    torch.manual_seed(0)
    return SplitQuantizer(dim=8, n_q=4, codebook_size=16, slower=3, width=16).eval()


@pytest.fixture
def codec():
    torch.manual_seed(0)
    return SplitCodec(minicodec.load("mini_24khz", fast=False), SplitQuantizer(**SIZES)).eval()


def test_the_acoustic_branch_does_not_see_what_the_semantic_one_left_over(split):
    x = torch.randn(2, 8, 30)
    codes = split.encode(x)
    split.semantic.books.codebooks[0].embedding.mul_(-1)
    again = split.encode(x)
    assert not torch.equal(again[:, 0], codes[:, 0])
    assert torch.equal(again[:, 1:], codes[:, 1:])


def test_the_vectors_of_both_branches_are_added(split):
    codes = split.encode(torch.randn(2, 8, 30))
    both = split.semantic.decode(codes[:, :1]) + split.acoustic.decode(codes[:, 1:])
    assert torch.equal(split.decode(codes), both)
    assert torch.equal(split.decode(codes[:, :1]), split.semantic.decode(codes[:, :1]))


@pytest.mark.parametrize("n_q", [2, 4, None])
def test_one_pass_gives_what_encode_and_decode_give(split, n_q):
    x = torch.randn(2, 8, 30)
    meaning, sound = split.split(x, n_q)
    codes = torch.cat([meaning.codes, sound.codes], dim=1)
    assert torch.equal(codes, split.encode(x, n_q)) and codes.shape == (2, n_q or 4, 10)
    assert torch.allclose(meaning.latents + sound.latents, split.decode(codes), atol=1e-5)
    assert split.split(x, 1)[1] is None


def test_projections_start_where_latents_vary_most(split):
    torch.manual_seed(1)
    z = torch.randn(1, 8, 300).cumsum(2) * torch.linspace(0.1, 2, 8)[:, None] + 3
    split.start(z)
    again = split.acoustic.out(split.acoustic.into(z))
    assert torch.allclose(again, z, atol=1e-2 * float(z.abs().max())), "24 of 24 directions"


def test_fewer_levels_are_the_first_ones(split):
    x = torch.randn(1, 8, 30)
    assert torch.equal(split.encode(x, 2), split.encode(x)[:, :2])


def test_a_gradient_reaches_the_latents_through_each_branch(split):
    x = torch.randn(1, 8, 30, requires_grad=True)
    for part in split.split(x):
        (gradient,) = torch.autograd.grad(part.latents.square().sum(), x, retain_graph=True)
        assert gradient.norm() > 0


@pytest.mark.parametrize("n_q", [0, 5, -1])
def test_levels_that_there_are_not(split, n_q):
    for call in (split.split, split.encode):
        with pytest.raises(ValueError, match="1 to 4 codebooks"):
            call(torch.randn(1, 8, 3), n_q)
    with pytest.raises(ValueError, match="1 to 4 codebooks"):
        split.decode(torch.zeros(1, 5, 3, dtype=torch.int64))


def test_one_codebook_cannot_be_split():
    with pytest.raises(ValueError, match="at least 2 codebooks, not 1"):
        SplitQuantizer(8, 1, 16)


def test_three_frames_become_one_and_codes_of_eight_levels_give_sound(codec):
    sound = 0.1 * torch.randn(2, 1, 4810)
    codes = codec.encode(sound)
    assert codes.shape == (2, 4, 6), "4810 samples are 16 frames, and 6 slow ones"
    assert codec.decode(codes).shape == (2, 1, 6 * 960)
    assert codec.decode(codes, length=4810).shape == sound.shape
    assert torch.equal(codec.encode(sound, codec.config.bandwidths[1]), codes[:, :2])


def test_its_config_says_what_it_is(codec):
    config = codec.config
    assert (config.hop_length, config.frame_rate, config.bits, config.max_n_q) == (960, 25, 4, 4)
    assert config.bandwidths == (0.1, 0.2, 0.3, 0.4)
    assert [config.n_q(bandwidth) for bandwidth in config.bandwidths] == [1, 2, 3, 4]


def test_it_does_not_look_ahead(codec):
    a = 0.1 * torch.randn(1, 1, 9600)
    b = a.clone()
    b[..., 4800:] = 0
    assert torch.equal(codec.encode(a)[..., :5], codec.encode(b)[..., :5])
    codes = codec.encode(a)
    other = codes.clone()
    other[..., 5:] = 0
    same = codec.decode(codes)[..., :4800] - codec.decode(other)[..., :4800]
    assert same.abs().max() < 1e-5


def test_saved_and_read_it_is_the_same(codec, tmp_path):
    file = tmp_path / "split.safetensors"
    save_split(codec, file)
    first = load_split(file)  # of float16 weights
    save_split(first, file)
    again = load_split(file)
    sound = 0.1 * torch.randn(1, 1, 4800)
    codes = first.encode(sound)
    assert torch.equal(again.encode(sound), codes)
    assert torch.equal(again.decode(codes), first.decode(codes))
    assert not again.training and not any(p.requires_grad for p in again.parameters())


def test_a_quantizer_for_other_latents(codec):
    with pytest.raises(ValueError, match="for latents of size 8, but those of mini_24khz have 64"):
        SplitCodec(codec.base, SplitQuantizer(**SIZES | {"dim": 8}))


def test_what_is_no_split_codec(codec, tmp_path):
    with pytest.raises(CheckpointError, match="no such file"):
        load_split(tmp_path / "nothing.safetensors")
    with pytest.raises(CheckpointError, match="holds no split codec"):
        load_split(SHIPPED["mini_24khz"])
    file = tmp_path / "other.safetensors"
    for sizes in ("{}", "[]", '{"dim": 64}', json.dumps(SIZES | {"width": 8})):
        tensors = {"semantic.into.0.weight": torch.zeros(16, 64, 3)}
        save_file(tensors, file, {"split": sizes, "base": "mini_24khz"})
        with pytest.raises(CheckpointError, match="another kind of split codec"):
            load_split(file)
    with pytest.raises(ValueError, match="codes"):
        codec.decode(torch.full((1, 4, 3), 16))
    with pytest.raises(ValueError, match="channel"):
        codec.encode(torch.zeros(1, 2, 960))
