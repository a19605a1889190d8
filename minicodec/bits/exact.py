"""The language model in integers: the same probabilities on every machine, to the last bit.

A decoder must repeat what the encoder computed *exactly*. Floats will not do as they are: a sum of
floats depends on the order of its terms, and that order on the number of threads, on the shape of
the batch, on the library and the processor. So does the last bit of a library's exp. Here the same
Transformer is computed in such a way that there is nothing left to differ in:

* **Sums are of integers** that are too small to be rounded. A float32 holds every integer up to
  2^24, a float64 up to 2^53, so a float product of integer matrices is exact, whatever the order,
  as long as no partial sum can leave that range. The fast matrix products of floats do the work.
* **All else is elementwise**, and consists of + − × ÷ and rounding to integers. IEEE 754 prescribes
  the result of these, down to the last bit, one operation at a time.
* **Functions are tables** of integers that come with the weights: 2^-x, GELU, and the positions.

What is left of the fractions are units: weights are signed bytes times one scale for each row;
before each product a vector is divided by its peak and rounded to integers from −255 to 255; what
flows from layer to layer is rounded to multiples of 2^-10. Products of these are exact even where
a machine rounds the inputs of its matrix products to bfloat16 or TF32, which hold 8 and 11 bits.

Because nothing depends on the shape of the batch, the encoder may run many frames at once and the
decoder one by one. Both use `_advance`. And because nothing depends on the library, numpy does the
work on the CPU, which has the least to do around each small operation, and torch on a GPU.

Chapter 12. Integer arithmetic for networks as in Jacob et al., *Quantization and training of neural
networks for efficient integer-arithmetic-only inference*, 2018; its use for entropy coding as in
Ballé, Johnston and Minnen, *Integer networks for data compression with latent-variable models*,
2019.
"""

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

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
    check_tensors,
    to_integers,
)
from minicodec.bits.language_model import LanguageModel, LanguageModelConfig, check_codes, visible

_BLOCK = 128  # frames that `tables` computes at a time


class Cache(NamedTuple):
    """Keys and values of all layers, which states that follow each other share."""

    memory: Array  #: [layers, 2, heads, capacity, dim / heads], integers
    written: list[int]  #: [n]: frames in it so far


class State(NamedTuple):
    """What the model remembers between two calls: a value that never changes."""

    n_q: int  #: codebooks in use
    position: int  #: of the next frame
    end: int  #: frames of the cache that belong to this state
    cache: Cache


