"""Support: the bytes of a `.mcdc` stream: a header, then chunks, each with checksums of its own.

A stream is written from front to back without ever going back, so it can leave through a pipe
before the sound has ended. It is read in the same way. All numbers are big-endian::

    header                                       chunk
     0   4s   "MCDC"                              0   4s   "CHNK"
     4   u8   version, 1                          4   u32  index, from 0
     5   u8   entropy coding: 0 none,             8   u16  frames; 0 ends the stream
              1 histogram, 2 lm                  10   u16  n, bytes of codes
     6   u8   channels                           12   u8   s, scales
     7   u8   bits per code                      13   u32  CRC-32 of the above
     8   u16  codebooks                          17        s × f32 scales, then n bytes of codes
    10   u16  frames in each chunk but the last      u32  CRC-32 of all of this chunk
    12   u32  samples from chunk to chunk
    16   u32  sample rate, Hz                    The last chunk has no frames. Its codes are
    20   8s   fingerprint of the model           a u64, the number of samples of the clip.
    28   8s   fingerprint of what predicts the codes
    36   u8   n; then the model's name, UTF-8
         u32  CRC-32 of the above

A chunk's checksums begin where the header's ended, so a chunk of another kind of stream does not
pass for one of this. Codes fill at most 65535 bytes, so a reader's memory is bounded by the format
itself. `book/bitstream.md` describes every byte, with an example.
"""

import math
import struct
import warnings
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

ENTROPY = ("none", "histogram", "lm")

MAGIC, VERSION, SYNC = b"MCDC", 1, b"CHNK"

_HEADER = struct.Struct(">4sBBBBHHII8s8sB")
_CHUNK = struct.Struct(">4sIHHB")
_CRC = struct.Struct(">I")
_CHUNK_HEAD = _CHUNK.size + _CRC.size
#: What the last chunk takes, the one that ends the stream.
END_BYTES = _CHUNK_HEAD + 8 + _CRC.size
_BLOCK = 4096  # bytes looked through at a time, when a chunk has to be found again

#: Limits that keep a reader's time and memory within a fixed multiple of the bytes it is given.
MOST_BITS = 16  #: of a code
MOST_BYTES = 65535  #: of codes in a chunk, before entropy coding
MOST_SECONDS = 60  #: of sound in a chunk
#: What may be missing in tolerant mode: so many seconds, or so many for each that is there.
MOST_LOST, LOST_FOR_EACH = 60, 10
_MOST_OVERLAP = 10  # a segment is at most so many times as long as its step to the next
_VAIN = 64  # bytes checked in vain for each that came; honest damage costs about one


class BitstreamError(ValueError):
    """Bytes that are not a whole, undamaged stream, or not one of this model."""


class Readable(Protocol):
    """An open binary file, socket or pipe; `read` may return less than it was asked for."""

    def read(self, size: int, /) -> bytes:
        """The next bytes, at most `size`; none at the end."""


