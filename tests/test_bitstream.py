"""A stream holds what it should, to the byte; anything else is refused, fast and by one error."""

import math
import struct
import time
import zlib

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from minicodec.bitstream import _FIXED, BitstreamError, _pack, _unpack, compress, decompress, read
from minicodec.checkpoint import fingerprint
from minicodec.codec import Codec
from minicodec.config import CodecConfig

many = settings(max_examples=120, deadline=None,
                suppress_health_check=[HealthCheck.function_scoped_fixture])  # fmt: skip


def stream(codec: Codec, length: int = 1000, bandwidth: float | None = None) -> bytes:
    return compress(codec, torch.randn(1, codec.config.channels, length), bandwidth)


def forged(data: bytes, *, end: bytes | None = None, **fields) -> bytes:
    """The stream with header fields replaced and a checksum that agrees."""
    names = ["magic", "version", "n_q", "bits", "channels", "rate", "length", "print", "size"]
    header = dict(zip(names, _FIXED.unpack_from(data))) | fields
    body = _FIXED.pack(*header.values()) + (data[_FIXED.size : -4] if end is None else end)
    return body + struct.pack(">I", zlib.crc32(body))


@pytest.mark.parametrize("length", [1, 319, 320, 321, 5001])
def test_round_trip(tiny, length):
    audio = torch.randn(1, 1, length)
    for bandwidth in tiny.config.bandwidths:
        data = compress(tiny, audio, bandwidth)
        restored = decompress(data, tiny)
        assert restored.shape == audio.shape
        assert torch.equal(restored, tiny.decode(tiny.encode(audio, bandwidth), length=length))
        n_q, frames = tiny.config.n_q(bandwidth), math.ceil(length / 320)
        assert len(data) == 29 + len("unnamed") + 4 + math.ceil(frames * n_q * 4 / 8) + 4


@pytest.mark.parametrize("length", [1, 7919, 7921, 8000, 8001, 20000])
def test_round_trip_in_chunks_with_loudness(tiny_stereo, length):
    audio = torch.randn(1, 2, length)
    data = compress(tiny_stereo, audio, 1.0)
    codes, scales = tiny_stereo.encode_scaled(audio, 1.0)
    restored = decompress(data, tiny_stereo)
    assert torch.equal(restored, tiny_stereo.decode(codes, scales, length))
    assert len(data) == 40 + 4 * scales.numel() + math.ceil(codes.numel() * 4 / 8) + 4


def test_the_header_says_what_it_should(tiny, tiny_stereo):
    tiny.name = "ein Name mit ü"
    header, payload = read(stream(tiny, 1000, 1.5))
    assert header.model == "ein Name mit ü" and header.fingerprint == fingerprint(tiny)
    assert (header.n_q, header.bits, header.channels) == (tiny.config.n_q(1.5), 4, 1)
    assert (header.sample_rate, header.length, header.scales) == (24000, 1000, ())
    assert header.seconds == 1000 / 24000 and len(payload) == 4 * header.n_q * 4 // 8
    header, _ = read(stream(tiny_stereo, 20000))
    assert len(header.scales) == 3 and header.channels == 2


def test_long_names_are_cut_between_characters(tiny):
    tiny.name = "ü" * 200
    header, _ = read(stream(tiny))
    assert header.model == "ü" * 127
    assert decompress(stream(tiny), tiny).shape == (1, 1, 1000)


@given(st.integers(1, 12), st.lists(st.integers(0, 2**12 - 1), min_size=1, max_size=50))
def test_packing_is_exact(bits, codes):
    codes = np.array(codes) % 2**bits
    packed = _pack(codes, bits)
    assert len(packed) == math.ceil(len(codes) * bits / 8)
    assert int.from_bytes(packed, "big") >> (-len(codes) * bits % 8) == int(
        "".join(f"{code:0{bits}b}" for code in codes), 2
    )
    assert (_unpack(packed, bits, len(codes)) == codes).all()


