"""Support: what is built inside the lesson of chapter 06, as exercises.

Those at the chapter's end are in `chapter_06`.
"""

import math

import torch

from minicodec.exercises import answers_06 as answers
from minicodec.exercises.exercise import Exercise, Mistake
from minicodec.model.quantize import nearest

LESSON = (
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
)
