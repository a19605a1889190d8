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
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from machine import machine
from safetensors.torch import load_file, save_file
from spoken import sentences, spoken, words_of
from torch import Tensor, nn

from minicodec.generation.distillation import FEATURES, Teacher, distillation_loss, load_teacher
from minicodec.generation.probing import fit_table, guess, information, windows
from minicodec.generation.split import SplitCodec, load_split
from minicodec.model.checkpoint import save_codec
from minicodec.model.codec import Codec
from minicodec.model.config import CodecConfig
from minicodec.model.pretrained import load
from minicodec.sound import audio
from minicodec.sound.files import write_text
from minicodec.sound.metrics import mel_distance, si_sdr
from minicodec.training.balancer import Balancer
from minicodec.training.losses import log_mel_loss, time_loss

OUT = Path(__file__).parents[1] / "minicodec/weights/semantic"
RATE = 16000
CONFIG = CodecConfig(
    sample_rate=RATE,
    bandwidths=(0.2, 0.4, 0.8, 1.6),
    n_filters=8,
    dimension=64,
    strides=(5, 8, 16),
    lstm_layers=1,
    codebook_size=256,
)
HOP = CONFIG.hop_length
SECOND = RATE // HOP  # frames
SENTENCES = 24  # that are measured
WINDOWS = (128, 512, 2048)  # of the mel loss; all six would take twice as long

#: Voices of espeak-ng; its variants change formants, pitch, breath and more.
TAUGHT = words_of("""
    m1 m2 m5 m8 f2 f4 f5 Alex Denis Gene2 Nguyen aunty belinda ed linda steph david paul
    quincy shelby
""")
OTHERS = words_of("""
    m7 f3 Annie Mike grandma klatt Jacky victor
""")

PAIR = {"low": "m7", "high": "f3"}  # two of them, who keep time with each other

#: Weight of the distillation. At 30 its gradient at the latents is about as long as that of the
#: losses on sound.
KINDS = {"distilled": 30.0, "plain": 0.0}


class Said(NamedTuple):
    """One sentence by one voice."""

    audio: Tensor  #: [1, T], a whole number of frames
    phonemes: list[str]  #: of each frame, at its middle
    voice: str
    text: str


def said(text: str, voice: str, pitch: int = 50, pace: int = 150) -> Said:
    """Speak, bring to a common loudness, and name each frame."""
    samples, events = spoken(text, f"en+{voice}", pitch, pace, RATE)
    frames = len(samples) // HOP
    samples = samples[: frames * HOP]
    samples = samples * (0.05 / np.sqrt(np.mean(samples**2)))
    starts = np.array([start for start, _ in events])
    names = [name.rstrip("2") if len(name) > 1 else name for _, name in events]
    middles = (np.arange(frames) + 0.5) * HOP / RATE
    at = np.searchsorted(starts, middles, side="right") - 1
    phonemes = [names[i] if i >= 0 else "" for i in at]
    return Said(torch.from_numpy(samples)[None].clamp(-1, 1), phonemes, voice, text)


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
    save_file({str(i): (s.audio * 32767).to(torch.int16) for i, s in enumerate(heard)},
              folder / "corpus.safetensors")  # fmt: skip
    kept.write_text(json.dumps([(s.phonemes, s.voice, s.text) for s in heard]))
    return heard


def measured(count: int = SENTENCES) -> list[Said]:
    """The other voices, all with the same sentences, of words that were never taught."""
    texts = list(itertools.islice(sentences(1, held_out=True), count))
    return [said(text, voice) for text in texts for voice in OTHERS]


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


@torch.no_grad()
def codes_of(codec: Codec, heard: list[Tensor]) -> list[Tensor]:
    """Codes [K, T] of each sound."""
    return [codec.encode(audio[None])[0] for audio in heard]


def probed(codes: Tensor, labels: dict[str, Tensor], size: int, window: int) -> dict[str, Any]:
    """How often phoneme and speaker are guessed rightly from each level, and the bits it says.

    Tables are fitted on two thirds of the sentences and tried on the others; that of the phonemes
    on four voices, and tried on four others.
    """
    late = labels["sentence"] >= 2 * SENTENCES // 3
    even, sounding = labels["speaker"] % 2 == 0, labels["phoneme"] > 0
    fit, test = ~late & even & sounding, late & ~even & sounding
    kinds, voices = int(labels["phoneme"].max()) + 1, len(OTHERS)
    rows: dict[str, Any] = {"phoneme": [], "speaker": [], "phoneme_bits": [], "speaker_bits": []}
    for level in codes:
        table = fit_table(level[fit], labels["phoneme"][fit], size, kinds)
        right = guess(level[test][:, None], table) == labels["phoneme"][test]
        rows["phoneme"].append(round(right.float().mean().item(), 4))
        table = fit_table(level[~late], labels["speaker"][~late], size, voices)
        right = guess(windows(level[late], window), table) == labels["speaker"][late][::window]
        rows["speaker"].append(round(right.float().mean().item(), 4))
        for name, kept, most in (("phoneme", sounding, kinds), ("speaker", sounding, voices)):
            bits = information(level[kept], labels[name][kept], size, most)
            rows[f"{name}_bits"].append(round(bits, 3))
    return rows


