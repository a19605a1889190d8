"""The bytes of a stream: damage is found, and lies are named."""

import math
import zlib
from dataclasses import FrozenInstanceError, replace
from io import BytesIO, StringIO

import pytest
import torch
from mcdc_by_hand import HandChunk, HandStream, parse
from small_streams import Trickle, end_at, first, flipped, forged, noise, tolerated

from minicodec.bits.bitstream import compress, decompress
from minicodec.bits.container import (
    END_BYTES,
    BitstreamError,
    Header,
    StreamBytes,
    chunk_bytes,
)


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
    (dict(bits=17), None, "codes have 17 bits; 16 is the most"),
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


def test_a_short_chunk_before_a_lost_one(codecs):
    """What follows would come too early, and the clip be shorter than it claims."""
    codec = codecs["as mini"]
    stream = parse(compress(codec, noise(codec, 96000), 1.5, chunk_seconds=1))
    half = first(frames=38, codes=bytes(38 * 5 * 4 // 8))
    for kept in ([0, 2, 3, 4], [0, 4]):
        chunks = half([stream.chunks[index] for index in kept])
        with pytest.raises(BitstreamError, match="chunk 0 is short, yet not the last"):
            tolerated(stream.but(chunks=chunks).build(), codec)


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
    with pytest.raises(BitstreamError, match="101 chunks, 101.0 s, are missing"):
        list(StreamBytes(BytesIO(lost(101, came=10)), tolerant=True, first=10))


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
        # Of a damaged header each speaks in its own way.
        if wrong[: p[0]] == data[: p[0]]:
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


CODES = bytes(range(100))  # of 25 frames of 8 codes of 4 bits
SECONDS = HandStream(sample_rate=8000, chunk_samples=8000, chunk_frames=25, bits=4, name=b"small")


def seconds(count: int, **fields) -> HandStream:
    """A stream of so many whole seconds, small enough to look at every byte of it."""
    ends = HandChunk(count, 0, [], (8000 * count).to_bytes(8, "big"))
    chunks = [HandChunk(i, 25, [], CODES) for i in range(count)]
    return SECONDS.but(chunks=[*chunks, ends], **fields)


def ended(*chunks: HandChunk, length: int = 8000, **fields) -> bytes:
    """These chunks and an end."""
    end = HandChunk(len(chunks), 0, [], length.to_bytes(8, "big"))
    return SECONDS.but(chunks=[*chunks, end], **fields).build()


def read(data: bytes, tolerant: bool = False) -> list:
    return list(StreamBytes(BytesIO(data), tolerant))


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("", b""),
        ("x" * 255, b"x" * 255),
        ("x" * 300, b"x" * 255),
        ("xä" * 100, ("xä" * 85).encode()),  # 3 bytes each
        ("ä" * 200, ("ä" * 127).encode()),  # 255 bytes would end in the middle of one
    ],
)
def test_a_header_is_what_the_page_says(model, name):
    fields = dict(channels=1, bits=2, chunk_frames=4, chunk_samples=5, sample_rate=6,
                  fingerprint=b"12345678", entropy_fingerprint=b"abcdefgh")  # fmt: skip
    by_hand = HandStream(entropy=1, codebooks=3, name=name, **fields)
    header = Header("histogram", n_q=3, model=model, **fields)
    assert header.to_bytes() == by_hand.head
    stream = StreamBytes(BytesIO(by_hand.head + b"CHNK"))
    assert stream.header == replace(header, model=name.decode())
    assert (stream.crc, stream.header_size) == (by_hand.seed, len(by_hand.head))


def test_what_was_read_does_not_change():
    stream = StreamBytes(BytesIO(seconds(1).build()))
    for value, field in ((stream.header, "channels"), (next(iter(stream)), "frames")):
        with pytest.raises(FrozenInstanceError):
            setattr(value, field, 2)


