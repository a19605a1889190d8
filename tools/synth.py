"""Instruments in a few lines of numpy each: the orchestra behind the book's clips.

Every function is one idea of sound synthesis. Time runs along the last axis: mono is [T], stereo
is [2, T]. `sr` is the sample rate in hertz; randomness comes only from the generator `rng` that
the caller passes in, so a seed fixes every sample.
"""

import numpy as np
from scipy.signal import butter, fftconvolve, sosfilt

# ---------------------------------------------------------------------------- tools


def hertz(midi):
    """Pitch of a MIDI note number: f = 440 · 2^((m − 69) / 12).

    >>> float(hertz(57))
    220.0
    """
    return 440.0 * 2.0 ** ((np.asarray(midi) - 69.0) / 12.0)


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


def add(mix, note, start, sr, gain=1.0, pan=0.0):
    """Add `note` [T] into `mix` [2, T'] in place at `start` seconds, with constant-power panning.

    Left and right get cos θ and sin θ, θ = (pan + 1) π / 4, so the power is the same for each pan
    from −1 (left) to 1 (right).
    """
    at = max(0, int(round(start * sr)))
    note = note[: max(0, mix.shape[-1] - at)]
    angle = (pan + 1.0) * np.pi / 4.0
    mix[0, at : at + len(note)] += gain * np.cos(angle) * note
    mix[1, at : at + len(note)] += gain * np.sin(angle) * note


def pink(n, sr, rng):
    """Noise with power 1/f, as rooms and tape have it: white noise shaped by 1/√f, unit RMS."""
    spectrum = np.fft.rfft(rng.standard_normal(n))
    spectrum /= np.sqrt(np.maximum(np.fft.rfftfreq(n, 1 / sr), 20.0))
    spectrum[0] = 0.0
    noise = np.fft.irfft(spectrum, n)
    return noise / np.sqrt(np.mean(noise**2))


# ---------------------------------------------------------------------------- pitched notes


