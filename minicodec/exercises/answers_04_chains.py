"""Support: right and wrong chains of streaming layers, for the exercises of chapter 04."""

import copy
from collections.abc import Sequence
from typing import Any

import torch
from torch import Generator, Tensor, nn

from minicodec.exercises.answers_03 import decoder, drawn, encoder
from minicodec.exercises.answers_04 import Stream, both, pieces_of
from minicodec.model.seanet import ResidualBlock, SkipLSTM, StreamState, stream_layers


def chain(
    layers: Sequence[nn.Module], x: Tensor, states: StreamState | None = None
) -> tuple[Tensor, StreamState]:
    """The package's chain: outputs, and a list of new states."""
    with torch.no_grad():
        return stream_layers(layers, x, states, False)


def networks_in_pieces(generator: Generator) -> tuple[Any, ...]:
    """Small encoder and decoder, and pieces for both."""
    nets = drawn(encoder(1, 4, 2), generator), drawn(decoder(1, 4, 2), generator)
    sound = torch.randn(1, 1, 4 * 320, generator=generator)
    frames = torch.randn(1, 4, 8, generator=generator)
    # The first piece is too short for a frame, so nothing reaches the LSTM.
    sounds = [sound[..., :1], *pieces_of(sound[..., 1:], 500, generator)]
    cut = sounds, pieces_of(frames, 3, generator)
    return *nets, *cut


def tried_chain(
    answer: Stream, enc: nn.Module, dec: nn.Module, sound: list[Tensor], frames: list[Tensor]
) -> dict[str, Tensor]:
    """An answer on encoder and decoder in pieces, and resumed from a state used before."""
    with torch.no_grad():
        return {
            "latents": _through(answer, list(enc), sound),  # type: ignore[call-overload]
            "sound": _through(answer, list(dec), frames),  # type: ignore[call-overload]
            "resumed from an old state": _resumed(answer, list(dec), frames),  # type: ignore[call-overload]
        }


def _through(answer: Stream, layers: list[nn.Module], pieces: list[Tensor]) -> Tensor:
    states, outputs = None, []
    for piece in pieces:
        y, states = both(answer(layers, piece, states))
        outputs.append(y)
    return torch.cat(outputs, dim=-1)


def _resumed(answer: Stream, layers: list[nn.Module], pieces: list[Tensor]) -> Tensor:
    """The second piece, after the stream has already gone on from the same state once."""
    _, states = both(answer(layers, pieces[0], None))
    both(answer(layers, pieces[1], states))
    return both(answer(layers, pieces[1], states))[0]


def anew(kind: type[nn.Module]) -> Stream:
    """A chain in which layers of one kind begin each piece as if nothing had been."""

    def stream(
        layers: list[nn.Module], x: Tensor, states: StreamState | None = None
    ) -> tuple[Tensor, StreamState]:
        y, states = chain(layers, x, states)
        return y, [None if isinstance(layer, kind) else s for layer, s in zip(layers, states)]

    return stream


def walks_over_none(
    layers: list[nn.Module], x: Tensor, states: StreamState | None = None
) -> tuple[Tensor, StreamState]:
    """A chain that calls an LSTM even where no frame has come."""
    states = list(states) if states is not None else [None] * len(layers)
    for index, layer in enumerate(layers):
        if isinstance(layer, SkipLSTM) and not x.shape[-1]:
            layer.lstm(x.permute(2, 0, 1))  # raises
        x, (states[index],) = chain([layer], x, [states[index]])
    return x, states


def without_shortcuts(
    layers: list[nn.Module], x: Tensor, states: StreamState | None = None
) -> tuple[Tensor, StreamState]:
    """The shortcuts of residual blocks give nothing."""
    layers = copy.deepcopy(layers)
    for layer in layers:
        if isinstance(layer, ResidualBlock):
            for values in layer.shortcut.parameters():
                values.data.zero_()
    return chain(layers, x, states)


def in_place(
    layers: list[nn.Module], x: Tensor, states: StreamState | None = None
) -> tuple[Tensor, StreamState]:
    """Right, but the caller's list of states is changed."""
    states = [None] * len(layers) if states is None else states
    y, states[:] = chain(layers, x, states)
    return y, states


# Two callers who take turns.


def two_calls(
    layers: Sequence[nn.Module], first: Sequence[Tensor], second: Sequence[Tensor]
) -> tuple[Tensor, Tensor]:
    """Both calls, piece by piece in turns, each with a state of its own."""
    states: list[StreamState] = [None, None]
    outputs: tuple[list[Tensor], list[Tensor]] = ([], [])
    for pair in zip(first, second):
        for call, piece in enumerate(pair):
            y, states[call] = chain(layers, piece, states[call])
            outputs[call].append(y)
    return torch.cat(outputs[0], dim=-1), torch.cat(outputs[1], dim=-1)


def two_voices(generator: Generator) -> tuple[list[nn.Module], list[Tensor], list[Tensor]]:
    """A small encoder, and two sounds in four pieces each."""
    layers = drawn(encoder(1, 4, 2), generator)
    voices = torch.randn(2, 1, 1, 4 * 640, generator=generator)
    return list(layers), *(list(voice.split(640, dim=-1)) for voice in voices)  # type: ignore


def one_state(
    layers: Sequence[nn.Module], first: Sequence[Tensor], second: Sequence[Tensor]
) -> tuple[Tensor, ...]:
    """Both calls through one state, as one stream of pieces in turns."""
    state, outputs = None, []
    for piece in (piece for pair in zip(first, second) for piece in pair):
        y, state = chain(layers, piece, state)
        outputs.append(y)
    return torch.cat(outputs[::2], dim=-1), torch.cat(outputs[1::2], dim=-1)


def no_state(
    layers: Sequence[nn.Module], first: Sequence[Tensor], second: Sequence[Tensor]
) -> tuple[Tensor, ...]:
    """Each piece of each call begins anew."""
    return tuple(
        torch.cat([chain(layers, piece)[0] for piece in voice], dim=-1) for voice in (first, second)
    )


def one_beginning(
    layers: Sequence[nn.Module], first: Sequence[Tensor], second: Sequence[Tensor]
) -> tuple[Tensor, Tensor]:
    """The second call begins with what the first one left."""
    right = two_calls(layers, first, second)[0]
    _, state = chain(layers, first[0])
    outputs = []
    for piece in second:
        y, state = chain(layers, piece, state)
        outputs.append(y)
    return right, torch.cat(outputs, dim=-1)
