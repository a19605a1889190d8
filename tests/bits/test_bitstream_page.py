"""The pages that describe the format are right: a reader made from them reads what we write."""

import hashlib
import json
import math
import random
import re
import struct
from dataclasses import asdict, replace
from fractions import Fraction
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import torch
from exact_models import on_an_edge, some_codes
from mcdc_by_hand import (
    HandChunk,
    HandStream,
    Segments,
    decode_histogram,
    pack,
    parse,
    range_coded,
    unpack,
)
from small_streams import CONFIGS, IN_SEGMENTS, noise

import minicodec
from minicodec.bits import exact_weights
from minicodec.bits.container import BitstreamError, Header, StreamBytes, chunk_bytes
from minicodec.bits.exact import ExactLanguageModel
from minicodec.bits.exact_fast import faster
from minicodec.bits.histogram import Histogram, for_codec
from minicodec.bits.language_model_file import load_language_model
from minicodec.bits.layout import Layout
from minicodec.bits.packing import from_bytes, silence, to_bytes
from minicodec.bits.prior_file import prior_json
from minicodec.bits.range_coder import RangeEncoder, decode_codes, encode_codes
from minicodec.bits.reader import StreamReader
from minicodec.model.checkpoint import SHIPPED, fingerprint
from minicodec.model.codec import Codec
from minicodec.model.config import ENCODEC_48KHZ, CodecConfig

BOOK = Path(__file__).parents[2] / "book"
PAGE = (BOOK / "bitstream.md").read_text(encoding="utf-8")
MODEL_PAGE = (BOOK / "exact-language-model.md").read_text(encoding="utf-8")
DUMP = re.findall(r"^[0-9a-f]{4}  ((?:[0-9a-f]{2} {1,3}){1,16}) +\S+$", PAGE, re.MULTILINE)
EXAMPLE = bytes.fromhex("".join(DUMP))
CODES = [
    [[3, 1, 4, 1, 5, 9, 2, 6], [5, 3, 5, 8, 9, 7, 9, 3]],
    [[7] * 6, [12] * 6],
]


def test_the_second_reader_reads_the_example():
    stream = parse(EXAMPLE)
    assert (stream.name, stream.codebooks, stream.bits, stream.entropy) == (b"toy", 2, 4, 1)
    first, second, end = stream.chunks
    assert unpack(first.codes, 4, 2, first.frames) == CODES[0]
    assert decode_histogram(second.codes, 4, 2, second.frames) == CODES[1]
    assert int.from_bytes(end.codes, "big") == 4400


def test_we_read_the_example_too():
    stream = StreamBytes(BytesIO(EXAMPLE))
    first, second, end = stream
    for chunk, codes in zip((first, second), CODES):
        assert from_bytes(chunk, stream.header, Histogram(16)).tolist() == codes
    assert end.length == 4400


def test_we_write_the_example():
    fingerprint = bytes.fromhex("0123456789abcdef")
    header = Header("histogram", 1, 4, 2, 8, 2560, 24000, fingerprint, bytes(8), "toy")
    data = header.to_bytes()
    crc = int.from_bytes(data[-4:], "big")
    for index, codes in enumerate(CODES):
        payload = to_bytes(torch.tensor(codes), 4, Histogram(16))
        data += chunk_bytes(crc, index, len(codes[0]), (), payload)
    assert data + chunk_bytes(crc, 2, 0, (), (4400).to_bytes(8, "big")) == EXAMPLE


def test_every_row_of_the_table_is_what_stands_there():
    rows = re.findall(r"^\| ([0-9a-f]{4}) \| ([^|]*) \|", PAGE, re.MULTILINE)
    assert len(rows) > 20
    end = 0
    for at, shown in rows:
        data = bytes.fromhex("".join(re.findall("`([0-9a-f ]+)`", shown))) or bytes(8)
        assert int(at, 16) == end, f"{at} leaves a gap"
        assert EXAMPLE[end : end + len(data)] == data, at
        end += len(data)
    assert end == len(EXAMPLE)


