"""Convolutions that keep count of time.

A codec must give back exactly as many samples as it was given. All the care that takes is here: a
strided convolution pads so that `T` samples become `ceil(T / stride)` frames, none lost at the end,
and its transposed twin turns `T'` frames into exactly `T' * stride` samples.

::

    non-causal, kernel 7:   0 0 0 x x x x x x x 0 0 0     half of the padding on each side
    causal, kernel 7:   0 0 0 0 0 0 x x x x x x x         all of it in the past: no look-ahead
    causal, kernel 4, stride 2:  0 0 x x x x x x x 0      and one more zero, to fill the last window

A causal convolution can also take a clip piece by piece, in `stream`. What it remembers in between,
its state, is a plain value that the caller holds, so one layer can serve many clips at once.

Chapters 02 and 04. Paper: section 3.1.
"""

from typing import Literal, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import weight_norm

Norm = Literal["none", "weight_norm", "time_group_norm"]
PadMode = Literal["constant", "reflect"]

#: What a convolution says that cannot stream.
NOT_CAUSAL = "this convolution waits for the future: only a causal one can stream."


def total_padding(kernel_size: int, stride: int = 1, dilation: int = 1) -> int:
    """Padding after which `T` samples give `T / stride` windows, for a `T` that `stride` divides.

    >>> total_padding(kernel_size=7)
    6
    >>> total_padding(kernel_size=4, stride=2)
    2
    """
    return (kernel_size - 1) * dilation + 1 - stride


def extra_padding(length: int, stride: int) -> int:
    """Zeros to append so that the last window is full and no sample is dropped.

    >>> extra_padding(length=7, stride=2), extra_padding(length=8, stride=2)
    (1, 0)
    """
    return -length % stride


def pad1d(x: Tensor, left: int, right: int, mode: PadMode = "constant") -> Tensor:
    """Pad the last axis with zeros, or with the signal's own mirror image.

    A mirror needs more samples than it reflects. As in the official code, a clip too short for it
    is first lengthened with zeros, which are cut off again after the reflection.

    Shape:
        x: [..., T] → [..., left + T + right]

    >>> import torch
    >>> pad1d(torch.tensor([[1.0, 2.0, 3.0]]), 2, 1, mode="reflect")
    tensor([[3., 2., 1., 2., 3., 2.]])
    """
    if not left and not right:
        return x
    if mode == "constant":
        return F.pad(x, (left, right))
    missing = max(0, max(left, right) + 1 - x.shape[-1])
    padded = F.pad(F.pad(x, (0, missing)), (left, right), mode="reflect")
    return padded[..., : padded.shape[-1] - missing]


class ConvState(NamedTuple):
    """What a causal convolution remembers from one piece of a stream to the next."""

    past: Tensor  #: [B, F_in, n], inputs that later outputs still need
    started: bool  #: False while a reflection waits for the samples that it mirrors