def test_a_chunk_is_what_the_page_says():
    by_hand = HandChunk(7, 25, [0.5, 0.0, 3e38], CODES)
    assert chunk_bytes(1234, 7, 25, (0.5, 0.0, 3e38), CODES) == by_hand.build(1234)
    assert len(chunk_bytes(0, 1, 0, (), bytes(8))) == END_BYTES
    found = read(ended(replace(by_hand, index=0)))
    assert found[0].scales == pytest.approx((0.5, 0.0, 3e38)) and found[0].codes == CODES
    assert (found[0].frames, found[1].frames, found[1].length) == (25, 0, 8000)


def test_bytes_are_counted():
    data, stream = seconds(5).build(), StreamBytes(BytesIO(seconds(5).build()))
    assert stream.header_size + sum(chunk.size for chunk in stream) == len(data)


@pytest.mark.parametrize("entropy", [0, 1, 2])
def test_codes_fill_what_they_call_for(entropy):
    """Without entropy coding exactly, else at most; 25 codes of 3 bits take 10 bytes."""
    fields = dict(codebooks=1, bits=3, entropy=entropy)
    for n in (9, 10, 11):
        data = ended(HandChunk(0, 25, [], bytes(n)), **fields)
        if n == 10 or (n < 10 and entropy):
            assert read(data)[0].codes == bytes(n)
            coding = StreamBytes(BytesIO(data)).header.entropy
            assert coding == ("none", "histogram", "lm")[entropy]
        else:
            with pytest.raises(BitstreamError, match=f"holds {n} bytes .* call for 10"):
                read(data)


def test_a_chunk_holds_at_most_twice_the_frames_and_65535_bytes():
    assert read(ended(HandChunk(0, 50, [], 2 * CODES)))[0].frames == 50
    with pytest.raises(BitstreamError, match="claims to hold 51 frames: too many"):
        read(ended(HandChunk(0, 51, [], bytes(204))))
    wide = dict(chunk_frames=1, bits=8)
    assert len(read(ended(HandChunk(0, 1, [], bytes(65535)), codebooks=65535, **wide))[0].codes)
    with pytest.raises(BitstreamError, match="claims to hold 2 frames: too many"):
        read(ended(HandChunk(0, 2, [], bytes(9)), codebooks=32768, entropy=1, **wide))


def test_a_chunk_lasts_at_most_a_minute():
    assert StreamBytes(BytesIO(seconds(0, chunk_samples=480_000).head)).header.seconds(2) == 120
    with pytest.raises(BitstreamError, match="chunks of 60 s; 60 s is the most"):
        StreamBytes(BytesIO(seconds(0, chunk_samples=480_001).head))


@pytest.mark.parametrize(("length", "right"), [(8000, False), (8001, True), (95999, True),
                                               (96000, False)])  # fmt: skip
def test_where_a_clip_of_two_chunks_may_end(length, right):
    """In the second, or behind it by less than the longest overlap of segments."""
    chunks = seconds(2).chunks[:2]
    if right:
        assert read(ended(*chunks, length=length))[-1].length == length
        return
    with pytest.raises(BitstreamError, match=f"2 chunks, but claims {length} samples"):
        read(ended(*chunks, length=length))


@pytest.mark.parametrize("end", [HandChunk(1, 0, [], bytes(7)), HandChunk(1, 0, [], bytes(9)),
                                 HandChunk(1, 0, [1.0], bytes(7) + b"\1")])  # fmt: skip
def test_an_end_is_a_number_and_no_more(end):
    with pytest.raises(BitstreamError, match=r"chunk 1 \(from 1.0 s\) ends the stream, but not"):
        read(seconds(1).but(chunks=[*seconds(1).chunks[:1], end]).build())


