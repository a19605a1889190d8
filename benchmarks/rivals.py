"""How fast is it beside everything else that one would take? Every codec in one process, in turn.

    pip install --target rivals --no-deps -r benchmarks/rivals.txt
    PYTHONPATH=rivals python benchmarks/rivals.py

Times are wall-clock seconds, of one thread and of two (each in a process of its own, since numpy
asks but once how many it may use), for clips of one second, ten seconds and five minutes. The order
is another one in each turn, since who comes after a large model finds the cache empty; and between
two runs lies a pause, in which the threads of the one before stop waiting for more. Also one frame
of a stream, from start to the first second of sound, and the most memory of a process of its own.
Medians with the slowest and the fastest. A codec that would take longer than `--longest` for one
clip is left out there, and what it would take is written down. Needs what `benchmarks/rivals.txt`
names, transformers, encodec, onnxruntime and opus-tools; those that are missing are left out.
"""

import argparse
import gc
import json
import os
import random
import statistics
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch
from machine import machine, opus_version
from rival_codecs import BANDWIDTH, RIVALS, Opened
from rival_starts import of_processes
from speed import FRAME, long_clip, multiply_accumulates
from tqdm import tqdm

from minicodec.model.codec import Codec
from minicodec.model.config import ENCODEC_24KHZ, MINI_24KHZ

_PAUSE = 0.25  # seconds; libraries let their threads look out for more work for up to 0.2
Row = dict[str, Any]


def opened(threads: int, names: list[str]) -> dict[str, Opened]:
    """The codecs that are at hand."""
    torch.set_num_threads(threads)
    found = {}
    for name in tqdm(names, desc="opening", unit="codec"):
        try:
            found[name] = RIVALS[name].open(threads)
        except (ImportError, ValueError) as error:
            print(f"{name} is left out: {error}")
    return found


def of_clips(
    codecs: dict[str, Opened], seconds: float, threads: int, args: argparse.Namespace
) -> list[Row]:
    """Rows of one length, encoding and decoding."""
    clip, rows = long_clip(seconds), []
    jobs: dict[tuple[str, str], Callable[[], object]] = {}
    first: dict[tuple[str, str], float] = {}
    for name, codec in codecs.items():
        guess = args.pace.get(name, 0) * seconds
        if guess > args.longest:
            rows.append({"codec": name, "seconds": seconds, "threads": threads,
                         "skipped": round(guess)})  # fmt: skip
            continue
        begin = time.perf_counter()
        codes = codec["encode"](clip)
        middle = time.perf_counter()
        codec["decode"](codes)
        first[name, "encode"], first[name, "decode"] = middle - begin, time.perf_counter() - middle
        jobs[name, "encode"] = partial(codec["encode"], clip)
        jobs[name, "decode"] = partial(codec["decode"], codes)
    times: dict[tuple[str, str], list[float]] = {job: [] for job in jobs}
    bar = tqdm(total=args.repeats, desc=f"{seconds:g} s, {threads} threads", unit="turn")
    for turn in range(args.repeats):
        gc.collect()
        for job, run in random.Random(turn).sample(list(jobs.items()), len(jobs)):
            if turn >= 2 and sum(times[job]) + first[job] > args.budget:
                continue
            time.sleep(_PAUSE)
            begin = time.perf_counter()
            run()
            times[job].append(time.perf_counter() - begin)
        bar.update()
    bar.close()
    for (name, what), taken in times.items():
        rows.append({"codec": name, "seconds": seconds, "threads": threads, "what": what}
                    | summary(taken, seconds))  # fmt: skip
        print(rows[-1])
        pace = statistics.median(taken) / seconds
        args.pace[name] = pace if what == "encode" else max(pace, args.pace[name])
    return rows


def summary(taken: list[float], seconds: float) -> Row:
    """Times real time: the median, the slowest and the fastest."""
    return {"x_real_time": round(seconds / statistics.median(taken), 2),
            "spread": [round(seconds / t, 2) for t in (max(taken), min(taken))],
            "runs": len(taken)}  # fmt: skip


