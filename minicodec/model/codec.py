"""The codec: encoder, quantizer and decoder behind two calls, `encode` and `decode`.

A codec also works chunk by chunk, with `stream_encode` and `stream_decode`; that is how long clips
are coded, so that memory does not grow with them.

Chapters 04 and 06. Paper: sections 3.1 and 3.2.
"""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor, nn
from tqdm import tqdm

from minicodec.model.config import CodecConfig
from minicodec.model.factorized import FactorizedQuantizer
from minicodec.model.quantize import ResidualVectorQuantizer, check_codes
from minicodec.model.seanet import Decoder, Encoder, State
from minicodec.model.segments import Fade, cross_fade
from minicodec.sound import audio as audio_

#: A clip is coded this much at a time: long enough to be fast, short enough to need little memory.
_SECONDS = 10


class Trained(NamedTuple):
    """What one training pass gives back."""

    audio: Tensor  #: [B, C, T], the reconstruction
    codes: Tensor  #: [B, K, T'] int64; K is 0 without the quantizer
    commitment: Tensor  #: scalar; 0 without the quantizer


class SegmentedState(NamedTuple):
    """What decoding in segments remembers: codes that may not be a whole segment yet."""

    codes: Tensor  #: [B, K, n]
    scales: Tensor | None  #: [B, m]
    fade: Fade | None


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
        learned = config.quantizer == "factorized"
        quantizer = FactorizedQuantizer if learned else ResidualVectorQuantizer
        self.quantizer = quantizer(config.dimension, config.max_n_q, config.codebook_size)

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
            scales: [B, n_chunks], as `encode_scaled` returned them; None for other models.
            length: samples to return; codes come in whole frames, and only the caller knows
                how many samples of the last frame were real.
            progress: show a bar, one step per second of sound.

        Shape:
            [B, C, T' * hop_length], or [B, C, length]

        Raises:
            ValueError: for codes or scales of another model's kind, or too few for `length`.
        """
        check_codes(codes, self.config.max_n_q, self.config.codebook_size)
        self._check_scales(codes, scales)
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
            ValueError: as `encode_scaled`, or for more than one chunk.
        """
        audio_.check(audio, self.config.channels)
        if 0 < self.config.segments.length < audio.shape[-1]:
            raise ValueError(
                f"this model trains on segments of at most {self.config.segments.length} samples, "
                f"but this clip has {audio.shape[-1]}."
            )
        audio = audio.to(next(self.parameters()))
        scale = self._loudness(audio)
        latents = self.encoder(audio if scale is None else audio / scale).to(audio)
        codes = latents.new_zeros(len(latents), 0, latents.shape[2], dtype=torch.int64)
        commitment = latents.new_zeros(())
        if quantize:
            # Codebooks are averages of thousands of latents: 8 bits of precision would not do.
            with torch.autocast(audio.device.type, enabled=False):
                latents, codes, commitment = self.quantizer(latents, self._n_q(bandwidth))
        output = self.decoder(latents)[..., : audio.shape[-1]].to(audio)
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
        state: State | None = None,
        bandwidth: float | None = None,
        last: bool = False,
    ) -> tuple[Tensor, Tensor | None, State]:
        """As `stream_encode`, with the loudness that each segment was divided by.

        A model that codes in segments gives codes whenever a segment is full.

        Shape:
            codes [B, K, N] int64; scales [B, segments that became full], or None for a model that
            does not rescale
        """
        n_q = self._n_q(bandwidth)
        self._check_streams(state, last)
        if audio.numel():
            audio_.check(audio, self.config.channels)
        audio = audio.to(next(self.parameters()))
        if self.config.streams:
            latents, state = self.encoder.stream(audio, state, last)
            return self.quantizer.encode(latents, n_q), None, state
        if state is not None:
            audio = torch.cat([state, audio], dim=-1)
        segments, rest = self.config.segments.cut(audio, last)
        codes = [torch.zeros(len(audio), n_q, 0, dtype=torch.int64, device=audio.device)]
        scales = [audio.new_zeros(len(audio), 0)]
        for segment in segments:
            scale = self._loudness(segment)
            latents = self.encoder(segment if scale is None else segment / scale)
            codes.append(self.quantizer.encode(latents, n_q))
            if scale is not None:
                scales.append(scale.view(-1, 1))
        return torch.cat(codes, 2), torch.cat(scales, 1) if self.config.normalize else None, rest

    @torch.no_grad()
    def stream_decode(
        self,
        codes: Tensor,
        state: State | None = None,
        last: bool = False,
        scales: Tensor | None = None,
    ) -> tuple[Tensor, State]:
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
        self._check_streams(state, last)
        if codes.numel():
            check_codes(codes, self.config.max_n_q, self.config.codebook_size)
        codes = codes.to(next(self.parameters()).device, torch.int64)
        if self.config.streams:
            return self.decoder.stream(self.quantizer.decode(codes), state, last)
        fade = None
        if state is not None:
            fade = state.fade
            codes = torch.cat([state.codes, codes], dim=2)
            if scales is None:
                scales = state.scales
            elif state.scales is not None:
                scales = torch.cat([state.scales, scales], dim=1)
        frames = self.config.segments.divide(codes.shape[2], last)
        stride = self.config.segments.stride
        pieces = [codes.new_zeros(len(codes), self.config.channels, 0, dtype=torch.float32)]
        for index, segment in enumerate(codes[..., : sum(frames)].split(frames, dim=2)):
            audio = self.decoder(self.quantizer.decode(segment))
            if self.config.normalize:
                if scales is None or not scales.shape[1]:
                    raise ValueError("a segment's codes came before its scale.")
                audio = audio * scales[:, :1, None].to(audio)
                scales = scales[:, 1:]
            if self.config.segment:
                audio, fade = cross_fade(audio, fade, stride, last and index == len(frames) - 1)
            pieces.append(audio)
        return torch.cat(pieces, -1), SegmentedState(codes[..., sum(frames) :], scales, fade)

    def _pieces(self, length: int, rate: int, progress: bool) -> Iterator[tuple[int, int]]:
        """First and end of each piece of a clip; of the whole, if the model needs it at once."""
        step = _SECONDS * rate if self.config.streams or self.config.segment else length
        with tqdm(total=-(-length // rate), disable=not progress, unit="s") as bar:
            for start in range(0, length, step):
                yield start, min(start + step, length)
                bar.update(min(start + step, length) // rate - start // rate)

    def _check_streams(self, state: State | None, last: bool) -> None:
        whole = state is None and last
        if not (self.config.streams or self.config.segment or whole):
            raise ValueError(
                "this model cannot stream: it is not causal, so it needs the whole clip at once. "
                "Use encode and decode."
            )

    def _n_q(self, bandwidth: float | None) -> int:
        return self.config.max_n_q if bandwidth is None else self.config.n_q(bandwidth)

    def _loudness(self, chunk: Tensor) -> Tensor | None:
        """Root mean square of the mono mix, [B, 1, 1]; the small constant saves silence."""
        if not self.config.normalize:
            return None
        mono = chunk.mean(dim=1, keepdim=True)
        return 1e-8 + mono.pow(2).mean(dim=2, keepdim=True).sqrt()

    def _check_scales(self, codes: Tensor, scales: Tensor | None) -> None:
        if (scales is not None) != self.config.normalize:
            raise ValueError(
                "this model needs the scales that encode_scaled returned beside the codes."
                if self.config.normalize
                else "this model does not rescale, so it takes no scales."
            )
        if scales is not None:
            expected = [codes.shape[0], len(self.config.segments.divide(codes.shape[2]))]
            if not isinstance(scales, Tensor) or list(scales.shape) != expected:
                found = list(scales.shape) if isinstance(scales, Tensor) else type(scales).__name__
                raise ValueError(f"these codes need scales {expected}, not {found}.")
            if not torch.isfinite(scales).all():
                raise ValueError("these scales hold NaN or infinite values.")
