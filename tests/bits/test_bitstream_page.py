"""The pages that describe the format are right: a reader made from them reads what we write."""

import hashlib
import json
import math
import random
import re
import struct
from fractions import Fraction
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import torch
from mcdc_by_hand import decode_histogram, parse, range_coded, unpack

import minicodec
from minicodec.bits import exact_weights
from minicodec.bits.container import Header, StreamBytes, chunk_bytes
from minicodec.bits.exact import ExactLanguageModel
from minicodec.bits.histogram import Histogram, for_codec
from minicodec.bits.language_model_file import load_language_model
from minicodec.bits.packing import from_bytes, silence, to_bytes
from minicodec.bits.range_coder import RangeEncoder
from minicodec.model.checkpoint import SHIPPED, fingerprint

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
        payload = to_bytes(codes, 4, Histogram(16))
        if len(payload) < 60:
            assert decode_histogram(payload, 4, 3, 40) == codes.tolist()


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
    assert f'"increment": {prior.increment}, "counts": [[{first}, …], …]' in PAGE


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
