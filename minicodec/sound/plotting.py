"""Support: pictures of sound, drawn one way in the whole book.

Colours are told apart by readers with any kind of colour vision (Okabe and Ito's palette), and
backgrounds are transparent with mid-grey text, so that figures sit on light and dark pages.
"""

import json
from collections.abc import Mapping, Sequence
from itertools import cycle
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from minicodec.sound.drawing import COLORS
from minicodec.sound.names import encodable
from minicodec.sound.spectral import decibel, hz_to_mel, mel_spectrogram, stft

_GREY = "#7a7a7a"


def use_style() -> None:
    """Set matplotlib's defaults for the book: call once at the top of a notebook."""
    style: dict[str, Any] = (
        {
            "axes.prop_cycle": plt.cycler(color=COLORS),
            "figure.facecolor": "none",
            "axes.facecolor": "none",
            "savefig.facecolor": "none",
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.grid": True,
            "axes.axisbelow": True,
            "grid.alpha": 0.3,
            "figure.dpi": 110,
            "figure.figsize": (8, 2.6),
            "figure.constrained_layout.use": True,
            "font.size": 10,
            "image.cmap": "magma",
            "legend.framealpha": 0,
        }
        | {
            key: _GREY
            for key in (
                "text.color",
                "axes.labelcolor",
                "axes.edgecolor",
                "xtick.color",
                "ytick.color",
                "grid.color",
            )
        }  # fmt: skip
    )
    plt.rcParams.update(style)  # type: ignore[arg-type]


def as_text(label: object) -> str:
    r"""A label that is drawn as it is, though it holds dollars.

    What stands between two of them matplotlib takes for a formula: it would show other letters, or
    raise when the picture is saved, for not everything is one.

    >>> print(as_text("$5 or $6"))
    \$5 or \$6
    """
    return encodable(str(label)).replace("$", r"\$")


def waveform(
    audio: Tensor, sample_rate: int, ax: Axes | None = None, label: str | None = None
) -> Axes:
    """Amplitude over time.

    Args:
        audio: one clip, [1, C, T], [C, T] or [T]; only the first channel is drawn.
        ax: where to draw; a new figure by default.
    """
    ax = plt.subplots()[1] if ax is None else ax
    samples = _first_channel(audio)
    shown = None if label is None else as_text(label)
    ax.plot(np.arange(len(samples)) / sample_rate, samples, linewidth=0.6, label=shown)
    ax.set(xlabel="time (s)", ylabel="amplitude")
    ax.margins(x=0)
    return ax


def spectrogram(
    audio: Tensor,
    sample_rate: int,
    ax: Axes | None = None,
    *,
    n_fft: int = 1024,
    n_mels: int | None = 128,
    title: str = "",
    colorbar: bool = True,
) -> Axes:
    """Loudness, in dB, of every pitch at every moment.

    Args:
        audio: one clip, [1, C, T], [C, T] or [T]; only the first channel is drawn.
        n_mels: bands on the mel scale; None draws plain frequency instead.
        title: above the picture.
    """
    ax = plt.subplots()[1] if ax is None else ax
    clip = torch.from_numpy(_first_channel(audio).copy())
    if n_mels is None:
        image = decibel(stft(clip, n_fft).abs())
        top, ticks = sample_rate / 2, [0, 2000, 4000, 6000, 8000, 10000, 12000]
        places = [float(tick) for tick in ticks]
    else:
        image = decibel(mel_spectrogram(clip, sample_rate, n_fft, n_mels=n_mels))
        top, ticks = float(hz_to_mel(sample_rate / 2)), [0, 500, 1000, 2000, 4000, 8000, 16000]
        places = [float(hz_to_mel(float(tick))) for tick in ticks]
    shown = [(place, tick) for place, tick in zip(places, ticks) if place <= top]
    seconds = len(clip) / sample_rate
    mesh = ax.imshow(
        image.numpy(), origin="lower", aspect="auto", extent=(0, seconds, 0, top), vmin=-80, vmax=20
    )
    ax.set(xlabel="time (s)", ylabel="frequency (Hz)", title=as_text(title))
    ax.set_yticks([place for place, _ in shown], [f"{tick}" for _, tick in shown])
    ax.grid(False)
    if colorbar:
        ax.figure.colorbar(mesh, ax=ax, label="dB")
    return ax


def spectrograms(clips: Mapping[str, Tensor], sample_rate: int, *, n_mels: int = 128) -> Figure:
    """Spectrograms of several versions of one sound, one above the other."""
    figure, axes = plt.subplots(len(clips), 1, figsize=(8, 2.1 * len(clips)), squeeze=False)
    for ax, (label, clip) in zip(axes[:, 0], clips.items()):
        spectrogram(clip, sample_rate, ax, n_mels=n_mels, title=label)
        if ax is not axes[-1, 0]:
            ax.set_xlabel("")
    return figure


def curve(
    x: Sequence[float],
    ys: Mapping[str, Sequence[float]],
    *,
    xlabel: str,
    ylabel: str,
    log_x: bool = False,
    ax: Axes | None = None,
) -> Axes:
    """One or more curves over one knob, each point marked; the axes' names may hold formulas."""
    ax = plt.subplots(figsize=(6, 3))[1] if ax is None else ax
    labels = [as_text(label) for label in ys]
    lines = [
        ax.plot(x, y, marker=marker, label=label)[0]
        for label, y, marker in zip(labels, ys.values(), cycle("os^Dv*"))
    ]
    if log_x:
        ax.set_xscale("log")
        ax.set_xticks(list(x), [f"{value:g}" for value in x])
        ax.minorticks_off()
    ax.set(xlabel=xlabel, ylabel=ylabel)
    if len(ys) > 1:
        ax.legend(lines, labels)  # named, for one that begins with "_" would be left out
    return ax


def learning_curves(path: str | Path, over: str = "minutes") -> Figure:
    """A training run at a glance: its losses, and what held-out clips say at every bandwidth.

    Args:
        path: metrics.jsonl of a run, one JSON object per line.
        over: horizontal axis: "step", "minutes" or "audio_hours".

    Raises:
        ValueError: if the file is missing, or has not a line with this axis.
    """
    if not Path(path).is_file():
        raise ValueError(f"{path}: no such file.")
    lines = [json.loads(line) for line in Path(path).read_text().splitlines() if line]
    rows = [row for row in lines if over in row]
    if not rows:
        raise ValueError(f"{path} has no line with {over!r}.")
    figure, axes = plt.subplots(1, 3, figsize=(10, 2.8))
    known = {name for row in rows for name in row}
    losses = [n for n in ("mel", "adversarial", "features", "discriminator") if n in known]
    panels = [("loss", losses)] + [
        (title, sorted((n for n in known if n.startswith(start)), key=_bandwidth))
        for title, start in (("mel distance (dB)", "mel_"), ("SI-SDR (dB)", "sdr_"))
    ]
    for ax, (title, names) in zip(axes, panels):
        for name in names:
            points = [(row[over], row[name]) for row in rows if name in row]
            label = f"{_bandwidth(name):g} kbps" if "_" in name else name
            ax.plot(*zip(*points), label=label)
        ax.set(xlabel=over.replace("_", " "), ylabel=title)
        if names:
            ax.legend(fontsize=8)
    return figure


def _bandwidth(name: str) -> float:
    """6.0 of "mel_6"."""
    return float(name.rpartition("_")[2]) if "_" in name else 0.0


def _first_channel(audio: Tensor) -> np.ndarray:
    samples = torch.as_tensor(audio).detach().float().cpu()
    while samples.dim() > 1:
        samples = samples[0]
    return samples.numpy()
