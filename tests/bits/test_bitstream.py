"""What goes in comes out; damage costs one chunk; all else is refused, naming what is wrong."""

import functools
import math
import random
import warnings
from dataclasses import replace
from io import BytesIO

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mcdc_by_hand import HandChunk, parse

from minicodec.bits import reader as stream_reader
from minicodec.bits import writer as stream_writer
from minicodec.bits.bitstream import (
    BitstreamError,
    StreamReader,
    StreamWriter,
    compress,
    decompress,
)
from minicodec.bits.container import END_BYTES
from minicodec.bits.exact import quantize
from minicodec.bits.language_model import LanguageModel, LanguageModelConfig
from minicodec.bits.layout import Layout
from minicodec.model.checkpoint import fingerprint
from minicodec.model.codec import Codec
from minicodec.model.config import CodecConfig

SMALL = dict(n_filters=4, dimension=8, codebook_size=16, lstm_layers=1)
IN_SEGMENTS = dict(sample_rate=8000, bandwidths=(0.5, 1.0), causal=False, norm="time_group_norm",
                   pad_mode="reflect", **SMALL)  # fmt: skip
CONFIGS = {
    "as mini": CodecConfig(bandwidths=(1.5, 3.0), **SMALL),
    "as encodec_24khz": CodecConfig(bandwidths=(1.5, 3.0), pad_mode="reflect", **SMALL),
    "as encodec_48khz": CodecConfig(channels=2, segment=1.0, normalize=True, **IN_SEGMENTS),
    "segments that do not overlap": CodecConfig(segment=0.5, overlap=0.0, **IN_SEGMENTS),
    "segments without loudness": CodecConfig(channels=2, segment=0.7, **IN_SEGMENTS),
    "the whole clip at once": CodecConfig(normalize=True, **IN_SEGMENTS),
}


@pytest.fixture(scope="module")
def codecs() -> dict[str, Codec]:
    torch.manual_seed(1)
    return {name: Codec(config, name).eval() for name, config in CONFIGS.items()}


@pytest.fixture(scope="module")
def language_models() -> dict[int, object]:
    models = {}
    for n_q in (5, 10):
        config = LanguageModelConfig(n_q=n_q, codebook_size=16, dim=8, layers=1, heads=2, hidden=8)
        models[n_q] = quantize(LanguageModel(config).eval())
    return models


@pytest.fixture(scope="module", autouse=True)
def _fingerprints_once():
    """Taking them is most of the time of a test on a codec as small as these."""
    with pytest.MonkeyPatch.context() as patch:
        once = functools.cache(fingerprint)
        patch.setattr(stream_reader, "fingerprint", once)
        patch.setattr(stream_writer, "fingerprint", once)
        yield


def offline(codec: Codec, audio: torch.Tensor, bandwidth: float | None = None) -> torch.Tensor:
    return codec.decode(*codec.encode_scaled(audio, bandwidth), audio.shape[-1])


def noise(codec: Codec, length: int) -> torch.Tensor:
    return 0.1 * torch.randn(1, codec.config.channels, length)


