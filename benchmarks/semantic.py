"""What does distillation make of the first codebook? Split quantizers with it and without it.

    python benchmarks/semantic.py RUNS [--seeds 0 1] [--steps 700]

Speech is synthesized (`benchmarks/spoken.py`), so that it is known who speaks and which phoneme
sounds when. A teacher learns to name phonemes. Then a split quantizer at 25 frames a second is
trained between the encoder and the decoder of `mini_24khz`, which stay as they are: once with the
teacher's layer as a target for level 1, once without. Eight other voices say other words, and from
the codes of each level it is guessed what is said and who speaks. What has been made stays in RUNS:
the script goes on where it was stopped. Chapter 16b shows the result; weights, codes and two
sentences come with the package, in `minicodec/weights/semantic`.
"""

import argparse
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
    OTHERS,
    PAIR,
    RATE,
    SLOWER,
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
from minicodec.generation.split import (
    SEMANTIC_DIM,
    SplitCodec,
    SplitQuantizer,
    load_split,
    save_split,
)
from minicodec.model.checkpoint import SHIPPED, load_codec
from minicodec.model.codec import Codec
from minicodec.sound import audio
from minicodec.sound.files import write_bytes, write_text

OUT = Path(__file__).parents[1] / "minicodec/weights/semantic"
SIZES = {"dim": 64, "n_q": 8, "codebook_size": 256, "slower": SLOWER, "width": 128}
FRAMES = 40  # slow ones in a piece: 1.6 seconds

#: Voices of espeak-ng that teach; `OTHERS` are those that are measured.
TAUGHT = words_of("""
    m1 m2 m5 m8 f2 f4 f5 Alex Denis Gene2 Nguyen aunty belinda ed linda steph david paul
    quincy shelby
""")
#: Weight of the distillation beside the squared error of the latents, as a share of their variance.
KINDS = {"distilled": 20.0, "plain": 0.0}


def corpus(per_voice: int) -> list[Said]:
    """Sentences of the taught voices, each at another pitch and pace."""
    rng, makes = random.Random(0), sentences(0)
    return [
        said(next(makes), voice, rng.randint(30, 70), rng.randint(125, 180))
        for _, voice in itertools.product(range(per_voice), TAUGHT)
    ]


def teach(heard: list[Said], names: list[str], steps: int = 1000) -> Teacher:
    """A teacher that names the phonemes of the taught voices."""
    torch.manual_seed(0)
    rng, frames = random.Random(1), 50
    number = {name: i for i, name in enumerate(names)}
    labels = [torch.tensor([number[p] for p in s.phonemes]) for s in heard]
    sounds = [audio.resample(s.audio[None], RATE, 16000)[0] for s in heard]
    teacher = Teacher(len(names)).train()
    optimizer = torch.optim.Adam(teacher.parameters(), 2e-3)
    plan = torch.optim.lr_scheduler.OneCycleLR(optimizer, 2e-3, steps)
    for step in range(steps):
        pieces, wanted = [], []
        for i in [rng.randrange(len(heard)) for _ in range(16)]:
            s = rng.randrange(max(1, len(labels[i]) - frames))
            piece, label = sounds[i][:, s * 640 : (s + frames) * 640], labels[i][s : s + frames]
            piece = F.pad(piece, (0, frames * 640 - piece.shape[-1]))
            pieces.append(piece * 10 ** rng.uniform(-0.4, 0.3))
            wanted.append(F.pad(label, (0, frames - len(label)), value=number[""]))
        logits = teacher(torch.stack(pieces), 16000)
        loss = F.cross_entropy(logits, torch.stack(wanted), label_smoothing=0.1)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        plan.step()
        if step % 250 == 0:
            print(f"teacher {step}: {loss.item():.3f}", flush=True)
    return teacher.eval().requires_grad_(False)


