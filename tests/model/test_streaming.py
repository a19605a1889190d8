"""Chunks equal the whole: for every layer, every chunking, and for two streams at once."""

import copy
import struct
import zlib

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save

from minicodec.model.checkpoint import fingerprint
from minicodec.model.codec import Codec
from minicodec.model.config import CodecConfig
from minicodec.model.conv import Conv1d, ConvTranspose1d
from minicodec.model.fast.codec import faster
from minicodec.model.seanet import Decoder, Encoder, ResidualBlock, SkipLSTM
from minicodec.model.segments import overlap_add
from minicodec.model.streams import StateError, encode_batch, load_state, save_state

modes = st.sampled_from(["constant", "reflect"])
#: Of what is drawn at random inside a test, so that an example that fails does so again.
seeds = st.integers(0, 2**32 - 1)
#: Lengths of chunks, from none up; used over and over until the clip is at its end.
chunkings = st.lists(st.integers(0, 40), min_size=1, max_size=6).filter(any)


def streamed(stream, x, chunks, last=True):
    """All outputs of a layer over the chunks of `x`, one after another."""
    outputs, state, start, turn = [], None, 0, 0
    while start < x.shape[-1] or not outputs:
        size = chunks[turn % len(chunks)]
        ends = start + size >= x.shape[-1]
        arguments = (x[..., start : start + size], state) + ((ends,) if last else ())
        y, state = stream(*arguments)
        outputs.append(y)
        start, turn = start + size, turn + 1
    return torch.cat(outputs, dim=-1)


def assert_same(a, b):
    assert a.shape == b.shape
    torch.testing.assert_close(a, b, atol=1e-5, rtol=1e-5)


def assert_same_codes(quantizer, codes, whole, latents):
    """Equal, but where two entries are as near to a latent as rounding can tell.

    Floats that are summed in another order differ in their last bit, on some processors more often
    than on others, and a frame that lies halfway between two entries may then go to either.
    """
    assert codes.shape == whole.shape
    for clip, frame in (codes != whole).any(1).nonzero().tolist():
        residual = latents[clip, :, frame]
        for book, ours, theirs in zip(
            quantizer.codebooks, codes[clip, :, frame], whole[clip, :, frame]
        ):
            if ours != theirs:
                here, there = (residual - book.embedding[[ours, theirs]]).square().sum(1)
                assert abs(here - there) < 1e-5 * (1 + here), (clip, frame, here, there)
                break
            residual = residual - book.embedding[ours]


@torch.no_grad()
@given(st.integers(1, 120), chunkings, st.integers(1, 9), st.integers(1, 4), st.booleans())
@settings(max_examples=300, deadline=None)
def test_conv_with_zero_padding(length, chunks, kernel, stride, dilated):
    kernel, dilation = max(kernel, stride), 2 if dilated and stride == 1 else 1
    conv = Conv1d(2, 3, kernel, stride, dilation, norm="weight_norm")
    x = torch.randn(2, 2, length)
    assert_same(streamed(conv.stream, x, chunks), conv(x))


@torch.no_grad()
@given(st.integers(1, 120), chunkings, st.integers(1, 5), modes)
@settings(max_examples=200, deadline=None)
def test_conv_as_the_codec_uses_it(length, chunks, stride, mode):
    conv = Conv1d(2, 3, 2 * stride, stride, pad_mode=mode)
    x = torch.randn(1, 2, length)
    assert_same(streamed(conv.stream, x, chunks), conv(x))


@torch.no_grad()
@given(st.integers(1, 60), chunkings, st.integers(1, 9), st.integers(1, 5))
@settings(max_examples=200, deadline=None)
def test_transposed_conv(length, chunks, kernel, stride):
    up = ConvTranspose1d(2, 3, max(kernel, stride), stride, norm="weight_norm")
    x = torch.randn(2, 2, length)
    assert_same(streamed(up.stream, x, chunks, last=False), up(x))


@torch.no_grad()
@given(st.integers(1, 80), chunkings, modes)
@settings(max_examples=100, deadline=None)
def test_residual_block(length, chunks, mode):
    block = ResidualBlock(4, dilation=2, pad_mode=mode)
    x = torch.randn(1, 4, length)
    assert_same(streamed(block.stream, x, chunks), block(x))


