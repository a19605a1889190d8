"""Support: right and wrong streams, for the exercises of chapter 04.

A layer's stream is a function of a piece and a state. It is tried on pieces of random sizes;
compared are what comes out and how much is kept.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from minicodec.exercises.limited import Failed
from minicodec.exercises.trying import draw
from minicodec.model.conv import Conv1d, ConvState, ConvTranspose1d, total_padding

Stream = Callable[..., tuple[Tensor, Any]]


def pieces_of(x: Tensor, most: int, generator: Generator) -> list[Tensor]:
    """The last axis cut into pieces of 1 to `most`."""
    sizes: list[int] = []
    while sum(sizes) < x.shape[-1]:
        sizes.append(min(draw(generator, 1, most), x.shape[-1] - sum(sizes)))
    return list(x.split(sizes, dim=-1))


def both(returned: Any) -> tuple[Any, Any]:
    """What a stream gives: an output and a state.

    Raises:
        Failed: if it is anything else.
    """
    if isinstance(returned, tuple) and len(returned) == 2 and isinstance(returned[0], Tensor):
        return returned
    raise Failed("It should give two things: the outputs, a tensor, and the new state.")


def walked(answer: Stream, pieces: Sequence[Tensor], *given: object) -> dict[str, Any]:
    """Outputs of all pieces, one after another, and the sizes of what is kept in between."""
    state, outputs, kept = None, [], []
    for piece in pieces:
        y, state = both(answer(piece, state, *given))
        outputs.append(y)
        kept.append(state.shape[-1] if isinstance(state, Tensor) else -1)
    return {"outputs": torch.cat(outputs, dim=-1), "kept after each piece": kept}


# A convolution.


def conv(
    x: Tensor, past: Tensor | None, weight: Tensor, bias: Tensor | None, stride: int = 1
) -> tuple[Tensor, Tensor]:
    """The package's layer without dilation, with its state as one tensor."""
    return dilated(x, past, weight, bias, stride)


def dilated(
    x: Tensor,
    past: Tensor | None,
    weight: Tensor,
    bias: Tensor | None,
    stride: int = 1,
    dilation: int = 1,
) -> tuple[Tensor, Tensor]:
    """The package's layer, with its state as one tensor."""
    outputs, inputs, size = weight.shape
    with torch.device("meta"):  # its own weights are drawn nowhere
        layer = Conv1d(inputs, outputs, size, stride, dilation)
    layer.weight = nn.Parameter(weight, False)
    layer.bias = nn.Parameter(weight.new_zeros(len(weight)) if bias is None else bias, False)
    y, state = layer.stream(x, None if past is None else ConvState(past, True))
    return y, state.past


def sound_in_pieces(generator: Generator) -> tuple[list[Tensor], Tensor, Tensor, int]:
    """Pieces of a clip, and the arguments of `conv` behind the past."""
    stride = draw(generator, 2, 4)
    x = torch.randn(1, 2, stride * draw(generator, 8, 12), generator=generator)
    # The first piece fills no window, and most of the others end in the middle of one.
    pieces = [x[..., :1], *pieces_of(x[..., 1:], 2 * stride - 1, generator)]
    weight = torch.randn(3, 2, 2 * stride, generator=generator)
    return pieces, weight, torch.randn(3, generator=generator), stride


def dilated_in_pieces(generator: Generator) -> tuple[list[Tensor], Tensor, Tensor, int, int]:
    """The same for `dilated`."""
    return *sound_in_pieces(generator), draw(generator, 2, 3)


def waiting(x: Tensor, windows: int, stride: int, new: int) -> Tensor:
    """What a later window still needs."""
    return x[..., windows * stride :]


