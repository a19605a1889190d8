"""The bytes of a stream: damage is found, and lies are named."""

import math
from io import BytesIO

import pytest
import torch
from mcdc_by_hand import HandChunk, HandStream, parse
from small_streams import end_at, first, flipped, forged, noise, tolerated

from minicodec.bits.bitstream import compress, decompress
from minicodec.bits.container import BitstreamError, StreamBytes


def decompress_all_bytes(data: bytes) -> None:
    """As strict decoding does, but without the codec, which would take most of the time."""
    for _ in StreamBytes(BytesIO(data)):
        pass


def test_every_flipped_bit_is_found(codecs):
    for kind in ("as mini", "as encodec_48khz"):
        codec = codecs[kind]
        data = compress(codec, noise(codec, 3000), entropy="histogram", chunk_seconds=0.06)
        assert len(parse(data).chunks) >= 3 or kind != "as mini"
        for place in range(len(data) * 8):
            with pytest.raises(BitstreamError):
                decompress_all_bytes(flipped(data, place))


def test_every_cut_is_found(codecs):
    codec = codecs["as mini"]
    data = compress(codec, noise(codec, 3000), chunk_seconds=0.06)
    for end in range(len(data)):
        with pytest.raises(BitstreamError):
            decompress_all_bytes(data[:end])
    with pytest.raises(BitstreamError, match="more bytes behind the end"):
        decompress(data + b"\0", codec)


@pytest.mark.parametrize("place", [0, 37, 33, 40, 60, 8 * 4, 8 * 6 + 5, 8 * 36 + 6, 8 * 38])
def test_a_flipped_bit_in_the_header_is_mended(broken, place):
    codec, data, _, full = broken
    with pytest.raises(BitstreamError):
        decompress(flipped(data, place), codec)
    restored = tolerated(flipped(data, place), codec, "one bit of the header was flipped")
    assert torch.equal(restored, full)
    with pytest.raises(BitstreamError):
        decompress(flipped(data, place, place + 9, 300), codec, tolerant=True)


LIES = [
    (dict(version=2), None, "of version 2; only version 1"),
    (dict(version=0), None, "of version 0"),
    (dict(entropy=3), None, "entropy coding, 3, is not known"),
    (dict(entropy=2), None, "no language model ships for these weights"),
    (dict(channels=0), None, "holds a zero"),
    (dict(bits=0), None, "holds a zero"),
    (dict(codebooks=0), None, "holds a zero"),
    (dict(chunk_frames=0), None, "holds a zero"),
    (dict(chunk_samples=0), None, "holds a zero"),
    (dict(sample_rate=0), None, "holds a zero"),
    (dict(channels=7), None, "contradicts its model"),
    (dict(bits=5), None, "contradicts its model"),
    (dict(codebooks=60000), None, "contradicts its model"),
    (dict(sample_rate=44100), None, "contradicts its model"),
    (dict(chunk_frames=74), None, "none of its model's"),
    (dict(chunk_samples=2**32 - 1), None, "chunks of .* 60 s is the most"),
    (dict(fingerprint=b"stranger"), None, "by other weights .'as mini'. than 'as mini' has"),
    (dict(entropy_fingerprint=b"stranger"), None, "predicted by the none model 7374"),
    (dict(name=b"\xff\xfe"), None, "no known letters"),
    ({}, end_at(0), "has 2 chunks, but claims 0 samples"),
    ({}, end_at(2**64 - 1), "has 2 chunks, but claims 18446744073709551615 samples"),
    ({}, end_at(24001), "chunk 1 has 75 frames, but 1 are the end of 24001 samples"),
    ({}, end_at(24000), "has 2 chunks, but claims 24000 samples, which is not"),
    ({}, first(frames=74), "calls? for"),
    ({}, first(frames=0), "ends the stream, but not with 8 bytes"),
    ({}, first(frames=151), "too many for a chunk"),
    ({}, first(index=7), "chunk 0 .* is missing: chunk 7"),
    ({}, first(codes=b""), "holds 0 bytes of codes, but its 75 frames call for"),
    ({}, first(scales=[1.0]), "has scales, unlike its model"),
    ({}, first(scales=[math.nan]), "no loudness"),
    (dict(coding="histogram"), first(codes=b""), "chunk 0 cannot be decoded"),
    (dict(coding="histogram"), first(codes=bytes(150)), "chunk 0 cannot be decoded"),
]


@pytest.mark.parametrize(("fields", "edit", "words"), LIES)
def test_lies_with_a_right_checksum_are_named(codecs, fields, edit, words):
    with pytest.raises(BitstreamError, match=words):
        decompress(forged(codecs["as mini"], edit, **fields), codecs["as mini"])


