"""Support: right and wrong networks, for the exercises of chapter 03.

A module is tried with the weights of the right one: `with_weights`.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Generator, Tensor, nn

from minicodec.exercises.limited import Failed
from minicodec.exercises.trying import draw
from minicodec.model.config import CodecConfig
from minicodec.model.conv import Conv1d
from minicodec.model.seanet import Decoder, Encoder, ResidualBlock, SkipLSTM

Build = Callable[..., nn.Module]
Stack = Callable[..., nn.Sequential]


def with_weights(mine: nn.Module, right: nn.Module, x: Tensor) -> Tensor:
    """What a module makes of `x` with the weights of the right one.

    Raises:
        Failed: if its layers are others, or its weights have other names or shapes.
    """
    if not isinstance(mine, nn.Module):
        raise Failed(f"Expected an nn.Module, got {type(mine).__name__}.")
    if isinstance(right, nn.Sequential):
        _same_layers(mine, right)
    ours, theirs = mine.state_dict(), right.state_dict()
    for name, value in theirs.items():
        if name not in ours:
            there = ", ".join(ours)[:120] or "nothing"
            raise Failed(f"There is no {name!r}: a layer missing, or elsewhere? There is {there}.")
        if ours[name].shape != value.shape:
            shapes = f"{list(ours[name].shape)}; expected {list(value.shape)}"
            raise Failed(f"The shape of {name!r} is {shapes}: kernel, width, order?")
    if more := [name for name in ours if name not in theirs]:
        raise Failed(f"There should be no {more[0]!r}: is there a layer too many?")
    mine.load_state_dict(theirs)
    with torch.no_grad():
        return mine(x)


def _made(answer: Build, *size: Any) -> nn.Module:
    if isinstance(answer, nn.Module):
        raise Failed("That is a network already: give what makes it, without calling it.")
    return answer(*size)


def _same_layers(mine: nn.Module, right: nn.Sequential) -> None:
    if not isinstance(mine, nn.Sequential):
        raise Failed(f"Expected an nn.Sequential, got {type(mine).__name__}.")
    for index, (ours, theirs) in enumerate(zip(mine, right)):
        if type(ours) is not type(theirs):
            raise Failed(
                f"Layer {index} is of type {type(ours).__name__}; something else belongs there."
            )
    if len(mine) != len(right):
        raise Failed(f"It has {len(mine)} layers; expected {len(right)}.")


def drawn(module: nn.Module, generator: Generator) -> nn.Module:
    """The module with weights and biases that come from the generator."""
    for values in module.parameters():
        size = values[0].numel() if values.dim() > 1 else values.numel()
        values.data = torch.randn(values.shape, generator=generator) * size**-0.5
    return module


# The residual block.


def block_and_sound(generator: Generator) -> tuple[nn.Module, Tensor]:
    """A residual block of the package, and an input."""
    return drawn(ResidualBlock(6), generator), torch.randn(2, 6, 30, generator=generator)


def tried_block(answer: Build, right: nn.Module, x: Tensor) -> Tensor:
    """A module made for the input's channels, with the right one's weights."""
    return with_weights(_made(answer, x.shape[1]), right, x)


def block(layers: Callable[[int], list[nn.Module]], shortcut: int = 1) -> Build:
    """A residual block with other layers, or another kernel in its shortcut."""

    def build(channels: int) -> nn.Module:
        block = ResidualBlock(channels)
        block.block = nn.Sequential(*layers(channels))
        block.shortcut = Conv1d(channels, channels, shortcut)
        return block

    return build


def usual(f: int, which: Sequence[int] = range(4)) -> list[nn.Module]:
    """Layers of a right block."""
    layers = nn.ELU(), Conv1d(f, f // 2, 3), nn.ELU(), Conv1d(f // 2, f, 1)
    return [layers[i] for i in which]


# The LSTM.


def lstm(
    x: Tensor, weight_ih: Tensor, weight_hh: Tensor, bias_ih: Tensor, bias_hh: Tensor
) -> Tensor:
    """torch's LSTM with these weights: [T', B, F] → outputs [T', B, F]."""
    lstm = nn.LSTM(x.shape[2], x.shape[2])
    given = (weight_ih, weight_hh, bias_ih, bias_hh)
    lstm.load_state_dict(dict(zip((name for name, _ in lstm.named_parameters()), given)))
    return lstm(x)[0].detach()


def frames_and_matrices(generator: Generator) -> tuple[Tensor, ...]:
    """Random arguments of `lstm`."""
    f = draw(generator, 3, 6)
    shapes = ((12, 2, f), (4 * f, f), (4 * f, f), (4 * f,), (4 * f,))
    return tuple(torch.randn(shape, generator=generator) for shape in shapes)


def step(i: Tensor, f: Tensor, g: Tensor, o: Tensor, cell: Tensor) -> tuple[Tensor, Tensor]:
    """From the four vectors and the cell to the new cell and the output, equation (2)."""
    cell = f.sigmoid() * cell + i.sigmoid() * g.tanh()
    return cell, o.sigmoid() * cell.tanh()


def walk(step: Callable[..., tuple[Tensor, Tensor]], feedback: float = 1.0) -> Any:
    """An LSTM that takes another step; `step` gets the four vectors in torch's order, and cell."""

    def lstm(x: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor, b_hh: Tensor) -> Tensor:
        cell = output = torch.zeros_like(x[0])
        outputs = []
        for frame in x:
            four = frame @ w_ih.T + b_ih + feedback * output @ w_hh.T + b_hh
            cell, output = step(*four.chunk(4, dim=1), cell)
            outputs.append(output)
        return torch.stack(outputs)

    return lstm


# The LSTM with its skip.


def memory_and_latents(generator: Generator) -> tuple[nn.Module, Tensor]:
    """The package's LSTM with its skip, and an input."""
    return drawn(SkipLSTM(5), generator), torch.randn(3, 5, 8, generator=generator)


def forward(forward: Callable[[Any, Tensor], Tensor]) -> Build:
    """A `SkipLSTM` with another `forward`."""
    return type("Wrong", (SkipLSTM,), {"forward": forward})


def walk_over_the_batch(self: Any, x: Tensor) -> Tensor:
    """Time and batch have changed places."""
    x = x.permute(0, 2, 1)
    return (x + self.lstm(x)[0]).permute(0, 2, 1)


def overwritten(self: Any, x: Tensor) -> Tensor:
    """The output is added to itself, for the input's name was used again."""
    return 2 * self.lstm(x.permute(2, 0, 1))[0].permute(1, 2, 0)


# Encoder and decoder.


def encoder(
    channels: int = 1,
    dimension: int = 128,
    n_filters: int = 32,
    strides: tuple[int, ...] = (2, 4, 5, 8),
) -> nn.Sequential:
    """The package's encoder without weight norm, as a stack of layers."""
    return Encoder(config(channels, dimension, n_filters, strides)).layers


def decoder(
    channels: int = 1,
    dimension: int = 128,
    n_filters: int = 32,
    strides: tuple[int, ...] = (2, 4, 5, 8),
) -> nn.Sequential:
    """The package's decoder without weight norm, as a stack of layers."""
    return Decoder(config(channels, dimension, n_filters, strides)).layers


def config(channels: int, dimension: int, n_filters: int, strides: tuple[int, ...]) -> CodecConfig:
    """Of a codec without weight norm."""
    return CodecConfig(
        channels=channels, dimension=dimension, n_filters=n_filters, strides=strides, norm="none"
    )


SMALL = (1, 5, 2, (2, 4, 5, 8))  # channels, dimension, filters, strides


def encoder_and_sound(generator: Generator) -> tuple[nn.Module, Tensor]:
    """A small encoder, and a clip."""
    return drawn(encoder(*SMALL), generator), torch.randn(1, 1, 1000, generator=generator)


def decoder_and_latents(generator: Generator) -> tuple[nn.Module, Tensor]:
    """A small decoder, and latents."""
    return drawn(decoder(*SMALL), generator), torch.randn(1, 5, 4, generator=generator)


def tried_small(answer: Build, right: nn.Module, x: Tensor) -> Tensor:
    """A small network of the answer's, with the right one's weights."""
    return with_weights(_made(answer, *SMALL), right, x)


def changed(right: Stack, change: Callable[[list[Any]], list[Any]]) -> Stack:
    """The right network with its list of layers changed."""
    return lambda *size: nn.Sequential(*change(list(right(*size))))


def in_order(right: Stack) -> Stack:
    """A network whose strides are turned round."""
    return lambda channels, dimension, n_filters, strides: right(
        channels, dimension, n_filters, strides[::-1]
    )


def kernels_of(stretch: int, layers: list[Any]) -> list[Any]:
    """Strided layers with kernel `stretch` · s."""
    for i, layer in enumerate(layers):
        if (stride := getattr(layer, "stride", (1,))[0]) > 1:
            size = (layer.in_channels, layer.out_channels, stretch * stride, stride)
            layers[i] = type(layer)(*size)
    return layers


def down_first(layers: list[Any]) -> list[Any]:
    """In each stage the strided layer, then the residual block."""
    for i in range(1, 13, 3):
        block, elu, down = layers[i : i + 3]
        layers[i : i + 3] = [elu, down, ResidualBlock(down.out_channels)]
    return layers


def block_first(layers: list[Any]) -> list[Any]:
    """In each stage the residual block, then the transposed layer."""
    for i in range(2, 14, 3):
        elu, up, _ = layers[i : i + 3]
        layers[i : i + 3] = [ResidualBlock(up.in_channels), elu, up]
    return layers
