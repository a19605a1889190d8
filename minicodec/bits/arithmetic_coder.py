"""Support: the official arithmetic coder, an exhibit that `.ecdc` files need, and nothing else.

It narrows an interval as our range coder does, but takes its tables from floats and lets single
bits go. Our own reading of it, which gives the same bits; kept to read old files and to show in
chapters 11 and 12 what comes of probabilities in floating point. The one to use is
`minicodec.bits.range_coder`.

Official code: `encodec/quantization/ac.py`, `encodec/modules/transformer.py`.
"""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from minicodec.bits.language_model import LanguageModel
from minicodec.bits.transformer import Layer, position_embedding

_MOST_OPEN = 4096  # bits that may be undecided: in a real file more are a matter of 2^-4000
_BITS = 24  # tables add up to a little less than 2^24, and the interval is kept at least this wide


def tables_from_floats(probabilities: Tensor, roundoff: float = 1e-8) -> np.ndarray:
    """The official tables: where each symbol's part ends, in parts of 2^24.

    Rounding down to multiples of 1e-8 was meant to hide the noise of floating point. But a number
    near the edge of two multiples still falls to either side; and 1e-8 is what float32 resolves
    near 0.1 anyhow, so that nothing is hidden at all.

    Shape:
        probabilities: [..., N] float32 → [..., N] int64
    """
    rounded = (probabilities / roundoff).floor() * roundoff
    least = 2  # parts that every symbol gets
    rest = 1 - least * probabilities.shape[-1] / 2**_BITS
    parts = ((rest * 2**_BITS) * rounded).floor().long() + least
    return parts.cumsum(-1).numpy()


class _Interval:
    """From `low` to `high`, both included, whose leading `pending` bits are not yet known."""

    def __init__(self) -> None:
        self.low = self.high = self.pending = 0

    def part(self, table: np.ndarray, symbol: int) -> tuple[int, int]:
        """The symbol's part of the interval, first and last number."""
        width = self.high - self.low + 1
        start = int(table[symbol - 1]) if symbol else 0
        end = int(table[symbol]) - 1
        return self.low + -(-start * width >> _BITS), self.low + (end * width >> _BITS)

    def settled(self) -> int | None:
        """The leading bit, taken away, if both ends agree in it."""
        if not self.pending or (self.low ^ self.high) >> self.pending - 1:
            return None
        self.pending -= 1
        bit = self.low >> self.pending
        self.low -= bit << self.pending
        self.high -= bit << self.pending
        return bit

    @property
    def narrow(self) -> bool:
        """Whether a bit must be appended before the next symbol."""
        return self.high - self.low + 1 < 1 << _BITS

    def widen(self) -> None:
        """Append a bit: 0 to the low end, 1 to the high end."""
        self.low, self.high, self.pending = 2 * self.low, 2 * self.high + 1, self.pending + 1


class ArithmeticEncoder(_Interval):
    """Symbols to bytes, the official way.

    >>> table = tables_from_floats(torch.tensor([0.5, 0.25, 0.25]))
    >>> encoder = ArithmeticEncoder()
    >>> for symbol in (1, 0, 2):
    ...     encoder.push(symbol, table)
    >>> data = encoder.finish()
    >>> decoder = ArithmeticDecoder(data)
    >>> len(data), [decoder.pull(table) for _ in range(3)]
    (4, [1, 0, 2])
    """

    def __init__(self) -> None:
        super().__init__()
        self._out: list[int] = []

    def push(self, symbol: int, table: np.ndarray) -> None:
        """Append one symbol; `table` [N] is from `tables_from_floats`."""
        while self.narrow:
            self.widen()
        self.low, self.high = self.part(table, symbol)
        while (bit := self.settled()) is not None:
            self._out.append(bit)

    def finish(self) -> bytes:
        """All bits of the low end, then zeros up to a whole byte."""
        rest = [self.low >> i & 1 for i in reversed(range(self.pending))]
        return np.packbits(np.array(self._out + rest, np.uint8), bitorder="little").tobytes()


