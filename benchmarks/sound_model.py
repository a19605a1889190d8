"""Train a language model of sound in each pattern, measure it, and let it play.

    python benchmarks/sound_model.py RECORDINGS RUNS [--minutes 10] [--wall 60]

RECORDINGS has the folders `train` and `valid`; below them, folders named after speech are speech,
after sounds sounds, and the others music. Each pattern learns for as many minutes of one core's
time, in turns; where others use the core, all end when so many minutes on the wall are over, and
still each has had the same. Codes and trained models are kept in RUNS, and what is there is not
made again. Chapter 16c shows the results and plays the sounds: they are codes, drawn from the
models, some of them after two seconds of our own clips. They come with the package, in
`minicodec/weights/sound_model`.
"""

import argparse
import json
import math
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from machine import machine
from safetensors.torch import save
from torch import Tensor, nn

import minicodec
from minicodec.bits.language_model import LanguageModelConfig, bits
from minicodec.bits.lm_training import read_codes
from minicodec.generation.memory import longest_copy
from minicodec.generation.patterns import PATTERNS
from minicodec.generation.sampling import generate
from minicodec.generation.sound_model import SoundModel
from minicodec.generation.sound_model_file import FOLDER, load_sound_model, save_sound_model
from minicodec.model.checkpoint import fingerprint
from minicodec.model.codec import Codec
from minicodec.sound import audio
from minicodec.sound.files import write_bytes, write_text

N_Q, RATE, PIECE = 4, 75, 300  # levels, frames per second, frames of a piece
SHARES = {"speech": 0.5, "music": 0.4, "sounds": 0.1}  # of what is learned from
STEPS, LEARNING_RATE, WARM_UP = 1200, 2e-3, 100  # steps of the pattern in a batch
TURN = 20.0  # seconds of a core's time, then it is the next pattern's
PROMPTS = {"speech_en": 0.3, "music": 1.0}  # our clips, and where the prompt begins
PROMPT, WHOLE = 150, 450  # frames: two seconds are given, four are made
TEMPERATURES, TOP_KS = (0.5, 0.8, 1.2), (1, 10, 50, 250)

Codes = dict[str, list[Tensor]]


def kind(folder: str) -> str:
    """Speech, sounds or music."""
    return next((word for word in ("speech", "sounds") if folder.startswith(word)), "music")


def coded(recordings: Path, part: str, codec: Codec, runs: Path) -> Codes:
    """Codes [4, T] of all recordings of one part, by kind."""
    found: Codes = {name: [] for name in SHARES}
    for folder in sorted(path for path in (recordings / part).iterdir() if path.is_dir()):
        cache = runs / "codes" / f"{part}_{folder.name}.safetensors"
        found[kind(folder.name)] += [clip[:N_Q] for clip in read_codes(folder, codec, 1, cache)]
    return found


@torch.no_grad()
def start_at_counts(model: SoundModel, clips: list[Tensor]) -> None:
    """Begin where counting codes ends, as in chapter 12."""
    model.embedding.weight.mul_(0.1)
    for level, head in enumerate(model.heads):
        assert isinstance(head, nn.Linear)
        seen = torch.cat([clip[level] for clip in clips]).long()
        counts = torch.bincount(seen, minlength=model.config.codebook_size) + 1.0
        head.weight.mul_(0.1)
        head.bias.copy_((counts / counts.sum()).log())


