"""Support: a `.mcdc` stream in, chunk by chunk; sound out, whole or in part, damaged or not."""

import math
import warnings
from collections.abc import Callable, Iterator
from functools import lru_cache, partial
from typing import Any

import torch
from torch import Tensor

from minicodec.bits.container import BitstreamError, Chunk, Header, Readable, StreamBytes
from minicodec.bits.exact import ExactLanguageModel
from minicodec.bits.layout import Layout
from minicodec.bits.packing import code_model, from_bytes, silence
from minicodec.model.checkpoint import fingerprint
from minicodec.model.codec import Codec
from minicodec.model.config import CodecConfig
from minicodec.model.pretrained import OFFICIAL, UnknownModel, load_named


class StreamReader:
    """A stream in, chunk by chunk; sound out, block by block: iterate over it, once.

    Args:
        file: an open binary file or pipe; it need not be able to seek.
        codec: the one that made the stream; None takes the one that the stream names, if it ships
            with us or is an official one, which may have to be downloaded.
        tolerant: in place of a damaged chunk there is silence, and a warning names it; all else is
            at its right time. Up to a minute may be missing, or ten times the sound that came
            whole; beyond that a stream is refused, for a few bytes could claim any length. Without
            this, the first damage raises an error.
        start, duration: the part that is wanted, in seconds. Chunks are passed over up to the one
            before `start`, which is decoded only to bring the decoder into its state, for that
            fades: with `mini_24khz` and chunks of 5 s the part then differs from that of the whole
            by 1e-7 as a rule and by 4e-5 at most, as measured in `benchmarks/concealment.json`;
            with shorter chunks by more. Models that code in segments are exact by construction.
        lm: the language model that predicted the codes; None takes the one that ships for this
            codec.
        named: gives the codec that a stream names; for who reads many streams, or elsewhere than on
            the CPU.

    Yields:
        audio [1, C, n]

    Raises:
        BitstreamError: if the stream is cut short, damaged, none of ours, or of another model, or
            ends before `start`.
        ValueError: for a part that there cannot be.
    """

    def __init__(
        self,
        file: Readable,
        codec: Codec | None = None,
        tolerant: bool = False,
        start: float = 0.0,
        duration: float | None = None,
        lm: ExactLanguageModel | None = None,
        named: Callable[[str], Codec] = load_named,
    ):
        if not 0 <= start < math.inf or not (duration is None or 0 < duration < math.inf):
            raise ValueError(
                f"a part has a start ≥ 0 and a duration > 0 s, not {start} and {duration}."
            )
        self._bytes = StreamBytes(file, tolerant)
        self.header = header = self._bytes.header
        codec = codec or _named(header, named)
        _check_model(header, codec)
        self.codec = codec
        self.damaged: list[int] = []  #: chunks that were replaced by silence
        self.length: int | None = None  #: samples of the whole clip, once its end has been read
        self._end: int | None = None  # the same, or where a broken stream ends
        self._layout = Layout.stated(codec.config, header)
        self._silence = lru_cache(maxsize=2)(partial(silence, codec, header.n_q))
        try:
            self._model, expected = code_model(
                codec, header.entropy, lm, header.entropy_fingerprint
            )
        except ValueError as error:
            raise BitstreamError(f"this stream cannot be decoded: {error}") from error
        if expected != header.entropy_fingerprint:
            raise BitstreamError(
                f"this stream's codes were predicted by the {header.entropy} model "
                f"{header.entropy_fingerprint.hex()}, but the one here is {expected.hex()}."
            )
        try:
            if self._model is not None:
                self._model.start(header.n_q)  # it may know fewer codebooks
        except ValueError as error:
            raise BitstreamError(f"this stream cannot be decoded: {error}") from error
        self._from = round(start * header.sample_rate)
        wanted = math.inf if duration is None else max(1, round(duration * header.sample_rate))
        self._to = self._from + wanted
        if not self._layout.whole:  # else all of it is needed anyway
            self._bytes.first = max(0, self._from // header.chunk_samples - 1)

    def __iter__(self) -> Iterator[Tensor]:
        position, held = self._bytes.first * self._layout.samples, None
        for audio in self._decoded():
            held = audio if held is None else torch.cat([held, audio], dim=-1)
            # The last hop has to wait: not before the end is it known how much of it is real.
            ready = held.shape[-1] - self.codec.config.hop_length
            if self._end is not None:
                ready = min(held.shape[-1], self._end - position)
            ready = max(0, int(min(ready, self._to - position)))
            if ready and position + ready > self._from:
                yield held[..., max(0, self._from - position) : ready]
            held, position = held[..., ready:], position + ready
            if position >= self._to:
                return
        if self._end is not None and self._end <= self._from:
            raise BitstreamError(
                f"this stream ends at {self._end / self.header.sample_rate:.2f} s, not after "
                f"{self._from / self.header.sample_rate:.2f} s, where it should be played."
            )

    def _decoded(self) -> Iterator[Tensor]:
        """Audio from the first chunk that is needed to the last, some samples too many."""
        state, codes = None, None
        if self._layout.whole:
            chunks = list(self._codes())
            codes = torch.cat([codes for codes, _ in chunks], dim=2)
            yield self._decode(codes, chunks[0][1], None, last=True)[0]
            return
        for codes, scales in self._codes():
            for second in codes.split(self.codec.config.frame_rate, dim=2):
                audio, state = self._decode(second, scales, state)
                scales = None  # all of them have been handed over
                yield audio
        if codes is not None:
            yield self._decode(codes[..., :0], None, state, last=True)[0]

    def _codes(self) -> Iterator[tuple[Tensor, Tensor | None]]:
        """Codes [1, K, T] and scales [1, S], chunk by chunk; silence in place of those missing."""
        full, expected, before = self._layout, self._bytes.first, None
        for chunk in self._bytes:
            if chunk.frames and chunk.index < expected:
                continue  # passed over
            if chunk.frames:
                self._check_full(before)
                for _ in self._lost(expected, chunk.index):
                    yield self._silence(*full.shape)
                if chunk.scales and not full.scales:
                    raise BitstreamError(f"chunk {chunk.index} has scales, unlike its model.")
                if chunk.frames > full.most_frames:
                    raise BitstreamError(
                        f"chunk {chunk.index} has {chunk.frames} frames, and {full.most_frames} "
                        "are the most in this stream."
                    )
                codes = from_bytes(chunk, self.header, self._model)[None]
                yield codes, torch.tensor([chunk.scales]) if full.scales else None
                before, expected = chunk, chunk.index + 1
                continue
            chunks, *last = full.divide(chunk.length)
            self._check_end(chunk, before, chunks, last)
            self.length = self._end = chunk.length
            for index in self._lost(expected, chunks):
                shape = tuple(last) if index == chunks - 1 else full.shape
                yield self._silence(*shape)
            return
        yield from self._broken_off(before)

    def _check_full(self, chunk: Chunk | None) -> None:
        """Of a chunk that others follow."""
        if chunk is not None and (chunk.frames, len(chunk.scales)) != self._layout.shape:
            raise BitstreamError(f"chunk {chunk.index} is short, yet not the last one.")

    def _check_end(self, end: Chunk, before: Chunk | None, chunks: int, last: list[int]) -> None:
        """Compare the stated length with the chunks that were read."""
        if not chunks or chunks != end.index:
            raise BitstreamError(
                f"this stream has {end.index} chunks, but claims {end.length} samples, which take "
                f"{chunks}."
            )
        if before is None or before.index < chunks - 1:
            self._check_full(before)
            return
        if [before.frames, len(before.scales)] != last:
            raise BitstreamError(
                f"chunk {before.index} has {before.frames} frames, but {last[0]} are the end of "
                f"{end.length} samples."
            )

    def _lost(self, start: int, stop: int) -> range:
        """Note that chunks are missing, and say so."""
        if start < stop:
            which = f"chunk {start} is"
            if stop - start > 1:
                which = f"chunks {start} to {stop - 1} are"
            first, end = self.header.seconds(start), self.header.seconds(stop)
            if self.length is not None:
                end = min(end, self.length / self.header.sample_rate)
            warnings.warn(
                f"{which} damaged: silence from {first:.2f} s to {end:.2f} s.", stacklevel=3
            )
            self.damaged.extend(range(start, stop))
        return range(start, stop)

    def _broken_off(self, last: Chunk | None) -> Iterator[tuple[Tensor, Tensor | None]]:
        """The end is missing, and with it how many samples there were: play all frames."""
        if last is None:
            raise BitstreamError("this stream has no whole chunk from here on.")
        begin = last.index * self._layout.samples
        if (last.frames, len(last.scales)) == self._layout.shape:
            self._end = begin + self._layout.samples
            # The next segment would have begun in the last one, and faded with it.
            chunks, *rest = self._layout.divide(self._end)
            if chunks > last.index + 1:
                yield self._silence(*rest)
        else:
            self._end = begin + last.frames * self.codec.config.hop_length
        warnings.warn(
            f"this stream breaks off at {self._end / self.header.sample_rate:.2f} s: its end is "
            "missing.",
            stacklevel=2,
        )

    def _decode(
        self, codes: Tensor, scales: Tensor | None, state: Any, last: bool = False
    ) -> tuple[Tensor, Any]:
        try:
            return self.codec.stream_decode(codes, state, last, scales)
        except ValueError as error:
            raise BitstreamError(f"these codes are none of {self.codec.name!r}: {error}") from error


def _named(header: Header, named: Callable[[str], Codec]) -> Codec:
    """The codec that a header names."""
    if header.model in OFFICIAL:  # which may have to be downloaded: not for a header that lies
        _check_claims(header, OFFICIAL[header.model].config)
    try:
        return named(header.model)
    except UnknownModel as error:
        raise BitstreamError(
            f"this stream was made by {header.model!r}, which does not ship with minicodec: load "
            "that model and pass it as codec= (on the command line: -m)."
        ) from error


def _check_model(header: Header, codec: Codec) -> None:
    if fingerprint(codec) != header.fingerprint:
        raise BitstreamError(
            f"this stream was made by other weights ({header.model!r}) than {codec.name!r} has."
        )
    _check_claims(header, codec.config)


def _check_claims(header: Header, config: CodecConfig) -> None:
    claims = (header.bits, header.channels, header.sample_rate)
    if claims != (config.bits, config.channels, config.sample_rate) or header.n_q > config.max_n_q:
        raise BitstreamError(f"this stream's header contradicts its model, {header.model!r}.")
