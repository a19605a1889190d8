"""How many bits do codes really cost? Packed, with counts, and with the language model.

    python benchmarks/entropy.py ../recordings/valid

Every recording in the folder (from its beginning, `--seconds` of it) becomes a stream at each
bandwidth and with each entropy coding, as `minicodec encode` writes it: header, chunks, checksums
and all. Rates are bits of all streams over seconds of all recordings; `spread` is what the tenth
and the ninetieth of a hundred recordings saves.

`bits_per_code` says what a code costs in these files, and what it would cost by other models, each
with an ideal coder, log2(1/p):

    static      one table for each level, counted in these very recordings: their entropy. No other
                table that never changes can cost less here; one made beforehand costs more.
    beforehand  the same, but counted in all recordings except the one that is coded.
    pairs       a table for each level and each code that the level had before, counted likewise,
                and mixed with that of `beforehand`: most pairs of codes are too rare to be counted.
    histogram, lm   the two models of the streams, beginning anew in each chunk, as they do there.
"""

import argparse
import json
from pathlib import Path

import torch
from machine import machine
from torch import Tensor
from tqdm import tqdm

import minicodec
from minicodec import audio
from minicodec.bits.packing import code_model
from minicodec.bits.range_coder import CodeModel
from minicodec.bits.writer import CHUNK_SECONDS
from minicodec.model.checkpoint import fingerprint
from minicodec.model.codec import Codec
from minicodec.sound.files import recordings

MODES = ("none", "histogram", "lm")
TABLES = ("static", "beforehand", "pairs")
#: What the paper's language model saves (table 1), in percent.
PAPER = {1.5: 40, 3.0: 37, 6.0: 32, 12.0: 26}
#: How many pairs a code must have begun before they count as much as its level's own table. Of 16,
#: 64, 256 and 1024 the best for these recordings: `pairs` is a little better than it could know.
TRUST = 256


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", default="mini_24khz")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("-o", "--output", type=Path, default=Path("benchmarks/entropy.json"))
    args = parser.parse_args()
    torch.set_num_threads(1)
    codec = minicodec.load(args.model)
    rate, bandwidths = codec.config.sample_rate, codec.config.bandwidths
    files = recordings(args.folder)
    clips, codes = [], []
    bits: dict[tuple[float, str], list[int]] = {(b, mode): [] for b in bandwidths for mode in MODES}
    for file in tqdm(files, unit="file"):
        clip, theirs = audio.load(file)
        clip = audio.resample(audio.mix(clip, codec.config.channels), theirs, rate)[None]
        clips.append(clip[..., : round(args.seconds * rate)])
        codes.append(codec.encode(clips[-1])[0])
        for bandwidth, mode in bits:
            data = minicodec.compress(codec, clips[-1], bandwidth, mode)
            bits[bandwidth, mode].append(8 * len(data))
    seconds = sum(clip.shape[-1] for clip in clips) / rate
    rows = [row(codec, b, codes, {mode: bits[b, mode] for mode in MODES}, seconds)
            for b in bandwidths]  # fmt: skip
    found = {"machine": machine(), "fingerprint": fingerprint(codec).hex(),
             "seconds": round(seconds), "recordings": len(files),
             "codes_per_level": sum(one.shape[1] for one in codes), "rows": rows}  # fmt: skip
    args.output.write_text(json.dumps(found, indent=1) + "\n")


