"""Long clips in segments: each is coded alone, and neighbours are cross-faded.

A model that looks at a whole second at once, as the 48 kHz one does, cannot keep a state of layers
from chunk to chunk. It cuts the clip into segments of one second that overlap a little::

    segment 0   ├──────────────────────────┤
    segment 1                            ├──────────────────────────┤
    segment 2                                                     ├─────────┤
                                         ╲╱ faded                 ╲╱ faded

Cutting and fading themselves need memory, of less than one segment, and that is what lives here. So
these models stream as well: a segment's delay late, but with the codes of one big pass.

Chapter 04. Paper: sections 3.1 and 4.1 (one second, 10 ms of overlap).
"""

from typing import NamedTuple

import torch
from torch import Tensor


class Fade(NamedTuple):
    """What a cross-fade remembers from one segment to the next."""

    window: Tensor  #: [L], weights of the samples of one segment
    total: Tensor  #: [B, C, n], weighted samples that later segments may still add to
    weights: Tensor  #: [n], the sum of their weights


def cut(samples: Tensor, length: int, stride: int, last: bool) -> tuple[list[Tensor], Tensor]:
    """Take the whole segments off the front of `samples`, and all of them if no more will come.

    Args:
        samples: those from the first segment's start on.
        length, stride: of a segment, and from one start to the next.

    Shape:
        samples: [B, C, T] → segments [B, C, at most length], and what is left for the next call

    >>> segments, left = cut(torch.arange(10.0).view(1, 1, 10), length=4, stride=3, last=False)
    >>> [s.shape[-1] for s in segments], left.flatten().tolist()
    ([4, 4, 4], [9.0])
    """
    segments = []
    while samples.shape[-1] >= length or (last and samples.shape[-1]):
        segments.append(samples[..., :length])
        samples = samples[..., stride:]
    return segments, samples


def cross_fade(
    segment: Tensor, state: Fade | None, stride: int, last: bool = False
) -> tuple[Tensor, Fade]:
    """Add one more segment, give back the samples that no later segment overlaps.

    Every segment is weighted with a triangle that never reaches zero, and the sum is divided by the
    sum of the weights: where one segment is alone this changes nothing, where two meet it fades.

    Shape:
        segment: [B, C, L] → [B, C, stride], or all that is left of the clip
    """
    if state is None:
        ramp = torch.linspace(0, 1, segment.shape[-1] + 2).to(segment)[1:-1]
        state = Fade(0.5 - (ramp - 0.5).abs(), segment[..., :0], ramp[:0])
    window = state.window[: segment.shape[-1]]
    total, weights = _add(state.total, window * segment), _add(state.weights, window)
    ready = total.shape[-1] if last else stride
    faded = total[..., :ready] / weights[:ready]
    return faded, Fade(state.window, total[..., ready:], weights[ready:])


def overlap_add(segments: list[Tensor], stride: int) -> Tensor:
    """Join segments that start `stride` samples apart, cross-fading where they overlap.

    Shape:
        segments: n × [B, C, L], of which the last ones may be shorter → [B, C, where the last ends]

    >>> overlap_add([torch.ones(1, 1, 4), torch.ones(1, 1, 4)], stride=3)
    tensor([[[1., 1., 1., 1., 1., 1., 1.]]])
    """
    pieces, state = [], None
    for index, segment in enumerate(segments):
        piece, state = cross_fade(segment, state, stride, index == len(segments) - 1)
        pieces.append(piece)
    return torch.cat(pieces, dim=-1)


def _add(a: Tensor, b: Tensor) -> Tensor:
    """Sum of two signals that start together; the longer one goes on alone."""
    # The last segment may end before the one that it overlaps; the official code fails there.
    longer, shorter = (a, b) if a.shape[-1] >= b.shape[-1] else (b, a)
    longer = longer.clone()
    longer[..., : shorter.shape[-1]] += shorter
    return longer
