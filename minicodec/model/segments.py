"""Support: how clips fall into segments, and segments into frames; cutting and cross-fading them.

A model that looks at a whole second at once, as the 48 kHz one does, cannot keep a state of layers
from piece to piece of a stream. It cuts the clip into segments of one second that overlap a
little::

    segment 0   ├──────────────────────────┤
    segment 1                            ├──────────────────────────┤
    segment 2                                                     ├─────────┤
                                         ╲╱ faded                 ╲╱ faded

Cutting and fading themselves need memory, of less than one segment, and that is what lives here. So
these models stream as well: a segment's delay late, but with the codes of one big pass.

Paper: section 3.1 (one second, 10 ms of overlap).
"""

from bisect import bisect_left
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor


@dataclass(frozen=True)
class Segments:
    """How clips of a model fall into segments and frames: all of that arithmetic, on integers.

    Args:
        length: samples of a segment; 0 for a model to which every clip is one segment.
        stride: samples from the start of one segment to the start of the next.
        hop: samples of a frame.

    >>> segments = Segments(length=48000, stride=47520, hop=320)
    >>> segments.spans(60000), segments.frames(60000)
    ([(0, 48000), (47520, 60000)], [150, 39])
    """

    length: int
    stride: int
    hop: int

    @property
    def full(self) -> int:
        """Frames of a whole segment."""
        return -(-self.length // self.hop)

    def whole(self, samples: int) -> int:
        """How many segments of a clip are whole."""
        return max(0, (samples - self.length) // self.stride + 1)

    def spans(self, samples: int, last: bool = True) -> list[tuple[int, int]]:
        """First sample and end of each segment of a clip; unless `last`, of the whole ones alone.

        >>> Segments(4, 3, hop=1).spans(10), Segments(4, 3, hop=1).spans(10, last=False)
        ([(0, 4), (3, 7), (6, 10), (9, 10)], [(0, 4), (3, 7), (6, 10)])
        """
        if not self.length:
            return [(0, samples)] if last else []
        count = -(-samples // self.stride) if last else self.whole(samples)
        starts = range(0, count * self.stride, self.stride)
        return [(start, min(start + self.length, samples)) for start in starts]

    def frames(self, samples: int) -> list[int]:
        """Frames of each segment of a clip."""
        return [-(-(end - start) // self.hop) for start, end in self.spans(samples)]

    def divide(self, frames: int, last: bool = True) -> list[int]:
        """How the frames of a clip fall to its segments; unless `last`, as far as it is certain.

        The last two segments may both be short: of 47521 samples at 48 kHz the second segment gets
        one sample, and the first is 479 samples short of a second. But a longer clip never has
        fewer frames in any segment, so the shortest clip that has this many shows the division.

        Raises:
            ValueError: if no clip has this many frames.

        >>> segments = Segments(length=48000, stride=47520, hop=320)
        >>> segments.divide(150), segments.divide(192)
        ([149, 1], [150, 42])
        >>> segments.divide(150, last=False), segments.divide(400, last=False)
        ([], [150, 150])
        """
        if not frames or not self.length:
            return [frames] if frames else []
        if not last:
            # Among all clips whose first segment is full, the shortest tells how many make sure.
            certain = sum(self.frames((self.full - 1) * self.hop + 1))
            return [self.full] * max(0, (frames - certain) // self.full + 1)
        lengths = range(1, frames * self.hop + 1)
        shortest = lengths[bisect_left(lengths, frames, key=lambda n: sum(self.frames(n)))]
        if sum(self.frames(shortest)) != frames:
            raise ValueError(f"no clip of this model has {frames} frames.")
        return self.frames(shortest)

    def cut(self, samples: Tensor, last: bool) -> tuple[list[Tensor], Tensor]:
        """Take the whole segments off the front of a clip, and all of them if no more will come.

        Args:
            samples: those from the next segment's start on.

        Shape:
            samples: [B, C, T] → segments [B, C, at most length], and what is left for the next call

        >>> segments, left = Segments(4, 3, 1).cut(torch.arange(10.0).view(1, 1, 10), last=False)
        >>> [s.shape[-1] for s in segments], left.flatten().tolist()
        ([4, 4, 4], [9.0])
        """
        spans = self.spans(samples.shape[-1], last)
        taken = len(spans) * self.stride if self.length else samples.shape[-1]
        return [samples[..., start:end] for start, end in spans], samples[..., taken:]


class Fade(NamedTuple):
    """What a cross-fade remembers from one segment to the next."""

    window: Tensor  #: [L], weights of the samples of one segment
    total: Tensor  #: [B, C, n], weighted samples that later segments may still add to
    weights: Tensor  #: [n], the sum of their weights


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
    faded, state = [], None
    for index, segment in enumerate(segments):
        part, state = cross_fade(segment, state, stride, index == len(segments) - 1)
        faded.append(part)
    return torch.cat(faded, dim=-1)


def _add(a: Tensor, b: Tensor) -> Tensor:
    """Sum of two signals that start together; the longer one goes on alone."""
    # The last segment may end before the one that it overlaps; the official code fails there.
    longer, shorter = (a, b) if a.shape[-1] >= b.shape[-1] else (b, a)
    longer = longer.clone()
    longer[..., : shorter.shape[-1]] += shorter
    return longer