def row(
    codec: Codec,
    bandwidth: float,
    codes: list[Tensor],
    bits: dict[str, list[int]],
    seconds: float,
) -> dict[str, object]:
    """All that is measured at one bandwidth, from codes [levels, T] and bits of the streams."""
    kbps = {mode: sum(bits[mode]) / seconds / 1000 for mode in MODES}
    saved = {mode: round(100 * (1 - kbps[mode] / kbps["none"]), 1) for mode in MODES[1:]}
    used = [clip[: codec.config.n_q(bandwidth)] for clip in codes]
    count = sum(clip.shape[1] for clip in used)
    levels = {"static": static_bits(used, 1 << codec.config.bits)}
    levels["beforehand"], levels["pairs"] = others_bits(used, 1 << codec.config.bits)
    frames = round(CHUNK_SECONDS * codec.config.frame_rate)
    for mode in MODES[1:]:
        model, _ = code_model(codec, mode)
        assert model is not None
        clips = tqdm(used, f"{bandwidth:g} kbps, {mode}")
        levels[mode] = torch.stack([ideal_bits(model, one, frames) for one in clips]).sum(0) / count
    in_files = {mode: sum(bits[mode]) / count / len(used[0]) for mode in MODES}
    for mode in MODES[1:]:
        if in_files[mode] < float(levels[mode].mean()):
            raise SystemExit(f"{mode}: files are shorter than their model allows")
    print(f"{bandwidth:g} kbps: " + ", ".join(f"{m} {k:.2f}" for m, k in kbps.items())
          + f"; saved {saved}; bits per code: "
          + ", ".join(f"{m} {float(b.mean()):.3f}" for m, b in levels.items()))  # fmt: skip
    return {"bandwidth": bandwidth, "kbps": {m: round(k, 3) for m, k in kbps.items()},
            "saved": saved, "paper": PAPER.get(bandwidth),
            "spread": {mode: spread(bits["none"], bits[mode]) for mode in MODES[1:]},
            "bits_per_code": {m: round(float(b.mean()), 3) for m, b in levels.items()},
            "bits_per_code_in_files": {m: round(b, 3) for m, b in in_files.items()},
            "bits_per_code_by_level":
                {m: [round(one, 3) for one in b.tolist()] for m, b in levels.items()}}  # fmt: skip


def spread(packed: list[int], coded: list[int]) -> list[float]:
    """What recordings save, in percent: the tenth and the ninetieth of a hundred."""
    shares = 100 * (1 - torch.tensor(coded) / torch.tensor(packed))
    return [round(float(shares.quantile(part)), 1) for part in (0.1, 0.9)]


def ideal_bits(model: CodeModel, codes: Tensor, frames: int) -> Tensor:
    """Bits of each level by a model's word, with chunks of `frames`: [K, T] → [K] float64."""
    bits = torch.zeros(len(codes), dtype=torch.float64)
    for part in codes.split(frames, dim=1):
        tables = model.tables(part)
        chosen = tables.gather(2, part.T[..., None])[..., 0]
        bits += (tables.sum(2).double() / chosen).log2().sum(0)
    return bits


def static_bits(clips: list[Tensor], size: int) -> Tensor:
    """Entropy of each level's codes, of all clips together: [K, T] each → [K] bits per code."""
    shares = _counts(torch.cat(clips, dim=1), size) / sum(clip.shape[1] for clip in clips)
    return -torch.xlogy(shares, shares).sum(1) / torch.tensor(2.0).log()


def others_bits(clips: list[Tensor], size: int) -> tuple[Tensor, Tensor]:
    """Bits per code of each level, [K], by tables from all clips but the one that is coded.

    First by one table for each level, then by one for each code that the level had before.
    """
    levels, total = len(clips[0]), sum(clip.shape[1] for clip in clips)
    alone, pairs = torch.zeros(2, levels, dtype=torch.float64)
    counts = _counts(torch.cat(clips, dim=1), size)
    for k in range(levels):
        follow = torch.zeros(size, size, dtype=torch.int64)
        for clip in clips:
            follow += _followers(clip[k], size)
        for clip in clips:
            others = counts[k] - torch.bincount(clip[k], minlength=size)
            shares = (others + 1) / (others.sum() + size)
            alone[k] -= shares[clip[k]].log2().sum()
            before, now = clip[k, :-1], clip[k, 1:]
            seen = follow - _followers(clip[k], size)
            mixed = (seen[before, now] + TRUST * shares[now]) / (seen.sum(1)[before] + TRUST)
            pairs[k] -= shares[clip[k, :1]].log2().sum() + mixed.log2().sum()
    return alone / total, pairs / total


def _counts(codes: Tensor, size: int) -> Tensor:
    return torch.stack([torch.bincount(level, minlength=size) for level in codes]).double()


def _followers(codes: Tensor, size: int) -> Tensor:
    """How often one code followed another: [T] → [size, size]."""
    return torch.bincount(codes[:-1] * size + codes[1:], minlength=size**2).reshape(size, size)


if __name__ == "__main__":
    main()
