"""Hear two versions of a sound side by side, in a notebook or on a page with no kernel.

    compare({"original": x, "6 kbps": y}, sample_rate=24000)

shows a list of labelled players. Each holds its sound inside the page, as lossless FLAC, so nothing
is fetched and nothing has to be installed to listen.
"""

import base64
import html
import io
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import soundfile
import torch
from torch import Tensor

from minicodec import audio as audio_

_STYLE = """
.minicodec-compare { margin: 1em 0; max-width: 40em; }
.minicodec-compare figcaption { font-weight: 600; margin-bottom: .4em; }
.minicodec-compare ol { list-style: none; margin: 0; padding: 0; }
.minicodec-compare li { display: flex; flex-wrap: wrap; align-items: center; gap: .2em 1em;
  padding: .35em 0; border-top: 1px solid rgba(128, 128, 128, .35); }
.minicodec-compare .label { flex: 1 1 9em; min-width: 7em; }
.minicodec-compare audio { flex: 2 1 15em; min-width: 0; max-width: 24em; height: 2.4em; }
"""


class Comparison:
    """Sounds with labels; shows itself as players in a notebook, and saves itself as a page."""

    def __init__(self, sounds: Mapping[str, tuple[bytes, float]], title: str):
        self.sounds = dict(sounds)
        self.title = title

    def _repr_html_(self) -> str:
        """One self-contained fragment: no script, no style from elsewhere, nothing to fetch."""
        rows = []
        for label, (flac, seconds) in self.sounds.items():
            label, data = html.escape(str(label)), base64.b64encode(flac).decode()
            rows.append(
                f'<li><span class="label">{label}</span>'
                f'<audio controls preload="metadata" aria-label="{label}, {seconds:.1f} seconds" '
                f'src="data:audio/flac;base64,{data}"></audio></li>'
            )
        caption = f"<figcaption>{html.escape(self.title)}</figcaption>" if self.title else ""
        return (
            f'<figure class="minicodec-compare" role="group" aria-label="'
            f'{html.escape(self.title or "Listen and compare")}"><style>{_STYLE}</style>'
            f"{caption}<ol>{''.join(rows)}</ol></figure>"
        )

    def __repr__(self) -> str:
        size = sum(len(flac) for flac, _ in self.sounds.values())
        return f"Comparison of {', '.join(map(str, self.sounds))} ({size / 1000:.0f} kB of FLAC)"

    def save(self, file: str | Path, intro: str = "") -> Path:
        """Write a page of its own that plays anywhere, from disk, without a network.

        Args:
            intro: a sentence to stand above the players.
        """
        title = html.escape(self.title or "Listen and compare")
        page = (
            f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            "<style>:root { color-scheme: light dark; } body { font: 1rem/1.5 system-ui, "
            "sans-serif; margin: 2rem auto; padding: 0 1rem; max-width: 44rem; }</style>"
            f"<main><h1>{title}</h1><p>{html.escape(intro)}</p>{self._repr_html_()}</main></html>"
        )
        part = Path(file).with_name(f".{Path(file).name}.part")
        try:
            part.write_text(page, encoding="utf-8")
            part.replace(file)
        finally:
            part.unlink(missing_ok=True)
        return Path(file)


def compare(sounds: Mapping[str, Tensor], sample_rate: int, title: str = "") -> Comparison:
    """Players for several versions of one sound, in the order given.

    All sounds keep their level relative to each other. If any is louder than full scale, all are
    turned down by the same factor, and the title says so.

    Args:
        sounds: label → audio, [1, C, T], [C, T] or [T].
        sample_rate: in Hz, of all of them.
        title: shown above the players.

    Raises:
        ValueError: for no sounds, or one that is not audio, naming its label.

    >>> compare({"a tone": torch.sin(torch.arange(24000) * 0.1)}, 24000)
    Comparison of a tone (... kB of FLAC)
    """
    if not sounds:
        raise ValueError("compare needs at least one sound: {'label': audio}.")
    clips = {}
    for label, clip in sounds.items():
        try:
            clip = torch.as_tensor(clip).detach().cpu()
            while clip.dim() < 3:
                clip = clip[None]
            audio_.check(clip)
        except (ValueError, TypeError, RuntimeError) as error:
            raise ValueError(f"{label!r} cannot be played: {error}") from error
        clip = clip.float()
        if clip.shape[0] != 1:
            raise ValueError(f"{label!r} is a batch of {clip.shape[0]} clips: choose one.")
        clips[label] = clip[0]
    peak = max(float(clip.abs().max()) for clip in clips.values())
    if peak > 1:
        title = f"{title} (all turned down by {20 * np.log10(peak):.1f} dB)".strip()
    return Comparison(
        {
            label: (_flac(clip / max(1.0, peak), sample_rate), clip.shape[-1] / sample_rate)
            for label, clip in clips.items()
        },
        title,
    )


def _flac(clip: Tensor, sample_rate: int) -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, clip.numpy().T, sample_rate, format="FLAC", subtype="PCM_16")
    return buffer.getvalue()