def test_histograms_agree_on_random_codes():
    for seed in range(20):
        torch.manual_seed(seed)
        codes = (torch.randn(3, 40).abs() * 3).long().clamp(max=15)
        prior = torch.randint(1, 2**20, (4, 16)) if seed % 2 else None
        payload = encode_codes(Histogram(16, prior), codes)
        counts = None if prior is None else prior.tolist()
        assert decode_histogram(payload, 4, 3, 40, counts) == codes.tolist()


def test_bytes_too_few_or_too_many_are_refused_alike():
    """Also where only zeros are missing, or too many; and the last turns of the loop count."""
    refused = 0
    for seed in range(200):
        torch.manual_seed(seed)
        codes = torch.randint(16, (2, seed % 7)) if seed % 2 else torch.zeros(2, seed % 9).long()
        payload = encode_codes(Histogram(16), codes)
        assert decode_histogram(payload, 4, 2, codes.shape[1]) == codes.tolist()
        more = [payload + bytes(n) for n in range(1, 11)]
        for data in more + [payload[: len(payload) - n] for n in range(1, 11)]:
            told = []
            for decode in (decode_histogram, by_us):
                try:
                    told.append(decode(data, 4, 2, codes.shape[1]))
                except ValueError:
                    told.append(None)
            assert told[0] == told[1], (seed, data.hex())
            refused += told[0] is None
    assert 1000 < refused < 4000


def by_us(data: bytes, bits: int, codebooks: int, frames: int) -> list[list[int]]:
    return decode_codes(Histogram(2**bits), data, codebooks, frames).tolist()


def test_the_range_coder_of_the_page_writes_the_same_bytes():
    chance = random.Random(0)
    for _ in range(300):
        steps, encoder = [], RangeEncoder()
        for _ in range(chance.randrange(60)):
            total = chance.choice([3, 1 + chance.randrange(2**24)])
            begin = chance.choice([total - 1, chance.randrange(total)])  # many carries
            frequency = 1 + chance.randrange(total - begin)
            steps.append((begin, frequency, total))
            encoder._narrow([begin], [frequency], [total])
        assert range_coded(steps) == encoder.finish()


KINDS = CONFIGS | {
    "segments of which most overlaps": CodecConfig(
        segment=0.25, overlap=0.75, normalize=True, **IN_SEGMENTS
    ),
    "many short segments": CodecConfig(segment=0.1, overlap=0.3, **IN_SEGMENTS),
}


def segments_of(config: str) -> Segments:
    """What the page takes from the config in a model's file."""
    told = json.loads(config)
    hop = math.prod(told["strides"])
    if told["segment"] is None:
        return Segments(hop, hop, hop)
    length = math.floor(told["segment"] * told["sample_rate"])
    return Segments(length, max(1, math.floor((1 - told["overlap"]) * length)), hop)


@pytest.mark.parametrize("kind", KINDS)
def test_streams_with_segments_and_scales_are_written_from_the_page(kind):
    """Of whatever length; the codes and scales are the codec's."""
    torch.manual_seed(0)
    config = KINDS[kind]
    codec = Codec(config, "some").eval()
    segments = segments_of(json.dumps(asdict(config)))
    rate, bits, n_q = config.sample_rate, config.bits, config.max_n_q
    scaled = bool(config.normalize and config.segment)
    step = segments.step if config.segment else rate // 3
    lengths = [1, step, step + 1, 2 * step + segments.hop, segments.length, 5 * rate - 7]
    for length, seconds in zip(lengths, (1, 0.1, 1, 0.3, 1, 1.5)):
        audio = noise(codec, length)
        codes, scales = codec.encode_scaled(audio)
        left = [] if scales is None else scales[0].tolist()
        count = segments.per_chunk(seconds, rate, n_q, bits)
        chunks, at = [], 0
        for index, parts in enumerate(segments.chunks(length, count)):
            frames = codes[0, :, at : at + sum(parts)].T.tolist()
            theirs = left
            if scaled:
                theirs, left = left[: len(parts)], left[len(parts) :]
            chunks.append(HandChunk(index, sum(parts), theirs, pack(frames, bits)))
            at += sum(parts)
        chunks.append(HandChunk(len(chunks), 0, [], length.to_bytes(8, "big")))
        stream = HandStream(
            1, 0, config.channels, bits, n_q, count * segments.full, count * segments.step, rate,
            fingerprint(codec), bytes(8), b"some", chunks,
        )  # fmt: skip
        data = minicodec.compress(codec, audio, chunk_seconds=seconds)
        assert stream.build() == data, (length, seconds)
        assert minicodec.decompress(data, codec).shape == audio.shape
        if scales is not None:
            end = min(length, segments.length) if scaled else length
            loudness = 1e-8 + audio[0, :, :end].mean(0).pow(2).mean().sqrt()
            assert float(scales[0, 0]) == pytest.approx(float(loudness), rel=1e-5)


