"""How fast is our range coder beside three others, and how short is what they write?

    python benchmarks/coder.py --symbols 6000

Every symbol has a frequency table of its own over 1024 codes, as codes have with a language model.
All code the same symbols with the same probabilities, in turn, in one process on one thread, and
medians of their processor time are compared. Tables are ready before the clock starts: for ours
integer sums, for the official coder its integer tables, for constriction floats, of which it makes
tables itself. Its two coders are a range coder (a queue: the first symbol in is the first out) and
ANS (a stack: the last in is the first out). Needs the `encodec` and `constriction` packages.
"""

import argparse
import importlib
import io
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import constriction
import numpy as np
import torch
from machine import machine

from minicodec.bits.range_coder import RangeDecoder, RangeEncoder, cumulate

official = importlib.import_module("encodec.quantization.ac")


def ours(symbols: np.ndarray, tables: np.ndarray) -> tuple[Callable[[], bytes], Callable[..., Any]]:
    """Functions that encode and decode."""

    def encode() -> bytes:
        encoder = RangeEncoder()
        encoder.encode(symbols, tables)
        return encoder.finish()

    return encode, lambda data: RangeDecoder(data).decode(tables)


def theirs(
    symbols: np.ndarray, probabilities: torch.Tensor
) -> tuple[Callable[[], bytes], Callable[..., Any]]:
    """The same for the official coder."""
    tables = [official.build_stable_quantized_cdf(p, 24, check=False) for p in probabilities]

    def encode() -> bytes:
        file = io.BytesIO()
        coder = official.ArithmeticCoder(file)
        for symbol, table in zip(symbols.tolist(), tables):
            coder.push(symbol, table)
        coder.flush()
        return file.getvalue()

    def decode(data: bytes) -> list[int]:
        coder = official.ArithmeticDecoder(io.BytesIO(data))
        return [coder.pull(table) for table in tables]

    return encode, decode


def queue(
    symbols: np.ndarray, probabilities: torch.Tensor
) -> tuple[Callable[[], bytes], Callable[..., Any]]:
    """The same for constriction's range coder, all symbols in one call."""
    floats = probabilities.numpy()
    family = constriction.stream.model.Categorical(perfect=False)

    def encode() -> bytes:
        coder = constriction.stream.queue.RangeEncoder()
        coder.encode(symbols.astype(np.int32), family, floats)
        return coder.get_compressed().tobytes()

    def decode(data: bytes) -> np.ndarray:
        coder = constriction.stream.queue.RangeDecoder(np.frombuffer(data, np.uint32))
        return coder.decode(family, floats)

    return encode, decode


def stack(
    symbols: np.ndarray, probabilities: torch.Tensor
) -> tuple[Callable[[], bytes], Callable[..., Any]]:
    """The same for constriction's ANS."""
    floats = probabilities.numpy()
    family = constriction.stream.model.Categorical(perfect=False)

    def encode() -> bytes:
        coder = constriction.stream.stack.AnsCoder()
        coder.encode_reverse(symbols.astype(np.int32), family, floats)
        return coder.get_compressed().tobytes()

    def decode(data: bytes) -> np.ndarray:
        coder = constriction.stream.stack.AnsCoder(np.frombuffer(data, np.uint32))
        return coder.decode(family, floats)

    return encode, decode


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--symbols", type=int, default=6000, help="10 s at 6 kbps are 6000")
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("-o", "--output", type=Path, default=Path("benchmarks/coder.json"))
    args = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)

    probabilities = (2.2 * torch.randn(args.symbols, 1024)).softmax(1)
    symbols = torch.multinomial(probabilities, 1)[:, 0].numpy()
    frequencies = (probabilities * (1 << 20)).long() + 1
    ideal = float(-probabilities[range(len(symbols)), symbols].log2().sum())
    coders = {
        "minicodec": ours(symbols, cumulate(frequencies.numpy())),
        "official": theirs(symbols, probabilities),
        "constriction, range coder": queue(symbols, probabilities),
        "constriction, ANS": stack(symbols, probabilities),
    }
    times: dict[str, tuple[list[float], list[float]]] = {name: ([], []) for name in coders}
    sizes = {}
    for turn in range(args.repeats + 1):
        for name, (encode, decode) in coders.items():
            start = time.process_time()
            data = encode()
            middle = time.process_time()
            decoded = decode(data)
            end = time.process_time()
            if list(decoded) != symbols.tolist():
                raise SystemExit(f"{name} did not give the symbols back")
            sizes[name] = len(data)
            if turn:  # the first is a warm-up
                times[name][0].append(middle - start)
                times[name][1].append(end - middle)

    rows = []
    print(f"{args.symbols} symbols, ideal {ideal / args.symbols:.4f} bits each")
    for name, (encoding, decoding) in times.items():
        row = {
            "coder": name,
            "encode_symbols_per_s": round(args.symbols / statistics.median(encoding)),
            "decode_symbols_per_s": round(args.symbols / statistics.median(decoding)),
            "bits_per_symbol": round(8 * sizes[name] / args.symbols, 4),
        }
        rows.append(row)
        print(
            f"{name:26} encodes {row['encode_symbols_per_s']:>9,} and decodes "
            f"{row['decode_symbols_per_s']:>9,} symbols/s, {row['bits_per_symbol']:.4f} bits each"
        )
    result = {"machine": machine("encodec", "constriction"), "symbols": args.symbols,
              "ideal_bits_per_symbol": round(ideal / args.symbols, 4), "rows": rows}  # fmt: skip
    args.output.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
