"""The page that describes the format is right: a reader made from it reads what we write."""

import re
from io import BytesIO
from pathlib import Path

import torch
from mcdc_by_hand import decode_histogram, parse, unpack

from minicodec.bits.container import Header, StreamBytes, chunk_bytes
from minicodec.bits.histogram import Histogram
from minicodec.bits.packing import from_bytes, to_bytes

PAGE = (Path(__file__).parents[2] / "book" / "bitstream.md").read_text(encoding="utf-8")
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