class ExactLanguageModel:
    """Frequencies of the codes of the next frame, a `minicodec.bits.range_coder.CodeModel`.

    Args:
        config: sizes.
        tensors: as `exact_tensors.to_integers` makes them: integers, scales, tables.
        codec: fingerprint of the codec whose codes it was trained on.
        device: None for numpy on the CPU, else "cpu" or "cuda" for torch there. The frequencies
            are the same. (MPS has no float64.)

    Raises:
        ValueError: if tensors are missing or unknown, of other shapes or kinds than the config
            calls for, or such that sums might not be exact; or for MPS.

    >>> config = LanguageModelConfig(n_q=2, codebook_size=4, dim=8, layers=1, heads=2, hidden=8)
    >>> model = quantize(LanguageModel(config))
    >>> codes = torch.tensor([[0, 1, 2], [3, 2, 1]])
    >>> tables = model.tables(codes)
    >>> tables.shape, tables.dtype
    (torch.Size([3, 2, 4]), torch.int64)
    >>> table, state = model.stream(None, model.start(n_q=2))
    >>> table, state = model.stream(codes[:, 0], state)
    >>> torch.equal(table, tables[1])
    True
    """

    def __init__(
        self,
        config: LanguageModelConfig,
        tensors: Mapping[str, Tensor],
        codec: bytes = b"",
        device: str | torch.device | None = None,
    ):
        check_tensors(config, tensors)
        self.config, self.codec = config, codec
        self.codebook_size = config.codebook_size
        self.tensors = {name: tensor.detach().cpu() for name, tensor in tensors.items()}
        self._xp = Numpy() if device is None else Torch(device)
        # Integers go into products as float32; scales, and what follows a product, are float64.
        # Only scores, of which there are many, stay in float32, where rounding is prescribed too.
        self._arrays = {
            name: self._xp.place(t, 32 if t.dtype == torch.int8 or "heads" in name else 64)
            for name, t in self.tensors.items()
        }
        self._exp32 = self._xp.place(self.tensors["exp"], 32)
        # Head by head: one large product for one frame would make numpy wake further threads.
        for name in ("heads.weight", "heads.scale", "heads.bias"):
            self._arrays[name] = self._arrays[name].reshape(config.n_q, config.codebook_size, -1)
            self._arrays[name] = self._arrays[name].swapaxes(1, 2)
        # Steps of the table per unit of query · key; log2(e) is written out, all else is IEEE.
        root = math.sqrt(config.dim // config.heads)
        self._octaves = 1.4426950408889634 * OCTAVE / ATTENTION**2 / root

    @property
    def fingerprint(self) -> bytes:
        """Eight bytes that name this model: all that share them give the same frequencies."""
        digest = hashlib.sha256(json.dumps(asdict(self.config)).encode())
        for name, tensor in sorted(self.tensors.items()):
            digest.update(name.encode() + tensor.contiguous().numpy().tobytes())
        return digest.digest()[:8]

    def to(self, device: str | torch.device | None) -> "ExactLanguageModel":
        """The same model on another device."""
        return ExactLanguageModel(self.config, self.tensors, self.codec, device)

    def tables(self, codes: Tensor) -> Tensor:
        """codes [K, T] int64 → [T, K, codebook_size]; frame t's depend on codes[:, :t] alone.

        Raises:
            ValueError: for more codebooks than the model knows, or codes outside its size.
        """
        check_codes(codes[None], self.config, dims=3)
        state = self.start(len(codes))
        parts = [torch.zeros(0, len(codes), self.codebook_size, dtype=torch.int64)]
        before = F.pad(codes.cpu() + 1, (1, 0))[:, : codes.shape[1]]
        for begin in range(0, codes.shape[1], _BLOCK):
            part, state = self._advance(before[:, begin : begin + _BLOCK], state)
            parts.append(part)
        return torch.cat(parts)

    def start(self, n_q: int) -> State:
        """The state before frame 0 of `n_q` codebooks.

        Every layer's past begins with a frame whose input was zeros, as in the float model.

        Raises:
            ValueError: for more codebooks than the model knows.
        """
        config = self.config
        if not 1 <= n_q <= config.n_q:
            raise ValueError(f"this language model knows 1 to {config.n_q} codebooks, not {n_q}.")
        memory = self._memory()
        for layer in range(config.layers):
            _, *first = self._qkv(self._xp.zeros(1, config.dim), layer)
            memory[layer, 0, :, :1], memory[layer, 1, :, :1] = first
        return State(n_q, 0, 1, Cache(memory, [1]))

    def stream(self, codes: Tensor | None, state: State) -> tuple[Tensor, State]:
        """The frame just seen, codes [K], None before the first → [K, codebook_size], state.

        Raises:
            ValueError: for another number of codebooks than at the start, or codes outside of
                their size.
        """
        if codes is None:
            before = torch.zeros(state.n_q, 1, dtype=torch.int64)
        else:
            check_codes(codes[None], self.config, dims=2)
            if len(codes) != state.n_q:
                raise ValueError(f"this stream has {state.n_q} codebooks, not {len(codes)}.")
            before = codes.cpu()[:, None] + 1
        table, state = self._advance(before, state)
        return table[0], state

    def _advance(self, before: Tensor, state: State) -> tuple[Tensor, State]:
        """`before`: [K, n], codes of the frame before each, plus 1; 0 where there is none."""
        config, xp = self.config, self._xp
        n_q, frames = before.shape
        rows = before + torch.arange(n_q)[:, None] * (config.codebook_size + 1)
        x = xp.take(self._arrays["embedding"], xp.place(rows, 64)).sum(0)
        x = self._norm(xp.floats(x, 64), "norm", self._arrays["norm.epsilon"])
        first = state.position % POSITIONS
        places = torch.arange(first, first + frames) % POSITIONS
        x += xp.take(self._arrays["positions"], xp.place(places, 64))
        memory, written, end = self._room(state, frames)
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
            x += xp.rint(self._linear(xp.take(self._arrays["gelu"], index), f"{name}.down"))
            x = self._norm(x, f"{name}.norm2")
        end += frames
        written[0] = end
        state = State(n_q, state.position + frames, end, Cache(memory, written))
        return self._frequencies(x, n_q), state

    def _memory(self) -> Array:
        config = self.config
        room = config.context + 2 * _BLOCK
        return self._xp.zeros(config.layers, 2, config.heads, room, config.dim // config.heads)

    def _room(self, state: State, frames: int) -> tuple[Array, list[int], int]:
        """A cache with room for more, to which this state is the first to write."""
        memory, written = state.cache
        if written[0] == state.end and state.end + frames <= memory.shape[3]:
            return memory, written, state.end
        # It is full, or another stream went on from the same state: go on in a copy.
        keep = min(state.end, self.config.context)
        copy = self._memory()
        copy[:, :, :, :keep] = memory[:, :, :, state.end - keep : state.end]
        return copy, [keep], keep

    def _integers(self, x: Array) -> tuple[Array, Array]:
        """Each row divided by its peak: integers up to `ACTIVATION`, in float32, and the peaks."""
        peak = self._xp.peak(abs(x))
        peak[peak < 1] = 1
        return self._xp.floats(self._xp.rint(x * self._xp.share(ACTIVATION, peak)), 32), peak

    def _linear(self, x: Array, name: str) -> Array:
        """Weights times x, plus bias. The sum inside `@` is of integers below 2^24."""
        integers, peak = self._integers(x)
        product = self._xp.floats(integers @ self._arrays[f"{name}.weight"].T, 64)
        product *= peak * self._arrays[f"{name}.scale"]
        product += self._arrays[f"{name}.bias"]
        return product

    def _qkv(self, x: Array, layer: int) -> tuple[Array, Array, Array]:
        """[n, dim] → query, key, value, each [heads, n, dim / heads], integers."""
        qkv = self._xp.rint(self._linear(x, f"layers.{layer}.qkv"))
        qkv = self._xp.clip(qkv, -ATTENTION_LIMIT, ATTENTION_LIMIT)
        qkv = qkv.reshape(len(x), 3, self.config.heads, -1).swapaxes(0, 2)
        return qkv[:, 0], qkv[:, 1], qkv[:, 2]

    def _attend(self, query: Array, keys: Array, values: Array, hidden: Array | None) -> Array:
        """Mean of the values, weighted by 2^(query · key); all sums are below 2^53."""
        scores = query @ keys.swapaxes(1, 2)
        if hidden is not None:
            scores -= hidden
        scores = self._xp.peak(scores) - scores
        scores *= self._octaves
        weights = self._exp(self._xp.rint(scores), self._arrays["exp"])
        heard = weights @ values
        heard /= self._xp.total(weights)
        return heard.swapaxes(0, 1).reshape(scores.shape[1], -1)

    def _exp(self, steps: Array, table: Array) -> Array:
        """2^-x, for whole steps of 1/64 from 0 up: integers, 0 for large x."""
        return self._xp.take(table, self._xp.cap(steps, len(table) - 1))

    def _norm(self, x: Array, name: str, epsilon: Array | None = None) -> Array:
        """LayerNorm of integers.

        With n x − Σx over √(n Σx² − (Σx)²), mean and variance need no division. The root is rounded
        to an integer: that of an integer below 2^49 is never so close to the middle between two
        that a library whose root errs in the last bit would round it to the other.
        """
        xp, n = self._xp, x.shape[1]
        if epsilon is None:
            epsilon = round(EPSILON * (FRACTION * n) ** 2)
        x = xp.clip(x, -LIMIT, LIMIT)
        total = xp.total(x)
        spread = xp.total(x * x) * n - total * total + epsilon
        x = (x * n - total) / xp.rint(xp.sqrt(spread))
        x *= self._arrays[f"{name}.gain"]
        x += self._arrays[f"{name}.bias"]
        return xp.rint(x)

    def _frequencies(self, x: Array, n_q: int) -> Tensor:
        """[n, dim] → [n, K, codebook_size]: integers ≥ 1 that add up to about `TOTAL`."""
        xp = self._xp
        integers, peak = self._integers(x)
        scores = integers @ self._arrays["heads.weight"][:n_q]  # [K, n, codebook_size]
        scores *= self._arrays["heads.scale"][:n_q]
        scores *= xp.floats(peak, 32)
        scores += self._arrays["heads.bias"][:n_q]
        scores = xp.rint(scores)
        weights = self._exp(xp.peak(scores) - scores, self._exp32)
        weights *= xp.floats(xp.share(TOTAL, xp.total(weights)), 32)
        return (xp.tensor(weights) + 1).swapaxes(0, 1)


def quantize(model: LanguageModel, codec: bytes = b"") -> ExactLanguageModel:
    """The integer model that comes nearest to a float model.

    Args:
        codec: fingerprint of the codec whose codes it was trained on.

    Raises:
        ValueError: for weights that are not finite, or a model too wide for exact sums.
    """
    return ExactLanguageModel(model.config, to_integers(model), codec)
