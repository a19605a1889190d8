"""Support: the exercises of chapter 02, convolutions.

Those inside its lesson are in `lesson_02`.
"""

from collections.abc import Callable

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from minicodec.exercises.answers_02 import frames_and_brush
from minicodec.exercises.blind import mistaken, order
from minicodec.exercises.exercise import Exercise, Mistake
from minicodec.exercises.lesson_02 import LESSON
from minicodec.exercises.trying import draw
from minicodec.model.conv import Conv1d

# Exercise 3: look-ahead, measured.


def _look_ahead(layer: nn.Module, stride: int, length: int = 40) -> int:
    return max(0, *(_early(layer, stride, length, moment)[1] for moment in range(length)))


def _early(layer: nn.Module, stride: int, length: int, moment: int) -> tuple[int, int]:
    """First output that notices a change at `moment`, and how long before its own end that was."""
    first = _noticed(layer, length, moment)[0]
    return first, moment - (first * stride + stride - 1)


def _noticed(layer: nn.Module, length: int, moment: int) -> list[int]:
    x = torch.zeros(1, 1, length)
    changed = x.clone()
    changed[..., moment] = 1
    with torch.no_grad():
        change = (layer(changed) - layer(x)).abs()[0].amax(0)
    return change.nonzero().flatten().tolist() or [length]


def _two_layers(generator: Generator) -> tuple[nn.Module, nn.Module, int]:
    """One with half of P on each side, one that is causal but for its mirror."""
    stride = draw(generator, 2, 4)
    size = 2 * stride + draw(generator, 0, 3)
    layers = (
        Conv1d(1, 2, size, stride, causal=False),
        Conv1d(1, 2, size, stride, pad_mode="reflect"),
    )
    for layer in layers:  # no tap is 0
        layer.weight = nn.Parameter(0.5 + torch.rand(layer.weight.shape, generator=generator))
    return *layers, stride


def _measured(
    answer: Callable[[nn.Module, int], int], half: nn.Module, mirror: nn.Module, stride: int
) -> dict[str, int]:
    return {"half on each side": answer(half, stride), "reflect": answer(mirror, stride)}


# Exercise 4: painting with F.conv1d alone.


def _painting(x: Tensor, weight: Tensor, stride: int) -> Tensor:
    return F.conv_transpose1d(x, weight, stride=stride)


def _batch_and_brush(generator: Generator) -> tuple[Tensor, Tensor, int]:
    x, weight, stride = frames_and_brush(generator)
    return torch.stack([x, x.flip(1)]), weight, stride


def _paint_by(zeros: int, sides: tuple[int, int], flip: bool = True) -> object:
    """A wrong painting: so many zeros too many between frames and at each end."""

    def wrong(x: Tensor, weight: Tensor, stride: int) -> Tensor:
        spaced = F.pad(x[..., None], (0, stride - 1 + zeros)).flatten(2)
        spaced = spaced[..., : spaced.shape[-1] - (stride - 1 + zeros)]
        edge = weight.shape[2] - 1
        kernel = weight.flip(2) if flip else weight
        padded = F.pad(spaced, (edge + sides[0], edge + sides[1]))
        return F.conv1d(padded, kernel.transpose(0, 1))

    return wrong


KERNELS = ("10 ms", "100 ms", "minus mean")

