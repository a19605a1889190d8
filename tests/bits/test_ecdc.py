"""`.ecdc` files: the official package reads ours and we read theirs, byte for byte and bit for bit.

Random weights: the real ones would have to be downloaded, and change nothing here.
"""

import importlib
import json
import struct
import tracemalloc
from io import BytesIO

import pytest
import torch
from encodec import EncodecModel
from hypothesis import given, settings
from hypothesis import strategies as st
from official_lm import ours_like, sharp_official_lm

from minicodec.bits.ecdc import (
    EcdcError,
    check_size,
    codes_of,
    read_ecdc,
    read_header,
    take,
    write_ecdc,
)
from minicodec.model.checkpoint import assemble
from minicodec.model.config import ENCODEC_24KHZ, ENCODEC_48KHZ
from minicodec.model.pretrained import convert

#: The package has a function of this name too, which hides the module.
official_compress = importlib.import_module("encodec.compress")
CONFIGS = {"encodec_24khz": ENCODEC_24KHZ, "encodec_48khz": ENCODEC_48KHZ}


@pytest.fixture(scope="module")
def official():
    """Their two codecs with random weights, and what their decompress() would download."""
    torch.manual_seed(1)
    models = {}
    for name in CONFIGS:
        model = getattr(EncodecModel, name.replace("_", "_model_"))(pretrained=False).eval()
        for level, layer in enumerate(model.quantizer.vq.layers):
            layer._codebook.embed.normal_(0, 0.2 * 0.8**level)
        lm = sharp_official_lm()
        model.get_lm_model = lambda lm=lm: lm
        model.name = name  # set by pretrained=True alone
        models[name] = model
    with pytest.MonkeyPatch.context() as patch:
        loaders = {name: lambda model=model: model for name, model in models.items()}
        patch.setattr(official_compress, "MODELS", loaders)
        yield models


@pytest.fixture(scope="module")
def ours(official):
    return {
        name: assemble(config, convert(official[name].state_dict()), name)
        for name, config in CONFIGS.items()
    }


@pytest.fixture(scope="module")
def our_lm(official):
    return {name: ours_like(official[name].get_lm_model()) for name in CONFIGS}


def sound(name: str, length: int) -> torch.Tensor:
    return 0.3 * torch.randn(1, CONFIGS[name].channels, length)


def header(**fields) -> bytes:
    text = json.dumps({"m": "encodec_24khz", "al": 640, "nc": 2, "lm": False} | fields).encode()
    return b"ECDC" + struct.pack(">BI", 0, len(text)) + text


@pytest.mark.parametrize(
    ("name", "length", "bandwidth"),
    [
        ("encodec_24khz", 1, 1.5),
        ("encodec_24khz", 4801, 6.0),
        ("encodec_24khz", 12000, 24.0),
        ("encodec_48khz", 3000, 3.0),
        ("encodec_48khz", 50000, 6.0),
    ],
)
def test_files_are_the_official_ones(official, ours, name, length, bandwidth):
    audio = sound(name, length)
    official[name].set_target_bandwidth(bandwidth)
    theirs = official_compress.compress(official[name], audio[0], use_lm=False)
    assert write_ecdc(ours[name], audio, bandwidth) == theirs
    restored, rate = official_compress.decompress(theirs)
    again = read_ecdc(theirs, ours[name])
    assert again.shape == audio.shape and rate == CONFIGS[name].sample_rate
    torch.testing.assert_close(again[0], restored, atol=1e-5, rtol=1e-4)


def test_we_read_what_they_wrote_and_cannot_read(official, ours):
    """They count 6720 / 24000 * 75 frames in floats, which is 21.000000000000004: one too many."""
    audio = sound("encodec_24khz", 6720)
    official["encodec_24khz"].set_target_bandwidth(6.0)
    data = official_compress.compress(official["encodec_24khz"], audio[0], use_lm=False)
    with pytest.raises(EOFError):
        official_compress.decompress(data)
    assert read_ecdc(data, ours["encodec_24khz"]).shape == audio.shape


