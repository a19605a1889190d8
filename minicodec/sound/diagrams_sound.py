"""Support: diagrams of hearing and of losses, for chapters 01b, 07 and 08. `diagrams` has them."""

import math
from collections.abc import Callable

import numpy as np

from minicodec.sound.drawing import (
    AMBER,
    BLUE,
    GREEN,
    VERMILLION,
    Diagram,
    Drawing,
    Point,
)

#: A narrow band of loud noise, a tone that it hides, and one that is as loud but far enough away:
#: Hz and dB SPL.
MASKER, HIDDEN, HEARD = (1000.0, 70.0), (1500.0, 36.0), (6000.0, 36.0)
HIDES = 5.5  #: dB: noise hides a tone of its own pitch that is this much weaker


def hearing_threshold(hz: float) -> float:
    """The quietest tone that a young ear hears in silence, in dB SPL, as Terhardt fitted it.

    >>> round(hearing_threshold(1000), 1), round(hearing_threshold(100), 1)
    (3.4, 23.0)
    """
    khz = hz / 1000
    return 3.64 * khz**-0.8 - 6.5 * math.exp(-0.6 * (khz - 3.3) ** 2) + 1e-3 * khz**4


def bark(hz: float) -> float:
    """Critical bands below a frequency, by Traunmüller's formula."""
    return 26.81 * hz / (1960 + hz) - 0.53


def masked_threshold(hz: float) -> float:
    """The quietest tone that is heard beside `MASKER`, with Schroeder's curve of spread."""
    distance = bark(hz) - bark(MASKER[0]) + 0.474
    spread = 15.81 + 7.5 * distance - 17.5 * math.sqrt(1 + distance**2)
    return MASKER[1] - HIDES + spread


def masking() -> Diagram:
    """The threshold of hearing, what a loud noise does to it, and a quiet tone that vanishes."""
    drawing = Drawing(
        "Masking",
        "Level in dB over frequency from 50 Hz to 16 kHz. A curve shows the quietest tone heard in "
        f"silence, lowest near 3 kHz. A narrow band of noise at {MASKER[0]:.0f} Hz, of "
        f"{MASKER[1]:.0f} dB, lifts it like a tent, steep to the left, less so to the right. A "
        f"tone of {HIDDEN[0]:.0f} Hz and {HIDDEN[1]:.0f} dB lies under the tent and is not heard; "
        f"one of {HEARD[0]:.0f} Hz, as loud, lies outside and is.",
        height=242,
    )

    def at(hz: float, level: float) -> Point:
        return 40 + 312 * math.log(hz / 50) / math.log(16000 / 50), 190 - 2.15 * (level + 5)

    hz = [50 * (16000 / 50) ** (i / 160) for i in range(161)]
    tent = [at(f, masked_threshold(f)) for f in hz if masked_threshold(f) > hearing_threshold(f)]
    low = [at(f, hearing_threshold(f)) for f in hz if masked_threshold(f) > hearing_threshold(f)]
    drawing.polygon(tent + low[::-1], color=AMBER, opacity=0.4)
    drawing.line(*tent, color=VERMILLION, width=2)
    drawing.line(*[at(f, hearing_threshold(f)) for f in hz if hearing_threshold(f) < 78], width=2)
    drawing.line(at(50, 78), at(50, -5), at(16000, -5), opacity=0.5)
    for level in (0, 20, 40, 60):
        drawing.text(34, at(50, level)[1], str(level), anchor="end", size=12)
    drawing.text(46, 9, "dB SPL", anchor="start", size=12)
    for tick, said in ((100, "100 Hz"), (1000, "1 kHz"), (10000, "10 kHz")):
        drawing.line(at(tick, -5), at(tick, -7), opacity=0.5)
        drawing.text(at(tick, 0)[0], 204, said, size=12)
    edges = [at(f, MASKER[1])[0] for f in (920, 1080)]  # one Bark
    drawing.rect(edges[0], at(1000, MASKER[1])[1], edges[1] - edges[0],
                 2.15 * (MASKER[1] + 5), VERMILLION)  # fmt: skip
    for (f, loud), color in ((HIDDEN, BLUE), (HEARD, GREEN)):
        drawing.line(at(f, -5), at(f, loud), color=color, width=3)
        drawing.dot(*at(f, loud), 5, color=color)
    drawing.text(at(*MASKER)[0], at(*MASKER)[1] - 14, "loud noise", size=12)
    for line, level in (("threshold beside", 63), ("the loud noise", 56)):
        drawing.text(at(1700, 0)[0], at(50, level)[1], line, size=12, anchor="start")
    for line, level in (("threshold", 49), ("in silence", 42)):
        drawing.text(at(80, 0)[0], at(50, level)[1], line, size=12, anchor="start")
    for x, color, said in (
        (12, BLUE, "hidden by the noise"),
        (170, GREEN, "as loud, and heard"),
    ):
        drawing.dot(x, 228, 5, color=color)
        drawing.text(x + 12, 228, said, anchor="start", size=12)
    return drawing.finished()


