"""The music clips: our own scores, written as beats and MIDI notes, and how they are played.

A note is (beat, MIDI note, beats held, force 0 to 1).
"""

import functools

import clip_midi
import numpy as np
import soxr
import synth
from clip_midi import EXPRESSION, PEDAL, Part

RATE = 24_000
PIANO, GLOCKENSPIEL, GUITAR, BASS, VIOLIN, VIOLA, CELLO, APPLAUSE = 0, 9, 25, 32, 40, 41, 42, 126
CASTANETS = 85  # a note of the drum kit, as the letters below
KIT = {"K": 36, "R": 37, "S": 38, "H": 42, "P": 44, "O": 46, "X": 49, "C": 51, "T": 48, "F": 43}


def by_hand(notes, beat, rng, sway=0.006, swing=0.0):
    """Notes in seconds: off-beats swing late by `swing` beats, and nobody is exact or even."""
    return [
        (
            max(0.0, 0.06 + (at + swing * (at % 1 == 0.5)) * beat + rng.normal(0, sway)),
            note,
            held * beat,
            force * rng.uniform(0.9, 1.08),
        )
        for at, note, held, force in notes
    ]


def pattern(lines, step):
    """A drummer's notation: for each thing to hit, `x` strong, `o` soft, `.` not, every `step`."""
    return [
        (i * step, KIT[hit], 0.2, {"x": 0.85, "o": 0.55}[mark])
        for hit, marks in lines.items()
        for i, mark in enumerate(marks)
        if mark != "."
    ]


def mono(stereo):
    """Both channels together [T], for the 24 kHz codec."""
    return soxr.resample(stereo.mean(axis=0), clip_midi.RATE, RATE)


# ---------------------------------------------------------------------------- a band

# Fmaj9, Em7, Dm9, G13, and home to Cmaj9: bass note, then the hand's four. Two beats each.
CHORDS = [
    (41, (57, 60, 64, 67)),
    (40, (55, 59, 62, 67)),
    (38, (53, 57, 60, 64)),
    (43, (53, 59, 64, 69)),
    (36, (52, 59, 62, 67)),
]
MELODY = [
    (0.5, 76, 0.5), (1, 79, 0.5), (1.5, 81, 1.0), (2.5, 79, 0.5), (3, 74, 0.5), (3.5, 76, 0.6),
    (4, 77, 0.5), (4.5, 76, 1.0), (5.5, 72, 0.5), (6, 74, 0.5), (6.5, 76, 0.6), (7, 71, 0.9),
    (8, 74, 0.5), (8.5, 76, 1.6),
]  # fmt: skip
BAND_KIT = {  # two to the beat; ride, side stick, kick, the foot's hi-hat, and a crash for the end
    "C": "xoxoxoxoxoxoxoxox.o",
    "R": "..x...x...x...x....",
    "K": "x..ox..ox..ox..ox..",
    "P": "..o...o...o...o....",
    "X": "................o..",
}


def comping():
    """The hand's chords: one on the beat, a push before the next; the last is held."""
    for i, (_, hand) in enumerate(CHORDS[:-1]):
        yield from ((2 * i, note, 1.4, 0.42) for note in hand)
        yield from ((2 * i + 1.5, note, 0.4, 0.34) for note in hand)
    yield from ((8 + 0.05 * j, note, 3.0, 0.42) for j, note in enumerate(CHORDS[-1][1]))


def bass_line():
    """Root, then the fifth as a push, and a step that leads to the next root."""
    for i, (root, _) in enumerate(CHORDS[:-1]):
        lead = CHORDS[i + 1][0] + (1 if i % 2 else -1)
        yield from ((2 * i, root, 1.4, 0.75), (2 * i + 1.5, lead, 0.45, 0.6))
    yield 8, CHORDS[-1][0], 3.0, 0.75


def picking():
    """Plucked eighths up and down the chord, every string left to ring; a strum at the end."""
    for i, (_, hand) in enumerate(CHORDS):
        last = i == len(CHORDS) - 1
        for j, string in enumerate((0, 1, 2, 3) if last else (0, 2, 1, 3)):
            at = 2 * i + j * (0.06 if last else 0.5)
            yield at, hand[string] + (12 if j == 3 else 0), 2.0, 0.6


