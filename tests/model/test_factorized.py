"""Learned codebooks: the same shape as the averaged ones, trained by gradient alone."""

import pytest
import torch

from minicodec.model.checkpoint import load_codec, save_codec
from minicodec.model.codec import Codec
from minicodec.model.config import CodecConfig
from minicodec.model.factorized import FactorizedCodebook, FactorizedQuantizer
from minicodec.sound.metrics import codebook_use


def manifold(count: int) -> torch.Tensor:
    """Latents [1, 32, N] that lie near a surface of six dimensions."""
    generator = torch.Generator().manual_seed(7)
    return (torch.randn(count, 6) @ torch.randn(6, 32, generator=generator)).T[None]


def test_encode_decode_and_forward_say_the_same():
    rvq = FactorizedQuantizer(dim=8, n_q=4, codebook_size=16, code_dim=3)
    x = torch.randn(2, 8, 30)
    quantized, codes, _ = rvq(x)
    assert torch.equal(codes, rvq.encode(x))
    torch.testing.assert_close(quantized, rvq.decode(codes))
    assert torch.equal(rvq.encode(x, n_q=2), codes[:, :2])


def test_only_direction_counts():
    book = FactorizedCodebook(size=16, dim=8, code_dim=3)
    torch.nn.init.zeros_(book.down.bias)
    x = torch.randn(40, 8)
    assert torch.equal(book.encode(x), book.encode(100 * x))


def test_it_learns_by_gradient_and_keeps_its_codes_in_use():
    torch.manual_seed(0)
    rvq = FactorizedQuantizer(dim=32, n_q=3, codebook_size=64)
    optimizer = torch.optim.Adam(rvq.parameters(), 3e-3)
    errors = []
    for _ in range(400):
        x = manifold(256)
        quantized, _, commitment = rvq(x)
        error = (quantized - x).pow(2).mean()
        optimizer.zero_grad()
        (error + commitment).backward()
        optimizer.step()
        errors.append(error.item() / x.pow(2).mean().item())
    use = codebook_use(rvq.encode(manifold(4000)), 64)
    print(f"\nrelative error {errors[0]:.3f} -> {errors[-1]:.3f}; codes in use {use.used.tolist()}")
    assert errors[-1] < 0.3 * errors[0]
    assert use.used.min() > 0.75
    assert all(book.embedding.grad.abs().sum() > 0 for book in rvq.codebooks)


def test_a_codec_with_it_streams_and_is_saved(tmp_path):
    config = CodecConfig(
        n_filters=4, dimension=16, bandwidths=(1.5, 6.0), codebook_size=16, quantizer="factorized"
    )
    codec = Codec(config).eval()
    save_codec(codec, tmp_path / "learned.safetensors")
    codec = load_codec(tmp_path / "learned.safetensors")
    audio = torch.randn(1, 1, 30000)
    codes, pieces, state = codec.encode(audio, 6.0), [], None
    for start in range(0, 30000, 700):
        piece, state = codec.stream_encode(audio[..., start : start + 700], state, 6.0,
                                           last=start + 700 >= 30000)  # fmt: skip
        pieces.append(piece)
    assert torch.equal(torch.cat(pieces, -1), codes)
    assert codec.decode(codes, length=30000).shape == audio.shape


@pytest.mark.parametrize("n_q", [0, 3])
def test_wrong_levels_and_latents(n_q):
    rvq = FactorizedQuantizer(dim=8, n_q=2, codebook_size=16)
    with pytest.raises(ValueError, match=f"has 1 to 2 codebooks, not {n_q}"):
        rvq.encode(torch.randn(1, 8, 5), n_q)
    with pytest.raises(ValueError, match=r"takes latents \[B, 8, T\]"):
        rvq(torch.randn(1, 7, 5))
