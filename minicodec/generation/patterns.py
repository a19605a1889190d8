"""Patterns: in which order a language model reads and writes the codes of K codebooks.

A Transformer goes through one sequence, step by step. A codec gives K codes at once for each frame.
A pattern says at which step the code of level k in frame t has its turn:

    step(k, t) = stride · t + delays[k]

so that all three that people use are one formula. *Parallel* writes a frame in one step; *delayed*
too, but each level a step behind the one above it; *flat* takes K steps for a frame.

    parallel          delayed             flat
    a0 a1 a2          a0 a1 a2 –          a0 –  a1 –  a2 –
    b0 b1 b2          –  b0 b1 b2         –  b0 –  b1 –  b2

Codes of one step are drawn without knowledge of each other, each from all earlier steps.

Chapter 16c.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

#: Stands in a sequence where no code has its turn.
EMPTY = -1


@dataclass(frozen=True)
class Pattern:
    """When each code has its turn.

    Args:
        stride: steps from a frame to the next.
        delays: of each level, in steps; the first is 0.

    Raises:
        ValueError: if a stride or delay is no whole number, too small, or the first is not 0.

    >>> Pattern(1, (0, 1)).apply(torch.tensor([[[10, 11, 12], [20, 21, 22]]]))
    tensor([[[10, 11, 12, -1],
             [-1, 20, 21, 22]]])
    """

    stride: int
    delays: tuple[int, ...]

    def __post_init__(self) -> None:
        if type(self.stride) is not int or self.stride < 1:
            raise ValueError(f"a pattern's stride is a whole number from 1 on, not {self.stride}.")
        if not self.delays or any(type(d) is not int or d < 0 for d in self.delays):
            raise ValueError(
                f"a pattern has a delay for each level, whole numbers from 0 on, not {self.delays}."
            )
        if self.delays[0] != 0:
            raise ValueError(f"a pattern's first delay is 0, not {self.delays[0]}.")

    @property
    def n_q(self) -> int:
        """Levels K."""
        return len(self.delays)

    def length(self, frames: int) -> int:
        """Steps of so many frames.

        >>> flat(4).length(75), delayed(4).length(75)
        (300, 78)
        """
        return self.stride * (frames - 1) + max(self.delays) + 1 if frames else 0

    def frames(self, steps: int) -> int:
        """The whole frames in so many steps: the inverse of `length`."""
        return max(0, (steps - max(self.delays) - 1) // self.stride + 1)

    def steps(self, frames: int, device: torch.device | None = None) -> Tensor:
        """step(k, t) of each code: [K, frames]."""
        t = torch.arange(frames, device=device)
        return self.stride * t + torch.tensor(self.delays, device=device)[:, None]

    def frame_at(self, level: int, step: int) -> int | None:
        """Which frame's code of this level has its turn at this step; None if there is none.

        >>> delayed(4).frame_at(2, 10), delayed(4).frame_at(2, 1), flat(4).frame_at(2, 10)
        (8, None, 2)
        """
        frame, rest = divmod(step - self.delays[level], self.stride)
        return None if rest or frame < 0 else frame

    def apply(self, codes: Tensor) -> Tensor:
        """Codes in the order in which they have their turn.

        Shape:
            codes: [B, K, T] → [B, K, length(T)], EMPTY where nothing has its turn.

        Raises:
            ValueError: for anything but integers [B, K, T] of as many levels.
        """
        self._check(codes, "[B, K, T]")
        sequence = codes.new_full((*codes.shape[:2], self.length(codes.shape[2])), EMPTY)
        where = self.steps(codes.shape[2], codes.device)
        return sequence.scatter(2, where.expand(len(codes), -1, -1), codes)

    def undo(self, sequence: Tensor) -> Tensor:
        """The codes again; steps behind the last whole frame are left out.

        Shape:
            sequence: [B, K, S] → [B, K, frames(S)]

        Raises:
            ValueError: for anything but integers [B, K, S] of as many levels.
        """
        self._check(sequence, "[B, K, S]")
        where = self.steps(self.frames(sequence.shape[2]), sequence.device)
        return sequence.gather(2, where.expand(len(sequence), -1, -1))

    def _check(self, codes: Tensor, wanted: str) -> None:
        if not isinstance(codes, Tensor) or codes.dim() != 3 or codes.is_floating_point():
            found = list(codes.shape) if isinstance(codes, Tensor) else type(codes).__name__
            raise ValueError(f"a pattern is for integers {wanted}, not for {found}.")
        if codes.shape[1] != self.n_q:
            raise ValueError(f"this pattern has {self.n_q} levels, but these are {codes.shape[1]}.")


def parallel(n_q: int) -> Pattern:
    """All codes of a frame in one step: nothing inside a frame knows of the rest of it."""
    return Pattern(1, (0,) * n_q)


def delayed(n_q: int) -> Pattern:
    """Each level one step behind the one above: a step holds codes of K different frames."""
    return Pattern(1, tuple(range(n_q)))


def flat(n_q: int) -> Pattern:
    """One code in each step: everything is known that could be, for K times the steps."""
    return Pattern(n_q, tuple(range(n_q)))


#: By the names that this book uses.
PATTERNS = {"parallel": parallel, "delayed": delayed, "flat": flat}
