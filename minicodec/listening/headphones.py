"""Support: three tones that tell headphones from loudspeakers, after Woods and others (2017).

One of three tones is softer than the others, and the listener says which. One of the loud two has
its right channel turned upside down. In headphones, where each ear has a channel of its own, it is
as loud as the other. From two loudspeakers both channels reach each ear, and cancel: then that tone
is the softest, and the answer is wrong. The same happens where a device adds its channels to one.

K. Woods, M. Siegel, J. Traer and J. McDermott, “Headphone screening to facilitate web-based
auditory experiments”, Attention, Perception & Psychophysics 79, 2017.
"""

import math
from math import comb

import torch
from torch import Tensor

RATE = 24000
PITCH = 200.0  #: Hz: a wave of 1.7 m, so that the way from two loudspeakers hardly differs
SOFTER = 6.0  #: dB
SECONDS, RAMP = 1.0, 0.1
AMPLITUDE = 0.2

TRIALS, PASS = 6, 5
#: Who fails may put headphones on and try once more.
TRIES = 2


def tones() -> dict[str, Tensor]:
    """The three tones, the same on every call.

    Shape:
        each: [2, T], left and right

    >>> {name: tuple(tone.shape) for name, tone in tones().items()}
    {'loud': (2, 24000), 'soft': (2, 24000), 'turned': (2, 24000)}
    """
    time = torch.arange(round(SECONDS * RATE), dtype=torch.float64) / RATE
    # Ramps of a raised cosine: a tone that begins at once clicks, and the click has all pitches.
    edge = torch.minimum(time, SECONDS - time).clamp(0, RAMP) / RAMP
    envelope = 0.5 - 0.5 * torch.cos(math.pi * edge)
    wave = (AMPLITUDE * envelope * torch.sin(2 * math.pi * PITCH * time)).float()
    return {
        "loud": torch.stack([wave, wave]),
        "soft": 10 ** (-SOFTER / 20) * torch.stack([wave, wave]),
        "turned": torch.stack([wave, -wave]),
    }


def chance(tries: int = 1) -> float:
    """How often someone passes who only guesses: one in three is right in each trial.

    Whoever has loudspeakers does not guess but hears the wrong tone as the softest, and passes less
    often than that.

    >>> f"{chance():.3f} in one try, {chance(TRIES):.3f} in two"
    '0.018 in one try, 0.035 in two'
    """
    once = sum(comb(TRIALS, k) * 2 ** (TRIALS - k) for k in range(PASS, TRIALS + 1)) / 3**TRIALS
    return 1 - (1 - once) ** tries