def of_frames(codecs: dict[str, Opened], threads: int, repeats: int) -> list[Row]:
    """One frame of a stream in milliseconds, each codec by itself, as a stream would run."""
    rows, clip = [], long_clip(2)
    for name, codec in codecs.items():
        if "encode a frame" not in codec:
            continue
        encode, decode = codec["encode a frame"], codec["decode a frame"]
        there = here = None
        times: dict[str, list[float]] = {"encode": [], "decode": []}
        for turn in range(repeats + 20):
            place = turn % 100 * FRAME
            begin = time.perf_counter()
            codes, there = encode(clip[..., place : place + FRAME], there, BANDWIDTH)
            middle = time.perf_counter()
            _, here = decode(torch.as_tensor(codes), here)
            end = time.perf_counter()
            if turn >= 20:
                times["encode"].append(1000 * (middle - begin))
                times["decode"].append(1000 * (end - middle))
        for what, taken in times.items():
            tenths = statistics.quantiles(taken, n=10)
            rows.append({"codec": name, "threads": threads, "what": what,
                         "ms": round(statistics.median(taken), 3),
                         "spread": [round(tenths[0], 3), round(tenths[-1], 3)]})  # fmt: skip
            print("one frame", rows[-1])
    return rows


def of_threads(threads: int, args: argparse.Namespace) -> dict[str, list[Row]]:
    """All that is measured in one process."""
    found: dict[str, list[Row]] = {"clips": [], "frames": [], "limits": []}
    with torch.inference_mode():
        codecs = opened(threads, args.codecs)
        found["frames"] = of_frames(codecs, threads, args.frames)
        for seconds in args.seconds:
            found["clips"] += of_clips(codecs, seconds, threads, args)
        found["limits"] = of_the_limit(found["clips"], threads)
    return found


def of_the_limit(rows: list[Row], threads: int) -> list[Row]:
    """Multiply-accumulates per second of sound, and what share of the machine's peak that is."""
    found = []
    a = torch.randn(1536, 1536)
    taken = []
    for _ in range(9):
        begin = time.perf_counter()
        a @ a
        taken.append(time.perf_counter() - begin)
    peak = 1536**3 / min(taken) / 1e9
    for name, config in (("minicodec", ENCODEC_24KHZ), ("minicodec, mini", MINI_24KHZ)):
        if not any(row["codec"] == name for row in rows):
            continue
        macs = multiply_accumulates(Codec(config), config.n_q(BANDWIDTH))
        for what, each in zip(("encode", "decode"), macs):
            speed = max(
                r["x_real_time"]
                for r in rows
                if "what" in r and (r["codec"], r["what"], r["threads"]) == (name, what, threads)
            )
            found.append({"codec": name, "what": what, "threads": threads,
                          "million_macs": round(each), "peak_billion_macs": round(peak, 1),
                          "share_of_peak": round(each * speed / 1000 / peak, 3)})  # fmt: skip
            print(found[-1])
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seconds", type=float, nargs="+", default=[1, 10, 300])
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--codecs", nargs="+", choices=list(RIVALS), default=list(RIVALS))
    parser.add_argument("--repeats", type=int, default=9, help="at most")
    parser.add_argument("--budget", type=float, default=15, help="seconds for each number")
    parser.add_argument("--longest", type=float, default=60, help="seconds for one clip")
    parser.add_argument("--frames", type=int, default=400)
    parser.add_argument("--part", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("-o", "--output", type=Path, default=Path("benchmarks/rivals.json"))
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    args.pace = {}  # seconds per second of sound, as far as is known
    if args.part:
        args.output.write_text(json.dumps(of_threads(args.threads[0], args)))
        return
    result: dict[str, Any] = {"machine": {}, "codecs": {}, "clips": [], "frames": [], "limits": []}
    for threads in args.threads:
        part = args.output.with_suffix(".part")
        command = [sys.executable, *sys.argv, "--threads", f"{threads}", "--part", "-o", f"{part}"]
        environment = os.environ | {"OMP_NUM_THREADS": f"{threads}"}
        subprocess.run(command, env=environment, check=True)
        for name, rows in json.loads(part.read_text()).items():
            result[name] += rows
        part.unlink()
    codecs = list(dict.fromkeys(row["codec"] for row in result["clips"]))
    for row in result["clips"]:
        if "what" in row and row["threads"] == 1:
            pace = 1 / row["x_real_time"]
            args.pace[row["codec"]] = max(pace, args.pace.get(row["codec"], 0))
    result["processes"] = of_processes(codecs, args.seconds, args.pace, args.longest, 5)
    packages = {RIVALS[name].package for name in codecs} - {"opus"}
    about = machine(*sorted(packages))
    if "Opus" in codecs:
        about["opus"] = opus_version()
    result["machine"] = about
    result["codecs"] = {name: {"model": RIVALS[name].model, "weights": RIVALS[name].weights}
                        for name in codecs}  # fmt: skip
    args.output.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