@pytest.mark.parametrize(("name", "length"), [("encodec_24khz", 9000), ("encodec_48khz", 47521)])
def test_files_with_a_language_model(official, ours, our_lm, name, length):
    """On one machine, with one thread, our reading of their computation gives the same bits."""
    audio, bandwidth = sound(name, length), CONFIGS[name].bandwidths[0]
    official[name].set_target_bandwidth(bandwidth)
    theirs = official_compress.compress(official[name], audio[0], use_lm=True)
    mine = write_ecdc(ours[name], audio, bandwidth, our_lm[name])
    assert mine == theirs
    with pytest.warns(UserWarning, match="may be noise"):
        restored = read_ecdc(theirs, ours[name], our_lm[name])
    codes = read_ecdc(write_ecdc(ours[name], audio, bandwidth), ours[name])
    assert torch.equal(restored, codes)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "0 bytes are too few"),
        (b"ECDC\0\0\0\0", "8 bytes are too few"),
        ("ECDC", "but this is a str"),
        (b"RIFF" + header()[4:], "begins with b'RIFF'"),
        (header()[:4] + b"\1" + header()[5:], "version 1"),
        (b"ECDC\0\xff\xff\xff\xff{}", "claims 4294967295 bytes of header"),
        (b"ECDC\0" + struct.pack(">I", 1 << 20) + b" " * (1 << 20), "4096 is the most"),
        (b"ECDC\0\0\0\0\2\xff\xfe", "cannot be read"),
        (b"ECDC\0" + struct.pack(">I", 4000) + b"[" * 4000, "cannot be read: this"),
        (b"ECDC\0\0\0\0\2[]", "no JSON object"),
        (b"ECDC\0\0\0\0\2{}", "unknown model, 'None'"),
        (header(m="mini_24khz"), "unknown model, 'mini_24khz'"),
        (header(m=["encodec_24khz"]), "unknown model"),
        (header(m={}), "unknown model"),
        (header(al=0), "length of 0"),
        (header(al=-5), "length of -5"),
        (header(al=1e9), "length of 1000000000.0"),
        (header(al=True), "length of True"),
        (header(al=10**60), "a number of 61 digits"),
        (header(al=2**31 + 1), "length of 2147483649"),
        (b"ECDC\0\0\0\0\x11" + b'{"al": 1,"al": 2}', "names 'al' twice"),
        (header(al=None), "length of None"),
        (header(nc=0), "0 codebooks; encodec_24khz has 1 to 32"),
        (header(nc=33), "33 codebooks"),
        (header(nc="8"), "8 codebooks"),
        (header(lm=0), "'lm' is '0'"),
        (header(lm="false"), "'lm' is 'false'"),
    ],
)  # fmt: skip
def test_strange_headers(data, message):
    with pytest.raises(EcdcError, match=message):
        read_header(data)
    with pytest.raises(EcdcError, match=message):
        read_ecdc(data)


def test_strange_files(ours, our_lm):
    codec = ours["encodec_24khz"]
    assert read_ecdc(header() + bytes(5), codec).shape == (1, 1, 640)
    with pytest.raises(EcdcError, match="3 bytes of codes, too few for 10000 samples"):
        read_ecdc(header(al=10_000) + bytes(3), codec)
    with pytest.raises(EcdcError, match="4 bytes of codes, too few for 640 samples"):
        read_ecdc(header() + bytes(4), codec)
    with pytest.raises(EcdcError, match="more bytes behind its last code"):
        read_ecdc(header() + bytes(6), codec)
    with pytest.raises(EcdcError, match="'encodec_24khz', not by 'encodec_48khz'"):
        read_ecdc(header() + bytes(5), ours["encodec_48khz"])
    with pytest.raises(EcdcError, match="pass it as lm="):
        read_ecdc(header(lm=True) + bytes(5), codec)
    with pytest.raises(EcdcError, match="too few for 2000000000 samples"):
        read_ecdc(header(lm=True, al=2 * 10**9) + bytes(5), codec, our_lm["encodec_24khz"])
    with (
        pytest.raises(EcdcError, match="beyond frame"),
        pytest.warns(UserWarning, match="may be noise"),
    ):
        read_ecdc(header(lm=True, al=320 * 60) + bytes(20), codec, our_lm["encodec_24khz"])
    with pytest.raises(EcdcError, match="too few for 47521 samples"):
        short = header(m="encodec_48khz", al=47521) + bytes(4 + 373) + bytes(3)
        read_ecdc(short, ours["encodec_48khz"])
    with pytest.raises(EcdcError, match="a loudness of nan"):
        read_ecdc(header(m="encodec_48khz") + b"\xff" * 9, ours["encodec_48khz"])


