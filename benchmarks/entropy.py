"""How many bits do codes really cost? Packed, with counts, and with the language model.

    python benchmarks/entropy.py ../recordings/valid

Every recording in the folder (from its beginning, `--seconds` of it) becomes a stream at each
bandwidth and with each entropy coding, as `minicodec encode` writes it: header, chunks, checksums
and all. Rates are bits of all streams over seconds of all recordings.
"""

import argparse
import json
from pathlib import Path

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
    bits = {(b, mode): 0 for b in codec.config.bandwidths for mode in MODES}
    seconds = 0.0
    for file in tqdm(files, unit="file"):
        clip, theirs = audio.load(file)
        clip = audio.resample(audio.mix(clip, codec.config.channels), theirs, rate)[None]
        clip = clip[..., : round(args.seconds * rate)]
        seconds += clip.shape[-1] / rate
        for bandwidth, mode in bits:
            bits[bandwidth, mode] += 8 * len(minicodec.compress(codec, clip, bandwidth, mode))
    rows = []
    for bandwidth in codec.config.bandwidths:
        kbps = {mode: bits[bandwidth, mode] / seconds / 1000 for mode in MODES}
        saved = {mode: round(100 * (1 - kbps[mode] / kbps["none"]), 1) for mode in MODES[1:]}
        row = {"bandwidth": bandwidth, "kbps": {m: round(k, 3) for m, k in kbps.items()},
               "saved": saved, "paper": PAPER.get(bandwidth)}  # fmt: skip
        rows.append(row)
        print(f"{bandwidth:g} kbps: " + ", ".join(f"{m} {k:.2f}" for m, k in kbps.items())
              + f"; saved {saved}")  # fmt: skip
    found = {"seconds": round(seconds), "recordings": len(files), "rows": rows}
    args.output.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