@torch.no_grad()
@given(st.integers(1, 80), chunkings)
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
@given(st.integers(1, 3000), st.lists(st.integers(1, 900), min_size=1, max_size=5))
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


def test_only_causal_layers_stream():
    for layer in (Conv1d(1, 1, 3, causal=False), ConvTranspose1d(1, 1, 4, 2, causal=False)):
        with pytest.raises(ValueError, match="only a causal one can stream"):
            layer.stream(torch.randn(1, 1, 9))


#: The codec as the chapters build it, and the fast one: what holds for one must hold for both.
#: Their references are the taught layers, which both have.
KINDS = {"plain": lambda codec: codec, "fast": faster}
both_kinds = [(pad, kind) for pad in ("constant", "reflect") for kind in KINDS]


@pytest.fixture(scope="module", params=both_kinds, ids="-".join)
def codec(request):
    torch.manual_seed(0)
    pad_mode, kind = request.param
    config = CodecConfig(n_filters=4, dimension=16, bandwidths=(1.5, 6.0), pad_mode=pad_mode)
    return KINDS[kind](Codec(config).eval())


@torch.no_grad()
@given(seeds, st.integers(1, 30000), st.lists(st.integers(1, 5000), min_size=1, max_size=5))
@settings(max_examples=30, deadline=None)
def test_codec_gives_the_codes_of_the_whole_clip(codec, seed, length, chunks):
    torch.manual_seed(seed)
    audio = torch.randn(1, 1, length)
    latents = codec.encoder(audio)
    whole = codec.quantizer.encode(latents, codec.config.n_q(6.0))

    def encode(x, state, last):
        return codec.stream_encode(x, state, 6.0, last)

    codes = streamed(encode, audio, chunks)
    assert_same_codes(codec.quantizer, codes, whole, latents)
    by_seconds = codec.encode(audio, 6.0)
    assert_same_codes(codec.quantizer, by_seconds, whole, latents)
    expected = codec.decoder(codec.quantizer.decode(codes))
    frames = [1 + chunk // 200 for chunk in chunks]
    assert_same(streamed(codec.stream_decode, codes, frames), expected)
    assert_same(codec.decode(codes), expected)


def in_segments(segment=0.1, overlap=0.1, **more):
    torch.manual_seed(0)
    config = CodecConfig(
        sample_rate=24000, channels=2, bandwidths=(1.5, 6.0), n_filters=4, dimension=8,
        causal=False, norm="time_group_norm", pad_mode="reflect", segment=segment,
        overlap=overlap, **more,
    )  # fmt: skip
    return Codec(config).eval()


@pytest.fixture(scope="module", params=KINDS)
def segmented(request):
    return KINDS[request.param](in_segments(normalize=True))


def segment_latents(codec, audio):
    """Latents and scale of each segment, encoded by itself."""
    pieces = [audio[..., begin:end] for begin, end in codec.config.segments.spans(audio.shape[-1])]
    scales = [1e-8 + x.mean(1, keepdim=True).square().mean(2, keepdim=True).sqrt() for x in pieces]
    return [(codec.encoder(x / scale), scale) for x, scale in zip(pieces, scales)]


@torch.no_grad()
@given(
    seeds, st.integers(1, 9000), st.lists(st.integers(0, 3000), min_size=1, max_size=5).filter(any)
)
@settings(max_examples=100, deadline=None)
def test_a_codec_in_segments_streams_too(segmented, seed, length, chunks):
    """As the 48 kHz model works. Codes of each segment alone, cross-faded, are the reference."""
    torch.manual_seed(seed)
    audio = torch.randn(2, 2, length)
    codes, scales, state, start, turn = [], [], None, 0, 0
    while start < length:
        size = chunks[turn % len(chunks)]
        chunk, last = audio[..., start : start + size], start + size >= length
        new, scale, state = segmented.stream_encode_scaled(chunk, state, 6.0, last)
        codes.append(new)
        scales.append(scale)
        start, turn = start + size, turn + 1
    codes, scales = torch.cat(codes, 2), torch.cat(scales, 1)

    alone = segment_latents(segmented, audio)
    latents = torch.cat([z for z, _ in alone], dim=2)
    whole = torch.cat([segmented.quantizer.encode(z, 8) for z, _ in alone], dim=2)
    assert_same_codes(segmented.quantizer, codes, whole, latents)
    parts = codes.split([z.shape[2] for z, _ in alone], dim=2)
    pieces = [
        segmented.decoder(segmented.quantizer.decode(part)) * scale
        for part, (_, scale) in zip(parts, alone)
    ]
    stride = segmented.config.segments.stride
    expected = overlap_add(pieces, stride)
    assert_same(segmented.decode(codes, scales), expected)

    heard, state, start = [], None, 0
    while start < codes.shape[2]:
        size = 1 + chunks[turn % len(chunks)] // 200
        part, last = codes[..., start : start + size], start + size >= codes.shape[2]
        y, state = segmented.stream_decode(part, state, last, scales if start == 0 else None)
        heard.append(y)
        start, turn = start + size, turn + 1
    assert_same(torch.cat(heard, -1), expected)


@pytest.mark.parametrize("overlap", [0.0, 0.3, 0.7])
@pytest.mark.parametrize("kind", KINDS)
def test_segments_with_other_overlaps(overlap, kind):
    codec = KINDS[kind](in_segments(overlap=overlap))
    audio = torch.randn(1, 2, 7001)
    codes = codec.encode(audio)
    pieces = [codec.decoder(codec.quantizer.decode(codec.quantizer.encode(codec.encoder(
        audio[..., start:end])))) for start, end in codec.config.segments.spans(7001)]  # fmt: skip
    assert_same(codec.decode(codes), overlap_add(pieces, codec.config.segments.stride))


def test_a_segment_needs_its_scale(segmented):
    codes, scales = segmented.encode_scaled(torch.randn(1, 2, 9000))
    with pytest.raises(ValueError, match="codes came before its scale"):
        segmented.stream_decode(codes)


def test_a_stream_without_scales_is_refused(segmented):
    with pytest.raises(ValueError, match="use stream_encode_scaled"):
        segmented.stream_encode(torch.randn(1, 2, 100))


def test_a_codec_that_needs_the_whole_clip_says_so():
    codec = Codec(CodecConfig(n_filters=4, dimension=8, bandwidths=(1.5,), causal=False)).eval()
    audio = torch.randn(1, 1, 30000)
    with pytest.raises(ValueError, match="cannot stream: it is not causal"):
        codec.stream_encode(audio)
    with pytest.raises(ValueError, match="cannot stream: it is not causal"):
        codec.stream_decode(codec.encode(audio))
    assert torch.equal(codec.encode(audio), codec.quantizer.encode(codec.encoder(audio)))


@torch.no_grad()
@given(seeds, st.lists(st.integers(1, 60000), min_size=1, max_size=5), st.booleans())
@settings(max_examples=15, deadline=None)
def test_clips_of_different_lengths_in_one_batch(codec, segmented, seed, lengths, whole_seconds):
    torch.manual_seed(seed)
    if whole_seconds:
        lengths = [24000 * (1 + length // 24000) for length in lengths]
    for model in (codec, segmented):
        clips = [torch.randn(1, model.config.channels, length) for length in lengths]
        for clip, (codes, scales) in zip(clips, encode_batch(model, clips, 6.0)):
            alone, its_scales = model.encode_scaled(clip, 6.0)
            latents = (
                model.encoder(clip)
                if scales is None
                else torch.cat([z for z, _ in segment_latents(model, clip)], dim=2)
            )
            assert_same_codes(model.quantizer, codes, alone, latents)
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


@pytest.mark.parametrize("kind", ["causal", "segmented"])
@pytest.mark.parametrize("at", [0, 1, 333, 2239, 5000])
def test_a_stream_is_paused_as_bytes_and_resumed(codec, segmented, kind, at):
    codec = codec if kind == "causal" else segmented
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
