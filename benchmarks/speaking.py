"""A model that reads aloud: one row of phonemes above eight rows of codes, drawn level by level.

    python benchmarks/speaking.py RUNS [--minutes 12] [--sentences 200]

Twenty-eight voices of espeak-ng say sentences of a small grammar (`benchmarks/spoken.py`), so which
phoneme sounds in each frame is known. The distilled codec of chapter 16b turns them into codes at
25 frames a second. A `SoundModel` learns the phonemes as level 1, and the codes as the others, each
a step behind the one above. Then phonemes are given, of words that it has never learned, and codes
are drawn, in two of the voices. Whether what was asked for is said is measured by a judge that
knows nothing of this model: a network like the teacher of chapter 16b, which has learned to name
the phonemes of speech that has been through the codec. Whose voice it is shows the pitch. What has
been made stays in RUNS. Chapter 16c shows the results; the model comes with the package, in
`minicodec/weights/speaking`.
"""

import argparse
import itertools
import json
import math
import random
import time
from pathlib import Path
from typing import Any

import librosa
import numpy as np
import torch
import torch.nn.functional as F
from machine import machine
from safetensors.torch import load_file, save
from semantic import OUT as SEMANTIC
from semantic import TAUGHT, teach
from semantic_measures import OTHERS, PAIR, RATE, SECOND, Said, said
from sound_model import start_at_counts
from spoken import sentences
from torch import Tensor, nn

from minicodec.bits.language_model import LanguageModelConfig
from minicodec.generation import sound_model_file
from minicodec.generation.distillation import Teacher
from minicodec.generation.patterns import Pattern
from minicodec.generation.sampling import generate
from minicodec.generation.sound_model import SoundModel
from minicodec.generation.sound_model_file import load_sound_model, save_sound_model
from minicodec.generation.speaking import request
from minicodec.generation.split import SplitCodec, load_split
from minicodec.model.checkpoint import fingerprint
from minicodec.sound.files import write_bytes, write_text

OUT = Path(__file__).parents[1] / "minicodec/weights/speaking"
#: Phonemes; the semantic level, which has seen 40 ms more of them than it says; the chain.
PATTERN = Pattern(1, (0, *range(2, 10)))
CONFIG = LanguageModelConfig(
    n_q=9, codebook_size=256, frame_rate=SECOND, dim=160, layers=4, heads=5, hidden=640, seconds=4
)
PIECE, BATCH, LEARNING_RATE, WARM_UP = 200, 8, 1e-3, 200
TRIED = 8  # sentences that are drawn and measured
PROMPT = 50  # frames: two seconds of a voice
KNOBS = 0.5, 50  # temperature and top-k of what is read aloud


