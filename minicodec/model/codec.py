"""The codec: encoder, quantizer and decoder behind two calls, `encode` and `decode`.

A codec also works piece by piece, with `stream_encode` and `stream_decode`; that is how long clips
are coded, so that memory does not grow with them.

Chapters 04 and 06. Paper: sections 3.1 and 3.2.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor, nn
from tqdm import tqdm

from minicodec.model.config import CodecConfig
from minicodec.model.factorized import FactorizedQuantizer
from minicodec.model.quantize import ResidualVectorQuantizer, check_codes
from minicodec.model.seanet import Decoder, Encoder, StreamState, each_tensor
from minicodec.model.segment_coding import (
    check_scales,
    decode_segments,
    encode_segments,
    normalized,
)
from minicodec.sound import audio as audio_

#: A clip is coded this much at a time: long enough to be fast, short enough to need little memory.
_SECONDS = 10


class Trained(NamedTuple):
    """What one training pass gives back."""

    audio: Tensor  #: [B, C, T], the reconstruction
    codes: Tensor  #: [B, K, T'] int64; K is 0 without the quantizer
    commitment: Tensor  #: scalar; 0 without the quantizer


class Codec(nn.Module):
    """Audio to codes and back.

    This is the codec as the chapters build it, and the one that trains. Once trained,
    `minicodec.faster(codec)` gives one that computes the same several times sooner; what
    `minicodec.load` gives is of that kind.

    >>> codec = Codec(CodecConfig(n_filters=2, dimension=8, bandwidths=(1.5, 6.0))).eval()
    >>> codes = codec.encode(torch.randn(1, 1, 24000), bandwidth=6.0)
    >>> codes.shape, codec.decode(codes).shape
    (torch.Size([1, 8, 75]), torch.Size([1, 1, 24000]))
    """

    def __init__(self, config: CodecConfig, name: str = "unnamed"):
        super().__init__()
        self.config = config
        self.name = name
        self.encoder = Encoder(config)
        self.decoder = Decoder(config)
        learned = config.quantizer == "factorized"
        quantizer = FactorizedQuantizer if learned else ResidualVectorQuantizer
        self.quantizer = quantizer(config.dimension, config.max_n_q, config.codebook_size)

    @torch.no_grad()
    def encode(self, audio: Tensor, bandwidth: float | None = None) -> Tensor:
        """Codes of `audio` at `bandwidth` kbps; the highest bandwidth by default.

        Shape:
            audio: [B, C, T] → codes [B, K, T'] int64. A model that codes in segments returns
            the frames of all segments one after another.

        Raises:
            ValueError: for audio that is not audio, a bandwidth that the model does not have, or a
                model whose codes mean nothing without their scales (see `encode_scaled`).
        """
        if self.config.normalize:
            raise ValueError(
                "this model divides each segment by its loudness, so codes alone cannot be "
                "decoded: use codes, scales = codec.encode_scaled(audio, bandwidth)."
            )
        return self.encode_scaled(audio, bandwidth)[0]

    @torch.no_grad()
    def encode_scaled(
        self, audio: Tensor, bandwidth: float | None = None, progress: bool = False
    ) -> tuple[Tensor, Tensor | None]:
        """Codes, and the loudness that each segment was divided by.

        Args:
            progress: show a bar, one step per second of sound.

        Shape:
            audio: [B, C, T] → codes [B, K, T'] int64, scales [B, n_segments], or None for a model
            that does not rescale.

        Raises:
            ValueError: for audio that is not audio, or a bandwidth that the model does not have.
        """
        audio_.check(audio, self.config.channels)
        codes, scales, state = [], [], None
        for start, end in self._pieces(audio.shape[-1], self.config.sample_rate, progress):
            piece, scale, state = self.stream_encode_scaled(
                audio[..., start:end], state, bandwidth, last=end == audio.shape[-1]
            )
            codes.append(piece)
            scales.extend([] if scale is None else [scale])
        return torch.cat(codes, dim=2), torch.cat(scales, 1) if self.config.normalize else None

    @torch.no_grad()
    def decode(
        self,
        codes: Tensor,
        scales: Tensor | None = None,
        length: int | None = None,
        progress: bool = False,
    ) -> Tensor:
        """Audio from codes.

        Args:
            codes: [B, K, T'] int64, of the first K levels, as `encode` returned them.
            scales: [B, n_segments], as `encode_scaled` returned them; None for other models.
            length: samples to return; codes come in whole frames, and only the caller knows
                how many samples of the last frame were real.
            progress: show a bar, one step per second of sound.

        Shape:
            [B, C, T' * hop_length], or [B, C, length]

        Raises:
            ValueError: for codes or scales of another model's kind, or too few for `length`.
        """
        check_codes(codes, self.config.max_n_q, self.config.codebook_size)
        check_scales(self.config, codes, scales)
        audio, end, state = None, 0, None
        for start, stop in self._pieces(codes.shape[2], self.config.frame_rate, progress):
            piece, state = self.stream_decode(
                codes[..., start:stop],
                state,
                stop == codes.shape[2],
                scales if start == 0 else None,
            )
            if audio is None:
                most = codes.shape[2] * self.config.hop_length
                audio = piece.new_empty(*piece.shape[:2], most)
            audio[..., end : end + piece.shape[-1]] = piece
            end += piece.shape[-1]
        assert audio is not None  # codes were checked: at least one frame
        if length is not None and not 1 <= length <= end:
            raise ValueError(f"these codes hold 1 to {end} samples, but {length} were asked for.")
        return audio[..., : end if length is None else length]

    def forward(
        self, audio: Tensor, bandwidth: float | None = None, quantize: bool = True
    ) -> Trained:
        """One differentiable pass, for training; in training mode the codebooks learn too.

        Args:
            bandwidth: in kbps; the highest by default.
            quantize: False hands the latents to the decoder as they are, for the first steps, in
                which they mean nothing yet.

        Shape:
            audio: [B, C, T], at most one segment long where the model codes in segments.

        Raises:
            ValueError: as `encode_scaled`, or for more than one segment.
        """
        audio_.check(audio, self.config.channels)
        if 0 < self.config.segments.length < audio.shape[-1]:
            raise ValueError(
                f"this model trains on segments of at most {self.config.segments.length} samples, "
                f"but this clip has {audio.shape[-1]}."
            )
        audio = audio.to(next(self.parameters()))
        whole, scale = normalized(self.config, audio)
        latents = self.encoder(whole).to(audio)
        codes = latents.new_zeros(len(latents), 0, latents.shape[2], dtype=torch.int64)
        commitment = latents.new_zeros(())
        if quantize:
            # Codebooks are averages of thousands of latents: 8 bits of precision would not do.
            with _full_precision(audio.device):
                latents, codes, commitment = self.quantizer(latents, self._n_q(bandwidth))
        output = self.decoder(latents)[..., : audio.shape[-1]].to(audio)
        return Trained(output if scale is None else output * scale, codes, commitment)

    @torch.no_grad()
    def stream_encode(
        self,
        audio: Tensor,
        state: StreamState | None = None,
        bandwidth: float | None = None,
        last: bool = False,
    ) -> tuple[Tensor, StreamState]:
        """Codes of the next piece of a clip; together the same as `encode` of the whole.

        Args:
            audio: [B, C, T], of any length, also empty.
            state: what the call before returned; None begins a clip. It is yours: one codec can
                serve many clips at once.
            last: this piece ends the clip.

        Shape:
            codes [B, K, N] int64, N frames that are now certain, often 0 or 1

        Raises:
            ValueError: as `encode`, or for a model that cannot stream.
        """
        if self.config.normalize:
            raise ValueError("this model's codes need their scales: use stream_encode_scaled.")
        codes, _, state = self.stream_encode_scaled(audio, state, bandwidth, last)
        return codes, state

    @torch.no_grad()
    def stream_encode_scaled(
        self,
        audio: Tensor,
        state: StreamState | None = None,
        bandwidth: float | None = None,
        last: bool = False,
    ) -> tuple[Tensor, Tensor | None, StreamState]:
        """As `stream_encode`, with the loudness that each segment was divided by.

        A model that codes in segments gives codes whenever a segment is full.

        Shape:
            codes [B, K, N] int64; scales [B, segments that became full], or None for a model that
            does not rescale
        """
        n_q = self._n_q(bandwidth)
        self._check_ready(state, last)
        if audio.numel():
            audio_.check(audio, self.config.channels)
        audio = audio.to(next(self.parameters()))
        with _full_precision(audio.device):
            if self.config.streams:
                codes, state = self._encode_piece(audio, state, last, n_q)
                return codes, None, _alone(state)
            encode = partial(self._encode_whole, n_q=n_q)
            each, scales, state = encode_segments(self.config, encode, audio, state, last)
        none = torch.zeros(len(audio), n_q, 0, dtype=torch.int64, device=audio.device)
        return torch.cat([none, *each], 2), scales, _alone(state)

    @torch.no_grad()
    def stream_decode(
        self,
        codes: Tensor,
        state: StreamState | None = None,
        last: bool = False,
        scales: Tensor | None = None,
    ) -> tuple[Tensor, StreamState]:
        """Audio of the next frames of a clip; together the same as `decode` of all.

        Args:
            codes: [B, K, N], of any number of frames.
            state, last: as for `stream_encode`.
            scales: [B, m], those of `stream_encode_scaled`, at the latest with the last codes of
                their segments; more of them may come early.

        Shape:
            audio [B, C, T]; for a model that streams with zero padding T = N * hop_length

        Raises:
            ValueError: as `decode`, or for a model that cannot stream.
        """
        self._check_ready(state, last)
        if codes.numel():
            check_codes(codes, self.config.max_n_q, self.config.codebook_size)
        codes = codes.to(next(self.parameters()).device, torch.int64)
        with _full_precision(codes.device):
            if self.config.streams:
                audio, state = self._decode_piece(codes, state, last)
            else:
                decode = self._decode_whole
                audio, state = decode_segments(self.config, decode, codes, state, last, scales)
        return audio, _alone(state)

    # These four do the work. A codec that does it sooner (`minicodec.model.fast`) has others.

    def _encode_piece(
        self, audio: Tensor, state: StreamState | None, last: bool, n_q: int
    ) -> tuple[Tensor, StreamState]:
        latents, state = self.encoder.stream(audio, state, last)
        return self.quantizer.encode(latents, n_q), state

    def _decode_piece(
        self, codes: Tensor, state: StreamState | None, last: bool
    ) -> tuple[Tensor, StreamState]:
        return self.decoder.stream(self.quantizer.decode(codes), state, last)

    def _encode_whole(self, audio: Tensor, n_q: int) -> Tensor:
        return self.quantizer.encode(self.encoder(audio), n_q)

    def _decode_whole(self, codes: Tensor) -> Tensor:
        return self.decoder(self.quantizer.decode(codes))

    def _pieces(self, length: int, rate: int, progress: bool) -> Iterator[tuple[int, int]]:
        """First and end of each piece of a clip; of the whole, if the model needs it at once."""
        step = _SECONDS * rate if self.config.streams or self.config.segment else length
        with tqdm(total=-(-length // rate), disable=not progress, unit="s") as bar:
            for start in range(0, length, step):
                yield start, min(start + step, length)
                bar.update(min(start + step, length) // rate - start // rate)

    def _check_ready(self, state: StreamState | None, last: bool) -> None:
        dtype = next(self.parameters()).dtype
        if dtype.itemsize < 4:
            raise ValueError(
                f"this codec's weights are {str(dtype)[6:]}, but codes are made and read in "
                "float32: call codec.float() first."
            )
        whole = state is None and last
        if not (self.config.streams or self.config.segment or whole):
            raise ValueError(
                "this model cannot stream: it is not causal, so it needs the whole clip at once. "
                "Use encode and decode."
            )

    def _n_q(self, bandwidth: float | None) -> int:
        return self.config.max_n_q if bandwidth is None else self.config.n_q(bandwidth)


def _alone(state: StreamState) -> StreamState:
    """In memory of its own: a view of the last samples would keep all of their piece alive."""
    return each_tensor(state, torch.clone)


def _full_precision(device: torch.device) -> AbstractContextManager[object]:
    """Whatever autocast the caller is in: codes must be the same in it and out of it."""
    if device.type in ("cpu", "cuda"):
        return torch.autocast(device.type, enabled=False)
    return nullcontext()