class Conv1d(nn.Conv1d):
    """A convolution that pads for itself: `T` samples in, `ceil(T / stride)` frames out.

    Args:
        in_channels, out_channels, kernel_size, stride, dilation: as in `torch.nn.Conv1d`.
        causal: pad on the left only, so that no output depends on a later input.
        norm: "weight_norm" (weights as magnitude times direction), "time_group_norm" (one mean and
            variance over all channels and the whole of time, so never causal) or "none".
        pad_mode: "constant" (zeros) is ours. "reflect" is what the official weights were trained
            with; at the start of a causal clip it mirrors samples that have not arrived yet.

    Shape:
        x: [B, F_in, T] → [B, F_out, ceil(T / stride)]

    Raises:
        ValueError: for "time_group_norm" in a causal convolution.

    >>> import torch
    >>> conv = Conv1d(1, 8, kernel_size=4, stride=2)
    >>> conv(torch.randn(3, 1, 101)).shape
    torch.Size([3, 8, 51])
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        stride: int = 1,
        dilation: int = 1,
        *,
        causal: bool = True,
        norm: Norm = "none",
        pad_mode: PadMode = "constant",
    ):
        super().__init__(in_channels, out_channels, kernel_size, stride, dilation=dilation)
        self.causal = causal
        self.pad_mode: PadMode = pad_mode
        self.norm = _normalize(self, norm, causal)

    def reset_parameters(self) -> None:
        _keep_variance(self, self.in_channels * self.kernel_size[0])

    def forward(self, x: Tensor) -> Tensor:
        stride = self.stride[0]
        total = total_padding(self.kernel_size[0], stride, self.dilation[0])
        extra = extra_padding(x.shape[-1], stride)
        right = 0 if self.causal else total // 2
        x = pad1d(x, total - right, right + extra, self.pad_mode)
        return self.norm(super().forward(x))

    def stream(
        self, x: Tensor, state: ConvState | None = None, last: bool = False
    ) -> tuple[Tensor, ConvState]:
        """Take the next piece of a clip, give back the outputs that are now certain.

        The outputs of all pieces, one after another, are `forward` of the whole clip. With zero
        padding an output comes as soon as its window is full. Reflection at the start mirrors the
        first `total_padding` samples, so nothing comes before one sample more has arrived.

        Args:
            x: of any length, also empty.
            state: what the call before returned; None begins a clip.
            last: this piece ends the clip, so pad and give back what is left.

        Shape:
            x: [B, F_in, T] → [B, F_out, T'], T' = windows that became full

        Raises:
            ValueError: if the convolution is not causal.

        >>> conv = Conv1d(1, 1, kernel_size=4, stride=2)
        >>> y, state = conv.stream(torch.randn(1, 1, 5))
        >>> z, state = conv.stream(torch.randn(1, 1, 2), state, last=True)
        >>> y.shape[-1], z.shape[-1]
        (2, 2)
        """
        if not self.causal:
            raise ValueError(NOT_CAUSAL)
        stride = self.stride[0]
        total = total_padding(self.kernel_size[0], stride, self.dilation[0])
        past, started = state if state is not None else (x[..., :0], False)
        x = torch.cat([past, x], dim=-1)
        if not started and self.pad_mode == "reflect" and x.shape[-1] <= total and not last:
            return x.new_zeros(len(x), self.out_channels, 0), ConvState(x, False)
        left = 0 if started else total
        right = extra_padding(left + x.shape[-1] - total, stride) if last else 0
        x = pad1d(x, left, right, self.pad_mode)
        windows = max(0, (x.shape[-1] - total) // stride)
        past = x[..., windows * stride :]
        if not windows:
            return x.new_zeros(len(x), self.out_channels, 0), ConvState(past, True)
        y = super().forward(x[..., : total + windows * stride])
        return self.norm(y), ConvState(past, True)


class ConvTranspose1d(nn.ConvTranspose1d):
    """The way back: `T'` frames in, exactly `T' * stride` samples out.

    Each frame paints `kernel_size` samples, so the last frames paint beyond the end. What sticks
    out is trimmed: on the right when causal, where it would be the start of a future frame, else
    half on each side.

    Args:
        in_channels, out_channels, kernel_size, stride: as in `torch.nn.ConvTranspose1d`.
        causal, norm: as in `Conv1d`.

    Shape:
        x: [B, F_in, T'] → [B, F_out, T' * stride]

    Raises:
        ValueError: for "time_group_norm" in a causal convolution.

    >>> import torch
    >>> up = ConvTranspose1d(8, 1, kernel_size=4, stride=2)
    >>> up(torch.randn(3, 8, 51)).shape
    torch.Size([3, 1, 102])
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        stride: int = 1,
        *,
        causal: bool = True,
        norm: Norm = "none",
    ):
        super().__init__(in_channels, out_channels, kernel_size, stride)
        self.causal = causal
        self.norm = _normalize(self, norm, causal)

    def reset_parameters(self) -> None:
        # Each output sample is painted by kernel_size / stride frames.
        _keep_variance(self, self.in_channels * self.kernel_size[0] / self.stride[0])

    def forward(self, x: Tensor, output_size: list[int] | None = None) -> Tensor:
        # The norm sees the untrimmed signal: so do the official weights.
        y = self.norm(super().forward(x, output_size))
        total = self.kernel_size[0] - self.stride[0]
        right = total if self.causal else total // 2
        return y[..., total - right : y.shape[-1] - right]

    def stream(self, x: Tensor, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Take the next frames, give back the samples that no later frame will paint over.

        Args:
            x: of any length, also empty.
            state: [B, F_out, kernel_size - stride], what frames before have painted of the samples
                to come; None begins a clip.

        Shape:
            x: [B, F_in, T'] → [B, F_out, T' * stride]

        Raises:
            ValueError: if the convolution is not causal.
        """
        if not self.causal:
            raise ValueError(NOT_CAUSAL)
        stride = self.stride[0]
        overlap = self.kernel_size[0] - stride
        if state is None:
            state = x.new_zeros(len(x), self.out_channels, overlap)
        if not x.shape[-1]:
            return x.new_zeros(len(x), self.out_channels, 0), state
        painted = F.conv_transpose1d(x, self.weight, None, stride)
        painted = painted + F.pad(state, (0, painted.shape[-1] - overlap))
        ready, wet = painted.split([x.shape[-1] * stride, overlap], dim=-1)
        bias = 0 if self.bias is None else self.bias[:, None]
        return self.norm(ready + bias), wet


def _keep_variance(conv: nn.Module, inputs: float) -> None:
    """Draw weights so that outputs are as loud as inputs.

    torch's own start loses a factor √3 in every layer: after the twenty of a codec a millionth of
    the input is left at the output, and learning has to begin by finding it.
    """
    nn.init.normal_(conv.weight, std=inputs**-0.5)  # type: ignore[arg-type]
    nn.init.zeros_(conv.bias)  # type: ignore[arg-type]


def _normalize(conv: nn.Module, norm: Norm, causal: bool) -> nn.Module:
    if norm == "time_group_norm":
        if causal:
            raise ValueError(
                "time_group_norm averages over the whole clip, future included, so it cannot be "
                "causal: use norm='weight_norm' or causal=False."
            )
        return nn.GroupNorm(1, conv.out_channels)  # type: ignore[arg-type]
    if norm == "weight_norm":
        weight_norm(conv)
    elif norm != "none":
        raise ValueError(
            f"norm is 'none', 'weight_norm' or 'time_group_norm', but {norm!r} was given."
        )
    return nn.Identity()