@dataclass(frozen=True)
class Header:
    """What a stream says about itself."""

    entropy: str
    channels: int
    bits: int
    n_q: int
    chunk_frames: int  #: frames in each chunk but the last
    chunk_samples: int  #: samples from the start of one chunk to the start of the next
    sample_rate: int
    fingerprint: bytes
    entropy_fingerprint: bytes  #: eight zeros where the entropy coding has nothing to identify
    model: str

    def to_bytes(self) -> bytes:
        """The header as it stands in the stream, checksum included."""
        name = self.model.encode()[:255].decode(errors="ignore").encode()  # no character cut
        head = _HEADER.pack(
            MAGIC, VERSION, ENTROPY.index(self.entropy), self.channels, self.bits, self.n_q,
            self.chunk_frames, self.chunk_samples, self.sample_rate, self.fingerprint,
            self.entropy_fingerprint, len(name),
        )  # fmt: skip
        return head + name + _CRC.pack(zlib.crc32(head + name))

    def packed_bytes(self, frames: int) -> int:
        """Bytes that the codes of so many frames fill without entropy coding."""
        return -(-frames * self.n_q * self.bits // 8)

    def seconds(self, index: int) -> float:
        """When a chunk begins."""
        return index * self.chunk_samples / self.sample_rate


@dataclass(frozen=True)
class Chunk:
    """One chunk as it was read; of one that was passed over, `scales` and `codes` are empty."""

    index: int
    frames: int  #: 0 in the last one, which ends the stream
    scales: tuple[float, ...]
    codes: bytes
    size: int  #: bytes that it takes in the stream

    @property
    def length(self) -> int:
        """Samples of the whole clip, which the last chunk tells."""
        return int.from_bytes(self.codes, "big")


def chunk_bytes(
    header_crc: int, index: int, frames: int, scales: tuple[float, ...], codes: bytes
) -> bytes:
    """One chunk as it stands in the stream.

    >>> chunk_bytes(0, 2, 0, (), (48000).to_bytes(8, "big")).hex(" ", 4)
    '43 484e4b00 00000200 00000800 5e299f54 00000000 0000bb80 da931f7d'
    """
    head = _CHUNK.pack(SYNC, index, frames, len(codes), len(scales))
    head += _CRC.pack(zlib.crc32(head, header_crc))
    body = head + struct.pack(f">{len(scales)}f", *scales) + codes
    return body + _CRC.pack(zlib.crc32(body, header_crc))


class StreamBytes:
    """The header and the chunks of a stream, checked.

    Args:
        file: read from where it stands, forwards only; it need not be able to seek.
        tolerant: leave out what is damaged, and go on with the next whole chunk. A flipped bit in
            the header is mended. `damage` is the first error that would have been raised without
            this, so both modes agree on which streams are whole.
        first: chunks before this one are passed over: their codes are neither read nor checked.

    Raises:
        BitstreamError: if there is no whole header; while chunks are read, and unless `tolerant`,
            for the first thing that is wrong, naming the chunk. In tolerant mode, if far too much
            is missing: more than a minute, and more than ten times the sound that came whole.
            Whoever conceals what is missing could be made to fill a disk with silence.
    """

    def __init__(self, file: Readable, tolerant: bool = False, first: int = 0):
        self._source = _Source(file)
        self._tolerant = tolerant
        self._vain = 0
        self.damage: BitstreamError | None = None
        self.first = first
        self.header, self.crc, self.header_size = self._read_header()

    def __iter__(self) -> Iterator[Chunk]:
        """Chunks in order; in tolerant mode some may be missing, also the one that ends it all."""
        expected, came, lost, short = 0, 0, 0, -1
        while True:
            try:
                chunk = self._next(expected)
            except BitstreamError as error:
                self._note(error)
                if not self._find_next():
                    return
                continue
            if chunk.frames and short >= 0:
                self._note(BitstreamError(f"chunk {short} is short, yet not the last one."))
            if chunk.frames != self.header.chunk_frames:
                short = chunk.index
            came += chunk.frames
            lost += max(0, chunk.index - max(expected, self.first))
            self._check_loss(came, lost)
            if not chunk.frames and not self._tolerant:
                self._check_behind()
            expected = chunk.index + 1
            yield chunk
            if not chunk.frames:
                self._check_behind()  # now that the reader has all it needs, the pipe may be live
                return

    def _note(self, error: BitstreamError) -> None:
        """Raise an error, or remember the first one and go on."""
        if not self._tolerant:
            raise error
        self.damage = self.damage or error

    def _check_behind(self) -> None:
        if self._source.peek(1):
            self._note(BitstreamError("there are more bytes behind the end of this stream."))

    def _check_loss(self, frames: int, chunks: int) -> None:
        """Refuse to go on after so many lost chunks, where so many frames came."""
        missing = self.header.seconds(chunks)
        there = frames / self.header.chunk_frames * self.header.seconds(1)
        if missing > max(MOST_LOST if there else 0, LOST_FOR_EACH * there):
            raise BitstreamError(
                f"of this stream {chunks} chunks, {missing:.1f} s, are missing and only "
                f"{there:.1f} s are there: too few."
            )

    def _read_header(self) -> tuple[Header, int, int]:
        data = self._source.peek(_HEADER.size)
        if len(data) < _HEADER.size:
            raise BitstreamError(
                f"{len(data)} bytes are too few for a stream: its header alone has more than "
                f"{_HEADER.size}."
            )
        size = _HEADER.size + data[-1] + _CRC.size
        data = self._source.peek(size)
        if self._tolerant and zlib.crc32(data[:-4]) != _crc_of(data):
            mended = _mended(self._source.peek(_HEADER.size + 255 + _CRC.size))
            if mended:
                self._note(BitstreamError("one bit of the header was flipped."))
                warnings.warn("one bit of the header was flipped; it is mended.", stacklevel=3)
                data, size = mended, len(mended)
        if data[:4] != MAGIC:
            raise BitstreamError(
                f"this is no minicodec stream: it begins with {data[:4]!r}, not {MAGIC!r}."
            )
        if data[4] != VERSION:
            raise BitstreamError(
                f"this stream is of version {data[4]}; only version {VERSION} is known."
            )
        if len(data) < size:
            raise BitstreamError("this stream breaks off in its header.")
        if zlib.crc32(data[:-4]) != _crc_of(data):
            raise BitstreamError("this stream's header is damaged: its checksum does not match.")
        self._source.skip(size)
        return _header(data), _crc_of(data), size

    def _next(self, expected: int) -> Chunk:
        """The chunk here; nothing is consumed unless it is whole and in its place."""
        name = self._name(expected)
        head = self._source.peek(_CHUNK_HEAD)
        if not head:
            raise BitstreamError(f"this stream breaks off before {name}: its end is missing.")
        if len(head) < _CHUNK_HEAD:
            raise BitstreamError(f"this stream breaks off in {name}.")
        sync, index, frames, n, n_scales = _CHUNK.unpack_from(head)
        if sync != SYNC or zlib.crc32(head[: _CHUNK.size], self.crc) != _crc_of(head):
            raise BitstreamError(f"{name} is damaged: it does not begin as a chunk does.")
        if index != expected:
            missing = BitstreamError(f"{name} is missing: chunk {index} stands in its place.")
            if index < expected:
                raise missing
            self._note(missing)
        self._check_claims(name, frames, n, n_scales)
        size = _CHUNK_HEAD + 4 * n_scales + n + _CRC.size
        if index < self.first and frames:
            self._source.skip(size)
            return Chunk(index, frames, (), b"", size)
        data = self._source.peek(size)
        if len(data) < size:
            raise BitstreamError(f"this stream breaks off in {name}.")
        if zlib.crc32(data[:-4], self.crc) != _crc_of(data):
            self._vain += size
            raise BitstreamError(f"{name} is damaged: its checksum does not match.")
        scales = struct.unpack_from(f">{n_scales}f", data, _CHUNK_HEAD)
        for scale in scales:
            if not 0 <= scale < math.inf:
                raise BitstreamError(f"{name} holds a scale that is no loudness: {scale}.")
        chunk = Chunk(index, frames, scales, data[_CHUNK_HEAD + 4 * n_scales : -4], size)
        if not frames:
            self._check_length(index, chunk.length)
        self._source.skip(size)
        return chunk

    def _check_claims(self, name: str, frames: int, n: int, n_scales: int) -> None:
        """Numbers with a right checksum may still be lies."""
        if not frames:
            if n != 8 or n_scales:
                raise BitstreamError(f"{name} ends the stream, but not with 8 bytes.")
            return
        packed = self.header.packed_bytes(frames)
        if frames > 2 * self.header.chunk_frames or packed > MOST_BYTES:
            raise BitstreamError(f"{name} claims to hold {frames} frames: too many for a chunk.")
        if n > packed or (n < packed and self.header.entropy == "none"):
            raise BitstreamError(
                f"{name} holds {n} bytes of codes, but its {frames} frames call for {packed}."
            )

    def _check_length(self, chunks: int, length: int) -> None:
        """The clip ends in its last chunk. Where exactly it may end there is for the model to say.

        The next segment begins before one ends, and the last chunk may be longer by that.
        """
        step = self.header.chunk_samples
        if not chunks or not (chunks - 1) * step < length < (chunks + _MOST_OVERLAP) * step:
            raise BitstreamError(
                f"this stream has {chunks} chunks, but claims {length} samples, which is not so "
                "many."
            )

    def _find_next(self) -> bool:
        """Go to the next place where a chunk begins; False at the end of the file.

        Raises:
            BitstreamError: if heads of chunks are everywhere, each of which claims all that
                follows: to look through all of that again and again would take forever.
        """
        if self._vain > _VAIN * self._source.passed + (1 << 20):
            raise BitstreamError("this stream is damaged everywhere: it is not worth the time.")
        self._source.skip(1)
        while len(data := self._source.peek(_BLOCK)) >= _CHUNK_HEAD:
            last = len(data) - _CHUNK_HEAD  # where a whole head still fits
            place = data.find(SYNC, 0, last + len(SYNC))
            while place >= 0:
                head = data[place : place + _CHUNK_HEAD]
                if zlib.crc32(head[: _CHUNK.size], self.crc) == _crc_of(head):
                    self._source.skip(place)
                    return True
                place = data.find(SYNC, place + 1, last + len(SYNC))
            self._source.skip(last + 1)
        return False

    def _name(self, index: int) -> str:
        return f"chunk {index} (from {self.header.seconds(index):.1f} s)"


class _Source:
    """A file with a look-ahead; it asks for no more than is needed, so that no pipe has to wait."""

    def __init__(self, file: Readable):
        self._file = file
        self._ahead = bytearray()
        self.passed = 0  #: bytes left behind

    def peek(self, size: int) -> bytes:
        """The next `size` bytes, fewer at the end; they stay."""
        while len(self._ahead) < size:
            data = self._file.read(size - len(self._ahead))
            if not isinstance(data, (bytes, bytearray, memoryview)):
                raise BitstreamError(
                    f"a stream is read from a binary file, but this gave a {type(data).__name__}."
                )
            if not data:
                break
            self._ahead += data
        return bytes(self._ahead[:size])

    def skip(self, size: int) -> None:
        """Leave `size` bytes behind, by seeking where the file can."""
        self.passed += size
        ahead = min(size, len(self._ahead))
        del self._ahead[:ahead]
        size -= ahead
        seekable = getattr(self._file, "seekable", None)
        if size and seekable is not None and seekable():
            self._file.seek(size, 1)  # type: ignore[attr-defined]
            return
        while size:
            data = self.peek(min(size, _BLOCK))
            if not data:
                return
            del self._ahead[: len(data)]
            size -= len(data)


def _header(data: bytes) -> Header:
    _, _, entropy, channels, bits, n_q, frames, samples, rate, ours, theirs, _ = (
        _HEADER.unpack_from(data)
    )
    try:
        name = data[_HEADER.size : -4].decode()
    except UnicodeDecodeError as error:
        raise BitstreamError("this stream's header names its model in no known letters.") from error
    if not (channels and bits and n_q and frames and samples and rate):
        raise BitstreamError("this stream's header holds a zero where none can be.")
    if bits > MOST_BITS:
        raise BitstreamError(f"this stream's codes have {bits} bits; {MOST_BITS} is the most.")
    if entropy >= len(ENTROPY):
        raise BitstreamError(f"this stream's entropy coding, {entropy}, is not known.")
    if samples > MOST_SECONDS * rate:
        raise BitstreamError(
            f"this stream claims chunks of {samples / rate:.0f} s; {MOST_SECONDS} s is the most."
        )
    return Header(ENTROPY[entropy], channels, bits, n_q, frames, samples, rate, ours, theirs, name)


def _mended(data: bytes) -> bytes | None:
    """The header at the start of `data` with one bit flipped back, if that makes it right.

    In so short a header the checksum tells all single flips apart, and no two or three flips look
    like one. Worse damage passes for a single flip about once in two million times.
    """
    for place in range(8 * len(data)):
        trial = bytearray(data)
        trial[place // 8] ^= 0x80 >> place % 8
        size = _HEADER.size + trial[_HEADER.size - 1] + _CRC.size
        if size <= len(trial) and zlib.crc32(trial[: size - 4]) == _crc_of(trial[:size]):
            return bytes(trial[:size])
    return None


def _crc_of(data: bytes | bytearray) -> int:
    """The checksum in the last four bytes."""
    return int(_CRC.unpack_from(data, len(data) - _CRC.size)[0])