EXERCISES = (
    *LESSON,
    Exercise(
        "02.padding_on_paper",
        "Give P, the extra zeros and the frames for kernel 5, stride 3, dilation 2, 100 samples.",
        (6, 2, 34),
        (
            Mistake("Its P forgets the dilation: how far do five taps reach?", (2, 2, 34)),
            Mistake("“Kernel minus one” is for stride 1: what is the rest of (3)?", (8, 2, 34)),
            Mistake("That is 100 mod 3, what hangs over; how many are missing?", (6, 1, 34)),
            Mistake(
                "The last window counts too: it is filled with zeros, not dropped.", (6, 2, 33)
            ),
            Mistake("A window of five taps, two apart, spans fewer than ten samples.", (7, 2, 34)),
            Mistake("Nine is the reach of five taps; what does (3) take away from it?", (9, 2, 34)),
            Mistake("The stride does not divide 100: when is the last window full?", (6, 0, 33)),
            Mistake(
                "These are 108 samples by 3; but the first window takes nine of them, not three.",
                (6, 2, 36),
            ),
        ),
        minutes=4,
        kind="paper",
        remark="Every layer of the codec is this sum with other numbers.",
    ),
    Exercise(
        "02.view_on_paper",
        "Give the views, in samples, of the dilated stack alone and behind a stride of 8.",
        (81, 656),
        (
            Mistake("Before any layer, one sample is seen: where does (5) begin?", (80, 655)),
            Mistake("A kernel of 3 adds two neighbours, not three.", (121, 976)),
            Mistake("The strided kernel of 16 sees something itself.", (81, 641)),
            Mistake("Not the whole view grows eightfold: which part of it does?", (81, 648)),
            Mistake(
                "The stack's taps lie 8 samples apart once it runs behind the stride.", (81, 96)
            ),
            Mistake(
                "Not all of the stack's view grows eightfold: what do its further taps add to the "
                "16 samples?",
                (81, 664),
            ),
            Mistake("Not the sum of two views: what is the gap that the stack meets?", (81, 97)),
            Mistake("Those are milliseconds; the question asks for samples.", (3.375, 27.33)),
            Mistake("Each dilation is its own: they are not all 1.", (9, 80)),
        ),
        minutes=5,
        kind="paper",
        remark="81 = 3⁴: dilations that triple leave no gap and overlap nowhere.",
    ),
    Exercise(
        "02.look_ahead",
        "Disturb each sample, and give the most samples that an output sees beyond its own hop.",
        _look_ahead,
        (
            Mistake(
                "It gives 0, and these layers do look ahead: is each sample disturbed in its turn, "
                "and is it the first output that notices, not the last, by which you measure?",
                lambda layer, s: max(
                    0, *(n - _noticed(layer, 40, n)[-1] * s - s + 1 for n in range(40))
                ),
            ),
            Mistake(
                "Only the middle was disturbed: what a mirror does shows at the clip's start.",
                lambda layer, s: max(0, _early(layer, s, 40, 20)[1]),
            ),
            Mistake(
                "Output t ends with sample t s + s − 1: its own hop is no future.",
                lambda layer, s: max(0, *(n - _early(layer, s, 40, n)[0] * s for n in range(40))),
            ),
            Mistake(
                "Outputs come every s samples: count in samples, so where does output t end?",
                lambda layer, s: max(0, *(n - _early(layer, s, 40, n)[0] for n in range(40))),
            ),
            Mistake(
                "Outputs are s samples apart: output t ends with sample t s + s − 1, not with "
                "t + s − 1.",
                lambda layer, s: max(
                    0, *(n - _early(layer, s, 40, n)[0] - s + 1 for n in range(40))
                ),
            ),
        ),
        minutes=10,
        points=2,
        inputs=_two_layers,
        use=_measured,
        remark="So “causal” is nothing to believe: it can be measured, on any layer.",
    ),
    Exercise(
        "02.painting_by_convolution",
        "Paint with F.conv1d alone: zeros between the frames and at both ends, the kernel flipped.",
        _painting,
        (
            Mistake(
                "The strokes come out backwards: a convolution here does not flip its kernel, so "
                "who has to?",
                _paint_by(0, (0, 0), flip=False),
            ),
            Mistake(
                "Too many zeros between frames: if the next stroke begins s later, how many "
                "samples lie in between?",
                _paint_by(1, (0, 0)),
            ),
            Mistake(
                "At each end one zero too many: the first output sees one frame through the "
                "kernel's last tap.",
                _paint_by(0, (1, 1)),
            ),
            Mistake(
                "The zeros at the end are missing: the last frame paints k samples, too.",
                lambda x, w, s: _painting(x, w, s)[..., : 1 - w.shape[2]],
            ),
            Mistake(
                "All of the zeros are on the left; put k − 1 at each end.",
                lambda x, w, s: F.pad(_painting(x, w, s), (w.shape[2] - 1, 0))[
                    ..., : 1 - w.shape[2]
                ],
            ),
            Mistake(
                "Zeros stand between frames; behind the last one there are only the k − 1.",
                lambda x, w, s: F.pad(_painting(x, w, s), (0, s - 1)),
            ),
            Mistake(
                "Each frame is repeated; what stands between two frames is to be zero.",
                lambda x, w, s: sum(
                    F.pad(_painting(x, w, s), (shift, s - 1 - shift)) for shift in range(s)
                ),
            ),
        ),
        minutes=10,
        core=False,
        points=2,
        inputs=_batch_and_brush,
        remark="A transposed convolution is a convolution of a signal full of zeros.",
    ),
    Exercise(
        "02.kernels_by_ear",
        "Tell by ear which of x, y, z went through which kernel.",
        order("02.kernels_by_ear", KERNELS),
        mistaken(
            order("02.kernels_by_ear", KERNELS),
            {
                ("10 ms", "100 ms"): "The two with an echo are swapped: in which can you hear the "
                "echo as a second voice, and in which only as a colour of the first?",
                ("10 ms", "minus mean"): "One of these two has its bass, but sounds as if spoken "
                "into a tube; the other one has none: listen to the vowels again.",
                ("100 ms", "minus mean"): "One of these two says everything twice, and the other "
                "one has no bass: listen to the ends of words.",
            },
            (
                "None is where it belongs: begin with the one that says everything twice.",
                "None is where it belongs: begin with the one that has no bass.",
            ),
        ),
        minutes=5,
        kind="ear",
        remark="Two taps are an echo when they are far apart, and a colour when they are near.",
    ),
)
