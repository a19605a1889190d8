"""Support: `.ecdc`, the file format of the official package, read and written byte for byte.

    0  "ECDC"    4  version 0, one byte    5  length of the JSON, four bytes, big-endian
    9  {"m": model, "al": samples, "nc": codebooks, "lm": coded with a language model?}

and then, for each segment of the clip (24 kHz: one segment; 48 kHz: one a second),

    its loudness, a big-endian float                  (48 kHz only)
    its codes, frame by frame, level by level:        10 bits each, lowest bit first, or
                                                      the bits of an arithmetic coder (lm)

There is no checksum, no length of a segment, and no model but the two official ones. Files without
the language model are safe: they are read and written exactly as the official package does.

**Files coded with the language model are not safe.** Their decoder must compute the probabilities
of the encoder to the last bit, in floats, and these depend on the machine, the number of threads
and the library. We repeat the official computation step for step, so what was written with the same
settings on the same machine can be read; other files may decode to noise, and nothing in the
file tells. Keep archives in `.mcdc` (chapter 13).

Official code: `encodec/compress.py`, `encodec/binary.py`.
"""

import json
import math
import struct
import warnings
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from minicodec.bits.arithmetic_coder import ArithmeticDecoder, ArithmeticEncoder, OfficialSteps
from minicodec.bits.container import BitstreamError, Readable
from minicodec.bits.language_model import LanguageModel
from minicodec.model.codec import Codec
from minicodec.model.config import CodecConfig
from minicodec.model.fields import json_object
from minicodec.model.pretrained import OFFICIAL, load_named
from minicodec.sound import audio as audio_

_FIXED = struct.Struct(">4sBI")
#: The official header has about 60 bytes of JSON; a stranger's length must not be believed.
_MAX_JSON = 1 << 12
#: Samples; a file is read and decoded whole, and this is a day of mono at 24 kHz.
_MOST_SAMPLES = 1 << 31
#: An official frequency table gives all codes but one at least 2 of 2^24 parts. So a code takes
#: 0.00018 bits at least, if all others have no more than that, and 23 at most, or 25 with what
#: rounding an interval of 2^24 can take away.
_LEAST_BITS, _MOST_BITS = -math.log2(1 - 2 * 1023 / 2**24), 25
_LEAST_BYTES = 3  # of a segment: the coder begins with 24 bits and lets no fewer go
_BLOCK = 1 << 16


class EcdcError(BitstreamError):
    """Bytes that are not a whole `.ecdc` file, or not one of this model."""


@dataclass(frozen=True)
class EcdcHeader:
    """What a file says about itself."""

    model: str
    length: int  #: in samples
    n_q: int
    lm: bool  #: whether it is coded with a language model

    @property
    def config(self) -> CodecConfig:
        """Of the model that it names."""
        return OFFICIAL[self.model].config


def write_ecdc(
    codec: Codec,
    audio: Tensor,
    bandwidth: float | None = None,
    lm: LanguageModel | None = None,
    progress: bool = False,
) -> bytes:
    """One clip as an `.ecdc` file, the same bytes that the official package writes.

    Args:
        codec: named "encodec_24khz" or "encodec_48khz", the only ones that the format knows.
        audio: [1, C, T] in [-1, 1], at the codec's rate.
        bandwidth: in kbps; the highest by default.
        lm: code with it, at the risk stated above; None for files that can always be read.
        progress: show a bar.

    Raises:
        ValueError: for another codec, or audio that is not one clip of its kind.
    """
    if codec.name not in OFFICIAL or codec.config != OFFICIAL[codec.name].config:
        raise ValueError(
            f".ecdc files are of {' or '.join(OFFICIAL)}, not of {codec.name!r}: use .mcdc."
        )
    audio_.check(audio, codec.config.channels)
    if len(audio) != 1:
        raise ValueError(f"a file holds one clip [1, C, T], but this is a batch of {len(audio)}.")
    codes, scales = codec.encode_scaled(audio, bandwidth, progress)
    length, n_q = audio.shape[-1], codes.shape[1]
    header = {"m": codec.name, "al": length, "nc": n_q, "lm": lm is not None}
    text = json.dumps(header).encode()
    data = bytearray(_FIXED.pack(b"ECDC", 0, len(text)) + text)
    frames = codec.config.segments.frames(length)
    for i, segment in enumerate(codes[0].cpu().split(frames, dim=1)):
        if scales is not None:
            data += struct.pack(">f", float(scales[0, i]))
        data += _pack(segment, codec.config.bits) if lm is None else _encode_lm(segment, lm)
    return bytes(data)


