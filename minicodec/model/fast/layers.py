"""Support: residual blocks, the LSTM and the search for codes, each in its fewest calls.

One frame of a stream is coded in less than a millisecond of arithmetic, so what counts is how often
the library is called, and how few bytes of weights are read.
"""

import copy
from functools import partial

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from minicodec.model.conv import ConvState
from minicodec.model.fast.activation import elu_into, is_small
from minicodec.model.fast.convolution import FastConv, as_matrix
from minicodec.model.quantize import ResidualVectorQuantizer
from minicodec.model.seanet import ResidualBlock, SkipLSTM

#: Below this many frames our own LSTM steps are faster than the library's, which puts all weights
#: into another order at every call.
_FEW = 12

#: Frames whose codes are searched for at once.
_SEARCHED = 128


class FastBlock:
    """`ResidualBlock.stream` on [B, T, C].

    The shortcut and the block's last convolution, both of size 1, are two matrix products of which
    the second is added onto the first.
    """

    def __init__(self, block: ResidualBlock, dtype: torch.dtype = torch.float32):
        _, look, _, again = block.block
        self.look = FastConv(look, True, dtype)  # type: ignore[arg-type]
        near, far = block.shortcut.weight.detach(), again.weight.detach()  # type: ignore[operator]
        self.near, self.far = (as_matrix(w[..., 0].t().to(dtype)) for w in (near, far))
        self.bias = (block.shortcut.bias + again.bias).detach().to(dtype)  # type: ignore[operator]

    def __call__(
        self, x: Tensor, state: tuple[Tensor, ConvState] | None, last: bool
    ) -> tuple[Tensor, tuple[Tensor, ConvState]]:
        """Shape: x [B, T, C] → [B, N, C]."""
        held, inner = state if state is not None else (x.mT[..., :0], None)
        seen, inner = self.look(x, inner, last)
        if held.shape[-1]:
            x = torch.cat((held.mT, x), 1)
        ready = seen.shape[1]
        seen = F.elu_(seen) if is_small(seen) else elu_into(seen, seen)
        y = torch.addmm(self.bias, x[:, :ready].flatten(0, 1), self.near)
        y.addmm_(seen.flatten(0, 1), self.far)
        return y.view(len(x), ready, y.shape[1]), (x[:, ready:].mT, inner)


