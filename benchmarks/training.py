"""How fast is one update of codec and discriminator, beside the same update of official modules?

    OMP_NUM_THREADS=2 python benchmarks/training.py                  on the processor
    python benchmarks/training.py --device cuda                      on a GPU

Three recipes, ours and official (`official_update.py`), in float32 and bfloat16 on one thread, in
float32 on two, in one process and in turn. Speeds are seconds of sound in the batch per second of
computing, medians with the slowest and the fastest; ratios are of runs that followed each other.
On one thread the clock is the processor's, so that a busy machine harms both alike; two threads, a
GPU and several processes are timed by the clock on the wall, and need a quiet machine. Then what an
update takes in memory, which part of it takes which share of its time, how much it computes beside
what one large matrix product reaches, and, on a processor, short runs of training in one and two
processes. A result of another device stays in the file. Needs the `encodec` package; two quiet
cores take about six minutes.
"""

import argparse
import json
import multiprocessing
import resource
import statistics
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from machine import machine
from official_update import official
from speed import peak
from torch import Tensor
from tqdm import tqdm
from training_parts import Clock, multiply_accumulates, shares
from training_processes import BATCH, short_run

from minicodec.model.config import MINI_24KHZ
from minicodec.sound.files import write_text
from minicodec.training.config import TrainConfig, load_config
from minicodec.training.update import Update

_ONE_BANDWIDTH = replace(MINI_24KHZ, bandwidths=(6.0,))
#: By name; each trains at 6 kbps and teaches its discriminator in every step, as theirs does.
RECIPES = {
    "small, with discriminator": TrainConfig(
        codec=_ONE_BANDWIDTH, batch=4, discriminator_filters=8, discriminator_share=1.0
    ),
    "the paper's filters": TrainConfig(
        codec=replace(_ONE_BANDWIDTH, n_filters=32), batch=2, discriminator_filters=32,
        discriminator_share=1.0,
    ),
    "mini_adam": replace(load_config("mini_adam"), codec=_ONE_BANDWIDTH, warm_up=0, batch=4),
}  # fmt: skip
STEP = 99  # any: what is drawn for a step is the same each time
RUNS = ((1, 0, 1), (1, 1, 1), (1, 0, 2), (2, 0, 1))  # processes, loading workers, threads


def batch_of(config: TrainConfig, device: str) -> Tensor:
    """Noise as a batch [B, 1, T]: what an update takes does not depend on the sound."""
    noise = torch.randn(config.batch, 1, config.length, generator=torch.Generator().manual_seed(0))
    return (0.1 * noise).to(device)


def started(config: TrainConfig, device: str, bfloat16: bool = False) -> Update:
    """Our update, with codebooks that have begun: the first batches run k-means."""
    update = Update(config, device, bfloat16=bfloat16)
    with torch.no_grad():
        for _ in range(config.codec.max_n_q):
            update.codec(batch_of(config, device), config.codec.bandwidths[-1])
    return update


def job_of(
    who: str, config: TrainConfig, audio: Tensor, device: str, bfloat16: bool = False
) -> Callable[[], object]:
    """One update, "ours" or "official", of always the same batch."""
    if who == "ours":
        return partial(started(config, device, bfloat16), audio, STEP)
    return partial(official(config, device, bfloat16), audio)


def now(device: str, threads: int) -> float:
    """Seconds on the clock that fits: a GPU works on after a call has returned."""
    if device == "cuda":
        torch.cuda.synchronize()
    return time.process_time() if (device, threads) == ("cpu", 1) else time.perf_counter()


def in_turn(
    jobs: Mapping[str, Callable[[], object]], repeats: int, clock: Callable[[], float]
) -> dict[str, list[float]]:
    """Seconds of each, taken in turn after one warm-up."""
    times: dict[str, list[float]] = {name: [] for name in jobs}
    for turn in range(repeats + 1):
        for name, run in jobs.items():
            begin = clock()
            run()
            if turn:
                times[name].append(clock() - begin)
    return times


def summary(sound: float, seconds: list[float]) -> dict[str, Any]:
    """Seconds of sound per second: the median, and the slowest and the fastest."""
    speeds = sorted(sound / taken for taken in seconds)
    return {"audio_per_second": round(statistics.median(speeds), 2),
            "spread": [round(speeds[0], 2), round(speeds[-1], 2)]}  # fmt: skip


def of_updates(
    name: str, device: str, threads: int, repeats: int, dtypes: Sequence[str]
) -> list[dict[str, Any]]:
    """Ours and official, in each number format, in turn: a row for each format."""
    config, rows = RECIPES[name], []
    audio = batch_of(config, device)
    jobs: dict[str, Callable[[], object]] = {}
    torch.set_num_threads(threads)
    for dtype in dtypes:
        for who in ("ours", "official"):
            jobs[f"{who} {dtype}"] = job_of(who, config, audio, device, dtype == "bfloat16")
    times = in_turn(jobs, repeats, partial(now, device, threads))
    sound = config.batch * config.seconds
    for dtype in dtypes:
        pair = [times[f"{who} {dtype}"] for who in ("ours", "official")]
        ratios = sorted(theirs / ours for ours, theirs in zip(*pair))
        rows.append({
            "recipe": name, "dtype": dtype, "threads": threads,
            **{who: summary(sound, taken) for who, taken in zip(("ours", "official"), pair)},
            "ratio": round(statistics.median(ratios), 2),
            "spread": [round(ratios[0], 2), round(ratios[-1], 2)],
        })  # fmt: skip
    return rows