def speech(codec: SplitCodec, names: list[str], runs: Path, count: int) -> list[Tensor]:
    """Of each voice `count` sentences, one after another: [9, T], phonemes above codes."""
    file = runs / f"speech_{count}.safetensors"
    if not file.is_file():
        rng, texts, number = random.Random(7), sentences(7), numbered(names)
        voices: dict[str, Tensor] = {}
        for voice in [*TAUGHT, *OTHERS]:
            pitch_, pace = rng.randint(40, 60), rng.randint(135, 165)
            rows = [coded(said(next(texts), voice, pitch_, pace), codec, number)
                    for _ in range(count)]  # fmt: skip
            voices[voice] = torch.cat(rows, dim=1).to(torch.uint8)
            print(voice, voices[voice].shape[1] // SECOND, "s", flush=True)
        write_bytes(file, save(voices))
    return [rows.long() for rows in load_file(file).values()]


def numbered(names: list[str]) -> dict[str, int]:
    """Phoneme → its number."""
    return {name: number for number, name in enumerate(names)}


@torch.no_grad()
def coded(speech: Said, codec: SplitCodec, number: dict[str, int]) -> Tensor:
    """One sentence, [9, T]; a phoneme that has no number is a pause."""
    codes = codec.encode(speech.audio[None])[0]
    phonemes = torch.tensor([number.get(name, 0) for name in speech.phonemes])
    frames = min(len(phonemes), codes.shape[1])
    return torch.cat([phonemes[None, :frames], codes[:, :frames]])


def train(voices: list[Tensor], minutes: float) -> tuple[SoundModel, dict[str, Any]]:
    """The model, and what it cost; the last sentences of each voice are kept for validation."""
    torch.manual_seed(0)
    model = SoundModel(CONFIG, PATTERN)
    start_at_counts(model, voices)
    optimizer = torch.optim.AdamW(model.parameters(), LEARNING_RATE, (0.9, 0.98), weight_decay=0.1)
    cut = [rows[:, : -8 * SECOND] for rows in voices]
    held = torch.stack([rows[:, -PIECE:] for rows in voices])
    step, age, curve = 0, 0.0, []
    while age < minutes:
        begin, rng = time.process_time(), random.Random(step)
        pieces = []
        for rows in rng.choices(cut, k=BATCH):
            start = rng.randrange(rows.shape[1] - PIECE + 1)
            pieces.append(rows[:, start : start + PIECE])
        codes = torch.stack(pieces)
        rise = min(1.0, (step + 1) / WARM_UP)
        fall = 0.02 + 0.49 * (1 + math.cos(math.pi * age / minutes))
        optimizer.param_groups[0]["lr"] = LEARNING_RATE * rise * fall
        with torch.autocast("cpu", torch.bfloat16):
            scores = model(codes, rng.randrange(PIECE))
        loss = F.cross_entropy(scores.float().flatten(0, 2), codes.flatten())
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        step += 1
        age += (time.process_time() - begin) / 60
        if step % 250 == 0 or age >= minutes:
            curve.append({"step": step, "minutes": round(age, 2)} | validated(model, held))
            print(curve[-1], flush=True)
    return model.eval(), {"steps": step, "minutes": round(age, 2), "curve": curve}


@torch.inference_mode()
def validated(model: SoundModel, held: Tensor) -> dict[str, float]:
    """Bits of a frame: of the phoneme, of level 1, of all eight levels."""
    nats = F.cross_entropy(model(held).flatten(0, 2), held.flatten(), reduction="none")
    levels = (nats.view(held.shape).mean((0, 2)) / math.log(2)).tolist()
    return {"phoneme": round(levels[0], 3), "level 1": round(levels[1], 3),
            "levels": round(sum(levels[1:]), 3)}  # fmt: skip


def listener(voices: list[Tensor], codec: SplitCodec, names: list[str]) -> Teacher:
    """A judge that has learned to name phonemes of speech as the codec gives it back."""
    heard = []
    for rows in voices:
        for piece in rows.split(10 * SECOND, dim=1)[:12]:
            sound = codec.decode(piece[None, 1:])[0]
            heard.append(Said(sound, [names[i] for i in piece[0].tolist()], "", ""))
    return teach(heard, names, 1500)


def measure(
    model: SoundModel, codec: SplitCodec, judge: Teacher, names: list[str]
) -> dict[str, Any]:
    """Is it said what was asked, in the voice that was given? Shares of frames, and Hz."""
    number = numbered(names)
    texts = list(itertools.islice(sentences(3, held_out=True), TRIED + 1))
    found: dict[str, Any] = {}
    for who, voice in PAIR.items():
        rows = [coded(said(text, voice), codec, number) for text in texts]
        prompt, tried = rows[-1][:, :PROMPT], rows[:-1]
        right: dict[str, list[float]] = {"recorded": [], "read aloud": [], "another text": []}
        heights: dict[str, list[float]] = {"recorded": [], "read aloud": []}
        for index, row in enumerate(tried):
            asked = row[0]
            given = request(prompt, asked)
            drawn = generate(model, given.shape[1], given, *KNOBS, seed=index)[0]
            sounds = {"recorded": row[1:], "read aloud": drawn[1:, PROMPT:]}
            for name, codes in sounds.items():
                audio = codec.decode(codes[None])
                heard = judge(audio, RATE)[0].argmax(0)
                share = agree(heard, asked)
                right[name].append(share)
                heights[name].append(middle_pitch(audio))
                if name == "read aloud":
                    right["another text"].append(agree(heard, tried[index - 1][0]))
        found[who] = {
            "right": {name: round(sum(x) / len(x), 4) for name, x in right.items()},
            "pitch": {name: round(float(np.nanmedian(x)), 1) for name, x in heights.items()},
        }
        print(who, found[who], flush=True)
    return found


def agree(heard: Tensor, asked: Tensor) -> float:
    """The share of sounding frames in which the judge hears what was asked for."""
    frames = min(len(heard), len(asked))
    sounding = asked[:frames] > 0
    return float((heard[:frames] == asked[:frames])[sounding].float().mean())


def middle_pitch(audio: Tensor) -> float:
    """The median pitch of voiced frames, in Hz."""
    hertz, _, _ = librosa.pyin(audio[0, 0].numpy(), sr=RATE, fmin=60, fmax=500)
    return float(np.nanmedian(hertz))


def usually(voices: list[Tensor], names: list[str]) -> dict[str, int]:
    """How many frames each phoneme lasts: the median over all that were said."""
    found: dict[str, list[int]] = {}
    for rows in voices:
        numbers, lengths = rows[0].unique_consecutive(return_counts=True)
        for number, length in zip(numbers.tolist(), lengths.tolist()):
            found.setdefault(names[number], []).append(length)
    return {name: round(float(np.median(lengths))) for name, lengths in sorted(found.items())}


def ship(
    file: Path, codec: SplitCodec, names: list[str], voices: list[Tensor], read: dict[str, Any]
) -> None:
    """Model, voices, two sentences of new words, said by the low one, and what was measured."""
    number = numbered(names)
    texts = list(itertools.islice(sentences(3, held_out=True), TRIED + 1))
    rows: dict[str, Tensor] = {}
    for who, voice in PAIR.items():
        rows[f"voice {who}"] = coded(said(texts[-1], voice), codec, number)[:, :PROMPT]
    for index, text in enumerate(texts[:2]):
        spoken = coded(said(text, PAIR["low"]), codec, number)
        rows[f"sentence {index}"], rows[f"said {index}"] = spoken[0], spoken[1:]
    small = {name: tensor.to(torch.uint8).contiguous() for name, tensor in rows.items()}
    OUT.mkdir(parents=True, exist_ok=True)
    write_bytes(OUT / "speaking.safetensors", file.read_bytes())
    write_bytes(OUT / "rows.safetensors", save(small))
    result = {
        "machine": machine(),
        "phonemes": names,
        "usual": usually(voices, names),
        "voices": list(PAIR),
        "sentences": texts[:2],
        "minutes of speech": round(sum(row.shape[1] for row in voices) / SECOND / 60, 1),
        "speakers": len(voices),
        "training": sound_model_file.facts(file),
        "knobs": {"temperature": KNOBS[0], "top_k": KNOBS[1]},
        "read": read,
    }
    write_text(OUT / "speaking.json", json.dumps(result, indent=1, ensure_ascii=False))


def main() -> None:
    """Speech, model, measures, files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", type=Path)
    parser.add_argument("--minutes", type=float, default=12.0)
    parser.add_argument("--sentences", type=int, default=200)
    args = parser.parse_args()
    torch.set_num_threads(1)
    args.runs.mkdir(parents=True, exist_ok=True)
    codec = load_split(SEMANTIC / "distilled.safetensors")
    names = json.loads((SEMANTIC / "semantic.json").read_text())["phonemes"]
    voices = speech(codec, names, args.runs, args.sentences)
    file = args.runs / "speaking.safetensors"
    if not file.is_file():
        model, facts = train(voices, args.minutes)
        save_sound_model(model, file, fingerprint(codec.base), facts)
    model = load_sound_model(file)
    read = measure(model, codec, listener(voices, codec, names), names)
    ship(file, codec, names, voices, read)


if __name__ == "__main__":
    main()
