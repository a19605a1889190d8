"""Support: the exercises of chapter 06, residual quantization and bandwidth."""

import math

import torch

from minicodec.exercises import answers_06 as answers
from minicodec.exercises.blind import mistaken, order
from minicodec.exercises.exercise import Exercise, Mistake
from minicodec.model.quantize import nearest

_LEVELS = ("first", "second", "last")
_HEARD = order("06.missing_level", _LEVELS)

EXERCISES = (
    Exercise(
        "06.encode",
        "Give the codes of every level, by equation (1): the nearest vector, then the residual.",
        answers.encode,
        (
            Mistake(
                "Every level is given z itself; what is left over after a level has named its "
                "vector?",
                lambda z, books: torch.stack([nearest(z, book) for book in books]),
            ),
            Mistake(
                "From level 3 on the residual is wrong: it is z less the last vector alone, and "
                "forgets the ones before.",
                answers.coded(lambda z, residual, vector: z - vector),
            ),
            Mistake(
                "The vectors are added to the residual; what is named should be taken away.",
                answers.coded(lambda z, residual, vector: residual + vector),
            ),
            Mistake(
                "The next level is given the vector that was named; it should get what that "
                "vector missed.",
                answers.coded(lambda z, residual, vector: vector),
            ),
            Mistake(
                "The residual has the wrong sign from level 2 on: z less the vector, not the "
                "other way round.",
                answers.coded(lambda z, residual, vector: vector - residual),
            ),
            Mistake(
                "The codes are right, but frames run down and levels across: along which axis do "
                "you stack?",
                lambda z, books: answers.encode(z, books).T,
            ),
        ),
        minutes=8,
        points=2,
        inputs=answers.latents_and_books,
    ),
    Exercise(
        "06.decode",
        "Give the quantized latents: the sum, over the levels, of the vectors that the codes name.",
        answers.decode,
        (
            Mistake(
                "This is the first level alone; the others bring what it missed.",
                lambda codes, books: books[0][codes[0]],
            ),
            Mistake(
                "This is the last level alone: is each sum thrown away by the next?",
                lambda codes, books: books[-1][codes[-1]],
            ),
            Mistake(
                "This is the mean over the levels; equation (1) says something else.",
                lambda codes, books: answers.decode(codes, books) / len(books),
            ),
            Mistake(
                "Every level is looked up in the first book; each has a book of its own.",
                lambda codes, books: sum(books[0][code] for code in codes),
            ),
            Mistake(
                "These are the vectors of all levels, side by side; what is still to be done?",
                lambda codes, books: torch.stack([b[c] for b, c in zip(books, codes)]),
            ),
        ),
        minutes=4,
        points=2,
        inputs=answers.codes_and_books,
    ),
    Exercise(
        "06.kbps",
        "Give the bit rate in kbps by equation (2).",
        answers.kbps,
        (
            Mistake(
                "That is bits per second; the answer should be in kilobits.",
                lambda n_q, size, rate: n_q * math.log2(size) * rate,
            ),
            Mistake(
                "That is kilobytes; the answer should be in kilobits.",
                lambda n_q, size, rate: n_q * math.log2(size) * rate / 8000,
            ),
            Mistake(
                "A code does not cost as many bits as there are vectors; how many bits name one?",
                lambda n_q, size, rate: n_q * size * rate / 1000,
            ),
            Mistake(
                "That is the natural logarithm; bits count in twos.",
                lambda n_q, size, rate: n_q * math.log(size) * rate / 1000,
            ),
            Mistake(
                "More codebooks are not a larger codebook: each one costs all of its bits.",
                lambda n_q, size, rate: math.log2(n_q * size) * rate / 1000,
            ),
            Mistake(
                "That holds for 1024 vectors alone: where does `size` take part?",
                lambda n_q, size, rate: n_q * 10 * rate / 1000,
            ),
            Mistake(
                "In bit rates a kilobit is a thousand bits.",
                lambda n_q, size, rate: n_q * math.log2(size) * rate / 1024,
            ),
        ),
        minutes=3,
        inputs=answers.counts_size_and_rate,
    ),
    Exercise(
        "06.commitment",
        "Give the commitment loss of each level: the mean squared difference of its residual and "
        "its vector, whose gradient has to reach z from every level.",
        answers.commitment,
        (
            Mistake(
                "The values are right, but from level 2 on no gradient reaches z: from what is the "
                "vector subtracted, and does z cancel in it?",
                answers.committed(straight_through=True),
            ),
            Mistake(
                "The values are right, but no gradient reaches z at all: only the vector is to be "
                "stopped.",
                answers.committed(detached=True),
            ),
            Mistake(
                "These are sums over the dimensions, as in the paper's equation; take the mean.",
                answers.committed(summed=True),
            ),
            Mistake(
                "That is one number for all levels; give one for each.",
                lambda z, books: answers.commitment(z, books).mean(),
            ),
            Mistake(
                "Every level is compared with z; what is it given?",
                lambda z, books: torch.stack(
                    [(z - book[nearest(z.detach(), book)]).pow(2).mean() for book in books]
                ),
            ),
        ),
        minutes=10,
        points=2,
        inputs=answers.latents_books_and_weights,
        use=answers.pulled,
        remark="The official code of 2023 makes the first mistake that this check knows.",
    ),
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
)
