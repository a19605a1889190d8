"""Whatever bytes come in, the reader ends soon, in bounded memory, with sound or BitstreamError.

`make fuzz` goes on for ten minutes, with other streams every time.
"""

import functools
import itertools
import os
import random
import time
import tracemalloc
from dataclasses import replace
from io import BytesIO

import pytest
import torch
from mcdc_by_hand import HandChunk, HandStream, parse

from minicodec.bits import container
from minicodec.bits import reader as stream_reader
from minicodec.bits.bitstream import BitstreamError, StreamReader, compress
from minicodec.bits.container import StreamBytes
from minicodec.model.checkpoint import fingerprint
from minicodec.model.codec import Codec
from minicodec.model.config import CodecConfig

STREAMS = int(os.environ.get("FUZZ_STREAMS", "20000"))
SECONDS = float(os.environ.get("FUZZ_SECONDS", "inf"))
SEED = int(os.environ.get("FUZZ_SEED", "0"))
DECODED = 1 / 16  # of all streams; the others are only parsed

pytestmark = pytest.mark.filterwarnings("ignore")


def streams() -> list[tuple[Codec, bytes]]:
    """Small streams of several kinds, of five chunks or so."""
    torch.manual_seed(SEED)
    small = dict(dimension=4, codebook_size=16, lstm_layers=1)
    causal = Codec(CodecConfig(n_filters=2, bandwidths=(1.5, 3.0), **small)).eval()
    stereo = Codec(
        CodecConfig(
            sample_rate=8000, channels=2, n_filters=4, bandwidths=(0.5, 1.0), causal=False,
            norm="time_group_norm", pad_mode="reflect", segment=0.1, overlap=0.1, normalize=True,
            **small,
        )
    ).eval()  # fmt: skip
    whole = Codec(
        CodecConfig(
            sample_rate=8000, n_filters=2, bandwidths=(0.5,), causal=False, normalize=True, **small
        )
    ).eval()
    found = []
    for codec, seconds in itertools.product((causal, stereo, whole), (0.5, 0.3334)):
        config = codec.config
        audio = 0.1 * torch.randn(1, config.channels, round(seconds * config.sample_rate))
        for entropy in ("none", "histogram"):
            data = compress(codec, audio, config.bandwidths[0], entropy, chunk_seconds=0.1)
            found.append((codec, data))
    return found


