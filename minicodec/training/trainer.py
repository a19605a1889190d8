"""Support: the loop. Batches in, updates out, and a run that can be stopped and continued any time.

A run is a folder:

    config.json           what is learned
    metrics.jsonl         a line every few steps; validation has lines of its own
    step_….safetensors    the last two checkpoints
    tensorboard/          curves and sound, if asked for
"""

import dataclasses
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from signal import Signals
from statistics import fmean

from torch import Tensor
from torch.utils.data import DataLoader
from tqdm import tqdm

from minicodec.model.codec import Codec
from minicodec.model.fast.codec import faster
from minicodec.training import processes, run_state
from minicodec.training.batches import Batch, Batches
from minicodec.training.config import TrainConfig, load_config
from minicodec.training.discriminator_file import check_discriminator, copy_discriminator
from minicodec.training.export import export
from minicodec.training.interrupts import Interrupts
from minicodec.training.journal import Journal, means
from minicodec.training.run_lock import check_free, hold
from minicodec.training.sources import Weighted
from minicodec.training.start import start_codebooks, weights_from
from minicodec.training.update import Diverged, Update
from minicodec.training.validation import validate

#: A copy that stays this many times louder than its original is one that has gone wrong.
_TOO_LOUD = 10.0
#: Steps in which it may: first weights say nothing of levels, least of all between Snakes.
_YOUNG = 30
#: Plain numbers of a trainer that a checkpoint holds.
_CLOCK = ("step", "minutes", "audio_hours", "loudness", "drawn")


