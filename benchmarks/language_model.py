"""How fast is coding with a language model, ours beside the official package's, in one process?

    OMP_NUM_THREADS=1 python benchmarks/language_model.py --seconds 10

Three rows: the official package with its language model; our codec of the same architecture with
the exact model of the same size, both with the official ones' weights; and `mini_24khz` with the
language model that ships for it. All at 6 kbps, on one thread, in turn, and medians are compared,
so that a busy machine harms all alike. Speeds are seconds of sound per second of computing, with
the slowest and the fastest run. Weights of the first two are random: speed does not depend on them,
sizes do. Time is that of the processor, which on one thread is all there is. Needs the `encodec`
package.
"""

import argparse
import importlib
import io
import json
import os
import statistics
import time
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
from machine import machine
from torch import Tensor

import minicodec
from minicodec import audio
from minicodec.bits.exact import ExactLanguageModel, exact_copy
from minicodec.bits.exact_fast import faster
from minicodec.bits.language_model import LanguageModelConfig, convert
from minicodec.bits.language_model_file import load_language_model
from minicodec.bits.range_coder import decode_codes, encode_codes
from minicodec.model.checkpoint import assemble
from minicodec.model.codec import Codec
from minicodec.model.config import ENCODEC_24KHZ
from minicodec.model.pretrained import convert as convert_codec

FRAMES = 375  # a chunk of 5 seconds, with which the model starts anew


def encode(codec: Codec, lm: ExactLanguageModel, clip: Tensor) -> list[bytes]:
    codes = codec.encode(clip, 6.0)[0]
    return [encode_codes(lm, chunk) for chunk in codes.split(FRAMES, dim=1)]


def decode(codec: Codec, lm: ExactLanguageModel, chunks: list[bytes], frames: int) -> Tensor:
    counts = [FRAMES] * (frames // FRAMES) + [frames % FRAMES] * (frames % FRAMES > 0)
    codes = [decode_codes(lm, data, 8, count) for data, count in zip(chunks, counts)]
    return codec.decode(torch.cat(codes, dim=1)[None])


def seconds_of(function: Callable[[], object]) -> float:
    begin = time.process_time()
    function()
    return time.process_time() - begin


def step_milliseconds(lm: ExactLanguageModel) -> list[float]:
    """One frame of 8 codebooks, with the whole context behind it, fifty times."""
    codes = torch.randint(1024, (8, lm.config.context + 50))
    table, state = lm.stream(None, lm.start(8))
    times = []
    for frame in codes.T:
        begin = time.process_time()
        table, state = lm.stream(frame, state)
        times.append(time.process_time() - begin)
    return [1000 * seconds for seconds in sorted(times[-50:])]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("-o", "--output", type=Path, default=Path("benchmarks/language_model.json"))
    args = parser.parse_args()
    if os.environ.get("OMP_NUM_THREADS") != "1":
        parser.error("numpy has threads of its own: start this with OMP_NUM_THREADS=1.")
    torch.set_num_threads(1)
    torch.manual_seed(0)
    warnings.simplefilter("ignore")

    from encodec import EncodecModel
    from encodec.model import LMModel

    compress = importlib.import_module("encodec.compress")  # the package has a function so named

    official = EncodecModel.encodec_model_24khz(pretrained=False).eval()
    official.name = "encodec_24khz"  # without pretrained weights it has none
    official.set_target_bandwidth(6.0)
    for level, layer in enumerate(official.quantizer.vq.layers):
        layer._codebook.embed.normal_(0, 0.2 * 0.8**level)
    official_lm = LMModel(32, past_context=262).eval()
    official.get_lm_model = lambda: official_lm
    compress.MODELS["encodec_24khz"] = lambda: official

    speech = audio.clip("speech_en")
    length = round(args.seconds * 24000)
    clip = speech.repeat(1, 1, -(-length // speech.shape[-1]))[..., :length]
    frames = -(-length // 320)
    models = {
        "ours, the paper's sizes": (
            assemble(ENCODEC_24KHZ, convert_codec(official.state_dict()), "encodec_24khz"),
            faster(exact_copy(convert(official_lm.state_dict(), LanguageModelConfig(n_q=32)))),
        ),
        "mini_24khz": (minicodec.load("mini_24khz"), load_language_model("mini_24khz")),
    }
    times: dict[str, dict[str, list[float]]] = {}
    with torch.inference_mode():
        for _ in range(args.repeats):
            data = compress.compress(official, clip[0], use_lm=True)
            jobs: dict[str, tuple[Callable[[], object], Callable[[], object]]] = {
                "official": (
                    partial(compress.compress, official, clip[0], use_lm=True),
                    partial(compress.decompress_from_file, io.BytesIO(data)),
                )
            }
            for name, (codec, lm) in models.items():
                chunks = encode(codec, lm, clip)
                jobs[name] = (
                    partial(encode, codec, lm, clip), partial(decode, codec, lm, chunks, frames)
                )  # fmt: skip
            for name, pair in jobs.items():
                row = times.setdefault(name, {"encode": [], "decode": []})
                for record, job in zip(row.values(), pair):
                    record.append(seconds_of(job))
    rows = []
    for name, record_of in times.items():
        speeds = {what: round(args.seconds / statistics.median(values), 1)
                  for what, values in record_of.items()}  # fmt: skip
        spread = {what: [round(args.seconds / each(values), 1) for each in (max, min)]
                  for what, values in record_of.items()}  # fmt: skip
        rows.append({"what": name, "seconds": args.seconds} | speeds | {"spread": spread})
        print(f"{name:24} encode {speeds['encode']:5.1f} x, decode {speeds['decode']:5.1f} x")
    for name, (_, lm) in models.items():
        taken = step_milliseconds(lm)
        rows.append({"what": f"{name}: one step",
                     "milliseconds": round(statistics.median(taken), 2),
                     "spread": [round(taken[0], 2), round(taken[-1], 2)]})  # fmt: skip
        print(f"{rows[-1]['what']:34} {rows[-1]['milliseconds']} ms")
    result = {"machine": machine("encodec"), "rows": rows}
    args.output.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