@pytest.mark.parametrize("frames", [24, 26])
@pytest.mark.parametrize("index", [0, 1, 2])
def test_only_the_last_chunk_is_shorter_or_longer(frames, index):
    odd, others = HandChunk(index, frames, [], bytes(4 * frames)), seconds(4).chunks
    last = ended(*others[:index], odd, length=8000 * index + 1000)
    assert [chunk.frames for chunk in read(last)] == [25] * index + [frames, 0]
    data = seconds(4).but(chunks=[*others[:index], odd, *others[index + 1 :]]).build()
    with pytest.raises(BitstreamError, match=f"chunk {index} is short, yet not the last"):
        read(data)
    tolerant = StreamBytes(BytesIO(data), tolerant=True)
    assert len(list(tolerant)) == 5 and f"chunk {index} is short" in str(tolerant.damage)


def test_a_head_is_believed_only_if_all_of_it_is_right():
    data = seconds(2).build()
    start = 46 + 121  # of chunk 1
    for place in range(8 * start, 8 * (start + 17)):
        with pytest.raises(BitstreamError, match="chunk 1 .* it does not begin as a chunk does"):
            read(flipped(data, place))
    head = b"CHNX" + data[start + 4 : start + 13]
    head += zlib.crc32(head, SECONDS.seed).to_bytes(4, "big")
    with pytest.raises(BitstreamError, match="chunk 1 .* it does not begin as a chunk does"):
        read(data[:start] + head + data[start + 17 :])


def test_what_came_twice_or_too_late_is_left_out():
    head, *chunks = SECONDS.head, *(chunk.build(SECONDS.seed) for chunk in seconds(4).chunks)
    data = b"".join([head, *chunks[:3], chunks[1], chunks[2], *chunks[3:]])
    assert [chunk.index for chunk in read(data, tolerant=True)] == [0, 1, 2, 3, 4]
    with pytest.raises(BitstreamError, match="chunk 3 .* is missing: chunk 1 stands in its place"):
        read(data)
    with pytest.raises(BitstreamError, match="breaks off before chunk 4 .*: its end is missing"):
        read(b"".join([head, *chunks[:4]]))


def test_the_first_damage_is_remembered():
    data = seconds(6).build()
    places = [data.find(b"CHNK" + i.to_bytes(4, "big")) for i in range(7)]
    stream = StreamBytes(BytesIO(flipped(data, 8 * places[2] + 300, 8 * places[4] + 300)), True)
    assert [chunk.index for chunk in stream] == [0, 1, 3, 5, 6]
    assert str(stream.damage).startswith("chunk 2 (from 2.0 s) is damaged: its checksum")


@pytest.mark.parametrize(("size", "words"), [(36, "36 bytes are too few"), (37, "breaks off in"),
                                             (45, "breaks off in its header")])  # fmt: skip
def test_a_header_cut_short(size, words):
    assert len(SECONDS.head) == 46
    with pytest.raises(BitstreamError, match=words):
        StreamBytes(BytesIO(SECONDS.head[:size]))


@pytest.mark.filterwarnings("ignore:one bit of the header")
@pytest.mark.parametrize(("name", "step"), [(b"", 1), (b"small", 1), (b"x" * 255, 71)])
@pytest.mark.parametrize("behind", [[25, 0], []])
def test_every_flipped_bit_of_a_header_is_mended(name, step, behind):
    """With a whole stream behind it and with nothing."""
    stream = seconds(1, name=name)
    head = stream.head
    data = stream.build() if behind else head
    for place in range(0, 8 * len(head), step):
        with pytest.raises(BitstreamError, match="begins with|version|damaged|breaks off in its"):
            StreamBytes(BytesIO(flipped(data, place)))
        found = StreamBytes(BytesIO(flipped(data, place)), tolerant=True)
        assert isinstance(found.damage, BitstreamError)
        assert found.header.model == name.decode() and found.crc == stream.seed
        assert found.header_size == len(head)
        assert "one bit of the header was flipped" in str(found.damage)
        assert [chunk.frames for chunk in found] == behind


class Seekable(BytesIO):
    """Counts the bytes that were read."""

    taken = 0

    def read(self, size: int = -1) -> bytes:
        data = super().read(size)
        self.taken += len(data)
        return data


class Unseekable(Seekable):
    def seekable(self) -> bool:
        return False

    def seek(self, *_) -> int:
        raise OSError


