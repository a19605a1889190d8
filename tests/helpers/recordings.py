"""Recordings to run tests on."""

from pathlib import Path

import torch

from minicodec import audio

#: Real recordings beside the checkout, where there are any; else the clips we ship.
RECORDINGS = Path(__file__).parents[3] / "shared" / "audio" / "valid"


def recordings(kind: str, count: int, seconds: float) -> list[torch.Tensor]:
    """Clips [1, 1, T] of a class of sound: "speech", "music_tracks", "sounds", "instruments"."""
    files = sorted((RECORDINGS / kind).rglob("*.flac"))[:count] if RECORDINGS.is_dir() else []
    if not files:
        return [audio.clip("speech_en" if kind == "speech" else "music", seconds=seconds)]
    return [audio.load(file, 24000, 1)[0][None, :, : round(seconds * 24000)] for file in files]
