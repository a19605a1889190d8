"""The autoencoder keeps count of samples, looks only back, and is the official one bit by bit."""

import math

import pytest
import torch
from encodec.modules.seanet import SEANetDecoder, SEANetEncoder
from hypothesis import given, settings
from hypothesis import strategies as st
from in_pieces import assert_same, long_pieces, modes, pieces, streamed

from minicodec.model.checkpoint import fold_weight_norm
from minicodec.model.config import CodecConfig
from minicodec.model.pretrained import convert
from minicodec.model.seanet import Decoder, Encoder, ResidualBlock, SkipLSTM

HOP = 320
SMALL = dict(n_filters=2, dimension=6)


@given(st.integers(1, 4000), st.booleans(), st.integers(0, 2), modes)
@settings(max_examples=40, deadline=None)
def test_every_length_gives_whole_frames(length, causal, lstm_layers, pad_mode):
    kind = dict(causal=causal, lstm_layers=lstm_layers, pad_mode=pad_mode, **SMALL)
    z = Encoder(CodecConfig(**kind))(torch.randn(2, 1, length))
    assert z.shape == (2, 6, math.ceil(length / HOP))
    assert Decoder(CodecConfig(**kind))(z).shape == (2, 1, z.shape[2] * HOP)


@pytest.mark.parametrize("strides", [(2,), (3, 2), (2, 4, 5, 8), (1, 7)])
def test_the_hop_is_the_product_of_the_strides(strides):
    hop = math.prod(strides)
    z = Encoder(CodecConfig(strides=strides, channels=2, **SMALL))(torch.randn(1, 2, 10 * hop + 1))
    assert z.shape == (1, 6, 11)
    assert Decoder(CodecConfig(strides=strides, channels=2, **SMALL))(z).shape == (1, 2, 11 * hop)


def pair(pad_mode="constant"):
    kind = dict(n_residual_layers=2, pad_mode=pad_mode, **SMALL)
    return Encoder(CodecConfig(**kind)).eval(), Decoder(CodecConfig(**kind)).eval()


@torch.no_grad()
@pytest.mark.parametrize("frame", [0, 1, 3, 8])
def test_the_future_never_changes_the_past(frame):
    """To the bit, and no better than it must be: a frame does hear its own last sample."""
    encoder, decoder = pair()
    x = torch.randn(1, 1, 12 * HOP)
    z = encoder(x)
    changed = x.clone()
    changed[..., (frame + 1) * HOP :] = 9
    assert torch.equal(encoder(changed)[..., : frame + 1], z[..., : frame + 1])
    assert not torch.equal(encoder(changed)[..., frame + 1], z[..., frame + 1])
    last = x.clone()
    last[..., (frame + 1) * HOP - 1] += 1
    assert not torch.equal(encoder(last)[..., frame], z[..., frame])
    y = decoder(z)
    z[..., frame + 1 :] = 9
    end = (frame + 1) * HOP
    assert torch.equal(decoder(z)[..., :end], y[..., :end])
    assert not torch.equal(decoder(z)[..., end : end + HOP], y[..., end : end + HOP])


def reach(module: torch.nn.Module, x: torch.Tensor, output: slice) -> int:
    """Index of the last input that the gradient of this part of the output depends on."""
    x = x.double().requires_grad_()
    module.double()(x)[..., output].pow(2).sum().backward()
    return int(x.grad.abs().sum((0, 1)).nonzero().max())


def test_the_official_padding_looks_ahead_at_the_start():
    """Frame 0 mirrors samples up to 2239, which is 93 ms before it could be sent."""
    encoder = Encoder(CodecConfig(n_filters=4, dimension=8, pad_mode="reflect"))
    x = torch.randn(1, 1, 20 * HOP)
    assert reach(encoder, x, slice(0, 1)) == 2239
    assert reach(encoder, x, slice(1, 2)) == 6 * HOP - 1
    for frame in (3, 4, 9):
        assert reach(encoder, x, slice(frame, frame + 1)) == (frame + 1) * HOP - 1
    decoder = Decoder(CodecConfig(n_filters=4, dimension=8, pad_mode="reflect"))
    assert reach(decoder, torch.randn(1, 8, 20), slice(0, HOP)) == 6


def test_zero_padding_does_not():
    config = CodecConfig(n_filters=4, dimension=8)
    encoder, decoder = Encoder(config), Decoder(config)
    for frame in (0, 1, 3):
        inputs, output = torch.randn(1, 1, 20 * HOP), slice(frame, frame + 1)
        assert reach(encoder, inputs, output) == (frame + 1) * HOP - 1
        output = slice(frame * HOP, (frame + 1) * HOP)
        assert reach(decoder, torch.randn(1, 8, 20), output) == frame


def test_the_lstm_remembers_everything():
    x = torch.randn(1, 4, 20, dtype=torch.float64)
    changed = x.clone()
    changed[..., 0] += 1
    lstm = SkipLSTM(4).double()
    assert not torch.equal(lstm(x)[..., -1], lstm(changed)[..., -1])


def test_a_residual_block_adds_to_a_shortcut():
    block = ResidualBlock(4, dilation=3)
    for parameter in block.block.parameters():
        torch.nn.init.zeros_(parameter)
    x = torch.randn(1, 4, 30)
    assert torch.equal(block(x), block.shortcut(x))


