"""Support: the integers of `minicodec.bits.exact`, computed in floats: the same, much faster.

A float32 holds every integer up to 2^24, a float64 up to 2^53. So a float product of integer
matrices is exact, whatever the order of its sums, as long as no partial sum can leave that range:
`exact_weights.check_tensors` sees to it. The fast matrix products of floats do the work. They are
exact even where a machine rounds their inputs to bfloat16 or TF32, which hold 8 and 11 bits.

Beyond that: keys and values lie in one block of memory, which states that follow each other share;
operations write over what nobody needs any more; a clip is done in blocks of frames. On the CPU
numpy does the work, which has the least to do around each small operation, on a GPU torch.
"""

import math
from collections.abc import Mapping
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from minicodec.bits.exact import ExactLanguageModel, ExactState
from minicodec.bits.exact_arrays import Array, Numpy, Torch
from minicodec.bits.exact_weights import (
    ACTIVATION,
    ATTENTION,
    ATTENTION_LIMIT,
    EPSILON,
    FRACTION,
    GELU_RANGE,
    GELU_STEPS,
    LIMIT,
    OCTAVE,
    POSITIONS,
    TOTAL,
)
from minicodec.bits.language_model import LanguageModelConfig, check_codes
from minicodec.bits.transformer import visible

_BLOCK = 128  # frames that `tables` computes at a time


class Cache(NamedTuple):
    """Keys and values of all layers, in memory that states share."""

    memory: Array  #: [layers, 2, heads, capacity, dim / heads], integers
    written: list[int]  #: [n]: frames in it so far
    end: int  #: frames of it that belong to this state


