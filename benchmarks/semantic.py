"""What does distillation make of the first codebook? Small split codecs with it and without it.

    python benchmarks/semantic.py RUNS [--seeds 0 1] [--steps 2000]

Speech is synthesized (`benchmarks/spoken.py`), so that it is known who speaks and which phoneme
sounds when. A teacher learns to name phonemes; codecs learn to give sound back, half of them with
the teacher's layer as a target for level 1. Then eight other voices say other words, and from the
codes of each level it is guessed what is said and who speaks. What has been made stays in RUNS: the
script goes on where it was stopped. Chapter 16b shows the result; weights, codes and two sentences
come with the package, in `minicodec/weights/semantic`.
"""

import argparse
import copy
import itertools
import json
import math
import random
import shutil
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from machine import machine
from safetensors.torch import load_file, save
from semantic_measures import (
    HOP,
    OTHERS,
    PAIR,
    RATE,
    Said,
    labelled,
    measure,
    measured,
    named,
    of_mini,
    said,
)
from spoken import sentences, spoken, words_of
from torch import Tensor, nn

from minicodec.generation.distillation import FEATURES, Teacher, distillation_loss, load_teacher
from minicodec.generation.split import SplitCodec, load_split
from minicodec.model.checkpoint import save_codec
from minicodec.model.config import CodecConfig
from minicodec.sound import audio
from minicodec.sound.files import write_bytes, write_text
from minicodec.training.balancer import Balancer
from minicodec.training.losses import log_mel_loss, time_loss

OUT = Path(__file__).parents[1] / "minicodec/weights/semantic"
CONFIG = CodecConfig(
    sample_rate=RATE,
    bandwidths=(0.2, 0.4, 0.8, 1.6),
    n_filters=8,
    dimension=64,
    strides=(5, 8, 16),
    lstm_layers=1,
    codebook_size=256,
)
WINDOWS = (128, 512, 2048)  # of the mel loss; all six would take twice as long

#: Voices of espeak-ng that teach; `OTHERS` are those that are measured.
TAUGHT = words_of("""
    m1 m2 m5 m8 f2 f4 f5 Alex Denis Gene2 Nguyen aunty belinda ed linda steph david paul
    quincy shelby
""")
#: Weight of the distillation. At 30 its gradient at the latents is about as long as that of the
#: losses on sound.
KINDS = {"distilled": 30.0, "plain": 0.0}


def corpus(folder: Path, per_voice: int = 40) -> list[Said]:
    """Sentences of the taught voices, each at another pitch and pace."""
    rng, makes = random.Random(0), sentences(0)
    kept = folder / "corpus.json"
    if kept.exists():
        rows = json.loads(kept.read_text())
        audio = load_file(folder / "corpus.safetensors")
        return [Said(audio[str(i)].float() / 32768, *row) for i, row in enumerate(rows)]
    heard = [
        said(next(makes), voice, rng.randint(30, 70), rng.randint(125, 180))
        for _, voice in itertools.product(range(per_voice), TAUGHT)
    ]
    samples = {str(i): (s.audio * 32767).to(torch.int16) for i, s in enumerate(heard)}
    write_bytes(folder / "corpus.safetensors", save(samples))
    kept.write_text(json.dumps([(s.phonemes, s.voice, s.text) for s in heard]))
    return heard


def batch(heard: list[Said], rng: random.Random, clips: int, frames: int) -> tuple[Tensor, ...]:
    """Pieces [B, 1, T] at random levels, and where each came from: utterance and first frame."""
    chosen = [rng.randrange(len(heard)) for _ in range(clips)]
    starts = [rng.randrange(max(1, len(heard[i].phonemes) - frames)) for i in chosen]
    pieces = [heard[i].audio[:, s * HOP : (s + frames) * HOP] for i, s in zip(chosen, starts)]
    pieces = [F.pad(p, (0, frames * HOP - p.shape[-1])) * 10 ** rng.uniform(-0.4, 0.3)
              for p in pieces]  # fmt: skip
    return torch.stack(pieces), torch.tensor(chosen), torch.tensor(starts)


