"""An exported codec beside the package: the same codes? the same sound? how fast, how large?

    python benchmarks/onnx_export.py FOLDER --single RUN

On recordings, in frames as a live program takes them. Speeds are seconds of sound per second of
processor time, one thread. Also what fewer bits of weights would cost: `--single` names a model
with weights in 32 bits, a training run for example, which is then stored in 16; and the shipped
codec is quantized to 8 by ONNX Runtime's own tool. Needs onnxruntime and visqol-python.
"""

import argparse
import gzip
import json
import math
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from statistics import fmean, median
from typing import Any, NamedTuple

import numpy as np
import onnxruntime
import torch
from machine import machine
from onnx_step import Step
from speed import in_turn
from torch import Tensor
from tqdm import tqdm

import minicodec
from minicodec import audio
from minicodec.listening.measures import MEASURES
from minicodec.model.checkpoint import SHIPPED, save_codec
from minicodec.model.codec import Codec
from minicodec.model.onnx_export import export_onnx
from minicodec.sound.files import recordings

NAME, BANDWIDTH = "mini_24khz", 6.0
FRAMES = (1, 6, 75)  # of a call
NAMES = ("si_sdr", "mel_distance", "visqol")
#: What a fresh process prints: seconds to open both graphs, and the memory they take.
OPEN = """
import sys, time
from onnx_step import Step
def memory():
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS")) / 1024
before, start = memory(), time.perf_counter()
steps = [Step(file) for file in sys.argv[1:]]
print(time.perf_counter() - start, memory() - before)
"""


class Coded(NamedTuple):
    """A clip on the other side."""

    codes: Tensor
    audio: Tensor


def in_pieces(step: Step, x: np.ndarray, size: int) -> np.ndarray:
    """What a step makes of a clip, `size` samples or frames at a time."""
    states, outputs = None, []
    for start in range(0, x.shape[-1], size):
        y, states = step(x[..., start : start + size], states)
        outputs.append(y)
    return np.concatenate(outputs, axis=-1)


