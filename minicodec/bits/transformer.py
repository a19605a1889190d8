"""The layers of a Transformer that works frame by frame: attention to a bounded past, no future.

Each layer's keys and values of the past are handed in and out, so that the next frame need not
compute them anew. The language models of chapter 12 and of chapter 16c are built from them.

Chapter 12. Paper: section 3.3.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


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
        dim: channels between layers.
        heads: of the attention.
        hidden: channels inside the feed-forward part.
        context: frames before the present one that it sees.

    Shape:
        x: [B, T, dim]; keys and values of the past: [B, heads, P, dim / heads]
        → [B, T, dim], keys and values of past and present
    """

    def __init__(self, dim: int, heads: int, hidden: int, context: int):
        super().__init__()
        self.heads, self.context = heads, context
        self.qkv = nn.Linear(dim, 3 * dim)
        self.out = nn.Linear(dim, dim)
        self.up = nn.Linear(dim, hidden)
        self.down = nn.Linear(hidden, dim)
        self.norm1 = nn.LayerNorm(dim)
        self.norm2 = nn.LayerNorm(dim)

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
        count: of layers.
        dim, heads, hidden, context: of each, as `Layer` has them.

    Shape:
        x: [B, T, dim]; keys and values of each layer's past
        → [B, T, dim], keys and values of as much past as the next frame can look at
    """

    def __init__(self, count: int, dim: int, heads: int, hidden: int, context: int):
        super().__init__(Layer(dim, heads, hidden, context) for _ in range(count))
        self.context = context

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
