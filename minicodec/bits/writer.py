"""Support: sound in, block by block; a `.mcdc` stream out, chunk by chunk."""

import math
import struct
from types import TracebackType
from typing import Any, BinaryIO

import torch
from torch import Tensor

from minicodec.bits.container import Header, chunk_bytes
from minicodec.bits.exact import ExactLanguageModel
from minicodec.bits.layout import Layout
from minicodec.bits.packing import code_model, to_bytes
from minicodec.model.checkpoint import fingerprint
from minicodec.model.codec import Codec
from minicodec.sound import audio as audio_

#: Seconds of sound in a chunk: longer ones cost more when one is lost, shorter ones more bytes.
CHUNK_SECONDS = 5.0


class StreamWriter:
    """Sound in, block by block; a stream out, chunk by chunk, never going back.

    Used in a `with` statement it ends the stream, unless an error has ended the block.

    Args:
        file: an open binary file or pipe.
        codec, bandwidth, entropy, chunk_seconds, lm: as for `compress`.

    Raises:
        ValueError: for a bandwidth, an entropy coding or a length of chunks that there is not, or
            a language model of fewer codebooks.
    """

    def __init__(
        self,
        file: BinaryIO,
        codec: Codec,
        bandwidth: float | None = None,
        entropy: str = "none",
        chunk_seconds: float = CHUNK_SECONDS,
        lm: ExactLanguageModel | None = None,
    ):
        config = codec.config
        n_q = config.max_n_q if bandwidth is None else config.n_q(bandwidth)
        self._model, model_fingerprint = code_model(codec, entropy, lm)
        if self._model is not None:
            self._model.start(n_q)  # it may know fewer: said before anything is written
        self._layout = Layout.of(config, n_q, chunk_seconds)
        self.header = Header(
            entropy, config.channels, config.bits, n_q, self._layout.frames, self._layout.samples,
            config.sample_rate, fingerprint(codec), model_fingerprint, codec.name,
        )  # fmt: skip
        self._file, self._codec, self._bandwidth = file, codec, bandwidth
        self._state: Any = None
        self._index = 0
        self.length = 0  #: samples written so far
        self.size = 0  #: bytes written so far
        self._codes = torch.zeros(n_q, 0, dtype=torch.int64)
        self._scales: list[float] = []
        self._waiting: list[Tensor] = []  # audio, where the codec needs all of it at once
        head = self.header.to_bytes()
        self._crc = int.from_bytes(head[-4:], "big")
        self._put(head)

    def write(self, audio: Tensor) -> None:
        """Append sound, [1, C, T] of any length.

        Raises:
            ValueError: for audio that is not of one clip, or not of this codec's kind.
        """
        audio_.check(audio, self._codec.config.channels)
        if len(audio) != 1:
            raise ValueError(
                f"a stream holds one clip [1, C, T], but this is a batch of {len(audio)}."
            )
        self.length += audio.shape[-1]
        if self._layout.whole:
            self._waiting.append(audio)
            return
        for second in audio.split(self._codec.config.sample_rate, dim=-1):
            self._encode(second)
            while self._codes.shape[1] >= self._layout.frames:
                self._put_chunk(self._layout.frames, self._layout.scales)

    def close(self) -> None:
        """Write what is left, and the end.

        Raises:
            ValueError: if there was no sound.
        """
        if not self.length:
            raise ValueError("a stream needs at least one sample of sound.")
        rest = self._waiting or [torch.zeros(1, self._codec.config.channels, 0)]
        self._encode(torch.cat(rest, dim=-1), last=True)
        chunks, last_frames, last_scales = self._layout.divide(self.length)
        while self._index < chunks - 1:
            self._put_chunk(self._layout.frames, self._layout.scales)
        if self._index < chunks:
            self._put_chunk(last_frames, last_scales)
        self._put(chunk_bytes(self._crc, chunks, 0, (), struct.pack(">Q", self.length)))

    def __enter__(self) -> "StreamWriter":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self.close()

    def _encode(self, audio: Tensor, last: bool = False) -> None:
        codes, scales, self._state = self._codec.stream_encode_scaled(
            audio, self._state, self._bandwidth, last
        )
        self._codes = torch.cat([self._codes, codes[0].cpu()], dim=1)
        self._scales += [] if scales is None else scales[0].tolist()
        if not all(map(math.isfinite, self._scales)):
            raise ValueError("this sound is too loud: its mean power is no finite number.")

    def _put_chunk(self, frames: int, n_scales: int) -> None:
        codes, self._codes = self._codes[:, :frames], self._codes[:, frames:]
        scales = tuple(self._scales[:n_scales])
        if not self._layout.whole:  # else it is one for the whole clip, in every chunk
            self._scales = self._scales[n_scales:]
        payload = to_bytes(codes, self.header.bits, self._model)
        self._put(chunk_bytes(self._crc, self._index, frames, scales, payload))
        self._index += 1

    def _put(self, data: bytes) -> None:
        self.size += len(data)
        left = memoryview(data)
        while left:
            left = left[self._file.write(left) :]
        self._file.flush()  # a listener at the other end of a pipe need not wait for more