class FastExactLanguageModel(ExactLanguageModel):
    """What `ExactLanguageModel` computes, to the last bit.

    Args:
        config, tensors, codec: as there.
        device: None for numpy on the CPU, else "cpu" or "cuda" for torch there. The frequencies
            are the same. (MPS has no float64.)

    Raises:
        ValueError: as there, or for MPS.
    """

    def __init__(
        self,
        config: LanguageModelConfig,
        tensors: Mapping[str, Tensor],
        codec: bytes = b"",
        device: str | torch.device | None = None,
    ):
        super().__init__(config, tensors, codec)
        self._xp = Numpy() if device is None else Torch(device)
        # Integers go into products as float32; scales, and what follows a product, are float64.
        # Only scores, of which there are many, stay in float32.
        self._placed = {
            name: self._xp.place(t, 32 if t.dtype == torch.int8 or "heads" in name else 64)
            for name, t in self.tensors.items()
        }
        self._exp32 = self._xp.place(self.tensors["exp"], 32)
        # Head by head: one large product for one frame would make numpy wake further threads.
        for name in ("heads.weight", "heads.scale", "heads.bias"):
            self._placed[name] = self._placed[name].reshape(config.n_q, config.codebook_size, -1)
            self._placed[name] = self._placed[name].swapaxes(1, 2)
        root = math.sqrt(config.dim // config.heads)
        self._octaves = 1.4426950408889634 * OCTAVE / ATTENTION**2 / root

    def tables(self, codes: Tensor) -> Tensor:
        """As of `ExactLanguageModel`, in blocks of frames."""
        check_codes(codes[None], self.config, dims=3)
        state = self.start(len(codes))
        parts = [torch.zeros(0, len(codes), self.codebook_size, dtype=torch.int64)]
        before = F.pad(codes.cpu() + 1, (1, 0))[:, : codes.shape[1]]
        for begin in range(0, codes.shape[1], _BLOCK):
            part, state = self._advance(before[:, begin : begin + _BLOCK], state)
            parts.append(part)
        return torch.cat(parts)

    def _first_past(self) -> Cache:
        memory = self._memory()
        for layer in range(self.config.layers):
            _, *first = self._qkv(self._xp.zeros(1, self.config.dim), layer)
            memory[layer, 0, :, :1], memory[layer, 1, :, :1] = first
        return Cache(memory, [1], 1)

    def _advance(self, before: Tensor, state: ExactState) -> tuple[Tensor, ExactState]:
        config, xp = self.config, self._xp
        n_q, frames = before.shape
        rows = before + torch.arange(n_q)[:, None] * (config.codebook_size + 1)
        x = xp.take(self._placed["embedding"], xp.place(rows, 64)).sum(0)
        x = self._norm(xp.floats(x, 64), "norm", self._placed["norm.epsilon"])
        first = state.position % POSITIONS
        places = torch.arange(first, first + frames) % POSITIONS
        x += xp.take(self._placed["positions"], xp.place(places, 64))
        memory, written, end = self._room(state.past, frames)
        begin = max(0, end - config.context)
        hidden = None  # one frame alone may hear all that is kept
        if frames > 1:
            hidden = ~visible(frames, end + frames - begin, config.context)
            hidden = xp.place(hidden, 64) * 2.0**60
        for layer in range(config.layers):
            name = f"layers.{layer}"
            query, key, value = self._qkv(x, layer)
            memory[layer, 0, :, end : end + frames] = key
            memory[layer, 1, :, end : end + frames] = value
            keys, values = memory[layer, :, :, begin : end + frames]
            heard = self._attend(query, keys, values, hidden)
            x += xp.rint(self._linear(heard, f"{name}.out"))
            x = self._norm(x, f"{name}.norm1")
            up = self._linear(x, f"{name}.up")
            index = xp.clip(xp.rint(up), 0, 2 * GELU_RANGE * GELU_STEPS)
            x += xp.rint(self._linear(xp.take(self._placed["gelu"], index), f"{name}.down"))
            x = self._norm(x, f"{name}.norm2")
        written[0] = end + frames
        past = Cache(memory, written, end + frames)
        return self._frequencies(x, n_q), ExactState(n_q, state.position + frames, past)

    def _memory(self) -> Array:
        config = self.config
        room = config.context + 2 * _BLOCK
        return self._xp.zeros(config.layers, 2, config.heads, room, config.dim // config.heads)

    def _room(self, past: Cache, frames: int) -> Cache:
        """A cache with room for more, to which this state is the first to write."""
        memory, written, end = past
        if written[0] == end and end + frames <= memory.shape[3]:
            return past
        # It is full, or another stream went on from the same state: go on in a copy.
        keep = min(end, self.config.context)
        copy = self._memory()
        copy[:, :, :, :keep] = memory[:, :, :, end - keep : end]
        return Cache(copy, [keep], keep)

    def _integers(self, x: Array) -> tuple[Array, Array]:
        """Each row divided by its peak: integers up to `ACTIVATION`, in float32, and the peaks."""
        peak = self._xp.peak(abs(x))
        peak[peak < 1] = 1
        return self._xp.floats(self._xp.rint(x * self._xp.share(ACTIVATION, peak)), 32), peak

    def _linear(self, x: Array, name: str) -> Array:
        """The sum inside `@` is of integers below 2^24."""
        integers, peak = self._integers(x)
        product = self._xp.floats(integers @ self._placed[f"{name}.weight"].T, 64)
        product *= peak * self._placed[f"{name}.scale"]
        product += self._placed[f"{name}.bias"]
        return product

    def _qkv(self, x: Array, layer: int) -> tuple[Array, Array, Array]:
        qkv = self._xp.rint(self._linear(x, f"layers.{layer}.qkv"))
        qkv = self._xp.clip(qkv, -ATTENTION_LIMIT, ATTENTION_LIMIT)
        qkv = qkv.reshape(len(x), 3, self.config.heads, -1).swapaxes(0, 2)
        return qkv[:, 0], qkv[:, 1], qkv[:, 2]

    def _attend(self, query: Array, keys: Array, values: Array, hidden: Array | None) -> Array:
        """All sums are below 2^53."""
        scores = query @ keys.swapaxes(1, 2)
        if hidden is not None:
            scores -= hidden
        scores = self._xp.peak(scores) - scores
        scores *= self._octaves
        weights = self._exp(self._xp.rint(scores), self._placed["exp"])
        heard = weights @ values
        heard /= self._xp.total(weights)
        return heard.swapaxes(0, 1).reshape(scores.shape[1], -1)

    def _exp(self, steps: Array, table: Array) -> Array:
        return self._xp.take(table, self._xp.cap(steps, len(table) - 1))

    def _norm(self, x: Array, name: str, epsilon: Array | None = None) -> Array:
        xp, n = self._xp, x.shape[1]
        if epsilon is None:
            epsilon = round(EPSILON * (FRACTION * n) ** 2)
        x = xp.clip(x, -LIMIT, LIMIT)
        total = xp.total(x)
        spread = xp.total(x * x) * n - total * total + epsilon
        x = (x * n - total) / xp.rint(xp.sqrt(spread))
        x *= self._placed[f"{name}.gain"]
        x += self._placed[f"{name}.bias"]
        return xp.rint(x)

    def _frequencies(self, x: Array, n_q: int) -> Tensor:
        xp = self._xp
        integers, peak = self._integers(x)
        scores = integers @ self._placed["heads.weight"][:n_q]  # [K, n, codebook_size]
        scores *= self._placed["heads.scale"][:n_q]
        scores *= xp.floats(peak, 32)
        scores += self._placed["heads.bias"][:n_q]
        scores = xp.rint(scores)
        weights = self._exp(xp.peak(scores) - scores, self._exp32)
        weights *= xp.floats(xp.share(TOTAL, xp.total(weights)), 32)
        return (xp.tensor(weights) + 1).swapaxes(0, 1)


def faster(
    model: ExactLanguageModel, device: str | torch.device | None = None
) -> FastExactLanguageModel:
    """The same model, faster; or moved to another device.

    Raises:
        ValueError: for MPS.

    >>> from minicodec.bits.exact import exact_copy
    >>> from minicodec.bits.language_model import LanguageModel
    >>> config = LanguageModelConfig(n_q=2, codebook_size=4, dim=8, layers=1, heads=2, hidden=8)
    >>> model = exact_copy(LanguageModel(config))
    >>> codes = torch.randint(4, (2, 30))
    >>> torch.equal(faster(model).tables(codes), model.tables(codes))
    True
    """
    return FastExactLanguageModel(model.config, model.tensors, model.codec, device)
