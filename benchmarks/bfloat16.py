"""What do eight bits of precision change? `faster(codec, torch.bfloat16)` on recordings.

    python benchmarks/bfloat16.py FOLDER

Writes how many codes are other ones at each level, how many depend on whether a clip comes whole or
frame by frame, and what the measures say of the sound: coded in float32 on both sides, on one side
in bfloat16, and on both.
"""

import argparse
import json
from pathlib import Path
from statistics import fmean
from typing import Any

import torch
from machine import machine
from torch import Tensor
from tqdm import tqdm

import minicodec
from minicodec import audio
from minicodec.listening.measures import MEASURES
from minicodec.model.checkpoint import fingerprint
from minicodec.model.codec import Codec
from minicodec.model.fast.codec import faster
from minicodec.sound.files import recordings

NAMES = ("si_sdr", "mel_distance", "visqol")


def by_frames(codec: Codec, clip: Tensor, bandwidth: float) -> Tensor:
    """Codes of a clip that comes a frame at a time."""
    state, codes, pieces = None, [], clip.split(codec.config.hop_length, 2)
    for number, piece in enumerate(pieces, 1):
        found, state = codec.stream_encode(piece, state, bandwidth, last=number == len(pieces))
        codes.append(found)
    return torch.cat(codes, dim=2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path, help="recordings that the codec has not learned from")
    parser.add_argument("--bandwidth", type=float, default=6.0)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("-o", "--output", type=Path, default=Path("benchmarks/bfloat16.json"))
    args = parser.parse_args()
    torch.set_num_threads(1)
    plain, exact = minicodec.load("mini_24khz", fast=False), minicodec.load("mini_24khz")
    quick = faster(exact, torch.bfloat16)
    rate = exact.config.sample_rate
    pairs = {"float32": (exact, exact), "encoded in bfloat16": (quick, exact),
             "decoded in bfloat16": (exact, quick), "both in bfloat16": (quick, quick)}  # fmt: skip
    same: list[Tensor] = []
    fast_is_plain: list[Tensor] = []
    whole_is_cut: list[Tensor] = []
    scores: dict[str, dict[str, list[float]]] = {
        name: {measure: [] for measure in NAMES} for name in pairs
    }
    files = recordings(args.folder)
    for file in tqdm(files, unit="clip"):
        clip, _ = audio.load(file, rate, 1)
        clip = clip[None, :, : round(args.seconds * rate)]
        codes = {codec: codec.encode(clip, args.bandwidth) for codec in (exact, quick)}
        same.append((codes[exact] == codes[quick])[0].float())
        fast_is_plain.append((codes[exact] == plain.encode(clip, args.bandwidth)).flatten())
        whole_is_cut.append((codes[quick] == by_frames(quick, clip, args.bandwidth)).flatten())
        for name, (encoder, decoder) in pairs.items():
            copy = decoder.decode(codes[encoder], length=clip.shape[-1])
            for measure in NAMES:
                scores[name][measure].append(MEASURES[measure](copy, clip, rate))
    levels = torch.cat(same, dim=1).mean(1)
    rows: list[dict[str, Any]] = [
        {"computed": name} | {m: round(fmean(values), 3) for m, values in each.items()}
        for name, each in scores.items()
    ]
    for row in rows:
        print(row)
    equal = [round(float(level), 4) for level in levels]
    print("codes that are the same, level by level:", equal)
    agree = torch.cat(fast_is_plain)
    print(f"fast and plain in float32: {int(agree.sum())} of {len(agree)} codes are the same")
    cut = torch.cat(whole_is_cut)
    print(f"bfloat16, frame by frame: {int(cut.sum())} of {len(cut)} codes are those of the whole")
    result = {
        "machine": machine(),
        "fingerprint": fingerprint(exact).hex(),
        "clips": len(files),
        "bandwidth": args.bandwidth,
        "fast_and_plain": [int(agree.sum()), len(agree)],
        "whole_and_frames": [int(cut.sum()), len(cut)],
        "codes_equal": equal,
        "rows": rows,
    }
    args.output.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