class Student:
    """One model, its optimizer, and how long it has learned."""

    def __init__(self, name: str, train: Codes):
        self.name, self.train = name, train
        pattern = PATTERNS[name](N_Q)
        config = LanguageModelConfig(
            n_q=N_Q, frame_rate=RATE * pattern.stride, dim=160, layers=4, heads=5, hidden=640
        )
        torch.manual_seed(0)
        self.model = SoundModel(config, pattern)
        start_at_counts(self.model, [clip for group in train.values() for clip in group])
        self.optimizer = torch.optim.AdamW(
            self.model.parameters(), LEARNING_RATE, (0.9, 0.98), weight_decay=0.1
        )
        self.batch = STEPS // (PIECE * pattern.stride)
        self.step, self.age, self.best, self.curve = 0, 0.0, math.inf, list[dict[str, Any]]()
        self.weights: dict[str, Tensor] = {}

    def learn(self, progress: float) -> None:
        """One step of training, `progress` from 0 to 1 through its time.

        A batch has as many steps of each pattern, so flat has fewer frames in it.
        """
        begin, random = time.process_time(), np.random.default_rng(self.step)
        codes = torch.stack([self.draw(random) for _ in range(self.batch)])
        offset = int(random.integers(PIECE)) * self.model.pattern.stride
        rise = min(1.0, (self.step + 1) / WARM_UP)
        fall = 0.02 + 0.49 * (1 + math.cos(math.pi * progress))
        for group in self.optimizer.param_groups:
            group["lr"] = LEARNING_RATE * rise * fall
        with torch.autocast("cpu", torch.bfloat16):
            scores = self.model(codes, offset)
        loss = F.cross_entropy(scores.float().flatten(0, 2), codes.flatten())
        self.optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        self.step += 1
        self.age += (time.process_time() - begin) / 60

    def draw(self, random: np.random.Generator) -> Tensor:
        """A piece [4, 300] of one recording."""
        group = self.train[str(random.choice(list(SHARES), p=list(SHARES.values())))]
        long = [clip for clip in group if clip.shape[1] >= PIECE]
        lengths = np.array([clip.shape[1] for clip in long], float)
        clip = long[int(random.choice(len(long), p=lengths / lengths.sum()))]
        start = int(random.integers(clip.shape[1] - PIECE + 1))
        return clip[:, start : start + PIECE].long()

    def validate(self, valid: Codes) -> None:
        """Bits per frame on first pieces of what is not learned from; the best weights are kept."""
        self.model.eval()
        first = {name: [clip[:, :PIECE] for clip in group[::2]] for name, group in valid.items()}
        row = {name: round(sum(per_level(self.model, group)), 3) for name, group in first.items()}
        self.model.train()
        self.curve.append({"minutes": round(self.age, 2), "steps": self.step,
                           "frames": self.step * self.batch * PIECE} | row)  # fmt: skip
        print(self.name, self.curve[-1], flush=True)
        mean = sum(SHARES[name] * row[name] for name in SHARES)
        if mean < self.best:
            self.best = mean
            self.weights = {k: v.clone() for k, v in self.model.state_dict().items()}


@torch.inference_mode()
def per_level(model: SoundModel, clips: list[Tensor]) -> list[float]:
    """Mean bits of each level's code; the model begins anew every four seconds."""
    total, count = torch.zeros(N_Q, dtype=torch.float64), 0
    for clip in clips:
        for piece in clip.long().split(PIECE, dim=1):
            total += bits(model(piece[None]), piece[None])[0].double().sum(1)
            count += piece.shape[1]
    return [round(float(value), 4) for value in total / count]


def train(
    train_codes: Codes, valid: Codes, codec: Codec, runs: Path, minutes: float, wall: float
) -> None:
    """All patterns in turns, so that each has the same core at the same hours."""
    if all((runs / f"{name}.safetensors").is_file() for name in PATTERNS):
        return
    students = [Student(name, train_codes) for name in PATTERNS]
    begin, turn, progress = time.monotonic(), 0, 0.0
    while progress < 1:
        turn += 1
        passed = (time.monotonic() - begin) / 60
        progress = min(1.0, max(turn * TURN / 60 / minutes, passed / wall))
        for student in students:
            while student.age < turn * TURN / 60:
                student.learn(progress)
            if turn % 3 == 0 or progress == 1:
                student.validate(valid)
    for student in students:
        student.model.load_state_dict(student.weights)
        facts = {"minutes": round(student.age, 2), "steps": student.step, "curve": student.curve}
        path = runs / f"{student.name}.safetensors"
        save_sound_model(student.model, path, fingerprint(codec), facts)
        write_text(runs / f"{student.name}.json", json.dumps(facts))


def whole_clips(codec: Codec) -> dict[str, Tensor]:
    """Codes [4, frames] of our clips, from where the prompts begin."""
    return {
        name: codec.encode(audio.clip(name)[..., round(start * 24000) :])[0, :N_Q]
        for name, start in PROMPTS.items()
    }


