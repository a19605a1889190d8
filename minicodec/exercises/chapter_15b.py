"""Support: the exercises of chapter 15b, a laboratory of bugs.

Those inside its lesson are in `lesson_15b`.
"""

import copy
from collections.abc import Callable
from types import FunctionType
from typing import Any

import torch
from torch import Generator, Tensor

from minicodec.exercises import answers_15b_packers as packers
from minicodec.exercises.blind import mistaken, order
from minicodec.exercises.exercise import Exercise, Mistake
from minicodec.exercises.lesson_15b import LESSON
from minicodec.exercises.trying import draw

#: Bugs that one can hear.
BUGS = ("dead vectors", "no memory", "lost bytes")
_HEARD = order("15b.which_bug", BUGS)

Filtered = tuple[list[float], list[float]]


def blocked(piece: list[float], state: list[float] | None = None) -> Filtered:
    """A piece without its mean, and what the next piece needs: y[t] = x[t] − x[t−1] + 0.99 y[t−1].

    >>> blocked([1.0, 1.0])[0]
    [1.0, 0.99]
    """
    x, y = state or (0.0, 0.0)
    out = []
    for sample in piece:
        x, y = sample, sample - x + 0.99 * y
        out.append(y)
    return out, [x, y]


def sick_filter(
    fresh: bool = False, new: bool = False, keep: bool = True
) -> Callable[..., Filtered]:
    """The filter as it is given, whose state is a default made once; or one half mended.

    Args:
        fresh: a new state for each stream.
        new: a new state for each call, and the old one is left alone.
        keep: give the new state back, not the old one.
    """

    def run(piece: list[float], state: list[float] | None = None) -> Filtered:
        state = [0.0, 0.0] if state is None else state
        old, state = list(state), list(state) if new else state
        out = []
        for sample in piece:
            y = sample - state[0] + 0.99 * state[1]
            state[:] = [sample, y]
            out.append(y)
        return out, state if keep else old

    if not fresh:
        run.__defaults__ = ([0.0, 0.0],)  # as `state=[0.0, 0.0]` does it
    return run


def untouched(function: Any) -> Any:
    """The same function with its defaults as they were made, whatever later calls do to them."""
    if not isinstance(function, FunctionType):
        return function
    copied = FunctionType(
        function.__code__, function.__globals__, closure=function.__closure__,
        argdefs=copy.deepcopy(function.__defaults__),
    )  # fmt: skip
    copied.__kwdefaults__ = copy.deepcopy(function.__kwdefaults__)
    return copied


def two_streams(generator: Generator) -> tuple[list[float], list[float]]:
    """Two sounds of eight samples that have a mean."""
    a, b = (2 + torch.rand(2, 8, generator=generator)).tolist()
    return a, b


def as_streams(answer: Callable[..., Filtered], a: list[float], b: list[float]) -> dict[str, Any]:
    """A stream in two pieces, one of its pieces again from a kept state, and another stream."""
    answer = untouched(answer)
    first, state = answer(a[:3])
    second, _ = answer(a[3:], state)
    again, _ = answer(a[3:], state)
    return {
        "two pieces": list(first) + list(second),
        "the second again": list(again),
        "another stream": list(answer(b)[0]),
    }


def batch_snr(estimate: Tensor, reference: Tensor) -> float:
    """Mean SNR of a batch in dB; sounds are [B, T] or [B, 1, T], each compared with its own.

    Raises:
        ValueError: if these are other numbers of sounds, or other lengths.
    """
    return snr_with()(estimate, reference)


