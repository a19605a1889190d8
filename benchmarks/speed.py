"""How fast is our codec beside the official package? Same architecture, same weights, one process.

    python benchmarks/speed.py --seconds 10 300

All run in turn, on one thread, and medians are compared, so that a busy machine harms all alike.
Speeds are seconds of sound per second of processor time. Needs the `encodec` package.
"""

import argparse
import json
import resource
import statistics
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from machine import machine
from torch import Tensor

import minicodec
from minicodec import audio
from minicodec.model.checkpoint import assemble
from minicodec.model.codec import Codec
from minicodec.model.config import ENCODEC_24KHZ
from minicodec.model.fast.codec import faster
from minicodec.model.pretrained import convert

FRAME = 320
BANDWIDTH = 6.0


def in_turn(functions: Mapping[str, Callable[[], object]], repeats: int) -> dict[str, list[float]]:
    """Seconds of processor time of each, taken in turn after one warm-up."""
    times: dict[str, list[float]] = {name: [] for name in functions}
    for turn in range(repeats + 1):
        for name, function in functions.items():
            start = time.process_time()
            function()
            if turn:
                times[name].append(time.process_time() - start)
    return times


def official_codec() -> tuple[Any, Codec]:
    """The official package's model with random weights, and the same weights in our plain codec."""
    from encodec import EncodecModel

    official = EncodecModel.encodec_model_24khz(pretrained=False).eval()
    official.set_target_bandwidth(BANDWIDTH)
    for level, layer in enumerate(official.quantizer.vq.layers):
        layer._codebook.embed.normal_(0, 0.2 * 0.8**level)
    return official, assemble(ENCODEC_24KHZ, convert(official.state_dict()), "encodec_24khz")


def of_clips(seconds: float, repeats: int) -> list[dict[str, Any]]:
    """Whole clips: the official package, our plain codec, the fast one, and that in bfloat16."""
    official, plain = official_codec()
    ours = {"fast": faster(plain), "plain": plain, "bfloat16": faster(plain, torch.bfloat16)}
    clip = long_clip(seconds)
    frames = official.encode(clip)
    codes = frames[0][0]
    jobs: dict[str, dict[str, Callable[[], object]]] = {
        "encode": {"official": lambda: official.encode(clip)}
        | {name: partial(codec.encode, clip, BANDWIDTH) for name, codec in ours.items()},
        "decode": {"official": lambda: official.decode(frames)}
        | {name: partial(codec.decode, codes) for name, codec in ours.items()},
    }
    rows = []
    for what, each in jobs.items():
        times = in_turn(each, repeats)
        theirs = statistics.median(times["official"])
        for name, taken in times.items():
            row = {"what": what, "codec": name, "seconds": seconds,
                   "x_real_time": round(seconds / statistics.median(taken), 1),
                   "ratio": round(theirs / statistics.median(taken), 2),
                   "spread": [round(seconds / t, 1) for t in (max(taken), min(taken))]}  # fmt: skip
            if what == "encode" and name in ours:
                row["codes_equal"] = round(
                    float((ours[name].encode(clip, BANDWIDTH) == codes).float().mean()), 4
                )
            rows.append(row)
            print(f"{what} {seconds:g} s, {name}: {row['x_real_time']} x real time, "
                  f"{row['ratio']} x official")  # fmt: skip
    return rows


