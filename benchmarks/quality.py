"""How good is a codec? Every bandwidth, every class of sound, three measures, beside Opus.

    python benchmarks/quality.py path/to/recordings -o benchmarks/quality.json

Recordings lie in one folder per class (speech, music_tracks, …). ViSQOL runs in audio mode on clips
brought to 48 kHz, as the paper did. Opus is measured where `opusenc` and `opusdec` are installed
(Debian: opus-tools), counting its packets' bits without the container's.
"""

import argparse
import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm
from visqol import VisqolApi

import minicodec
from minicodec import audio
from minicodec.metrics import mel_distance, si_sdr

RATE = 24000
Codec = Callable[[Tensor], tuple[Tensor, float]]


def ours(codec: minicodec.Codec, bandwidth: float) -> Codec:
    """The codec as a function: clip to (copy, real kbps of the codes)."""

    def run(clip: Tensor) -> tuple[Tensor, float]:
        codes = codec.encode(clip, bandwidth)
        bits = codes.numel() * codec.config.bits
        return codec.decode(codes, length=clip.shape[-1]), bits / clip.shape[-1] * RATE / 1000

    return run


def opus(bitrate: int) -> Codec:
    """Opus at `bitrate` kbps through its command-line tools, at 48 kHz inside."""

    def run(clip: Tensor) -> tuple[Tensor, float]:
        with tempfile.TemporaryDirectory() as folder:
            source, packed, back = (Path(folder) / n for n in ("in.wav", "mid.opus", "out.wav"))
            audio.save(source, clip, RATE)
            log = subprocess.run(["opusenc", "--bitrate", str(bitrate), source, packed],
                                 capture_output=True, text=True, check=True).stderr  # fmt: skip
            subprocess.run(["opusdec", "--rate", str(RATE), packed, back],
                           capture_output=True, check=True)  # fmt: skip
            copy = audio.load(back, RATE, 1)[0][None, :, : clip.shape[-1]]
        copy = torch.nn.functional.pad(copy, (0, clip.shape[-1] - copy.shape[-1]))
        kbps = re.search(r"Bitrate:\s+([\d.]+) kbit/s", log)
        return copy, float(kbps.group(1)) if kbps else float("nan")

    return run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("recordings", type=Path)
    parser.add_argument("-o", "--output", type=Path, default=Path("benchmarks/quality.json"))
    parser.add_argument("-m", "--model", default="mini_24khz")
    parser.add_argument("--seconds", type=float, default=5, help="of each recording")
    args = parser.parse_args()
    torch.set_num_threads(1)
    codec = minicodec.load(args.model)
    conditions: dict[str, Codec] = {
        f"{codec.name} {bandwidth:g}": ours(codec, bandwidth)
        for bandwidth in codec.config.bandwidths
    }
    if shutil.which("opusenc"):
        conditions |= {f"opus {bitrate}": opus(bitrate) for bitrate in (6, 12)}
    visqol = VisqolApi()
    visqol.create(mode="audio")
    files = sorted(p for p in args.recordings.rglob("*") if p.suffix in (".flac", ".ogg", ".wav"))
    rows = []
    for path in tqdm(files, unit="clip"):
        clip = audio.load(path, RATE, 1)[0][None, :, : round(args.seconds * RATE)]
        clip = 0.7 * clip / clip.abs().max()
        loud = audio.resample(clip, RATE, 48000)[0, 0].double().numpy()
        for condition, run in conditions.items():
            copy, kbps = run(clip)
            heard = audio.resample(copy, RATE, 48000)[0, 0].double().numpy()
            rows.append({
                "class": path.relative_to(args.recordings).parts[0], "condition": condition,
                "kbps": kbps, "si_sdr": float(si_sdr(copy, clip)),
                "mel_distance": float(mel_distance(copy, clip, RATE)),
                "visqol": float(visqol.measure_from_arrays(loud, heard, 48000).moslqo),
            })  # fmt: skip
    table = []
    for condition in conditions:
        for kind in ["all", *sorted({row["class"] for row in rows})]:
            mine = [r for r in rows if r["condition"] == condition and kind in ("all", r["class"])]
            means = {k: round(float(np.mean([r[k] for r in mine])), 2)
                     for k in ("kbps", "si_sdr", "mel_distance", "visqol")}  # fmt: skip
            table.append({"condition": condition, "class": kind, "clips": len(mine)} | means)
    args.output.write_text(json.dumps(table, indent=1) + "\n")
    print(f"{args.output}: {len(files)} clips, {len(conditions)} conditions")


if __name__ == "__main__":
    main()