def snr_with(
    alike: Callable[[Tensor], Tensor] = lambda x: x.reshape(len(x), x.shape[-1]),
    compare: bool = True,
    of_powers: bool = False,
    cut: bool = False,
    error: type[Exception] = ValueError,
) -> Callable[[Tensor, Tensor], float]:
    """The same with a mistake: shapes left as they are or not compared, another mean or error."""

    def snr(estimate: Tensor, reference: Tensor) -> float:
        estimate, reference = alike(estimate), alike(reference)
        if cut:
            shorter = min(estimate.shape[-1], reference.shape[-1])
            estimate, reference = estimate[..., :shorter], reference[..., :shorter]
        if compare and estimate.shape != reference.shape:
            raise error(f"{list(estimate.shape)} cannot be compared with its original.")
        noise = (estimate - reference).square().sum(-1)
        signal = reference.square().sum(-1)
        if of_powers:
            return float(10 * torch.log10((signal / noise).mean()))
        return float((10 * torch.log10(signal / noise)).mean())

    return snr


def two_batches(generator: Generator) -> tuple[Tensor, Tensor]:
    """Sounds [B, T], of which each has its own loudness, and a copy with little noise."""
    size = draw(generator, 3, 6)
    gain = torch.linspace(0.2, 2, size)[:, None]
    clean = gain * torch.randn(size, 40, generator=generator)
    return clean + 0.1 * torch.randn(size, 40, generator=generator), clean


def as_batches(answer: Callable[..., Any], estimate: Tensor, reference: Tensor) -> dict[str, Any]:
    """What it says of both shapes, of both at once, and of batches that do not fit together."""
    pairs = {
        "[B, T] and [B, T]": (estimate, reference),
        "[B, 1, T] and [B, 1, T]": (estimate[:, None], reference[:, None]),
        "[B, T] and [B, 1, T]": (estimate, reference[:, None]),
        "[1, T] and [B, T]": (estimate[:1], reference),
        "[B, T − 3] and [B, T]": (estimate[..., :-3], reference),
    }
    found = {}
    for name, pair in pairs.items():
        try:
            found[name] = answer(*pair)
        except (ValueError, AssertionError) as error:
            found[name] = type(error).__name__
        except RuntimeError:  # of torch, which cannot take one from the other
            if pair[0].shape[-1] == pair[1].shape[-1]:
                raise
            found[name] = "ValueError"
    for name in list(pairs)[3:]:
        if not isinstance(found[name], str):
            found[name] = "a number comes out"
    return found


