"""The seam: a fast codec is the same codec, whatever is done to it."""

import copy

import pytest
import torch
from in_pieces import assert_same
from torch import nn
from torch.nn.utils import parameters_to_vector, vector_to_parameters
from torch.nn.utils.parametrizations import weight_norm

import minicodec
from minicodec.model.checkpoint import fingerprint, load_codec, save_codec
from minicodec.model.codec import Codec
from minicodec.model.config import CodecConfig
from minicodec.model.fast.codec import FastCodec, faster
from minicodec.model.streams import load_state, save_state

SMALL = dict(n_filters=4, dimension=8, bandwidths=(1.5, 3.0), codebook_size=16)


@pytest.fixture(params=["ema", "factorized"])
def plain(request):
    return Codec(CodecConfig(quantizer=request.param, **SMALL), "a name").eval()


def test_loading_gives_the_fast_one_or_the_plain_one():
    fast, plain = minicodec.load("mini_24khz"), minicodec.load("mini_24khz", fast=False)
    assert type(fast) is FastCodec and type(plain) is Codec
    assert fast.name == plain.name and fast.config == plain.config
    assert fingerprint(fast) == fingerprint(plain)
    speech = minicodec.audio.clip("speech_en")
    codes = plain.encode(speech)
    # All of them, but for latents that are as near to two entries as rounding can tell.
    assert (fast.encode(speech) == codes).float().mean() > 0.999
    torch.testing.assert_close(fast.decode(codes), plain.decode(codes), atol=1e-5, rtol=0)
    heard = minicodec.decompress(minicodec.compress(fast, speech), plain)
    torch.testing.assert_close(heard, fast.decode(fast.encode(speech), length=speech.shape[-1]),
                               atol=1e-5, rtol=0)  # fmt: skip


def test_it_is_saved_as_the_plain_one(plain, tmp_path):
    fast = faster(plain)
    save_codec(fast, tmp_path / "fast.safetensors")
    save_codec(plain, tmp_path / "plain.safetensors")
    mine, theirs = (load_codec(tmp_path / f"{kind}.safetensors") for kind in ("fast", "plain"))
    assert mine.config == theirs.config and mine.name == theirs.name
    assert fast.state_dict().keys() == mine.state_dict().keys() == theirs.state_dict().keys()
    for key, tensor in theirs.state_dict().items():
        assert torch.equal(mine.state_dict()[key], tensor), key


def test_the_given_codec_stays_as_it_is(plain):
    before = {key: value.clone() for key, value in plain.state_dict().items()}
    audio = torch.randn(1, 1, 4000)
    faster(plain).encode(audio)
    assert plain.state_dict().keys() == before.keys()
    assert all(torch.equal(plain.state_dict()[key], before[key]) for key in before)
    assert any(weight.requires_grad for weight in plain.parameters())


def test_weights_that_change_are_noticed(plain):
    """In place, by loading, moving and replacing: what was prepared from the old ones is no use."""
    fast, audio = faster(plain), torch.randn(1, 1, 4000)
    other = faster(Codec(plain.config).eval())
    old = fast.decode(fast.encode(audio))
    changes = [
        lambda: fast.encoder.layers[0].weight.mul_(-1),
        lambda: fast.decoder.layers[0].bias.add_(1),
        lambda: fast.load_state_dict({k: v * 2 for k, v in fast.state_dict().items()}),
        lambda: fast.to(torch.float64).to(torch.float32),
        lambda: fast.encoder.load_state_dict(faster(plain).encoder.state_dict(), assign=True),
        lambda: setattr(fast.encoder.layers[0].weight, "data", torch.randn(4, 1, 7)),
        lambda: vector_to_parameters(parameters_to_vector(other.parameters()), fast.parameters()),
        lambda: setattr(fast.encoder.layers[0], "bias", nn.Parameter(torch.randn(4))),
        lambda: weight_norm(fast.encoder.layers[0]).parametrizations.weight.original0.mul_(3),
        lambda: fast.encoder.layers[0].parametrizations.weight.original0.mul_(-1),
        lambda: fast.decoder.layers.__setitem__(0, other.decoder.layers[0]),
        lambda: setattr(fast, "encoder", other.encoder),
        lambda: setattr(fast, "quantizer", other.quantizer),
    ]
    for change in changes:
        with torch.no_grad():
            change()
        codes = fast.encode(audio)
        latents = fast.encoder(audio)
        assert torch.equal(codes, fast.quantizer.encode(latents))
        now = fast.decode(codes)
        expected = fast.decoder(fast.quantizer.decode(codes))[..., : now.shape[-1]]
        close = 1e-5 * float(expected.abs().max())
        torch.testing.assert_close(now, expected, atol=close, rtol=0)
    assert not torch.allclose(old, now)