def test_every_flipped_bit_is_found(tiny, tiny_stereo):
    for codec in (tiny, tiny_stereo):
        data = stream(codec, 700)
        for place in range(len(data) * 8):
            damaged = bytearray(data)
            damaged[place // 8] ^= 1 << place % 8
            with pytest.raises(BitstreamError):
                read(bytes(damaged))


def test_every_cut_is_found(tiny):
    data = stream(tiny, 700)
    for end in range(len(data)):
        with pytest.raises(BitstreamError):
            read(data[:end])
    for longer in (data + b"\0", data + data):
        with pytest.raises(BitstreamError, match="cut short or damaged"):
            read(longer)


@given(st.binary(max_size=200))
@many
def test_random_bytes(tiny, data):
    for attempt in (data, b"MCDC\0" + data, forged(b"MCDC\0" + bytes(40), end=data)):
        with pytest.raises(BitstreamError):
            decompress(attempt, tiny)


@given(
    st.fixed_dictionaries(
        {},
        optional=dict(
            n_q=st.integers(0, 255),
            bits=st.integers(0, 255),
            channels=st.integers(0, 255),
            rate=st.integers(0, 2**32 - 1),
            length=st.integers(0, 2**64 - 1) | st.integers(0, 2000),
            size=st.integers(0, 255),
        ),
    ),
    st.binary(max_size=40) | st.none(),
    st.booleans(),
)
@many
def test_forged_headers_with_a_right_checksum(tiny, tiny_stereo, fields, end, stereo):
    """The checksum does not protect against malice: the parser must."""
    codec = tiny_stereo if stereo else tiny
    data = forged(stream(codec, 1000), **fields, end=None if end is None else b"unnamed" + end)
    start = time.monotonic()
    try:
        restored = decompress(data, codec)
        # Some other length may be told with as many frames; then that is what comes back.
        assert restored.shape == (1, codec.config.channels, fields.get("length", 1000))
    except ValueError as error:
        assert "\n" not in str(error)
    assert time.monotonic() - start < 20  # not forever, on a busy machine either


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        (dict(magic=b"RIFF"), "begins with b'RIFF'"),
        (dict(version=1), "of version 1; only version 0"),
        (dict(n_q=0), "holds a zero"),
        (dict(n_q=200), "bytes of codes"),
        (dict(bits=0), "holds a zero"),
        (dict(bits=64), "contradicts its model"),
        (dict(channels=7), "contradicts its model"),
        (dict(rate=0), "holds a zero"),
        (dict(rate=44100), "contradicts its model"),
        (dict(length=0), "holds a zero"),
        (dict(length=2**63), "too few for 9223372036854775808 samples"),
        (dict(length=2**64 - 1), "too few for"),
        (dict(length=5000), "too few for 5000 samples"),
        (dict(length=1), "its header calls for"),
        (dict(print=bytes(8)), "other weights"),
        (dict(size=255), "cannot be read|too short|claims"),
    ],
)
def test_each_false_field_is_named(tiny, tiny_stereo, fields, words):
    for codec in (tiny, tiny_stereo):
        start = time.monotonic()
        with pytest.raises(BitstreamError, match=words):
            decompress(forged(stream(codec, 1000), **fields), codec)
        assert time.monotonic() - start < 20  # not forever, on a busy machine either


def test_more_levels_than_the_model_has(tiny):
    """Six bits for every two of a level that there is not."""
    data = stream(tiny, 320)
    levels = tiny.config.max_n_q + 2
    end = b"unnamed" + bytes(4) + bytes(math.ceil(levels * 4 / 8))
    with pytest.raises(ValueError, match="1 to 10 levels"):
        decompress(forged(data, n_q=levels, end=end), tiny)


@pytest.mark.parametrize("count", [2**32 - 1, 1000, 2])
def test_false_counts_of_scales(tiny, tiny_stereo, count):
    for codec in (tiny, tiny_stereo):
        data = stream(codec, 1000)
        end = b"unnamed" + struct.pack(">I", count) + data[_FIXED.size + 11 : -4]
        with pytest.raises(ValueError, match="scales|contradicts|bytes of codes"):
            decompress(forged(data, end=end), codec)


@pytest.mark.parametrize("wrong", [math.nan, math.inf, -math.inf])
def test_scales_that_are_no_numbers(tiny_stereo, wrong):
    data = stream(tiny_stereo, 1000)
    end = b"unnamed" + struct.pack(">If", 1, wrong) + data[_FIXED.size + 15 : -4]
    with pytest.raises(BitstreamError, match="NaN or infinite scales"):
        decompress(forged(data, end=end), tiny_stereo)


def test_names_that_are_no_text(tiny):
    data = stream(tiny)
    end = b"\xff" * 7 + data[_FIXED.size + 7 : -4]
    with pytest.raises(BitstreamError, match="header cannot be read"):
        decompress(forged(data, end=end), tiny)


def test_another_codec(tiny):
    other = Codec(tiny.config, "other").eval()
    with pytest.raises(BitstreamError, match="by other weights .'unnamed'. than 'other' has"):
        decompress(stream(tiny), other)
    with pytest.raises(BitstreamError, match="'unnamed', which does not ship .* pass it as codec="):
        decompress(stream(tiny))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (dict(audio=torch.zeros(2, 1, 100)), "one clip .* a batch of 2"),
        (dict(audio=torch.zeros(1, 2, 100)), "1 channel here"),
        (dict(audio=torch.zeros(1, 1, 0)), "at least one sample"),
        (dict(bandwidth=7), "one of 1.5, 3 kbps, but 7 was given"),
        (dict(entropy="lm"), "entropy must be 'none' for now, but 'lm'"),
    ],
)
def test_compress_refuses(tiny, arguments, words):
    with pytest.raises(ValueError, match=words):
        compress(tiny, **(dict(audio=torch.zeros(1, 1, 100)) | arguments))


def test_more_codebooks_than_a_byte_can_count():
    config = CodecConfig(n_filters=2, dimension=2, codebook_size=2, bandwidths=(24.0,))
    with pytest.raises(ValueError, match="room for 255 codebooks, not for 320"):
        stream(Codec(config).eval())


def test_bytes_of_any_kind(tiny):
    data = stream(tiny)
    for kind in (bytearray, memoryview):
        assert torch.equal(decompress(kind(data), tiny), decompress(data, tiny))
    with pytest.raises(BitstreamError, match="a stream is bytes, but this is a str"):
        decompress("MCDC", tiny)
