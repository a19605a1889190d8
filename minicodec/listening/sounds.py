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

from minicodec.sound import audio as audio_

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

    def item(self) -> str:
        """A list item that plays without any script."""
        label = html.escape(self.label)
        facts = f'<span class="mc-facts">{html.escape(self.facts)}</span>' if self.facts else ""
        data = base64.b64encode(self.flac).decode()
        return (
            f'<li><span class="mc-label">{label}</span>{facts}'
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
    if match_loudness:
        first, *_ = clips
        target = loudness(clips[first], sample_rate)
        clips = {
            label: clip * _gain(target - loudness(clip, sample_rate))
            for label, clip in clips.items()
        }
        notes.append(f"all brought to the loudness of “{first}”")
    peak = max(float(clip.abs().max()) for clip in clips.values())
    if peak > 1:
        notes.append(f"all turned down by {20 * np.log10(peak):.1f} dB")
    packed = [
        Sound(
            str(label),
            flac(clip / max(1.0, peak), sample_rate),
            clip.shape[-1] / sample_rate,
            _facts(conditions[label]),
        )
        for label, clip in clips.items()
    ]
    return packed, "; ".join(notes)


def loudness(clip: Tensor, sample_rate: int) -> float:
    """Loudness in LUFS as in ITU-R BS.1770, over the whole clip without its gates.

    The recommendation's two filters (a shelf for the head, a high-pass for the ear) are applied as
    weights on the power spectrum, so any sample rate will do. What lies below -70 LUFS, where the
    recommendation's gate closes, counts as silence: -inf.

    Shape:
        clip: [C, T]

    >>> tone = torch.sin(2 * torch.pi * 997 * torch.arange(48000) / 48000)[None]
    >>> round(loudness(tone, 48000), 1)
    -3.0
    """
    power = torch.fft.rfft(clip.double()).abs().square() / clip.shape[-1] ** 2
    power[:, 1:] *= 2  # the spectrum's other half
    # BS.1770-5, tables 1 and 2: coefficients for 48 kHz.
    z = torch.exp(-2j * torch.pi * torch.fft.rfftfreq(clip.shape[-1]).double() * sample_rate / 48e3)
    shelf = (1.53512485958697 - 2.69169618940638 * z + 1.19839281085285 * z**2) / (
        1 - 1.69065929318241 * z + 0.73248077421585 * z**2
    )
    high_pass = (1 - 2 * z + z**2) / (1 - 1.99004745483398 * z + 0.99007225036621 * z**2)
    weighted = float((power * (shelf * high_pass).abs().square()).sum())
    level = -0.691 + 10 * float(np.log10(max(weighted, 1e-12)))
    return level if level > -70 else -np.inf


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


def _gain(decibel: float) -> float:
    """Silence stays as it is: no gain would make it louder."""
    return float(10 ** (decibel / 20)) if np.isfinite(decibel) else 1.0


def _facts(condition: Condition) -> str:
    rate = "" if condition.kbps is None else f"{condition.kbps:#.3g}".rstrip(".") + " kbps"
    # Lines break between the facts, not inside one.
    parts = [part for part in (rate, condition.metric) if part]
    return ", ".join(part.replace(" ", "\N{NO-BREAK SPACE}") for part in parts)