def teach(heard: list[Said], names: list[str], steps: int = 1000) -> Teacher:
    """A teacher that names the phonemes of the taught voices."""
    torch.manual_seed(0)
    rng, frames = random.Random(1), 50
    number = {name: i for i, name in enumerate(names)}
    labels = [torch.tensor([number[p] for p in s.phonemes]) for s in heard]
    teacher = Teacher(len(names), RATE, HOP).train()
    optimizer = torch.optim.Adam(teacher.parameters(), 2e-3)
    plan = torch.optim.lr_scheduler.OneCycleLR(optimizer, 2e-3, steps)
    for step in range(steps):
        audio, chosen, starts = batch(heard, rng, 16, frames)
        wanted = [labels[i][s : s + frames] for i, s in zip(chosen.tolist(), starts.tolist())]
        wanted = torch.stack([F.pad(w, (0, frames - len(w)), value=number[""]) for w in wanted])
        loss = F.cross_entropy(teacher(audio), wanted, label_smoothing=0.1)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        plan.step()
        if step % 250 == 0:
            print(f"teacher {step}: {loss:.3f}", flush=True)
    return teacher.eval().requires_grad_(False)


def train(
    kind: str, seed: int, heard: list[Said], teacher: Teacher, steps: int, out: Path
) -> dict[str, Any]:
    """Train one codec, and save it with averaged weights. Returns what it cost."""
    torch.manual_seed(seed)
    rng, began = random.Random(seed), time.process_time()
    codec = SplitCodec(CONFIG, kind).train()
    averaged = copy.deepcopy(codec).eval().requires_grad_(False)
    project = nn.Conv1d(CONFIG.dimension, FEATURES, 1)
    learned = [*codec.parameters(), *project.parameters()]
    optimizer = torch.optim.Adam(learned, 1e-3, (0.8, 0.99))
    balancer = Balancer({"time": 0.03, "mel": 0.97})
    weight, rows = KINDS[kind], []
    branches = codec.quantizer.semantic, codec.quantizer.acoustic
    for step in range(steps):
        rate = 1e-3 * (0.03 + 0.97 * 0.5 * (1 + math.cos(math.pi * step / steps)))
        optimizer.param_groups[0]["lr"] = rate * min(1.0, (step + 1) / 50)
        audio, _, _ = batch(heard, rng, 6, 40)
        with torch.autocast("cpu", torch.bfloat16):
            latents = codec.encoder(audio)
        latents = latents.float()
        commitment = latents.new_zeros(())
        if step < 100:  # no codes yet: the latents mean nothing
            meaning, *rest = (branch.unquantized(latents) for branch in branches)
            whole = meaning + rest[0]
        else:
            n_q = CONFIG.n_q(CONFIG.draw_bandwidth(rng))
            first, sound = codec.quantizer.split(latents, n_q)
            meaning, whole, commitment = first.quantized, first.quantized, first.commitment
            if sound is not None:
                whole = meaning + sound.quantized
                commitment = (commitment + (n_q - 1) * sound.commitment) / n_q
        with torch.autocast("cpu", torch.bfloat16):
            output = codec.decoder(whole)
        output = output.float()
        losses = {
            "time": time_loss(output, audio),
            "mel": log_mel_loss(output, audio, RATE, WINDOWS),
        }
        distilled = distillation_loss(project(meaning), teacher.features(audio))
        total = balancer(losses, output).loss + commitment + weight * distilled
        if not weight:  # the projection learns what level 1 says by itself, and does not move it
            total = total + distillation_loss(project(meaning.detach()), teacher.features(audio))
        optimizer.zero_grad()
        total.backward()
        nn.utils.clip_grad_norm_(learned, 10.0)
        optimizer.step()
        keep = min(0.99, (1 + step) / (10 + step))
        with torch.no_grad():
            present = codec.state_dict()
            for name, mean in averaged.state_dict().items():
                if mean.is_floating_point():
                    mean.lerp_(present[name], 1 - keep)
                else:
                    mean.copy_(present[name])
        if step % 50 == 0:
            rows.append({"step": step, "mel": round(losses["mel"].item(), 4),
                         "cosine": round(1 - distilled.item(), 4)})  # fmt: skip
            if step % 250 == 0:
                minutes = (time.process_time() - began) / 60
                print(f"{kind} {seed} {rows[-1]} {minutes:.1f} min", flush=True)
    file = out / f"{kind}_{seed}.safetensors"
    save_codec(averaged, file, half=True)
    minutes = round((time.process_time() - began) / 60, 1)
    return {"kind": kind, "seed": seed, "steps": steps, "minutes": minutes, "curve": rows}