@pytest.mark.parametrize("kind", CONFIGS)
@settings(max_examples=12, deadline=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture])  # fmt: skip
@given(data=st.data())
def test_round_trip_of_every_kind_of_codec(codecs, language_models, kind, data):
    codec = codecs[kind]
    rate, stride = codec.config.sample_rate, codec.config.segments.stride or 8000
    near = data.draw(st.integers(1, 4)) * stride + data.draw(st.integers(-85, 85))
    length = data.draw(st.just(near) | st.integers(1, 3 * rate) | st.integers(1, 700))
    bandwidth = data.draw(st.sampled_from([None, *codec.config.bandwidths]))
    entropy = data.draw(st.sampled_from(["none", "none", "histogram", "lm"]))
    seconds = data.draw(st.sampled_from([0.05, 0.3, 1.0, 5.0]))
    lm = language_models[10 if codec.config.max_n_q > 5 else 5] if entropy == "lm" else None
    length = min(length, rate // 2) if lm else length  # it is slow
    audio = noise(codec, length)
    stream = compress(codec, audio, bandwidth, entropy, chunk_seconds=seconds, lm=lm)
    restored = decompress(stream, codec, lm=lm)
    assert restored.shape == audio.shape
    torch.testing.assert_close(restored, offline(codec, audio, bandwidth), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("kind", CONFIGS)
def test_blocks_of_any_size_give_the_same_stream(codecs, kind):
    codec, chance = codecs[kind], random.Random(0)
    audio = noise(codec, 3 * codec.config.sample_rate + 5)
    file, left = BytesIO(), audio
    with StreamWriter(file, codec, chunk_seconds=0.5) as out:
        while left.shape[-1]:
            size = chance.choice([1, 100, 5000, 50000])
            out.write(left[..., :size])
            left = left[..., size:]
    assert file.getvalue() == compress(codec, audio, chunk_seconds=0.5)
    assert (out.length, out.size) == (audio.shape[-1], len(file.getvalue()))


class Trickle:
    """A pipe: no seeking, no telling, and a few bytes at a time."""

    def __init__(self, data: bytes):
        self.file, self.chance, self.taken = BytesIO(data), random.Random(0), 0

    def read(self, size: int) -> bytes:
        data = self.file.read(self.chance.randint(1, min(size, 50)))
        self.taken += len(data)
        return data


@pytest.mark.parametrize("kind", CONFIGS)
def test_pipes_give_what_they_have(codecs, kind):
    codec = codecs[kind]
    stream = compress(codec, noise(codec, 20000), chunk_seconds=0.2)
    blocks = list(StreamReader(Trickle(stream), codec))
    assert torch.equal(torch.cat(blocks, -1), decompress(stream, codec))


def test_sound_comes_before_the_stream_has_ended(codecs):
    """A reader takes no byte that it does not need, or a live pipe would wait."""
    codec = codecs["as mini"]
    stream = compress(codec, noise(codec, 24000), chunk_seconds=0.2)
    pipe = Trickle(stream)
    head, chunk = len(parse(stream).head), len(parse(stream).chunks[0].build(0))
    reader = iter(StreamReader(pipe, codec))
    assert next(reader).shape[-1] >= 0.2 * 24000 - 320
    assert pipe.taken == head + chunk


def test_a_writer_never_goes_back(codecs):
    class Pipe:
        def __init__(self):
            self.data = b""

        def write(self, data):
            self.data += bytes(data[:7])  # as much as a full pipe takes
            return len(data[:7])

        def flush(self):
            pass

    codec, pipe = codecs["as mini"], Pipe()
    audio = noise(codec, 9000)
    with StreamWriter(pipe, codec, chunk_seconds=0.1) as out:
        out.write(audio)
    assert pipe.data == compress(codec, audio, chunk_seconds=0.1)


def test_the_stream_says_what_it_should(codecs):
    """Compared with the reader that was written from the page of the book."""
    codec = codecs["as encodec_48khz"]
    codec_named = Codec(codec.config, "ein Name mit ü")
    codec_named.load_state_dict(codec.state_dict())
    audio = noise(codec, 20000)
    stream = parse(compress(codec_named.eval(), audio, 0.5, chunk_seconds=2))
    codes, scales = codec.encode_scaled(audio, 0.5)
    assert stream.name.decode() == "ein Name mit ü" and stream.fingerprint == fingerprint(codec)
    assert (stream.channels, stream.bits, stream.codebooks) == (2, 4, 5)
    assert (stream.chunk_frames, stream.chunk_samples, stream.sample_rate) == (50, 15840, 8000)
    assert [(c.index, c.frames, len(c.scales)) for c in stream.chunks] == [
        (0, 50, 2), (1, 13, 1), (2, 0, 0)]  # fmt: skip
    assert int.from_bytes(stream.chunks[2].codes, "big") == 20000
    told = [scale for chunk in stream.chunks for scale in chunk.scales]
    assert told == scales[0].tolist() and codes.shape[2] == 63


def test_long_names_are_cut_between_characters(codecs):
    codec = Codec(CONFIGS["as mini"], "ü" * 200).eval()
    data = compress(codec, noise(codec, 400))
    assert parse(data).name.decode() == "ü" * 127
    assert decompress(data, codec).shape == (1, 1, 400)


def test_every_flipped_bit_is_found(codecs):
    for kind in ("as mini", "as encodec_48khz"):
        codec = codecs[kind]
        data = compress(codec, noise(codec, 3000), entropy="histogram", chunk_seconds=0.06)
        assert len(parse(data).chunks) >= 3 or kind != "as mini"
        for place in range(len(data) * 8):
            with pytest.raises(BitstreamError):
                decompress_all_bytes(flipped(data, place))


def decompress_all_bytes(data: bytes) -> None:
    """As strict decoding does, but without the codec, which would take most of the time."""
    from minicodec.bits.container import StreamBytes

    for _ in StreamBytes(BytesIO(data)):
        pass


def flipped(data: bytes, *places: int) -> bytes:
    wrong = bytearray(data)
    for place in places:
        wrong[place // 8] ^= 0x80 >> place % 8
    return bytes(wrong)


def test_every_cut_is_found(codecs):
    codec = codecs["as mini"]
    data = compress(codec, noise(codec, 3000), chunk_seconds=0.06)
    for end in range(len(data)):
        with pytest.raises(BitstreamError):
            decompress_all_bytes(data[:end])
    with pytest.raises(BitstreamError, match="more bytes behind the end"):
        decompress(data + b"\0", codec)


@pytest.fixture
def broken(codecs):
    """Ten chunks of a quarter second, where each begins, and the sound of the whole."""
    codec = codecs["as mini"]
    data = compress(codec, noise(codec, 58000), entropy="histogram", chunk_seconds=0.25)
    places = [data.find(b"CHNK" + i.to_bytes(4, "big")) for i in range(11)]
    assert min(places) > 0 and len(parse(data).chunks) == 11
    return codec, data, places, decompress(data, codec)


def tolerated(data: bytes, codec: Codec, *words: str) -> torch.Tensor:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        audio = decompress(data, codec, tolerant=True)
    said = " / ".join(str(warning.message) for warning in caught)
    assert len(caught) == len(words) and all(word in said for word in words), said
    return audio


def assert_damage_is_chunk_4_alone(audio, full):
    chunk = 19 * 320
    assert audio.shape == full.shape
    assert torch.equal(audio[..., : 4 * chunk], full[..., : 4 * chunk])
    assert not torch.equal(audio[..., 4 * chunk : 5 * chunk], full[..., 4 * chunk : 5 * chunk])
    later = 5 * chunk + 24000 // 2  # half a second for the decoder's state to heal
    torch.testing.assert_close(audio[..., later:], full[..., later:], atol=1e-3, rtol=0)


HURT = {  # what is done to chunk 4, from byte a to byte b, in the stream d
    "a flipped bit in the codes": lambda d, a, b: flipped(d, 8 * (a + 30)),
    "a flipped bit in the checksum": lambda d, a, b: flipped(d, 8 * b - 1),
    "a flipped bit in the length": lambda d, a, b: flipped(d, 8 * a + 8 * 10 + 3),
    "a flipped bit in the number of frames": lambda d, a, b: flipped(d, 8 * a + 8 * 9 + 7),
    "a flipped bit in the index": lambda d, a, b: flipped(d, 8 * a + 8 * 7 + 6),
    "a flipped bit in the sync word": lambda d, a, b: flipped(d, 8 * a),
    "all of it zeros": lambda d, a, b: d[:a] + bytes(b - a) + d[b:],
    "all of it missing": lambda d, a, b: d[:a] + d[b:],
    "a byte missing": lambda d, a, b: d[: a + 40] + d[a + 41 :],
    "a byte too many": lambda d, a, b: d[: a + 40] + b"!" + d[a + 40 :],
    "much too much": lambda d, a, b: d[: a + 40] + bytes(10000) + d[a + 40 :],
    "sync words": lambda d, a, b: d[:a] + b"CHNK" * 50 + d[b:],
    "chunk 3 again": lambda d, a, b: d[:a] + d[a - (b - a) : a] + d[b:],
}


@pytest.mark.parametrize("what", HURT)
def test_damage_costs_one_chunk(broken, what):
    codec, data, places, full = broken
    wrong = HURT[what](data, places[4], places[5])
    with pytest.raises(BitstreamError, match="chunk 4 .from 1.0 s"):
        decompress(wrong, codec)
    audio = tolerated(wrong, codec, "chunk 4 is damaged: silence from 1.01 s to 1.27 s.")
    assert_damage_is_chunk_4_alone(audio, full)


def test_swapped_chunks_are_found(broken):
    codec, data, p, full = broken
    swapped = data[: p[4]] + data[p[5] : p[6]] + data[p[4] : p[5]] + data[p[6] :]
    with pytest.raises(BitstreamError, match="chunk 4 .* is missing: chunk 5 stands in its place"):
        decompress(swapped, codec)
    assert_damage_is_chunk_4_alone(tolerated(swapped, codec, "chunk 4 is"), full)


def test_a_chunk_of_another_stream_is_not_taken(broken):
    """Same model, same place, right checksums, but another bandwidth."""
    codec, data, p, full = broken
    other = compress(codec, noise(codec, 58000), 1.5, "histogram", chunk_seconds=0.25)
    a, b = (other.find(b"CHNK" + i.to_bytes(4, "big")) for i in (4, 5))
    wrong = data[: p[4]] + other[a:b] + data[p[5] :]
    with pytest.raises(BitstreamError, match="chunk 4 .* is damaged"):
        decompress(wrong, codec)
    assert_damage_is_chunk_4_alone(tolerated(wrong, codec, "chunk 4 is"), full)


def test_truncated_streams_give_all_whole_chunks(broken):
    codec, data, places, full = broken
    for index in (1, 2, 9):
        for cut in (0, 5, 30):
            end = index * 19 * 320
            audio = tolerated(data[: places[index] + cut], codec,
                              f"breaks off at {end / 24000:.2f} s: its end is missing")  # fmt: skip
            assert torch.equal(audio, full[..., :end])
    with pytest.raises(BitstreamError, match="breaks off in chunk 9"):
        decompress(data[: places[9] + 5], codec)
    with pytest.raises(BitstreamError, match="breaks off before chunk 9"):
        decompress(data[: places[9]], codec)
    with pytest.raises(BitstreamError, match="no whole chunk"):
        decompress(data[: places[1] - 1], codec, tolerant=True)


def test_without_its_end_a_stream_is_whole_frames_long(broken):
    codec, data, places, full = broken
    audio = tolerated(data[:-1], codec, "breaks off at 2.43 s")
    assert audio.shape[-1] == 182 * 320 and torch.equal(audio[..., :58000], full)


def test_first_and_last_chunk_may_be_lost(broken):
    codec, data, p, full = broken
    audio = tolerated(data[: p[0]] + data[p[1] :], codec, "silence from 0.00 s to 0.25 s")
    assert audio.shape == full.shape
    audio = tolerated(data[: p[9]] + data[p[10] :], codec, "silence from 2.28 s to 2.42 s")
    assert audio.shape == full.shape
    assert torch.equal(audio[..., : 9 * 6080], full[..., : 9 * 6080])
    audio = tolerated(data[: p[2]] + data[p[9] :], codec, "chunks 2 to 8 are damaged")
    assert audio.shape == full.shape


@pytest.mark.parametrize("index", [0, 1, 2, 3])
@pytest.mark.parametrize("length", [40 * 320, 31 * 800, 4 * 7920 + 50, 4 * 7920 + 81])
def test_segments_keep_their_time_too(codecs, index, length):
    codec = codecs["as encodec_48khz"]
    audio = noise(codec, length)
    data = compress(codec, audio, chunk_seconds=1)
    chunks = parse(data).chunks
    index = min(index, len(chunks) - 2)  # the last chunk of sound, if there are fewer
    places = [data.find(b"CHNK" + i.to_bytes(4, "big")) for i in (index, index + 1)]
    full = decompress(data, codec)
    hurt = tolerated(data[: places[0]] + data[places[1] :], codec, f"chunk {index} is")
    assert hurt.shape == full.shape
    a, b = index * 7920, (index + 1) * 7920
    assert torch.equal(hurt[..., :a], full[..., :a])
    assert torch.equal(hurt[..., b + 80 :], full[..., b + 80 :]) or index == len(chunks) - 2
    assert (hurt[..., a + 80 : min(b, length)] == 0).all()  # loudness 0 is silence
    if index:
        cut = tolerated(data[: places[0]], codec, "breaks off")
        assert torch.equal(cut[..., : a - 1], full[..., : a - 1]) and cut.shape[-1] == a


@pytest.mark.parametrize("place", [0, 37, 33, 40, 60, 8 * 4, 8 * 6 + 5, 8 * 36 + 6, 8 * 38])
def test_a_flipped_bit_in_the_header_is_mended(broken, place):
    codec, data, _, full = broken
    with pytest.raises(BitstreamError):
        decompress(flipped(data, place), codec)
    restored = tolerated(flipped(data, place), codec, "one bit of the header was flipped")
    assert torch.equal(restored, full)
    with pytest.raises(BitstreamError):
        decompress(flipped(data, place, place + 9, 300), codec, tolerant=True)


@pytest.mark.parametrize("kind", CONFIGS)
def test_seeking(codecs, kind):
    codec, chance = codecs[kind], random.Random(0)
    rate = codec.config.sample_rate
    data = compress(codec, noise(codec, 7 * rate + 11), chunk_seconds=1)
    full = decompress(data, codec)
    parts = [(0, 0.5), (0, 100), (7, 1), (3, None), (2.9999, 0.0001)]
    parts += [(chance.uniform(0, 6.9), chance.uniform(0, 2)) for _ in range(5)]
    for start, duration in parts:
        end = None if duration is None else round(start * rate) + max(1, round(duration * rate))
        expected = full[..., round(start * rate) : end]
        part = decompress(data, codec, start=start, duration=duration)
        assert part.shape == expected.shape
        # A second is long enough to forget, in a network as small as this.
        torch.testing.assert_close(part, expected, atol=1e-4, rtol=1e-4)
        if codec.config.segment:
            assert torch.equal(part, expected)
    with pytest.raises(BitstreamError, match="ends at 7.00 s, not after 8.00 s"):
        decompress(data, codec, start=8)
    with pytest.raises(BitstreamError, match="ends at 7.00 s, not after 9000.00 s"):
        decompress(data, codec, start=9000)


def test_seeking_reads_only_what_it_needs(codecs):
    class Counted(BytesIO):
        taken = 0

        def read(self, size=-1):
            data = super().read(size)
            self.taken += len(data)
            return data

    codec = codecs["as mini"]
    data = compress(codec, noise(codec, 24000 * 20), chunk_seconds=1)
    file = Counted(data)
    part = torch.cat(list(StreamReader(file, codec, start=15, duration=1)), -1)
    assert file.taken < len(data) / 5
    # A pipe has to be read up to there, but what is passed over is neither checked nor decoded.
    place = data.find(b"CHNK" + (3).to_bytes(4, "big")) + 100
    through = StreamReader(Trickle(flipped(data, 8 * place)), codec, start=15, duration=1)
    assert torch.equal(torch.cat(list(through), -1), part)


@pytest.mark.parametrize("start", [-1, math.nan, math.inf])
def test_parts_that_there_cannot_be(codecs, start):
    codec = codecs["as mini"]
    data = compress(codec, noise(codec, 400))
    with pytest.raises(ValueError, match="a part has a start"):
        decompress(data, codec, start=start)
    with pytest.raises(ValueError, match="a part has a start"):
        decompress(data, codec, duration=start)


def forged(codec: Codec, edit, **fields) -> bytes:
    """A stream of three chunks, changed, with right checksums."""
    config = codec.config
    data = compress(codec, noise(codec, 2 * config.sample_rate), config.bandwidths[0],
                    entropy=fields.pop("coding", "none"), chunk_seconds=1)  # fmt: skip
    stream = parse(data).but(**fields)
    if edit:
        stream = stream.but(chunks=edit(stream.chunks))
    return stream.build()


def end_at(length):
    return lambda chunks: [*chunks[:-1], replace(chunks[-1], codes=length.to_bytes(8, "big"))]


def first(**change):
    return lambda chunks: [replace(chunks[0], **change), *chunks[1:]]


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
    ({}, end_at(24000), "has 2 chunks, but claims 24000 samples, which take 1"),
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


def test_more_loss_than_is_believed(codecs):
    codec = codecs["as mini"]
    far = lambda chunks: [chunks[0], replace(chunks[1], index=200)]  # noqa: E731
    with pytest.raises(BitstreamError, match="198 chunks are missing|199 chunks are missing"):
        decompress(forged(codec, far), codec, tolerant=True)
    tail = HandChunk(3, 0, [], bytes(8))
    with pytest.raises(BitstreamError, match="has 3 chunks, but claims 0 samples"):
        decompress(forged(codec, lambda c: [*c[:2], tail]), codec, tolerant=True)


def test_the_language_model_is_named_too(codecs, language_models):
    codec, lm = codecs["as mini"], language_models[10]
    audio = noise(codec, 3000)
    data = compress(codec, audio, entropy="lm", lm=lm)
    assert parse(data).entropy_fingerprint == lm.fingerprint
    assert torch.equal(decompress(data, codec, lm=lm), offline(codec, audio))
    with pytest.raises(BitstreamError, match=f"{lm.fingerprint.hex()}, but the one here is"):
        decompress(data, codec, lm=language_models[5])
    with pytest.raises(BitstreamError, match="no language model ships"):
        decompress(data, codec)


def test_codes_that_predict_nothing_are_packed(codecs):
    """An entropy coding never makes a stream longer."""
    codec = codecs["as mini"]
    audio = noise(codec, 24000)
    plain, coded = (compress(codec, audio, 1.5, entropy=e, chunk_seconds=0.1)
                    for e in ("none", "histogram"))  # fmt: skip
    for one, other in zip(parse(plain).chunks, parse(coded).chunks):
        assert len(other.codes) <= len(one.codes)


def test_another_codec(codecs):
    codec = codecs["as mini"]
    other = Codec(codec.config, "other").eval()
    data = compress(codec, noise(codec, 400))
    with pytest.raises(BitstreamError, match="by other weights .'as mini'. than 'other' has"):
        decompress(data, other)
    with pytest.raises(BitstreamError, match="'as mini', which does not ship .* it as codec="):
        decompress(data)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (dict(audio=torch.zeros(2, 1, 100)), "one clip .* a batch of 2"),
        (dict(audio=torch.zeros(1, 2, 100)), "1 channel here"),
        (dict(audio=torch.zeros(1, 1, 0)), "at least one sample"),
        (dict(audio=torch.full((1, 1, 9), math.nan)), "NaN"),
        (dict(bandwidth=7), "one of 1.5, 3 kbps, but 7 was given"),
        (dict(entropy="zip"), "one of none, histogram, lm, but 'zip' was given"),
        (dict(entropy="lm"), "no language model ships for these weights of 'as mini'"),
        (dict(chunk_seconds=0), "more than 0 and at most 60 seconds, not 0"),
        (dict(chunk_seconds=61), "more than 0 and at most 60 seconds, not 61"),
        (dict(chunk_seconds=math.nan), "more than 0 and at most 60 seconds, not nan"),
    ],
)
def test_compress_refuses(codecs, arguments, words):
    with pytest.raises(ValueError, match=words):
        compress(codecs["as mini"], **(dict(audio=torch.zeros(1, 1, 100)) | arguments))


def test_sound_too_loud_to_tell(codecs):
    codec = codecs["as encodec_48khz"]
    with pytest.raises(ValueError, match="too loud"):
        compress(codec, torch.full((1, 2, 9000), 1e30))


def test_chunks_are_shorter_where_codes_are_many():
    for config in (CodecConfig(), CONFIGS["as encodec_48khz"]):
        for n_q in (1, 32, 500):
            layout = Layout.of(config, n_q, 60)
            short = config.segments.full  # what may follow the full ones
            assert (layout.frames + short) * n_q * config.bits <= 65535 * 8
            assert layout.frames <= 65535 and layout.samples <= 60 * config.sample_rate
    with pytest.raises(ValueError, match="2622 codebooks of 4 bits are too many"):
        Layout.of(CONFIGS["as encodec_48khz"], 2622, 5)


def test_nothing_written_is_no_stream(codecs):
    empty = StreamWriter(BytesIO(), codecs["as mini"])
    with pytest.raises(ValueError, match="at least one sample"), empty:
        pass


def test_an_error_leaves_the_stream_without_an_end(codecs):
    codec, file = codecs["as mini"], BytesIO()
    with pytest.raises(KeyError), StreamWriter(file, codec, chunk_seconds=0.1) as out:
        out.write(noise(codec, 24000))
        raise KeyError
    with pytest.raises(BitstreamError, match="its end is missing"):
        decompress(file.getvalue(), codec)


def test_bytes_of_any_kind(codecs):
    codec = codecs["as mini"]
    data = compress(codec, noise(codec, 400))
    for kind in (bytearray, memoryview):
        assert torch.equal(decompress(kind(data), codec), decompress(data, codec))
    with pytest.raises(BitstreamError, match="a stream is bytes, but this is a str"):
        decompress("MCDC", codec)
    with pytest.raises(BitstreamError, match="gave a str"), open(__file__) as text:
        StreamReader(text, codec)


@pytest.mark.parametrize(
    ("data", "words"),
    [(b"", "0 bytes are too few"), (b"MCDC", "4 bytes are too few"),
     (b"RIFF" + bytes(99), "begins with b'RIFF'"), (bytes(99), "begins with")],
)  # fmt: skip
def test_no_stream_at_all(codecs, data, words):
    for tolerant in (False, True):
        with pytest.raises(BitstreamError, match=words):
            decompress(data, codecs["as mini"], tolerant=tolerant)


@pytest.mark.parametrize("entropy", ["none", "histogram"])
def test_overhead_beyond_the_first_second_is_below_one_percent(entropy):
    """At 6 kbps: 21 bytes for five seconds, and 29 for the end."""
    config = CodecConfig(n_filters=2, dimension=8, bandwidths=(6.0,))
    codec = Codec(config).eval()
    audio = 0.1 * torch.randn(1, 1, 24000)
    one, eleven = (compress(codec, audio.tile(seconds), entropy=entropy) for seconds in (1, 11))
    codes = [sum(len(c.codes) for c in parse(d).chunks[:-1]) for d in (one, eleven)]
    assert (len(eleven) - len(one)) / (codes[1] - codes[0]) < 1.01
    assert len(eleven) - codes[1] == len(parse(eleven).head) + 3 * 21 + END_BYTES