def test_a_short_chunk_before_the_last(codecs):
    codec = codecs["as mini"]
    data = compress(codec, noise(codec, 72000), 1.5, chunk_seconds=1)
    half = first(frames=38, codes=bytes(38 * 5 * 4 // 8))
    stream = parse(data)
    with pytest.raises(BitstreamError, match="chunk 0 is short, yet not the last"):
        decompress(stream.but(chunks=half(stream.chunks)).build(), codec)


@pytest.mark.parametrize("scales", [[], [1.0, 1.0], [-1.0], [math.inf]])
def test_false_scales(codecs, scales):
    codec = codecs["as encodec_48khz"]
    with pytest.raises(BitstreamError, match="scale|loudness|chunk 0 is short"):
        decompress(forged(codec, first(scales=scales)), codec)


def lost(chunks: int, came: int, rest: int = 0, seconds: int = 1) -> bytes:
    """A stream of chunks of so many seconds: some came, then some are lost, then come the rest."""
    rate = 8000
    stream = HandStream(
        sample_rate=rate, chunk_samples=seconds * rate, chunk_frames=25 * seconds, bits=4
    )
    codes = bytes(25 * seconds * 4)
    there = [*range(came), *range(came + chunks, came + chunks + rest)]
    end = came + chunks + rest
    ends = HandChunk(end, 0, [], (end * seconds * rate).to_bytes(8, "big"))
    return stream.but(
        chunks=[HandChunk(i, 25 * seconds, [], codes) for i in there] + [ends]
    ).build()


@pytest.mark.parametrize(
    ("stream", "believed"),
    [
        (lost(60, came=1), True),
        (lost(61, came=1), False),
        (lost(100, came=10), True),
        (lost(101, came=10), False),
        (lost(101, came=10, rest=1), True),
        (lost(60, came=0, rest=1), True),
        (lost(61, came=0, rest=1), False),
        (lost(1, came=0), False),
        (lost(1, came=0, seconds=60), False),
        (lost(10, came=1, seconds=60), True),
        (lost(2**32 - 5, came=3), False),
    ],
)
def test_a_minute_may_be_lost_or_ten_times_what_came(stream, believed):
    """The claims of a few bytes cost nothing: at first 74 bytes gave 203 seconds of silence."""
    if believed:
        assert list(StreamBytes(BytesIO(stream), tolerant=True))[-1].frames == 0
        return
    with pytest.raises(BitstreamError, match="are missing and only .* are there: too few"):
        list(StreamBytes(BytesIO(stream), tolerant=True))


def test_what_is_passed_over_is_not_lost():
    """From behind the gap on, all is there."""
    stream = lost(500, came=1, rest=3)
    found = list(StreamBytes(BytesIO(stream), tolerant=True, first=501))
    assert [chunk.index for chunk in found] == [0, 501, 502, 503, 504]


@pytest.mark.parametrize("length", [0, 24000, 24000 * 12, 2**63, 2**64 - 1])
def test_an_end_that_cannot_be_is_damage(codecs, length):
    """In tolerant mode, too: then the stream is one that lost its end."""
    codec = codecs["as mini"]
    wrong = forged(codec, end_at(length))
    with pytest.raises(BitstreamError, match=f"2 chunks, but claims {length} samples"):
        decompress(wrong, codec)
    assert tolerated(wrong, codec, "breaks off at 2.00 s").shape[-1] == 48000


def test_a_stream_without_sound():
    stream = HandStream(chunks=[HandChunk(0, 0, [], bytes(7) + b"\1")])
    with pytest.raises(BitstreamError, match="has 0 chunks, but claims 1 samples"):
        list(StreamBytes(BytesIO(stream.build())))


@pytest.mark.filterwarnings("ignore:one bit of the header")
def test_both_modes_agree_on_what_is_whole(broken):
    """What the strict one raises is what the tolerant one remembers."""
    _, data, p, _ = broken
    whole = StreamBytes(BytesIO(data), tolerant=True)
    assert len(list(whole)) == 11 and whole.damage is None
    for wrong in (
        data + b"!",
        data + data,
        data[:-1],
        data[: p[4]] + data[p[5] :],
        data[: p[5]] + data[p[4] :],
        flipped(data, 8 * p[2] + 300),
        flipped(data, 40),
    ):
        with pytest.raises(BitstreamError) as strict:
            list(StreamBytes(BytesIO(wrong)))
        tolerant = StreamBytes(BytesIO(wrong), tolerant=True)
        list(tolerant)
        if (
            wrong[: p[0]] == data[: p[0]]
        ):  # else it is the header, of which both say it in their way
            assert str(tolerant.damage) == str(strict.value)
        assert tolerant.damage is not None


@pytest.mark.parametrize(
    ("data", "words"),
    [(b"", "0 bytes are too few"), (b"MCDC", "4 bytes are too few"),
     (b"RIFF" + bytes(99), "begins with b'RIFF'"), (bytes(99), "begins with")],
)  # fmt: skip
def test_no_stream_at_all(codecs, data, words):
    for tolerant in (False, True):
        with pytest.raises(BitstreamError, match=words):
            decompress(data, codecs["as mini"], tolerant=tolerant)
