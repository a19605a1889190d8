"""Support: what is built inside the lesson of chapter 15b, as exercises.

Those at the chapter's end are in `chapter_15b`.
"""

import math
from typing import Any

import torch

from minicodec.exercises import answers_15b as answers
from minicodec.exercises import answers_15b_files as files
from minicodec.exercises import answers_15b_tests as tests
from minicodec.exercises.answers_05 import rescued, running_means
from minicodec.exercises.exercise import Exercise, Mistake


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
        answers.shrink,
        (
            Mistake(answers.NOTHING, lambda case, fails: list(case)),
            Mistake(answers.AGAIN, answers.one_pass),
            Mistake(answers.PASSES, answers.until_it_passes),
            Mistake(
                answers.ENDS,
                lambda case, fails: next(case[:n] for n in range(len(case) + 1) if fails(case[:n])),
            ),
            Mistake(answers.ORDER, lambda case, fails: sorted(answers.shrink(case, fails))),
        ),
        minutes=6,
        points=2,
        inputs=answers.failing_case,
        judge=answers.judge_shrink,
        remark="Property testers such as Hypothesis do this with everything that fails.",
    ),
    Exercise(
        "15b.read_exactly",
        "Read so many bytes in however many pieces they come, and raise EOFError if the file ends "
        "before.",
        files.read_exactly,
        (
            Mistake(
                "What has come is counted twice, once in the data and once in what is still "
                "wanted.",
                files.counted_twice,
            ),
            Mistake(
                "It reads once; a pipe gives what has arrived so far.",
                lambda file, size: file.read(size),
            ),
            Mistake(
                "It takes bytes that belong to whoever reads next: how many are still missing?",
                files.read_with(lambda size, came: size),
            ),
            Mistake(
                "The bytes are right, but others were taken from the file and thrown away.",
                files.read_with(lambda size, came: size, cut=True),
            ),
            Mistake(
                "Where the file ends early it asks for ever: what does an empty answer mean?",
                files.read_with(lambda size, came: size - came, at_end="ask"),
            ),
            Mistake(
                "Others' bytes are taken and thrown away; and where the file ends early it asks "
                "for ever.",
                files.read_with(lambda size, came: size, cut=True, at_end="ask"),
            ),
            Mistake(
                "A short piece is taken for the end; a pipe gives what has come so far, and only "
                "an empty piece is the end.",
                files.read_with(lambda size, came: size - came, short=True),
            ),
            Mistake(
                "Where the file ends early it raises another error than EOFError.",
                files.read_with(lambda size, came: size - came, at_end="other"),
            ),
            Mistake(
                "Where the file ends early it gives fewer bytes, and nobody is told.",
                files.read_with(lambda size, came: size - came, at_end="give"),
            ),
        ),
        minutes=6,
        points=2,
        inputs=files.trickling,
        use=files.as_read,
    ),
    Exercise(
        "15b.test_gradients",
        "Write a test that fails if some level's loss has no gradient at z.",
        tests.test_of_gradients,
        (
            Mistake(tests.VALUES, lambda losses_of, z: _check((losses_of(z) > 0).all())),
            Mistake(tests.ZERO, lambda losses_of, z: _check(_norm(losses_of, z, 0) is not None)),
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
        remark="It passes two right quantizers and fails five wrong ones.",
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
                "The rare ones have new counts and old sums: where does a vector come from?",
                answers.old_sums,
            ),
            Mistake(
                "The first rare vector takes the first row of fresh, and so on; each should take "
                "its own row.",
                answers.update_with(answers.from_the_top),
            ),
            Mistake(
                "The batch weighs as much as the past should, and the past as little as the batch.",
                lambda sums, counts, z, fresh, decay: answers.mended_update(
                    sums, counts, z, fresh, 1 - decay
                ),
            ),
            Mistake(
                "The old totals fade, but the batch is added in full; it weighs 1 − decay.",
                answers.unweighted,
            ),
            Mistake(
                "The nearest is sought among the sums; a vector is its sum divided by its count.",
                answers.nearest_sums,
            ),
            Mistake(
                "This is the codebook; give the sums themselves, and the counts.",
                lambda sums, counts, z, fresh, decay: (
                    (new := answers.mended_update(sums, counts, z, fresh, decay))[0]
                    / new[1][:, None],
                    new[1],
                ),
            ),
            Mistake(
                "An even count is the mean of all counts; this is what one batch has for each.",
                answers.even_of_batch,
            ),
            Mistake(
                "A vector that this batch has chosen begins anew: by which counts is it rare?",
                answers.old_counts,
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
            Mistake(tests.BLIND, lambda encoder, hop: None),
            Mistake(tests.GLOBAL, tests.causal_test(opening=9.0)),
            Mistake(tests.AHEAD, tests.causal_test(frames=12, first=2, last=3, more=-4)),
            Mistake(tests.MIRROR, tests.causal_test(frames=12, first=6, last=7)),
            Mistake(tests.LATER, tests.causal_test(last=1)),
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
                "These windows overlap; each should begin where the one before ends.",
                answers.overlapping,
            ),
            Mistake(
                "The last window is missing.",
                lambda estimate, reference, size: answers.windowed(
                    estimate[:-size], reference[:-size], size
                ),
            ),
            Mistake(
                "All that is not silent has one score here; each window has its own.",
                answers.at_once,
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
        files.safe_codes,
        (
            Mistake(
                "Code from the file has run in this process: which argument of np.load allowed it?",
                files.trusting(files.load_with()),
            ),
            Mistake(
                "Whatever is in the file comes through, and code from it has run in this process.",
                files.trusting(files.CARELESS),
            ),
            Mistake(
                "Codes that no codebook has come through: between which numbers do they lie?",
                files.load_with(lowest=-math.inf, highest=math.inf),
            ),
            Mistake(
                "Codes come through that are too large for any codebook of 1024 vectors.",
                files.load_with(highest=math.inf),
            ),
            Mistake(
                "1024 comes through; counted from 0, 1024 vectors end sooner.",
                files.load_with(highest=1024),
            ),
            Mistake(
                "Negative codes come through; as an index, −1 is the last vector.",
                files.load_with(lowest=-math.inf),
            ),
            Mistake("Floats come through.", files.load_with(kinds="iuf")),
            Mistake("Floats are rounded to codes in silence.", files.load_with(cast=True)),
            Mistake(
                "Good codes are refused because their integers have a sign; those may come, too.",
                files.load_with(kinds="u"),
            ),
            Mistake("A single row comes through.", files.load_with(shape=False)),
            Mistake(
                "Whatever can be read comes through: nothing is compared with what codes are.",
                files.CARELESS,
            ),
            Mistake(
                "Good codes are refused, too: np.load wants a file; io.BytesIO makes one of bytes.",
                files.refusing,
            ),
            Mistake(
                "It fails by `assert`, which `python -O` leaves out; raise ValueError.",
                files.load_with(error=AssertionError),
            ),
            Mistake(
                "It gives None for a wrong file; then the caller fails later, elsewhere.",
                files.load_with(error=None),
            ),
        ),
        minutes=6,
        points=2,
        inputs=files.files_of_codes,
        use=files.as_loaded,
    ),
)