def play(models: dict[str, SoundModel], codec: Codec) -> dict[str, Tensor]:
    """Codes of all sounds that the chapter plays; a name says pattern, prompt and knobs."""
    given = torch.stack([clip[:, :PROMPT] for clip in whole_clips(codec).values()])
    sounds = dict[str, Tensor]()

    def add(pattern: str, temperature: float, top_k: int | None, seed: int) -> None:
        model, knobs = models[pattern], f"{temperature:g} {top_k or 'all'}"
        for name, made in zip(
            PROMPTS, generate(model, WHOLE, given, temperature, top_k, seed=seed)
        ):
            sounds[f"{pattern} {name} {knobs}"] = made
        (made,) = generate(model, WHOLE - PROMPT, None, temperature, top_k, seed=seed)
        sounds[f"{pattern} nothing {knobs}"] = made

    for pattern in models:
        add(pattern, 1.0, None, seed=1)
    for temperature in TEMPERATURES:
        add("delayed", temperature, None, seed=1)
    for top_k in TOP_KS:
        add("delayed", 1.0, top_k, seed=1)
    return sounds


def judged(models: dict[str, SoundModel], valid: Codes) -> dict[str, list[float]]:
    """How surprising sounds of each pattern are to the model that knows most: bits per level.

    Sixteen sounds of four seconds each, drawn from nothing at temperature 1; and recordings.
    """
    known = [clip for group in valid.values() for clip in group]
    rows = {"recordings": per_level(models["flat"], known[::3])}
    for name, model in models.items():
        drawn = generate(model, PIECE, torch.empty(16, N_Q, 0, dtype=torch.int64), seed=2)
        rows[name] = per_level(models["flat"], list(drawn))
    return rows


def remembered(sounds: dict[str, Tensor], train_codes: Codes, valid: Codes) -> dict[str, Any]:
    """Frames of the longest stretch that stands in the training codes: level 1, and all levels."""
    known = [clip for group in train_codes.values() for clip in group]

    def longest(clips: list[Tensor]) -> list[list[int]]:
        return [[longest_copy(c[:k], [o[:k] for o in known]) for k in (1, N_Q)] for c in clips]

    drawn = {name: made[:, -(WHOLE - PROMPT) :] for name, made in sounds.items()}
    held = [clip[:, : WHOLE - PROMPT] for group in valid.values() for clip in group[::3]]
    return {
        "drawn": dict(zip(drawn, longest(list(drawn.values())))),
        "recordings": longest(held),
    }


def main() -> None:
    """All of it; writes the model, the sounds and the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("recordings", type=Path)
    parser.add_argument("runs", type=Path)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--wall", type=float, default=60.0)
    args = parser.parse_args()
    torch.set_num_threads(1)
    codec = minicodec.faster(minicodec.load("mini_24khz"))
    valid = coded(args.recordings, "valid", codec, args.runs)
    train_codes = coded(args.recordings, "train", codec, args.runs)
    train(train_codes, valid, codec, args.runs, args.minutes, args.wall)
    models = {name: load_sound_model(args.runs / f"{name}.safetensors") for name in PATTERNS}
    results: dict[str, Any] = {"machine": machine(), "patterns": {}}
    for name, model in models.items():
        facts = json.loads((args.runs / f"{name}.json").read_text())
        group = {part: per_level(model, clips) for part, clips in valid.items()}
        results["patterns"][name] = {"bits": group} | facts
    sounds = play(models, codec)
    results["judged by flat"] = judged(models, valid)
    results["longest copy"] = remembered(sounds, train_codes, valid)
    results["training frames"] = sum(c.shape[1] for g in train_codes.values() for c in g)
    FOLDER.mkdir(parents=True, exist_ok=True)
    save_sound_model(models["delayed"], FOLDER / "delayed.safetensors", fingerprint(codec),
                     results["patterns"]["delayed"])  # fmt: skip
    sounds |= {f"clip {name}": codes for name, codes in whole_clips(codec).items()}
    short = {name: codes.short().contiguous() for name, codes in sounds.items()}
    write_bytes(FOLDER / "sounds.safetensors", save(short))
    write_text(FOLDER / "results.json", json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
