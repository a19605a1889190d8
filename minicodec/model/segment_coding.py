"""Support: coding in segments, each divided by its loudness if the model wants it so.

What a codec that cannot stream layer by layer does instead: it collects a segment, codes it as a
whole, and cross-fades what it decodes with the segment before.

Paper: section 3.1.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from minicodec.model.config import CodecConfig
from minicodec.model.segments import Fade, cross_fade


class SegmentedState(NamedTuple):
    """What decoding in segments remembers: codes that may not be a whole segment yet."""

    codes: Tensor  #: [B, K, n]
    scales: Tensor | None  #: [B, m]
    fade: Fade | None


def normalized(config: CodecConfig, audio: Tensor) -> tuple[Tensor, Tensor | None]:
    """Audio over its loudness, and that loudness; None, and as it was, if the model does not ask.

    Loudness is the root mean square of the mono mix. The small constant saves silence.

    Shape:
        audio: [B, C, T] → the same, and [B, 1, 1]
    """
    if not config.normalize:
        return audio, None
    mono = audio.mean(dim=1, keepdim=True)
    scale = 1e-8 + mono.pow(2).mean(dim=2, keepdim=True).sqrt()
    return audio / scale, scale


def encode_segments(
    config: CodecConfig,
    encode: Callable[[Tensor], Tensor],
    audio: Tensor,
    state: Tensor | None,
    last: bool,
) -> tuple[list[Tensor], Tensor | None, Tensor]:
    """Codes and scales of the segments that are whole now, and the samples that are left.

    Args:
        encode: audio [B, C, T] of one segment → codes [B, K, N].
        state: samples [B, C, T] that were left the last time.

    Returns:
        codes of each segment, scales [B, segments] or None, and the new state.
    """
    if state is not None:
        audio = torch.cat([state, audio], dim=-1)
    segments, rest = config.segments.cut(audio, last)
    codes, scales = [], [audio.new_zeros(len(audio), 0)]
    for segment in segments:
        segment, scale = normalized(config, segment)
        codes.append(encode(segment))
        if scale is not None:
            scales.append(scale.view(-1, 1))
    return codes, torch.cat(scales, 1) if config.normalize else None, rest


def decode_segments(
    config: CodecConfig,
    decode: Callable[[Tensor], Tensor],
    codes: Tensor,
    state: SegmentedState | None,
    last: bool,
    scales: Tensor | None,
) -> tuple[Tensor, SegmentedState]:
    """Audio of the segments that are whole now, and what is left.

    Args:
        decode: codes [B, K, N] of one segment → audio [B, C, T].

    Raises:
        ValueError: if a segment's codes came before its scale.
    """
    fade = None
    if state is not None:
        fade = state.fade
        codes = torch.cat([state.codes, codes], dim=2)
        if scales is None:
            scales = state.scales
        elif state.scales is not None:
            scales = torch.cat([state.scales, scales], dim=1)
    frames = config.segments.divide(codes.shape[2], last)
    pieces = [codes.new_zeros(len(codes), config.channels, 0, dtype=torch.float32)]
    for index, segment in enumerate(codes[..., : sum(frames)].split(frames, dim=2)):
        audio = decode(segment)
        if config.normalize:
            if scales is None or not scales.shape[1]:
                raise ValueError("a segment's codes came before its scale.")
            audio = audio * scales[:, :1, None].to(audio)
            scales = scales[:, 1:]
        if config.segment:
            ends = last and index == len(frames) - 1
            audio, fade = cross_fade(audio, fade, config.segments.stride, ends)
        pieces.append(audio)
    return torch.cat(pieces, -1), SegmentedState(codes[..., sum(frames) :], scales, fade)


def check_scales(config: CodecConfig, codes: Tensor, scales: Tensor | None) -> None:
    """Refuse scales that cannot belong to these codes.

    Raises:
        ValueError: naming what was expected.
    """
    if (scales is not None) != config.normalize:
        raise ValueError(
            "this model needs the scales that encode_scaled returned beside the codes."
            if config.normalize
            else "this model does not rescale, so it takes no scales."
        )
    if scales is not None:
        expected = [codes.shape[0], len(config.segments.divide(codes.shape[2]))]
        if not isinstance(scales, Tensor) or list(scales.shape) != expected:
            found = list(scales.shape) if isinstance(scales, Tensor) else type(scales).__name__
            raise ValueError(f"these codes need scales {expected}, not {found}.")
        if not torch.isfinite(scales).all():
            raise ValueError("these scales hold NaN or infinite values.")