class ArithmeticDecoder(_Interval):
    """Bytes back to symbols, given tables that are equal to the last integer."""

    def __init__(self, data: bytes):
        super().__init__()
        self._data = data
        self._bits_read = 0
        self.number = 0  # the message, as far as the interval reaches

    @property
    def bytes_read(self) -> int:
        """How much of the data the symbols so far have taken."""
        return (self._bits_read + 7) // 8

    def pull(self, table: np.ndarray) -> int:
        """The next symbol.

        Raises:
            ValueError: if the data end, or point into a gap between two symbols, which happens
                when the tables are not those of the encoder; or stay on the edge between 0 and 1
                without end, where each further symbol would take longer than the one before.
        """
        if self.pending > _MOST_OPEN:
            raise ValueError("the data leave too many bits undecided.")
        while self.narrow:
            byte, place = divmod(self._bits_read, 8)
            if byte >= len(self._data):
                raise ValueError("the data end before the symbols do.")
            self.widen()
            self.number = 2 * self.number + (self._data[byte] >> place & 1)
            self._bits_read += 1
        # Counted from the low end: with many bits undecided both ends are larger than any int64.
        ends = (table - 1) * (self.high - self.low + 1) >> _BITS
        symbol = int(ends.searchsorted(self.number - self.low))
        if symbol == len(table) or self.part(table, symbol)[0] > self.number:
            raise ValueError("the data point between two symbols.")
        self.low, self.high = self.part(table, symbol)
        while (bit := self.settled()) is not None:
            self.number -= bit << self.pending
        return symbol


class OfficialSteps:
    """The official evaluation of a language model, frame by frame, operation for operation.

    Only the same operations in the same order round in the same way, so this keeps each layer's
    inputs and computes keys and values anew for every frame, as the official code does.
    """

    def __init__(self, lm: LanguageModel, n_q: int):
        if not 1 <= n_q <= lm.config.n_q:
            raise ValueError(f"this language model knows 1 to {lm.config.n_q} codebooks, "
                             f"not {n_q}.")  # fmt: skip
        self.lm, self.n_q, self.position = lm, n_q, 0
        self.past = [torch.zeros(1, 1, lm.config.dim) for _ in lm.layers]

    def tables(self, codes: Tensor | None) -> np.ndarray:
        """The frame just seen, [K], None before the first → tables for the next, [K, N]."""
        return tables_from_floats(self.probabilities(codes))

    @torch.no_grad()
    def probabilities(self, codes: Tensor | None) -> Tensor:
        """The frame just seen, [K], None before the first → [K, N] float32."""
        config = self.lm.config
        size = config.codebook_size
        before = torch.zeros(self.n_q, dtype=torch.long) if codes is None else codes + 1
        rows = before + torch.arange(self.n_q) * (size + 1)
        x = self.lm.norm(sum(self.lm.embedding(row.view(1, 1)) for row in rows))
        x = x + position_embedding(torch.tensor([[self.position]]), config.dim)
        self.position += 1
        for i, layer in enumerate(self.lm.layers):
            assert isinstance(layer, Layer)
            keys = torch.cat([self.past[i], x], dim=1)
            self.past[i] = keys[:, -config.context :]
            x = layer.norm1(x + self._attention(layer, x, keys))
            x = layer.norm2(x + layer.down(F.gelu(layer.up(x))))
        weights, biases = self.lm.heads.weight, self.lm.heads.bias
        scores = [
            F.linear(x, weights[k * size : (k + 1) * size], biases[k * size : (k + 1) * size])
            for k in range(self.n_q)
        ]
        return torch.stack(scores, dim=1).permute(0, 3, 1, 2).softmax(1)[0, :, :, 0].T

    def _attention(self, layer: Layer, x: Tensor, keys: Tensor) -> Tensor:
        x, keys = x.transpose(0, 1), keys.transpose(0, 1)
        back = torch.arange(len(keys)).flip(0)
        heard, _ = F.multi_head_attention_forward(
            x, keys, keys, x.shape[-1], layer.heads, layer.qkv.weight, layer.qkv.bias, None, None,
            False, 0.0, layer.out.weight, layer.out.bias, training=False, need_weights=False,
            attn_mask=(back > layer.context)[None],
        )  # fmt: skip
        return heard.transpose(0, 1)