class FastLSTM:
    """`SkipLSTM.stream` on [B, T, C].

    A sigmoid is half of 1 + tanh(x/2). In our own steps, what makes the three gates is halved
    beforehand, which rounds nothing, so that one tanh does for all of them and the candidate.
    """

    def __init__(self, skip: SkipLSTM, dtype: torch.dtype = torch.float32):
        self.lstm = skip.lstm
        if dtype != torch.float32:
            self.lstm = copy.deepcopy(skip.lstm).to(dtype)
        self.packed = packed(self.lstm)
        self.layers = []
        for layer in range(skip.lstm.num_layers):
            w_in, w_hidden, b_in, b_hidden = (
                _gates(getattr(skip.lstm, f"{name}_l{layer}").detach().to(dtype))
                for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
            )
            self.layers.append((as_matrix(w_in.t()), as_matrix(w_hidden.t()), b_in + b_hidden))

    def __call__(
        self, x: Tensor, state: tuple[Tensor, Tensor] | None, last: bool
    ) -> tuple[Tensor, tuple[Tensor, Tensor] | None]:
        """Shape: x [B, T, C] → the same."""
        if not x.shape[1]:
            return x, state
        if x.shape[1] < _FEW:
            y, state = self._steps(x, state)
            return x + y, state
        if state is not None:
            state = (state[0].transpose(0, 1).contiguous(), state[1].transpose(0, 1).contiguous())
        run = partial(through_packed, self.packed) if self.packed else self.lstm
        y, (hidden, cell) = run(x.transpose(0, 1), state)
        return x + y.transpose(0, 1), (hidden.transpose(0, 1), cell.transpose(0, 1))

    def _steps(
        self, x: Tensor, state: tuple[Tensor, Tensor] | None
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        batch, frames, size = x.shape
        hiddens: list[Tensor] = []
        cells: list[Tensor] = []
        for layer, (w_in, w_hidden, bias) in enumerate(self.layers):
            if state is None:
                hidden = cell = x.new_zeros(batch, size)
            else:
                hidden, cell = state[0][:, layer], state[1][:, layer]
            # What comes from below is known for all frames: the weights are read once.
            gates = torch.addmm(bias, x.reshape(-1, size), w_in).view(batch, frames, -1)
            outputs = []
            for frame in gates.unbind(1):
                frame = torch.addmm(frame, hidden, w_hidden)
                frame.tanh_()
                candidate = frame[:, 3 * size :]
                let_in, forget, let_out = frame[:, : 3 * size].mul_(0.5).add_(0.5).chunk(3, 1)
                cell = torch.addcmul(let_in * candidate, forget, cell)
                hidden = let_out * cell.tanh()
                outputs.append(hidden)
            x = torch.stack(outputs, 1) if frames > 1 else hidden.unsqueeze(1)
            hiddens.append(hidden)
            cells.append(cell)
        return x, (torch.stack(hiddens, 1), torch.stack(cells, 1))


Packed = list[tuple[Tensor, Tensor, Tensor, Tensor]]


def packed(lstm: nn.LSTM) -> Packed:
    """Weights of each layer in the order in which oneDNN's kernel reads them.

    `nn.LSTM` puts them into that order at every call, which counts where clips are short. Torch has
    functions for it that it does not document, so they are tried: where they are missing, or do not
    give the very same numbers, there is nothing here.
    """
    x = torch.linspace(-1, 1, 4 * lstm.input_size).view(2, 2, -1).transpose(0, 1)
    x = x.to(lstm.weight_ih_l0)  # type: ignore[arg-type]
    try:
        layers = []
        for layer in range(lstm.num_layers):
            w_in, w_hidden, b_in, b_hidden = (
                getattr(lstm, f"{name}_l{layer}").detach()
                for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
            )
            reorder = torch.ops.mkldnn._reorder_mkldnn_rnn_layer_weight
            w_in, w_hidden = reorder(w_in, w_hidden, lstm.hidden_size, False, True, False)
            layers.append((w_in, w_hidden, b_in, b_hidden))
        same = torch.equal(through_packed(layers, x, None)[0], lstm(x)[0])
    except (AttributeError, RuntimeError, TypeError, ValueError):
        return []
    return layers if same else []


def through_packed(
    layers: Packed, x: Tensor, state: tuple[Tensor, Tensor] | None
) -> tuple[Tensor, tuple[Tensor, Tensor]]:
    """`nn.LSTM.forward` with packed weights.

    Shape:
        x [T, B, C], state: two of [layers, B, C] → [T, B, C], two of [layers, B, C]
    """
    if state is None:
        zeros = x.new_zeros(len(layers), *x.shape[1:])
        state = zeros, zeros
    x, hiddens, cells = x.contiguous(), [], []
    for (w_in, w_hidden, b_in, b_hidden), hidden, cell in zip(layers, *state):
        x, hidden, cell, _ = torch.ops.aten.mkldnn_rnn_layer(
            x, w_in, w_hidden, b_in, b_hidden, hidden, cell,
            reverse=False, batch_sizes=[], mode=2, hidden_size=hidden.shape[-1], num_layers=1,
            has_biases=True, bidirectional=False, batch_first=False, train=False,
        )  # fmt: skip
        hiddens.append(hidden.view(x.shape[1:]))
        cells.append(cell.view(x.shape[1:]))
    return x, (torch.stack(hiddens), torch.stack(cells))


def _gates(weight: Tensor) -> Tensor:
    """From the library's order (in, forget, candidate, out) to one with all gates together."""
    let_in, forget, candidate, let_out = weight.chunk(4)
    return torch.cat((0.5 * let_in, 0.5 * forget, 0.5 * let_out, candidate))


class FastCodebooks:
    """`ResidualVectorQuantizer.encode` and `decode` on [B, T, D].

    The nearest entry is the one with the least ‖e‖² − 2 x·e: ‖x‖² is the same for all. Both parts
    are prepared, so a level is one matrix product and one search for the least, which numpy
    does sooner than torch. Some frames pass at once, so that all that is compared stays in the
    cache.
    """

    def __init__(self, quantizer: ResidualVectorQuantizer):
        self.levels = []
        for book in quantizer.codebooks:
            embedding = book.embedding.detach()  # type: ignore[operator]
            self.levels.append(
                (embedding, -2 * embedding.t().contiguous(), embedding.square().sum(1))
            )
        self.arrays = [tuple(part.numpy() for part in level) for level in self.levels]

    def encode(self, x: Tensor, n_q: int) -> Tensor:
        """Shape: x [B, T, D] → codes [B, K, T]."""
        batch, frames, size = x.shape
        rows = x.reshape(-1, size)
        if len(rows) == 1:
            return self._one_frame(rows.numpy(), n_q).view(n_q, batch, frames).transpose(0, 1)
        codes = torch.empty(n_q, len(rows), dtype=torch.int64)
        distances = rows.new_empty(min(_SEARCHED, len(rows)), len(self.levels[0][2]))
        for residual, found in zip(rows.split(_SEARCHED), codes.split(_SEARCHED, 1)):
            here = distances[: len(residual)]
            for level, (embedding, columns, squares) in enumerate(self.levels[:n_q]):
                torch.addmm(squares, residual, columns, out=here)
                np.argmin(here.numpy(), 1, out=found[level].numpy())
                if level < n_q - 1:
                    residual = residual - embedding.index_select(0, found[level])
        return codes.view(n_q, batch, frames).transpose(0, 1).contiguous()

    def _one_frame(self, residual: np.ndarray, n_q: int) -> Tensor:
        """The same for one frame of a stream, as `minicodec.model.fast.frames` computes.

        Shape:
            residual: [1, D] → codes [K, 1]
        """
        codes = np.empty((n_q, 1), np.int64)
        distances = np.empty((1, len(self.arrays[0][2])), np.float32)
        for found, (embedding, columns, squares) in zip(codes, self.arrays):
            np.dot(residual, columns, out=distances)
            np.add(distances, squares, out=distances)
            np.argmin(distances, 1, out=found)
            residual = residual - embedding.take(found, 0)
        return torch.from_numpy(codes)

    def decode(self, codes: Tensor) -> Tensor:
        """Shape: codes [B, K, T] → [B, T, D]."""
        if not 1 <= codes.shape[1] <= len(self.levels):  # codes without frames come unchecked
            raise ValueError(
                f"this quantizer has 1 to {len(self.levels)} codebooks, not {codes.shape[1]}."
            )
        total = F.embedding(codes[:, 0], self.levels[0][0])
        for code, (embedding, *_) in zip(codes.unbind(1)[1:], self.levels[1:]):
            total += F.embedding(code, embedding)
        return total
