"""Whatever bytes come in, the reader ends soon, in bounded memory, with sound or BitstreamError.

`make fuzz` goes on for ten minutes, with other streams every time.
"""

import functools
import os
import random
import re
import time
import tracemalloc
from io import BytesIO

import pytest
from mcdc_by_hand import HandChunk, HandStream
from mutated_streams import MUTATIONS, Pipe, noise, streams

from minicodec.bits import container
from minicodec.bits import reader as stream_reader
from minicodec.bits.bitstream import BitstreamError, StreamReader
from minicodec.bits.container import StreamBytes
from minicodec.model.checkpoint import fingerprint
from minicodec.model.codec import Codec

STREAMS = int(os.environ.get("FUZZ_STREAMS", "20000"))
SECONDS = float(os.environ.get("FUZZ_SECONDS", "inf"))
SEED = int(os.environ.get("FUZZ_SEED", "0"))
DECODED = 1 / 16  # of all streams; the others are only parsed

#: Errors of `decode` alone.
ONLY_THE_MODEL_TELLS = (
    "by other weights|contradicts its model|none of its model's|were predicted by the"
    "|cannot be decoded|has scales, unlike|is short, yet not|are the end of|which take"
    "|codes came before|are none of|language model"
)

pytestmark = pytest.mark.filterwarnings("ignore")


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
    chance, kinds = random.Random(SEED), streams(SEED)
    counts, slowest, began = {}, 0.0, time.monotonic()
    for turn in range(STREAMS):
        (codec, data), (_, other) = chance.choices(kinds, k=2)
        mutate = chance.choice(MUTATIONS)
        wrong = mutate(data, other, chance)
        start = time.process_time()
        try:
            outcome = attempt(codec, wrong, chance)
        except BaseException:
            print(f"stream {turn}, {mutate.__name__}: {wrong.hex()}")
            raise
        slowest = max(slowest, time.process_time() - start)
        counts[mutate.__name__, outcome] = counts.get((mutate.__name__, outcome), 0) + 1
        if time.monotonic() - began > SECONDS:
            break
    print(f"\nseed {SEED}: {turn + 1} streams, slowest {slowest:.2f} s")
    for key, count in sorted(counts.items()):
        print(*key, count)
    assert slowest < 10  # of the processor: not forever
    for mutate in MUTATIONS:  # else the mutations do not reach what they are for
        assert counts[mutate.__name__, "refused"] > 0
        assert counts[mutate.__name__, "read"] > 0 or mutate is noise


def twice(data: bytes, other: bytes, chance: random.Random) -> bytes:
    """A stream behind itself."""
    return data + data


def left_alone(data: bytes, other: bytes, chance: random.Random) -> bytes:
    """A whole stream."""
    return data


def test_info_and_decode_agree_on_what_is_whole(monkeypatch):
    """A stream is refused by both, or by neither: but for what takes the model to see.

    `info` goes by `StreamBytes.damage`, and `decode` raises what it finds.
    """
    monkeypatch.setattr(stream_reader, "fingerprint", functools.cache(fingerprint))
    chance, kinds, seen = random.Random(SEED), streams(SEED), set()
    for _ in range(min(STREAMS, 400)):
        (codec, data), (_, other) = chance.choices(kinds, k=2)
        wrong = chance.choice([*MUTATIONS, twice, left_alone])(data, other, chance)
        try:
            stream = StreamBytes(BytesIO(wrong), tolerant=True)
            list(stream)
            info = stream.damage
        except BitstreamError as error:
            info = error
        try:
            for _ in StreamReader(BytesIO(wrong), codec):
                pass
            decode = None
        except BitstreamError as error:
            decode = error
        assert decode is not None or info is None, wrong.hex()
        if decode is not None and info is None:
            assert re.search(ONLY_THE_MODEL_TELLS, str(decode)), decode
        seen.add((info is None, decode is None))
    assert seen == {(True, True), (True, False), (False, False)}


def hostile(kind: str) -> bytes:
    """Hundreds of kilobytes made to waste time or memory."""
    stream = HandStream(entropy=1, chunk_frames=4000, chunk_samples=4000 * 320, name=b"x")
    if kind == "sync words":
        return stream.head + b"CHNK" * 2**15
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