class Views(Trickle):
    """Some files give what they read in other forms."""

    def read(self, size: int) -> memoryview:
        return memoryview(super().read(size))


@pytest.mark.parametrize("kind", [Seekable, Unseekable, Trickle, Views])
@pytest.mark.parametrize("first", [0, 1, 20, 90])
def test_chunks_are_passed_over_in_any_kind_of_file(kind, first):
    data = seconds(60).build()
    file = kind(data)
    found = list(StreamBytes(file, first=first))
    assert [chunk.index for chunk in found] == list(range(61))
    assert all(chunk.codes == (CODES if chunk.index >= first else b"") for chunk in found[:-1])
    assert all(chunk.size == 121 and chunk.frames == 25 for chunk in found[:-1])
    assert found[-1].length == 60 * 8000
    if kind is Seekable:
        assert file.taken == len(data) - min(first, 60) * (121 - 17)
    for end in (len(data) - 29, 2000, 2010, 2100):  # cut before a chunk, in a head, in codes
        with pytest.raises(BitstreamError, match="breaks off"):
            list(StreamBytes(kind(data[:end]), first=first))


def test_what_is_passed_over_is_not_checked():
    wrong = flipped(seconds(3).build(), 8 * 46 + 300)
    assert len(list(StreamBytes(BytesIO(wrong), first=1))) == 4


@pytest.mark.parametrize("tolerant", [False, True])
def test_a_live_pipe_is_asked_for_no_more_than_it_takes(tolerant):
    """A chunk is given as soon as it has come, not when the next one has."""
    file = Trickle(seconds(3).build())
    stream = StreamBytes(file, tolerant)
    assert file.taken == 46
    for index, chunk in enumerate(stream):
        assert file.taken == 46 + 121 * min(index + 1, 3) + 29 * (index == 3)
        assert chunk.index == index


class Live(Trickle):
    """A pipe into which nothing more is written: whoever asks waits for ever."""

    def read(self, size: int) -> bytes:
        data = super().read(size)
        assert data
        return data


def test_a_live_pipe_gives_its_end_at_once():
    chunks = iter(StreamBytes(Live(seconds(3).build()), tolerant=True))
    assert [next(chunks).index for _ in range(4)] == [0, 1, 2, 3]
    with pytest.raises(BitstreamError, match="more bytes behind the end"):
        list(StreamBytes(Live(seconds(3).build() + b"!")))


def test_a_file_of_text_is_refused():
    with pytest.raises(BitstreamError, match="from a binary file, but this gave a str"):
        StreamBytes(StringIO("MCDC"))


@pytest.mark.parametrize("junk", [b"\0", b"CHNK", b"CHNKCHN", b"C"])
def test_the_next_chunk_is_found_wherever_it_begins(junk):
    """Blocks are looked through one after another; a chunk may begin at or across their edges."""
    stream = seconds(3)
    head, *chunks = stream.head, *(chunk.build(stream.seed) for chunk in stream.chunks)
    for size in [*range(1, 50), *range(4060, 4140), 8180, 8192, 8200]:
        noise = (junk * size)[:size]
        data = b"".join([head, chunks[0], noise, *chunks[1:]])
        assert [chunk.index for chunk in read(data, tolerant=True)] == [0, 1, 2, 3]
        assert [chunk.index for chunk in read(data[:-29] + noise, True)] == [0, 1, 2]


def test_time_is_bounded_where_heads_are_everywhere():
    """Each claims all that follows. Honest damage, a chunk after another, is looked through."""
    stream = SECONDS.but(entropy=1, chunk_frames=1, bits=8, codebooks=65535)
    whole = HandChunk(0, 1, [], bytes(65535)).build(stream.seed)
    with pytest.raises(BitstreamError, match="damaged everywhere: it is not worth the time"):
        read(stream.head + whole[:17] * 5000, tolerant=True)
    assert read(stream.head + flipped(whole, 9999) * 40, tolerant=True) == []
