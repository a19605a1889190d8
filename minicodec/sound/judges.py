"""Support: what others made to stand in for ears: ViSQOL, PESQ, STOI. And what each cannot hear.

Chapter 14 puts them beside ears. All come from packages, the extra "metrics" of pyproject.toml.
Our own measures are in `minicodec.metrics`, pitch is in `minicodec.sound.pitch`.
"""

import importlib.util
import math
import warnings
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import torch
from torch import Tensor

from minicodec.sound import audio as audio_
from minicodec.sound.installs import remedy

_SHORTEST = 1.0  # seconds below which the packages refuse, or guess
_SILENT = 1e-4  # of full scale

#: The package that each measure needs, and what it is called where it comes from.
PACKAGES = {"visqol": "visqol", "visqol_speech": "visqol", "pesq": "pesq", "stoi": "pystoi",
            "f0_gross": "librosa", "f0_cents": "librosa", "voicing": "librosa"}  # fmt: skip
_SOURCES = {"visqol": "visqol-python"}


def visqol(estimate: Tensor, reference: Tensor, sample_rate: int, mode: str = "audio") -> float:
    """ViSQOL (Chinen et al. 2020): what listeners would say, from 1 to 4.73 (audio) or 5 (speech).

    Compares spectrograms in bands like the ear's, patch by patch, and maps the likeness to ratings.
    It was fitted to ratings of *conventional* codecs. It misses what those do not do: a neural
    codec may invent a plausible sound, or a wrong word, and ViSQOL rates its spectrum alone. It
    forgives small shifts in time and most changes of phase. Compare numbers of one mode only.

    Args:
        mode: "audio" works at 48 kHz, as in the paper's tables; "speech" at 16 kHz.

    Shape:
        estimate, reference: [1, C, T]

    Returns:
        1 for a silent estimate; NaN for a silent reference, or less than a second.

    Raises:
        ValueError: if the package is missing, the shapes differ, or there is no such mode.
    """
    need("visqol")
    if mode not in ("audio", "speech"):
        raise ValueError(f"ViSQOL's mode is 'audio' or 'speech', not {mode!r}.")
    rate = 48000 if mode == "audio" else 16000

    def judge(ours: np.ndarray, theirs: np.ndarray) -> float:
        threads = torch.get_num_threads()
        try:
            return float(_visqol_api(mode).measure_from_arrays(theirs, ours, rate).moslqo)
        finally:  # its kernels may share torch's OpenMP, and leave it with as many as there are
            torch.set_num_threads(threads)

    return _judged(judge, estimate, reference, sample_rate, rate, worst=1.0)


def pesq(estimate: Tensor, reference: Tensor, sample_rate: int) -> float:
    """PESQ, wide band (ITU-T P.862.2): the quality of *speech*, from 1.04 to 4.64.

    Made for telephone lines: what they do to speech (filters, noise, gaps) it knows. It misses all
    above 8 kHz, says nothing about music, and is harsh on codecs that keep words but not waveforms.

    Shape:
        estimate, reference: [1, C, T]

    Returns:
        as `visqol`; NaN also where it finds no speech.

    Raises:
        ValueError: if the package is missing, or the shapes differ.
    """
    need("pesq")
    import pesq as package

    def judge(ours: np.ndarray, theirs: np.ndarray) -> float:
        try:
            return float(package.pesq(16000, theirs, ours, "wb"))
        except package.PesqError:
            return math.nan

    return _judged(judge, estimate, reference, sample_rate, 16000, worst=1.0)


def stoi(estimate: Tensor, reference: Tensor, sample_rate: int) -> float:
    """STOI (Taal et al. 2011): how many of the *words* are understood, from 0 to 1.

    Correlates the envelopes of bands up to 4.3 kHz. It misses quality altogether: robotic speech
    that is understood has nearly 1. It is deaf above its bands, and means nothing for music.

    Shape:
        estimate, reference: [1, C, T]

    Returns:
        0 for a silent estimate; NaN for a silent reference, or less than a second.

    Raises:
        ValueError: if the package is missing, or the shapes differ.
    """
    need("stoi")
    from pystoi import stoi as measure

    def judge(ours: np.ndarray, theirs: np.ndarray) -> float:
        with warnings.catch_warnings():
            # Of too little speech it makes 0.00001 and a warning, which would look like a verdict.
            warnings.simplefilter("error", RuntimeWarning)
            try:
                return float(measure(theirs, ours, 16000))
            except RuntimeWarning:
                return math.nan

    return _judged(judge, estimate, reference, sample_rate, 16000, worst=0.0)


def missing(name: str) -> str:
    """The package that a measure lacks here, or ""."""
    package = PACKAGES.get(name, "")
    return package if package and importlib.util.find_spec(package) is None else ""


def need(name: str) -> None:
    """Refuse a measure whose package is not installed.

    Raises:
        ValueError: in one sentence that says what to install.
    """
    if missing(name):
        raise ValueError(f"{name} needs a package: {bringing(name)}")


def bringing(*names: str) -> str:
    """The command that brings what these measures lack here."""
    lacking = dict.fromkeys(missing(name) for name in names if missing(name))
    return remedy(*(_SOURCES.get(package, package) for package in lacking))


def pair(
    estimate: Tensor, reference: Tensor, from_rate: int, to_rate: int
) -> tuple[np.ndarray, np.ndarray] | None:
    """Both clips as a package takes them: mono, at its rate, [T] float64.

    Shape:
        estimate, reference: [1, C, T]

    Returns:
        None where there is nothing to judge: less than a second, or a silent reference.

    Raises:
        ValueError: if the shapes differ, or are no clip's.
    """
    if estimate.shape != reference.shape or estimate.dim() != 3 or estimate.shape[0] != 1:
        raise ValueError(
            f"both clips must be [1, C, T] of one shape, but they are {list(estimate.shape)} and "
            f"{list(reference.shape)}."
        )
    if reference.shape[-1] < _SHORTEST * from_rate or float(reference.abs().max()) < _SILENT:
        return None
    mono = (audio_.mix(clip.detach().cpu(), 1) for clip in (estimate, reference))
    ours, theirs = (audio_.resample(x, from_rate, to_rate)[0, 0].double().numpy() for x in mono)
    return ours, theirs


def _judged(
    judge: Callable[[np.ndarray, np.ndarray], float],
    estimate: Tensor,
    reference: Tensor,
    from_rate: int,
    to_rate: int,
    worst: float,
) -> float:
    """Ask a judge, where there is something to judge."""
    both = pair(estimate, reference, from_rate, to_rate)
    if both is None:
        return math.nan
    # Silence in place of a sound is as bad as it gets; the packages would divide by zero.
    return worst if float(estimate.abs().max()) < _SILENT else judge(*both)


@cache
def _visqol_api(mode: str) -> Any:
    from visqol import VisqolApi

    api = VisqolApi()
    # The lattice of speech mode rates more noise better at times; the polynomial does not.
    api.create(mode=mode, use_lattice_model=False if mode == "speech" else None)
    return api
