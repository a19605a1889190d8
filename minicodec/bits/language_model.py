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

from minicodec.bits.transformer import Layers, position_embedding
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
        self.layers = Layers(config.layers, config.dim, config.heads, config.hidden, config.context)
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
