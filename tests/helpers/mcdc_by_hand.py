"""A second reader and writer of `.mcdc`, made from `book/bitstream.md` alone and kept simple.

It believes every number. Tests use it to compare ours with, and to forge streams.
"""

import struct
import zlib
from dataclasses import dataclass, field, replace


@dataclass
class HandChunk:
    index: int
    frames: int
    scales: list[float]
    codes: bytes

    def build(self, seed: int, **claims: int) -> bytes:
        """The bytes with right checksums; `claims` put other numbers into its head."""
        told = dict(index=self.index, frames=self.frames, n=len(self.codes), s=len(self.scales))
        told |= claims
        head = b"CHNK" + struct.pack(">IHHB", told["index"], told["frames"], told["n"], told["s"])
        head += struct.pack(">I", zlib.crc32(head, seed))
        body = head + struct.pack(f">{len(self.scales)}f", *self.scales) + self.codes
        return body + struct.pack(">I", zlib.crc32(body, seed))


@dataclass
class HandStream:
    version: int = 1
    entropy: int = 0
    channels: int = 1
    bits: int = 10
    codebooks: int = 8
    chunk_frames: int = 375
    chunk_samples: int = 120000
    sample_rate: int = 24000
    fingerprint: bytes = bytes(8)
    entropy_fingerprint: bytes = bytes(8)
    name: bytes = b""
    chunks: list[HandChunk] = field(default_factory=list)

    @property
    def head(self) -> bytes:
        data = b"MCDC" + struct.pack(
            ">BBBBHHII", self.version, self.entropy, self.channels, self.bits, self.codebooks,
            self.chunk_frames, self.chunk_samples, self.sample_rate,
        )  # fmt: skip
        data += self.fingerprint + self.entropy_fingerprint + bytes([len(self.name)]) + self.name
        return data + struct.pack(">I", zlib.crc32(data))

    @property
    def seed(self) -> int:
        return int.from_bytes(self.head[-4:], "big")

    def build(self) -> bytes:
        return self.head + b"".join(chunk.build(self.seed) for chunk in self.chunks)

    def but(self, **fields: object) -> "HandStream":
        return replace(self, **fields)


def parse(data: bytes) -> HandStream:
    """Everything in a whole stream."""
    assert data[:4] == b"MCDC"
    numbers = struct.unpack(">BBBBHHII", data[4:20])
    name_end = 37 + data[36]
    stream = HandStream(*numbers, data[20:28], data[28:36], data[37:name_end])
    (seed,) = struct.unpack(">I", data[name_end : name_end + 4])
    assert seed == zlib.crc32(data[:name_end])
    at = name_end + 4
    while True:
        assert data[at : at + 4] == b"CHNK"
        index, frames, n, s = struct.unpack(">IHHB", data[at + 4 : at + 13])
        end = at + 17 + 4 * s + n
        (head_crc,) = struct.unpack(">I", data[at + 13 : at + 17])
        (crc,) = struct.unpack(">I", data[end : end + 4])
        assert head_crc == zlib.crc32(data[at : at + 13], seed)
        assert crc == zlib.crc32(data[at:end], seed)
        scales = list(struct.unpack(f">{s}f", data[at + 17 : at + 17 + 4 * s]))
        stream.chunks.append(HandChunk(index, frames, scales, data[at + 17 + 4 * s : end]))
        at = end + 4
        if frames == 0:
            assert at == len(data)
            return stream


def unpack(data: bytes, bits: int, codebooks: int, frames: int) -> list[list[int]]:
    """Codes that were packed, [codebooks][frames]."""
    digits = "".join(f"{byte:08b}" for byte in data)
    numbers = [int(digits[i * bits : (i + 1) * bits], 2) for i in range(codebooks * frames)]
    return [numbers[k::codebooks] for k in range(codebooks)]


def pack(codes: list[list[int]], bits: int) -> bytes:
    """Codes [frames][codebooks] as bits."""
    digits = "".join(f"{code:0{bits}b}" for frame in codes for code in frame)
    digits += "0" * (-len(digits) % 8)
    return bytes(int(digits[i : i + 8], 2) for i in range(0, len(digits), 8))


@dataclass
class Segments:
    """Samples of a segment, from one start to the next, and of a frame."""

    length: int
    step: int
    hop: int

    @property
    def full(self) -> int:
        return -(-self.length // self.hop)

    @property
    def more(self) -> int:
        return -(-self.length // self.step) - 1

    def per_chunk(self, seconds: float, rate: int, codebooks: int, bits: int) -> int:
        """Of which there are so many segments."""
        count = max(1, self.more, round(seconds * rate / self.step))
        while (
            (count + self.more) * self.full > 65535
            or -(-(count + self.more) * self.full * codebooks * bits // 8) > 65535
            or (self.length > self.hop and count + self.more > 255)
            or count * self.step > 60 * rate
        ):
            count -= 1
        return count

    def chunks(self, samples: int, count: int) -> list[list[int]]:
        """The frames of each segment of each chunk of a clip."""
        begins = range(0, samples, self.step)
        frames = [-(-min(self.length, samples - begin) // self.hop) for begin in begins]
        whole = (samples - self.length) // self.step + 1 if samples >= self.length else 0
        divided = [frames[i * count : (i + 1) * count] for i in range(whole // count)]
        if samples > whole // count * count * self.step:
            divided.append(frames[whole // count * count :])
        return divided


def range_coded(steps: list[tuple[int, int, int]]) -> bytes:
    """The bytes of symbols, each where it begins in its table, its frequency, and the total."""
    width, low, words = 2**64 - 1, 0, []
    for begin, frequency, total in steps:
        unit = width // total
        low, width = low + unit * begin, unit * frequency
        while width < 2**48:
            words.append(low // 2**48)
            low, width = low % 2**48 * 2**16, width * 2**16
    for n in 0, 1, 2:
        step = 2 ** (64 - 8 * n)
        end = -(-low // step) * step
        if end < low + width:
            break
    words.append(end // 2**48)
    for i in range(len(words) - 1, 0, -1):
        words[i - 1] += words[i] // 2**16
    data = b"".join((word % 2**16).to_bytes(2, "big") for word in words)
    return data[: len(data) - 2 + n]


def decode_histogram(
    data: bytes, bits: int, codebooks: int, frames: int, prior: list[list[int]] | None = None
) -> list[list[int]]:
    """Codes that were coded with counts, [codebooks][frames].

    Raises:
        ValueError: for too few bytes, or too many.
    """
    size = len(data)
    data += bytes(1000)
    width, offset, at = 2**64 - 1, int.from_bytes(data[:8], "big"), 8
    counts = [[1] * 2**bits if prior is None else prior[k].copy() for k in range(codebooks)]
    more = 8 if prior is None else 32
    codes: list[list[int]] = [[] for _ in range(codebooks)]
    for _ in range(frames):
        for k in range(codebooks):
            unit = width // sum(counts[k])
            code, below = 0, 0
            while (below + counts[k][code]) * unit <= offset:
                below += counts[k][code]
                code += 1
                if code == len(counts[k]):
                    raise ValueError("no code")
            offset -= unit * below
            width = unit * counts[k][code]
            while width < 2**48:
                offset = offset << 16 | int.from_bytes(data[at : at + 2], "big")
                width, at = width << 16, at + 2
            codes[k].append(code)
        for k in range(codebooks):
            counts[k][codes[k][-1]] += more
            if sum(counts[k]) > 2**24 - more:
                counts[k] = [(count + 1) // 2 for count in counts[k]]
    if size > at - 6 or at > size + 8:
        raise ValueError(f"{size} bytes, of which {at} were taken")
    return codes
