"""Support: the layers of the book once more, as nodes of ONNX with their memory on the outside.

Each function writes what the layer's own `stream` does, for pieces of whole frames. That is simpler
than `stream` itself: with zero padding the past of a clip that begins is zeros, as many as there
are later samples of past, so a state has one shape for ever and the first call is like any other.

All values are [1, C, T], as in the layers.
"""

from collections.abc import Iterable

import numpy as np
from torch import nn

from minicodec.model.conv import Conv1d, ConvTranspose1d, total_padding
from minicodec.model.factorized import FactorizedCodebook
from minicodec.model.onnx_graph import END, INT32, Graph
from minicodec.model.quantize import ResidualVectorQuantizer
from minicodec.model.seanet import ResidualBlock, SkipLSTM

#: torch keeps the gates of an LSTM as input, forget, cell, output; ONNX as input, output, forget,
#: cell.
_GATES = [0, 3, 1, 2]


def layers(graph: Graph, name: str, each: Iterable[nn.Module], x: str) -> str:
    """Layers one after another, as `minicodec.model.seanet.stream_layers` runs them.

    Args:
        name: of the sequence in the codec; its layers' names are numbers below it.
        x: the value that goes in.

    Returns:
        the value that comes out.
    """
    for index, layer in enumerate(each):
        here = f"{name}.{index}"
        if isinstance(layer, Conv1d):
            x = conv(graph, here, layer, x)
        elif isinstance(layer, ConvTranspose1d):
            x = conv_transpose(graph, here, layer, x)
        elif isinstance(layer, ResidualBlock):
            x = residual_block(graph, here, layer, x)
        elif isinstance(layer, SkipLSTM):
            x = skip_lstm(graph, here, layer, x)
        else:
            x = graph.node("Elu", x, name=here)
    return x


def conv(graph: Graph, name: str, layer: Conv1d, x: str) -> str:
    """A causal convolution; it remembers the inputs that its next window still needs."""
    (kernel,), (stride,), (dilation,) = layer.kernel_size, layer.stride, layer.dilation
    if past := total_padding(kernel, stride, dilation):
        state = graph.state(1, layer.in_channels, past)
        x = graph.node("Concat", state.name, x, name=name, axis=2)
        graph.slice(x, -past, END, name=name, gives=state.next)
    weight, bias = graph.weight(f"{name}.weight"), graph.weight(f"{name}.bias")
    return graph.node("Conv", x, weight, bias, name=name, strides=[stride], dilations=[dilation])


def conv_transpose(graph: Graph, name: str, layer: ConvTranspose1d, x: str) -> str:
    """The way back; it remembers what its frames have painted beyond the end.

    The bias comes last: what is painted in two calls would have it twice.
    """
    (stride,) = layer.stride
    painted = graph.node("ConvTranspose", x, graph.weight(f"{name}.weight"), name=name,
                         strides=[stride])  # fmt: skip
    if overlap := layer.kernel_size[0] - stride:
        state = graph.state(1, layer.out_channels, overlap)
        first = graph.slice(painted, 0, overlap, name=name)
        first = graph.node("Add", first, state.name, name=name)
        rest = graph.slice(painted, overlap, END, name=name)
        painted = graph.node("Concat", first, rest, name=name, axis=2)
        graph.slice(painted, -overlap, END, name=name, gives=state.next)
        painted = graph.slice(painted, 0, -overlap, name=name)
    column = graph.node("Unsqueeze", graph.weight(f"{name}.bias"), graph.constant([1]), name=name)
    return graph.node("Add", painted, column, name=name)


def residual_block(graph: Graph, name: str, layer: ResidualBlock, x: str) -> str:
    """Both ways through the block; with zero padding they are equally long in every piece."""
    seen = layers(graph, f"{name}.block", layer.block, x)
    short = conv(graph, f"{name}.shortcut", layer.shortcut, x)
    return graph.node("Add", short, seen, name=name)


def skip_lstm(graph: Graph, name: str, layer: SkipLSTM, x: str) -> str:
    """The LSTM, one node per layer; each remembers a hidden and a cell vector."""
    size = layer.lstm.hidden_size

    def gates(kind: str, level: int, *shape: int) -> str:
        """Weights or biases in the order of ONNX, [1, 4 * size, …]."""
        value = graph.weight(f"{name}.lstm.{kind}_l{level}")
        value = graph.node("Reshape", value, graph.constant([4, size, *shape]), name=name)
        value = graph.node("Gather", value, graph.constant(_GATES), name=name, axis=0)
        return graph.node("Reshape", value, graph.constant([1, 4 * size, *shape]), name=name)

    start = y = graph.node("Transpose", x, name=name, perm=[2, 0, 1])  # time, clip, channels
    for level in range(layer.lstm.num_layers):
        hidden, cell = graph.state(1, 1, size), graph.state(1, 1, size)
        biases = [gates(kind, level) for kind in ("bias_ih", "bias_hh")]
        y = graph.node(
            "LSTM", y, gates("weight_ih", level, size), gates("weight_hh", level, size),
            graph.node("Concat", *biases, name=name, axis=1), "", hidden.name, cell.name,
            name=name, gives=[f"{name}/{level}", hidden.next, cell.next], hidden_size=size,
        )  # fmt: skip
        y = graph.node("Squeeze", y, graph.constant([1]), name=name)  # its one direction
    y = graph.node("Add", start, y, name=name)
    return graph.node("Transpose", y, name=name, perm=[1, 2, 0])