def test_the_page_divides_clips_of_the_48_khz_model_as_we_do():
    rows = re.findall(r"^\| (\d+) \| (\d+) \| ([\d, ]+) \|$", PAGE, re.MULTILINE)
    assert len(rows) == 4
    segments = segments_of(json.dumps(asdict(ENCODEC_48KHZ)))
    assert (segments.length, segments.step, segments.more) == (48000, 47520, 1)
    layout = Layout.of(ENCODEC_48KHZ, 2, 5)
    assert layout.count == 5
    for samples, count, told in rows:
        by_hand = segments.chunks(int(samples), 5)
        assert [sum(chunk) for chunk in by_hand] == [int(n) for n in told.split(", ")]
        assert sum(map(len, by_hand)) == int(count)
        chunks, *last = layout.divide(int(samples))
        assert (chunks, last) == (len(by_hand), [sum(by_hand[-1]), len(by_hand[-1])])


def lies(stream: HandStream) -> dict[str, tuple[bytes, bool]]:
    """Chunk 1 of four, or the end, changed: all bytes, and whether this is passed over."""
    seed, codes = stream.seed, stream.chunks[1].codes
    chunk, end = stream.chunks[1], stream.chunks[4]
    before, after = stream.chunks[:1], stream.chunks[2:]
    two = bytes(-(-2 * stream.chunk_frames * stream.codebooks * stream.bits // 8))

    def whole(changed: bytes) -> bytes:
        parts = [part.build(seed) for part in before], [part.build(seed) for part in after]
        return stream.head + b"".join(parts[0]) + changed + b"".join(parts[1])

    def ended(**change: object) -> bytes:
        return stream.but(chunks=[*stream.chunks[:4], replace(end, **change)]).build()

    def length(samples: int) -> bytes:
        return samples.to_bytes(8, "big")

    step, right = stream.chunk_samples, chunk.build(seed)
    scaled = replace(chunk, scales=[math.nan]).build(seed)
    return {
        "no CHNK": (whole(b"XHNK" + right[4:]), True),
        "a wrong first checksum": (whole(right[:13] + bytes(4) + right[17:]), True),
        "an index that is too small": (whole(replace(chunk, index=0).build(seed)), True),
        "no frames, not 8 bytes": (whole(chunk.build(seed, frames=0)), True),
        "more than twice the frames": (whole(chunk.build(seed, frames=151)), True),
        "too many bytes": (whole(replace(chunk, codes=codes + b"0").build(seed)), True),
        "too few bytes": (whole(replace(chunk, codes=codes[:-1]).build(seed)), True),
        "it breaks off": (whole(right[:-30]), True),
        "a wrong second checksum": (whole(right[:-1] + bytes([right[-1] ^ 1])), True),
        "a scale that is NaN": (whole(scaled), True),
        "no samples": (ended(codes=length(0)), True),
        "samples of the chunk before": (ended(codes=length(3 * step)), True),
        "samples of ten chunks more": (ended(codes=length(14 * step)), True),
        "a scale": (whole(replace(chunk, scales=[1.0]).build(seed)), False),
        "more frames than there can be": (whole(replace(chunk, frames=150, codes=two).build(seed)),
                                          False),
        "a short chunk": (whole(replace(chunk, frames=2, codes=codes[:5]).build(seed)), False),
        "samples of another chunk": (ended(codes=length(4 * step + 1)), False),
        "samples of fewer frames": (ended(codes=length(4 * step - 320)), False),
    }  # fmt: skip


@pytest.mark.filterwarnings("ignore")
def test_what_is_passed_over_and_what_is_refused():
    torch.manual_seed(0)
    codec = Codec(CONFIGS["as mini"], "some").eval()
    stream = parse(minicodec.compress(codec, noise(codec, 96000), 1.5, chunk_seconds=1))
    assert len(stream.chunks) == 5 and len(lies(stream)) == 18
    for what, (data, passed_over) in lies(stream).items():
        with pytest.raises(BitstreamError):
            minicodec.decompress(data, codec)
        reader = StreamReader(BytesIO(data), codec, tolerant=True)
        if passed_over:
            assert sum(block.shape[-1] for block in reader) == 96000, what
            assert reader.damaged == ([] if "samples" in what else [1]), what
            assert (reader.length is None) == ("samples" in what), what
        else:
            with pytest.raises(BitstreamError):
                list(reader)


@pytest.fixture(scope="module")
def codec():
    return minicodec.load("mini_24khz")


def test_what_the_page_says_of_the_shipped_codec(codec):
    """Whoever trains another one to ship is told to write the page anew."""
    still = silence(codec, codec.config.max_n_q, 1, 0)[0][0, :, 0].tolist()
    assert " ".join(map(str, still)) + "\n" in PAGE
    assert f"That of `mini_24khz` is `{fingerprint(codec).hex()}`" in PAGE
    prior = for_codec(codec)
    assert f"that of `mini_24khz` is `{prior.fingerprint.hex()}`" in PAGE
    first = ", ".join(map(str, prior.prior[0, :3].tolist()))
    assert f'"counts": [[{first}, …], …]' in PAGE
    assert (prior.increment, Histogram(2).increment) == (32, 8)
    keys = re.findall(r'"(\w+)": ["[]', PAGE)
    assert keys == list(json.loads(prior_json(codec)))


def tensors_by_hand() -> tuple[str, dict[str, np.ndarray]]:
    """The config and the tensors in the shipped codec's file, as the page has it."""
    data = SHIPPED["mini_24khz"].read_bytes()
    begin = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:begin])
    config = header.pop("__metadata__")["config"]
    tensors = {}
    for name, entry in header.items():
        first, end = (begin + place for place in entry["data_offsets"])
        kind = {"F16": "<f2", "F32": "<f4"}[entry["dtype"]]
        tensors[name] = np.frombuffer(data[first:end], kind).astype("<f4")
    return config, tensors


