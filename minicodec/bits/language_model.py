"""A language model for codes: what is the next frame likely to be, given the frames before it?

Codes are not equally likely, and what has just been heard says much about what comes next. A
Transformer reads the last 3.5 seconds of codes and gives, for every codebook of the next frame, a
probability to each of its entries. Likely codes then cost few bits (chapter 11).

The paper's model, small beside those for text: the embeddings of a frame's codes are *summed* to
one vector, and one head for each codebook predicts all codes of the next frame at once, so that a
frame costs one step however many codebooks it has. With fewer codebooks the sum has fewer terms.

This one computes in floats, which is right for training, for measuring and for sampling. Its last
bits depend on the machine, so nothing that must decode can rest on it: `minicodec.bits.exact` makes
an integer model of it, and that is what the bitstream uses.

Chapter 12. Paper: section 3.3.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from minicodec.model.fields import check_fields


@dataclass(frozen=True)
class LanguageModelConfig:
    """Everything that has to be known to build a language model; it checks itself.

    Args:
        n_q: codebooks that it can predict; it works with any number up to that.
        codebook_size: entries of each.
        frame_rate: frames per second, which turns `seconds` into frames.
        dim: channels between layers.
        layers: of the Transformer.
        heads: of each layer's attention.
        hidden: channels inside a layer's feed-forward part.
        seconds: how far a frame looks back.

    Raises:
        ValueError: naming the field that does not fit.

    >>> LanguageModelConfig(n_q=8).context
    262
    """

    n_q: int
    codebook_size: int = 1024
    frame_rate: int = 75
    dim: int = 200
    layers: int = 5
    heads: int = 8
    hidden: int = 800
    seconds: float = 3.5

    def __post_init__(self) -> None:
        check_fields(
            self,
            "a language model",
            n_q=(1, 1024),
            codebook_size=(1, 1 << 16),
            frame_rate=(1, 1 << 16),
            dim=(4, 1 << 16),
            layers=(1, 64),
            heads=(1, 1 << 16),
            hidden=(1, 1 << 16),
            seconds=(0, 10_000),
        )
        if self.dim % self.heads or self.dim % 2 or self.dim < 4:
            raise ValueError(
                f"a language model's dim is even, at least 4, and a multiple of its heads, but it "
                f"is {self.dim} with {self.heads} heads."
            )
        if not 1 <= self.seconds * self.frame_rate < 1e4:
            raise ValueError(
                f"a language model looks back over 1 to 10000 frames, not {self.seconds} seconds."
            )

    @property
    def context(self) -> int:
        """Frames before the present one that it sees."""
        return int(self.seconds * self.frame_rate)


class LanguageModelState(NamedTuple):
    """What a model remembers between two calls."""

    n_q: int  #: codebooks in use
    position: int  #: of the next frame
    keys: tuple[Tensor, ...]  #: of each layer, [B, heads, past, dim / heads]
    values: tuple[Tensor, ...]  #: of each layer, like the keys


def position_embedding(positions: Tensor, dim: int) -> Tensor:
    """Cosines and sines that tell the model where in time a frame is.

    Shape:
        positions: [...] → [..., dim]

    >>> position_embedding(torch.tensor([0.0]), 4)
    tensor([[1., 1., 0., 0.]])
    """
    exponents = torch.arange(dim // 2, device=positions.device) / (dim // 2 - 1)
    phase = positions[..., None] / 10000**exponents
    return torch.cat([phase.cos(), phase.sin()], dim=-1)


class Layer(nn.Module):
    """Attention, then a feed-forward part, each added to its input and normalized.

    Args:
        config: sizes.

    Shape:
        x: [B, T, dim]; keys and values of the past: [B, heads, P, dim / heads]
        → [B, T, dim], keys and values of past and present
    """

    def __init__(self, config: LanguageModelConfig):
        super().__init__()
        self.heads, self.context = config.heads, config.context
        self.qkv = nn.Linear(config.dim, 3 * config.dim)
        self.out = nn.Linear(config.dim, config.dim)
        self.up = nn.Linear(config.dim, config.hidden)
        self.down = nn.Linear(config.hidden, config.dim)
        self.norm1 = nn.LayerNorm(config.dim)
        self.norm2 = nn.LayerNorm(config.dim)

    def forward(self, x: Tensor, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        query, key, value = self.split(self.qkv(x))
        keys, values = torch.cat([keys, key], dim=2), torch.cat([values, value], dim=2)
        seen = visible(x.shape[1], keys.shape[2], self.context, x.device)
        heard = F.scaled_dot_product_attention(query, keys, values, attn_mask=seen)
        x = self.norm1(x + self.out(heard.transpose(1, 2).flatten(2)))
        return self.norm2(x + self.down(F.gelu(self.up(x)))), keys, values

    def split(self, qkv: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Queries, keys and values of each head: [B, T, 3 * dim] → 3 × [B, heads, T, ...]."""
        parts = qkv.unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        return parts[0], parts[1], parts[2]