class Trainer:
    """One run.

    Args:
        config: what is learned and how.
        sources: of recordings.
        out: folder of the run; made if need be.
        valid: held-out clips, [1, C, T] each.
        resume: go on from the newest checkpoint in `out`, if there is one.
        start_from: a saved codec whose weights to begin with.
        discriminator: one that has learned, as `load_discriminator` takes it, to begin with.
        save_minutes: between checkpoints; at most this much is lost when the run is killed.
        workers: processes that read recordings ahead.
        tensorboard, visqol: see `Journal` and `validate`.
        bfloat16: see `minicodec.training.processes.use_bfloat16`.
        progress: show a bar.

    Raises:
        ValueError: if `out` holds a run and `resume` was not asked for, or holds one of another
            config, or another process trains there; if accelerate is missing; for sources that do
            not fit.
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
        discriminator: str | Path | None = None,
        save_minutes: float = 2.0,
        workers: int = 0,
        tensorboard: bool = False,
        visqol: bool = False,
        bfloat16: bool = False,
        progress: bool = True,
    ):
        self.config, self.out, self.valid = config, Path(out), valid
        self.save_minutes, self.visqol, self.progress = save_minutes, visqol, progress
        self.accelerator = processes.accelerator()
        self.device, self.main = self.accelerator.device, self.accelerator.is_main_process
        self.rank, self.world = self.accelerator.process_index, self.accelerator.num_processes
        self.batches = Batches(sources, config, self.rank, self.world)
        endless = any(source.seconds is None for source, *_ in sources)
        self.workers = min(workers, 1) if endless else workers
        half = processes.use_bfloat16(bfloat16)
        self.update = Update(config, self.device, self.world, half)
        self.step, self.minutes, self.audio_hours, self.loudness = 0, 0.0, 0.0, 1.0
        self.drawn = [0] * len(sources)
        self.signal = 0  # that ended `run`, in this process or another
        checkpoint = self._newest(resume)
        if checkpoint is not None:
            self._restore(checkpoint)
        elif start_from is not None:
            weights_from(self.codec, start_from)
            self._start_codebooks(fresh=False)
        elif config.decoder_only:
            raise ValueError("decoder_only needs a codec to start from: name one with --from.")
        if checkpoint is None and discriminator is not None:
            learned = check_discriminator(discriminator, config)
            assert self.update.discriminator is not None
            copy_discriminator(learned, self.update.discriminator)
        if self.main:
            self.journal = Journal(self.out, self.step, tensorboard)
            config.save(self.out / "config.json")

    @property
    def codec(self) -> Codec:
        """The codec as it is now."""
        return self.update.codec

    def run(self, minutes: float = math.inf) -> str:
        """Train until the last step, or until the run is this many minutes old, pauses left out.

        A signal lets the present step finish; a checkpoint is written, and `signal` says which it
        was.

        Returns:
            why it ended, as a sentence.

        Raises:
            Diverged: naming what went wrong, and the last good checkpoint.
        """
        config, rows, saved = self.config, [], self.minutes
        batches = self._loader()
        quiet = not (self.main and self.progress)
        bar = tqdm(total=config.steps, initial=self.step, unit="step", disable=quiet)
        with Interrupts() as interrupts, processes.without_denormals(), bar:
            stop = self.step >= config.steps or self.minutes >= minutes
            while not stop:
                began = time.monotonic()
                losses = self._one_step(next(batches))
                rows.append(losses)
                elapsed = (time.monotonic() - began) / 60
                elapsed, number, level = processes.largest(
                    elapsed, interrupts.number, losses["level"], device=self.device
                )
                self.signal = int(number)
                self.minutes += elapsed
                self._check_loudness(level)
                bar.update()
                bar.set_postfix_str(f"{self.minutes:.1f} min, mel {losses['mel']:.3f}")
                stop = self.step >= config.steps or self.minutes >= minutes or self.signal > 0
                if self.step % config.log_every == 0 or stop:
                    self._note(means(rows))
                    rows = []
                if self.step % config.validate_every == 0 or self.step == config.steps:
                    self.validate()
                if stop or self.minutes - saved >= self.save_minutes:
                    saved = self.minutes
                    self.save()
        self.signal = self.signal or interrupts.number
        why = f"interrupted by {Signals(self.signal).name}" if self.signal else "done"
        done = f"{self.step} of {config.steps} steps in {self.minutes:.1f} minutes"
        return f"{why}: {done}, {self.audio_hours:.2f} hours of sound."

    def validate(self) -> dict[str, float]:
        """Measure the codec on the held-out clips, and write the result down."""
        scores: dict[str, float] = {}
        if self.main and self.valid:
            codec = faster(self.update.averaged)
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
        if self.main:
            numbers = {name: getattr(self, name) for name in _CLOCK}
            numbers["balancer"] = self.update.balancer.state_dict()
            run_state.write(self.out, self.step, run_state.update_tensors(self.update), numbers)
        self.accelerator.wait_for_everyone()

    def export(self, path: str | Path, facts: Mapping[str, object] | None = None) -> None:
        """Write the codec as a file that `minicodec.load` reads; see `minicodec.training.export`.

        Args:
            facts: to write beside how the codec was trained, which is known.
        """
        if not self.main:
            return
        recipe = dataclasses.asdict(self.config)
        del recipe["codec"]  # it is in the file already
        known = {"step": self.step, "minutes": round(self.minutes, 1),
                 "audio_hours": round(self.audio_hours, 2), "recipe": recipe}  # fmt: skip
        sources = [weighted.source for weighted in self.batches.sources]
        level = fmean(self.config.gain)
        export(self.update.averaged, path, known | dict(facts or {}), sources, level, self.progress)

    def close(self) -> None:
        """Part from the other processes of this run. A process that just ends may crash in them."""
        self.accelerator.wait_for_everyone()
        self.accelerator.end_training()

    def _newest(self, resume: bool) -> run_state.Checkpoint | None:
        if self.main:
            check_run(self.out, self.config, resume)
            self._lock = hold(self.out)
            check_run(self.out, self.config, resume)  # another may have held it until now
            run_state.clear(self.out)
        if not resume:
            return None
        return processes.from_the_first(run_state.read_last(self.out) if self.main else None)

    def _restore(self, checkpoint: run_state.Checkpoint) -> None:
        run_state.restore_update(self.update, checkpoint.tensors)
        self.update.balancer.load_state_dict(checkpoint.numbers["balancer"])
        for name in _CLOCK:
            setattr(self, name, checkpoint.numbers[name])
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
        except ValueError as error:  # of gradients, or of the batch
            raise self._diverged(str(error)) from error
        self.drawn = [int(n) for n in batch.drawn]
        self.step += 1
        self.audio_hours += self.config.batch * self.config.seconds / 3600
        return losses

    def _check_loudness(self, level: float) -> None:
        self.loudness = 0.9 * self.loudness + 0.1 * level
        limit = _TOO_LOUD if self.step > _YOUNG else math.inf
        if not self.loudness < limit:  # NaN, too
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

    def _start_codebooks(self, fresh: bool) -> None:
        start_codebooks(self.codec, self.batches, fresh, self.main and self.progress)
        self.update.averaged.load_state_dict(self.codec.state_dict())


def check_run(folder: Path, config: TrainConfig, resume: bool) -> None:
    """Refuse a folder in which this run can neither begin nor go on.

    Raises:
        ValueError: in one sentence.
    """
    check_free(folder)
    if not resume:
        if run_state.found(folder):
            raise ValueError(
                f"{folder} holds a run already: continue it with --resume, or choose another "
                "folder."
            )
        return
    if (folder / "config.json").is_file():
        other = config.differs(load_config(str(folder / "config.json")))
        if other:
            raise ValueError(
                f"{folder} holds a run with another {', '.join(other)}: continue it with "
                f"{folder / 'config.json'} as its config."
            )
