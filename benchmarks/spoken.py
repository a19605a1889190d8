"""Sentences that nobody wrote, said by voices of which everything is known.

`spoken` asks the library of espeak-ng (`apt install espeak-ng`) for a sentence in a voice, and gets
the samples and, for each phoneme, where it begins. `sentences` makes as many sentences as wanted
from a small grammar. `benchmarks/semantic.py` trains and probes on both: who speaks and what is
said are labels here, not guesses.
"""

import ctypes
import ctypes.util
import functools
import itertools
import random
from collections.abc import Iterator

import numpy as np
import soxr

PACE = 150  # words a minute


def words_of(text: str) -> list[str]:
    """A list of words, written as a text."""
    return text.split()


# What a noun, verb, … can be; every fourth word is kept for sentences that are only measured.
NOUNS = words_of("""
    teacher river garden window doctor basket mountain sailor kitchen lantern farmer bridge
    village painter rabbit cushion cottage engine shepherd market violin pocket thunder castle
    judge chicken meadow ribbon father orange theatre pigeon hammer bottle pasture youth
    measure valley donkey fisherman nephew butcher treasure morning choir ladder
""")
VERBS = words_of("""
    found carried watched followed painted measured remembered opened pushed borrowed sold
    covered showed missed visited washed enjoyed moved noticed thanked chose fixed heard
    brought
""")
ADJECTIVES = words_of("""
    quiet yellow heavy gentle broken narrow ancient thirsty young purple foolish shiny bitter
    careful northern joyful empty thick vague loyal usual smooth early cheap
""")
PLACES = words_of("""
    near behind above below beside without beyond across under around
""")
STARTS = words_of("""
    yesterday sometimes perhaps today usually slowly once finally
""")


class _Value(ctypes.Union):
    _fields_ = [("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8)]


class _Event(ctypes.Structure):
    _fields_ = [
        ("type", ctypes.c_int),
        ("identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("milliseconds", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user", ctypes.c_void_p),
        ("value", _Value),
    ]


_PHONEME = 7
_Callback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event)
)


@functools.cache
def _library() -> tuple[ctypes.CDLL, int]:
    """The library, ready to call, and its sample rate."""
    path = ctypes.util.find_library("espeak-ng")
    if path is None:
        raise SystemExit("espeak-ng is missing: apt install espeak-ng, or brew install espeak-ng.")
    library = ctypes.CDLL(path)
    rate = library.espeak_Initialize(2, 0, None, 1)  # synchronous, with events for phonemes
    return library, rate


def spoken(
    text: str, voice: str, pitch: int = 50, pace: int = PACE, sample_rate: int = 24000
) -> tuple[np.ndarray, list[tuple[float, str]]]:
    """Say `text`. Returns samples [T], and where each phoneme begins, in seconds, with its name.

    Stress marks are taken off the names; a pause is "". At one pace most voices have nearly the
    same times, so that two speakers can be laid side by side: over 24 sentences phonemes of f3
    begin 13 ms before or after those of m7, in the mean, and 47 ms at most (klatt: 25 and 130).
    """
    library, rate = _library()
    pieces: list[np.ndarray] = []
    events: list[tuple[float, str]] = []

    def hear(wav, count: int, event) -> int:
        if wav and count > 0:
            pieces.append(np.ctypeslib.as_array(wav, (count,)).copy())
        index = 0
        while event[index].type:  # 0 ends the list
            if event[index].type == _PHONEME:
                name = event[index].value.string.decode("utf-8", "ignore")
                events.append((event[index].sample / rate, name.strip("_:;',%=|!*#")))
            index += 1
        return 0

    callback = _Callback(hear)
    if library.espeak_SetVoiceByName(voice.encode()):
        raise ValueError(f"espeak-ng has no voice {voice!r}.")
    library.espeak_SetParameter(1, pace, 0)
    library.espeak_SetParameter(3, pitch, 0)
    library.espeak_SetSynthCallback(callback)
    words = text.encode()
    library.espeak_Synth(words, len(words) + 1, 0, 1, 0, 1, None, None)
    library.espeak_Synchronize()
    samples = np.concatenate(pieces).astype(np.float32) / 32768
    return soxr.resample(samples, rate, sample_rate), events


def sentences(seed: int, held_out: bool = False) -> Iterator[str]:
    """Endlessly many, such as "Yesterday the gentle farmer watched a yellow bridge near the river."

    Args:
        held_out: with words that the other sentences do not have.
    """
    rng = random.Random(f"{seed}/{held_out}")

    def word(words: list[str]) -> str:
        return rng.choice([w for i, w in enumerate(words) if (i % 4 == 3) == held_out])

    while True:
        first = f"{rng.choice(STARTS)} " if rng.random() < 0.3 else ""
        text = (
            f"{first}the {word(ADJECTIVES)} {word(NOUNS)} {word(VERBS)} a {word(ADJECTIVES)} "
            f"{word(NOUNS)} {rng.choice(PLACES)} the {word(NOUNS)}."
        )
        yield text[0].upper() + text[1:]


if __name__ == "__main__":
    for text in itertools.islice(sentences(0), 3):
        samples, events = spoken(text, "en+f2")
        print(f"{text} {len(samples) / 24000:.2f} s: {' '.join(name for _, name in events)}")
