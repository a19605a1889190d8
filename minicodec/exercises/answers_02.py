"""Support: right and wrong convolutions, for the exercises of chapter 02."""

from collections.abc import Callable, Sequence

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from minicodec.exercises.trying import draw
from minicodec.model.conv import Conv1d, extra_padding, pad1d, total_padding

Layers = Sequence[tuple[int, int, int]]


# The loop.


def conv1d(x: Tensor, weight: Tensor, bias: Tensor, stride: int = 1, dilation: int = 1) -> Tensor:
    """torch's convolution, of one clip: [F_in, T] → [F_out, windows]."""
    return F.conv1d(x[None], weight, bias, stride=stride, dilation=dilation)[0]


def clip_and_kernel(generator: Generator) -> tuple[Tensor, Tensor, Tensor, int, int]:
    """Random arguments of `conv1d`."""
    f_in, f_out = (draw(generator, 2, 4) for _ in range(2))
    stride = draw(generator, 2, 3)
    dilation = 5 - stride  # never the same
    # (k - 1)(d - 1) >= s: whoever counts windows by k, or as T / s, always counts too many.
    size = draw(generator, 4, 5)
    # The last window ends with the clip: whoever counts one too few loses it.
    length = (size - 1) * dilation + 1 + stride * draw(generator, 5, 9)
    x = torch.randn(f_in, length, generator=generator)
    weight = torch.randn(f_out, f_in, size, generator=generator)
    return x, weight, torch.randn(f_out, generator=generator), stride, dilation


def close_windows(x: Tensor, w: Tensor, b: Tensor, stride: int, dilation: int) -> Tensor:
    """The right number of windows, each one sample after the last."""
    windows = conv1d(x, w, b, stride, dilation).shape[1]
    return conv1d(x, w, b, 1, dilation)[:, :windows]


# Padding.


def padded_conv(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    stride: int = 1,
    dilation: int = 1,
    causal: bool = True,
) -> Tensor:
    """The package's layer with these weights: [B, F_in, T] → [B, F_out, ceil(T / stride)]."""
    outputs, inputs, size = weight.shape
    layer = Conv1d(inputs, outputs, size, stride, dilation, causal=causal)
    layer.weight = nn.Parameter(weight)
    if bias is not None:
        layer.bias = nn.Parameter(bias)
    return layer(x)


def both_ways(answer: Callable[..., Tensor], *given: object) -> dict[str, Tensor]:
    """What an answer gives, causal and not, and for clips of other lengths."""
    x, *others = given
    assert isinstance(x, Tensor)
    found = {f"causal={causal}": answer(x, *others, causal) for causal in (True, False)}
    # The clip ends one sample into a window: without this one the stride divides its length.
    found["T a multiple of s"] = answer(x[..., :-1], *others, True)
    found["T one less than a multiple of s"] = answer(x[..., :-2], *others, True)
    return found


def clip_to_pad(generator: Generator) -> tuple[Tensor, Tensor, Tensor, int, int]:
    """Random arguments of `padded_conv`, without `causal`."""
    # With an even stride and dilation 2, P is odd; and the clip ends one sample into a window.
    stride = 2 * draw(generator, 2, 3)
    x = torch.randn(2, 2, stride * draw(generator, 3, 7) + 1, generator=generator)
    weight = torch.randn(3, 2, draw(generator, stride + 1, 2 * stride), generator=generator)
    return x, weight, torch.randn(3, generator=generator), stride, 2


def padded_by(where: Callable[[int, int, int, int, bool], tuple[int, int]]) -> object:
    """A wrong `my_padded_conv`; `where` tells (left, right) for (k, s, d, samples, causal)."""

    def wrong(
        x: Tensor, weight: Tensor, bias: Tensor, stride: int, dilation: int, causal: bool
    ) -> Tensor:
        sides = where(weight.shape[2], stride, dilation, x.shape[2], causal)
        return F.conv1d(F.pad(x, sides), weight, bias, stride, dilation=dilation)

    return wrong