def test_fingerprint_and_prior_are_taken_as_the_page_says(codec):
    config, tensors = tensors_by_hand()
    digest = hashlib.sha256(config.encode())
    for name in sorted(tensors):
        if not name.endswith(".counts"):
            digest.update(name.encode() + tensors[name].tobytes())
    assert digest.digest()[:8] == fingerprint(codec)
    prior = for_codec(codec)
    digest = hashlib.sha256()
    for k in range(codec.config.max_n_q):
        numbers = [Fraction(float(n)) for n in tensors[f"quantizer.codebooks.{k}.counts"]]
        weights = [math.floor(min(n, 2**20) * 2**20) for n in numbers]
        counts = [1 + w * 2**14 // sum(weights) for w in weights]
        assert counts == prior.prior[k].tolist()
        digest.update(struct.pack("<1024q", *counts))
    assert digest.digest()[:8] == prior.fingerprint


def test_what_the_page_says_of_the_shipped_language_model(monkeypatch):
    fast = load_language_model("mini_24khz")
    model = ExactLanguageModel(fast.config, fast.tensors, fast.codec)
    assert f"`mini_24khz` is `{model.fingerprint.hex()}`" in MODEL_PAGE
    lines = re.findall(r"(?:first norm|layer \d|codebook \d) {2,}(-?\d.*)", MODEL_PAGE)
    told = [[int(word) for word in re.findall(r"-?\d+", line)] for line in lines]
    assert len(told) == 12
    seen, norm = [], ExactLanguageModel._norm

    def noted(self, x, name, epsilon=None):
        y = norm(self, x, name, epsilon)
        seen.append((name, y[0, :4].tolist()))
        return y

    monkeypatch.setattr(ExactLanguageModel, "_norm", noted)
    state, codes = model.start(2), None
    for part in (told[:6], told[6:]):
        seen.clear()
        table, state = model.stream(codes, state)
        found = [four for name, four in seen if name == "norm" or name.endswith("norm2")]
        found += [[*row[:4].tolist(), int(row.sum())] for row in table]
        assert part == found
        codes = torch.tensor([0, 1023])


def test_frequencies_far_into_a_chunk_are_those_of_the_page():
    """Of the plain model and of the fast one; JavaScript's are compared in tests/listening/js."""
    rows = re.findall(r"^(\d+) +(\d+) +([0-9a-f]{16}) +([\d ]+)$", MODEL_PAGE, re.MULTILINE)
    assert len(rows) == 10
    told = {
        (int(n_q), int(t)): (digest, [*map(int, rest.split())]) for n_q, t, digest, rest in rows
    }
    fast = load_language_model("mini_24khz")
    plain = ExactLanguageModel(fast.config, fast.tensors, fast.codec)
    t, k = torch.arange(1100), torch.arange(16)[:, None]
    codes = (37 * t + 11 * k) % 1024
    for model in (plain, fast):
        for n_q in (2, 16):
            frames = 1 + max(last for count, last in told if count == n_q)
            digest = hashlib.sha256()
            for t, tables in enumerate(model.tables(codes[:n_q, :frames]).numpy()):
                digest.update(tables.astype("<u4").tobytes())
                shown = [[*row[:4].tolist(), int(row.sum())] for row in tables[:2]]
                found = digest.copy().digest()[:8].hex(), shown[0] + shown[1]
                assert found == told.get((n_q, t), found), t


def test_products_are_multiplied_in_the_order_of_the_page():
    assert f"gives {255 * (7 * 0.1)!r}, which" in MODEL_PAGE
    assert f"gives {255 * 7 * 0.1!r}, and with it {round(255 * 7 * 0.1)}" in MODEL_PAGE
    model, wrong = on_an_edge()
    right = model.tables(some_codes(frames=1))
    assert not torch.equal(right, wrong)
    assert torch.equal(faster(model).tables(some_codes(frames=1)), right)


def test_the_numbers_of_the_language_model_are_those_of_the_page():
    """Those that the page repeats from the code."""
    assert (exact_weights.FRACTION, exact_weights.ATTENTION) == (2**10, 2**8)
    assert (exact_weights.LIMIT, exact_weights.ATTENTION_LIMIT) == (2**15, 2**19)
    assert (exact_weights.ACTIVATION, exact_weights.TOTAL) == (255, 2**23)
    assert (exact_weights.EXP_ONE, exact_weights.OCTAVE) == (2**22, 64)
    assert (exact_weights.POSITIONS, exact_weights.EPSILON) == (1024, 1e-5)
    shapes = {n: list(t.shape) for n, t in load_language_model("mini_24khz").tensors.items()}
    assert (shapes["exp"], shapes["gelu"]) == ([1473], [2049])
    assert 2 * exact_weights.GELU_RANGE * exact_weights.GELU_STEPS == 2048
    model = load_language_model("mini_24khz")
    small = round(exact_weights.EPSILON * (exact_weights.FRACTION * model.config.dim) ** 2)
    assert f"\n{json.dumps(asdict(model.config))}\n" in MODEL_PAGE
    assert f"{small} for $D = {model.config.dim}$" in MODEL_PAGE
    assert model.tensors["gelu"][[1024, 1024 + 64]].tolist() == [0, round(0.84134 * 1024)]
