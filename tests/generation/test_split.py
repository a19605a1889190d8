"""The split quantizer and its codec: two branches that look at the same latents."""

import pytest
import torch

import minicodec
from minicodec.generation.split import SplitCodec, SplitQuantizer, load_split
from minicodec.model.checkpoint import CheckpointError
from minicodec.model.config import CodecConfig

CONFIG = CodecConfig(n_filters=2, dimension=8, bandwidths=(1.5, 3.0), codebook_size=16)


@pytest.fixture
def split():
    torch.manual_seed(0)
    return SplitQuantizer(dim=8, n_q=4, codebook_size=16).eval()


@pytest.fixture
def codec():
    torch.manual_seed(0)
    return SplitCodec(CONFIG, "ours").eval()


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


@pytest.mark.parametrize("n_q", [1, 2, 4, None])
def test_one_pass_gives_what_encode_and_decode_give(split, n_q):
    x = torch.randn(2, 8, 30)
    quantized, codes, _ = split(x, n_q)
    assert codes.shape == (2, n_q or 4, 30)
    assert torch.equal(codes, split.encode(x, n_q))
    assert torch.allclose(quantized, split.decode(codes), atol=1e-5)


def test_fewer_levels_are_the_first_ones(split):
    x = torch.randn(1, 8, 30)
    assert torch.equal(split.encode(x, 2), split.encode(x)[:, :2])


def test_the_commitment_is_the_mean_over_all_levels(split):
    x = torch.randn(2, 8, 30)
    meaning, sound = split.split(x, 3)
    wanted = (meaning.commitment + 2 * sound.commitment) / 3
    assert torch.isclose(split(x, 3).commitment, wanted)


def test_a_gradient_reaches_the_latents_through_each_branch(split):
    x = torch.randn(1, 8, 30, requires_grad=True)
    for part in split.split(x):
        (gradient,) = torch.autograd.grad(part.quantized.square().sum(), x, retain_graph=True)
        assert gradient.norm() > 0


@pytest.mark.parametrize("n_q", [0, 5, -1])
def test_levels_that_there_are_not(split, n_q):
    for call in (split, split.encode):
        with pytest.raises(ValueError, match="1 to 4 codebooks"):
            call(torch.randn(1, 8, 3), n_q)
    with pytest.raises(ValueError, match="1 to 4 codebooks"):
        split.decode(torch.zeros(1, 5, 3, dtype=torch.int64))


def test_one_codebook_cannot_be_split():
    with pytest.raises(ValueError, match="at least 2 codebooks, not 1"):
        SplitQuantizer(8, 1, 16)


def test_a_split_codec_streams(codec):
    sound = 0.1 * torch.randn(1, 1, 9600)
    whole, state, pieces = codec.encode(sound), None, []
    for piece in sound.split(1234, dim=2):
        codes, state = codec.stream_encode(piece, state)
        pieces.append(codes)
    codes, _ = codec.stream_encode(sound[..., :0], state, last=True)
    assert torch.equal(torch.cat([*pieces, codes], dim=2), whole)


def test_saved_and_read_it_is_the_same(codec, tmp_path):
    file = tmp_path / "split.safetensors"
    minicodec.save(codec, file)
    sound = 0.1 * torch.randn(1, 1, 4800)
    again = load_split(file)
    codes = codec.encode(sound)
    assert torch.equal(again.encode(sound), codes)
    assert torch.allclose(again.decode(codes), codec.decode(codes), atol=1e-5)
    assert not again.training


def test_another_codec_is_no_split_one(tmp_path):
    file = tmp_path / "plain.safetensors"
    minicodec.save(minicodec.Codec(CONFIG), file)
    with pytest.raises(CheckpointError, match="is no split codec: it differs at"):
        load_split(file)
    with pytest.raises(CheckpointError, match="no such file"):
        load_split(tmp_path / "nothing.safetensors")