#: Keys, or values, of each layer, [B, heads, past, dim / heads].
Past = tuple[Tensor, ...]


class Layers(nn.ModuleList):
    """All layers of a Transformer, one after another, each with a past of its own.

    Args:
        config: sizes.

    Shape:
        x: [B, T, dim]; keys and values of each layer's past
        → [B, T, dim], keys and values of as much past as the next frame can look at
    """

    def __init__(self, config: LanguageModelConfig):
        super().__init__(Layer(config) for _ in range(config.layers))
        self.context = config.context

    def forward(self, x: Tensor, keys: Past, values: Past) -> tuple[Tensor, Past, Past]:
        all_keys, all_values = [], []
        for layer, past_keys, past_values in zip(self, keys, values):
            x, past_keys, past_values = layer(x, past_keys, past_values)
            all_keys.append(past_keys[:, :, -self.context :])
            all_values.append(past_values[:, :, -self.context :])
        return x, tuple(all_keys), tuple(all_values)

    def start(self, batch: int) -> tuple[Past, Past]:
        """Keys and values before the first frame.

        As in the official code, every layer's past begins with one frame whose input was all
        zeros: its key and value are the biases. Something to look at while there is nothing else.
        """
        keys, values = [], []
        for layer in self:
            assert isinstance(layer, Layer)
            _, key, value = layer.split(layer.qkv.bias.expand(batch, 1, -1))
            keys.append(key)
            values.append(value)
        return tuple(keys), tuple(values)


def visible(queries: int, keys: int, context: int, device: torch.device | None = None) -> Tensor:
    """Which of the last `keys` frames each of the last `queries` frames may look at.

    Itself and the `context` frames before it: never the future, which the decoder does not have.

    >>> visible(3, 4, context=1).int()
    tensor([[1, 1, 0, 0],
            [0, 1, 1, 0],
            [0, 0, 1, 1]], dtype=torch.int32)
    """
    back = torch.arange(keys - queries, keys, device=device)[:, None] - torch.arange(
        keys, device=device
    )
    return (back >= 0) & (back <= context)


class LanguageModel(nn.Module):
    """Probabilities of the codes of the next frame.

    >>> config = LanguageModelConfig(n_q=4, codebook_size=16, dim=16, layers=1, heads=2, hidden=32)
    >>> model = LanguageModel(config).eval()
    >>> codes = torch.randint(16, (1, 2, 10))
    >>> model(codes).shape
    torch.Size([1, 2, 10, 16])
    """

    def __init__(self, config: LanguageModelConfig):
        super().__init__()
        self.config = config
        #: Row 0 of each codebook's part means "no code yet"; code c is row c + 1.
        self.embedding = nn.Embedding(config.n_q * (config.codebook_size + 1), config.dim)
        self.norm = nn.LayerNorm(config.dim)
        self.layers = Layers(config)
        self.heads = nn.Linear(config.dim, config.n_q * config.codebook_size)

    def forward(self, codes: Tensor, offset: int = 0) -> Tensor:
        """Scores of every code of a clip, each computed from the frames before it alone.

        Args:
            codes: [B, K, T] with K ≤ n_q.
            offset: position of the first frame. Training draws it at random, so that the model
                learns to go by differences of positions.

        Shape:
            [B, K, T, codebook_size]; a softmax over the last axis gives probabilities.

        Raises:
            ValueError: for more codebooks than the model knows, or codes outside its size.
        """
        check_codes(codes, self.config, dims=3)
        before = F.pad(codes + 1, (1, 0))[..., : codes.shape[2]]
        return self._advance(before, self.start(codes.shape[1], len(codes), offset))[0]

    def start(self, n_q: int, batch: int = 1, offset: int = 0) -> LanguageModelState:
        """The state before the first frame."""
        return LanguageModelState(n_q, offset, *self.layers.start(batch))

    def stream(
        self, codes: Tensor | None, state: LanguageModelState
    ) -> tuple[Tensor, LanguageModelState]:
        """Scores of the next frame, given the one just seen; the layers' past is not computed anew.

        Args:
            codes: [B, K] of the frame just seen; None before the first.
            state: from `start`, or from the call before. It is not changed.

        Shape:
            [B, K, codebook_size], state
        """
        if codes is None:
            device = self.heads.weight.device
            before = torch.zeros(
                (len(state.keys[0]), state.n_q, 1), dtype=torch.int64, device=device
            )
        else:
            check_codes(codes, self.config, dims=2)
            before = codes[..., None] + 1
        scores, state = self._advance(before, state)
        return scores[:, :, 0], state

    def _advance(
        self, before: Tensor, state: LanguageModelState
    ) -> tuple[Tensor, LanguageModelState]:
        """`before`: [B, K, T], codes of the frame before each, plus 1; 0 where there is none."""
        batch, n_q, frames = before.shape
        size = self.config.codebook_size
        first_row = torch.arange(n_q, device=before.device)[:, None] * (size + 1)
        x = self.norm(self.embedding(before + first_row).sum(1))
        positions = torch.arange(state.position, state.position + frames, device=x.device)
        x = x + position_embedding(positions, self.config.dim)
        x, keys, values = self.layers(x, state.keys, state.values)
        rows = n_q * size
        scores = F.linear(x, self.heads.weight[:rows], self.heads.bias[:rows])
        scores = scores.view(batch, frames, n_q, size).transpose(1, 2)
        return scores, LanguageModelState(n_q, state.position + frames, keys, values)


