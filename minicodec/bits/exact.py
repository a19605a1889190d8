"""The language model in integers: the same probabilities on every machine, to the last bit.

A decoder must repeat what the encoder computed *exactly*. Floats will not do as they are: a sum of
floats depends on the order of its terms, and that order on the number of threads, on the shape of
the batch, on the library and the processor. So does the last bit of a library's exp. Here the same
Transformer is computed in such a way that there is nothing left to differ in:

* **Sums are of integers**, which no order can change.
* **All else is elementwise**, and consists of + − × ÷ √ and rounding to integers. IEEE 754
  prescribes the result of these, down to the last bit, one operation at a time.
* **Functions are tables** of integers that come with the weights: 2^-x, GELU, and the positions.

What is left of the fractions are units: weights are signed bytes times one scale for each row;
before each product a vector is divided by its peak and rounded to integers from −255 to 255; what
flows from layer to layer is rounded to multiples of 2^-10.

Because nothing depends on the shape of the batch, the encoder may run many frames at once and the
decoder one by one. Both use `_advance`. And because nothing depends on the library either, the sums
may be left to whatever is fastest: `minicodec.bits.exact_fast` has them computed in floats that are
too small to be rounded, and that is what files are made with. This one says what it computes.

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
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

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
from minicodec.bits.language_model import LanguageModel, LanguageModelConfig, check_codes
from minicodec.bits.transformer import visible


class ExactState(NamedTuple):
    """What the model remembers between two calls: a value that never changes."""

    n_q: int  #: codebooks in use
    position: int  #: of the next frame
    past: Any  #: keys and values of every layer


class ExactLanguageModel:
    """Frequencies of the codes of the next frame, a `minicodec.bits.range_coder.CodeModel`.

    Args:
        config: sizes.
        tensors: as `exact_weights.to_integers` makes them: integers, scales, tables.
        codec: fingerprint of the codec whose codes it was trained on.

    Raises:
        ValueError: if tensors are missing or unknown, of other shapes or kinds than the config
            calls for, or such that sums might not be exact.

    >>> config = LanguageModelConfig(n_q=2, codebook_size=4, dim=8, layers=1, heads=2, hidden=8)
    >>> model = exact_copy(LanguageModel(config))
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
        self, config: LanguageModelConfig, tensors: Mapping[str, Tensor], codec: bytes = b""
    ):
        check_tensors(config, tensors)
        self.config, self.codec = config, codec
        self.codebook_size = config.codebook_size
        self.tensors = {name: tensor.detach().cpu() for name, tensor in tensors.items()}

    @property
    def fingerprint(self) -> bytes:
        """Eight bytes that name this model: all that share them give the same frequencies."""
        digest = hashlib.sha256(json.dumps(asdict(self.config)).encode())
        for name, tensor in sorted(self.tensors.items()):
            digest.update(name.encode() + tensor.contiguous().numpy().tobytes())
        return digest.digest()[:8]

    def tables(self, codes: Tensor) -> Tensor:
        """codes [K, T] int64 → [T, K, codebook_size]; frame t's depend on codes[:, :t] alone.

        Raises:
            ValueError: for more codebooks than the model knows, or codes outside its size.
        """
        check_codes(codes[None], self.config, dims=3)
        before = F.pad(codes.cpu() + 1, (1, 0))[:, : codes.shape[1]]
        return self._advance(before, self.start(len(codes)))[0]

    def start(self, n_q: int) -> ExactState:
        """The state before frame 0 of `n_q` codebooks.

        Every layer's past begins with a frame whose input was zeros, as in the float model.

        Raises:
            ValueError: for more codebooks than the model knows.
        """
        if not 1 <= n_q <= self.config.n_q:
            known = self.config.n_q
            raise ValueError(f"this language model knows 1 to {known} codebooks, not {n_q}.")
        return ExactState(n_q, 0, self._first_past())

    def stream(self, codes: Tensor | None, state: ExactState) -> tuple[Tensor, ExactState]:
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

    @cached_property
    def _arrays(self) -> dict[str, np.ndarray]:
        """Weights and tables in int64, scales and what is added in float64."""
        arrays = {name: tensor.numpy() for name, tensor in self.tensors.items()}
        return {n: a if a.dtype == np.float64 else a.astype(np.int64) for n, a in arrays.items()}

    def _first_past(self) -> Any:
        silence = np.zeros((1, self.config.dim))
        return tuple(self._qkv(silence, layer)[1:] for layer in range(self.config.layers))

    def _advance(self, before: Tensor, state: ExactState) -> tuple[Tensor, ExactState]:
        """`before`: [K, n], codes of the frame before each, plus 1; 0 where there is none."""
        config, arrays = self.config, self._arrays
        n_q, frames = before.shape
        rows = before.numpy() + np.arange(n_q)[:, None] * (config.codebook_size + 1)
        x = self._norm(arrays["embedding"][rows].sum(0), "norm", float(arrays["norm.epsilon"]))
        x = x + arrays["positions"][(state.position + np.arange(frames)) % POSITIONS]
        seen = visible(frames, state.past[0][0].shape[1] + frames, config.context).numpy()
        past = []
        for layer, (keys, values) in enumerate(state.past):
            name = f"layers.{layer}"
            query, key, value = self._qkv(x, layer)
            keys, values = np.concatenate([keys, key], 1), np.concatenate([values, value], 1)
            past.append((keys[:, -config.context :], values[:, -config.context :]))
            heard = self._attend(query, keys, values, seen)
            x = x + rounded(self._linear(heard, f"{name}.out"))
            x = self._norm(x, f"{name}.norm1")
            up = rounded(self._linear(x, f"{name}.up")).clip(0, 2 * GELU_RANGE * GELU_STEPS)
            x = x + rounded(self._linear(arrays["gelu"][up], f"{name}.down"))
            x = self._norm(x, f"{name}.norm2")
        state = ExactState(n_q, state.position + frames, tuple(past))
        return self._frequencies(x, n_q), state

    def _linear(self, x: np.ndarray, name: str) -> np.ndarray:
        """Weights times x, plus bias: a sum of integers, then one step, and one more."""
        integers, peak = by_peak(x)
        product = integers @ self._arrays[f"{name}.weight"].T
        return product * (peak * self._arrays[f"{name}.scale"]) + self._arrays[f"{name}.bias"]

    def _qkv(self, x: np.ndarray, layer: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """[n, dim] → query, key, value, each [heads, n, dim / heads], integers."""
        heads, size = self.config.heads, self.config.dim // self.config.heads
        qkv = rounded(self._linear(x, f"layers.{layer}.qkv"))
        qkv = qkv.clip(-ATTENTION_LIMIT, ATTENTION_LIMIT).reshape(len(x), 3, heads, size)
        return qkv[:, 0].swapaxes(0, 1), qkv[:, 1].swapaxes(0, 1), qkv[:, 2].swapaxes(0, 1)

    def _attend(
        self, query: np.ndarray, keys: np.ndarray, values: np.ndarray, seen: np.ndarray
    ) -> np.ndarray:
        """Mean of the values, weighted by 2^(query · key)."""
        heads, frames, size = query.shape
        scores = np.where(seen, query @ keys.swapaxes(1, 2), -np.inf)
        # Steps of the table per unit of query · key; log2(e) is written out, all else is IEEE.
        octaves = 1.4426950408889634 * OCTAVE / ATTENTION**2 / math.sqrt(size)
        weights = self._power((scores.max(-1, keepdims=True) - scores) * octaves)
        heard = weights @ values / weights.sum(-1, keepdims=True)
        return heard.swapaxes(0, 1).reshape(frames, heads * size)

    def _power(self, steps: np.ndarray) -> np.ndarray:
        """2^-x, for whole steps of 1/64 from 0 up: integers, 0 for large x."""
        table = self._arrays["exp"]
        return table[rounded(np.minimum(steps, len(table) - 1))]

    def _norm(self, x: np.ndarray, name: str, epsilon: float | None = None) -> np.ndarray:
        """LayerNorm of integers.

        With n x − Σx over √(n Σx² − (Σx)²), mean and variance need no division. The root is rounded
        to an integer: that of an integer below 2^49 is never so close to the middle between two
        that a library whose root errs in the last bit would round it to the other.
        """
        n = x.shape[1]
        if epsilon is None:
            epsilon = round(EPSILON * (FRACTION * n) ** 2)
        x = x.clip(-LIMIT, LIMIT)
        total = x.sum(-1, keepdims=True)
        spread = (x * x).sum(-1, keepdims=True) * n - total * total + epsilon
        x = (x * n - total) / np.rint(np.sqrt(spread))
        return rounded(x * self._arrays[f"{name}.gain"] + self._arrays[f"{name}.bias"])

    def _frequencies(self, x: np.ndarray, n_q: int) -> Tensor:
        """[n, dim] → [n, K, codebook_size]: integers ≥ 1 that add up to about `TOTAL`.

        Scores are many, so they, and they alone, are float32: rounding is prescribed there too.
        """
        size, rows = self.config.codebook_size, n_q * self.config.codebook_size
        weight, scale, bias = (
            self._arrays[f"heads.{name}"][:rows] for name in ("weight", "scale", "bias")
        )
        integers, peak = by_peak(x)
        scores = (integers @ weight.T).astype(np.float32) * scale.astype(np.float32)
        scores = np.rint(scores * peak.astype(np.float32) + bias.astype(np.float32))
        scores = scores.reshape(len(x), n_q, size)
        weights = self._power(scores.max(-1, keepdims=True) - scores)
        share = (TOTAL / weights.sum(-1, keepdims=True)).astype(np.float32)
        return torch.from_numpy((weights.astype(np.float32) * share).astype(np.int64) + 1)


def rounded(x: np.ndarray) -> np.ndarray:
    """The nearest integers, int64; from the middle between two to the even one.

    Odd weights give numbers that no int64 holds. All that is so large is clipped further on.
    """
    return np.rint(x.clip(-(2.0**53), 2.0**53)).astype(np.int64)


def by_peak(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each row divided by its peak: integers from −255 to 255, and the peaks.

    >>> by_peak(np.array([[1000.0, -500.0]]))
    (array([[ 255, -128]]), array([[1000.]]))
    """
    peak = np.maximum(abs(x).max(-1, keepdims=True), 1)
    return rounded(x * (ACTIVATION / peak)), peak


def exact_copy(model: LanguageModel, codec: bytes = b"") -> ExactLanguageModel:
    """The integer model that comes nearest to a float model.

    Args:
        codec: fingerprint of the codec whose codes it was trained on.

    Raises:
        ValueError: for weights that are not finite, or a model too wide for exact sums.
    """
    return ExactLanguageModel(model.config, to_integers(model), codec)
