"""Support: which of three bursts of noise holds a tone? A forced choice, as hearing is measured.

Whoever is asked "do you hear it?" says yes when they wish to; whoever must say *where* cannot. The
place of the tone follows from the width of the notch alone, and stands nowhere in a notebook.
"""

import random
from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

#: Widths of the notch in Hz, and those of them at which every ear hears a tone at 4,000 Hz.
WIDTHS = (0, 200, 400, 800, 1600, 2400)
SURE = (1600, 2400)


def place(width: int) -> int:
    """Which burst holds the tone: 1, 2 or 3."""
    return random.Random(f"{width} Hz").randint(1, 3)


def one_of_three(width: int, bursts: Sequence[Tensor], probe: Tensor, pause: int = 6000) -> Tensor:
    """Three bursts one after another, with the tone in one of them.

    Args:
        width: of the notch, in Hz; it decides which burst gets the tone.
        bursts: three of noise, [T] each.
        probe: the tone, [T].
        pause: samples of silence behind each.

    Raises:
        ValueError: if there are not three bursts as long as the tone.

    >>> one_of_three(400, [torch.zeros(3)] * 3, torch.ones(3), pause=2).shape
    torch.Size([15])
    """
    if len(bursts) != 3 or any(burst.shape != probe.shape for burst in bursts):
        raise ValueError(f"three bursts [{len(probe)}] are needed, each as long as the tone.")
    here = place(width) - 1
    whole = [burst + probe if index == here else burst for index, burst in enumerate(bursts)]
    return torch.cat([F.pad(burst, (0, pause)) for burst in whole])


def judge(answer: Any) -> str:
    """What is wrong with the places that were heard, in a sentence; "" if they convince."""
    if not isinstance(answer, (list, tuple)) or len(answer) != len(WIDTHS):
        return f"Give {len(WIDTHS)} numbers in a tuple, one for each notch, the narrowest first."
    if any(type(heard) is not int or not 0 <= heard <= 3 for heard in answer):
        return "Each is 1, 2 or 3, for the burst that holds the tone, or 0 where you hear none."
    given = dict(zip(WIDTHS, answer))
    if all(given[width] == place(width) - 1 for width in SURE):
        return "The first burst is 1, not 0."
    if all(answer[::-1][WIDTHS.index(width)] == place(width) for width in SURE):
        return "Is that the widest notch first? Begin with the narrowest."
    if not given[SURE[-1]]:
        return (
            "In the widest notch the tone stands far out of the noise: is the volume up, and are "
            "these headphones?"
        )
    if given[SURE[-1]] != place(SURE[-1]):
        return (
            "In the widest notch it is another burst: hear the tone alone, and then loop that "
            "version."
        )
    if given[SURE[0]] != place(SURE[0]):
        return (
            f"You are right at {SURE[1]:,} Hz; at {SURE[0]:,} Hz it is the same whistle, a little "
            "nearer to the noise."
        )
    return ""


def told(answer: Sequence[int]) -> str:
    """From which notch on the tone was heard, beside what others say of it."""
    first = len(WIDTHS)
    while first and answer[first - 1] == place(WIDTHS[first - 1]):
        first -= 1
    return (
        f"You hear it from a notch of {WIDTHS[first]:,} Hz on. An ERB at 4,000 Hz is 456 Hz wide; "
        "our model, which knows only Bark, hears it from 1,600 Hz on."
    )