def labelled(heard: list[Said], names: list[str], per_frame: int) -> dict[str, Tensor]:
    """Phoneme, speaker and sentence of every frame, of utterances cut to whole seconds.

    Args:
        per_frame: frames of the codec in one of the labels.
    """
    number = {name: i for i, name in enumerate(names)}
    texts = list(dict.fromkeys(s.text for s in heard))
    columns: dict[str, list[int]] = {"phoneme": [], "speaker": [], "sentence": []}
    for s in heard:
        phonemes = [number.get(p, 0) for p in s.phonemes[: whole(s)]]
        columns["phoneme"] += phonemes
        columns["speaker"] += [OTHERS.index(s.voice)] * len(phonemes)
        columns["sentence"] += [texts.index(s.text)] * len(phonemes)
    return {k: torch.tensor(v).repeat_interleave(per_frame) for k, v in columns.items()}


def whole(s: Said) -> int:
    """Frames of an utterance, cut to whole seconds."""
    return len(s.phonemes) // SECOND * SECOND


@torch.no_grad()
def named(teacher: Teacher, sounds: list[Tensor], heard: list[Said], names: list[str]) -> float:
    """Share of frames whose phoneme the teacher names rightly: can it follow these sounds?"""
    right = total = 0
    for sound, s in zip(sounds, heard):
        for said_here, found in zip(s.phonemes, teacher(sound).argmax(1)[0].tolist()):
            right += bool(said_here) and names[found] == said_here
            total += bool(said_here)
    return round(right / total, 4)


@torch.no_grad()
def measure(codec: SplitCodec, teacher: Teacher, heard: list[Said], names: list[str]) -> Any:
    """Everything that is said of one codec, and its codes [K, frames] of whole seconds."""
    codes = codes_of(codec, [s.audio for s in heard])
    some = range(0, len(heard), 3)  # as many of each voice
    part = [heard[i] for i in some]
    row: dict[str, Any] = {"mel": [], "sdr": [], "named": {}}
    for levels in (1, 2, 4, 8):
        mels, sdrs = [], []
        for i in some:
            audio = heard[i].audio[None]
            copied = codec.decode(codes[i][None, :levels], length=audio.shape[-1])
            mels.append(float(mel_distance(copied, audio, RATE)))
            sdrs.append(float(si_sdr(copied, audio)))
        row["mel"].append(round(sum(mels) / len(mels), 3))
        row["sdr"].append(round(sum(sdrs) / len(sdrs), 2))
    ways = {
        "all": lambda c: codec.decode(c),
        "level 1": lambda c: codec.decode(c[:, :1]),
        "levels 2 to 8": lambda c: codec.decoder(codec.quantizer.acoustic.decode(c[:, 1:])),
    }
    for way, decode in ways.items():
        row["named"][way] = named(teacher, [decode(codes[i][None]) for i in some], part, names)
    kept = torch.cat([c[:, : whole(s)] for c, s in zip(codes, heard)], dim=1)
    return row | {"probes": probed(kept, labelled(heard, names, 1), 256, SECOND)}, kept


def of_mini(names: list[str], heard: list[Said]) -> dict[str, Any]:
    """The same guesses from the first eight levels of the codec that ships."""
    codec, codes = load("mini_24khz"), []
    for s in heard:
        samples, _ = spoken(s.text, f"en+{s.voice}", sample_rate=24000)
        audio = torch.from_numpy(samples * (0.05 / np.sqrt(np.mean(samples**2))))[None, None]
        code = codec.encode(audio, 6.0)[0, :, : 3 * whole(s)]
        codes.append(F.pad(code, (0, 3 * whole(s) - code.shape[1])))
    return probed(torch.cat(codes, dim=1), labelled(heard, names, 3), 1024, 3 * SECOND)


def gather(runs: Path, teacher: Teacher, names: list[str]) -> None:
    """Measure what has been trained, and write what the chapter needs."""
    heard, rows, codes = measured(), [], {}
    for kept in sorted(runs.glob("*_[0-9].json")):
        row = json.loads(kept.read_text())
        codec = load_split(kept.with_suffix(".safetensors"))
        found, code = measure(codec, teacher, heard, names)
        rows.append(row | found)
        if row["seed"] == 0:
            codes[row["kind"]] = code.to(torch.uint8)
            shutil.copy(kept.with_suffix(".safetensors"), OUT / f"{row['kind']}.safetensors")
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
    save_file(codes | {k: v.to(torch.uint8) for k, v in labels.items()}, OUT / "codes.safetensors")
    half = {name: tensor.half() for name, tensor in teacher.state_dict().items()}
    save_file(half, OUT / "teacher.safetensors")
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
        save_file(teach(heard, names).state_dict(), file)
    teacher = load_teacher(file)
    for seed, kind in itertools.product(args.seeds, KINDS):
        kept = args.runs / f"{kind}_{seed}.json"
        if not kept.exists():
            row = train(kind, seed, heard, teacher, args.steps, args.runs)
            write_text(kept, json.dumps(row))
    gather(args.runs, teacher, names)


if __name__ == "__main__":
    main()
