"""Support: what chapter 12 builds of its Transformer, as exercises.

Those in integers, and at the chapter's end, are in `chapter_12`.
"""

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from minicodec.bits.transformer import visible
from minicodec.exercises.exercise import Exercise, Mistake
from minicodec.exercises.trying import draw

Pair = tuple[Tensor, Tensor]


def vectors(codes: Tensor, tables: Tensor) -> Tensor:
    """Codes [K, T], tables [K, 1 + N, dim] → one vector for each frame, [T, dim]."""
    return looked_up(tables, F.pad(codes[:, :-1] + 1, (1, 0))).sum(0)


def looked_up(tables: Tensor, rows: Tensor) -> Tensor:
    """Row numbers [K, T] → the rows of K tables, [K, T, dim]."""
    return torch.stack([table[row] for table, row in zip(tables, rows)])


def _codes_and_tables(generator: Generator) -> tuple[Tensor, Tensor]:
    # The last row is never the right one: whoever shifts the other way finds one all the same.
    codes = torch.randint(9, (3, 7), generator=generator)
    return codes, torch.randn(3, 11, 5, generator=generator)


def _frames(generator: Generator) -> tuple[int, int, int]:
    queries = draw(generator, 4, 6)
    return queries, queries + draw(generator, 4, 7), draw(generator, 2, 3)


def _back(queries: int, keys: int) -> Tensor:
    return torch.arange(keys - queries, keys)[:, None] - torch.arange(keys)


def _back_from_the_first(queries: int, keys: int, context: int) -> Tensor:
    back = torch.arange(queries)[:, None] - torch.arange(keys)
    return (back >= 0) & (back <= context)


def attention(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    context: int,
    scale: Callable[[float], float] = math.sqrt,
    axis: int = -1,
    hidden: float = -math.inf,
) -> Tensor:
    """q: [heads, T, d]; k, v: [heads, S, d] → [heads, T, d], equation (2)."""
    scores = q @ k.transpose(1, 2) / scale(q.shape[2])
    seen = visible(q.shape[1], k.shape[1], context)
    return scores.masked_fill(~seen, hidden).softmax(axis) @ v


def _hidden_afterwards(q: Tensor, k: Tensor, v: Tensor, context: int) -> Tensor:
    weights = (q @ k.transpose(1, 2) / math.sqrt(q.shape[2])).softmax(-1)
    return weights.masked_fill(~visible(q.shape[1], k.shape[1], context), 0.0) @ v


def _queries_keys_values(generator: Generator) -> tuple[Any, ...]:
    # As many frames ask as are asked, so that a softmax along the wrong axis leaves no NaN.
    q, k, v = torch.randn(3, 2, 6, 8, generator=generator)
    return q, k, v, 2


def remember(cache: Pair | None, k: Tensor, v: Tensor, context: int) -> tuple[Pair, Pair]:
    """Keys and values with those of the past in front, and the last `context` of each to keep."""
    if cache is not None:
        k, v = torch.cat([cache[0], k], 1), torch.cat([cache[1], v], 1)
    return (k, v), (k[:, -context:], v[:, -context:])


def _newest_first(cache: Pair | None, k: Tensor, v: Tensor, context: int) -> tuple[Pair, Pair]:
    if cache is not None:
        k, v = torch.cat([k, cache[0]], 1), torch.cat([v, cache[1]], 1)
    return (k, v), (k[:, -context:], v[:, -context:])


def _along_heads(cache: Pair | None, k: Tensor, v: Tensor, context: int) -> tuple[Pair, Pair]:
    if cache is not None:
        k, v = torch.cat([cache[0], k], 0), torch.cat([cache[1], v], 0)
    return (k, v), (k[:, -context:], v[:, -context:])


def _keeping(cut: Callable[[Tensor, Tensor, int], Tensor]) -> Callable[..., Any]:
    """`remember`, but with something else kept of all keys and the newest ones."""

    def wrong(cache: Pair | None, k: Tensor, v: Tensor, context: int) -> tuple[Pair, Pair]:
        (keys, values), _ = remember(cache, k, v, context)
        return (keys, values), (cut(keys, k, context), cut(values, v, context))

    return wrong


def _swapped(cache: Pair | None, k: Tensor, v: Tensor, context: int) -> tuple[Pair, Pair]:
    pair, (keys, values) = remember(cache, k, v, context)
    return pair, (values, keys)


def _chunks(generator: Generator) -> tuple[list[Pair], int]:
    """Keys and values of chunks of one, three, one and two frames."""
    return [
        (torch.randn(2, n, 3, generator=generator), torch.randn(2, n, 3, generator=generator))
        for n in (1, 3, 1, 2)
    ], 3


def _one_by_one(answer: Callable[..., Any], chunks: list[Pair], context: int) -> list[Any]:
    cache, found = None, []
    for k, v in chunks:
        pair, cache = answer(cache, k, v, context)
        found.append((pair, cache))
    return found


