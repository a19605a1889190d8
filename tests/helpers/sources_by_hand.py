"""Sound to draw from, made so that one sees where a piece comes from."""

from collections import Counter

import numpy as np
import soundfile
import torch

from minicodec.model.config import CodecConfig
from minicodec.training.config import TrainConfig

RATE = 8000
CODEC = CodecConfig(
    sample_rate=RATE, n_filters=2, dimension=8, codebook_size=16, bandwidths=(0.1, 0.2)
)
CONFIG = TrainConfig(codec=CODEC, seconds=0.5, batch=4, steps=100, reverb=0.0)


def write(path, samples, rate=RATE):
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples, rate)


def tone(seconds, hertz=440.0, rate=RATE, level=0.3):
    return level * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)


def mixed_folder(path):
    """A folder in which three files are usable, and five are not for many reasons."""
    write(path / "f/a.wav", tone(4))
    write(path / "f/deep/b.flac", tone(1, 880, 16000), 16000)
    write(path / "f/short.wav", tone(0.2))
    write(path / "f/six.wav", np.tile(tone(1)[:, None], 6))
    write(path / "f/empty.wav", np.zeros(0))
    soundfile.write(path / "f/nan.wav", np.full(9000, np.nan, np.float32), RATE, "FLOAT")
    (path / "f/noise.mp3").write_bytes(bytes(range(256)) * 20)
    (path / "f/notes.txt").write_text("not audio")
    return path / "f"


class Ramps:
    """A source whose crops say where they come from."""

    def __init__(self, value, name="ramps"):
        self.name, self.value, self.seconds, self.skipped = name, value, 10.0, Counter()

    def crop(self, random, length):
        return torch.full((1, length), float(self.value))
