"""Support: behind the exercises of chapter 15b: mended functions, input, and ways to be wrong.

What reads bytes is in `answers_15b_files`; the implementations that a student's tests are tried on
are in `answers_15b_tests`.
"""

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from minicodec.exercises.answers_05 import rescued, running_means, unequal_totals
from minicodec.exercises.trying import draw
from minicodec.model.quantize import nearest
from minicodec.sound.metrics import si_sdr

Totals = tuple[Tensor, Tensor]


def mended_update(sums: Tensor, counts: Tensor, z: Tensor, fresh: Tensor, decay: float) -> Totals:
    """Both totals after a batch, in which those that are rare by now have begun anew.

    Shape:
        sums: [N, D]; counts: [N]; z: [frames, D]; fresh: [N, D] → [N, D], [N]
    """
    return rescued(*running_means(sums, counts, z, decay), fresh)


def update_with(
    sums: Callable[[Tensor, Tensor, Tensor], Tensor] = lambda fresh, even, counts: fresh * even,
    anew: bool = True,
    least: float | None = None,
) -> Callable[..., Totals]:
    """A rescue with a mistake: other sums, counts that are kept, or another measure."""

    def update(
        old: Tensor, counts: Tensor, z: Tensor, fresh: Tensor, decay: float = 0.99
    ) -> Totals:
        old, counts = running_means(old, counts, z, decay)
        even = counts.mean()
        rare = counts < (0.1 * even if least is None else least)
        new = torch.where(rare[:, None], sums(fresh, even, counts[:, None]), old)
        return new, torch.where(rare, even, counts) if anew else counts

    return update


def from_the_top(fresh: Tensor, even: Tensor, counts: Tensor) -> Tensor:
    """The mistake of taking the first rows of `fresh` for the rare vectors, in their order."""
    rare = counts[:, 0] < 0.1 * even
    return fresh[(rare.cumsum(0) - 1).clamp(min=0)] * even


def unweighted(sums: Tensor, counts: Tensor, z: Tensor, fresh: Tensor, decay: float) -> Totals:
    """The mistake of adding the batch in full, not by 1 − decay."""
    new, after = running_means(sums, counts, z, decay)
    share = 1 / (1 - decay)
    return rescued(
        decay * sums + share * (new - decay * sums),
        decay * counts + share * (after - decay * counts),
        fresh,
    )


def nearest_sums(sums: Tensor, counts: Tensor, z: Tensor, fresh: Tensor, decay: float) -> Totals:
    """The mistake of looking for the nearest sum instead of the nearest vector."""
    chosen = F.one_hot(nearest(z, sums), len(sums)).float()
    sums = decay * sums + (1 - decay) * chosen.T @ z
    return rescued(sums, decay * counts + (1 - decay) * chosen.sum(0), fresh)


def old_counts(sums: Tensor, counts: Tensor, z: Tensor, fresh: Tensor, decay: float) -> Totals:
    """The mistake of choosing the rare by the counts of before the batch."""
    new, after = running_means(sums, counts, z, decay)
    rare, even = counts < 0.1 * counts.mean(), after.mean()
    return torch.where(rare[:, None], fresh * even, new), torch.where(rare, even, after)


def even_of_batch(sums: Tensor, counts: Tensor, z: Tensor, fresh: Tensor, decay: float) -> Totals:
    """The mistake of an even count that is the batch's, not the totals'."""
    new, after = running_means(sums, counts, z, decay)
    even = len(z) / len(counts)
    rare = after < 0.1 * even
    return torch.where(rare[:, None], fresh * even, new), torch.where(rare, even, after)


def old_sums(sums: Tensor, counts: Tensor, z: Tensor, fresh: Tensor, decay: float) -> Totals:
    """The mistake of beginning anew in the counts alone."""
    new, after = running_means(sums, counts, z, decay)
    return new, rescued(new, after, fresh)[1]


def totals_batch_and_fresh(generator: Generator) -> tuple[Tensor, Tensor, Tensor, Tensor, float]:
    """Of 24 vectors 6 are rare, and others nearly; the batch chooses the others, and one rare."""
    sums, counts, fresh = unequal_totals(generator)
    book, counts = sums / counts[:, None], 2 * counts
    few = counts.argsort()[:7]
    # Two are rare by any measure, four not by the batch's own even count, and one is not rare.
    counts[few] = torch.tensor([0.12, 0.2, 0.5, 0.52, 0.54, 0.56, 1.6])
    sums = counts[:, None] * book
    common = counts > 0.2 * counts.mean()
    risen = book[few[3]].expand(30, -1)  # often enough to be rare no more
    z = torch.cat([book[common].repeat(2, 1), risen])
    z = z + 0.01 * torch.randn(z.shape, generator=generator)
    return sums, counts, z, fresh, 0.8 + 0.15 * float(torch.rand((), generator=generator))


