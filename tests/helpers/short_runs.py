"""Runs of training that take milliseconds a step, and sound for them that needs no files."""

import dataclasses
import os
import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random

import torch
from torch import Tensor

from minicodec.model.codec import Codec
from minicodec.model.config import CodecConfig
from minicodec.training.config import TrainConfig
from minicodec.training.sources import Weighted
from minicodec.training.trainer import Trainer
from minicodec.training.update import Update

RATE = 8000
CODEC = CodecConfig(
    sample_rate=RATE, n_filters=2, dimension=8, codebook_size=16, bandwidths=(0.1, 0.2),
    lstm_layers=1,
)  # fmt: skip
#: A recipe with everything in it.
CONFIG = TrainConfig(
    codec=CODEC, seconds=0.25, batch=2, steps=6, warm_up=2, discriminator_filters=2,
    discriminator_windows=(256, 128), discriminator_per_bandwidth=False, mel_kind="log",
    learning_rate=1e-3, log_every=1, validate_every=3,
)  # fmt: skip


class Tones:
    """Tones of any pitch: a source that needs no files."""

    name, seconds = "tones", 100.0

    def __init__(self) -> None:
        self.skipped: Counter[str] = Counter()

    def crop(self, random: Random, length: int) -> Tensor:
        hertz, phase = random.uniform(100, 2000), random.uniform(0, 6)
        return 0.2 * torch.sin(torch.arange(length) * (6.2832 * hertz / RATE) + phase)[None]

    def recordings(self) -> Iterator[Tensor]:
        for number in range(3):
            yield self.crop(Random(number), RATE)


def trainer(folder: Path, config: TrainConfig = CONFIG, **options) -> Trainer:
    return Trainer(config, [Weighted(Tones(), 1.0)], folder, progress=False, **options)


def batch(seed: int = 0, count: int = 2) -> Tensor:
    return torch.stack([Tones().crop(Random(f"{seed}/{i}"), 2000) for i in range(count)])


def same(a: torch.nn.Module, b: torch.nn.Module) -> bool:
    mine, theirs = a.state_dict(), b.state_dict()
    assert mine.keys() == theirs.keys()
    other = {k: float((mine[k].double() - theirs[k].double()).abs().max()) for k in mine
             if not torch.equal(mine[k], theirs[k])}  # fmt: skip
    if other:
        print(
            f"{len(other)} of {len(mine)} tensors differ: {other}"
        )  # pytest shows it of a failure
    return not other


def everything(run: Trainer) -> torch.nn.Module:
    update = run.update
    return torch.nn.ModuleList([update.codec, update.averaged, update.discriminator])


def before_step(run: Trainer, step: int, do) -> None:
    """Have `do()` called when the run begins an update, after its batch has been drawn."""
    inner = run.update.__call__

    def call(audio, number):
        if number == step:
            do()
        return inner(audio, number)

    run.update.__class__ = type("Update", (Update,), {"__call__": lambda self, *a: call(*a)})


def stop_after(run: Trainer, steps: int) -> None:
    """Send the signal that clusters send, in the middle of a step."""
    before_step(run, steps - 1, lambda: os.kill(os.getpid(), signal.SIGTERM))


def started(config: CodecConfig = CODEC) -> Codec:
    """A codec whose codebooks have started."""
    codec = Codec(config).train()
    for _ in range(4):
        codec(batch(count=4))
    return codec.eval()


def changed(**change) -> TrainConfig:
    return dataclasses.replace(CONFIG, **change)