def mel_scales() -> Diagram:
    """A click and a tone in the tiles of four windows: short ones place it, long ones tune it."""
    rate, seconds, top = 24000, 4096 / 24000, 1500.0
    click, tone = 0.06, 900.0
    windows = (32, 128, 512, 2048)
    drawing = Drawing(
        "Windows of a multi-scale spectrum",
        "A click and a tone seen with windows of 32, 128, 512 and 2048 samples, over "
        f"{1000 * seconds:.0f} ms and {top:.0f} Hz. A tile is W samples long and rate / W high, so "
        "all have one area. The short window places the click within "
        f"{1000 * windows[0] / rate:.1f} ms and the tone within {rate / windows[0]:.0f} Hz; the "
        f"long one the click within {1000 * windows[-1] / rate:.0f} ms and the tone within "
        f"{rate / windows[-1]:.0f} Hz.",
        height=352,
    )
    wide, high = 164.0, 110.0
    for index, window in enumerate(windows):
        x, y = 10 + 176 * (index % 2), 22 + 160 * (index // 2)
        long, tall = window / rate, rate / window
        first, lowest = int(click / long) * long, int(tone / tall) * tall
        tile_w, tile_h = wide * long / seconds, high * tall / top
        drawing.rect(x, y + high * (1 - min(lowest + tall, top) / top), wide,
                     max(1.2, min(tile_h, high)), AMBER)  # fmt: skip
        drawing.rect(x + wide * first / seconds, y, max(1.2, tile_w), high, BLUE)
        drawing.box(x, y, wide, high, round_by=0, opacity=0.5)
        drawing.text(x + wide / 2, y - 11, f"*W* = {window}", bold=True)
        said = f"{1000 * long:.3g} ms × {tall:.3g} Hz"
        drawing.text(x + wide / 2, y + high + 12, said, size=12)
    drawing.rect(10, 332, 12, 12, BLUE)
    drawing.text(28, 338, "a click", anchor="start", size=12)
    drawing.rect(92, 332, 12, 12, AMBER)
    drawing.text(110, 338, f"a tone; each panel {1000 * seconds:.0f} ms × {top:.0f} Hz",
                 anchor="start", size=12)  # fmt: skip
    return drawing.finished()


def uncertainty() -> Diagram:
    """Several plausible answers, and their mean, which is none of them."""
    answers = plausible_answers()
    mean = answers.mean(axis=0)
    loudness: Callable[[np.ndarray], float] = lambda wave: float(np.sqrt((wave**2).mean()))  # noqa: E731
    drawing = Drawing(
        "Many answers, and their mean",
        f"{len(answers)} hisses that fit the same codes, each with RMS {loudness(answers[0]):.2f}. "
        f"Their mean, which has the least squared error to all of them, has RMS "
        f"{loudness(mean):.2f}: it is quieter than each of them, and like none.",
        height=304,
    )
    drawing.text(6, 10, "plausible: any of these hisses", anchor="start", bold=True)
    for row, wave in enumerate([*answers, mean]):
        last = row == len(answers)
        y = 42 + 42 * row + (32 if last else 0)
        points = [(6 + 258 * i / (len(wave) - 1), y - 7 * v) for i, v in enumerate(wave)]
        drawing.line((6, y), (264, y), opacity=0.3, width=1)
        drawing.line(*points, color=VERMILLION if last else BLUE, width=1.5)
        drawing.text(272, y, f"RMS {loudness(wave):.2f}", anchor="start")
    drawing.text(6, 42 + 42 * len(answers) - 4, "their mean: the safest answer, and no hiss",
                 anchor="start", bold=True)  # fmt: skip
    return drawing.finished()


def plausible_answers(count: int = 5, length: int = 120) -> np.ndarray:
    """Waves of equal loudness with the same spectrum, each with phases of its own.

    Shape:
        → [count, length]
    """
    phase = np.random.default_rng(1).uniform(0, 2 * np.pi, (count, 12, 1))
    pitch = np.arange(18, 30)[:, None]
    waves = np.sin(2 * np.pi * pitch * np.arange(length) / length + phase).sum(1)
    return waves / np.sqrt((waves**2).mean(1, keepdims=True))
