"""Support of `coder.py`: the coders that it compares, all asked in the same way."""

import importlib
import io
from collections.abc import Iterable
from typing import Any

import constriction
import numpy as np
import torch
from coder_compiled import CompiledDecoder, CompiledEncoder
from torch import Tensor

from minicodec.bits import range_coder, range_fast

official = importlib.import_module("encodec.quantization.ac")
queue, stack = constriction.stream.queue, constriction.stream.stack
Categorical = constriction.stream.model.Categorical

#: Symbols [m] and their tables, part by part.
Parts = Iterable[tuple[np.ndarray, Any]]


class Coder:
    """Ours as chapter 11 builds it. The others say where they differ.

    A table for many symbols is one that all of them share.
    """

    format = "minicodec"
    rows = 1 << 30  # how many tables it makes at a time
    encoder: Any = range_coder.RangeEncoder
    decoder: Any = range_coder.RangeDecoder

    def made(self, probabilities: Tensor) -> Any:
        """Tables from floats [..., N], while the clock runs."""
        return range_coder.cumulate(frequencies(probabilities))

    def ready(self, probabilities: Tensor) -> Any:
        """Tables made before the clock starts."""
        return self.made(probabilities)

    def encode(self, parts: Parts) -> bytes:
        encoder = self.encoder()
        for symbols, tables in parts:
            encoder.encode(symbols, tables)
        return encoder.finish()

    def decode(self, data: bytes, parts: Parts) -> list[int]:
        decoder, decoded = self.decoder(data), []
        for symbols, tables in parts:
            decoded += decoder.decode(tables, len(symbols))
        return decoded


class Shipped(Coder):
    """What streams are coded with."""

    rows = 128
    decoder: Any = range_fast.FastRangeDecoder

    def __init__(self) -> None:
        self._rooms: dict[torch.Size, Tensor] = {}

    def made(self, probabilities: Tensor) -> Any:
        """Where those before lay, which have been used by now: as when a stream is coded."""
        tables = frequencies(probabilities)
        if tables.shape not in self._rooms:
            self._rooms[tables.shape] = torch.zeros(len(tables), tables.shape[1] + 1).long()
        return range_fast._sums(tables, self._rooms[tables.shape])

    def ready(self, probabilities: Tensor) -> Any:
        return range_fast.cumulate(frequencies(probabilities))


class Compiled(Shipped):
    """Our coder as machine code."""

    encoder, decoder = CompiledEncoder, CompiledDecoder


class Official(Coder):
    """That of the package encodec, a symbol in each call."""

    format = "encodec"

    def made(self, probabilities: Tensor) -> Any:
        rows = probabilities.reshape(-1, probabilities.shape[-1])
        return [official.build_stable_quantized_cdf(p, 24, check=False) for p in rows]

    def encode(self, parts: Parts) -> bytes:
        file = io.BytesIO()
        coder = official.ArithmeticCoder(file)
        for symbols, tables in parts:
            for symbol, table in zip(symbols.tolist(), spread(tables, len(symbols))):
                coder.push(symbol, table)
        coder.flush()
        return file.getvalue()

    def decode(self, data: bytes, parts: Parts) -> list[int]:
        coder, decoded = official.ArithmeticDecoder(io.BytesIO(data)), []
        for symbols, tables in parts:
            decoded += [coder.pull(table) for table in spread(tables, len(symbols))]
        return decoded


class Queue(Coder):
    """constriction's range coder."""

    format = "constriction"

    def made(self, probabilities: Tensor) -> Any:
        return probabilities.numpy()  # of which it makes tables itself

    def ready(self, probabilities: Tensor) -> Any:
        if probabilities.dim() == 1:
            return Categorical(probabilities.numpy(), perfect=False)
        return [Categorical(p, perfect=False) for p in probabilities.numpy()]

    def encode(self, parts: Parts) -> bytes:
        coder = queue.RangeEncoder()
        push(coder.encode, parts)
        return coder.get_compressed().tobytes()

    def decode(self, data: bytes, parts: Parts) -> list[int]:
        return pull(queue.RangeDecoder(np.frombuffer(data, np.uint32)).decode, parts)


class Stack(Queue):
    """constriction's ANS, which is given the last symbol first."""

    def encode(self, parts: Parts) -> bytes:
        coder = stack.AnsCoder()
        push(coder.encode_reverse, list(parts)[::-1], -1)
        return coder.get_compressed().tobytes()

    def decode(self, data: bytes, parts: Parts) -> list[int]:
        return pull(stack.AnsCoder(np.frombuffer(data, np.uint32)).decode, parts)


FAMILY = Categorical(perfect=False)


def push(encode: Any, parts: Parts, step: int = 1) -> None:
    for symbols, tables in parts:
        if isinstance(tables, np.ndarray):
            encode(symbols.astype(np.int32), FAMILY, tables)
        elif isinstance(tables, list):
            for symbol, model in zip(symbols[::step].tolist(), tables[::step]):
                encode(symbol, model)
        else:
            encode(symbols.astype(np.int32), tables)


def pull(decode: Any, parts: Parts) -> list[int]:
    decoded: list[int] = []
    for symbols, tables in parts:
        if isinstance(tables, np.ndarray):
            decoded += decode(FAMILY, tables).tolist()
        elif isinstance(tables, list):
            decoded += [decode(model) for model in tables]
        else:
            decoded += decode(tables, len(symbols)).tolist()
    return decoded


def frequencies(probabilities: Tensor) -> Tensor:
    """Integers from 1 on that add up to about 2^20."""
    return (probabilities * (1 << 20)).to(torch.int64).add_(1)


def spread(tables: list[Any], count: int) -> list[Any]:
    return tables * count if len(tables) == 1 else tables


CODERS: dict[str, Coder] = {
    "ours, as in chapter 11": Coder(),
    "ours, as it ships": Shipped(),
    "ours, compiled": Compiled(),
    "official": Official(),
    "constriction, range coder": Queue(),
    "constriction, ANS": Stack(),
}
