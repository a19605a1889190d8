"""What is drawing the bandwidth good for? Two small codecs: always all codebooks, or a drawn few.

    python benchmarks/drawn_bandwidths.py --data ../shared/audio/train/speech \
        --valid ../shared/audio/valid/speech

Both have the same architecture, start from the same weights and hear the same clips in the same
order; they differ in one line, the number of codebooks of a step. Pairs are trained from nothing,
from several seeds, about three minutes of one core for each codec, and measured on voices that
neither has heard. A run that was stopped goes on after the last codec that it has finished.

Chapter 06 shows the results and plays the first pair. All lie in `minicodec/weights`, because
readers on Colab have the package alone.
"""

import argparse
import json
import statistics
from dataclasses import replace
from pathlib import Path
from random import Random

import torch
from machine import machine
from torch import Tensor

from minicodec import audio, metrics
from minicodec.model.checkpoint import load_codec, save_codec
from minicodec.model.codec import Codec
from minicodec.model.config import CodecConfig
from minicodec.sound.files import recordings
from minicodec.training.config import TrainConfig, load_config
from minicodec.training.folder import Folder
from minicodec.training.update import Update

WEIGHTS = Path(__file__).resolve().parents[1] / "minicodec/weights"
RATE = 24000
CODEBOOKS = (1, 2, 4, 8)
BANDWIDTHS = tuple(k * 6 * 75 / 1000 for k in CODEBOOKS)  # 6 bits, 75 frames a second
KINDS = {"fixed": BANDWIDTHS[-1:], "drawn": BANDWIDTHS}


def config(kind: str, seed: int, steps: int) -> TrainConfig:
    codec = CodecConfig(
        n_filters=6,
        dimension=32,
        codebook_size=64,
        lstm_layers=0,
        bandwidths=KINDS[kind],
    )
    return replace(
        load_config("mini_adam"),
        codec=codec,
        seconds=0.25,
        steps=steps,
        learning_rate=2e-3,
        averaging=0.99,
        warm_up=steps // 10,
        mixing=(1.0, 0.0, 0.0),
        seed=seed,
    )


def train(training: TrainConfig, source: Folder) -> Codec:
    update = Update(training)
    length = int(training.seconds * RATE)
    low, high = training.gain
    for step in range(training.steps):
        draw = Random(f"{training.seed}/clips/{step}")  # the same for both kinds
        clips = [
            source.crop(draw, length) * 10 ** (draw.uniform(low, high) / 20)
            for _ in range(training.batch)
        ]
        losses = update(torch.stack(clips).clamp(-1, 1), step)
        if step % 100 == 0:
            print(step, {name: round(value, 3) for name, value in losses.items()}, flush=True)
    return update.averaged.eval()


def held_out(folder: str, seconds: int = 4) -> list[Tensor]:
    """The middle of each recording."""
    clips = []
    for file in recordings(folder):
        whole = audio.load(file, RATE, 1)[0]
        start = max(0, (whole.shape[1] - seconds * RATE) // 2)
        clips.append(whole[None, :, start : start + seconds * RATE])
    return clips


def measure(codec: Codec, clips: list[Tensor]) -> dict[str, dict[int, float]]:
    """Means over clips of the copies from the first K codebooks, in dB."""
    result: dict[str, dict[int, float]] = {"mel_distance": {}, "si_sdr": {}}
    codes = [codec.encode(clip) for clip in clips]
    for k in CODEBOOKS:
        copies = [codec.decode(c[:, :k], length=clip.shape[-1]) for c, clip in zip(codes, clips)]
        mel = [float(metrics.mel_distance(a, b, RATE)) for a, b in zip(copies, clips)]
        sdr = [float(metrics.si_sdr(a, b)) for a, b in zip(copies, clips)]
        result["mel_distance"][k] = round(statistics.mean(mel), 3)
        result["si_sdr"][k] = round(statistics.mean(sdr), 3)
    return result


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", required=True, help="a folder of recordings of voices")
    parser.add_argument("--valid", required=True, help="a folder of other voices")
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--work", default="runs/drawn_bandwidths", help="what is kept meanwhile")
    options = parser.parse_args()
    torch.set_num_threads(1)
    source, clips = Folder(options.data, RATE), held_out(options.valid)
    rows = []
    for seed in range(options.seeds):
        for kind in KINDS:
            file = Path(options.work) / f"{kind}_{seed}.safetensors"
            if not file.exists():
                codec = train(config(kind, seed, options.steps), source)
                codec.name = f"small_{kind}"
                save_codec(codec, file, half=True)
            rows.append({"kind": kind, "seed": seed} | measure(load_codec(file), clips))
            print(rows[-1], flush=True)
            if seed == 0:
                (WEIGHTS / f"small_{kind}.safetensors").write_bytes(file.read_bytes())
        settings = {"steps": options.steps, "held_out_clips": len(clips)}
        result = {"machine": machine(), "settings": settings, "rows": rows}
        (WEIGHTS / "drawn_bandwidths.json").write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
