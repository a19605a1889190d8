"""Support of `training.py`: a short run of training, in as many processes as torchrun starts.

    torchrun --nproc_per_node 2 benchmarks/training_processes.py --steps 8

It is the trainer's own loop on the clips of the book, with `mini_24khz` to go on from; what is
timed is the way from one step to the next, loading of data and averaging of gradients with it. The
first process prints one line of JSON: seconds of each step.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from typing import cast

import torch

from minicodec.model.quantize import Codebook
from minicodec.sound.clips import clip_folder
from minicodec.training.config import TrainConfig, load_config
from minicodec.training.sources import open_source
from minicodec.training.start import weights_from
from minicodec.training.trainer import Trainer

WARM_UP = 2  # steps in which memory is laid out, workers start
BATCH = 4
USED = 100.0  # times that each code was used: none is dead and drawn anew


def config_of(steps: int, batch: int) -> TrainConfig:
    """The recipe of `mini_adam`, for a few steps whose times are all written down."""
    recipe = load_config("mini_adam")
    return replace(recipe, steps=steps, batch=batch, warm_up=0, log_every=1, validate_every=10**9)


def step_seconds(config: TrainConfig, workers: int) -> list[float]:
    """Seconds from each step to the next, of a run that begins with the shipped codec."""
    ends: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        sources = [open_source(str(clip_folder()), config)]
        run = Trainer(config, sources, folder, workers=workers, progress=False)
        weights_from(run.codec, "mini_24khz")
        with torch.no_grad():
            for module in run.codec.quantizer.codebooks:
                book = cast(Codebook, module)
                book.counts.fill_(USED)  # as `start_codebooks` would find out in some seconds
                book.sums.copy_(USED * book.embedding)
        note = run._note

        def noted(row: dict[str, float]) -> None:
            ends.append(time.perf_counter())
            note(row)

        setattr(run, "_note", noted)  # noqa: B010
        run.run()
        run.close()
    return [after - before for before, after in zip(ends[WARM_UP - 1 :], ends[WARM_UP:])]


def short_run(processes: int, workers: int, threads: int, steps: int) -> list[float]:
    """Seconds of each step of such a run in `processes` processes, started by torchrun.

    Raises:
        ValueError: with the last line of the run's errors, if it failed.
    """
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node",
               str(processes), __file__, "--steps", str(steps), "--workers", str(workers),
               "--threads", str(threads)]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise ValueError(f"a run of {processes} processes failed: {last}")
    seconds: list[float] = json.loads(done.stdout.strip().splitlines()[-1])
    return seconds


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--steps", type=int, default=8, help="that are timed")
    parser.add_argument("--batch", type=int, default=BATCH, help="of all processes together")
    parser.add_argument("--workers", type=int, default=0, help="that read recordings ahead")
    parser.add_argument("--threads", type=int, default=1, help="of each process")
    args = parser.parse_args(arguments)
    torch.set_num_threads(args.threads)
    seconds = step_seconds(config_of(args.steps + WARM_UP, args.batch), args.workers)
    if os.environ.get("RANK", "0") == "0":
        print(json.dumps([round(s, 4) for s in seconds]), flush=True)


if __name__ == "__main__":
    main()
