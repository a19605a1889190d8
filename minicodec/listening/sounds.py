"""Support: what a player holds: sounds, checked, levelled with each other, packed without loss."""

import base64
import html
import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import soundfile
import torch
from torch import Tensor

from minicodec.listening.loudness import gain_to, loudness
from minicodec.sound import audio as audio_
from minicodec.sound.names import encodable

_HIGHEST_RATE = 655_350  # that FLAC can hold


class Condition(NamedTuple):
    """One version of a sound, with what is to be said about it."""

    audio: Tensor  #: [1, C, T], [C, T] or [T]
    kbps: float | None = None  #: measured bit rate
    metric: str = ""  #: a measure of quality in words, such as "SI-SDR 4.2 dB"


@dataclass(frozen=True)
class Sound:
    """One version as the page holds it."""

    label: str
    flac: bytes
    seconds: float
    facts: str
    gain: float  #: in dB, to the loudness of the first
    peak: float  #: its largest sample

    def item(self) -> str:
        """A list item that plays without any script, and reads right without any style."""
        label = html.escape(self.label)
        facts = ""
        if self.facts:
            facts = '<span class="mc-unstyled">: </span>'
            facts += f'<span class="mc-facts">{html.escape(self.facts)}</span>'
        data = base64.b64encode(self.flac).decode()
        return (
            f'<li><span class="mc-label">{label}</span>{facts}<br class="mc-unstyled">'
            f'<audio controls preload="metadata" aria-label="{label}, {self.seconds:.1f} seconds" '
            f'src="data:audio/flac;base64,{data}"></audio></li>'
        )


def prepare(
    sounds: Mapping[str, Tensor | Condition], sample_rate: int, match_loudness: bool = False
) -> tuple[list[Sound], str]:
    """Sounds for a player, and a note on what was done to their level, or "".

    Raises:
        ValueError: for no sounds, one that is not audio, naming its label, or an impossible rate.
    """
    if not sounds:
        raise ValueError("compare needs at least one sound: {'label': audio}.")
    if not isinstance(sample_rate, int) or not 1 <= sample_rate <= _HIGHEST_RATE:
        raise ValueError(
            f"the sample rate is an integer from 1 to {_HIGHEST_RATE} Hz, not {sample_rate!r}."
        )
    conditions = {
        label: each if isinstance(each, Condition) else Condition(each)
        for label, each in sounds.items()
    }
    clips = {label: _checked(label, each.audio) for label, each in conditions.items()}
    notes = []
    first, *others = clips
    target = loudness(clips[first], sample_rate)
    gains = {first: 0.0} | {label: gain_to(target, clips[label], sample_rate) for label in others}
    if match_loudness:
        clips = {label: clip * 10 ** (gains[label] / 20) for label, clip in clips.items()}
        gains = dict.fromkeys(clips, 0.0)
        notes.append(encodable(f"all brought to the loudness of “{first}”"))
    peak = max(float(clip.abs().max()) for clip in clips.values())
    if peak > 1:
        notes.append(f"all turned down by {20 * np.log10(peak):.1f} dB")
        clips = {label: clip / peak for label, clip in clips.items()}
    packed = [
        Sound(
            encodable(str(label)),
            flac(clip, sample_rate),
            clip.shape[-1] / sample_rate,
            _facts(conditions[label]),
            gains[label],
            float(clip.abs().max()),
        )
        for label, clip in clips.items()
    ]
    return packed, "; ".join(notes)


def flac(clip: Tensor, sample_rate: int) -> bytes:
    """A clip [C, T] as a FLAC file of 16 bits."""
    buffer = io.BytesIO()
    soundfile.write(buffer, clip.numpy().T, sample_rate, format="FLAC", subtype="PCM_16")
    return buffer.getvalue()


def _checked(label: str, clip: Tensor) -> Tensor:
    try:
        clip = torch.as_tensor(clip).detach().cpu()
        while clip.dim() < 3:
            clip = clip[None]
        audio_.check(clip)
    except (ValueError, TypeError, RuntimeError) as error:
        raise ValueError(f"{label!r} cannot be played: {error}") from error
    if clip.shape[0] != 1:
        raise ValueError(f"{label!r} is a batch of {clip.shape[0]} clips: choose one.")
    if clip.shape[1] > 2:
        raise ValueError(f"{label!r} has {clip.shape[1]} channels; mono and stereo can be played.")
    return clip.float()[0]


def _facts(condition: Condition) -> str:
    rate = "" if condition.kbps is None else f"{condition.kbps:#.3g}".rstrip(".") + " kbps"
    # Lines break between the facts, not inside one.
    parts = [part for part in (rate, condition.metric) if part]
    return ", ".join(part.replace(" ", "\N{NO-BREAK SPACE}") for part in parts)
