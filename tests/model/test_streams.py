"""Streams side by side in one batch, and streams as bytes: paused here, resumed there."""

import copy
import struct
import zlib

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from in_pieces import assert_same, assert_same_codes, seeds
from safetensors.torch import save
from small_codecs import segment_latents

from minicodec.model.checkpoint import fingerprint
from minicodec.model.codec import Codec
from minicodec.model.streams import (
    StateError,
    encode_batch,
    load_state,
    save_state,
    silent_frame,
)


@torch.no_grad()
@given(seeds, st.lists(st.integers(1, 60000), min_size=1, max_size=5), st.booleans())
@settings(max_examples=15, deadline=None)
def test_clips_of_different_lengths_in_one_batch(any_codec, seed, lengths, whole_seconds):
    torch.manual_seed(seed)
    if whole_seconds:
        lengths = [24000 * (1 + length // 24000) for length in lengths]
    clips = [torch.randn(1, any_codec.config.channels, length) for length in lengths]
    for clip, (codes, scales) in zip(clips, encode_batch(any_codec, clips, 6.0)):
        alone, its_scales = any_codec.encode_scaled(clip, 6.0)
        latents = (
            any_codec.encoder(clip)
            if scales is None
            else torch.cat([z for z, _ in segment_latents(any_codec, clip)], dim=2)
        )
        assert_same_codes(any_codec.quantizer, codes, alone, latents)
        if scales is None:
            assert its_scales is None
        else:
            torch.testing.assert_close(scales, its_scales)


def test_padding_a_batch_would_change_the_codes(codec):
    """Why `encode_batch` exists: the usual way is wrong at the end of the shorter clip."""
    audio = torch.randn(1, 1, 10000)
    alone = codec.encode(audio)
    padded = codec.encode(torch.nn.functional.pad(audio, (0, 14000)))
    assert not torch.equal(padded[..., : alone.shape[2]], alone)


def test_batches_that_are_none(codec):
    assert encode_batch(codec, []) == []
    with pytest.raises(ValueError, match=r"a clip is \[1, C, T\]"):
        encode_batch(codec, [torch.randn(2, 1, 100)])
    with pytest.raises(ValueError, match="audio"):
        encode_batch(codec, [torch.randn(1, 1, 100), torch.full((1, 1, 100), float("nan"))])


@pytest.mark.parametrize("at", [0, 1, 333, 2239, 5000])
def test_a_stream_is_paused_as_bytes_and_resumed(any_codec, at):
    codec = any_codec
    audio = torch.randn(1, codec.config.channels, 9000)
    twin = copy.deepcopy(codec)
    codes, scales, state = codec.stream_encode_scaled(audio[..., :at])
    data = save_state(state, codec)
    rest, more, _ = twin.stream_encode_scaled(
        audio[..., at:], load_state(data, twin), None, last=True
    )
    whole, all_scales = codec.encode_scaled(audio)
    assert torch.equal(torch.cat([codes, rest], 2), whole)

    frame = whole.shape[2] // 2
    heard, state = codec.stream_decode(whole[..., :frame], scales=all_scales)
    state = load_state(save_state(state, codec), twin)
    more, _ = twin.stream_decode(whole[..., frame:], state, last=True)
    assert_same(torch.cat([heard, more], -1), codec.decode(whole, all_scales))


def tensors(state):
    if isinstance(state, torch.Tensor):
        return [state]
    return [t for part in state for t in tensors(part)] if isinstance(state, (tuple, list)) else []


def test_a_state_holds_no_more_memory_than_it_needs(any_codec):
    """A view of a few samples would keep the whole piece, in every layer."""
    audio = torch.randn(1, any_codec.config.channels, 9000)
    codes, scales, encoding = any_codec.stream_encode_scaled(audio)
    _, decoding = any_codec.stream_decode(codes, scales=scales)
    for tensor in tensors((encoding, decoding)):
        assert tensor.untyped_storage().nbytes() == tensor.nbytes


@pytest.mark.parametrize("size", [3, 700])
def test_the_caller_may_write_over_what_was_given(any_codec, size):
    """As a sound card does, which fills one buffer again and again."""
    audio = torch.randn(1, any_codec.config.channels, 1500)
    whole, scales = any_codec.encode_scaled(audio)
    pieces, state = [], None
    for start in range(0, audio.shape[-1], size):
        piece = audio[..., start : start + size].clone()
        last = start + size >= audio.shape[-1]
        codes, _, state = any_codec.stream_encode_scaled(piece, state, last=last)
        piece.fill_(9)
        pieces.append(codes)
    assert torch.equal(torch.cat(pieces, 2), whole)
    pieces, state = [], None
    for start in range(0, whole.shape[2], 2):
        piece = whole[..., start : start + 2].clone()
        last = start + 2 >= whole.shape[2]
        heard, state = any_codec.stream_decode(piece, state, last, None if start else scales)
        piece.zero_()
        pieces.append(heard)
    assert_same(torch.cat(pieces, -1), any_codec.decode(whole, scales))


def test_a_damaged_or_foreign_state_is_refused(codec):
    _, state = codec.stream_encode(torch.randn(1, 1, 3000))
    data = save_state(state, codec)
    for size in (0, 3, 15, len(data) // 2, len(data) - 1):
        with pytest.raises(StateError, match="cut short or damaged"):
            load_state(data[:size], codec)
    for place in range(0, len(data), max(1, len(data) // 200)):
        flipped = bytearray(data)
        flipped[place] ^= 16
        with pytest.raises(StateError):
            load_state(bytes(flipped), codec)
    torch.manual_seed(5)
    with pytest.raises(StateError, match="begun with other weights than 'unnamed' has"):
        load_state(data, Codec(codec.config).eval())


@pytest.mark.parametrize(
    "tree",
    ["", "[", "{}", "null", '{"tensor": "9"}', '{"os": [1]}', '{"Fade": [1]}', '{"a":1,"b":2}',
     '{"list": 3}', "[" * 3000],
)  # fmt: skip
def test_a_forged_state_is_refused_or_harmless(codec, tree):
    body = struct.pack(">8sI", fingerprint(codec), len(tree)) + tree.encode() + save({})
    data = body + struct.pack(">I", zlib.crc32(body))
    try:
        assert load_state(data, codec) is None
    except StateError as error:
        assert "cannot be read" in str(error)


def test_what_stands_in_for_a_lost_frame_is_what_long_silence_becomes(codec):
    still = silent_frame(codec)
    assert still.shape == (1, codec.config.max_n_q, 1)
    codes = codec.encode(torch.zeros(1, codec.config.channels, 3 * codec.config.sample_rate))
    latents = codec.encoder(torch.zeros(1, 1, 72000))
    assert_same_codes(
        codec.quantizer, still.expand(-1, -1, 75), codes[..., 150:], latents[..., 150:]
    )
