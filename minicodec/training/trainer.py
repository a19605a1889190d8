"""The loop: batches in, updates out, and a run that can be stopped and continued at any moment.

Runs on whatever `accelerate` finds: a CPU, a GPU, or as many processes as `torchrun` or
`accelerate launch` have started. A run is a folder:

    config.json           what is learned
    metrics.jsonl         a line every few steps; validation has lines of its own
    step_….safetensors    the last two checkpoints
    tensorboard/          curves and sound, if asked for

Chapter 10.
"""

import dataclasses
import math
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from statistics import fmean

import torch
import torch.distributed as dist
from torch import Tensor
from torch.utils.data import DataLoader
from tqdm import tqdm

from minicodec.model.checkpoint import save_codec
from minicodec.model.codec import Codec
from minicodec.training import run_state
from minicodec.training.batches import Batch, Batches, Weighted
from minicodec.training.config import TrainConfig, load_config
from minicodec.training.devices import Interrupts, accelerator
from minicodec.training.journal import Journal
from minicodec.training.run_state import optimizer_tensors, restore_optimizer, under
from minicodec.training.start import codebook_totals, weights_from
from minicodec.training.update import Diverged, Update
from minicodec.training.validation import validate

#: A copy that stays this many times louder than its original is one that has gone wrong.
_TOO_LOUD = 10.0
#: Plain numbers of a trainer that a checkpoint holds.
_CLOCK = ("step", "minutes", "audio_hours", "loudness", "drawn")
#: These may change from one part of a run to the next.
_FREE = {"steps", "log_every", "validate_every"}