def read_ecdc(
    data: bytes,
    codec: Codec | None = None,
    lm: LanguageModel | None = None,
    progress: bool = False,
) -> Tensor:
    """The clip in an `.ecdc` file.

    Args:
        codec: the model that the file names; None loads it, which may download it.
        lm: the language model, for a file that was coded with one. It is run step by step, about as
            fast as the sound itself lasts.
        progress: show a bar.

    Returns:
        audio [1, C, T]

    Raises:
        EcdcError: if the bytes are cut short, damaged, or of another model. A flipped bit in the
            codes cannot be noticed: the format has no checksum.

    Warns:
        UserWarning: for a file coded with a language model, which may decode to noise.
    """
    header = read_header(data)
    config = header.config
    body = codes_of(data)
    if header.lm and lm is None:
        raise EcdcError(
            "this file was coded with the official language model: pass it as lm= (and expect "
            "noise if the file comes from another machine)."
        )
    check_size(header, len(body))  # before anything is made as long as the header says
    if codec is None:
        codec = load_named(header.model)
    elif codec.config != config:
        raise EcdcError(f"this file was made by {header.model!r}, not by {codec.name!r}.")
    if header.lm:
        warnings.warn(
            "this .ecdc file was coded with a language model in floating point: unless it was made "
            "on this machine with these settings, what you hear may be noise.",
            stacklevel=2,
        )
    codes, scales = [], []
    segments = config.segments.frames(header.length)
    for frames in tqdm(segments, "reading", disable=not progress):
        if config.normalize:
            scales.append(_scale(body))
            body = body[4:]
        if lm is not None and header.lm:
            segment, used = _decode_lm(body, lm, header.n_q, frames, progress)
        else:
            segment, used = _unpack(body, config.bits, header.n_q, frames)
        codes.append(segment)
        body = body[used:]
    if len(body):
        raise EcdcError("this file has more bytes behind its last code.")
    loudness = torch.tensor([scales]) if config.normalize else None
    return codec.decode(torch.cat(codes, dim=1)[None], loudness, header.length, progress)


def read_header(data: bytes) -> EcdcHeader:
    """What an `.ecdc` file says about itself, checked.

    Raises:
        EcdcError: naming what is wrong.
    """
    if not isinstance(data, (bytes, bytearray, memoryview)):
        raise EcdcError(f"a file is bytes, but this is a {type(data).__name__}.")
    if len(data) < _FIXED.size:
        raise EcdcError(f"{len(data)} bytes are too few for an .ecdc file.")
    magic, version, size = _FIXED.unpack_from(data)
    if magic != b"ECDC":
        raise EcdcError(f"this is no .ecdc file: it begins with {magic!r}, not b'ECDC'.")
    if version != 0:
        raise EcdcError(f"this .ecdc file is of version {version}; only version 0 is known.")
    if size > min(_MAX_JSON, len(data) - _FIXED.size):
        raise EcdcError(
            f"this .ecdc file claims {size} bytes of header; it has "
            f"{len(data) - _FIXED.size} in all, and {_MAX_JSON} is the most there can be."
        )
    try:
        fields = json_object(bytes(data[_FIXED.size : _FIXED.size + size]).decode())
    except ValueError as error:  # bad UTF-8 is one, too
        raise EcdcError(f"this .ecdc file's header cannot be read: {error}") from error
    model, length, n_q, lm = (fields.get(key) for key in ("m", "al", "nc", "lm"))
    if model not in list(OFFICIAL):
        raise EcdcError(f"this .ecdc file was made by an unknown model, {str(model)[:40]!r}.")
    config = OFFICIAL[model].config
    # `type`, not `isinstance`: to Python, true is an integer.
    if type(length) is not int or not 1 <= length <= _MOST_SAMPLES:
        raise EcdcError(f"this .ecdc file claims a length of {str(length)[:40]} samples.")
    if type(n_q) is not int or not 1 <= n_q <= config.max_n_q:
        raise EcdcError(
            f"this .ecdc file claims {str(n_q)[:40]} codebooks; {model} has 1 to {config.max_n_q}."
        )
    if type(lm) is not bool:
        raise EcdcError(f"this .ecdc file's 'lm' is {str(lm)[:40]!r}, neither true nor false.")
    return EcdcHeader(model, length, n_q, lm)


