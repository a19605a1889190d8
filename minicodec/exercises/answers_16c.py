"""Support: answers of chapter 16c, right ones and wrong ones, and the inputs they are tried on."""

import math
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from minicodec.bits.language_model import bits
from minicodec.exercises.trying import draw
from minicodec.generation.patterns import EMPTY, Pattern, delayed
from minicodec.generation.sampling import probabilities
from minicodec.generation.speaking import request


def delay(codes: Tensor) -> Tensor:
    """Codes [K, T] → [K, T + K − 1], each level one step behind the one above it."""
    return delayed(len(codes)).apply(codes[None])[0]


def undelay(sequence: Tensor) -> Tensor:
    """[K, S] → the codes [K, S − K + 1] again."""
    return delayed(len(sequence)).undo(sequence[None])[0]


def delay_by(delays: Callable[[int], tuple[int, ...]], empty: int = EMPTY) -> Callable[..., Tensor]:
    """`delay`, but by other steps, or with something else in the gaps."""

    def wrong(codes: Tensor) -> Tensor:
        given = delays(len(codes))
        length = codes.shape[1] + max(given)
        rows = [F.pad(r, (d, length - d - len(r)), value=empty) for r, d in zip(codes, given)]
        return torch.stack(rows)

    return wrong


def cut(codes: Tensor) -> Tensor:
    """What `delay` gives, without the steps behind the last frame."""
    return delay(codes)[:, : codes.shape[1]]


def undelay_by(begin: Callable[[int, int], int]) -> Callable[..., Tensor]:
    """`undelay`, but level k of K begins elsewhere."""

    def wrong(sequence: Tensor) -> Tensor:
        levels, steps = sequence.shape
        frames = steps - levels + 1
        first = [begin(k, levels) for k in range(levels)]
        return torch.stack([row[f : f + frames] for row, f in zip(sequence, first)])

    return wrong


def with_gaps(sequence: Tensor) -> Tensor:
    """The codes, as long as the sequence was."""
    return F.pad(undelay(sequence), (0, len(sequence) - 1), value=EMPTY)


def some_codes(generator: Generator) -> tuple[Tensor]:
    """Three or four levels; no code is 0, so that a gap filled with 0 shows."""
    shape = (draw(generator, 3, 4), draw(generator, 6, 9))
    return (torch.randint(1, 1000, shape, generator=generator),)


def delayed_codes(generator: Generator) -> tuple[Tensor]:
    """What `undelay` gets."""
    return (delay(*some_codes(generator)),)


def steps(frames: int, stride: int, delays: tuple[int, ...]) -> Tensor:
    """At which step each code has its turn: [K, frames], equation (2)."""
    return Pattern(stride, delays).steps(frames)


def some_pattern(generator: Generator) -> tuple[int, int, tuple[int, ...]]:
    """Never with a stride of 1, nor delays 0, 1, 2, nor as many levels as frames."""
    later = torch.randperm(4, generator=generator)[:2] + 2
    return draw(generator, 5, 8), draw(generator, 2, 4), (0, *later.tolist())


def cost(scores: Tensor, codes: Tensor) -> tuple[float, float]:
    """Bits of a frame, and perplexity of a code: scores [K, T, N], codes [K, T]."""
    return _frame_and_code(bits(scores[None], codes[None])[0])


def _frame_and_code(each: Tensor) -> tuple[float, float]:
    """Of the bits of each code, [K, T]."""
    return float(each.sum(0).mean()), float(2 ** each.mean())


def expected_cost(scores: Tensor, codes: Tensor) -> tuple[float, float]:
    """Of codes drawn from these scores, not of those that came: an entropy."""
    p = scores.softmax(-1)
    return _frame_and_code(-(p * p.log2()).sum(-1))


def cost_over_frames(scores: Tensor, codes: Tensor) -> tuple[float, float]:
    """With the softmax along the wrong axis."""
    p = scores.softmax(1).gather(-1, codes[..., None])[..., 0]
    return _frame_and_code(-p.log2())


def mean_choice(scores: Tensor, codes: Tensor) -> float:
    """The mean of 1 / p: a perplexity of those who average before the logarithm."""
    return float((2 ** bits(scores[None], codes[None])).mean())


def scores_and_codes(generator: Generator) -> tuple[Tensor, Tensor]:
    """Of three levels, ten frames."""
    scores = 2 * torch.randn(3, 10, 16, generator=generator)
    return scores, torch.randint(16, (3, 10), generator=generator)


def scores_and_knobs(generator: Generator) -> tuple[Tensor, float, int]:
    """A temperature far from 1, and rows that differ in their heights."""
    scores = 2 * torch.randn(5, 12, generator=generator) + torch.arange(5)[:, None]
    temperature = (0.5, 0.6, 1.5, 1.8)[draw(generator, 0, 3)]
    return scores, temperature, draw(generator, 3, 5)


