"""Streams of several kinds, and ways in which they can be broken or forged."""

import itertools
import random
from dataclasses import replace
from io import BytesIO

import torch
from mcdc_by_hand import HandChunk, HandStream, parse

from minicodec.bits.bitstream import compress
from minicodec.model.codec import Codec
from minicodec.model.config import CodecConfig


def streams(seed: int) -> list[tuple[Codec, bytes]]:
    """Small streams of several kinds, of five chunks or so."""
    torch.manual_seed(seed)
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