def pluck(freq, duration, sr, rng, bright=3000.0, ring=3.0, spot=0.18, soft=0.3):
    """Karplus–Strong: a burst goes round a delay line one period long, and wears down.

        y[n] = x[n] + g · (h ∗ y)[n − N],   X_k = |sin(π k p)| e^(−k f / bright + i φ_k)

    `h` averages neighbours with weights 1 − `soft` and `soft` (high partials die first, as on a
    string) and interpolates, so that the loop lasts sr / freq samples, fraction included. `g` sets
    `ring`, the seconds to −60 dB. The burst `x` has random phases φ: noise, but with every partial
    in its place, the ones left out that have a node where the string is plucked (`spot`, p). A
    block of N samples needs only the block before, so numpy does a period at a time.
    """
    period = sr / freq - soft
    lag, frac = int(period), period % 1.0
    taps = np.convolve([1 - soft, soft], [1 - frac, frac]) * 10 ** (-3.0 / (freq * ring))
    y = np.zeros(int(duration * sr) + lag + 3)
    k = np.arange(lag // 2 + 1)
    phase = 2j * np.pi * rng.uniform(size=len(k))
    burst = np.fft.irfft(np.abs(np.sin(np.pi * k * spot)) * np.exp(phase - k * freq / bright), lag)
    y[:lag] = 0.4 * burst / np.sqrt(np.mean(burst**2))
    for start in range(lag + 2, len(y), lag):
        stop = min(start + lag, len(y))
        for k, tap in enumerate(taps):
            y[start:stop] += tap * y[start - lag - k : stop - lag - k]
    return fade(y[: int(duration * sr)], sr, 0.0005, 0.06)


def piano(freq, duration, sr, rng, velocity=0.7):
    """A struck string as a sum of partials that are slightly sharp and die one by one.

        f_k = k f √(1 + B k²),   a_k = |sin(π k / 8)| k^−0.9 e^(−k f / c),   1/τ_k = b + d f_k²

    Stiffness `B` stretches the partials; the hammer at 1/8 of the string silences every eighth;
    a harder blow raises the cutoff `c`; the string loses its high partials first (`d`). Two strings
    per note, 0.6 cents apart, make it live.
    """
    t = seconds(duration, sr)
    k = np.arange(1, 1 + int(min(32, 0.42 * sr / freq)))
    partial = k * freq * np.sqrt(1 + 4e-4 * (freq / 262.0) * k**2)
    partial, k = partial[partial < 0.45 * sr], k[partial < 0.45 * sr]
    level = np.abs(np.sin(np.pi * k / 8)) * k**-0.9 * np.exp(-k * freq / (1200 + 4000 * velocity))
    life = 1 / (0.7 * np.sqrt(freq / 262.0) + 0.15 * (partial / 1000.0) ** 2)  # τ, seconds to 1/e
    tone = np.zeros(len(t))
    for f, a, tau in zip(partial, level, life, strict=True):
        envelope = 0.75 * np.exp(-t / tau) + 0.25 * np.exp(-t / (3 * tau))
        for cents in (-0.3, 0.3):
            shift = rng.uniform(0, 0.4 * np.pi)
            tone += a * envelope * np.sin(2 * np.pi * f * 2 ** (cents / 1200) * t + shift)
    hammer = band(rng.standard_normal(len(t)), sr, 150, 2500) * np.exp(-t / 0.008)
    return velocity * fade(tone + 0.25 * hammer, sr, 0.0015, 0.09)


def bell(freq, duration, sr, ring=1.2):
    """A glockenspiel bar: a free metal bar rings at 1 : 2.756 : 5.404 : 8.933, not at 1 : 2 : 3."""
    t = seconds(duration, sr)
    tone = np.zeros(len(t))
    for ratio, a in ((1.0, 1.0), (2.756, 0.55), (5.404, 0.35), (8.933, 0.15)):
        if ratio * freq < 0.45 * sr:
            tone += a * np.exp(-t * ratio**0.7 / ring * 3) * np.sin(2 * np.pi * ratio * freq * t)
    return fade(tone, sr, 0.0004, 0.05)


def sung(pitch, formants, sr):
    """A voice without words: harmonics of a moving pitch, each as loud as the mouth lets it be.

        y = Σ_k A(k f(t), t) / k · sin(2π k ∫f),   A(f) = Σ_j g_j / (1 + ((f − F_j) / 90)²)

    Shape:
        pitch: [T] in hertz; formants: [J, T], the mouth's resonances in hertz → [T].
    """
    phase = 2 * np.pi * np.cumsum(pitch) / sr
    y = np.zeros(len(pitch))
    for k in range(1, int(0.45 * sr / pitch.min())):
        mouth = sum(
            0.6**j / (1 + ((k * pitch - f) / (90 + 30 * j)) ** 2) for j, f in enumerate(formants)
        )
        y += np.where(k * pitch < 0.45 * sr, mouth / np.sqrt(k), 0.0) * np.sin(k * phase)
    return y


# ---------------------------------------------------------------------------- percussion


def drum(low, high, duration, sr, rng, drop=0.03, snap=0.2):
    """A skin: a sine that falls from `high` to `low` hertz as it slackens, then a click."""
    t = seconds(duration, sr)
    phase = 2 * np.pi * (low * t + (high - low) * drop * (1 - np.exp(-t / drop)))
    click = band(rng.standard_normal(len(t)), sr, 1000, 0.4 * sr) * np.exp(-t / 0.003)
    return fade(np.sin(phase) * np.exp(-4.5 * t / duration) + snap * click, sr, 0.0005, 0.02)


def snare(sr, rng, duration=0.28):
    """Two modes of the skin, and noise for the wires below it, which rattles a little longer."""
    t = seconds(duration, sr)
    skin = np.sin(2 * np.pi * 187 * t) + 0.6 * np.sin(2 * np.pi * 331 * t + 0.5)
    wires = band(rng.standard_normal(len(t)), sr, 900, 0.42 * sr, order=1)
    y = 0.8 * skin * np.exp(-t / 0.045) + 0.9 * wires * np.exp(-t / 0.065)
    return fade(y, sr, 0.0005, 0.04)


def hat(sr, rng, ring=0.035):
    """Cymbals have too many modes to count: six clashing square waves and noise, high-passed."""
    t = seconds(8 * ring, sr)
    metal = sum(np.sign(np.sin(2 * np.pi * f * t + 0.5)) for f in (263, 400, 421, 474, 587, 845))
    noise = metal / 3 + rng.standard_normal(len(t))
    return fade(band(noise, sr, low=6000, order=3) * np.exp(-t / ring), sr, 0.0003, 0.02)


def wood(freq, sr, rng, ring=0.012):
    """Claves and castanets: one knock on a small resonator, with a short hiss of contact."""
    t = seconds(10 * ring, sr)
    body = np.sin(2 * np.pi * freq * t) + 0.4 * np.sin(2 * np.pi * 2.31 * freq * t)
    hiss = band(rng.standard_normal(len(t)), sr, 2000, 0.42 * sr) * np.exp(-t / 0.002)
    return fade(body * np.exp(-t / ring) + 0.7 * hiss, sr, 0.0002, 0.02)


def brush(sr, rng, duration=0.3, peak=0.3):
    """Wire brush on a snare: noise that swells to `peak` (a share of its length) and fades away."""
    u = seconds(duration, sr) / duration
    swell = np.where(u < peak, u / peak, np.exp(-5 * (u - peak))) ** 1.5
    return fade(band(rng.standard_normal(len(u)), sr, 1500, 9000, order=1) * swell, sr, 0.001, 0.03)


# ---------------------------------------------------------------------------- space and level


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


def reverb(mix, sr, rng, wet=0.15, decay=1.1):
    """A hall is noise that dies away, −60 dB in `decay` seconds: convolve with one for each ear."""
    t = seconds(decay, sr)
    tail = rng.standard_normal((2, len(t))) * 10 ** (-3.0 * t / decay) * np.minimum(1, t / 0.012)
    tail = band(band(tail, sr, high=4500, order=1), sr, low=180)
    tail /= np.sqrt(np.sum(tail**2, axis=-1, keepdims=True))
    return mix + wet * fftconvolve(mix, tail, axes=-1)[..., : mix.shape[-1]]


def active_level(x, sr):
    """RMS in dBFS over the 50 ms frames that are within 25 dB of the loudest one.

    >>> round(active_level(np.sin(2 * np.pi * 100 * seconds(1.0, 8000)), 8000), 2)
    -3.01
    """
    frame = int(0.05 * sr)
    power = np.mean(np.atleast_2d(x) ** 2, axis=0)
    power = power[: len(power) // frame * frame].reshape(-1, frame).mean(axis=1)
    return float(10 * np.log10(np.mean(power[power > power.max() * 10**-2.5]) + 1e-12))