@torch.no_grad()
@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ({}, {}),
        (dict(lstm_layers=0), dict(lstm=0)),
        (dict(n_residual_layers=3), dict(n_residual_layers=3)),
        (dict(strides=(2, 3, 7)), dict(ratios=[7, 3, 2])),
        (dict(channels=2, pad_mode="constant"), dict(channels=2, pad_mode="constant")),
        (dict(causal=False, norm="time_group_norm"), dict(causal=False, norm="time_group_norm")),
        (dict(causal=False, norm="none"), dict(causal=False, norm="none")),
    ],
    ids=str,
)
def test_variants_equal_the_official_ones(ours, theirs):
    ours = dict(n_filters=4, dimension=8, norm="weight_norm", pad_mode="reflect") | ours
    theirs = dict(n_filters=4, dimension=8, norm="weight_norm", causal=True) | theirs
    for mine, official, name in (
        (Encoder(CodecConfig(**ours)), SEANetEncoder(**theirs), "encoder"),
        (Decoder(CodecConfig(**ours)), SEANetDecoder(**theirs), "decoder"),
    ):
        fold_weight_norm(mine)
        state = {f"{name}.{key}": value for key, value in official.state_dict().items()}
        mine.load_state_dict(
            {key.removeprefix(f"{name}."): value for key, value in convert(state).items()}
        )
        for length in (1, 5, 700):
            channels = ours.get("channels", 1) if name == "encoder" else 8
            x = torch.randn(2, channels, length if name == "encoder" else length % 40 + 1)
            # Not to the last bit: our ELU takes another way to e^x.
            torch.testing.assert_close(mine(x), official(x), atol=2e-6, rtol=2e-6)


@torch.no_grad()
@given(st.integers(1, 80), pieces, modes)
@settings(max_examples=100, deadline=None)
def test_residual_block(length, chunks, mode):
    block = ResidualBlock(4, dilation=2, pad_mode=mode)
    x = torch.randn(1, 4, length)
    assert_same(streamed(block.stream, x, chunks), block(x))


@torch.no_grad()
@given(st.integers(1, 80), pieces)
@settings(max_examples=100, deadline=None)
def test_lstm(length, chunks):
    lstm = SkipLSTM(5)
    x = torch.randn(2, 5, length)
    assert_same(streamed(lstm.stream, x, chunks, last=False), lstm(x))


@pytest.fixture(scope="module", params=["constant", "reflect"])
def networks(request):
    torch.manual_seed(0)
    size = dict(n_filters=2, dimension=8, pad_mode=request.param)
    config = CodecConfig(**size)
    return Encoder(config).eval(), Decoder(config).eval()


@torch.no_grad()
@given(st.integers(1, 3000), long_pieces(1, 900))
@settings(max_examples=60, deadline=None)
def test_whole_encoder_and_decoder(networks, length, chunks):
    encoder, decoder = networks
    audio = torch.randn(1, 1, length)
    latents = encoder(audio)
    assert_same(streamed(encoder.stream, audio, chunks), latents)
    frames = [1 + chunk // 100 for chunk in chunks]
    assert_same(streamed(decoder.stream, latents, frames), decoder(latents))


@pytest.mark.parametrize("n_residual_layers", [1, 2])
def test_gradients_pass_through_a_stream(n_residual_layers):
    """As through the whole clip: nothing on the way is overwritten that is needed again."""
    size = dict(n_filters=4, dimension=8, n_residual_layers=n_residual_layers)
    audio = torch.randn(1, 1, 6400)
    config = CodecConfig(**size)
    for network, x in ((Encoder(config), audio), (Decoder(config), torch.randn(1, 8, 20))):
        weights = list(network.parameters())
        network(x).square().sum().backward()
        expected = [weight.grad.clone() for weight in weights]
        network.zero_grad()
        cut = x.shape[-1] * 3 // 8
        first, state = network.stream(x[..., :cut])
        rest, _ = network.stream(x[..., cut:], state, last=True)
        torch.cat([first, rest], dim=-1).square().sum().backward()
        for weight, gradient in zip(weights, expected):
            peak = gradient.abs().max()
            torch.testing.assert_close(weight.grad / peak, gradient / peak, atol=1e-4, rtol=0)


@torch.no_grad()
def test_first_latent_comes_after_one_hop_with_zero_padding():
    encoder = Encoder(CodecConfig(n_filters=2, dimension=8))
    latents, state = encoder.stream(torch.randn(1, 1, 319))
    assert latents.shape[-1] == 0
    latents, _ = encoder.stream(torch.randn(1, 1, 1), state)
    assert latents.shape[-1] == 1


@torch.no_grad()
def test_with_reflection_the_first_latent_comes_after_2240_samples():
    """93 ms instead of 13: what the official padding costs a call."""
    encoder = Encoder(CodecConfig(n_filters=2, dimension=8, pad_mode="reflect"))
    latents, state = encoder.stream(torch.randn(1, 1, 2239))
    assert latents.shape[-1] == 0
    latents, _ = encoder.stream(torch.randn(1, 1, 1), state)
    assert latents.shape[-1] > 0


@torch.no_grad()
def test_two_streams_on_one_model_do_not_touch(networks):
    encoder, _ = networks
    a, b = torch.randn(2, 1, 1, 9600)
    outputs, states = {0: [], 1: []}, [None, None]
    for start in range(0, 9600, 800):
        for which, clip in enumerate((a, b)):
            y, states[which] = encoder.stream(
                clip[..., start : start + 800], states[which], start == 8800
            )
            outputs[which].append(y)
    assert_same(torch.cat(outputs[0], -1), encoder(a))
    assert_same(torch.cat(outputs[1], -1), encoder(b))