def gather(runs: Path, teacher: Teacher, names: list[str]) -> None:
    """Measure what has been trained, and write what the chapter needs."""
    heard, rows, codes = measured(), [], {}
    for file in sorted(runs.glob("*_[0-9].json")):
        row = json.loads(file.read_text())
        codec = load_split(file.with_suffix(".safetensors"))
        found, code = measure(codec, teacher, heard, names)
        rows.append(row | found)
        if row["seed"] == 0:
            codes[row["kind"]] = code.to(torch.uint8)
            shutil.copy(file.with_suffix(".safetensors"), OUT / f"{row['kind']}.safetensors")
    labels = labelled(heard, names, 1)
    result = {
        "machine": machine(),
        "phonemes": names,
        "voices": OTHERS,
        "teacher": {"named": named(teacher, [s.audio[None] for s in heard], heard, names)},
        "mini_24khz": of_mini(names, heard),
        "runs": rows,
    }
    write_text(OUT / "semantic.json", json.dumps(result, indent=1))
    kept = codes | {k: v.to(torch.uint8) for k, v in labels.items()}
    write_bytes(OUT / "codes.safetensors", save(kept))
    half = {name: tensor.half() for name, tensor in teacher.state_dict().items()}
    write_bytes(OUT / "teacher.safetensors", save(half))
    for number, text in enumerate(dict.fromkeys(s.text for s in heard)):
        for who, voice in PAIR.items():
            if number < 2:
                samples, _ = spoken(text, f"en+{voice}", sample_rate=24000)
                samples *= 0.06 / np.sqrt(np.mean(samples**2))
                audio.save(OUT / f"{who}_{number + 1}.flac", torch.from_numpy(samples)[None], 24000)


def main() -> None:
    """Make what is missing, then measure all and write what the chapter needs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", type=Path)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1])
    parser.add_argument("--steps", type=int, default=2000)
    args = parser.parse_args()
    torch.set_num_threads(1)
    args.runs.mkdir(parents=True, exist_ok=True)
    OUT.mkdir(exist_ok=True)
    heard = corpus(args.runs)
    names = sorted({"", *itertools.chain.from_iterable(s.phonemes for s in heard)})
    seconds = sum(s.audio.shape[-1] for s in heard) / RATE
    print(f"{len(heard)} sentences, {seconds / 60:.1f} minutes, {len(names)} phonemes", flush=True)
    file = args.runs / "teacher.safetensors"
    if not file.exists():
        write_bytes(file, save(teach(heard, names).state_dict()))
    teacher = load_teacher(file)
    for seed, kind in itertools.product(args.seeds, KINDS):
        kept = args.runs / f"{kind}_{seed}.json"
        if not kept.exists():
            row = train(kind, seed, heard, teacher, args.steps, args.runs)
            write_text(kept, json.dumps(row))
    gather(args.runs, teacher, names)


if __name__ == "__main__":
    main()
