"""From pipes, from any second on, and around damage, which costs one chunk."""

import math
import random
from dataclasses import replace
from io import BytesIO

import pytest
import torch
from mcdc_by_hand import parse
from small_streams import CONFIGS, Trickle, flipped, noise, tolerated

from minicodec.bits.bitstream import BitstreamError, StreamReader, compress, decompress
from minicodec.model import pretrained
from minicodec.model.checkpoint import save_codec
from minicodec.model.codec import Codec
from minicodec.model.config import ENCODEC_24KHZ


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


def test_no_chunk_is_longer_than_its_model_makes_them(codecs):
    """Where the stream breaks off behind it, too, and no end tells how long it should be."""
    for kind, most in (("as mini", 0), ("as encodec_48khz", 25)):
        codec = codecs[kind]
        stream = parse(compress(codec, noise(codec, 3 * codec.config.sample_rate), chunk_seconds=2))
        most += stream.chunk_frames
        chunk = stream.chunks[0]
        n_scales = len(chunk.scales) + 1 if chunk.scales else 0
        for frames in (most, most + 1):
            codes = bytes(-(-frames * stream.codebooks * stream.bits // 8))
            long = replace(chunk, frames=frames, codes=codes, scales=[0.0] * n_scales)
            data = stream.but(chunks=[long]).build()
            if frames == most:
                assert tolerated(data, codec, "breaks off").shape[-1] > 0
                continue
            for tolerant in (False, True):
                with pytest.raises(BitstreamError, match=f"{frames} frames, and {most} are the"):
                    decompress(data, codec, tolerant=tolerant)


def test_a_language_model_of_fewer_codebooks_is_refused_at_once(codecs, language_models):
    """Also where no chunk needs it."""
    codec = codecs["as mini"]
    few = language_models[5]
    stream = parse(compress(codec, noise(codec, 400), 3.0))
    data = stream.but(entropy=2, entropy_fingerprint=few.fingerprint).build()
    with pytest.raises(BitstreamError, match="knows 1 to 5 codebooks, not 10"):
        StreamReader(BytesIO(data), codec, lm=few)


def test_another_codec(codecs):
    codec = codecs["as mini"]
    other = Codec(codec.config, "other").eval()
    data = compress(codec, noise(codec, 400))
    with pytest.raises(BitstreamError, match="by other weights .'as mini'. than 'other' has"):
        decompress(data, other)
    with pytest.raises(BitstreamError, match="'as mini', which does not ship .* it as codec="):
        decompress(data)


def test_a_stream_finds_the_model_that_it_names(tmp_path, monkeypatch):
    """An official one may have to be downloaded; not for a header that cannot be true."""
    codec = Codec(ENCODEC_24KHZ, "encodec_24khz").eval()
    data = compress(codec, noise(codec, 700), 1.5)
    monkeypatch.setattr(pretrained, "_download", lambda _: pytest.fail("it began to download"))
    for lie in (dict(sample_rate=48000), dict(channels=2), dict(bits=11), dict(codebooks=33)):
        with pytest.raises(BitstreamError, match="contradicts its model, 'encodec_24khz'"):
            StreamReader(BytesIO(parse(data).but(**lie).build()))
    torch.save(codec.state_dict(), tmp_path / "weights.th")
    monkeypatch.setattr(pretrained, "_download", lambda _: tmp_path / "weights.th")
    torch.testing.assert_close(decompress(data), decompress(data, codec), atol=1e-5, rtol=0)


def test_a_stream_that_names_a_file_opens_none(codecs, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    save_codec(codecs["as mini"], "mine.safetensors")
    data = compress(codecs["as mini"], noise(codecs["as mini"], 700))
    for name in (b"mine.safetensors", str(tmp_path).encode(), b""):
        with pytest.raises(BitstreamError, match="which does not ship with minicodec"):
            decompress(parse(data).but(name=name).build())