def windowed(estimate: Tensor, reference: Tensor, size: int) -> Tensor:
    """Mean SI-SDR of those windows in which the reference is not silent.

    Shape:
        estimate, reference: [T] → scalar, in dB
    """
    return windowed_with()(estimate, reference, size)


def windowed_with(
    of_windows: Callable[[Tensor, Tensor], Tensor] = lambda scores, loud: scores[loud].mean(),
) -> Callable[[Tensor, Tensor, int], Tensor]:
    """The same with another way to gather; a silent window gives 0 dB to those who count it."""

    def score(estimate: Tensor, reference: Tensor, size: int) -> Tensor:
        pairs = list(zip(estimate.split(size), reference.split(size)))
        scores = torch.stack([si_sdr(e[None, None], r[None, None])[0] for e, r in pairs])
        loud = torch.tensor([bool(r.any()) for _, r in pairs])
        return of_windows(torch.where(loud, scores, 0.0), loud)

    return score


def overlapping(estimate: Tensor, reference: Tensor, size: int) -> Tensor:
    """The mistake of windows that overlap by half, as those of the code above."""
    pairs = [x.unfold(0, size, size // 2)[:, None] for x in (estimate, reference)]
    return si_sdr(*pairs)[pairs[1].any(-1)[:, 0]].mean()


def at_once(estimate: Tensor, reference: Tensor, size: int) -> Tensor:
    """The mistake of one score for all that is not silent."""
    loud = reference != 0
    return si_sdr(estimate[loud][None, None], reference[loud][None, None])[0]


def sounds_with_silence(generator: Generator) -> tuple[Tensor, Tensor, int]:
    """A copy and its original of six windows, of which the third or fourth is silent."""
    size = draw(generator, 60, 90)
    reference = torch.randn(6, size, generator=generator)
    noise = torch.randn(6, size, generator=generator)
    reference[draw(generator, 2, 3)] = 0
    estimate = reference + torch.tensor([0.01, 0.5, 0.1, 0.1, 0.2, 0.9])[:, None] * noise
    return estimate.flatten(), reference.flatten(), size


Fails = Callable[[list[int]], bool]


def shrink(case: list[int], fails: Fails) -> list[int]:
    """A part of a failing case, in its order, that fails and of which nothing can be left out.

    >>> shrink([3, 1, 4, 1, 5], lambda case: sum(case) > 7)
    [4, 5]
    """
    place = 0
    while place < len(case):
        shorter = case[:place] + case[place + 1 :]
        case, place = (shorter, 0) if fails(shorter) else (case, place + 1)
    return case


def one_pass(case: list[int], fails: Fails) -> list[int]:
    """The mistake of trying each element but once."""
    kept = list(case)
    for element in case:
        shorter = [other for other in kept if other != element]
        kept = shorter if fails(shorter) else kept
    return kept


def until_it_passes(case: list[int], fails: Fails) -> list[int]:
    """The mistake of stopping one too late."""
    kept = list(case)
    while fails(kept):
        kept = kept[1:]
    return kept


def failing_case(generator: Generator) -> tuple[list[int], Fails]:
    """Numbers in some order, of which few make it fail, and at first only together with others."""
    numbers = (torch.randperm(40, generator=generator) + 10).tolist()
    # What has to stay falls, so that to sort it is wrong.
    numbers[0], numbers[3] = sorted((numbers[0], numbers[3]))
    a, b, c, *others = numbers[: draw(generator, 12, 18)]
    others[2:2] = [b]  # b can go only after c has gone, and c stands behind it
    others[6:6] = [c]
    others[8:8] = [a]

    def fails(case: list[int]) -> bool:
        return a in case and (b in case or c not in case) and numbers[3] in case

    return others, fails


NOTHING = "Nothing has been left out yet: try the case without each of its elements."
PASSES = "What it gives does not fail any more: keep the last one that did."
ENDS = "Only an end has been left out; what makes it fail may be spread over the list."
AGAIN = "Something can still be left out: is every element tried again after one has gone?"
ORDER = "What it gives is no part of the case in its order."


def judge_shrink(answer: Callable[..., Any], case: list[int], fails: Fails) -> str:
    """Whether what is left fails, and nothing more can go."""
    given = list(case)
    left = answer(given, fails)
    if left is None:
        return "It gives None: is a `return` missing?"
    if given != case:
        return "It changes the list it was given; make a new one."
    if not isinstance(left, list):
        return f"Expected a list, got {type(left).__name__}."
    rest = iter(case)
    if not all(element in rest for element in left):
        return ORDER
    if not fails(left):
        return PASSES
    if left == case:
        return NOTHING
    if not any(fails(left[:i] + left[i + 1 :]) for i in range(len(left))):
        return ""
    return ENDS if left in (case[: len(left)], case[-len(left) :]) else AGAIN