def codes_of(data: bytes) -> memoryview:
    """What stands behind a file's header, which `read_header` has read."""
    return memoryview(bytes(data))[_FIXED.size + struct.unpack_from(">I", data, 5)[0] :]


def check_size(header: EcdcHeader, size: int) -> None:
    """Compare a file's length with its header: without a language model it is known exactly.

    Args:
        size: bytes behind the header.

    Raises:
        EcdcError: for too many or too few.
    """
    least, most = _sizes(header)
    if size < least:
        raise EcdcError(
            f"this file has {size} bytes of codes, too few for {header.length} samples."
        )
    if size > most:
        raise EcdcError("this file has more bytes behind its last code.")


def take(file: Readable) -> bytes:
    """The bytes of a file, or of a pipe without end: one more than the header calls for at most.

    Raises:
        EcdcError: as `read_header`.
    """
    data = _take(file, _FIXED.size)
    if len(data) == _FIXED.size:
        data += _take(file, min(_MAX_JSON, struct.unpack_from(">I", data, 5)[0]))
    return data + _take(file, _sizes(read_header(data))[1] + 1)


def _sizes(header: EcdcHeader) -> tuple[int, int]:
    """Bytes behind the header, at least and at most."""
    config = header.config
    codes = [header.n_q * frames for frames in config.segments.frames(header.length)]
    scales = 4 * len(codes) if config.normalize else 0
    if not header.lm:
        exact = scales + sum(-(-count * config.bits // 8) for count in codes)
        return exact, exact
    least = sum(max(_LEAST_BYTES, math.floor(count * _LEAST_BITS / 8)) for count in codes)
    most = sum(_LEAST_BYTES + -(-count * _MOST_BITS // 8) for count in codes)
    return scales + least, scales + most


def _take(file: Readable, size: int) -> bytes:
    """The next bytes; in blocks, for a pipe has no room set aside for what may never come."""
    data = bytearray()
    while block := file.read(min(_BLOCK, size - len(data))):
        data += block
    return bytes(data)


def _scale(body: memoryview) -> float:
    if len(body) < 4:
        raise EcdcError("this file ends before its last segment.")
    (scale,) = struct.unpack_from(">f", body)
    if not math.isfinite(scale):
        raise EcdcError(f"this file holds a loudness of {scale}.")
    return scale


def _pack(codes: Tensor, bits: int) -> bytes:
    flags = codes.T.reshape(-1, 1).numpy() >> np.arange(bits) & 1
    return np.packbits(flags.astype(np.uint8), bitorder="little").tobytes()


def _unpack(body: memoryview, bits: int, n_q: int, frames: int) -> tuple[Tensor, int]:
    size = math.ceil(n_q * frames * bits / 8)
    flags = np.unpackbits(
        np.frombuffer(body[:size], np.uint8), count=n_q * frames * bits, bitorder="little"
    )
    codes = flags.reshape(frames, n_q, bits).astype(np.int64) @ (1 << np.arange(bits))
    return torch.from_numpy(codes).T, size


def _encode_lm(codes: Tensor, lm: LanguageModel) -> bytes:
    steps, encoder, seen = OfficialSteps(lm, len(codes)), ArithmeticEncoder(), None
    for frame in codes.T:
        for code, table in zip(frame.tolist(), steps.tables(seen)):
            encoder.push(code, table)
        seen = frame
    return encoder.finish()


def _decode_lm(
    body: memoryview, lm: LanguageModel, n_q: int, frames: int, progress: bool
) -> tuple[Tensor, int]:
    steps, decoder = OfficialSteps(lm, n_q), ArithmeticDecoder(bytes(body))
    codes: list[Tensor] = []
    seen = None
    try:
        for _ in tqdm(range(frames), "language model", disable=not progress, leave=False):
            seen = torch.tensor([decoder.pull(table) for table in steps.tables(seen)])
            codes.append(seen)
    except ValueError as error:
        raise EcdcError(
            f"this file's codes could not be read beyond frame {len(codes)}: {error}"
        ) from error
    return torch.stack(codes, dim=1), decoder.bytes_read
