"""Make the short clips that ship with the book.

    python tools/make_clips.py                  # render everything into book/_static/clips
    python tools/make_clips.py --only drums     # one clip
    python tools/make_clips.py --check          # are the files still what this code makes?
    python tools/make_clips.py --opus           # the same clips through Opus, for chapter 00

Noise and sweep are made by our own code alone, so `--check` compares them sample by sample. Speech
(clip_speech.py) and sampled music (clip_scores.py) need programs and voices whose versions differ:
where these are installed, `--check` renders such a clip again and compares length, level and peak;
where they are not, it looks at the file alone.
"""

import argparse
import functools
import shutil
import subprocess
import sys
from pathlib import Path

import clip_midi
import clip_scores
import clip_speech
import numpy as np
import soundfile as sf
import synth

CLIPS_DIR = Path(__file__).resolve().parent.parent / "book" / "_static" / "clips"
RATE, STEREO_RATE = clip_scores.RATE, clip_midi.RATE
LEVEL, PEAK, FLOOR = -22.0, 0.8, -65.0  # dBFS of active frames, largest sample, dBFS of the room

# ---------------------------------------------------------------------------- signals


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


# ---------------------------------------------------------------------------- finish, write, check

VOICES = {name: functools.partial(clip_speech.voice, name) for name in clip_speech.READERS}
SPEECH = VOICES | {"speech_robot": clip_speech.robot}
MUSIC = {
    "music": clip_scores.music,
    "music_stereo_48k": clip_scores.music_stereo,
    "piano": clip_scores.piano,
    "quartet": clip_scores.quartet,
    "quartet_stereo_48k": clip_scores.quartet_stereo,
    "drums": clip_scores.drums,
    "hard": clip_scores.hard,
}
SYNTHESIZED = {"noise": noise, "sweep": sweep}
CLIPS = SPEECH | MUSIC | SYNTHESIZED
NAMES = [*CLIPS]


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
    audio = CLIPS[name]()
    sr = STEREO_RATE if audio.ndim == 2 else RATE
    return finish(audio, sr, floor=name not in SYNTHESIZED), sr


def faults(audio, sr):
    """What is wrong with a clip [T] or [C, T], as a list of sentences; empty when all is well."""
    if not np.isfinite(audio).all():
        return ["it holds NaN or infinite samples"]
    peak, length = np.abs(audio).max(), audio.shape[-1] / sr
    tests = {
        f"lasts {length:.2f} s, not 2.5 to 6": 2.5 <= length <= 6,
        f"has peak {peak:.3f}, not 0.1 to {PEAK}": 0.1 <= peak <= PEAK + 1e-4,
        f"has DC {audio.mean():.5f}": np.abs(audio.mean(axis=-1)).max() < 1e-3,
        "starts or ends with a click": np.abs(audio[..., [0, -1]]).max() < 2e-3,
    }
    return [sentence for sentence, fine in tests.items() if not fine]


def check(name, folder=CLIPS_DIR, tolerance=3e-4):
    """Faults of the file, and whether this code still makes it, or something much like it."""
    path = Path(folder) / f"{name}.flac"
    if not path.exists():
        return [f"is missing: run python tools/make_clips.py --only {name}"]
    audio, sr = sf.read(path)
    audio = audio.T
    found = faults(audio, sr)
    try:
        again, rate = render(name)
    except FileNotFoundError:
        return found  # no program to render it with
    if rate != sr or again.ndim != audio.ndim:
        return [*found, f"is {audio.shape} at {sr} Hz; the code makes {again.shape} at {rate} Hz"]
    if name not in SYNTHESIZED:
        return found + differences(audio, again, sr)
    if again.shape != audio.shape:
        found.append(f"is {audio.shape}; the code makes {again.shape}")
    elif (worst := np.abs(again - audio).max()) > tolerance:
        found.append(f"differs by up to {worst:.5f} from what the code makes; render it again")
    return found


def differences(audio, again, sr):
    """Where two renderings differ by more than other versions of the programs explain."""
    allowed = {"length in s": 0.3, "level in dB": 1.0, "peak": 0.15}
    measures = [
        (x.shape[-1] / sr, synth.active_level(x, sr), np.abs(x).max()) for x in (audio, again)
    ]
    return [
        f"has {what} {ours:.2f}; the code makes {theirs:.2f}"
        for (what, limit), ours, theirs in zip(allowed.items(), *measures)
        if abs(ours - theirs) > limit
    ]


# ---------------------------------------------------------------------------- Opus, the rival

OPUS_CLIPS, OPUS_RATES = ("speech_en", "music", "hard"), (6, 12)


def make_opus(folder):
    """Encode what chapter 00 compares. A constant rate, or music would get a third more than asked.

    Readers need no Opus program to hear the files: libsndfile decodes them.
    """
    if shutil.which("opusenc") is None:
        raise FileNotFoundError(
            "opusenc is missing: apt install opus-tools, or brew install opus-tools"
        )
    for name in OPUS_CLIPS:
        for kbps in OPUS_RATES:
            target = folder / f"{name}_{kbps}k.opus"
            options = f"--quiet --hard-cbr --bitrate {kbps} --serial 1 --padding 0".split()
            source = folder / f"{name}.flac"
            subprocess.run(["opusenc", *options, "--discard-comments", source, target], check=True)
            print(f"{target.name:18s} {target.stat().st_size} bytes")


def make(names, folder, only_check):
    """Write or check the clips, and say how each one did; whether all are well."""
    folder.mkdir(parents=True, exist_ok=True)
    well = True
    for name in names:
        if only_check:
            found = check(name, folder)
        else:
            audio, sr = render(name)
            sf.write(folder / f"{name}.flac", audio.T, sr, subtype="PCM_16")
            found = faults(audio, sr)
        well &= not found
        print(f"{name:18s} {'; '.join(found) or 'ok'}")
    return well


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    parser.add_argument("--opus", action="store_true", help="make the Opus files, nothing else")
    parser.add_argument("--only", nargs="+", choices=NAMES, default=NAMES, metavar="CLIP")
    parser.add_argument("--out", type=Path, default=CLIPS_DIR, metavar="FOLDER")
    args = parser.parse_args()
    try:
        if args.opus:
            return make_opus(args.out)
        sys.exit(int(not make(args.only, args.out, args.check)))
    except FileNotFoundError as error:
        raise SystemExit(str(error)) from error


if __name__ == "__main__":
    main()