def flipped(data: bytes, other: bytes, chance: random.Random) -> bytes:
    """A few bits, near each other or not."""
    wrong = bytearray(data)
    near = chance.randrange(len(data) * 8)
    for _ in range(chance.choice([1, 1, 2, 3, 10, 100])):
        place = chance.choice([near + chance.randrange(64), chance.randrange(len(data) * 8)])
        wrong[place // 8 % len(wrong)] ^= 1 << place % 8
    return bytes(wrong)


def cut(data: bytes, other: bytes, chance: random.Random) -> bytes:
    """An end, a beginning or a middle is missing, or there twice."""
    a, b = sorted(chance.choices(range(len(data) + 1), k=2))
    return chance.choice([data[:a], data[a:], data[:a] + data[b:], data[:b] + data[a:]])


def spliced(data: bytes, other: bytes, chance: random.Random) -> bytes:
    """Two streams in one, cut anywhere or where chunks begin."""
    places = [i for i in range(len(data)) if data[i : i + 4] == b"CHNK"] + [len(data)]
    theirs = [i for i in range(len(other)) if other[i : i + 4] == b"CHNK"] + [len(other)]
    if chance.random() < 0.5:
        places, theirs = list(range(len(data))), list(range(len(other)))
    return data[: chance.choice(places)] + other[chance.choice(theirs) :]


def noise(data: bytes, other: bytes, chance: random.Random) -> bytes:
    """Random bytes, behind as much of a stream as gets them read."""
    junk = chance.randbytes(chance.choice([0, 1, 16, 100, 1000, 10000]))
    return data[: chance.choice([0, 4, 5, 37, data[36] + 41, len(data)])] + junk


def forged(data: bytes, other: bytes, chance: random.Random) -> bytes:
    """False numbers with right checksums."""
    stream = parse(data)
    if chance.random() < 0.5:
        name = chance.choice([f for f in HandStream.__dataclass_fields__ if f != "chunks"])
        old = getattr(stream, name)
        if isinstance(old, bytes):
            new = chance.randbytes(len(old))
        else:
            most = 2 ** {"chunk_samples": 32, "sample_rate": 32}.get(name, 16)
            most = 2**8 if name in ("version", "entropy", "channels", "bits") else most
            new = chance.choice([0, 1, old + 1, 2 * old, chance.randrange(most), most - 1]) % most
        stream = stream.but(**{name: new})
    entries: list[tuple[HandChunk, dict[str, int]]] = [(chunk, {}) for chunk in stream.chunks]
    for _ in range(chance.choice([0, 1, 1, 2])):
        which = chance.randrange(len(entries))
        chunk, claims = entries[which]
        name = chance.choice(["index", "frames", "n", "s", "length", "scales", "codes", "order"])
        if name == "order":
            entries = chance.choice(
                [entries[::-1], entries[:which] + [entries[which]] * 50, entries + entries]
            )
        elif name == "length":
            length = chance.choice([0, chance.randrange(10**4), chance.randrange(2**64), 2**64 - 1])
            entries[which] = replace(entries[-1][0], codes=length.to_bytes(8, "big")), claims
        elif name == "codes":
            codes = chance.randbytes(chance.choice([0, 1, 5, len(chunk.codes), 65535]))
            entries[which] = replace(chunk, codes=codes), claims
        elif name == "scales":
            scale = chance.choice([0.0, -1.0, 3e38, float("nan"), float("inf")])
            count = chance.choice([len(chunk.scales), 0, 1, 2, 255])
            entries[which] = replace(chunk, scales=[scale] * count), claims
        else:
            most = 2 ** {"index": 32, "s": 8}.get(name, 16)
            few = chance.choice([0, 1, 2, 7, 8, chance.randrange(20)])
            number = chance.choice([few, few, chance.randrange(most), most - 1])
            entries[which] = chunk, claims | {name: number}
    return stream.head + b"".join(chunk.build(stream.seed, **told) for chunk, told in entries)


MUTATIONS = [flipped, cut, spliced, noise, forged, forged]


class Pipe:
    """A file that cannot seek and gives what it likes."""

    def __init__(self, data: bytes, chance: random.Random):
        self.file, self.chance = BytesIO(data), chance

    def read(self, size: int) -> bytes:
        return self.file.read(self.chance.randint(1, size) if size else 0)


def attempt(codec: Codec, data: bytes, chance: random.Random) -> str:
    """Parse, and sometimes decode; "whole", "damaged" or "refused"."""
    tolerant = chance.random() < 0.5
    file = Pipe(data, chance) if chance.random() < 0.3 else BytesIO(data)
    samples = 0
    try:
        if chance.random() < DECODED:
            start, duration = chance.choice([(0.0, None), (0.0, None), (0.15, None), (0.25, 0.1)])
            for block in StreamReader(file, codec, tolerant, start, duration):
                assert block.dim() == 3 and block.shape[:2] == (1, codec.config.channels)
                samples += block.shape[2]
        else:
            stream = StreamBytes(file, tolerant, first=chance.choice([0, 0, 3]))
            samples = sum(chunk.frames for chunk in stream) and 1
    except BitstreamError as error:
        assert "\n" not in str(error)
        return "refused"
    # A chunk has 21 bytes at least, and lasts a minute at most; ten times that may be missing.
    assert samples <= 60 * codec.config.sample_rate * (1 + 11 * len(data) / 21)
    return "read"


def test_nothing_but_bitstream_errors(monkeypatch):
    monkeypatch.setattr(stream_reader, "fingerprint", functools.cache(fingerprint))  # for speed
    chance, kinds = random.Random(SEED), streams()
    counts, slowest, began = {}, 0.0, time.monotonic()
    for turn in range(STREAMS):
        (codec, data), (_, other) = chance.choices(kinds, k=2)
        mutate = chance.choice(MUTATIONS)
        wrong = mutate(data, other, chance)
        start = time.monotonic()
        try:
            outcome = attempt(codec, wrong, chance)
        except BaseException:
            print(f"stream {turn}, {mutate.__name__}: {wrong.hex()}")
            raise
        slowest = max(slowest, time.monotonic() - start)
        counts[mutate.__name__, outcome] = counts.get((mutate.__name__, outcome), 0) + 1
        if time.monotonic() - began > SECONDS:
            break
    print(f"\nseed {SEED}: {turn + 1} streams, slowest {slowest:.2f} s")
    for key, count in sorted(counts.items()):
        print(*key, count)
    assert slowest < 10  # not forever, on a busy machine either
    for mutate in MUTATIONS:  # else the mutations do not reach what they are for
        assert counts[mutate.__name__, "refused"] > 0
        assert counts[mutate.__name__, "read"] > 0 or mutate is noise


def hostile(kind: str) -> bytes:
    """Hundreds of kilobytes made to waste time or memory."""
    stream = HandStream(entropy=1, chunk_frames=4000, chunk_samples=4000 * 320, name=b"x")
    if kind == "sync words":
        return stream.head + b"CHNK" * 2**17
    if kind == "heads of chunks that are not there":
        # Each has a right checksum, and claims most of what follows.
        head = HandChunk(0, 4000, [], b"").build(stream.seed, n=39999)[:17]
        return stream.head + head * 2**13
    if kind == "a chunk far away":
        chunks = [HandChunk(i, 4000, [], b"x") for i in (0, 2**32 - 2)]
        return stream.but(chunks=chunks).build()
    if kind == "every hundredth chunk":
        chunks = [HandChunk(100 * i, 4000, [], b"x") for i in range(2**14)]
        return stream.but(chunks=chunks).build()
    chunks = [HandChunk(0, 4000, [], b"x"), HandChunk(1, 0, [], b"\xff" * 8)]
    return stream.but(chunks=chunks).build()  # 2^64 - 1 samples


@pytest.mark.parametrize(
    "kind",
    ["sync words", "heads of chunks that are not there", "a chunk far away",
     "every hundredth chunk", "a length"],
)  # fmt: skip
def test_hostile_streams_cost_little(kind, monkeypatch):
    """Counted in bytes that are looked at, for seconds depend on the machine."""
    data, looked_at = hostile(kind), 0

    def counted(part, *seed):
        nonlocal looked_at
        looked_at += len(part)
        return crc32(part, *seed)

    crc32 = container.zlib.crc32
    monkeypatch.setattr(container.zlib, "crc32", counted)
    for file in (BytesIO(data), Pipe(data, random.Random(0))):
        looked_at = 0
        tracemalloc.start()
        try:
            found = sum(1 for _ in StreamBytes(file, tolerant=True))
            assert found <= 2  # nothing in here is believed for long
        except BitstreamError as error:
            assert "too few" in str(error) or "damaged everywhere" in str(error)
        finally:
            _, peak = tracemalloc.get_traced_memory()
            tracemalloc.stop()
        assert peak < 2**20 and looked_at < 70 * len(data) + 2**21, (peak, looked_at / len(data))
