"""What does each part of the codec buy? Small codecs, each with one part changed, three seeds.

    python benchmarks/ablations.py RECORDINGS RUNS [--seeds 0 1 2] [--steps 1500]

RECORDINGS has the folders `train` (below it, those named after music or instruments are music) and
`valid`. A run takes five to ten minutes of one core and is kept in RUNS: the script goes on where
it was stopped. Chapter 16 shows the numbers and plays the sounds, which are of our own clips. Both
come with the package, in `minicodec/weights/ablations`.
"""

import argparse
import json
import time
from dataclasses import replace
from pathlib import Path
from statistics import fmean
from typing import Any

import torch
from machine import machine
from torch import Tensor

from minicodec.model.checkpoint import load_codec, save_codec
from minicodec.model.codec import Codec
from minicodec.model.fast.codec import faster
from minicodec.sound import audio, judges
from minicodec.sound.files import write_text
from minicodec.sound.metrics import codebook_use, mel_distance, si_sdr
from minicodec.training.config import TrainConfig, load_config
from minicodec.training.sources import Weighted, open_source
from minicodec.training.trainer import Trainer
from minicodec.training.validation import held_out

OUT = Path(__file__).parents[1] / "minicodec/weights/ablations"
CLIPS = {"speech_en": 0.3, "music": 1.0}  # ours, and where the three seconds begin
SECONDS = 3.0

#: What is changed in the codec. All have 1.5, 3 and 6 kbps; where a frame is rare, levels are many.
#: 13 in place of 12.5 frames a second is how a config counts: it rounds up what levels cost.
CODECS: dict[str, dict[str, Any]] = {
    "base": {},
    "no LSTM": {"lstm_layers": 0},
    "Snake": {"activation": "snake"},
    "factorized": {"quantizer": "factorized"},
    "16 × 5 bits": {"codebook_size": 32},
    "25 Hz": {"strides": (3, 4, 8, 10)},
    "12.5 Hz": {"strides": (4, 6, 8, 10), "bandwidths": (1.56, 3.12, 6.24)},
    "no balancer": {},
}