def _two_updates(who: str, name: str, answer: Any) -> None:
    """In a process of its own: what two updates, codebooks begun, add to its memory."""
    torch.set_num_threads(1)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    config = RECIPES[name]
    run = job_of(who, config, batch_of(config, "cpu"), "cpu")
    for _ in range(2):
        run()
    answer.put((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)


def megabytes(who: str, name: str, device: str) -> float:
    """Most memory that weights, optimizers and one update hold at a time, in MB."""
    if device == "cuda":
        config = RECIPES[name]
        audio = batch_of(config, device)
        run = job_of(who, config, audio, device)
        for _ in range(2):
            torch.cuda.reset_peak_memory_stats()
            run()
        return torch.cuda.max_memory_allocated() / 2**20
    # A fork begins with the memory of this process, which is the same for both.
    context = multiprocessing.get_context("fork")
    answer = context.SimpleQueue()
    process = context.Process(target=_two_updates, args=(who, name, answer))
    process.start()
    process.join()
    if process.exitcode:
        raise ValueError(f"the update of {who}, {name}, ended with status {process.exitcode}.")
    return answer.get()


def of_recipes() -> list[dict[str, Any]]:
    """The sizes that a page has to say beside the names."""
    return [{"recipe": name, "filters": config.codec.n_filters, "batch": config.batch,
             "seconds": config.seconds, "weights": config.codec.weights,
             "discriminator_filters":
             config.discriminator_filters if config.uses_discriminator else None}
            for name, config in RECIPES.items()]  # fmt: skip


def of_memory(device: str) -> list[dict[str, Any]]:
    return [{"recipe": name, **{who: round(megabytes(who, name, device)) for who in
                                ("ours", "official")}} for name in RECIPES]  # fmt: skip


def of_parts(device: str, repeats: int) -> list[dict[str, Any]]:
    """Shares of our update in float32, and how near its speed comes to that of one product."""
    rows = []
    torch.set_num_threads(1)
    most = peak() if device == "cpu" else None
    for name, config in RECIPES.items():
        update, audio = started(config, device), batch_of(config, device)
        clock = Clock(partial(now, device, 1))
        parts = shares(update, audio, STEP, repeats, clock)
        macs = multiply_accumulates(update, audio, STEP) / 1e9
        second = macs * repeats / sum(clock.seconds.values())
        row = {"recipe": name, "shares": {part: round(share, 3) for part, share in parts.items()},
               "billion_macs_per_second_of_sound": round(macs / config.batch / config.seconds, 1),
               "billion_macs_per_second": round(second, 1)}  # fmt: skip
        if most is not None:
            row |= {"peak_billion_macs": round(most), "share_of_peak": round(second / most, 2)}
        rows.append(row)
    return rows


def of_processes(runs: Sequence[tuple[int, int, int]], steps: int) -> list[dict[str, Any]]:
    """Short runs of the whole trainer, with its loading of data, on the recipe of `mini_adam`."""
    sound = BATCH * load_config("mini_adam").seconds
    return [{"processes": processes, "workers": workers, "threads": threads,
             **summary(sound, short_run(processes, workers, threads, steps))}
            for processes, workers, threads in tqdm(runs, "short runs")]  # fmt: skip


def measured(device: str, threads: Sequence[int], repeats: int) -> dict[str, Any]:
    """Everything on one device; the commit, the day and the machine beside it."""
    found: dict[str, Any] = {"device": device, "machine": machine("encodec")}
    if device == "cuda":
        found["machine"]["gpu"] = torch.cuda.get_device_name()
    found["recipes"] = of_recipes()
    found["memory"] = of_memory(device)  # first: a process with threads should not fork
    if device == "cpu":
        found["processes"] = of_processes([run for run in RUNS if run[2] in threads], 2 * repeats)
    settings = [(name, n) for n in threads for name in RECIPES]
    found["updates"] = []
    for name, n in tqdm(settings, "updates"):
        dtypes = ("float32", "bfloat16") if n == 1 else ("float32",)
        found["updates"] += of_updates(name, device, n, repeats, dtypes)
    found["parts"] = of_parts(device, repeats)
    return found


def main() -> None:
    warnings.filterwarnings("ignore", category=FutureWarning)  # how official modules norm weights
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2], help="of a processor")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("-o", "--output", type=Path, default=Path("benchmarks/training.json"))
    args = parser.parse_args()
    if args.device == "cuda" and not torch.cuda.is_available():
        parser.error("there is no GPU here that torch can use.")
    threads = args.threads if args.device == "cpu" else [1]
    result = measured(args.device, threads, args.repeats)
    kept = json.loads(args.output.read_text()) if args.output.is_file() else []
    kept = [part for part in kept if part["device"] != args.device]
    write_text(args.output, json.dumps([*kept, result], indent=1) + "\n")
    for row in result["updates"]:
        print(f"{row['recipe']}, {row['dtype']}, threads {row['threads']}: "
              f"ours {row['ours']['audio_per_second']}, "
              f"official {row['official']['audio_per_second']}, {row['ratio']} x")  # fmt: skip


if __name__ == "__main__":
    main()
