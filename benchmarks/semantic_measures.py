"""Support of `semantic.py`: what a codec's codes say, and what is left when they are decoded.

Eight voices that no codec was trained on say sentences of words that it has not heard; which
phoneme sounds when is known, since a synthesizer speaks.
"""

import itertools
from typing import Any, NamedTuple

import numpy as np
import torch
from spoken import sentences, spoken, words_of
from torch import Tensor

from minicodec.generation.distillation import Teacher
from minicodec.generation.probing import excess, fit_table, guess, information, windows
from minicodec.generation.split import SplitCodec
from minicodec.model.checkpoint import SHIPPED, load_codec
from minicodec.sound.metrics import mel_distance

RATE = 24000
SLOWER = 3  # frames of `mini_24khz` in one
HOP = 320 * SLOWER  # samples
SECOND = RATE // HOP  # frames
SENTENCES = 24  # that are measured

#: Voices of espeak-ng; its variants change formants, pitch, breath and more.
OTHERS = words_of("""
    m7 f3 Annie Mike grandma klatt Jacky victor
""")

PAIR = {"low": "m7", "high": "f3"}  # two of them, who keep time with each other


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


def measured(count: int = SENTENCES) -> list[Said]:
    """The other voices, all with the same sentences, of words that were never taught."""
    texts = list(itertools.islice(sentences(1, held_out=True), count))
    return [said(text, voice) for text in texts for voice in OTHERS]


def probed(codes: Tensor, labels: dict[str, Tensor], size: int, window: int) -> dict[str, Any]:
    """How often phoneme and speaker are guessed rightly from each level, and the bits it says.

    Tables are fitted on two thirds of the sentences and tried on the others; that of the phonemes
    on four voices, and tried on four others.
    """
    late = labels["sentence"] >= 2 * (int(labels["sentence"].max()) + 1) // 3
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
        for name, most in (("phoneme", kinds), ("speaker", voices)):
            given = level[sounding], labels[name][sounding], size, most
            rows[f"{name}_bits"].append(round(information(*given) - excess(*given), 3))
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
        for said_here, found in zip(s.phonemes, teacher(sound, RATE).argmax(1)[0].tolist()):
            right += bool(said_here) and names[found] == said_here
            total += bool(said_here)
    return round(right / total, 4)


@torch.no_grad()
def measure(
    codec: SplitCodec, teacher: Teacher, heard: list[Said], latents: list[Tensor], names: list[str]
) -> Any:
    """Everything that is said of one codec, and its codes [K, frames] of whole seconds."""
    quantizer = codec.quantizer
    codes = [quantizer.encode(z[None])[0] for z in latents]
    some = range(0, len(heard), 11)  # as many of each voice
    part = [heard[i] for i in some]
    row: dict[str, Any] = {"mel": [], "named": {}}
    for levels in (1, 2, 4, 8):
        copies = [codec.decode(codes[i][None, :levels]) for i in some]
        row["mel"].append(distance(copies, part))
        if levels in (1, 8):
            row["named"][{1: "level 1", 8: "all"}[levels]] = named(teacher, copies, part, names)
    acoustic = [quantizer.acoustic.decode(codes[i][None, 1:]) for i in some]
    copies = [codec.base.decoder(z) for z in acoustic]
    row["named"]["levels 2 to 8"] = named(teacher, copies, part, names)
    kept = torch.cat([c[:, : whole(s)] for c, s in zip(codes, heard)], dim=1)
    return row | {"probes": probed(kept, labelled(heard, names, 1), 256, SECOND)}, kept


def distance(copies: list[Tensor], heard: list[Said]) -> float:
    """Mean mel distance of decoded sounds from their originals."""
    found = []
    for sound, s in zip(copies, heard):
        samples = min(sound.shape[-1], s.audio.shape[-1])
        pair = sound[..., :samples], s.audio[None, :, :samples]
        found.append(float(mel_distance(*pair, RATE)))
    return round(sum(found) / len(found), 3)


@torch.no_grad()
def of_mini(names: list[str], heard: list[Said], latents: list[Tensor]) -> dict[str, Any]:
    """The same of the codec that ships, from its first eight levels: guesses, and its sound."""
    codec = load_codec(SHIPPED["mini_24khz"])
    codes = [codec.quantizer.encode(z[None], 8)[0] for z in latents]
    some = range(0, len(heard), 11)
    copies = [codec.decoder(codec.quantizer.decode(codes[i][None, :2])) for i in some]
    kept = torch.cat([c[:, : SLOWER * whole(s)] for c, s in zip(codes, heard)], dim=1)
    labels = labelled(heard, names, SLOWER)
    return probed(kept, labels, 1024, SLOWER * SECOND) | {
        "mel, 1.5 kbps": distance(copies, [heard[i] for i in some])
    }
