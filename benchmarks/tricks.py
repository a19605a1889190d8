"""What does each trick of the fast codec buy? All of them, then each left out in turn.

    python benchmarks/tricks.py

One process, one thread, processor time, medians of calls in turn. The page `book/fast.md` shows the
result.
"""

import argparse
import json
import statistics
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import torch
from machine import machine
from speed import BANDWIDTH, FRAME, in_turn, long_clip

from minicodec.model.codec import Codec
from minicodec.model.config import ENCODEC_24KHZ, MINI_24KHZ
from minicodec.model.fast import activation, convolution, layers, networks
from minicodec.model.fast.codec import FastCodec, faster

#: Frames in a turn: a stream finds its weights as its last frame has left them in the cache.
FRAMES = 50


def torch_argmin(distances: np.ndarray, axis: int, out: np.ndarray) -> None:
    """What `np.argmin` does, by torch."""
    out[:] = torch.from_numpy(distances).argmin(axis).numpy()


#: Trick → what to put in its place, as (module, name, value).
WITHOUT: dict[str, list[tuple[Any, str, Any]]] = {
    "nothing": [],
    "the quick activation": [
        (module, "is_small", lambda x: True) for module in (activation, convolution, layers)
    ],
    "matrix products for short inputs": [(convolution, "is_little", lambda x: False)],
    "the library's convolution for long inputs": [(convolution, "is_little", lambda x: True)],
    "tiles of a second": [(networks, "_TILE", 10**9)],
    "our own LSTM steps for few frames": [(layers, "_FEW", 0)],
    "the LSTM's weights packed beforehand": [(layers, "packed", lambda lstm: [])],
    "numpy's search for the nearest": [(layers.np, "argmin", torch_argmin)],
    "single frames in numpy": [(networks, "can_be_laid_out", lambda layers: False)],
    "blocks of eight for the last channel": [(convolution, "_TOGETHER", 1)],
    "weights prepared beforehand": [
        (FastCodec, "_prepared", lambda codec, name: codec._prepare(getattr(codec, name)))
    ],
}


@contextmanager
def without(trick: str) -> Iterator[None]:
    """The fast codec with one trick left out."""
    with ExitStack() as stack:
        for module, name, value in WITHOUT[trick]:
            stack.enter_context(mock.patch.object(module, name, value))
        yield


def jobs(codec: Codec, trick: str, clip: torch.Tensor) -> dict[str, Callable[[], object]]:
    """What is measured, of one codec with one trick left out."""
    with without(trick):
        codes = codec.encode(clip, BANDWIDTH)
        _, encoder = codec.stream_encode(clip[..., : 100 * FRAME], None, BANDWIDTH)
        _, decoder = codec.stream_decode(codes[..., :100])
    frame, code = clip[..., 100 * FRAME : 101 * FRAME], codes[..., 100:101]
    plain = {
        "encode": lambda: codec.encode(clip, BANDWIDTH),
        "decode": lambda: codec.decode(codes),
        "encode one frame": lambda: [
            codec.stream_encode(frame, encoder, BANDWIDTH) for _ in range(FRAMES)
        ],
        "decode one frame": lambda: [codec.stream_decode(code, decoder) for _ in range(FRAMES)],
    }

    def patched(job: Callable[[], object]) -> Callable[[], object]:
        def run() -> None:
            with without(trick):
                job()

        return run

    return {what: patched(job) for what, job in plain.items()}


def measure(name: str, plain: Codec, seconds: float, repeats: int) -> list[dict[str, Any]]:
    """A row for each trick: milliseconds per second of sound, and for one frame."""
    clip = long_clip(seconds)
    codecs: dict[str, Codec] = {trick: faster(plain) for trick in WITHOUT}
    each = {trick: jobs(codec, trick, clip) for trick, codec in codecs.items()}
    each["all of them"] = jobs(plain, "nothing", clip)
    rows = [{"model": name, "without": trick} for trick in each]
    for what in each["nothing"]:
        times = in_turn({trick: job[what] for trick, job in each.items()}, repeats)
        for row in rows:
            median = statistics.median(times[str(row["without"])])
            length = seconds if "frame" not in what else FRAMES
            row[what] = round(1000 * median / length, 2)  # type: ignore[assignment]
    for row in rows:
        print(row)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("-o", "--output", type=Path, default=Path("benchmarks/tricks.json"))
    args = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    rows = []
    with torch.inference_mode():
        for name, config in (
            ("encodec_24khz", replace(ENCODEC_24KHZ, pad_mode="constant")),
            ("mini_24khz", MINI_24KHZ),
        ):
            rows += measure(name, Codec(config, name).eval(), args.seconds, args.repeats)
    args.output.write_text(json.dumps({"machine": machine(), "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