EXERCISES = (
    *LESSON,
    Exercise(
        "15b.predict",
        "Predict two numbers: the milliseconds that the first latent waits for, and the bytes that "
        "the official loop gives for 100.",
        (200, 56),
        (
            Mistake(
                "The time is the mirror's share alone; the first frame itself has to come, too.",
                (160, 56),
            ),
            Mistake(
                "The time is that of as many frames as the kernel is long plus one: how many "
                "frames does a mirror before frame 0 need?",
                (240, 56),
            ),
            Mistake("The time is one frame's, as if zeros stood before it.", (40, 56)),
            Mistake("The time is in seconds.", (0.2, 56)),
            Mistake("The time is in samples.", (3200, 56)),
            Mistake("The time is counted at 24 kHz; this codec has 16 kHz.", (3200 / 24, 56)),
            Mistake("The time is that of a last kernel of 7; this one has 5.", (280, 56)),
            Mistake("The bytes are a half; they come in pieces of 8.", (200, 50)),
            Mistake(
                "With that many bytes there are more still wanted than have come, so it goes on.",
                (200, 48),
            ),
            Mistake("The loop would have to be right for that many bytes.", (200, 100)),
        ),
        minutes=6,
        kind="paper",
    ),
    Exercise(
        "15b.filter",
        "Mend the filter: two streams are strangers to each other, and a state that was kept can "
        "be gone on from again.",
        blocked,
        (
            Mistake(
                "The second stream begins with what the first has left: when is a default made?",
                sick_filter(),
            ),
            Mistake(
                "Each stream has a state of its own, but it is changed in place: who has kept it "
                "cannot go on from it again.",
                sick_filter(fresh=True),
            ),
            Mistake(
                "The next piece begins as if this one had not been: is the state used that comes, "
                "and the new one given back?",
                sick_filter(fresh=True, new=True, keep=False),
            ),
            Mistake(
                "It gives the sound alone; the next piece needs the state, too.",
                lambda piece, state=None: blocked(piece, state)[0],
            ),
            Mistake(
                "The state holds two numbers; one of them is lost between pieces.",
                lambda piece, state=None: (
                    blocked(piece, state)[0],
                    [0.0, blocked(piece, state)[1][1]],
                ),
            ),
        ),
        minutes=8,
        points=2,
        inputs=two_streams,
        use=as_streams,
        remark="That is why states in this package are values which the caller holds.",
    ),
    Exercise(
        "15b.batch_snr",
        "Mend the mean SNR: each sound is compared with its own original, whether [B, T] or "
        "[B, 1, T], and what does not fit together raises ValueError.",
        batch_snr,
        (
            Mistake(
                "Of [B, T] and [B, 1, T] everyone is compared with everyone: the difference is "
                "[B, B, T].",
                snr_with(alike=lambda x: x, compare=False),
            ),
            Mistake(
                "One sound is compared with all of a batch, and nobody is told.",
                snr_with(compare=False),
            ),
            Mistake(
                "Both shapes are allowed, also of one and the other: here one of them is refused.",
                snr_with(alike=lambda x: x),
            ),
            Mistake(
                "Where lengths differ, the longer one is cut, and nobody is told.",
                snr_with(cut=True),
            ),
            Mistake(
                "It fails by `assert`, which `python -O` leaves out; raise ValueError.",
                snr_with(error=AssertionError),
            ),
            Mistake(
                "It is the mean of the ratios in dB that is asked for, not the dB of their mean.",
                snr_with(of_powers=True),
            ),
            Mistake(
                "The batch is one long sound here; give the mean of the sounds' dB.",
                lambda estimate, reference: snr_with(alike=lambda x: x.reshape(1, -1))(
                    estimate, reference
                ),
            ),
        ),
        minutes=8,
        points=2,
        inputs=two_batches,
        use=as_batches,
        remark="A line that compares shapes costs nothing and would have found it on the first "
        "day.",
    ),
    Exercise(
        "15b.which_bug",
        "Listen to x, y and z, and say for each what is wrong: 'dead vectors', 'no memory' or "
        "'lost bytes'.",
        _HEARD,
        mistaken(
            _HEARD,
            {
                ("dead vectors", "no memory"): "Two have changed places: in which does something "
                "happen at equal times?",
                ("no memory", "lost bytes"): "Two have changed places: in which is the beginning "
                "without fault?",
                ("dead vectors", "lost bytes"): "Two have changed places: in which is the end as "
                "good as the beginning?",
            },
            (
                "None is right: begin with the one whose fault begins late.",
                "None is right: begin with the one in which something happens at equal times.",
            ),
        ),
        minutes=5,
        kind="ear",
        remark="Each bug has a sound of its own, and the sound says where to look.",
    ),
    Exercise(
        "15b.test_packer",
        "Write a test for pack(numbers, bits) and unpack(data, bits, count) that every right pair "
        "passes and every wrong one fails.",
        packers.packer_test(),
        (
            Mistake(packers.CUT, packers.packer_test(widths=(8, 16))),
            Mistake(packers.ZEROS, lambda pack, unpack: None),
            Mistake(packers.TOP, packers.packer_test(largest=lambda width: (1 << (width - 1)) - 1)),
            Mistake(packers.LARGEST, packers.packer_test(largest=lambda width: (1 << width) - 2)),
            Mistake(packers.WIDTH, packers.packer_test(widths=(1, 3, 8, 10))),
            Mistake(packers.GHOSTS, packers.packer_test(begins=True)),
            Mistake(packers.STRICT_PACKER, packers.packer_test(first_bytes=True)),
        ),
        minutes=10,
        core=False,
        points=2,
        inputs=lambda generator: (draw(generator, 0, 9),),
        judge=packers.judge_packer,
        remark="A test of what comes back says nothing on how it is stored, and need not.",
    ),
)
