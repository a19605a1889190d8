"""Support of `semantic.py`: what a codec's codes say, and what is left when they are decoded.

Eight voices that no codec was trained on say sentences of words that it has not heard; which
phoneme sounds when is known, since a synthesizer speaks.
"""

import itertools
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from spoken import sentences, spoken, words_of
from torch import Tensor

from minicodec.generation.distillation import Teacher
from minicodec.generation.probing import excess, fit_table, guess, information, windows
from minicodec.generation.split import SplitCodec
from minicodec.model.codec import Codec
from minicodec.model.pretrained import load
from minicodec.sound.metrics import mel_distance, si_sdr

RATE = 16000
HOP = 640  # samples in a frame
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
            pair = level[kept], labels[name][kept], size, most
            bits = information(*pair) - excess(*pair)
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
