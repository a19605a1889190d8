"""Support: what is built inside the lesson of chapter 15b, as exercises.

Those at the chapter's end are in `chapter_15b`.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Generator

from minicodec.exercises import answers_15b as answers
from minicodec.exercises import answers_15b_tests as tests
from minicodec.exercises.answers_05 import rescued, running_means
from minicodec.exercises.exercise import Exercise, Mistake
from minicodec.exercises.trying import draw

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


def _check(holds: Any) -> None:
    assert holds


def _norm(losses_of: tests.Losses, z: torch.Tensor, which: Any) -> torch.Tensor:
    """The gradient's norm at z, of one loss or of the sum of some."""
    z = z.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(losses_of(z)[which].sum(), z)
    return gradient.norm()


def _least(losses_of: tests.Losses, z: torch.Tensor, levels: tuple[int, ...]) -> float:
    """The smallest norm of these levels."""
    return min(float(_norm(losses_of, z, level)) for level in levels)


LESSON = (
    Exercise(
        "15b.shrink",
        "Leave elements out of a failing list, one at a time, for as long as it fails.",
        shrink,
        (
            Mistake(NOTHING, lambda case, fails: list(case)),
            Mistake(AGAIN, one_pass),
            Mistake(PASSES, until_it_passes),
            Mistake(
                ENDS,
                lambda case, fails: next(case[:n] for n in range(len(case) + 1) if fails(case[:n])),
            ),
            Mistake(ORDER, lambda case, fails: sorted(shrink(case, fails))[::-1] + [0]),
        ),
        minutes=6,
        points=2,
        inputs=failing_case,
        judge=judge_shrink,
        remark="Property testers such as Hypothesis do this with everything that fails.",
    ),
    Exercise(
        "15b.read_exactly",
        "Read so many bytes in however many pieces they come, and raise EOFError if the file ends "
        "before.",
        answers.read_exactly,
        (
            Mistake(
                "What has come is counted twice, once in the data and once in what is still "
                "wanted.",
                answers.counted_twice,
            ),
            Mistake(
                "It reads once; a pipe gives what has arrived so far.",
                lambda file, size: file.read(size),
            ),
            Mistake(
                "It takes bytes that belong to whoever reads next: how many are still missing?",
                answers.read_with(lambda size, came: size),
            ),
            Mistake(
                "The bytes are right, but others were taken from the file and thrown away.",
                answers.read_with(lambda size, came: size, cut=True),
            ),
            Mistake(
                "Where the file ends early it asks for ever: what does an empty answer mean?",
                answers.read_with(lambda size, came: size - came, at_end="ask"),
            ),
            Mistake(
                "Where the file ends early it gives fewer bytes, and nobody is told.",
                answers.read_with(lambda size, came: size - came, at_end="give"),
            ),
        ),
        minutes=6,
        points=2,
        inputs=answers.trickling,
        use=answers.as_read,
    ),
    Exercise(
        "15b.test_gradients",
        "Write a test that fails if some level's loss has no gradient at z.",
        tests.test_of_gradients,
        (
            Mistake(tests.VALUES, lambda losses_of, z: _check((losses_of(z) > 0).all())),
            Mistake(tests.SUM, lambda losses_of, z: _check(_norm(losses_of, z, slice(None)) > 0)),
            Mistake(
                tests.LAST,
                lambda losses_of, z: _check(_least(losses_of, z, (0, 1)) > 0),
            ),
            Mistake(tests.FIRST, lambda losses_of, z: _check(_least(losses_of, z, (1, 2, 3)) > 0)),
            Mistake(
                tests.STRICT_GRADIENTS,
                lambda losses_of, z: _check(_least(losses_of, z, (0, 1, 2, 3)) > 0.5),
            ),
        ),
        minutes=8,
        points=2,
        inputs=tests.latents_and_books,
        judge=tests.judge_gradients,
        remark="It passes two right quantizers and fails four wrong ones.",
    ),
    Exercise(
        "15b.update",
        "Let both totals fade and add the batch; then let vectors with less than a tenth of an "
        "even count begin anew, in both totals.",
        answers.mended_update,
        (
            Mistake(
                "The rare vectors have their old totals: whatever became of the codebook, the next "
                "division brings the old vector back.",
                lambda sums, counts, z, fresh, decay: running_means(sums, counts, z, decay),
            ),
            Mistake(
                "The rare ones have new sums and old counts: their ratio is a vector far outside.",
                answers.update_with(anew=False),
            ),
            Mistake(
                "The new sums are latents; a sum is as many times a vector as its count says. That "
                "is the start's bug.",
                answers.update_with(lambda fresh, even, counts: fresh),
            ),
            Mistake(
                "Rare is what has been chosen less than twice; that depends on the batch's size.",
                answers.update_with(least=2.0),
            ),
            Mistake(
                "All vectors begin anew; only the rare ones should.",
                answers.update_with(least=float("inf")),
            ),
            Mistake(
                "The rare ones are sought before this batch has been counted.",
                lambda sums, counts, z, fresh, decay: running_means(
                    *rescued(sums, counts, fresh), z, decay
                ),
            ),
            Mistake(
                "These are sums and counts of before, with some begun anew: where is the batch?",
                lambda sums, counts, z, fresh, decay: rescued(sums, counts, fresh),
            ),
        ),
        minutes=8,
        points=2,
        inputs=answers.totals_batch_and_fresh,
        remark="The codebook is nowhere stored, so nothing can be written over it.",
    ),
    Exercise(
        "15b.test_causal",
        "Write a test that fails if a latent frame depends on samples behind its own.",
        tests.causal_test(),
        (
            Mistake(tests.GLOBAL, lambda encoder, hop: None),
            Mistake(tests.AHEAD, tests.causal_test(frames=12, first=2, last=3, more=-4)),
            Mistake(tests.MIRROR, tests.causal_test(frames=12, first=6, last=7)),
            Mistake(tests.STRICT_CAUSAL, tests.causal_test(more=1)),
        ),
        minutes=8,
        points=2,
        inputs=tests.a_hop,
        judge=tests.judge_causal,
        remark="It passes what may stream and fails what may not.",
    ),
    Exercise(
        "15b.score",
        "Give the mean SI-SDR over all windows in which the reference is not silent.",
        answers.windowed,
        (
            Mistake(
                "This is the first window alone.",
                answers.windowed_with(lambda scores, loud: scores[0]),
            ),
            Mistake(
                "A silent window counts as 0 dB and pulls the mean down; leave it out.",
                answers.windowed_with(lambda scores, loud: scores.mean()),
            ),
            Mistake(
                "These are all scores; give their mean.",
                answers.windowed_with(lambda scores, loud: scores[loud]),
            ),
            Mistake(
                "The sign is that of a loss; give decibels of which more is better.",
                answers.windowed_with(lambda scores, loud: -scores[loud].mean()),
            ),
            Mistake(
                "This is the whole clip as one window.",
                lambda estimate, reference, size: answers.windowed(
                    estimate, reference, len(reference)
                ),
            ),
        ),
        minutes=6,
        points=2,
        inputs=answers.sounds_with_silence,
    ),
    Exercise(
        "15b.safe_codes",
        "Read codes [K, T] from the bytes of a .npy file without unpickling, and raise ValueError "
        "for anything that is no matrix of integers from 0 to 1023.",
        answers.safe_codes,
        (
            Mistake(
                "Code from the file has run in this process: which argument of np.load allowed it?",
                answers.trusting,
            ),
            Mistake(
                "Codes that no codebook has come through: between which numbers do they lie?",
                answers.load_with(span=False),
            ),
            Mistake("Floats come through.", answers.load_with(kind=False)),
            Mistake("Floats are rounded to codes in silence.", answers.load_with(cast=True)),
            Mistake("A single row comes through.", answers.load_with(shape=False)),
            Mistake(
                "Whatever can be read comes through: nothing is compared with what codes are.",
                answers.load_with(shape=False, kind=False, span=False),
            ),
            Mistake(
                "It gives None for a wrong file; then the caller fails later, elsewhere.",
                answers.load_with(polite=False),
            ),
        ),
        minutes=6,
        points=2,
        inputs=answers.files_of_codes,
        use=answers.as_loaded,
    ),
)