LESSON = (
    Exercise(
        "12.vectors",
        "Give for each frame the sum of the embeddings of the codes before it; row 0 of a table "
        "stands for no code yet.",
        vectors,
        (
            Mistake(
                "Each frame sees its own codes, which it is to predict: where is the shift?",
                lambda codes, tables: looked_up(tables, codes + 1).sum(0),
            ),
            Mistake(
                "Code 0 and no code yet share row 0 of the table: where do the codes begin?",
                lambda codes, tables: looked_up(tables, F.pad(codes[:, :-1], (1, 0))).sum(0),
            ),
            Mistake(
                "The first frame seems to follow code 0; row 0 is for where there is no code yet.",
                lambda codes, tables: looked_up(tables, F.pad(codes[:, :-1], (1, 0)) + 1).sum(0),
            ),
            Mistake(
                "Each frame sees the codes behind it: on which side is the 0 put?",
                lambda codes, tables: looked_up(tables, F.pad(codes[:, 1:] + 1, (0, 1))).sum(0),
            ),
            Mistake(
                "One frame too many: the last codes say nothing about a frame of this clip.",
                lambda codes, tables: looked_up(tables, F.pad(codes + 1, (1, 0))).sum(0),
            ),
            Mistake(
                "These are the embeddings of each level; a frame has one vector, their sum.",
                lambda codes, tables: looked_up(tables, F.pad(codes[:, :-1] + 1, (1, 0))),
            ),
            Mistake(
                "This is the mean of the embeddings; they are summed.",
                lambda codes, tables: vectors(codes, tables) / len(codes),
            ),
        ),
        minutes=8,
        points=2,
        inputs=_codes_and_tables,
        remark="One vector for a frame, however many codebooks.",
    ),
    Exercise(
        "12.visible",
        "Say for each of the last frames, which ask, at which frames it may look, by the set V(t) "
        "of equation (2).",
        visible,
        (
            Mistake(
                "A frame looks into the future, which the decoder does not have.",
                lambda queries, keys, context: _back(queries, keys) <= context,
            ),
            Mistake(
                "A frame looks as far ahead as back: on which side of it does the future lie?",
                lambda queries, keys, context: _back(queries, keys).abs() <= context,
            ),
            Mistake(
                "A frame looks back without end; how far does the context go?",
                lambda queries, keys, context: _back(queries, keys) >= 0,
            ),
            Mistake(
                "A frame does not look at itself; equation (2) lets it.",
                lambda queries, keys, context: (
                    (_back(queries, keys) > 0) & (_back(queries, keys) <= context)
                ),
            ),
            Mistake(
                "One frame too few: equation (2) has context frames and the one that asks.",
                lambda queries, keys, context: (
                    (_back(queries, keys) >= 0) & (_back(queries, keys) < context)
                ),
            ),
            Mistake(
                "Those that ask are taken for the first of the frames; they are the last ones.",
                _back_from_the_first,
            ),
            Mistake(
                "True and False are exchanged: True means that it may look.",
                lambda queries, keys, context: ~visible(queries, keys, context),
            ),
            Mistake(
                "Rows and columns are exchanged: a row is a frame that asks.",
                lambda queries, keys, context: visible(queries, keys, context).T,
            ),
        ),
        minutes=8,
        points=2,
        inputs=_frames,
        remark="No frame sees what the decoder will not have.",
    ),
    Exercise(
        "12.attention",
        "Give the mean of the visible values, weighted by equation (2).",
        attention,
        (
            Mistake(
                "The products are not divided by the root of d.",
                partial(attention, scale=lambda d: 1.0),
            ),
            Mistake(
                "The products are divided by d; equation (2) divides by its root.",
                partial(attention, scale=float),
            ),
            Mistake(
                "The weights of one key add up to 1; those of one query should.",
                partial(attention, axis=1),
            ),
            Mistake(
                "Hidden frames are weighted with a score of 0; which score has the weight 0?",
                partial(attention, hidden=0.0),
            ),
            Mistake(
                "Every frame is visible here, the future too.",
                lambda q, k, v, context: F.scaled_dot_product_attention(q, k, v),
            ),
            Mistake(
                "The weights of what is visible do not add up to 1: hide before the softmax.",
                _hidden_afterwards,
            ),
        ),
        minutes=8,
        points=2,
        inputs=_queries_keys_values,
    ),
    Exercise(
        "12.remember",
        "Put the keys and values of the cache in front of the new ones, and keep the last of all.",
        remember,
        (
            Mistake("The newest stand in front of the past; which is heard first?", _newest_first),
            Mistake(
                "The past came as more heads; it is more frames. Along which axis are they?",
                _along_heads,
            ),
            Mistake(
                "The oldest are kept; which will still be visible to the next frame?",
                _keeping(lambda all_, new, context: all_[:, :context]),
            ),
            Mistake(
                "All are kept, so the cache grows with the sound.",
                _keeping(lambda all_, new, context: all_),
            ),
            Mistake(
                "Only the newest are kept, and the past is forgotten after a step.",
                _keeping(lambda all_, new, context: new[:, -context:]),
            ),
            Mistake("Keys and values are exchanged in what is kept.", _swapped),
        ),
        minutes=8,
        points=2,
        inputs=_chunks,
        remark="A step computes the newest frame alone.",
        use=_one_by_one,
    ),
)