def recipe(name: str, seed: int, steps: int) -> TrainConfig:
    """How one of them is trained.

    As the shipped codec, but it is smaller, and what has little time learns more from many short
    clips, from larger steps, and from a time loss that is heard: with the shipped codec's share of
    it, an LSTM's copies have the wrong phase for the first thousand steps.
    """
    mini = load_config("mini_adam")
    small = replace(mini.codec, n_filters=8, bandwidths=(1.5, 3.0, 6.0))
    codec = replace(small, **CODECS[name])
    return replace(
        mini,
        codec=codec,
        seconds=0.5,
        steps=steps,
        learning_rate=2e-3,
        time=0.1,
        mel=0.9,
        averaging=0.99,
        warm_up=min(100, steps // 2),
        balanced=name != "no balancer",
        seed=seed,
        validate_every=500,
    )


def train(
    name: str, seed: int, steps: int, sources: list[Weighted], valid: list[Tensor], out: Path
) -> tuple[Codec, dict[str, Any]]:
    """Train one, or go on with it. Returns it with its averaged weights, and what it cost."""
    config = recipe(name, seed, steps)
    trainer = Trainer(config, sources, out, valid=valid[::6], resume=True, bfloat16=True,
                      save_minutes=5.0)  # fmt: skip
    trainer.run()
    if trainer.signal:
        raise SystemExit("stopped: it goes on from here next time.")
    rows = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    level = f"mel_{config.codec.bandwidths[-1]:g}"
    curve = [[row["step"], row[level]] for row in rows if level in row]
    file = out / "codec.safetensors"
    save_codec(trainer.update.averaged, file, half=True)
    return faster(load_codec(file)), {
        "minutes": round(trainer.minutes, 2),
        "audio_hours": round(trainer.audio_hours, 3),
        "weights": sum(p.numel() for p in trainer.update.learned),
        "curve": curve,
    }


@torch.no_grad()
def measured(codec: Codec, valid: list[Tensor]) -> list[dict[str, Any]]:
    """A row for each bandwidth: means over the recordings, and the score of each."""
    config, rows = codec.config, []
    for bandwidth in config.bandwidths:
        n_q = config.n_q(bandwidth)
        mel, sdr, heard, codes = [], [], [], []
        for clip in valid:
            code = codec.encode(clip, bandwidth)
            copy = codec.decode(code, length=clip.shape[-1])
            codes.append(code)
            mel.append(round(float(mel_distance(copy, clip, config.sample_rate)), 3))
            sdr.append(round(float(si_sdr(copy, clip)), 2))
            heard.append(round(float(judges.visqol(copy, clip, config.sample_rate)), 3))
        use = codebook_use(torch.cat(codes, dim=2), config.codebook_size)
        rate = config.sample_rate / config.hop_length
        rows.append({
            "n_q": n_q,
            "frames_per_second": rate,
            "kbps": round(n_q * config.bits * rate / 1000, 3),
            "entropy": round(float(use.entropy.mean()), 3),
            "used": round(float(use.used.mean()), 3),
            "means": {"mel": round(fmean(mel), 3), "sdr": round(fmean(sdr), 2),
                      "visqol": round(fmean(heard), 3)},
            "mel": mel, "sdr": sdr, "visqol": heard,
        })  # fmt: skip
    return rows


def sounds(codec: Codec, name: str) -> None:
    """Our clips through it, at 6 kbps."""
    for clip, start in CLIPS.items():
        rate = codec.config.sample_rate
        whole = audio.clip(clip)
        piece = whole[..., round(start * rate) : round((start + SECONDS) * rate)]
        copy = codec.decode(
            codec.encode(piece, codec.config.bandwidths[-1]), length=piece.shape[-1]
        )
        stem = name.lower().replace(" × ", "x").replace(" ", "_")
        audio.save(OUT / f"{stem}_{clip}.flac", copy[0], rate)
        audio.save(OUT / f"original_{clip}.flac", piece[0], rate)


def main() -> None:
    """Train what has not been trained, and write all rows again after each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("recordings", type=Path)
    parser.add_argument("runs", type=Path)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--steps", type=int, default=1500)
    args = parser.parse_args()
    torch.set_num_threads(1)
    config = recipe("base", 0, args.steps)
    sources = [
        open_source(str(folder), config, folder.name.startswith(("music", "instruments")))
        for folder in sorted((args.recordings / "train").iterdir())
        if folder.is_dir()
    ]
    valid = held_out(str(args.recordings / "valid"), config, 4.0)
    OUT.mkdir(exist_ok=True)
    for seed in args.seeds:
        for name in CODECS:
            out = args.runs / f"{name.replace(' ', '_')}_{seed}"
            kept = out / "result.json"
            if kept.exists():
                if load_config(str(out / "config.json")).steps != args.steps:
                    parser.error(f"{args.runs} holds runs of another length: name a new folder.")
                continue
            began = time.monotonic()
            codec, cost = train(name, seed, args.steps, sources, valid, out)
            row = {"name": name, "seed": seed} | cost | {"rows": measured(codec, valid[::3])}
            if seed == 0:
                sounds(codec, name)
            write_text(kept, json.dumps(row))
            print(f"{name}, seed {seed}: {(time.monotonic() - began) / 60:.1f} minutes", flush=True)
            gather(args.runs, args.steps)


def gather(runs: Path, steps: int) -> None:
    """All results so far, in one file."""
    found = [json.loads(path.read_text()) for path in sorted(runs.glob("*/result.json"))]
    found.sort(key=lambda row: (list(CODECS).index(row["name"]), row["seed"]))
    lines = ",\n".join(json.dumps(row) for row in found)
    head = json.dumps({"machine": machine(), "steps": steps})[:-1]
    write_text(OUT / "ablations.json", f'{head}, "runs": [\n{lines}\n]}}\n')


if __name__ == "__main__":
    main()
