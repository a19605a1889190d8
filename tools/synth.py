"""Sound in a few lines of numpy each: filters, noise, a room, and the measure of level.

Time runs along the last axis: mono is [T], stereo is [2, T]. `sr` is the sample rate in hertz;
randomness comes only from the generator `rng` that the caller passes in, so a seed fixes every
sample.
"""

import numpy as np
from scipy.signal import butter, sosfilt

# ---------------------------------------------------------------------------- tools


def seconds(duration, sr):
    """Time axis [T] in seconds.

    >>> seconds(1.0, 4).tolist()
    [0.0, 0.25, 0.5, 0.75]
    """
    return np.arange(int(round(duration * sr))) / sr


def band(x, sr, low=None, high=None, order=2):
    """Keep what lies between `low` and `high` hertz (Butterworth, causal, along time)."""
    if low and high:
        sos = butter(order, [low, high], "bandpass", fs=sr, output="sos")
    elif low:
        sos = butter(order, low, "highpass", fs=sr, output="sos")
    else:
        sos = butter(order, high, "lowpass", fs=sr, output="sos")
    return sosfilt(sos, x, axis=-1)


def fade(x, sr, attack=0.01, release=0.01):
    """Raised-cosine ramps at both ends, so that a clip neither starts nor stops with a click."""
    y = np.array(x, dtype=float)
    for length, side in ((int(attack * sr), 1), (int(release * sr), -1)):
        ramp = 0.5 - 0.5 * np.cos(np.pi * np.arange(length) / max(length, 1))
        y[..., ::side][..., :length] *= ramp
    return y


def pink(n, sr, rng):
    """Noise with power 1/f, as rooms and tape have it: white noise shaped by 1/√f, unit RMS."""
    spectrum = np.fft.rfft(rng.standard_normal(n))
    spectrum /= np.sqrt(np.maximum(np.fft.rfftfreq(n, 1 / sr), 20.0))
    spectrum[0] = 0.0
    noise = np.fft.irfft(spectrum, n)
    return noise / np.sqrt(np.mean(noise**2))


# ---------------------------------------------------------------------------- pitched notes


def room(x, sr, wet=0.25, spread=1.0):
    """Early reflections: the sound again, later, softer and duller, off six nearby walls.

    `spread` scales the delays (5 to 37 ms at 1.0), and with them the size of the room.
    """
    x = np.asarray(x, dtype=float)
    y, dull = x.copy(), band(x, sr, high=5000, order=1)
    walls = ((5.3, 0.7), (8.9, -0.55), (13.1, 0.45), (19.7, 0.35), (27.1, -0.3), (37.3, 0.2))
    for ms, gain in walls:
        late = int(ms * spread * sr / 1000)
        y[..., late:] += wet * gain * dull[..., :-late]
    return y


def active_level(x, sr):
    """RMS in dBFS over the 50 ms frames that are within 25 dB of the loudest one.

    >>> round(active_level(np.sin(2 * np.pi * 100 * seconds(1.0, 8000)), 8000), 2)
    -3.01
    """
    frame = int(0.05 * sr)
    power = np.mean(np.atleast_2d(x) ** 2, axis=0)
    power = power[: len(power) // frame * frame].reshape(-1, frame).mean(axis=1)
    return float(10 * np.log10(np.mean(power[power > power.max() * 10**-2.5]) + 1e-12))