def convolving(
    first: Callable[[int, int, int], int] = total_padding,
    keep: Callable[[Tensor, int, int, int], Tensor] = waiting,
    short: bool = True,
) -> Stream:
    """A wrong stream of a convolution.

    Args:
        first: zeros at the beginning, for (k, s, d).
        keep: the new past, of all inputs there are, windows that were full, the stride, and how
            many inputs are new.
        short: whether it knows that a piece may be too short to fill a window.
    """

    def stream(
        x: Tensor, past: Tensor | None, weight: Tensor, bias: Tensor, stride: int, d: int = 1
    ) -> tuple[Tensor, Tensor]:
        size = weight.shape[2]
        if past is None:
            past = x.new_zeros(*x.shape[:2], first(size, stride, d))
        new, x = x.shape[-1], torch.cat([past, x], dim=-1)
        reach = (size - 1) * d + 1
        windows = max(0, (x.shape[-1] - reach) // stride + 1)
        past = keep(x, windows, stride, new)
        if not windows and not short:
            F.conv1d(x, weight, bias, stride, dilation=d)  # raises
        if not windows:
            return x.new_zeros(len(x), len(weight), 0), past
        used = x[..., : reach + (windows - 1) * stride]
        return F.conv1d(used, weight, bias, stride, dilation=d), past

    return stream


def undilated(
    x: Tensor, past: Tensor | None, weight: Tensor, bias: Tensor, stride: int, dilation: int
) -> tuple[Tensor, Tensor]:
    """The right past, but the taps of the convolution side by side."""
    y, kept = dilated(x, past, weight, bias, stride, dilation)
    total = total_padding(weight.shape[2], stride, dilation)
    seen = F.pad(x, (total, 0)) if past is None else torch.cat([past, x], dim=-1)
    if not y.shape[-1]:
        return y, kept
    return F.conv1d(seen, weight, bias, stride)[..., : y.shape[-1]], kept


def forgetful(right: Stream) -> Stream:
    """Each piece as if nothing had been before it."""
    return lambda x, state, *given: right(x, None, *given)


def keeps_all(x: Tensor, past: Tensor | None, weight: Tensor, bias: Tensor, stride: int) -> Any:
    """Right outputs, but the state grows for as long as the call lasts."""
    seen = x if past is None else torch.cat([past, x], dim=-1)
    before = 0 if past is None else conv(past, None, weight, bias, stride)[0].shape[-1]
    return conv(seen, None, weight, bias, stride)[0][..., before:], seen


# A transposed convolution.


def transposed(
    x: Tensor, wet: Tensor | None, weight: Tensor, bias: Tensor, stride: int
) -> tuple[Tensor, Tensor]:
    """The package's transposed layer with these weights."""
    inputs, outputs, size = weight.shape
    with torch.device("meta"):
        layer = ConvTranspose1d(inputs, outputs, size, stride)
    layer.weight = nn.Parameter(weight, False)
    layer.bias = nn.Parameter(bias, False)
    return layer.stream(x, wet)


def frames_in_pieces(generator: Generator) -> tuple[list[Tensor], Tensor, Tensor, int]:
    """Pieces of frames, and the arguments of `transposed` behind the wet paint."""
    stride = draw(generator, 2, 4)
    x = torch.randn(1, 3, 9, generator=generator)
    pieces = [x[..., :2], *pieces_of(x[..., 2:], 3, generator)]
    weight = torch.randn(3, 2, 2 * stride, generator=generator)
    return pieces, weight, torch.randn(2, generator=generator), stride


def painting(
    add: Callable[[Tensor, Tensor], Tensor], bias_on: str = "ready", all_of_it: bool = False
) -> Stream:
    """A wrong stream of strokes.

    Args:
        add: what becomes of the first samples and the wet paint that lies there.
        bias_on: "ready", "painted" or nothing.
        all_of_it: give back the wet paint, too.
    """

    def stream(
        x: Tensor, wet: Tensor | None, weight: Tensor, bias: Tensor, stride: int
    ) -> tuple[Tensor, Tensor]:
        overlap = weight.shape[2] - stride
        if wet is None:
            wet = x.new_zeros(len(x), weight.shape[1], overlap)
        painted = F.conv_transpose1d(x, weight, bias if bias_on == "painted" else None, stride)
        painted = torch.cat([add(painted[..., :overlap], wet), painted[..., overlap:]], dim=-1)
        ready, wet = painted.split([x.shape[-1] * stride, overlap], dim=-1)
        ready = painted if all_of_it else ready
        return ready + (bias[:, None] if bias_on == "ready" else 0), wet

    return stream
