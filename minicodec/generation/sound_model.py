"""A language model of sound: codes in, probabilities of the next codes out, in any pattern.

It is chapter 12's Transformer, asked another question. There it spared bits of a file, and one step
per frame was enough. Here codes are to be *drawn* from it, and what is drawn together in one step
cannot fit together. So the order of codes is a `Pattern`, and the rest is as before: what stands in
the step before is embedded and summed, one head for each level.

All scores come out in the order of the codes, [B, K, T], whatever the pattern. So losses of
different patterns can be compared: each is minus the logarithm of a probability of the same codes.

Chapter 16c. Paper: Copet et al., Simple and controllable music generation (2023), section 2.2.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from minicodec.bits.language_model import LanguageModelConfig, check_codes
from minicodec.bits.transformer import Layers, position_embedding
from minicodec.generation.patterns import EMPTY, Pattern


class SoundState(NamedTuple):
    """What a model remembers between two steps."""

    step: int  #: how many steps have been read
    keys: tuple[Tensor, ...]  #: of each layer, [B, heads, past, dim / heads]
    values: tuple[Tensor, ...]  #: of each layer, like the keys


class SoundModel(nn.Module):
    """Probabilities of codes, each from all codes of earlier steps.

    Args:
        config: sizes; its frames are steps of the pattern: `frame_rate` is steps per second.
        pattern: when each code has its turn.

    Raises:
        ValueError: if pattern and config differ in levels.

    >>> from minicodec.generation.patterns import delayed
    >>> config = LanguageModelConfig(n_q=2, codebook_size=16, dim=16, layers=1, heads=2, hidden=32)
    >>> model = SoundModel(config, delayed(2)).eval()
    >>> model(torch.randint(16, (1, 2, 10))).shape
    torch.Size([1, 2, 10, 16])
    """

    def __init__(self, config: LanguageModelConfig, pattern: Pattern):
        super().__init__()
        if config.n_q != pattern.n_q:
            raise ValueError(
                f"a model of {config.n_q} levels needs a pattern of as many, not {pattern.n_q}."
            )
        self.config, self.pattern = config, pattern
        #: Row 0 of each level's part means that it has no turn; code c is row c + 1.
        self.embedding = nn.Embedding(config.n_q * (config.codebook_size + 1), config.dim)
        self.norm = nn.LayerNorm(config.dim)
        self.layers = Layers(config.layers, config.dim, config.heads, config.hidden, config.context)
        self.heads = nn.ModuleList(
            nn.Linear(config.dim, config.codebook_size) for _ in range(config.n_q)
        )

    def forward(self, codes: Tensor, offset: int = 0) -> Tensor:
        """Scores of every code of a clip, each computed from the steps before its own.

        Args:
            offset: position of the first step; training draws it at random.

        Shape:
            codes: [B, K, T] → [B, K, T, codebook_size]

        Raises:
            ValueError: for codes that are not this model's.
        """
        self._check(codes)
        before = F.pad(self.pattern.apply(codes), (1, -1), value=EMPTY)
        seen, _ = self._advance(before, self.start(len(codes), offset))
        where = self.pattern.steps(codes.shape[2], codes.device)
        return torch.stack([head(seen[:, steps]) for head, steps in zip(self.heads, where)], dim=1)

    def start(self, batch: int = 1, offset: int = 0) -> SoundState:
        """The state before the first step; a layer's past begins with biases, as in chapter 12."""
        return SoundState(offset, *self.layers.start(batch))

    def stream(self, before: Tensor, state: SoundState) -> tuple[Tensor, SoundState]:
        """One step: what is known when the codes of the step before have been read.

        Args:
            before: [B, K] codes of the step before; EMPTY where none has its turn.
            state: from `start`, or from the call before. It is not changed.

        Shape:
            [B, dim], for `scores`; state
        """
        seen, state = self._advance(before[:, :, None], state)
        return seen[:, 0], state

    def scores(self, seen: Tensor, level: int) -> Tensor:
        """Scores of one level's codes: [..., dim] → [..., codebook_size]."""
        scores: Tensor = self.heads[level](seen)
        return scores

    def _advance(self, before: Tensor, state: SoundState) -> tuple[Tensor, SoundState]:
        """`before`: [B, K, S], what stands in the step before each → [B, S, dim]."""
        steps, device = before.shape[2], before.device
        first_row = torch.arange(self.config.n_q, device=device)[:, None]
        rows = before + 1 + first_row * (self.config.codebook_size + 1)
        x = self.norm(self.embedding(rows).sum(1))
        positions = torch.arange(state.step, state.step + steps, device=device)
        x = x + position_embedding(positions, self.config.dim)
        x, keys, values = self.layers(x, state.keys, state.values)
        return x, SoundState(state.step + steps, keys, values)

    def _check(self, codes: Tensor) -> None:
        check_codes(codes, self.config, dims=3)
        if codes.shape[1] != self.config.n_q or not codes.shape[2]:
            raise ValueError(
                f"this model reads clips of {self.config.n_q} levels and at least one frame, not "
                f"codes {list(codes.shape)}."
            )
