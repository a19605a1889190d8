"""The codec: encoder, quantizer and decoder behind two calls, `encode` and `decode`.

Chapter 06. Paper: sections 3.1, 3.2 and 4.1. Three configurations: the paper's two, down to the
last padding sample, and `MINI_24KHZ`, ours, small enough to train on a laptop.
"""

import math
from bisect import bisect_left
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from minicodec import audio as audio_
from minicodec.conv import Norm, PadMode
from minicodec.quantize import ResidualVectorQuantizer
from minicodec.seanet import Decoder, Encoder


@dataclass(frozen=True)
class CodecConfig:
    """Everything that has to be known to build a codec; it checks itself.

    Args:
        sample_rate: in Hz.
        channels: 1 or 2.
        bandwidths: in kbps, rising; the last one uses all codebooks.
        n_filters, dimension, strides, n_residual_layers, lstm_layers, causal, norm, pad_mode: as
            in `minicodec.seanet.Encoder`.
        codebook_size: a power of two, so that a code is a whole number of bits.
        segment: seconds per chunk, each coded alone and cross-faded; None codes the clip as one.
        overlap: share of a chunk that is cross-faded with the next.
        normalize: divide each chunk by its loudness, and send that as one number beside the codes.

    Raises:
        ValueError: naming the field that does not fit.

    >>> CodecConfig(bandwidths=(1.5, 3.0)).n_q(3.0)
    4
    """

    sample_rate: int = 24000
    channels: int = 1
    bandwidths: tuple[float, ...] = (1.5, 3.0, 6.0, 12.0, 24.0)
    n_filters: int = 32
    dimension: int = 128
    strides: tuple[int, ...] = (2, 4, 5, 8)
    n_residual_layers: int = 1
    lstm_layers: int = 2
    codebook_size: int = 1024
    causal: bool = True
    norm: Norm = "weight_norm"
    pad_mode: PadMode = "constant"
    segment: float | None = None
    overlap: float = 0.01
    normalize: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "bandwidths", tuple(float(b) for b in self.bandwidths))
        object.__setattr__(self, "strides", tuple(self.strides))
        positive = ("sample_rate", "n_filters", "dimension", "codebook_size", "n_residual_layers")
        # A config may come from a stranger's file, so the types are checked before the values are.
        for name in ("channels", "lstm_layers", *positive):
            if type(getattr(self, name)) is not int:
                raise ValueError(f"a codec's {name} is an integer, but this config is {self}.")
        checks = {
            "channels is 1 (mono) or 2 (stereo)": self.channels in (1, 2),
            "bandwidths are positive and rising": len(self.bandwidths) > 0
            and 0 < self.bandwidths[0] <= self.bandwidths[-1] < math.inf
            and list(self.bandwidths) == sorted(set(self.bandwidths)),
            "strides are integers of at least 1": len(self.strides) > 0
            and all(type(s) is int and s >= 1 for s in self.strides),
            "n_filters is even, since residual blocks halve it": self.n_filters % 2 == 0,
            "lstm_layers is 0 or more": self.lstm_layers >= 0,
            "codebook_size is a power of two, at least 2": self.codebook_size >= 2
            and self.codebook_size.bit_count() == 1,
            "norm is 'none', 'weight_norm' or 'time_group_norm'": self.norm
            in ("none", "weight_norm", "time_group_norm"),
            "time_group_norm needs causal=False": not (
                self.causal and self.norm == "time_group_norm"
            ),
            "time_group_norm needs n_filters of at least 4, to have a variance": not (
                self.norm == "time_group_norm" and self.n_filters < 4
            ),
            "pad_mode is 'constant' or 'reflect'": self.pad_mode in ("constant", "reflect"),
            "segment is None or positive, and at least one hop": self.segment is None
            or self.hop_length <= self.segment * self.sample_rate < math.inf,
            "overlap is at least 0 and below 1": 0 <= self.overlap < 1,
        } | {f"{name} is at least 1": getattr(self, name) >= 1 for name in positive}
        for rule, holds in checks.items():
            if not holds:
                raise ValueError(f"a codec's {rule}, but this config is {self}.")

    @property
    def hop_length(self) -> int:
        """Samples per frame."""
        return math.prod(self.strides)

    @property
    def frame_rate(self) -> int:
        """Frames per second of audio, rounded up."""
        return -(-self.sample_rate // self.hop_length)  # in integers: exact for any size

    @property
    def bits(self) -> int:
        """Bits per code."""
        return (self.codebook_size - 1).bit_length()

    @property
    def max_n_q(self) -> int:
        """Number of codebooks: what the highest bandwidth pays for."""
        return self.n_q(self.bandwidths[-1])

    @property
    def segment_length(self) -> int | None:
        """Samples per chunk, or None where a clip is coded as one."""
        return None if self.segment is None else int(self.segment * self.sample_rate)

    @property
    def segment_stride(self) -> int | None:
        """Samples from the start of one chunk to the start of the next."""
        if self.segment_length is None:
            return None
        return max(1, int((1 - self.overlap) * self.segment_length))

    def n_q(self, bandwidth: float) -> int:
        """Codebooks that `bandwidth` kbps pay for.

        Raises:
            ValueError: if this is not one of `bandwidths`.
        """
        if bandwidth not in self.bandwidths:
            known = ", ".join(f"{b:g}" for b in self.bandwidths)
            raise ValueError(f"bandwidth must be one of {known} kbps, but {bandwidth} was given.")
        return max(1, int(bandwidth * 1000 // (self.bits * self.frame_rate)))

    def chunks(self, length: int) -> list[tuple[int, int]]:
        """First sample and end of each chunk of a clip of `length` samples.

        >>> ENCODEC_48KHZ.chunks(60000)
        [(0, 48000), (47520, 60000)]
        """
        if self.segment_length is None or self.segment_stride is None:
            return [(0, length)]
        starts = range(0, length, self.segment_stride)
        return [(i, min(i + self.segment_length, length)) for i in starts]

    def chunk_frames(self, frames: int) -> list[int]:
        """How `frames` frames of a clip are divided among its chunks.

        The last two chunks may both be short: of 47521 samples at 48 kHz the second chunk gets one
        sample, and the first is 479 samples short of a second. But a longer clip never has fewer
        frames in any chunk, so the shortest clip that gives this many frames shows the division.

        Raises:
            ValueError: if no clip gives this many frames.

        >>> ENCODEC_48KHZ.chunk_frames(150), ENCODEC_48KHZ.chunk_frames(192)
        ([149, 1], [150, 42])
        """
        if self.segment_length is None:
            return [frames]
        lengths = range(1, frames * self.hop_length + 1)
        shortest = lengths[bisect_left(lengths, frames, key=lambda n: sum(self._frames(n)))]
        if sum(self._frames(shortest)) != frames:
            raise ValueError(f"no clip of this model has {frames} frames.")
        return self._frames(shortest)

    def _frames(self, length: int) -> list[int]:
        return [math.ceil((end - start) / self.hop_length) for start, end in self.chunks(length)]


#: The paper's streamable model: mono, causal, 75 frames a second.
ENCODEC_24KHZ = CodecConfig(pad_mode="reflect")

#: The paper's music model: stereo, 150 frames a second, chunks of one second.
ENCODEC_48KHZ = CodecConfig(
    sample_rate=48000,
    channels=2,
    bandwidths=(3.0, 6.0, 12.0, 24.0),
    causal=False,
    norm="time_group_norm",
    pad_mode="reflect",
    segment=1.0,
    normalize=True,
)

#: Ours: half the filters (table A.3: costs 0.03 ViSQOL), half the latent; pads with zeros, so
#: that it streams from the first sample on.
MINI_24KHZ = CodecConfig(bandwidths=(1.5, 3.0, 6.0, 12.0), n_filters=16, dimension=64)


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
        self, audio: Tensor, bandwidth: float | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """Codes, and the loudness that each chunk was divided by.

        Shape:
            audio: [B, C, T] → codes [B, K, T'] int64, scales [B, n_chunks], or None for a model
            that does not rescale.

        Raises:
            ValueError: for audio that is not audio, or a bandwidth that the model does not have.
        """
        audio_.check(audio, self.config.channels)
        n_q = self._n_q(bandwidth)
        audio = audio.to(next(self.parameters()))
        codes, scales = [], []
        for chunk in self._chunks(audio):
            scale = self._loudness(chunk)
            latents = self.encoder(chunk if scale is None else chunk / scale)
            codes.append(self.quantizer.encode(latents, n_q))
            scales.append(scale)
        if not self.config.normalize:
            return torch.cat(codes, dim=2), None
        return torch.cat(codes, dim=2), torch.cat(
            [s.view(-1, 1) for s in scales if s is not None], 1
        )

    @torch.no_grad()
    def decode(
        self, codes: Tensor, scales: Tensor | None = None, length: int | None = None
    ) -> Tensor:
        """Audio from codes.

        Args:
            codes: [B, K, T'] int64, of the first K levels, as `encode` returned them.
            scales: [B, n_chunks], as `encode_scaled` returned them; None for other models.
            length: samples to return; codes come in whole frames, and only the caller knows
                how many samples of the last frame were real.

        Shape:
            [B, C, T' * hop_length], or [B, C, length]

        Raises:
            ValueError: for codes or scales of another model's kind, or too few for `length`.
        """
        self._check_codes(codes, scales)
        codes = codes.to(next(self.parameters()).device, torch.int64)
        chunks = []
        for index, chunk in enumerate(codes.split(self.config.chunk_frames(codes.shape[2]), dim=2)):
            audio = self.decoder(self.quantizer.decode(chunk))
            if scales is not None:
                audio = audio * scales[:, index].to(audio).view(-1, 1, 1)
            chunks.append(audio)
        audio = chunks[0]
        if self.config.segment_stride is not None:
            audio = overlap_add(chunks, self.config.segment_stride)
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

    def _n_q(self, bandwidth: float | None) -> int:
        return self.config.max_n_q if bandwidth is None else self.config.n_q(bandwidth)

    def _chunks(self, audio: Tensor) -> list[Tensor]:
        return [audio[..., i:j] for i, j in self.config.chunks(audio.shape[-1])]

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
