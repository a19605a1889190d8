"""Make the short clips that ship with the book: all of them ours, all from code.

    python tools/make_clips.py                  # render everything into book/_static/clips
    python tools/make_clips.py --only drums     # one clip
    python tools/make_clips.py --check          # are the files still what this code makes?
    python tools/make_clips.py --opus           # the same clips through Opus, for chapter 00

The instruments are in synth.py. Speech comes from the espeak-ng program, whose versions differ, so
`--check` renders everything else again and looks at the speech files' level and length only.
"""

import argparse
import functools
import io
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import soundfile as sf
import soxr
import synth

CLIPS_DIR = Path(__file__).resolve().parent.parent / "book" / "_static" / "clips"
RATE, STEREO_RATE = 24_000, 48_000
LEVEL, PEAK, FLOOR = -22.0, 0.8, -65.0  # dBFS of active frames, largest sample, dBFS of the room

# ---------------------------------------------------------------------------- speech

SPEECH = {  # clip: (espeak-ng voice and variant, text)
    "speech_en": (
        "en+f2",
        "A codec keeps what you can hear, and quietly forgets the rest.",
    ),
    "speech_fr": (
        "fr+m3",
        "Chaque son devient une suite de nombres, et l'oreille ne remarque presque rien.",
    ),
    "speech_de": (
        "de+f5",
        "Wenige Zahlen genügen, und schon hören wir wieder eine Stimme.",
    ),
}


def speech(voice, text, pace=150):
    """Speak `text` with espeak-ng at `pace` words a minute, in a small room at 24 kHz [T]."""
    program = shutil.which("espeak-ng")
    if program is None:
        raise SystemExit(
            "espeak-ng is missing, and the speech clips need it: apt install espeak-ng, or brew "
            "install espeak-ng.\nFor other clips: python tools/make_clips.py --only music drums"
        )
    command = [program, "-v", voice, "-s", str(pace), "--stdout", text]
    wav = subprocess.run(command, check=True, capture_output=True).stdout
    dry, rate = sf.read(io.BytesIO(wav))
    dry = np.trim_zeros(np.where(np.abs(dry) > 1e-3, dry, 0.0))
    dry = np.pad(soxr.resample(dry, rate, RATE), (int(0.15 * RATE), int(0.25 * RATE)))
    return synth.room(dry, RATE, wet=0.3)


# ---------------------------------------------------------------------------- music

BEAT = 60 / 104  # seconds
# Fmaj9, Em7, Dm9, G13, and home to Cmaj9: bass note, then the hand's four. Two beats each.
CHORDS = [
    (41, (57, 60, 64, 67)),
    (40, (55, 59, 62, 67)),
    (38, (53, 57, 60, 64)),
    (43, (53, 59, 64, 69)),
    (36, (52, 59, 62, 67)),
]
MELODY = [  # (beat, MIDI note, beats held)
    (0.5, 76, 0.5), (1, 79, 0.5), (1.5, 81, 1.0), (2.5, 79, 0.5), (3, 74, 0.5), (3.5, 76, 0.6),
    (4, 77, 0.5), (4.5, 76, 1.0), (5.5, 72, 0.5), (6, 74, 0.5), (6.5, 76, 0.6), (7, 71, 0.9),
    (8, 74, 0.5), (8.5, 76, 1.8),
]  # fmt: skip


def when(beat, rng, sway=0.006):
    """Seconds at which a player hits `beat`: off-beats swing late, and nobody is exact."""
    swing = 0.06 if beat % 1 == 0.5 else 0.0
    return 0.06 + (beat + swing) * BEAT + rng.normal(0, sway)