def clips(folder: Path, seconds: float, hop: int) -> list[Tensor]:
    """The beginnings of all recordings, in whole frames."""
    found = []
    for file in recordings(folder):
        clip = audio.load(file, 24000, 1)[0][None, :, : round(seconds * 24000)]
        found.append(clip[..., : clip.shape[-1] // hop * hop])
    return found


def beside_the_package(codec: Codec, encoder: Step, decoder: Step, sounds: list[Tensor]) -> dict:
    """Codes that differ, how close a tie the first of each such frame was, and the sound."""
    hop, frames, codes_all, differ = codec.config.hop_length, 0, 0, 0
    ties: list[float] = []
    largest = 0.0
    for clip in tqdm(sounds, desc="codes", unit="clip"):
        theirs = codec.encode(clip)
        ours = torch.from_numpy(in_pieces(encoder, clip.numpy(), 6 * hop)).long()
        frames += ours.shape[2]
        codes_all += ours.numel()
        differ += int((ours != theirs).sum())
        wrong = (ours != theirs).any(1).nonzero()
        if len(wrong):
            latents, _ = codec.encoder.stream(clip, None, True)
            ties += [tie(codec, latents[0, :, t], ours[0, :, t], theirs[0, :, t])
                     for _, t in wrong.tolist()]  # fmt: skip
        heard = in_pieces(decoder, theirs.int().numpy(), 6)
        largest = max(largest, float((codec.decode(theirs) - torch.from_numpy(heard)).abs().max()))
    return {"clips": len(sounds), "frames": frames, "codes": codes_all, "codes_that_differ": differ,
            "frames_that_differ": len(ties), "largest_tie": max(ties, default=0.0),
            "largest_difference_of_samples": largest}  # fmt: skip


def tie(codec: Codec, latent: Tensor, ours: Tensor, theirs: Tensor) -> float:
    """By how much, relative to itself, the distance to one entry is that to the other."""
    for book, a, b in zip(codec.quantizer.codebooks, ours, theirs):
        vectors: Tensor = book.embedding  # type: ignore[assignment]
        if a != b:
            here, there = (latent - vectors[torch.stack([a, b])]).square().sum(1)
            return float((here - there).abs() / here)
        latent = latent - vectors[a]
    return math.nan


def speeds(
    codec: Codec, runtimes: Mapping[str, tuple[Step, Step]], repeats: int
) -> list[dict[str, Any]]:
    """Times real time of each pair of graphs and of our own stream, by frames per call."""
    hop, rows = codec.config.hop_length, []
    clip = audio.clip("speech_en")[..., : 300 * hop]
    codes = codec.encode(clip)
    for frames in FRAMES:
        each: list[tuple[str, Tensor, int, Callable]] = [
            ("encode", clip, frames * hop, codec.stream_encode),
            ("decode", codes.int(), frames, codec.stream_decode),
        ]
        for part, (what, x, size, stream) in enumerate(each):
            jobs: dict[str, Callable[[], object]] = {
                name: partial(in_pieces, steps[part], x.numpy(), size)
                for name, steps in runtimes.items()
            }
            jobs["torch"] = partial(streamed, stream, x, size)
            for name, taken in in_turn(jobs, repeats).items():
                seconds = median(taken)
                rows.append({"what": what, "runtime": name, "frames": frames,
                             "x_real_time": round(300 / 75 / seconds, 1),
                             "ms_per_call": round(1000 * seconds * frames / 300, 3)})  # fmt: skip
                print(rows[-1])
    return rows


def streamed(stream: Callable, x: Tensor, size: int) -> None:
    """A clip through the package, as `in_pieces`."""
    state = None
    for piece in x.split(size, dim=-1):
        _, state = stream(piece, state)


def files_and_opening(files: list[Path]) -> dict[str, Any]:
    """Sizes as they are and as a web server packs them; seconds and memory to open both graphs."""
    sizes = [{"file": file.name, "bytes": file.stat().st_size,
              "gzip": len(gzip.compress(file.read_bytes(), 9))} for file in files]  # fmt: skip
    command = [sys.executable, "-c", OPEN, *map(str, files[1:3])]
    runs = [
        subprocess.run(
            command, cwd=Path(__file__).parent, capture_output=True, text=True, check=True
        )
        for _ in range(5)
    ]
    numbers = np.array([[float(word) for word in run.stdout.split()] for run in runs])
    seconds, megabytes = np.median(numbers, axis=0)
    return {"files": sizes, "open_seconds": round(float(seconds), 3),
            "open_megabytes": round(float(megabytes), 1)}  # fmt: skip


def fewer_bits(
    codec: Codec, files: list[Path], small: list[Path], sounds: list[Tensor], single: str | None
) -> list[dict[str, Any]]:
    """Weights in 32, 16 and 8 bits: how many codes stay the same, and what measures say."""
    rows: list[dict[str, Any]] = []
    n_q, second = codec.config.n_q(BANDWIDTH), codec.config.frame_rate * codec.config.hop_length

    def row(weights: str, size: int, coded: list[Coded], before: list[Coded]) -> None:
        same = torch.cat([(a.codes == b.codes).flatten() for a, b in zip(coded, before)])
        scores = {
            name: round(fmean(MEASURES[name](each.audio, clip, 24000)
                              for each, clip in zip(coded, sounds)), 3)
            for name in NAMES
        }  # fmt: skip
        equal = round(float(same.float().mean()), 4)
        rows.append({"weights": weights, "bytes": size, "codes_equal": equal} | scores)
        print(rows[-1])

    def by_steps(graphs: list[Path]) -> list[Coded]:
        encoder, decoder = map(Step, graphs)
        found = []
        for clip in tqdm(sounds, desc=graphs[0].name, unit="clip"):
            codes = in_pieces(encoder, clip.numpy(), second)[:, :n_q]
            heard = in_pieces(decoder, codes, codec.config.frame_rate)
            found.append(Coded(torch.from_numpy(codes), torch.from_numpy(heard)))
        return found

    if single:
        exact, before = minicodec.load(single), list[Coded]()
        for text, half in (("32 bits", False), ("16 bits", True)):
            with tempfile.TemporaryDirectory() as place:
                file = Path(place) / "c.safetensors"
                save_codec(exact, file, half=half)
                each, size = minicodec.load(file), file.stat().st_size
            codes = [each.encode(clip, BANDWIDTH) for clip in sounds]
            coded = [Coded(k, each.decode(k)) for k in codes]
            before = before or coded
            row(f"{text}, a run in training", size, coded, before)
    shipped = by_steps(files[1:3])
    row("16 bits, as shipped", files[0].stat().st_size, shipped, shipped)
    row("8 bits, of those shipped", sum(f.stat().st_size for f in small), by_steps(small), shipped)
    return rows


def eight_bits(graph: Path, place: Path) -> Path:
    """A graph with its weights folded, and quantized by ONNX Runtime as its manual says."""
    from onnxruntime.quantization import quantize_dynamic

    folded, small = place / f"folded_{graph.name}", place / f"small_{graph.name}"
    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(folded)
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    onnxruntime.InferenceSession(graph, options)
    quantize_dynamic(folded, small)
    return small


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path, help="recordings that the codec has not learned from")
    parser.add_argument("--single", metavar="MODEL", help="a codec with weights in 32 bits")
    parser.add_argument("--seconds", type=float, default=10.0, help="of each recording")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("-o", "--output", type=Path, default=Path("benchmarks/onnx_export.json"))
    args = parser.parse_args()
    torch.set_num_threads(1)
    codec = minicodec.load(NAME)
    sounds = clips(args.folder, args.seconds, codec.config.hop_length)
    with tempfile.TemporaryDirectory() as place:
        files = export_onnx(SHIPPED[NAME], place, NAME)
        small = [eight_bits(file, Path(place)) for file in files[1:3]]
        steps, quick = (Step(files[1]), Step(files[2])), (Step(small[0]), Step(small[1]))
        result = {
            "machine": machine() | {"onnxruntime": onnxruntime.__version__},
            "codes": beside_the_package(codec, *steps, sounds),
            "speeds": speeds(codec, {"onnxruntime": steps, "8 bits": quick}, args.repeats),
            **files_and_opening(files),
            "bits": fewer_bits(codec, files, small, sounds, args.single),
        }
    print(result["codes"])
    args.output.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
