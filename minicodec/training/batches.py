"""Support: batches of sound. Pieces are drawn, changed in level, summed, sometimes put into a room.

A batch is a function of its step's number and the seed, and of nothing else. So there is no state
of random generators to save, a run that was killed sees the same batches again, and two processes
that take half of a batch each see together what one would have seen.

Paper: section 4.1.
"""

from collections.abc import Sequence
from random import Random
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from minicodec.training.config import TrainConfig
from minicodec.training.published import Stream
from minicodec.training.sources import Weighted


class Batch(NamedTuple):
    """One step's clips, and where its streams stand afterwards."""

    audio: Tensor  #: [B, C, T]
    drawn: list[int]  #: for each source, pieces drawn so far if it is a stream, else 0


class Batches(Dataset[Batch]):
    """The batch of every step: `batches[step]`.

    A clip is one recording, or the sum of two or three (`TrainConfig.mixing`), each with a level of
    its own. As in the paper a sum of three has no music in it, half of the single ones are music,
    and music alone gets no reverberation; where no source is music this says nothing. What would
    be clipped is turned down. (The paper throws it away, which favours quiet recordings.)

    Args:
        rank, world: give only this process's share of the batch.

    Raises:
        ValueError: for no sources, weights that are not positive, or a batch that processes
            cannot share.
    """

    def __init__(
        self, sources: Sequence[Weighted], config: TrainConfig, rank: int = 0, world: int = 1
    ):
        if not sources:
            raise ValueError("training needs at least one source of recordings.")
        if not all(0 < s.weight < float("inf") for s in sources):
            raise ValueError("weights of sources are positive numbers.")
        if config.batch % world:
            raise ValueError(
                f"a batch of {config.batch} clips cannot be shared by {world} processes."
            )
        self.sources, self.config = list(sources), config
        self.rank, self.world = rank, world
        share = config.batch // world
        self.items = range(rank * share, (rank + 1) * share)

    def __len__(self) -> int:
        return self.config.steps

    def __getitem__(self, step: int) -> Batch:
        clips = [self.clip(Random(f"{self.config.seed}/{step}/{item}")) for item in self.items]
        drawn = [s.source.drawn if isinstance(s.source, Stream) else 0 for s in self.sources]
        return Batch(torch.stack(clips), drawn)

    def seek(self, drawn: Sequence[int]) -> None:
        """Put streams where a `Batch` said they stood."""
        for weighted, pieces in zip(self.sources, drawn, strict=True):
            if isinstance(weighted.source, Stream):
                weighted.source.seek(pieces)

    def clip(self, random: Random) -> Tensor:
        """Draw one clip, [C, T]."""
        config = self.config
        count = random.choices((1, 2, 3), config.mixing)[0]
        music = [s for s in self.sources if s.music]
        other = [s for s in self.sources if not s.music]
        allowed = self.sources
        if music and other and count == 1:
            allowed = music if random.random() < 0.5 else other
        elif other and count == 3:
            allowed = other
        clip = torch.zeros(config.codec.channels, config.length)
        for _ in range(count):
            source = random.choices(allowed, [s.weight for s in allowed])[0].source
            level = 10 ** (random.uniform(*config.gain) / 20)
            clip = clip + level * source.crop(random, config.length)
        if random.random() < config.reverb and not (count == 1 and allowed is music):
            clip = reverberated(clip, config.codec.sample_rate, random)
        return clip / max(1.0, float(clip.abs().max()) / 0.99)


def reverberated(clip: Tensor, sample_rate: int, random: Random) -> Tensor:
    """The clip in a made-up room that falls silent, by 60 dB, in 0.3 to 1.3 s (paper: RT60).

    A room's answer to a click is much like noise that decays exponentially, which is what this
    draws; direct sound comes first and stays as it is.

    Shape:
        clip: [C, T] → [C, T]
    """
    fall = random.uniform(0.3, 1.3)
    wet = random.uniform(0.1, 0.7)
    length = min(clip.shape[-1], round(fall * sample_rate))
    noise = np.random.default_rng(random.getrandbits(32)).standard_normal(length)
    seconds = np.arange(length) / sample_rate
    room = torch.from_numpy(noise * 10 ** (-3 * seconds / fall)).float()
    room[: round(0.005 * sample_rate)] = 0  # the first echo comes after some way
    room = wet * room / room.norm().clamp(min=1e-9)
    size = clip.shape[-1] + length
    echo = torch.fft.irfft(torch.fft.rfft(clip, size) * torch.fft.rfft(room, size), size)
    return clip + echo[..., : clip.shape[-1]]