def play_chords(mix, sr, rng):
    """Piano chords, rolled by a few milliseconds a note, with a push before the next; and bass."""
    for i, (root, hand) in enumerate(CHORDS):
        last = i == len(CHORDS) - 1
        for offset, held, force in ((0, 1.45, 0.6), (1.5, 0.5, 0.42))[: 1 if last else 2]:
            start = when(2 * i + offset, rng)
            for j, note in enumerate(hand):
                length = (3.0 if last else held) * BEAT
                tone = synth.piano(
                    synth.hertz(note), length, sr, rng, force * rng.uniform(0.85, 1.1)
                )
                add_at = start + j * (0.035 if last else 0.008)
                synth.add(mix, tone, add_at, sr, 0.17, pan=-0.35 + 0.1 * j)
        for offset, note in ((0, root), (1.5, root + 7))[: 1 if last else 2]:
            length = (3.0 if last else 1.5 if offset == 0 else 0.5) * BEAT
            tone = synth.pluck(synth.hertz(note), length, sr, rng, 600, 4.0, 0.3, soft=0.5)
            synth.add(mix, tone, when(2 * i + offset, rng, 0.004), sr, 0.55)


def play_guitar(mix, sr, rng):
    """Plucked eighth notes up and down the chord, every string left to ring."""
    for i, (_, hand) in enumerate(CHORDS):
        order = (0, 2, 1, 3) if i < len(CHORDS) - 1 else (0, 1, 2, 3)
        for j, string in enumerate(order):
            step = 0.5 if i < len(CHORDS) - 1 else 0.12  # the last one is a strum
            start = when(2 * i + j * step, rng, 0.008)
            freq = synth.hertz(hand[string] + (12 if j == 3 else 0))
            tone = synth.pluck(freq, 2.2, sr, rng, rng.uniform(3500, 5000), 2.6)
            synth.add(mix, tone, start, sr, 0.6 * rng.uniform(0.8, 1.1), pan=0.45)


def play_brushes(mix, sr, rng):
    """A slow stir on every beat, a tap on two and four, a whisper on the off-beats."""
    for beat in range(8):
        stir = synth.brush(sr, rng, 0.5, 0.45)
        synth.add(mix, stir, when(beat, rng) - 0.1, sr, 0.09, pan=0.15)
        tap = synth.brush(sr, rng, 0.22, 0.02)
        synth.add(mix, tap, when(beat, rng), sr, 0.36 if beat % 2 else 0.12, pan=0.1)
        synth.add(mix, tap, when(beat + 0.5, rng), sr, 0.11 * rng.uniform(0.7, 1.2), pan=0.2)
    synth.add(mix, synth.brush(sr, rng, 1.2, 0.02), when(8, rng), sr, 0.2, pan=0.15)


def play_melody(mix, sr, rng):
    """The tune, on the same piano an octave up and a little louder than the hand below it."""
    for beat, note, held in MELODY:
        force = rng.uniform(0.75, 0.95)
        tone = synth.piano(synth.hertz(note), (held + 0.25) * BEAT, sr, rng, force)
        synth.add(mix, tone, when(beat, rng), sr, 0.38, pan=-0.15)


@functools.cache
def music_stereo():
    """The piece [2, T] at 48 kHz: piano to the left, guitar to the right, bass in the middle."""
    sr, rng = STEREO_RATE, np.random.default_rng(16)
    mix = np.zeros((2, int(6.0 * sr)))
    play_chords(mix, sr, rng)
    play_guitar(mix, sr, rng)
    play_brushes(mix, sr, rng)
    play_melody(mix, sr, rng)
    return synth.fade(synth.reverb(mix, sr, rng), sr, 0.0, 0.8)


def music():
    """The same piece [T] for the 24 kHz codec: both channels together, half the rate."""
    return soxr.resample(music_stereo().mean(axis=0), STEREO_RATE, RATE)


# ---------------------------------------------------------------------------- other clips


