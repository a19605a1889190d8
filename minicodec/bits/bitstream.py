"""Sound to a `.mcdc` stream and back, through files, pipes and bytes, in memory that stays flat.

    data = compress(codec, audio, bandwidth=6.0)             # bytes
    audio = decompress(data)

    with StreamWriter(pipe, codec, 6.0) as out:              # the same, block by block
        for block in blocks:
            out.write(block)
    for block in StreamReader(pipe, codec):
        ...

A stream is a header and then chunks of some seconds each, every one with a checksum. Codec and
decoder keep their state from chunk to chunk; the entropy coding begins anew in each, so that damage
stays where it is. `minicodec.bits.container` has the layout byte by byte, and
`minicodec.bits.packing` what is in a chunk.

Chapter 13.
"""

import io

import torch
from torch import Tensor
from tqdm import tqdm

from minicodec.bits.container import BitstreamError
from minicodec.bits.exact import ExactLanguageModel
from minicodec.bits.reader import StreamReader
from minicodec.bits.writer import CHUNK_SECONDS, StreamWriter
from minicodec.model.codec import Codec
from minicodec.sound import audio as audio_

__all__ = ["BitstreamError", "StreamReader", "StreamWriter", "compress", "decompress"]


def compress(
    codec: Codec,
    audio: Tensor,
    bandwidth: float | None = None,
    entropy: str = "none",
    progress: bool = False,
    chunk_seconds: float = CHUNK_SECONDS,
    lm: ExactLanguageModel | None = None,
) -> bytes:
    """One clip as bytes.

    Args:
        audio: [1, C, T] in [-1, 1], at the codec's rate.
        bandwidth: in kbps; the highest by default.
        entropy: "none", "histogram" or "lm".
        progress: show a bar.
        chunk_seconds: seconds of sound in a chunk, at most 60.
        lm: the language model for entropy="lm"; None takes the one that ships for this codec.

    Raises:
        ValueError: for audio that is not one clip of this codec's kind, or an unknown bandwidth or
            entropy coding.

    >>> from minicodec.model.config import CodecConfig
    >>> codec = Codec(CodecConfig(n_filters=2, dimension=8, bandwidths=(1.5,))).eval()
    >>> audio = torch.randn(1, 1, 24000)
    >>> data = compress(codec, audio)
    >>> len(data), decompress(data, codec).shape
    (286, torch.Size([1, 1, 24000]))
    """
    audio_.check(audio, codec.config.channels)
    file = io.BytesIO()
    with StreamWriter(file, codec, bandwidth, entropy, chunk_seconds, lm) as out:
        seconds = audio.split(codec.config.sample_rate, dim=-1)
        for second in tqdm(seconds, "encoding", unit="s", disable=not progress):
            out.write(second)
    return file.getvalue()


def decompress(
    data: bytes,
    codec: Codec | None = None,
    progress: bool = False,
    tolerant: bool = False,
    start: float = 0.0,
    duration: float | None = None,
    lm: ExactLanguageModel | None = None,
) -> Tensor:
    """The clip back, as many samples as went in.

    Args:
        codec: the one that made the stream; None loads it if it is one that ships with us.
        progress: show a bar.
        tolerant, start, duration, lm: as for `StreamReader`.

    Returns:
        audio [1, C, T]

    Raises:
        BitstreamError: as `StreamReader`.
    """
    if not isinstance(data, (bytes, bytearray, memoryview)):
        raise BitstreamError(f"a stream is bytes, but this is a {type(data).__name__}.")
    bar = tqdm(total=len(data), desc="decoding", unit="B", unit_scale=True, disable=not progress)
    with bar, io.BytesIO(data) as file:
        blocks = []
        for block in StreamReader(file, codec, tolerant, start, duration, lm):
            blocks.append(block)
            bar.update(file.tell() - bar.n)
    return torch.cat(blocks, dim=-1)