def zeroed(scores: Tensor, temperature: float, top_k: int) -> Tensor:
    """Rows that do not add up to 1: cut after the softmax."""
    p = (scores / temperature).softmax(-1)
    return p.where(p >= p.topk(top_k).values[:, -1:], 0.0)


def with_zero_scores(scores: Tensor, temperature: float, top_k: int) -> Tensor:
    """What is cut has a score of 0, and so a share."""
    scores = scores / temperature
    return scores.where(scores >= scores.topk(top_k).values[:, -1:], 0.0).softmax(-1)


def of_all_rows(scores: Tensor, temperature: float, top_k: int) -> Tensor:
    """One limit for all rows: of those below it nothing is left, and a softmax gives NaN."""
    scores = scores / temperature
    least = scores.flatten().topk(top_k).values[-1]
    return scores.masked_fill(scores < least, -math.inf).softmax(-1)


def the_least(scores: Tensor, temperature: float, top_k: int) -> Tensor:
    """The unlikeliest are left."""
    scores = scores / temperature
    most = scores.topk(top_k, largest=False).values[:, -1:]
    return scores.masked_fill(scores > most, -math.inf).softmax(-1)


def nucleus(scores: Tensor, share: float) -> Tensor:
    """The fewest of the likeliest codes that have this share together; the rest gets nothing."""
    return nucleus_with(scores, share, lambda before, own: before < share)


def nucleus_with(
    scores: Tensor, share: float, kept: Callable[[Tensor, Tensor], Tensor], again: bool = True
) -> Tensor:
    """`kept` says of each code which stays: it gets what likelier ones have, and its own."""
    p, order = scores.softmax(-1).sort(-1, descending=True)
    p = p.where(kept(p.cumsum(-1) - p, p), 0.0)
    p = p / p.sum(-1, keepdim=True) if again else p
    return torch.zeros_like(p).scatter(-1, order, p)


def scores_and_share(generator: Generator) -> tuple[Tensor, float]:
    """Rows with several likely codes, none of which has the share alone."""
    scores = 1.2 * torch.randn(4, 12, generator=generator)
    return scores.clamp(-2, 1.5), (0.7, 0.8, 0.9)[draw(generator, 0, 2)]


def still_sorted(scores: Tensor, share: float) -> Tensor:
    """Right, but the likeliest code stands in the first column."""
    return nucleus(scores, share).sort(-1, descending=True).values


def sorted_again(scores: Tensor, share: float) -> Tensor:
    """`gather` with the order of the sort, which sorts once more instead of undoing it."""
    return still_sorted(scores, share).gather(-1, scores.argsort(-1, descending=True))


def one_too_many(scores: Tensor, share: float) -> Tensor:
    """With the code behind the one that reaches the share."""
    count = (nucleus(scores, share) > 0).sum(-1) + 1
    rank = scores.argsort(-1, descending=True).argsort(-1)
    return scores.masked_fill(rank >= count[:, None], -math.inf).softmax(-1)


def unlikeliest_first(scores: Tensor, share: float) -> Tensor:
    """Counted from the wrong end."""
    p, order = scores.softmax(-1).sort(-1)
    p = p.where(p.cumsum(-1) - p < share, 0.0)
    return torch.zeros_like(p).scatter(-1, order, p / p.sum(-1, keepdim=True))


def knobs(**changes: Any) -> Callable[..., Tensor]:
    """`probabilities`, with one knob read wrongly: a function of temperature or of top_k."""

    def wrong(scores: Tensor, temperature: float, top_k: int) -> Tensor:
        given: dict[str, Any] = {"temperature": temperature, "top_k": top_k}
        for name, change in changes.items():
            given[name] = change(given[name])
        return probabilities(scores, **given)

    return wrong


def request_with(changed: Callable[[Tensor], Tensor]) -> Callable[..., Tensor]:
    """`request`, but what is asked for is changed."""

    def wrong(voice: Tensor, phonemes: Tensor) -> Tensor:
        asked = request(voice, phonemes)[:, voice.shape[1] :]
        return torch.cat([voice, changed(asked)], dim=1)

    return wrong


def forgotten_voice(voice: Tensor, phonemes: Tensor) -> Tensor:
    """Only the first row is given, from the beginning on."""
    rows = torch.full((len(voice), voice.shape[1] + len(phonemes)), EMPTY)
    rows[0] = torch.cat([voice[0], phonemes])
    return rows


def written_over(voice: Tensor, phonemes: Tensor) -> Tensor:
    """The phonemes begin where the voice does."""
    rows = request(voice, phonemes)
    rows[0, : len(phonemes)] = phonemes
    rows[0, len(phonemes) :] = EMPTY
    return rows


def voice_and_phonemes(generator: Generator) -> tuple[Tensor, Tensor]:
    """A voice of a few levels, and fewer phonemes than it has frames, none of them 0."""
    frames = draw(generator, 6, 9)
    voice = torch.randint(1, 256, (draw(generator, 3, 5), frames), generator=generator)
    return voice, torch.randint(1, 50, (draw(generator, 3, 5),), generator=generator)