def drums(sr=RATE):
    """Two bars of groove [T] at 120 beats a minute: kick, snare, hats, clave, a fill on toms."""
    rng, step = np.random.default_rng(7), 60 / 120 / 4  # one sixteenth
    mix = np.zeros((2, int(4.4 * sr)))
    kit = {
        "K": (lambda: synth.drum(52, 190, 0.3, sr, rng), 0.55, "x.....x...x.....x..x..x..x......"),
        "S": (lambda: synth.snare(sr, rng), 0.6, "....x..o.o..x.......x..o.o..x..."),
        "H": (lambda: synth.hat(sr, rng), 0.3, "x.o.x.o.x.o.x.ooo.x.o.x.x.o.x.oo"),
        "O": (lambda: synth.hat(sr, rng, 0.14), 0.22, "..............x................."),
        "C": (lambda: synth.wood(2450, sr, rng), 0.3, "x..x..x...x.x...x..x..x...x....."),
        "T": (lambda: synth.drum(98, 170, 0.35, sr, rng), 0.5, "...........................xx..."),
        "F": (lambda: synth.drum(72, 130, 0.45, sr, rng), 0.5, ".............................x.x"),
    }
    for hit, gain, pattern in kit.values():
        for i, mark in enumerate(pattern):
            if mark != ".":
                force = gain * (0.4 if mark == "o" else 1.0) * rng.uniform(0.85, 1.1)
                late = 0.012 if i % 2 else 0.0
                synth.add(mix, hit(), 0.05 + i * step + late + rng.normal(0, 0.003), sr, force)
    groove = synth.room(mix[0], sr, wet=0.2, spread=1.4)
    return np.tanh(1.6 * groove / np.abs(groove).max())  # tape, driven a little


def noise(sr=RATE):
    """White and pink noise [T] by turns, half a second each: nothing here can be predicted."""
    rng, n = np.random.default_rng(3), sr // 2
    bursts = [rng.standard_normal(n) if i % 2 else synth.pink(n, sr, rng) for i in range(6)]
    return np.concatenate([synth.fade(b, sr, 0.03, 0.03) for b in bursts])


def sweep(sr=RATE, low=50.0, high=11_000.0, duration=4.0):
    """A sine [T] that climbs by the same number of octaves each second.

    f(t) = low · e^(t / L),   φ(t) = 2π low L (e^(t / L) − 1),   L = duration / ln(high / low)
    """
    t, rate = synth.seconds(duration, sr), duration / np.log(high / low)
    return synth.fade(np.sin(2 * np.pi * low * rate * np.expm1(t / rate)), sr, 0.05, 0.05)


def hard(sr=RATE):
    """What low bit rates break [T]: castanet rolls, ringing bars, a gliding voice; then all."""
    rng, mix = np.random.default_rng(11), np.zeros((2, int(4.5 * sr)))
    rolls = [0.08, 0.45, *np.arange(0.8, 1.25, 0.062), *np.arange(2.95, 3.9, 0.055), 4.0]
    for start in rolls:
        knock = synth.wood(rng.uniform(1750, 2150), sr, rng, 0.009)
        synth.add(mix, knock, start + rng.normal(0, 0.004), sr, 0.5 * rng.uniform(0.6, 1.1))
    for i, note in enumerate((91, 95, 98, 103, 100, 96, 91, 98, 103)):
        start = 1.3 + 0.13 * i if i < 6 else 3.2 + 0.21 * (i - 6)
        synth.add(mix, synth.bell(synth.hertz(note), 1.4, sr), start, sr, 0.16)
    t = synth.seconds(2.0, sr)
    pitch = 130 * 2 ** (1.6 * np.sin(np.pi * t / 2.0) ** 2 + 0.02 * np.sin(2 * np.pi * 5.5 * t))
    ah, ee = np.array([[730, 1090, 2440, 3400], [270, 2290, 3010, 3700]])[:, :, None]
    vowel = ee + (ah - ee) * (0.5 - 0.5 * np.cos(2 * np.pi * 1.5 * t))
    synth.add(mix, synth.fade(synth.sung(pitch, vowel, sr), sr, 0.08, 0.2), 2.15, sr, 0.14)
    return synth.room(mix[0], sr, wet=0.2)


# ---------------------------------------------------------------------------- finish, write, check

SYNTHESIZED = {  # clip: (function, sample rate, a room's noise floor below it?)
    "music": (music, RATE, True),
    "music_stereo_48k": (music_stereo, STEREO_RATE, True),
    "drums": (drums, RATE, True),
    "noise": (noise, RATE, False),
    "sweep": (sweep, RATE, False),
    "hard": (hard, RATE, True),
}
NAMES = [*SPEECH, *SYNTHESIZED]


