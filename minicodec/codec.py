"""The codec: encoder, quantizer and decoder behind two calls, `encode` and `decode`.

A causal codec also works chunk by chunk, with `stream_encode` and `stream_decode`; that is how long
clips are coded, so that memory does not grow with them.

Chapters 04 and 06. Paper: sections 3.1 and 3.2.
"""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor, nn
from tqdm import tqdm

from minicodec import audio as audio_
from minicodec.config import CodecConfig
from minicodec.quantize import ResidualVectorQuantizer
from minicodec.seanet import Decoder, Encoder, State

_INTEGERS = (torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64)


class Trained(NamedTuple):
    """What one training pass gives back."""

    audio: Tensor  #: [B, C, T], the reconstruction
    codes: Tensor  #: [B, K, T'] int64
    commitment: Tensor  #: scalar


class Codec(nn.Module):
    """Audio to codes and back.

    >>> codec = Codec(CodecConfig(n_filters=2, dimension=8, bandwidths=(1.5, 6.0))).eval()
    >>> codes = codec.encode(torch.randn(1, 1, 24000), bandwidth=6.0)
    >>> codes.shape, codec.decode(codes).shape
    (torch.Size([1, 8, 75]), torch.Size([1, 1, 24000]))
    """

    def __init__(self, config: CodecConfig, name: str = "unnamed"):
        super().__init__()
        self.config = config
        self.name = name
        shape = dict(
            channels=config.channels,
            dimension=config.dimension,
            n_filters=config.n_filters,
            strides=config.strides,
            n_residual_layers=config.n_residual_layers,
            lstm_layers=config.lstm_layers,
            causal=config.causal,
            norm=config.norm,
            pad_mode=config.pad_mode,
        )
        self.encoder = Encoder(**shape)  # type: ignore[arg-type]
        self.decoder = Decoder(**shape)  # type: ignore[arg-type]
        self.quantizer = ResidualVectorQuantizer(
            config.dimension, config.max_n_q, config.codebook_size
        )

    @torch.no_grad()
    def encode(self, audio: Tensor, bandwidth: float | None = None) -> Tensor:
        """Codes of `audio` at `bandwidth` kbps; the highest bandwidth by default.

        Shape:
            audio: [B, C, T] → codes [B, K, T'] int64. A model that codes in chunks returns the
            frames of all chunks one after another.

        Raises:
            ValueError: for audio that is not audio, a bandwidth that the model does not have, or a
                model whose codes mean nothing without their scales (see `encode_scaled`).
        """
        if self.config.normalize:
            raise ValueError(
                "this model divides each chunk by its loudness, so codes alone cannot be decoded: "
                "use codes, scales = codec.encode_scaled(audio, bandwidth)."
            )
        return self.encode_scaled(audio, bandwidth)[0]

    @torch.no_grad()
    def encode_scaled(
        self, audio: Tensor, bandwidth: float | None = None, progress: bool = False
    ) -> tuple[Tensor, Tensor | None]:
        """Codes, and the loudness that each chunk was divided by.

        Args:
            progress: show a bar, one step per second of sound.

        Shape:
            audio: [B, C, T] → codes [B, K, T'] int64, scales [B, n_chunks], or None for a model
            that does not rescale.

        Raises:
            ValueError: for audio that is not audio, or a bandwidth that the model does not have.
        """
        audio_.check(audio, self.config.channels)
        n_q = self._n_q(bandwidth)
        audio = audio.to(next(self.parameters()))
        pieces = list(tqdm(self._encoded(audio, n_q), "encoding", self._seconds(audio.shape[-1]),
                           unit="s", disable=not progress))  # fmt: skip
        codes = torch.cat([codes for codes, _ in pieces], dim=2)
        scales = [scale.view(-1, 1) for _, scale in pieces if scale is not None]
        return codes, torch.cat(scales, dim=1) if scales else None

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
            scales: [B, n_chunks], as `encode_scaled` returned them; None for other models.
            length: samples to return; codes come in whole frames, and only the caller knows
                how many samples of the last frame were real.
            progress: show a bar, one step per second of sound.

        Shape:
            [B, C, T' * hop_length], or [B, C, length]

        Raises:
            ValueError: for codes or scales of another model's kind, or too few for `length`.
        """
        self._check_codes(codes, scales)
        codes = codes.to(next(self.parameters()).device, torch.int64)
        seconds = self._seconds(codes.shape[2] * self.config.hop_length)
        chunks = list(tqdm(self._decoded(codes, scales), "decoding", seconds,
                           unit="s", disable=not progress))  # fmt: skip
        stride = self.config.segment_stride
        audio = torch.cat(chunks, dim=-1) if stride is None else overlap_add(chunks, stride)
        if length is not None and not 1 <= length <= audio.shape[-1]:
            raise ValueError(
                f"these codes hold 1 to {audio.shape[-1]} samples, but {length} were asked for."
            )
        return audio[..., :length]

    def forward(self, audio: Tensor, bandwidth: float | None = None) -> Trained:
        """One differentiable pass, for training; in training mode the codebooks learn too.

        Shape:
            audio: [B, C, T], at most one chunk long where the model codes in chunks.

        Raises:
            ValueError: as `encode_scaled`, or for more than one chunk.
        """
        audio_.check(audio, self.config.channels)
        if self.config.segment_length is not None and audio.shape[-1] > self.config.segment_length:
            raise ValueError(
                f"this model trains on chunks of at most {self.config.segment_length} samples, "
                f"but this clip has {audio.shape[-1]}."
            )
        audio = audio.to(next(self.parameters()))
        scale = self._loudness(audio)
        latents = self.encoder(audio if scale is None else audio / scale)
        quantized, codes, commitment = self.quantizer(latents, self._n_q(bandwidth))
        output = self.decoder(quantized)[..., : audio.shape[-1]]
        return Trained(output if scale is None else output * scale, codes, commitment)

    @torch.no_grad()
    def stream_encode(
        self,
        audio: Tensor,
        state: State | None = None,
        bandwidth: float | None = None,
        last: bool = False,
    ) -> tuple[Tensor, State]:
        """Codes of the next chunk of a clip; together the same as `encode` of the whole.

        Args:
            audio: [B, C, T], of any length, also empty.
            state: what the call before returned; None begins a clip. It is yours: one codec can
                serve many clips at once.
            last: this chunk ends the clip.

        Shape:
            codes [B, K, N] int64, N frames that are now certain, often 0 or 1

        Raises:
            ValueError: as `encode_scaled`, or for a model that cannot stream.
        """
        self._check_streams()
        if audio.numel():
            audio_.check(audio, self.config.channels)
        latents, state = self.encoder.stream(audio.to(next(self.parameters())), state, last)
        return self.quantizer.encode(latents, self._n_q(bandwidth)), state

    @torch.no_grad()
    def stream_decode(
        self, codes: Tensor, state: State | None = None, last: bool = False
    ) -> tuple[Tensor, State]:
        """Audio of the next frames of a clip; together the same as `decode` of all.

        Args:
            codes: [B, K, N], of any number of frames.
            state, last: as for `stream_encode`.

        Shape:
            audio [B, C, T]; with zero padding T = N * hop_length

        Raises:
            ValueError: as `decode`, or for a model that cannot stream.
        """
        self._check_streams()
        if codes.numel():
            self._check_codes(codes, None)
        codes = codes.to(next(self.parameters()).device, torch.int64)
        return self.decoder.stream(self.quantizer.decode(codes), state, last)

    def _encoded(self, audio: Tensor, n_q: int) -> Iterator[tuple[Tensor, Tensor | None]]:
        """Codes and loudness, piece by piece."""
        rate, length = self.config.sample_rate, audio.shape[-1]
        if self.config.streams and length > rate:
            state = None
            for start in range(0, length, rate):
                piece = audio[..., start : start + rate]
                latents, state = self.encoder.stream(piece, state, start + rate >= length)
                yield self.quantizer.encode(latents, n_q), None
            return
        for start, end in self.config.chunks(length):
            chunk = audio[..., start:end]
            scale = self._loudness(chunk)
            latents = self.encoder(chunk if scale is None else chunk / scale)
            yield self.quantizer.encode(latents, n_q), scale

    def _decoded(self, codes: Tensor, scales: Tensor | None) -> Iterator[Tensor]:
        """Audio, piece by piece."""
        rate, frames = self.config.frame_rate, codes.shape[2]
        if self.config.streams and frames > rate:
            state = None
            for start in range(0, frames, rate):
                latents = self.quantizer.decode(codes[..., start : start + rate])
                audio, state = self.decoder.stream(latents, state, start + rate >= frames)
                yield audio
            return
        for index, chunk in enumerate(codes.split(self.config.chunk_frames(frames), dim=2)):
            audio = self.decoder(self.quantizer.decode(chunk))
            if scales is not None:
                audio = audio * scales[:, index].to(audio).view(-1, 1, 1)
            yield audio

    def _seconds(self, length: int) -> int:
        return -(-length // self.config.sample_rate)

    def _check_streams(self) -> None:
        if not self.config.streams:
            raise ValueError(
                "this model cannot stream sample by sample: it is not causal, or codes chunks of "
                f"{self.config.segment} s. Use encode_scaled and decode."
            )

    def _n_q(self, bandwidth: float | None) -> int:
        return self.config.max_n_q if bandwidth is None else self.config.n_q(bandwidth)

    def _loudness(self, chunk: Tensor) -> Tensor | None:
        """Root mean square of the mono mix, [B, 1, 1]; the small constant saves silence."""
        if not self.config.normalize:
            return None
        mono = chunk.mean(dim=1, keepdim=True)
        return 1e-8 + mono.pow(2).mean(dim=2, keepdim=True).sqrt()

    def _check_codes(self, codes: Tensor, scales: Tensor | None) -> None:
        limit, most = self.config.codebook_size, self.config.max_n_q
        if not isinstance(codes, Tensor) or codes.dim() != 3 or codes.dtype not in _INTEGERS:
            raise ValueError(
                "codes are an integer tensor [B, K, T], but this is "
                + (
                    f"{list(codes.shape)} of {str(codes.dtype)[6:]}."
                    if isinstance(codes, Tensor)
                    else f"a {type(codes).__name__}."
                )
            )
        if codes.numel() == 0 or codes.shape[1] > most:
            raise ValueError(
                f"codes need at least one frame and 1 to {most} levels, but their shape is "
                f"{list(codes.shape)}."
            )
        if codes.min() < 0 or codes.max() >= limit:
            raise ValueError(
                f"codes lie between 0 and {limit - 1}, but these reach from {int(codes.min())} to "
                f"{int(codes.max())}."
            )
        if (scales is not None) != self.config.normalize:
            raise ValueError(
                "this model needs the scales that encode_scaled returned beside the codes."
                if self.config.normalize
                else "this model does not rescale, so it takes no scales."
            )
        if scales is not None:
            expected = [codes.shape[0], len(self.config.chunk_frames(codes.shape[2]))]
            if not isinstance(scales, Tensor) or list(scales.shape) != expected:
                found = list(scales.shape) if isinstance(scales, Tensor) else type(scales).__name__
                raise ValueError(f"these codes need scales {expected}, not {found}.")
            if not torch.isfinite(scales).all():
                raise ValueError("these scales hold NaN or infinite values.")


def overlap_add(chunks: list[Tensor], stride: int) -> Tensor:
    """Join chunks that start `stride` samples apart, cross-fading where they overlap.

    Every chunk is weighted with a triangle that never reaches zero, and the sum is divided by the
    sum of the weights: where one chunk is alone this changes nothing, where two meet it fades.

    Shape:
        chunks: n × [B, C, L], of which the last ones may be shorter → [B, C, where the last ends]

    >>> overlap_add([torch.ones(1, 1, 4), torch.ones(1, 1, 4)], stride=3)
    tensor([[[1., 1., 1., 1., 1., 1., 1.]]])
    """
    length = chunks[0].shape[-1]
    ramp = torch.linspace(0, 1, length + 2, device=chunks[0].device, dtype=chunks[0].dtype)[1:-1]
    weight = 0.5 - (ramp - 0.5).abs()
    # The last chunk may end before the one that it overlaps; the official code fails there.
    total = max(index * stride + chunk.shape[-1] for index, chunk in enumerate(chunks))
    out = chunks[0].new_zeros(*chunks[0].shape[:-1], total)
    weights = chunks[0].new_zeros(total)
    for index, chunk in enumerate(chunks):
        start, size = index * stride, chunk.shape[-1]
        out[..., start : start + size] += weight[:size] * chunk
        weights[start : start + size] += weight[:size]
    return out / weights