def bits(scores: Tensor, codes: Tensor) -> Tensor:
    """What each code costs: log2(1 / p) of the one that came.

    Shape:
        scores: [B, K, T, size]; codes: [B, K, T] → [B, K, T]

    >>> bits(torch.zeros(1, 1, 2, 1024), torch.zeros(1, 1, 2, dtype=torch.int64))
    tensor([[[10., 10.]]])
    """
    flat = F.cross_entropy(scores.flatten(0, 2), codes.flatten(), reduction="none")
    return flat.view(codes.shape) / math.log(2)


def check_codes(codes: Tensor, config: LanguageModelConfig, dims: int) -> None:
    """Refuse what is not codes of such a model, with or without a time axis.

    Raises:
        ValueError: naming the first thing that is wrong.
    """
    wanted = "[B, K, T]" if dims == 3 else "[B, K]"
    if codes.dim() != dims or codes.is_floating_point():
        raise ValueError(
            f"codes are integers {wanted}, but these are {str(codes.dtype)[6:]} "
            f"{list(codes.shape)}."
        )
    if not 1 <= codes.shape[1] <= config.n_q:
        raise ValueError(
            f"this language model knows 1 to {config.n_q} codebooks, not {codes.shape[1]}."
        )
    if codes.numel() and not 0 <= int(codes.min()) <= int(codes.max()) < config.codebook_size:
        raise ValueError(
            f"codes of this language model lie in 0 to {config.codebook_size - 1}, but these lie "
            f"in {int(codes.min())} to {int(codes.max())}."
        )


def convert(state: Mapping[str, Tensor], config: LanguageModelConfig) -> LanguageModel:
    """A model with the weights of the official `encodec.model.LMModel`.

    Args:
        state: its state_dict.
        config: of the same sizes; the official ones are the defaults.

    Raises:
        ValueError: if tensors are missing, unknown, or of other shapes.
    """
    renames = {"self_attn.in_proj_": "qkv.", "self_attn.out_proj": "out", "linear1": "up",
               "linear2": "down", "transformer.layers": "layers",
               "transformer.norm_in": "norm"}  # fmt: skip
    ours: dict[str, Tensor] = {}
    for name, tensor in state.items():
        if not name.startswith(("emb.", "linears.")):
            for old, new in renames.items():
                name = name.replace(old, new)
            ours[name] = tensor
    levels = range(config.n_q)
    try:
        ours["embedding.weight"] = torch.cat([state[f"emb.{k}.weight"] for k in levels])
        ours["heads.weight"] = torch.cat([state[f"linears.{k}.weight"] for k in levels])
        ours["heads.bias"] = torch.cat([state[f"linears.{k}.bias"] for k in levels])
        model = LanguageModel(config)
        model.load_state_dict(ours)
    except (KeyError, RuntimeError) as error:
        raise ValueError(
            f"these are not the weights of an official language model of this size: {error}"
        ) from error
    return model.eval()