def finish(audio, sr, floor=True):
    """Take out the DC, bring to the common level, lay a faint pink floor below, fade the ends."""
    audio = synth.band(audio, sr, low=20.0)
    gain = 10 ** ((LEVEL - synth.active_level(audio, sr)) / 20)
    audio = audio * min(gain, PEAK / np.abs(audio).max())
    if floor:
        rng = np.random.default_rng(0)
        hiss = [synth.pink(audio.shape[-1], sr, rng) for _ in np.atleast_2d(audio)]
        audio = audio + 10 ** (FLOOR / 20) * np.reshape(hiss, audio.shape)
    return np.clip(synth.fade(audio, sr, 0.01, 0.02), -PEAK, PEAK)


def render(name):
    """One finished clip: samples [T] or [2, T], and its sample rate."""
    if name in SPEECH:
        return finish(speech(*SPEECH[name]), RATE), RATE
    make, sr, floor = SYNTHESIZED[name]
    return finish(make(), sr, floor), sr


def faults(audio, sr):
    """What is wrong with a clip [T] or [C, T], as a list of sentences; empty when all is well."""
    if not np.isfinite(audio).all():
        return ["it holds NaN or infinite samples"]
    peak, length = np.abs(audio).max(), audio.shape[-1] / sr
    tests = {
        f"lasts {length:.2f} s, not 2.5 to 8": 2.5 <= length <= 8,
        f"has peak {peak:.3f}, not 0.1 to {PEAK}": 0.1 <= peak <= PEAK + 1e-4,
        f"has DC {audio.mean():.5f}": np.abs(audio.mean(axis=-1)).max() < 1e-3,
        "starts or ends with a click": np.abs(audio[..., [0, -1]]).max() < 2e-3,
    }
    return [sentence for sentence, fine in tests.items() if not fine]


def check(name, folder=CLIPS_DIR, tolerance=3e-4):
    """Faults of the file, and whether this code still makes it (speech excepted)."""
    path = Path(folder) / f"{name}.flac"
    if not path.exists():
        return ["is missing: run python tools/make_clips.py"]
    audio, sr = sf.read(path)
    audio = audio.T
    found = faults(audio, sr)
    if name in SYNTHESIZED:
        again, rate = render(name)
        if rate != sr or again.shape != audio.shape:
            found.append(f"is {audio.shape} at {sr} Hz; the code makes {again.shape} at {rate} Hz")
        elif (worst := np.abs(again - audio).max()) > tolerance:
            found.append(f"differs by up to {worst:.5f} from what the code makes; render it again")
    return found


# ---------------------------------------------------------------------------- Opus, the rival

OPUS_CLIPS, OPUS_RATES = ("speech_en", "music", "hard"), (6, 12)


def make_opus():
    """Encode what chapter 00 compares. A constant rate, or music would get a third more than asked.

    Readers need no Opus program to hear the files: libsndfile decodes them.
    """
    if shutil.which("opusenc") is None:
        raise SystemExit("opusenc is missing: apt install opus-tools, or brew install opus-tools.")
    for name in OPUS_CLIPS:
        for kbps in OPUS_RATES:
            target = CLIPS_DIR / f"{name}_{kbps}k.opus"
            options = f"--quiet --hard-cbr --bitrate {kbps} --serial 1 --padding 0".split()
            source = CLIPS_DIR / f"{name}.flac"
            subprocess.run(["opusenc", *options, "--discard-comments", source, target], check=True)
            print(f"{target.name:18s} {target.stat().st_size} bytes")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    parser.add_argument("--opus", action="store_true", help="make the Opus files, nothing else")
    parser.add_argument("--only", nargs="+", choices=NAMES, default=NAMES, metavar="CLIP")
    args = parser.parse_args()
    if args.opus:
        return make_opus()
    CLIPS_DIR.mkdir(parents=True, exist_ok=True)
    bad = False
    for name in args.only:
        if args.check:
            found = check(name)
        else:
            audio, sr = render(name)
            sf.write(CLIPS_DIR / f"{name}.flac", audio.T, sr, subtype="PCM_16")
            found = faults(audio, sr)
        bad |= bool(found)
        print(f"{name:18s} {'; '.join(found) or 'ok'}")
    sys.exit(int(bad))


if __name__ == "__main__":
    main()