@functools.cache
def music_stereo():
    """The tune [2, T] at 48 kHz: piano left, guitar right, bass in the middle, drums around."""
    beat, rng = 60 / 104, np.random.default_rng(16)
    tune = [(at, note, held + 0.1, 0.72) for at, note, held in MELODY]
    parts = [
        Part(PIANO, by_hand([*comping(), *tune], beat, rng, swing=0.06), pan=40),
        Part(GUITAR, by_hand(picking(), beat, rng, 0.008, 0.06), pan=96, volume=85),
        Part(BASS, by_hand(bass_line(), beat, rng, 0.004, 0.06), volume=85),
        Part(0, by_hand(pattern(BAND_KIT, 0.5), beat, rng, 0.004, 0.06), kit=True, volume=90),
    ]
    return ending(clip_midi.play(parts, 6.0, reverb=35))


def music():
    """The same tune [T] at 24 kHz."""
    return mono(music_stereo())


def ending(audio, release=0.7):
    """Let the last chord go before the clip ends."""
    return synth.fade(audio, clip_midi.RATE, 0.0, release)


# ---------------------------------------------------------------------------- a piano alone

# A minor, F major seventh, D minor, E, and A minor again. Left hand, then right.
LOW = [
    (0, 33, 2.0, 0.62), (0, 45, 2.0, 0.50), (0.5, 52, 1.5, 0.42), (1, 57, 1.0, 0.42),
    (1.5, 60, 0.5, 0.42),
    (2, 29, 2.0, 0.64), (2, 41, 2.0, 0.52), (2.5, 48, 1.5, 0.44), (3, 57, 1.0, 0.44),
    (3.5, 60, 0.5, 0.44),
    (4, 38, 1.0, 0.66), (4, 50, 1.0, 0.54), (4.5, 53, 0.5, 0.48), (4.5, 57, 0.5, 0.48),
    (5, 28, 1.0, 0.72), (5, 40, 1.0, 0.60), (5, 47, 1.0, 0.54), (5.5, 56, 0.5, 0.48),
    (6, 33, 3.0, 0.66), (6, 40, 3.0, 0.50), (6, 45, 3.0, 0.54), (6.03, 52, 3.0, 0.42),
]  # fmt: skip
HIGH = [
    (0.5, 88, 0.5, 0.60), (1, 86, 0.25, 0.56), (1.25, 84, 0.25, 0.56), (1.5, 83, 0.5, 0.60),
    (2, 84, 0.5, 0.66), (2.5, 93, 1.0, 0.74), (3.5, 91, 0.25, 0.62), (3.75, 88, 0.25, 0.62),
    (4, 89, 0.25, 0.68), (4.25, 88, 0.25, 0.66), (4.5, 86, 0.25, 0.66), (4.75, 84, 0.25, 0.66),
    (5, 83, 0.5, 0.76), (5, 74, 1.0, 0.60), (5.5, 92, 0.5, 0.72),
    (6, 93, 3.0, 0.66), (6.03, 84, 3.0, 0.56), (6.06, 76, 3.0, 0.52),
]  # fmt: skip


def piano():
    """Low octaves and a high line [T]; the pedal is changed with the chords."""
    beat, rng = 60 / 76, np.random.default_rng(4)
    pedal = []
    for change in (0, 2, 4, 5, 6):
        at = 0.06 + change * beat
        pedal += [(max(0.0, at - 0.03), PEDAL, 0), (at + 0.09, PEDAL, 127)]
    part = Part(PIANO, by_hand([*LOW, *HIGH], beat, rng, 0.008), controls=tuple(pedal))
    return mono(ending(clip_midi.play([part], 6.0, reverb=45), 0.9))


# ---------------------------------------------------------------------------- a string quartet