def of_frames(repeats: int) -> list[dict[str, Any]]:
    """One frame of a stream, 13.3 ms of sound, each way; zero padding, as for a live stream."""
    torch.manual_seed(0)
    large = Codec(replace(ENCODEC_24KHZ, pad_mode="constant"), "encodec_24khz").eval()
    rows = []
    for name, plain in (("encodec_24khz", large), ("mini_24khz", None)):
        plain = plain or minicodec.load("mini_24khz", fast=False)
        clip = audio.clip("speech_en")
        for kind, codec in (("fast", faster(plain)), ("plain", plain),
                            ("bfloat16", faster(plain, torch.bfloat16))):  # fmt: skip
            codes, encoder = codec.stream_encode(clip[..., : 100 * FRAME], None, BANDWIDTH)
            _, decoder = codec.stream_decode(codes)
            frame, code = clip[..., 100 * FRAME : 101 * FRAME], codes[..., -1:]
            jobs = {
                "encode": partial(codec.stream_encode, frame, encoder, BANDWIDTH),
                "decode": partial(codec.stream_decode, code, decoder),
            }
            # One after the other, not in turn: a stream finds its weights in the cache.
            times = {what: in_turn({what: job}, repeats)[what] for what, job in jobs.items()}
            for what, taken in times.items():
                ms = [round(1000 * t, 2) for t in sorted(taken)]
                tenth = len(ms) // 10
                row: dict[str, Any] = {"what": f"{what} one frame", "model": name, "codec": kind}
                row |= {"ms": statistics.median(ms), "spread": [ms[tenth], ms[-1 - tenth]]}
                rows.append(row)
                print(f"{what} one frame, {name} {kind}: {row['ms']} ms")
    return rows


def multiply_accumulates(codec: Codec, n_q: int) -> tuple[float, float]:
    """Millions per second of sound, to encode and to decode.

    A convolution costs its weights once per output step, a transposed one once per input step, an
    LSTM its weights once per frame, and a codebook its entries once per frame.
    """
    totals = []
    for network in (codec.encoder, codec.decoder):
        total, rate = 0.0, float(codec.config.sample_rate)
        if network is codec.decoder:
            rate = codec.config.frame_rate
        for layer in network.modules():
            if isinstance(layer, torch.nn.ConvTranspose1d):
                total += layer.weight.numel() * rate
                rate *= layer.stride[0]
            elif isinstance(layer, torch.nn.Conv1d):
                rate /= layer.stride[0]
                total += layer.weight.numel() * rate
            elif isinstance(layer, torch.nn.LSTM):
                total += sum(w.numel() for w in layer.parameters() if w.dim() == 2) * rate
        totals.append(total / 1e6)
    look_up = n_q * codec.config.codebook_size * codec.config.dimension * codec.config.frame_rate
    return totals[0] + look_up / 1e6, totals[1]


def peak() -> float:
    """Billions of multiply-accumulates per second that one large matrix product reaches."""
    a = torch.randn(1536, 1536)
    return 1536**3 / min(in_turn({"product": lambda: a @ a}, 7)["product"]) / 1e9


def of_the_limit(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What share of the machine's peak the fast codec reaches."""
    most, limits = peak(), []
    codec = Codec(ENCODEC_24KHZ)
    for what, macs in zip(("encode", "decode"), multiply_accumulates(codec, 8)):
        speed = max(r["x_real_time"] for r in rows if r["what"] == what and r["codec"] == "fast")
        share = macs * speed / 1000 / most
        limits.append({"what": what, "million_macs": round(macs), "share_of_peak": round(share, 2),
                       "peak_billion_macs": round(most)})  # fmt: skip
        print(
            f"{what}: {macs:.0f} million multiply-accumulates per second of sound, "
            f"{share:.0%} of the {most:.0f} billion per second of a large matrix product"
        )
    return limits


def long_clip(seconds: float) -> Tensor:
    """The shipped speech, over and over."""
    speech, length = audio.clip("speech_en"), round(seconds * 24000)
    return speech.repeat(1, 1, -(-length // speech.shape[-1]))[..., :length]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seconds", type=float, nargs="+", default=[10, 60])
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("-o", "--output", type=Path, default=Path("benchmarks/speed.json"))
    args = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    warnings.simplefilter("ignore")
    rows: list[dict[str, Any]] = []
    with torch.inference_mode():
        rows += of_frames(max(200, args.repeats))
        for seconds in args.seconds:
            rows += of_clips(seconds, args.repeats)
        rows += of_the_limit([row for row in rows if "x_real_time" in row])
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    print(f"peak memory of this process, all codecs in it: {memory:.0f} MB")
    result = {"machine": machine(), "rows": rows}
    args.output.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