def test_what_is_made_in_inference_mode_is_watched_too(plain):
    with torch.inference_mode():
        fast, audio = faster(plain), torch.randn(1, 1, 4000)
        codes = fast.encode(audio)
        fast.encoder.layers[0].weight.mul_(-1)
        assert not torch.equal(fast.encode(audio), codes)
        assert torch.equal(fast.encode(audio), fast.quantizer.encode(fast.encoder(audio)))


def test_in_training_it_is_the_taught_one(plain):
    """Fused optimizers change weights, and torch does not count that."""
    fast, audio = faster(plain).requires_grad_(), torch.randn(1, 1, 4000)
    codes = fast.encode(audio)
    optimizer = torch.optim.Adam(fast.train().parameters(), lr=0.1, fused=True)
    for _ in range(2):
        fast(audio).audio.square().mean().backward()
        optimizer.step()
        expected = fast.quantizer.encode(fast.encoder(audio))
        assert torch.equal(fast.encode(audio), expected) and not torch.equal(expected, codes)
    assert torch.equal(fast.eval().encode(audio), expected)


def test_in_float64_it_is_the_taught_one(plain):
    audio = torch.randn(1, 1, 4000)
    expected = copy.deepcopy(plain).double()
    codes = expected.encode(audio)
    for fast in (faster(plain).double(), faster(copy.deepcopy(plain).double())):
        assert torch.equal(fast.encode(audio), codes)
        assert_same(fast.decode(codes), expected.decode(codes))  # weight norm was folded before


def test_copies_do_not_hold_what_can_be_prepared_again(plain):
    fast = faster(plain)
    audio = fast.decode(fast.encode(torch.randn(1, 1, 4000)))
    twin = copy.deepcopy(fast)
    assert twin.__dict__.keys() == faster(plain).__dict__.keys()
    assert torch.equal(twin.encode(audio), fast.encode(audio))


def test_codes_of_no_level_are_refused_even_without_frames(plain):
    for codec in (plain, faster(plain)):
        for levels in (0, codec.config.max_n_q + 1):
            with pytest.raises(ValueError, match=f"1 to {codec.config.max_n_q} codebooks"):
                codec.stream_decode(torch.zeros(1, levels, 0, dtype=torch.int64))


def test_codebooks_that_change_are_noticed():
    fast, audio = faster(Codec(CodecConfig(**SMALL)).eval()), torch.randn(1, 1, 4000)
    codes = fast.encode(audio)
    fast.quantizer.codebooks[0].embedding.copy_(fast.quantizer.codebooks[0].embedding.flip(0))
    assert torch.equal(fast.encode(audio)[:, 0], 15 - codes[:, 0])


def test_copies_go_their_own_ways(plain):
    fast, audio = faster(plain), torch.randn(1, 1, 4000)
    codes = fast.encode(audio)
    twin = copy.deepcopy(fast)
    with torch.no_grad():
        fast.encoder.layers[0].weight.mul_(-1)
    assert torch.equal(twin.encode(audio), codes) and not torch.equal(fast.encode(audio), codes)


def test_a_codec_that_still_has_gradients_is_taken_as_it_is_now(plain):
    """A student streams what was just trained; weight norm and all."""
    plain.train()
    audio = torch.randn(1, 1, 24000)
    plain(audio).audio.square().mean().backward()
    torch.optim.SGD(plain.parameters(), 1e-3).step()
    fast = faster(plain)
    plain.eval()
    assert torch.equal(fast.encode(audio), plain.encode(audio))
    assert not fast.training and not any(w.requires_grad for w in fast.parameters())