QUARTET = {  # player: program, place, voice. G, D/F#, Em, Am7, G/D, D7, and G.
    "first violin": (VIOLIN, 24, [
        (0, 74, 0.5), (0.5, 79, 0.5), (1, 81, 0.75), (1.75, 83, 0.25), (2, 83, 0.5), (2.5, 79, 0.5),
        (3, 84, 0.5), (3.5, 81, 0.5), (4, 83, 0.5), (4.5, 79, 0.5), (5, 81, 1), (6, 79, 1.4),
    ]),
    "second violin": (VIOLIN, 50, [
        (0, 71, 1), (1, 74, 1), (2, 76, 2), (4, 74, 1.5), (5.5, 72, 0.5), (6, 71, 1.4),
    ]),
    "viola": (VIOLA, 80, [
        (0, 67, 0.5), (0.5, 62, 0.5), (1, 57, 0.5), (1.5, 62, 0.5), (2, 64, 0.5), (2.5, 67, 0.5),
        (3, 69, 0.5), (3.5, 67, 1.5), (5, 66, 1), (6, 62, 1.4),
    ]),
    "cello": (CELLO, 104, [
        (0, 43, 1), (1, 42, 1), (2, 40, 1), (3, 45, 0.5), (3.5, 48, 0.5), (4, 50, 1), (5, 38, 1),
        (6, 43, 1.4),
    ]),
}  # fmt: skip


@functools.cache
def quartet_stereo():
    """Four bowed voices [2, T] at 48 kHz, from left to right as they sit."""
    beat, rng = 60 / 78, np.random.default_rng(9)
    swell = tuple(  # to the top of the phrase at beat 4, and back
        (t, EXPRESSION, round(127 - 45 * min(1.0, abs(t / beat - 4) / 4)))
        for t in np.arange(0.0, 6.0, 0.05)
    )
    parts = [
        Part(program, by_hand([(*n, 0.7) for n in voice], beat, rng, 0.012), pan, controls=swell)
        for program, pan, voice in QUARTET.values()
    ]
    return ending(clip_midi.play(parts, 6.0, reverb=60))


def quartet():
    """The same four voices [T] at 24 kHz."""
    return mono(quartet_stereo())


# ---------------------------------------------------------------------------- percussion

GROOVE = {  # sixteenths: two bars, a fill on the toms, and the one after it
    "K": "x.....x...x.....x..x..x..x......x",
    "S": "....x..o.o..x..o....x..o.o..x....",
    "H": "x.x.x.x.xox.x.x.x.x.x.x.xox.x....",
    "O": "..............x..................",
    "T": "............................oxx..",
    "F": "..............................oxx",
    "X": "o...............................o",
}


def drums():
    """Two bars of groove [T] at 120 beats a minute on an acoustic kit."""
    rng = np.random.default_rng(7)
    hits = by_hand(pattern(GROOVE, 0.25), 60 / 120, rng, 0.004)
    return mono(ending(clip_midi.play([Part(0, hits, kit=True)], 5.0, reverb=20)))


def hard():
    """What low bit rates break [T]: castanets, glockenspiel, applause; then all at once."""
    rng = np.random.default_rng(11)
    rolls = [0.1, 0.4, *np.arange(0.7, 1.24, 0.075), *np.arange(4.1, 5.4, 0.085)]
    clicks = [(t + rng.normal(0, 0.004), CASTANETS, 0.1, rng.uniform(0.75, 1.0)) for t in rolls]
    tune = (91, 95, 98, 103, 100, 107, 91, 98, 103, 107, 110, 103)
    starts = [*np.arange(1.35, 2.2, 0.16), *np.arange(4.2, 5.4, 0.21)]
    bars = [(t, note, 1.0, rng.uniform(0.6, 0.8)) for t, note in zip(starts, tune)]
    # The soundfont's one recording of a hall, twice: at another speed it is another row of people.
    crowd = [(2.1, 60, 4.0, 0.8), (2.2, 65, 4.0, 0.8)]
    parts = [
        Part(0, clicks, kit=True, volume=127),
        Part(GLOCKENSPIEL, bars, volume=80),
        Part(APPLAUSE, crowd, volume=65),
    ]
    return mono(ending(clip_midi.play(parts, 5.8, reverb=20), 0.4))
