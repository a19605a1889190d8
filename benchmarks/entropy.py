"""How many bits do codes really cost? Packed, with counts, and with the language model.

    python benchmarks/entropy.py ../recordings/valid

Every recording in the folder (from its beginning, `--seconds` of it) becomes a stream at each
bandwidth and with each entropy coding, as `minicodec encode` writes it: header, chunks, checksums
and all. Rates are bits of all streams over seconds of all recordings; `spread` is what the tenth
and the ninetieth of a hundred recordings saves.
"""

import argparse
import json
from pathlib import Path

import torch
from machine import machine
from tqdm import tqdm

import minicodec
from minicodec import audio
from minicodec.sound.files import recordings

MODES = ("none", "histogram", "lm")
#: What the paper's language model saves (table 1), in percent.
PAPER = {1.5: 40, 3.0: 37, 6.0: 32, 12.0: 26}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", default="mini_24khz")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("-o", "--output", type=Path, default=Path("benchmarks/entropy.json"))
    args = parser.parse_args()
    codec = minicodec.load(args.model)
    rate = codec.config.sample_rate
    files = recordings(args.folder)
    bits: dict[tuple[float, str], list[int]] = {
        (bandwidth, mode): [] for bandwidth in codec.config.bandwidths for mode in MODES
    }
    seconds = 0.0
    for file in tqdm(files, unit="file"):
        clip, theirs = audio.load(file)
        clip = audio.resample(audio.mix(clip, codec.config.channels), theirs, rate)[None]
        clip = clip[..., : round(args.seconds * rate)]
        seconds += clip.shape[-1] / rate
        for bandwidth, mode in bits:
            data = minicodec.compress(codec, clip, bandwidth, mode)
            bits[bandwidth, mode].append(8 * len(data))
    rows = []
    for bandwidth in codec.config.bandwidths:
        kbps = {mode: sum(bits[bandwidth, mode]) / seconds / 1000 for mode in MODES}
        saved = {mode: round(100 * (1 - kbps[mode] / kbps["none"]), 1) for mode in MODES[1:]}
        row = {"bandwidth": bandwidth, "kbps": {m: round(k, 3) for m, k in kbps.items()},
               "saved": saved, "paper": PAPER.get(bandwidth),
               "spread": {mode: spread(bits[bandwidth, "none"], bits[bandwidth, mode])
                          for mode in MODES[1:]}}  # fmt: skip
        rows.append(row)
        print(f"{bandwidth:g} kbps: " + ", ".join(f"{m} {k:.2f}" for m, k in kbps.items())
              + f"; saved {saved}")  # fmt: skip
    found = {"machine": machine(), "seconds": round(seconds), "recordings": len(files),
             "rows": rows}  # fmt: skip
    args.output.write_text(json.dumps(found, indent=1) + "\n")


def spread(packed: list[int], coded: list[int]) -> list[float]:
    """What recordings save, in percent: the tenth and the ninetieth of a hundred."""
    shares = 100 * (1 - torch.tensor(coded) / torch.tensor(packed))
    return [round(float(shares.quantile(part)), 1) for part in (0.1, 0.9)]


if __name__ == "__main__":
    main()