@pytest.mark.parametrize("kinds", ["plain fast", "fast plain"])
@pytest.mark.parametrize("pad_mode", ["constant", "reflect"])
def test_a_stream_paused_by_one_is_resumed_by_the_other(kinds, pad_mode):
    plain = Codec(CodecConfig(pad_mode=pad_mode, **SMALL)).eval()
    codecs = {"plain": plain, "fast": faster(plain)}
    first, second = (codecs[kind] for kind in kinds.split())
    audio = torch.randn(1, 1, 12000)
    codes, state = first.stream_encode(audio[..., :5123])
    state = load_state(save_state(state, first), second)
    rest, _ = second.stream_encode(audio[..., 5123:], state, last=True)
    codes = torch.cat([codes, rest], 2)
    assert torch.equal(codes, plain.encode(audio))
    heard, state = first.stream_decode(codes[..., :11])
    state = load_state(save_state(state, first), second)
    rest, _ = second.stream_decode(codes[..., 11:], state, last=True)
    torch.testing.assert_close(
        torch.cat([heard, rest], -1), plain.decode(codes), atol=1e-5, rtol=1e-5
    )


def test_inference_mode_may_come_and_go(plain):
    fast, audio = faster(plain), torch.randn(1, 1, 4000)
    with torch.inference_mode():
        inside, state = fast.stream_encode(audio[..., :2000])
    rest, _ = fast.stream_encode(audio[..., 2000:], state, last=True)
    assert torch.equal(torch.cat([inside, rest], 2), plain.encode(audio))
    with torch.inference_mode():
        made_inside = faster(plain)
    assert torch.equal(made_inside.encode(audio), plain.encode(audio))


def test_bfloat16_gives_codes_that_any_codec_decodes():
    plain = minicodec.load("mini_24khz", fast=False)
    fast, speech = faster(plain, torch.bfloat16), minicodec.audio.clip("speech_en")
    codes, exact = fast.encode(speech, 6.0), plain.encode(speech, 6.0)
    assert (codes == exact).float().mean() > 0.8  # most, but not all, are the same
    copy_, reference = plain.decode(codes), plain.decode(exact)
    ours = minicodec.metrics.si_sdr(copy_[..., : speech.shape[-1]], speech)
    theirs = minicodec.metrics.si_sdr(reference[..., : speech.shape[-1]], speech)
    assert abs(float(ours - theirs)) < 0.2  # dB
    assert all(weight.dtype == torch.float32 for weight in fast.parameters())
    pieces, state = [], None
    for piece in speech.split(3000, dim=-1):
        some, state = fast.stream_encode(piece, state, 6.0)
        pieces.append(some)
    n = sum(p.shape[2] for p in pieces)
    assert (torch.cat(pieces, 2) == codes[..., :n]).float().mean() > 0.8


def test_what_cannot_be_made_is_refused(plain):
    with pytest.raises(ValueError, match="float32 or bfloat16, not in float16"):
        faster(plain, torch.float16)
    whole = Codec(CodecConfig(causal=False, **SMALL), "it")
    with pytest.raises(ValueError, match="'it' does not stream, so it computes in float32 only"):
        faster(whole, torch.bfloat16)


@pytest.mark.parametrize("kind", ["plain", "fast"])
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_autocast_changes_nothing_and_half_weights_are_refused(kind, dtype):
    codec = Codec(CodecConfig(**SMALL)).eval()
    codec = faster(codec) if kind == "fast" else codec
    audio = torch.randn(1, 1, 4000)
    codes, data = codec.encode(audio), minicodec.compress(codec, audio)
    heard = codec.decode(codes)
    with torch.autocast("cpu", dtype):
        assert torch.equal(codec.encode(audio), codes)
        assert torch.equal(codec.decode(codes), heard)
        assert minicodec.compress(codec, audio) == data
    half = copy.deepcopy(codec).to(dtype)
    for call in (lambda: half.encode(audio), lambda: half.decode(codes),
                 lambda: minicodec.compress(half, audio)):  # fmt: skip
        with pytest.raises(ValueError, match=f"weights are {str(dtype)[6:]}.*codec.float"):
            call()