def mirrored(
    x: Tensor, weight: Tensor, bias: Tensor, stride: int, dilation: int, causal: bool
) -> Tensor:
    """Padded with the clip's mirror image instead of zeros."""
    total = total_padding(weight.shape[2], stride, dilation)
    left, right = sides(total, extra_padding(x.shape[2], stride), causal)
    padded = pad1d(x, left, right, mode="reflect")
    return F.conv1d(padded, weight, bias, stride, dilation=dilation)


def sides(total: int, extra: int, causal: bool) -> tuple[int, int]:
    """Zeros on the left and on the right, for P and what fills the last window."""
    right = 0 if causal else total // 2
    return total - right, right + extra


def undilated(
    x: Tensor, weight: Tensor, bias: Tensor, stride: int, dilation: int, causal: bool
) -> Tensor:
    """Padded as it should be, but the convolution is not told of the dilation."""
    total = total_padding(weight.shape[2], stride, dilation)
    padded = F.pad(x, sides(total, extra_padding(x.shape[2], stride), causal))
    return F.conv1d(padded, weight, bias, stride)


# The receptive field.


def view(layers: Layers) -> tuple[int, int]:
    """View and gap behind layers of (kernel size, stride, dilation)."""
    view, gap = 1, 1
    for kernel_size, stride, dilation in layers:
        view += (kernel_size - 1) * dilation * gap
        gap *= stride
    return view, gap


def some_layers(generator: Generator) -> tuple[list[tuple[int, int, int]]]:
    """Random layers for `view`."""
    return (
        [
            (draw(generator, 3, 7), draw(generator, 2, 4), draw(generator, 2, 3))
            for _ in range(draw(generator, 3, 5))
        ],
    )


def gap_first(layers: Layers) -> tuple[int, int]:
    """The gap grows before the layer's own taps are counted."""
    view, gap = 1, 1
    for kernel_size, stride, dilation in layers:
        gap *= stride
        view += (kernel_size - 1) * dilation * gap
    return view, gap


def added_gap(layers: Layers) -> tuple[int, int]:
    """The gap is added to at a stride, not multiplied."""
    view, gap = 1, 1
    for kernel_size, stride, dilation in layers:
        view += (kernel_size - 1) * dilation * gap
        gap += stride
    return view, gap


def spread_gap(layers: Layers) -> tuple[int, int]:
    """The gap is multiplied by the dilation as well."""
    view, gap = 1, 1
    for kernel_size, stride, dilation in layers:
        view += (kernel_size - 1) * dilation * gap
        gap *= stride * dilation
    return view, gap


# The way back.


def conv_transpose1d(x: Tensor, weight: Tensor, stride: int) -> Tensor:
    """torch's transposed convolution, of one clip: [F_in, T'] → [F_out, (T' - 1) s + k]."""
    return F.conv_transpose1d(x[None], weight, stride=stride)[0]


def frames_and_brush(generator: Generator) -> tuple[Tensor, Tensor, int]:
    """Random arguments of `conv_transpose1d`."""
    stride = draw(generator, 2, 4)
    x = torch.randn(3, draw(generator, 4, 9), generator=generator)
    return x, torch.randn(3, 2, 2 * stride, generator=generator), stride


def painted_over(x: Tensor, weight: Tensor, stride: int) -> Tensor:
    """A later stroke wipes out what lies under it."""
    y = conv_transpose1d(x, weight, stride)
    for t in range(x.shape[1]):
        y[:, t * stride : t * stride + weight.shape[2]] = torch.einsum("cok,c->ok", weight, x[:, t])
    return y


def side_by_side(x: Tensor, weight: Tensor, stride: int) -> Tensor:
    """The strokes lie one sample apart."""
    return conv_transpose1d(x, weight, 1)


# Weight norm.


def weight_norm(v: Tensor, a: Tensor) -> Tensor:
    """Direction of v, magnitude a, for each entry of the first axis."""
    return a * F.normalize(v.flatten(1), dim=1).view_as(v)


def directions(generator: Generator) -> tuple[Tensor, Tensor]:
    """Random v and a of `weight_norm`."""
    v = torch.randn(draw(generator, 3, 5), 4, 3, generator=generator)
    return v, 1 + torch.rand(len(v), 1, 1, generator=generator)
