"""Play a score on the sampled instruments of a soundfont: MIDI in, sound [2, T] out.

The player is the program FluidSynth, the instruments are those of FluidR3 GM.
"""

import shutil
import struct
import subprocess
import tempfile
from pathlib import Path
from typing import NamedTuple

import soundfile as sf

RATE = 48_000
TICKS = 10_000  # a second: fine enough for what makes a player human, a few milliseconds
SOUNDFONT = Path("/usr/share/sounds/sf2/FluidR3_GM.sf2")
INSTALL = "apt install fluidsynth fluid-soundfont-gm"
DRUMS = 9  # the channel on which General MIDI keeps percussion
VOLUME, PAN, EXPRESSION, PEDAL, REVERB = 7, 10, 11, 64, 91  # controllers


class Part(NamedTuple):
    """One player. Programs count from 0; of a drum kit, notes are the things to hit."""

    program: int
    notes: list[tuple[float, int, float, float]]  # seconds, MIDI note, seconds held, force 0 to 1
    pan: int = 64  # 0 is left, 127 right
    volume: int = 100
    controls: tuple[tuple[float, int, int], ...] = ()  # seconds, controller, value
    kit: bool = False


def variable_length(number):
    """A number in groups of seven bits, the first ones marked by the eighth.

    >>> variable_length(200).hex()
    '8148'
    """
    groups = [number & 127]
    while number := number >> 7:
        groups.append(number & 127 | 128)
    return bytes(reversed(groups))


def messages(part, channel, reverb):
    """All that a part tells its channel: (seconds, bytes)."""
    settings = {VOLUME: part.volume, PAN: part.pan, REVERB: reverb}
    yield 0.0, bytes([0xC0 | channel, part.program])
    for controller, value in settings.items():
        yield 0.0, bytes([0xB0 | channel, controller, value])
    for at, controller, value in part.controls:
        yield at, bytes([0xB0 | channel, controller, value])
    for start, note, held, force in part.notes:
        velocity = min(127, max(1, round(127 * force)))
        yield start, bytes([0x90 | channel, note, velocity])
        yield start + held, bytes([0x80 | channel, note, 0])


def midi(parts, duration, reverb):
    """The score as a Standard MIDI File of one track, at one beat a second."""
    melodic = (channel for channel in range(16) if channel != DRUMS)
    events = [(duration, bytes([0xB0, PAN, 64]))]  # or the last note's ring would be cut off
    for part in parts:
        events += messages(part, DRUMS if part.kit else next(melodic), reverb)
    track, now = b"\x00\xff\x51\x03" + (1_000_000).to_bytes(3, "big"), 0
    for at, message in sorted(events, key=lambda event: event[0]):
        tick = max(now, round(at * TICKS))
        track += variable_length(tick - now) + message
        now = tick
    track += b"\x00\xff\x2f\x00"
    header = b"MThd" + struct.pack(">IHHH", 6, 0, 1, TICKS)
    return header + b"MTrk" + struct.pack(">I", len(track)) + track


def play(parts, duration, reverb=40, gain=0.8):
    """The score as sound [2, T] at 48 kHz; `reverb` of 0 to 127 says how much of the room."""
    if shutil.which("fluidsynth") is None or not SOUNDFONT.exists():
        raise FileNotFoundError(f"FluidSynth or its soundfont is missing: {INSTALL}")
    settings = {
        "synth.gain": gain,
        "synth.sample-rate": RATE,
        "synth.chorus.active": 0,
        "synth.reverb.room-size": 0.45,
        "synth.reverb.damp": 0.35,
        "synth.reverb.level": 0.5,
    }
    options = [word for name, value in settings.items() for word in ("-o", f"{name}={value}")]
    with tempfile.TemporaryDirectory() as folder:
        score, sound = Path(folder) / "score.mid", Path(folder) / "sound.wav"
        score.write_bytes(midi(parts, duration + 0.2, reverb))
        command = ["fluidsynth", "-q", "-i", "-n", *options, "-F", sound, SOUNDFONT, score]
        subprocess.run(command, check=True, capture_output=True)
        audio, _ = sf.read(sound)
    if abs(audio).max() > 0.99:
        raise ValueError(f"FluidSynth clips at gain {gain}: choose a smaller one")
    return audio.T[:, : int(duration * RATE)]
