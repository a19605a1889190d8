"""What to play for codes that are lost: the last frame again, the codes of silence, or nothing?

    python benchmarks/concealment.py ../recordings/valid

In every recording codes are lost at three places, drawn by lot, for each length of gap, and three
stand-ins take their place: the last frame again and again; the codes that the encoder gives to
silence; or nothing, that is zeros, and a decoder that starts afresh behind the gap. Where no code
is lost any more, the decoder's state is still that of a wrong past, so what it plays differs from
what it would have played. Measured for each gap, in dB:

* `after`: the error in each 50 ms behind the gap, relative to the undamaged sound there;
* `edge`: at both ends of the gap, what lies above 4 kHz within 10 ms, relative to the undamaged
  sound there: a click;
* `inside`: in the last tenth of a second of the gap, or all of it, the level relative to what is
  missing.

And how soon does a decoder forget that it began elsewhere? It begins one to five seconds before a
place; `forgotten` has the largest difference there to decoding everything.

Gaps are paired: all three stand-ins in the same places. Means are of recordings, not of gaps, and
intervals of 95 % are Student's, over recordings. The file with 37 recordings takes some minutes.
"""

import argparse
import json
import math
from pathlib import Path

import numpy as np
import torch
from machine import machine
from torch import Tensor
from tqdm import tqdm

import minicodec
from minicodec import audio
from minicodec.model.codec import Codec
from minicodec.model.streams import silent_frame
from minicodec.sound.files import recordings

STAND_INS = ("last frame again", "codes of silence", "nothing")
SLICE = 0.05  # seconds; the error behind a gap is measured in ten slices


def patched(codec: Codec, codes: Tensor, first: int, frames: int) -> dict[str, Tensor]:
    """The gap and half a second behind it, [1, 1, n], undamaged and with each stand-in."""
    hop, more = codec.config.hop_length, round(0.5 * codec.config.frame_rate) + 1
    _, state = codec.stream_decode(codes[..., :first])
    behind = codes[..., first + frames : first + frames + more]
    found = {"undamaged": codec.stream_decode(codes[..., first : first + frames + more], state)[0]}
    for name in STAND_INS[:2]:
        one = codes[..., [first - 1]] if name == STAND_INS[0] else silent_frame(codec)
        stand_in = one[:, : codes.shape[1]].expand(-1, -1, frames)
        found[name] = codec.stream_decode(torch.cat([stand_in, behind], -1), state)[0]
    fresh = codec.stream_decode(behind)[0]
    found[STAND_INS[2]] = torch.cat([torch.zeros(1, 1, frames * hop), fresh], -1)
    return found


def decibel(power: Tensor) -> float:
    return 10 * math.log10(float(power) + 1e-12)


def high(piece: Tensor, rate: int) -> Tensor:
    """Power above 4 kHz."""
    spectrum = torch.fft.rfft(piece.flatten() * torch.hann_window(piece.shape[-1]))
    return spectrum[round(4000 * piece.shape[-1] / rate) :].abs().square().sum()


