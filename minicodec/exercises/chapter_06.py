"""Support: the exercises of chapter 06, residual quantization and bandwidth.

Those inside its lesson are in `lesson_06`.
"""

from minicodec.exercises import answers_06 as answers
from minicodec.exercises.blind import mistaken, order
from minicodec.exercises.exercise import Exercise, Mistake
from minicodec.exercises.lesson_06 import LESSON

_LEVELS = ("first", "second", "last")
_HEARD = order("06.missing_level", _LEVELS)

EXERCISES = (
    *LESSON,
    Exercise(
        "06.codebooks_of_pcm",
        "Give the number of codebooks of 1024 vectors that cost 384 kbps at 75 frames per second.",
        512,
        (
            Mistake("This counts one bit for each code; how many does it cost?", 5120),
            Mistake("These cost 384 kilobytes per second; the rate is in kilobits.", 4096),
            Mistake("These cost 48 kbps: was something divided by 8?", 64),
            Mistake("Kilobits or bits? This is a thousand times too few.", 0.512),
            Mistake("These are codes per second; there are 75 frames in it.", 38400),
        ),
        minutes=4,
        kind="paper",
        remark="And 1024 to the 512th is 2 to the 5120th, the number of blocks of 320 samples of "
        "16 bits.",
    ),
    Exercise(
        "06.learn_books",
        "Learn a codebook for each level with fit(points, size), each from what the levels before "
        "it leave over.",
        answers.learned_books,
        (
            Mistake(
                "Every book is learned from x itself, so all say the same; what should the second "
                "learn from?",
                lambda x, n_q, size, fit: [fit(x, size) for _ in range(n_q)],
            ),
            Mistake(
                "From level 3 on the books learn from the wrong points: x less the last vector "
                "alone.",
                answers.learned(lambda x, residual, vector: x - vector),
            ),
            Mistake(
                "The vectors are added to the residual; what is named should be taken away.",
                answers.learned(lambda x, residual, vector: residual + vector),
            ),
            Mistake(
                "That is the last book alone; all of them are wanted, in a list.",
                lambda x, n_q, size, fit: answers.learned_books(x, n_q, size, fit)[-1],
            ),
            Mistake(
                "Its residuals take the vector nearest to x; at a later level, what is the vector "
                "to be near to?",
                answers.learned(lambda x, residual, vector: residual - vector, near_x=True),
            ),
        ),
        minutes=10,
        points=2,
        inputs=answers.points_and_fit,
    ),
    Exercise(
        "06.without_level",
        "Give the sum of all levels but the missing one, whose number counts from 1.",
        answers.without_level,
        (
            Mistake(
                "The row is gone, and the rows behind it have moved up: they are looked up in the "
                "books of their neighbours.",
                answers.rows_move_up,
            ),
            Mistake(
                "The level after it is missing: the first level is number 1, but index 0.",
                lambda codes, books, missing: answers.without_level(codes, books, missing + 1),
            ),
            Mistake(
                "All later levels are missing, too.",
                lambda codes, books, missing: answers.decode(
                    codes[: missing - 1], books[: missing - 1]
                ),
            ),
            Mistake(
                "All levels before it are missing, too.",
                lambda codes, books, missing: answers.decode(codes[missing:], books[missing:]),
            ),
            Mistake(
                "This is the missing level alone.",
                lambda codes, books, missing: books[missing - 1][codes[missing - 1]],
            ),
            Mistake(
                "No level is missing.",
                lambda codes, books, missing: answers.decode(codes, books),
            ),
        ),
        minutes=8,
        points=2,
        inputs=answers.codes_books_and_level,
    ),
    Exercise(
        "06.missing_level",
        "Listen to x, y and z, and say for each which level is missing: the first, the second or "
        "the last.",
        _HEARD,
        mistaken(
            _HEARD,
            {
                ("first", "second"): "Two of them have changed places: in which of the two can you "
                "still tell who speaks?",
                ("second", "last"): "Two of them have changed places: compare both with the "
                "original, one is as good as whole.",
                ("first", "last"): "Two of them have changed places: which level says what there "
                "is, and which only where exactly?",
            },
            (
                "None is right: begin with the one that is nearest to the original.",
                "None is right: begin with the one that is furthest from the original.",
            ),
        ),
        minutes=4,
        kind="ear",
        remark="The first level says what there is, the last only where exactly.",
    ),
    Exercise(
        "06.entropy",
        "Give the entropy of each level's codes in bits: minus the sum, over all codes that occur, "
        "of p log2 p, with p the share of frames that have this code.",
        answers.entropy,
        (
            Mistake(
                "It is NaN: a code that never comes has p = 0, and its logarithm is not finite.",
                answers.entropies(lambda p: -(p * p.log2()).sum()),
            ),
            Mistake(
                "That is the natural logarithm; bits count in twos.",
                answers.entropies(lambda p: -(p[p > 0] * p[p > 0].log()).sum()),
            ),
            Mistake(
                "The sign is missing: the logarithm of a share is negative, an entropy is not.",
                answers.entropies(lambda p: (p[p > 0] * p[p > 0].log2()).sum()),
            ),
            Mistake(
                "That is right if all codes that occur came equally often; they do not.",
                answers.entropies(lambda p: (p > 0).sum().float().log2()),
            ),
            Mistake(
                "The logarithms are not weighted: a frequent code should count more often.",
                answers.entropies(lambda p: -p[p > 0].log2().mean()),
            ),
            Mistake(
                "The shares do not add up to 1: by what are the counts divided?",
                answers.entropies(
                    lambda p: -(p[p > 0] * p[p > 0].log2()).sum(), lambda n: n / len(n)
                ),
            ),
        ),
        minutes=8,
        core=False,
        points=2,
        inputs=answers.uneven_codes,
        remark="Chapter 11 turns the difference into smaller files.",
    ),
)