class Trainer:
    """One run.

    Args:
        config: what is learned and how.
        sources: of recordings.
        out: folder of the run; made if need be.
        valid: held-out clips, [1, C, T] each.
        resume: go on from the newest checkpoint in `out`, if there is one.
        start_from: a saved codec whose weights to begin with.
        save_minutes: between checkpoints; at most this much is lost when the run is killed.
        workers: processes that read recordings ahead.
        tensorboard, visqol: see `Journal` and `validate`.
        progress: show a bar.

    Raises:
        ValueError: if `out` holds a run and `resume` was not asked for, or holds one of another
            config; if accelerate is missing; for sources that do not fit.
    """

    def __init__(
        self,
        config: TrainConfig,
        sources: Sequence[Weighted],
        out: str | Path,
        *,
        valid: Sequence[Tensor] = (),
        resume: bool = False,
        start_from: str | Path | None = None,
        save_minutes: float = 2.0,
        workers: int = 0,
        tensorboard: bool = False,
        visqol: bool = False,
        progress: bool = True,
    ):
        self.config, self.out, self.valid = config, Path(out), valid
        self.save_minutes, self.visqol, self.progress = save_minutes, visqol, progress
        # Recordings fade to silence, and the smallest floats are many times slower than others.
        torch.set_flush_denormal(True)
        self.accelerator = accelerator()
        self.device, self.main = self.accelerator.device, self.accelerator.is_main_process
        self.rank, self.world = self.accelerator.process_index, self.accelerator.num_processes
        self.batches = Batches(sources, config, self.rank, self.world)
        endless = any(source.seconds is None for source, *_ in sources)
        self.workers = min(workers, 1) if endless else workers
        bfloat16 = self.accelerator.mixed_precision == "bf16"
        self.update = Update(config, self.device, self.world, bfloat16)
        self.step, self.minutes, self.audio_hours, self.loudness = 0, 0.0, 0.0, 1.0
        self.drawn = [0] * len(sources)
        checkpoint = self._newest(resume)
        if checkpoint is not None:
            self._restore(checkpoint)
        elif start_from is not None:
            weights_from(self.codec, start_from)
            self._start_codebooks(fresh=False)
        elif config.decoder_only:
            raise ValueError("decoder_only needs a codec to start from: name one with --from.")
        if self.main:
            self.journal = Journal(self.out, self.step, tensorboard)
            config.save(self.out / "config.json")

    @property
    def codec(self) -> Codec:
        """The codec as it is now."""
        return self.update.codec

    def run(self, minutes: float = math.inf) -> str:
        """Train until the last step, or until the run is this many minutes old, pauses left out.

        An interrupt lets the present step finish and writes a checkpoint.

        Returns:
            why it ended, as a sentence.

        Raises:
            Diverged: naming what went wrong, and the last good checkpoint.
        """
        config, rows, saved = self.config, [], self.minutes
        batches = self._loader()
        quiet = not (self.main and self.progress)
        bar = tqdm(total=config.steps, initial=self.step, unit="step", disable=quiet)
        with Interrupts() as interrupts, bar:
            stop = self.step >= config.steps or self.minutes >= minutes
            while not stop:
                began = time.monotonic()
                losses = self._one_step(next(batches))
                rows.append(losses)
                elapsed = (time.monotonic() - began) / 60
                elapsed, stopped, level = self._agree(
                    elapsed, bool(interrupts.seen), losses["level"]
                )
                self.minutes += elapsed
                self._check_loudness(level)
                bar.update()
                bar.set_postfix_str(f"{self.minutes:.1f} min, mel {losses['mel']:.3f}")
                stop = self.step >= config.steps or self.minutes >= minutes or stopped > 0
                if self.step % config.log_every == 0 or stop:
                    self._note(_means(rows))
                    rows = []
                if self.step % config.validate_every == 0 or self.step == config.steps:
                    self.validate()
                if stop or self.minutes - saved >= self.save_minutes:
                    saved = self.minutes
                    self.save()
        done = f"{self.step} of {config.steps} steps in {self.minutes:.1f} minutes"
        return f"{interrupts.seen or 'done'}: {done}, {self.audio_hours:.2f} hours of sound."

    def validate(self) -> dict[str, float]:
        """Measure the codec on the held-out clips, and write the result down."""
        scores: dict[str, float] = {}
        if self.main and self.valid:
            codec = self.update.averaged
            scores = validate(codec, self.valid, self.visqol)
            self._note(scores)
            for bandwidth in self.config.codec.bandwidths:
                clip = self.valid[0].to(self.device)
                code, scales = codec.encode_scaled(clip, bandwidth)
                copy = codec.decode(code, scales, clip.shape[-1])
                rate = self.config.codec.sample_rate
                self.journal.sound(f"copy at {bandwidth:g} kbps", copy, rate, self.step)
        self.accelerator.wait_for_everyone()
        return scores

    def save(self) -> None:
        """Write a checkpoint."""
        update = self.update
        groups = {"codec": update.codec.state_dict(), "adam": optimizer_tensors(update.optimizer)}
        if self.config.averaging:
            groups["averaged"] = update.averaged.state_dict()
        if update.discriminator is not None and update.judge_optimizer is not None:
            groups["judge"] = update.discriminator.state_dict()
            groups["judge_adam"] = optimizer_tensors(update.judge_optimizer)
        tensors = {f"{g}.{k}": v for g, group in groups.items() for k, v in group.items()}
        numbers = {name: getattr(self, name) for name in _CLOCK}
        numbers["balancer"] = update.balancer.state_dict()
        if self.main:
            run_state.write(self.out, self.step, tensors, numbers)
        self.accelerator.wait_for_everyone()

    def export(self, path: str | Path, facts: dict[str, object] | None = None) -> None:
        """Write the codec as a file that `minicodec.load` reads, in 16-bit floats."""
        recipe = dataclasses.asdict(self.config)
        del recipe["codec"]  # it is in the file already
        known = {"step": self.step, "minutes": round(self.minutes, 1),
                 "audio_hours": round(self.audio_hours, 2), "recipe": recipe}  # fmt: skip
        if self.main:
            self.update.averaged.name = Path(path).stem
            save_codec(self.update.averaged, path, known | (facts or {}), half=True)

    def close(self) -> None:
        """Part from the other processes of this run. A process that just ends may crash in them."""
        self.accelerator.wait_for_everyone()
        self.accelerator.end_training()

    def _newest(self, resume: bool) -> run_state.Checkpoint | None:
        if not resume:
            if self.main and run_state.found(self.out):
                raise ValueError(
                    f"{self.out} holds a run already: continue it with --resume, or choose "
                    "another folder."
                )
            return None
        if self.main and (self.out / "config.json").is_file():
            before = load_config(str(self.out / "config.json"))
            mine, theirs = (dataclasses.asdict(c) for c in (self.config, before))
            other = [k for k in mine if mine[k] != theirs[k] and k not in _FREE]
            if other:
                raise ValueError(
                    f"{self.out} holds a run with another {', '.join(other)}: continue it with "
                    f"{self.out / 'config.json'} as its config."
                )
        newest = run_state.read_last(self.out) if self.main else None
        if self.world > 1:  # other machines may not see this folder
            shared = [newest]
            dist.broadcast_object_list(shared)
            newest = shared[0]
        return newest

    def _restore(self, checkpoint: run_state.Checkpoint) -> None:
        update, tensors, numbers = self.update, checkpoint.tensors, checkpoint.numbers
        update.codec.load_state_dict(under(tensors, "codec"))
        update.averaged.load_state_dict(under(tensors, "averaged") or under(tensors, "codec"))
        restore_optimizer(update.optimizer, under(tensors, "adam"))
        if update.discriminator is not None and update.judge_optimizer is not None:
            update.discriminator.load_state_dict(under(tensors, "judge"))
            restore_optimizer(update.judge_optimizer, under(tensors, "judge_adam"))
        update.balancer.load_state_dict(numbers["balancer"])
        for name in _CLOCK:
            setattr(self, name, numbers[name])
        self.batches.seek(self.drawn)

    def _loader(self) -> Iterator[Batch]:
        loader = DataLoader(
            self.batches,
            batch_size=None,
            sampler=range(self.step, self.config.steps),
            num_workers=self.workers,
            pin_memory=self.device.type == "cuda",
        )
        return iter(loader)

    def _one_step(self, batch: Batch) -> dict[str, float]:
        if self.step == self.config.warm_up > 0:
            self._start_codebooks(fresh=True)
        try:
            losses = self.update(batch.audio.to(self.device, non_blocking=True), self.step)
        except Diverged as error:
            raise self._diverged(str(error)) from error
        self.drawn = [int(n) for n in batch.drawn]
        self.step += 1
        self.audio_hours += self.config.batch * self.config.seconds / 3600
        return losses

    def _agree(self, *numbers: float) -> list[float]:
        """The largest of each number among all processes, so that all decide alike."""
        if self.world == 1:
            return list(numbers)
        shared = torch.tensor(numbers, device=self.device, dtype=torch.float64)
        dist.all_reduce(shared, dist.ReduceOp.MAX)
        return shared.tolist()

    def _check_loudness(self, level: float) -> None:
        self.loudness = 0.9 * self.loudness + 0.1 * level
        if not self.loudness < _TOO_LOUD:  # NaN, too
            raise self._diverged(f"copies are {self.loudness:.0f} times as loud as recordings.")

    def _diverged(self, why: str) -> Diverged:
        good = run_state.found(self.out)
        rest = f"The last good checkpoint is {good[-1]}." if good else "There is no checkpoint yet."
        return Diverged(f"the run diverged at step {self.step}: {why} {rest}")

    def _note(self, row: dict[str, float]) -> None:
        if self.main:
            clock = {"step": self.step, "minutes": round(self.minutes, 3),
                     "audio_hours": round(self.audio_hours, 4)}  # fmt: skip
            self.journal.write(clock | row)

    @torch.no_grad()
    def _start_codebooks(self, fresh: bool) -> None:
        """K-means (or totals) from 16 latents for each vector of a codebook."""
        config = self.config
        frames = -(-config.length // config.codec.hop_length)
        clips = -(-16 * config.codec.codebook_size // (frames * config.batch)) * config.batch
        share, size = clips // self.world, config.batch // self.world
        latents = []
        for first in tqdm(range(self.rank * share, (self.rank + 1) * share, size), "latents",
                          leave=False, disable=not (self.main and self.progress)):  # fmt: skip
            drawn = [self.batches.clip(Random(f"{config.seed}/start/{number}"))
                     for number in range(first, first + size)]  # fmt: skip
            audio = torch.stack(drawn).to(self.device)
            scale = self.codec._loudness(audio)
            latents.append(self.codec.encoder(audio if scale is None else audio / scale))
        torch.manual_seed(config.seed)
        codebook_totals(self.codec, torch.cat(latents), frames * config.batch, fresh)
        self.update.averaged.load_state_dict(self.codec.state_dict())


def _means(rows: Sequence[dict[str, float]]) -> dict[str, float]:
    """Mean of each number over the rows that have it."""
    names = sorted({name for row in rows for name in row})
    return {n: round(fmean(row[n] for row in rows if n in row), 5) for n in names}