def quantize(graph: Graph, name: str, layer: ResidualVectorQuantizer, x: str) -> str:
    """Latents [1, D, N] to the codes of all levels [1, K, N], as the quantizer's `encode`."""
    residual = graph.node("Transpose", x, name=name, perm=[0, 2, 1])
    codes = []
    for level, book in enumerate(layer.codebooks):
        here = f"{name}.codebooks.{level}"
        point, vectors = residual, graph.weight(f"{here}.embedding")
        if isinstance(book, FactorizedCodebook):
            point = _unit(graph, here, _linear(graph, f"{here}.down", residual))
            vectors = _unit(graph, here, vectors)
        codes.append(_nearest(graph, here, point, vectors))
        vector = graph.node("Gather", _table(graph, here, book), codes[-1], name=here, axis=0)
        residual = graph.node("Sub", residual, vector, name=here)
    rows = [graph.node("Unsqueeze", row, graph.constant([1]), name=name) for row in codes]
    return graph.node("Cast", graph.node("Concat", *rows, name=name, axis=1), name=name, to=INT32)


def dequantize(graph: Graph, name: str, layer: ResidualVectorQuantizer, codes: str) -> str:
    """Codes [1, K, N] of any number of levels to the sum of their vectors [1, D, N].

    All tables lie below one another, each with a row of zeros behind it: the code that is one too
    large for its codebook stands for nothing.
    """
    tables, size, zeros = [], 0, graph.constant(np.zeros((1, layer.dim), np.float32))
    for level, book in enumerate(layer.codebooks):
        here = f"{name}.codebooks.{level}"
        tables += [_table(graph, here, book), zeros]
        size = len(book.embedding) + 1  # type: ignore[arg-type]
    table = graph.node("Concat", *tables, name=name, axis=0)
    first = np.arange(len(layer.codebooks), dtype=np.int32)[:, None] * np.int32(size)
    levels = graph.node("Shape", codes, name=name, start=1, end=2)
    first_rows = graph.node("Slice", graph.constant(first), graph.constant([0]), levels,
                            graph.constant([0]), name=name)  # fmt: skip
    rows = graph.node("Add", codes, first_rows, name=name)
    vectors = graph.node("Gather", table, rows, name=name, axis=0)
    total = graph.node("ReduceSum", vectors, graph.constant([1]), name=name, keepdims=0)
    return graph.node("Transpose", total, name=name, perm=[0, 2, 1])


def _nearest(graph: Graph, name: str, x: str, vectors: str) -> str:
    """`minicodec.model.quantize.nearest`, term by term: ‖x‖² − 2 x·e + ‖e‖²."""
    twice = graph.node("Add", x, x, name=name)
    turned = graph.node("Transpose", vectors, name=name, perm=[1, 0])
    product = graph.node("MatMul", twice, turned, name=name)
    distance = graph.node("Sub", _power(graph, name, x, keep=1), product, name=name)
    distance = graph.node("Add", distance, _power(graph, name, vectors, keep=0), name=name)
    return graph.node("ArgMin", distance, name=name, axis=-1, keepdims=0)


def _power(graph: Graph, name: str, x: str, keep: int) -> str:
    """Sum of squares along the last axis."""
    square = graph.node("Mul", x, x, name=name)
    return graph.node("ReduceSum", square, graph.constant([-1]), name=name, keepdims=keep)


def _unit(graph: Graph, name: str, x: str) -> str:
    """Directions, as `torch.nn.functional.normalize` gives them."""
    length = graph.node("Sqrt", _power(graph, name, x, keep=1), name=name)
    least = graph.constant(np.array(1e-12, np.float32))
    return graph.node("Div", x, graph.node("Max", length, least, name=name), name=name)


def _linear(graph: Graph, name: str, x: str) -> str:
    turned = graph.node("Transpose", graph.weight(f"{name}.weight"), name=name, perm=[1, 0])
    product = graph.node("MatMul", x, turned, name=name)
    return graph.node("Add", product, graph.weight(f"{name}.bias"), name=name)


def _table(graph: Graph, name: str, book: nn.Module) -> str:
    """The vectors [size, D] that a codebook's codes stand for."""
    vectors = graph.weight(f"{name}.embedding")
    return (
        _linear(graph, f"{name}.up", vectors) if isinstance(book, FactorizedCodebook) else vectors
    )
