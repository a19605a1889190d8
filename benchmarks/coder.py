"""How fast is our range coder beside four others, and how short is what they write?

    python benchmarks/coder.py --symbols 6000

All coders code the same symbols with the same probabilities over 1024 codes, in turn, in one
process on one thread. Compared are medians of processor time. There are five ways:

    at once, ready      a table of its own for each symbol, all in one call, and all tables made
                        before the clock starts. They are far more than a cache holds.
    at once, made       the same, with each coder making its tables from floats while the clock runs
    frames, ready       eight symbols in a call, as a codec decodes them with a language model; 128
                        tables in turn, which stay in the cache as those just made do
    frames, made        the same, with tables made while the clock runs
    one table, ready    one table for all symbols, in one call

`constriction` makes its tables itself when it is given floats. Where tables are to be ready, it has
a model for each symbol, and takes one symbol in a call. Its coders are a range coder (a queue: the
first symbol in is the first out) and ANS (a stack: the last in is the first out). "Compiled" is our
own coder as machine code, made by numba (`coder_compiled.py`), which the package does not use: it
shows what the language costs. What Python needs at least is measured in the same run: for a loop
that does nothing, and for the integers of a decoder that need not search. `us_per_frame` is what
a frame of eight codes takes when real codes are decoded: to its model, and to the coder.

Needs the packages `encodec`, `constriction` and `numba`.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from coder_rivals import CODERS, Coder
from machine import machine
from torch import Tensor
from tqdm import tqdm

import minicodec
from minicodec import audio
from minicodec.bits import range_coder, range_fast
from minicodec.bits.packing import code_model
from minicodec.bits.range_coder import CodeModel, RangeEncoder, cumulate

CODES = 1024
HOT = 128  # tables that stay in the cache
FRAME = 8


class Message(NamedTuple):
    """Symbols, in the parts in which they are coded."""

    symbols: np.ndarray  #: [n]
    parts: list[tuple[np.ndarray, Tensor]]  #: symbols [m], probabilities [m, N] or [N]
    ideal: float  #: bits per symbol


def message(probabilities: Tensor, count: int, rows: int) -> Message:
    """Symbols drawn from probabilities [m, N] in turn, in parts of `rows`; or from [N], in one."""
    one = probabilities.dim() == 1
    index = torch.arange(count) % (1 if one else len(probabilities))
    known = probabilities.reshape(-1, probabilities.shape[-1])
    drawn = known[index].multinomial(1)[:, 0]
    ideal = float(-known[index, drawn].log2().mean())
    symbols = drawn.numpy()
    if one:
        return Message(symbols, [(symbols, probabilities)], ideal)
    groups = list(probabilities.split(rows))
    parts = [
        (symbols[i : i + rows], groups[i // rows % len(groups)]) for i in range(0, count, rows)
    ]
    return Message(symbols, parts, ideal)


def jobs(
    coder: Coder, told: Message, ready: bool
) -> tuple[Callable[[], bytes], Callable[[bytes], list[int]]]:
    """What the clock measures: encoding, and decoding."""
    if ready:
        made = {id(p): coder.ready(p) for _, p in told.parts}
        parts = [(symbols, made[id(p)]) for symbols, p in told.parts]
        return lambda: coder.encode(parts), lambda data: coder.decode(data, parts)

    def making() -> Iterator[tuple[np.ndarray, Any]]:
        for symbols, p in told.parts:
            for begin in range(0, len(symbols), coder.rows):
                rows = slice(begin, begin + coder.rows)
                yield symbols[rows], coder.made(p[rows])

    return lambda: coder.encode(making()), lambda data: coder.decode(data, making())


def floors(symbols: np.ndarray, sums: np.ndarray, repeats: int) -> dict[str, float]:
    """Nanoseconds that Python needs for a symbol: to count it, and for a decoder's integers."""
    index = np.arange(len(symbols))
    starts, stops = sums[index, symbols], sums[index, symbols + 1]
    widths, totals = (stops - starts).tolist(), sums[:, -1].tolist()
    encoder = RangeEncoder()
    encoder.encode(symbols, sums)
    data = encoder.finish() + bytes(9)
    words = [int.from_bytes(data[i : i + 2], "big") for i in range(8, len(data) - 1, 2)]

    def nothing() -> None:
        for _ in totals:
            pass

    def integers() -> None:
        range_, offset, at = (1 << 64) - 1, int.from_bytes(data[:8], "big"), 0
        values = []
        for start, width, total in zip(starts.tolist(), widths, totals):
            unit = range_ // total
            values.append(offset // unit)
            offset -= unit * start
            range_ = unit * width
            while range_ < 1 << 48:
                offset = offset << 16 | words[at]
                range_ <<= 16
                at += 1
        if not (starts <= values).all() or not (values < stops).all():
            raise SystemExit("these are not the integers of the decoder")

    integers()
    taken = {"loop_ns": statistics.median(clock(nothing) for _ in range(repeats)),
             "integers_ns": statistics.median(clock(integers) for _ in range(repeats))}  # fmt: skip
    return {name: round(seconds / len(symbols) * 1e9, 1) for name, seconds in taken.items()}


class Clocked:
    """A model of codes whose `stream` is timed."""

    def __init__(self, model: CodeModel):
        self.model, self.codebook_size, self.start = model, model.codebook_size, model.start
        self.tables = model.tables
        self.seconds = 0.0

    def stream(self, codes: Tensor | None, state: Any) -> tuple[Tensor, Any]:
        start = time.process_time()
        answer = self.model.stream(codes, state)
        self.seconds += time.process_time() - start
        return answer


def shares(repeats: int) -> dict[str, dict[str, float]]:
    """Microseconds per frame of eight codes that are decoded: the model's, and the coder's."""
    codec = minicodec.load("mini_24khz")
    codes = codec.encode(audio.clip("speech_en", 24000, seconds=5), 6.0)[0]
    coders = {"coder": range_fast.decode_codes, "chapter 11's coder": range_coder.decode_codes}
    found = {}
    for mode in ("histogram", "lm"):
        known, _ = code_model(codec, mode)
        assert known is not None
        data = range_fast.encode_codes(known, codes)
        times: dict[str, list[float]] = {name: [] for name in ("model", *coders)}
        for _ in range(repeats):
            for name, decode in coders.items():
                model = Clocked(known)
                seconds = clock(partial(decode, model, data, *codes.shape))
                times["model"].append(model.seconds)
                times[name].append(seconds - model.seconds)
        found[mode] = {name: round(1e6 * statistics.median(taken) / codes.shape[1], 1)
                       for name, taken in times.items()}  # fmt: skip
    return found


def loading() -> float:
    """Milliseconds of the processor that importing numba takes, before it compiles anything."""
    code = "import time; t = time.process_time(); import numba; print(time.process_time() - t)"
    runs = [subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
            for _ in range(3)]  # fmt: skip
    return round(1000 * statistics.median(float(run.stdout) for run in runs), 1)


def clock(job: Callable[[], object]) -> float:
    start = time.process_time()
    job()
    return time.process_time() - start


def measure(way: str, told: Message, ready: bool, repeats: int) -> list[dict[str, object]]:
    """A row for each coder."""
    times: dict[str, tuple[list[float], list[float]]] = {name: ([], []) for name in CODERS}
    work = {name: jobs(coder, told, ready) for name, coder in CODERS.items()}
    sizes = {}
    for turn in tqdm(range(repeats + 1), way):
        for name, (encode, decode) in work.items():
            start = time.process_time()
            data = encode()
            middle = time.process_time()
            decoded = decode(data)
            end = time.process_time()
            if decoded != told.symbols.tolist():
                raise SystemExit(f"{name} did not give the symbols back")
            sizes[name] = len(data)
            if turn:  # the first is a warm-up
                times[name][0].append(middle - start)
                times[name][1].append(end - middle)
    if len({sizes[name] for name in sizes if CODERS[name].format == "minicodec"}) > 1:
        raise SystemExit("coders of one format wrote different bytes")
    rows = []
    for name, both in times.items():
        row: dict[str, object] = {"way": way, "coder": name}
        for what, taken in zip(("encode", "decode"), both):
            speeds = [round(len(told.symbols) / seconds) for seconds in taken]
            row[f"{what}_symbols_per_s"] = round(statistics.median(speeds))
            row[f"{what}_spread"] = [min(speeds), max(speeds)]
        row["bits_per_symbol"] = round(8 * sizes[name] / len(told.symbols), 4)
        rows.append(row)
        print(f"{way:17} {name:26} encodes {row['encode_symbols_per_s']:>12,} and decodes "
              f"{row['decode_symbols_per_s']:>12,} symbols/s")  # fmt: skip
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--symbols", type=int, default=6000, help="10 s at 6 kbps are 6000")
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("-o", "--output", type=Path, default=Path("benchmarks/coder.json"))
    args = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    probabilities = (2.2 * torch.randn(args.symbols, CODES)).softmax(1)
    all_own = message(probabilities, args.symbols, args.symbols)
    frames = message(probabilities[:HOT].clone(), args.symbols, FRAME)
    one = message(probabilities[0].clone(), args.symbols, args.symbols)
    ways = {"at once, ready": (all_own, True), "at once, made": (all_own, False),
            "frames, ready": (frames, True), "frames, made": (frames, False),
            "one table, ready": (one, True)}  # fmt: skip
    rows = []
    for way, (told, ready) in ways.items():
        rows += measure(way, told, ready, args.repeats)
    sums = cumulate((probabilities * (1 << 20)).long() + 1)
    found = {"machine": machine("encodec", "constriction", "numba"), "symbols": args.symbols,
             "ideal_bits_per_symbol": {w: round(told.ideal, 4) for w, (told, _) in ways.items()},
             "us_per_frame": shares(args.repeats), "numba_import_ms": loading(),
             **floors(all_own.symbols, sums, args.repeats), "rows": rows}  # fmt: skip
    print(found["us_per_frame"])
    print(f"Python's loop alone: {found['loop_ns']} ns a symbol; with a decoder's integers: "
          f"{found['integers_ns']} ns")  # fmt: skip
    args.output.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