def measure(found: dict[str, Tensor], before: Tensor, gap: int, rate: int) -> dict[str, dict]:
    """Of each stand-in; `before` is what was played until the gap of `gap` samples."""
    true, rows = found["undamaged"], {}
    loud = true[..., gap:].square().mean() + 1e-8
    tail, near = min(gap, rate // 10), rate // 200
    for name in STAND_INS:
        error = (found[name] - true)[..., gap:].flatten().split(round(SLICE * rate))[:10]
        joined = [torch.cat([before, x], -1) for x in (found[name], true)]
        edges = []
        for place in (before.shape[-1], before.shape[-1] + gap):
            ours, theirs = (high(x[..., place - near : place + near], rate) for x in joined)
            edges.append(decibel(ours + 1e-6) - decibel(theirs + 1e-6))
        inside = [x[..., gap - tail : gap].square().mean() + 1e-8 for x in (found[name], true)]
        rows[name] = {
            "after": [decibel(part.square().mean() / loud) for part in error],
            "edge": edges,
            "inside": [decibel(inside[0] / inside[1])],
        }
    return rows


def forgotten(codec: Codec, codes: Tensor, whole: Tensor, seconds: float) -> list[float]:
    """Largest differences, in half a second each, where decoding began `seconds` before."""
    rate, hop, found = codec.config.frame_rate, codec.config.hop_length, []
    frames, heard = round(seconds * rate), rate // 2
    for first in range(rate, codes.shape[2] - frames - heard, 3 * rate):
        sound = codec.decode(codes[..., first : first + frames + heard])[..., frames * hop :]
        there = (first + frames) * hop
        found.append(float((sound - whole[..., there : there + heard * hop]).abs().max()))
    return found


def interval(values: np.ndarray) -> list[float]:
    """Mean, and the half width of its 95 % interval."""
    from scipy.stats import t

    half = t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / math.sqrt(len(values))
    return [round(float(values.mean()), 2), round(float(half), 2)]


def summary(rows: dict[str, list[np.ndarray]]) -> dict[str, dict]:
    """Rows of one number per recording and slice; differences are to the codes of silence."""
    base = np.stack(rows["codes of silence"])
    result = {}
    for name, values in rows.items():
        mine = np.stack(values)
        result[name] = {"mean": [interval(column) for column in mine.T]}
        if name != "codes of silence":
            result[name]["less_silence"] = [interval(column) for column in (mine - base).T]
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--gaps", type=float, nargs="+", default=[0.04, 0.5, 2.0], help="seconds")
    parser.add_argument("--places", type=int, default=3, help="in each recording")
    parser.add_argument("-o", "--output", type=Path, default=Path("benchmarks/concealment.json"))
    args = parser.parse_args()
    torch.set_num_threads(1)
    torch.set_grad_enabled(False)
    codec = minicodec.load("mini_24khz")
    rate, hop = codec.config.sample_rate, codec.config.hop_length
    random, files = np.random.default_rng(0), recordings(args.folder)
    rows: dict = {gap: {kind: {name: [] for name in STAND_INS}
                        for kind in ("after", "edge", "inside")} for gap in args.gaps}  # fmt: skip
    far: dict[float, list[float]] = {1: [], 2: [], 5: []}
    for file in tqdm(files, unit="file"):
        clip = audio.load(file, rate, 1)[0][None, :, : 10 * rate]
        codes = codec.encode(clip, bandwidth=6.0)
        whole = codec.decode(codes)
        for seconds, differences in far.items():
            differences.extend(forgotten(codec, codes, whole, seconds))
        for gap, kinds in rows.items():
            frames, each = round(gap * codec.config.frame_rate), []
            latest = codes.shape[2] - frames - round(0.6 * codec.config.frame_rate)
            for first in random.integers(75, latest, args.places):
                found = patched(codec, codes, int(first), frames)
                before = whole[..., max(0, (first - 75) * hop) : first * hop]
                each.append(measure(found, before, frames * hop, rate))
            for kind, names in kinds.items():
                for name, values in names.items():
                    values.append(np.mean([one[name][kind] for one in each], axis=0))
    result = {
        "machine": machine(),
        "fingerprint": minicodec.model.checkpoint.fingerprint(codec).hex(), "bandwidth": 6.0,
        "recordings": len(files), "places": args.places,
        "gaps": [{"seconds": gap} | {kind: summary(names) for kind, names in kinds.items()}
                 for gap, kinds in rows.items()],
        "forgotten": [{"seconds": seconds, "places": len(found),
                       "median": float(f"{np.median(found):.1e}"),
                       "most": float(f"{max(found):.1e}")} for seconds, found in far.items()],
    }  # fmt: skip
    args.output.write_text(json.dumps(result, indent=1) + "\n")
    for gap in result["gaps"]:
        print(f"gap of {gap['seconds']} s")
        for kind in ("after", "edge", "inside"):
            for name, row in gap[kind].items():
                print(f"  {kind:7}{name:17}", *(f"{m:6.1f}±{h:.1f}" for m, h in row["mean"]))
                if "less_silence" in row:
                    print(f"  {'':7}{'  less silence':17}",
                          *(f"{m:6.1f}±{h:.1f}" for m, h in row["less_silence"]))  # fmt: skip
    for row in result["forgotten"]:
        print(row)


if __name__ == "__main__":
    main()
