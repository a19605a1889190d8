"""Frames of a running stream in numpy: outputs and states of the taught layers, and limits."""

import threading

import numpy as np
import pytest
import torch
import torch.nn.functional as F

import minicodec
from minicodec.model.checkpoint import fold_weight_norm
from minicodec.model.codec import Codec
from minicodec.model.config import CodecConfig
from minicodec.model.conv import ConvTranspose1d
from minicodec.model.fast import frames
from minicodec.model.fast.codec import faster
from minicodec.model.fast.convolution import FastUp
from minicodec.model.fast.networks import FastNetwork
from minicodec.model.seanet import Decoder, Encoder

SHAPES = {
    "plain": {},
    "mirrored": dict(pad_mode="reflect"),
    "three blocks": dict(n_residual_layers=3),
    "stereo, no LSTM": dict(channels=2, lstm_layers=0),
    "odd strides": dict(strides=(3, 5)),
}


def tensors(state):
    if isinstance(state, torch.Tensor):
        return [state]
    return [t for part in state for t in tensors(part)] if isinstance(state, (tuple, list)) else []


def network_of(kind, **shape):
    torch.manual_seed(0)
    config = CodecConfig(n_filters=4, dimension=8, **shape)
    taught = fold_weight_norm(kind(config)).eval()
    width = (config.channels, config.hop_length) if kind is Encoder else (config.dimension, 1)
    return taught, FastNetwork(taught, config.hop_length), *width


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("kind", [Encoder, Decoder])
@torch.no_grad()
def test_a_program_does_what_the_taught_layers_do(kind, shape):
    taught, fast, channels, step = network_of(kind, **shape)
    x = torch.randn(1, channels, 13 * step)
    pieces = x.split([8 * step, *[step] * 5], 2)
    mine = theirs = None
    for number, piece in enumerate(pieces):
        expected, theirs = taught.stream(piece, theirs)
        y, mine = fast(piece.mT.contiguous(), mine, False)
        torch.testing.assert_close(y.mT, expected, atol=2e-5, rtol=1e-4)
        assert len(tensors(mine)) == len(tensors(theirs))
        for a, b in zip(tensors(mine), tensors(theirs)):
            torch.testing.assert_close(a, b, atol=2e-5, rtol=1e-4)
        assert bool(fast.programs) == (number > 0)
        mine, theirs = theirs, mine


@torch.no_grad()
def test_what_no_program_serves_goes_the_other_way():
    _, fast, channels, hop = network_of(Encoder)
    _, state = fast(torch.randn(1, 8 * hop, channels), None, False)  # a beginning
    _, within = fast(torch.randn(1, hop // 2, channels), state, False)  # within a frame
    fast(torch.randn(1, 2 * hop, channels), state, False)  # more than one
    fast(torch.randn(1, hop, channels), state, True)  # an end
    _, two = fast(torch.randn(2, 8 * hop, channels), None, False)
    fast(torch.randn(2, hop, channels), two, False)  # a batch
    assert not fast.programs
    fast(torch.randn(1, hop, channels), within, False)  # from within a frame
    assert len(fast.programs) == 1


@torch.no_grad()
def test_networks_without_programs():
    """In bfloat16, which numpy has not, and where a kernel is not two strides."""
    config = CodecConfig(n_filters=4, dimension=8)
    taught = fold_weight_norm(Decoder(config)).eval()
    assert FastNetwork(taught, config.hop_length).frame == 1
    assert not FastNetwork(taught, config.hop_length, torch.bfloat16).frame
    up = FastUp(ConvTranspose1d(2, 2, 3, stride=2))
    assert not frames.can_be_laid_out([up])


@torch.no_grad()
def test_an_unready_state_leaves_all_as_it_was():
    _, fast, channels, hop = network_of(Encoder)
    _, state = fast(torch.randn(1, 8 * hop, channels), None, False)
    program = frames.Program(fast.layers, hop)
    broken = list(state)
    broken[-1] = None
    kept = [t.clone() for t in tensors(state)]
    with pytest.raises(frames.Unready):
        program(torch.randn(1, hop, channels), broken)
    assert all(torch.equal(a, b) for a, b in zip(tensors(state), kept))
    x = torch.randn(1, hop, channels)
    torch.testing.assert_close(
        program(x, list(state))[0], fast(x, state, False)[0], atol=1e-6, rtol=1e-5
    )


@torch.no_grad()
def test_what_it_gives_is_not_written_over():
    """The next frame is computed in the same memory; what came out of the last one stays."""
    _, fast, channels, hop = network_of(Encoder)
    _, state = fast(torch.randn(1, 8 * hop, channels), None, False)
    first, after = fast(torch.randn(1, hop, channels), state, False)
    kept, remembered = first.clone(), [t.clone() for t in tensors(after)]
    fast(torch.randn(1, hop, channels), after, False)
    assert torch.equal(first, kept)
    assert all(torch.equal(a, b) for a, b in zip(tensors(after), remembered))


def test_streams_in_threads_do_not_meet():
    torch.manual_seed(0)
    codec = faster(Codec(CodecConfig(n_filters=4, dimension=8, bandwidths=(6.0,))).eval())
    hop = codec.config.hop_length
    clips = [torch.randn(1, 1, 40 * hop) for _ in range(4)]
    alone = [coded(codec, clip, hop) for clip in clips]
    found: dict[int, torch.Tensor] = {}
    threads = [
        threading.Thread(target=lambda i=i: found.update({i: coded(codec, clips[i], hop)}))
        for i in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(torch.equal(found[i], alone[i]) for i in range(4))


def coded(codec, clip, hop):
    state, codes = None, []
    for piece in clip.split(hop, 2):
        part, state = codec.stream_encode(piece, state)
        codes.append(part)
    return torch.cat(codes, 2)


def test_the_shipped_codec_frame_by_frame(monkeypatch):
    """The same sound within rounding, whether a program or the layers decode it."""
    codec = minicodec.load("mini_24khz")
    clip = minicodec.audio.clip("speech_en", seconds=1)
    codes = codec.encode(clip, 6.0)

    def heard():
        state, parts = None, []
        for frame in codes.split(1, 2):
            part, state = codec.stream_decode(frame, state)
            parts.append(part)
        return torch.cat(parts, 2)

    by_program = heard()
    for network in (codec._prepared("encoder"), codec._prepared("decoder")):
        assert bool(network.programs) != network.encodes
        monkeypatch.setattr(network, "frame", 0)
    assert (by_program - heard()).abs().max() < 1e-5
    assert torch.equal(coded(codec, clip, 320)[:, :8], codes)


def test_its_activation_is_elu():
    x = np.concatenate([np.linspace(-90, 90, 2001), [0.0, -0.0, np.inf, -np.inf]])
    x = x.astype(np.float32)
    out = np.empty_like(x)
    frames.elu(x, out)
    expected = F.elu(torch.from_numpy(x))
    torch.testing.assert_close(torch.from_numpy(out), expected, atol=3e-7, rtol=0)