@pytest.mark.parametrize("claim", [2**47, 2**31])
@pytest.mark.parametrize("lm", [False, True])
@pytest.mark.parametrize("name", list(CONFIGS))
def test_absurd_lengths_cost_no_memory(ours, our_lm, name, lm, claim):
    data = header(m=name, al=claim, lm=lm, nc=16) + bytes(1000)
    tracemalloc.start()
    try:
        with pytest.raises(EcdcError, match="too few|a length of"):
            read_ecdc(data, ours[name], our_lm[name])
        assert tracemalloc.get_traced_memory()[1] < 2**24
    finally:
        tracemalloc.stop()


class Endless:
    """A pipe that begins as a file and never ends."""

    def __init__(self, data: bytes):
        self.data, self.taken = data, 0

    def read(self, size: int) -> bytes:
        part = self.data[self.taken : self.taken + size]
        self.taken += size
        return part + bytes(size - len(part))


@pytest.mark.parametrize(
    ("fields", "most"),
    [
        ({}, 5 + 1),
        (dict(al=10 * 24000, nc=32), 750 * 32 * 10 // 8 + 1),
        (dict(m="encodec_48khz", al=47521), 4 + 373 + 4 + 3 + 1),
        (dict(lm=True), 3 + 13 + 1),
        (dict(m="encodec_24"), 0),
    ],
)
def test_of_an_endless_pipe_no_more_is_read_than_the_header_calls_for(fields, most):
    pipe = Endless(header(**fields))
    if not most:
        with pytest.raises(EcdcError, match="unknown model"):
            take(pipe)
    else:
        data = take(pipe)
        with pytest.raises(EcdcError, match="more bytes behind its last code"):
            check_size(read_header(data), len(codes_of(data)))
    assert pipe.taken == len(header(**fields)) + most


@pytest.mark.parametrize("words", [b"", b"ECDC", b"ECDC\0\xff\xff\xff\xff"])
def test_of_what_is_no_file_no_more_is_read_than_a_header(words):
    pipe = Endless(words)
    with pytest.raises(EcdcError):
        take(pipe)
    assert pipe.taken <= 9 + 4096


@pytest.mark.parametrize("name", list(CONFIGS))
def test_what_is_taken_is_the_file(ours, our_lm, name):
    for lm in (None, our_lm[name]):
        data = write_ecdc(ours[name], sound(name, 48321 if lm is None else 1000), 3.0, lm)
        assert take(BytesIO(data)) == data
        check_size(read_header(data), len(codes_of(data)))


def test_wrong_clips(ours, tiny):
    codec = ours["encodec_24khz"]
    with pytest.raises(ValueError, match="not of 'unnamed': use .mcdc"):
        write_ecdc(tiny, torch.randn(1, 1, 1000))
    with pytest.raises(ValueError, match="a batch of 2"):
        write_ecdc(codec, torch.randn(2, 1, 1000))
    with pytest.raises(ValueError):
        write_ecdc(codec, torch.full((1, 1, 1000), torch.nan))
    with pytest.raises(ValueError, match="bandwidth must be one of"):
        write_ecdc(codec, torch.randn(1, 1, 1000), 7.0)


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_damaged_files_give_audio_or_one_clear_error(ours, data):
    codec = ours["encodec_24khz"]
    good = bytearray(header() + bytes(range(100, 105)))
    for _ in range(data.draw(st.integers(1, 3))):
        good[data.draw(st.integers(0, len(good) - 1))] = data.draw(st.integers(0, 255))
    good = good[: data.draw(st.integers(0, len(good)))]
    try:
        audio = read_ecdc(bytes(good), codec)
    except EcdcError as error:
        assert len(str(error)) < 300
    else:
        assert audio.dim() == 3 and torch.isfinite(audio).all()