@torch.no_grad()
def seen(base: Codec, teacher: Teacher, heard: list[Said]) -> list[tuple[Tensor, Tensor]]:
    """Of each utterance the codec's latents [D, T * SLOWER] and the teacher's features [32, T]."""
    pairs = []
    for s in heard:
        z, h = base.encoder(s.audio[None])[0], teacher.features(s.audio[None], RATE)[0]
        frames = min(z.shape[1] // SLOWER, h.shape[1])
        pairs.append((z[:, : frames * SLOWER], h[:, :frames]))
    return pairs


def train(kind: str, seed: int, pairs: list[tuple[Tensor, Tensor]], steps: int) -> Any:
    """Train one quantizer with what is around it. Returns it, and what it cost."""
    torch.manual_seed(seed)
    rng, began = random.Random(seed), time.process_time()
    everything = torch.cat([z for z, _ in pairs], dim=1)
    variance = everything.var(1).mean()
    quantizer, project = SplitQuantizer(**SIZES).train(), nn.Conv1d(SEMANTIC_DIM, FEATURES, 1)
    quantizer.start(everything[None])
    learned = [*quantizer.parameters(), *project.parameters()]
    optimizer = torch.optim.Adam(learned, 2e-3, (0.8, 0.99))
    weight, rows = KINDS[kind], []
    for step in range(steps):
        rate = 2e-3 * (0.03 + 0.97 * 0.5 * (1 + math.cos(math.pi * step / steps)))
        optimizer.param_groups[0]["lr"] = rate * min(1.0, (step + 1) / 50)
        pieces = []
        for z, h in rng.choices(pairs, k=16):
            s = rng.randrange(h.shape[1] - FRAMES + 1)
            pieces.append((z[:, s * SLOWER : (s + FRAMES) * SLOWER], h[:, s : s + FRAMES]))
        z, h = (torch.stack(part) for part in zip(*pieces))
        n_q = rng.choice((2, 4, 8, 8))
        meaning, sound = quantizer.split(z, n_q)
        assert sound is not None  # with two codebooks or more there is one of sound
        error = F.mse_loss(meaning.latents + sound.latents, z) / variance
        commitment = meaning.commitment + sound.commitment
        # Without a weight the projection only learns what level 1 says, and does not move it.
        vectors = meaning.vectors if weight else meaning.vectors.detach()
        distilled = distillation_loss(project(vectors), h)
        optimizer.zero_grad()
        (error + 0.25 * commitment + (weight or 1.0) * distilled).backward()
        nn.utils.clip_grad_norm_(learned, 10.0)
        optimizer.step()
        if step % 25 == 0:
            found = {"error": round(error.item(), 4), "cosine": round(1 - distilled.item(), 4)}
            rows.append({"step": step} | found)
            if step % 250 == 0:
                print(f"{kind} {seed} {rows[-1]}", flush=True)
    minutes = round((time.process_time() - began) / 60, 2)
    row = {"kind": kind, "seed": seed, "steps": steps, "minutes": minutes, "curve": rows}
    return quantizer.eval().requires_grad_(False), row


def gather(runs: Path, teacher: Teacher, names: list[str]) -> None:
    """Measure what has been trained, and write what the chapter needs."""
    heard, rows, codes = measured(), [], {}
    latents = [z for z, _ in seen(load_codec(SHIPPED["mini_24khz"]), teacher, heard)]
    for file in sorted(runs.glob("*_[0-9].json")):
        row = json.loads(file.read_text())
        codec = load_split(file.with_suffix(".safetensors"))
        found, code = measure(codec, teacher, heard, latents, names)
        rows.append(row | found)
        print(row["kind"], row["seed"], found["probes"]["phoneme"][:3], flush=True)
        if row["seed"] == 0:
            codes[row["kind"]] = code.to(torch.uint8)
            if row["kind"] == "distilled":
                shutil.copy(file.with_suffix(".safetensors"), OUT / "distilled.safetensors")
    result = {
        "machine": machine(),
        "phonemes": names,
        "voices": OTHERS,
        "teacher": {"named": named(teacher, [s.audio[None] for s in heard], heard, names)},
        "mini_24khz": of_mini(names, heard, latents),
        "runs": rows,
    }
    write_text(OUT / "semantic.json", json.dumps(result, indent=1))
    kept = codes | {k: v.to(torch.uint8) for k, v in labelled(heard, names, 1).items()}
    write_bytes(OUT / "codes.safetensors", save(kept))
    half = {name: tensor.half() for name, tensor in teacher.state_dict().items()}
    write_bytes(OUT / "teacher.safetensors", save(half))
    for number, text in enumerate(list(dict.fromkeys(s.text for s in heard))[:2], start=1):
        for who, voice in PAIR.items():
            samples, _ = spoken(text, f"en+{voice}", sample_rate=RATE)
            samples *= 0.06 / np.sqrt(np.mean(samples**2))
            audio.save(OUT / f"{who}_{number}.flac", torch.from_numpy(samples)[None], RATE)


def main() -> None:
    """Make what is missing, then measure all and write what the chapter needs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", type=Path)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1])
    parser.add_argument("--steps", type=int, default=700)
    args = parser.parse_args()
    torch.set_num_threads(1)
    args.runs.mkdir(parents=True, exist_ok=True)
    OUT.mkdir(exist_ok=True)
    heard = corpus(per_voice=40)
    names = sorted({"", *itertools.chain.from_iterable(s.phonemes for s in heard)})
    print(f"{len(heard)} sentences, {len(names)} phonemes", flush=True)
    file = args.runs / "teacher.safetensors"
    if not file.exists():
        write_bytes(file, save(teach(heard, names).state_dict()))
    teacher, base = load_teacher(file), load_codec(SHIPPED["mini_24khz"])
    file, pairs = args.runs / "latents.safetensors", []
    if not file.exists():
        pairs = seen(base, teacher, heard[: 16 * len(TAUGHT)])
        parts = {f"{i} {n}": x for i, pair in enumerate(pairs) for n, x in zip("zh", pair)}
        write_bytes(file, save({name: x.contiguous() for name, x in parts.items()}))
    kept = load_file(file)
    pairs = [(kept[f"{i} z"], kept[f"{i} h"]) for i in range(len(kept) // 2)]
    for seed, kind in itertools.product(args.seeds, KINDS):
        result = args.runs / f"{kind}_{seed}.json"
        if not result.exists():
            quantizer, row = train(kind, seed, pairs, args.steps)
            save_split(SplitCodec(base, quantizer), result.with_suffix(".safetensors"))
            write_text(result, json.dumps(row))
    gather(args.runs, teacher, names)


if __name__ == "__main__":
    main()
