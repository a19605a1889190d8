"""Support: the exercises of chapter 05, vector quantization.

Those inside its lesson are in `lesson_05`.
"""

import torch

from minicodec.exercises import answers_05 as answers
from minicodec.exercises.blind import mistaken, order
from minicodec.exercises.exercise import Exercise, Mistake
from minicodec.exercises.lesson_05 import LESSON

_BOOKS = ("speech", "piano", "noise")
_HEARD = order("05.whose_codebook", _BOOKS)
_WHISPER = (
    "Two of them have changed places: one hisses from end to end, with hardly a vowel; the other "
    "has tones, and little hiss. Which sound teaches hiss?"
)

EXERCISES = (
    *LESSON,
    Exercise(
        "05.bits_per_second",
        "Give the bits per second of one codebook of 1024 vectors at 75 latents per second.",
        750.0,
        (
            Mistake("That is the number of vectors per second; how many bits name one?", 75.0),
            Mistake("1024 vectors are named by fewer than 1024 bits.", 76800.0),
            Mistake("That is kilobits; the question asks for bits.", 0.75),
            Mistake("That is the natural logarithm of 1024; a bit halves, so base 2.", 519.86),
            Mistake("That is bytes; the question asks for bits.", 93.75),
            Mistake("So many bits name one vector; how many of them go out in a second?", 10.0),
            Mistake("Not every vector is sent, but the number of one of them.", 768000.0),
        ),
        minutes=2,
        kind="paper",
        remark="Eight such codebooks make the 6 kbps of chapter 06.",
    ),
    Exercise(
        "05.lag",
        "Give the distance at which the vector follows: its distance from the mean of the batch "
        "that it was just updated with, after many batches.",
        1.98,
        (
            Mistake("That is one batch's drift; the vector was already behind before it.", 0.02),
            Mistake("That is the share of one drift that the vector moves at first.", 0.0002),
            Mistake("That is the lag in batches; how far does the mean drift in these?", 99.0),
            Mistake("That belongs to a decay of 0.9; here it is 0.99.", 0.18),
            Mistake("That is the lag for a drift of 0.01 per batch; here it is 0.02.", 0.99),
        ),
        minutes=6,
        kind="paper",
        tolerance=0.02,
        remark="A running mean over about a hundred batches is about a hundred batches late.",
    ),
    Exercise(
        "05.rescue",
        "Give both totals after the rescue: a vector with less than a tenth of an even share "
        "begins anew at its fresh latent, with an even share.",
        answers.rescued,
        (
            Mistake(
                "The fresh latents stand in the sums as they are; divided by the count they are "
                "somewhere else. What must the sum be, so that the vector is the latent?",
                answers.rescue_with(answers.rare, lambda f, even: f, lambda c: c.mean()),
            ),
            Mistake(
                "The counts are as before, so these vectors are thrown out again at once.",
                answers.rescue_with(answers.rare, lambda f, even: f * even, lambda c: c),
            ),
            Mistake(
                "They begin anew with a count of 1, whatever the batch; what is an even share?",
                answers.rescue_with(answers.rare, lambda f, even: f, torch.ones_like),
            ),
            Mistake(
                "This is a tenth of all counts together; the measure is one vector's even share.",
                answers.rescue_with(
                    lambda c: c < 0.1 * c.sum(), lambda f, even: f * even, lambda c: c.mean()
                ),
            ),
            Mistake(
                "Who has less than 2 is thrown out here; in a smaller batch that is everybody. "
                "Measure by the even share.",
                answers.rescue_with(lambda c: c < 2, lambda f, even: f * even, lambda c: c.mean()),
            ),
            Mistake(
                "The share is that of the living alone; an even share is the mean of all counts.",
                answers.rescue_with(
                    answers.rare,
                    lambda f, even: f * even,
                    lambda c: c.mean(),
                    even_of=lambda c: c[~answers.rare(c)],
                ),
            ),
            Mistake(
                "Those in use were thrown out, and the dead ones kept.",
                answers.rescue_with(
                    lambda c: ~answers.rare(c), lambda f, even: f * even, lambda c: c.mean()
                ),
            ),
            Mistake(
                "The totals are as before: nobody was found rare, or the new vector went into the "
                "codebook alone, where the next update loses it.",
                lambda sums, counts, fresh: (sums.clone(), counts.clone()),
            ),
            Mistake(
                "Whoever has less than an even share is thrown out; the measure is a tenth of it.",
                answers.rescue_with(
                    lambda c: c < c.mean(), lambda f, even: f * even, lambda c: c.mean()
                ),
            ),
            Mistake(
                "This is a tenth of the largest count; an even share is the mean of all.",
                answers.rescue_with(
                    lambda c: c < 0.1 * c.max(), lambda f, even: f * even, lambda c: c.mean()
                ),
            ),
            Mistake(
                "They begin with a tenth of an even share, the very measure, and are thrown out "
                "again soon.",
                answers.rescue_with(
                    answers.rare, lambda f, even: 0.1 * f * even, lambda c: 0.1 * c.mean()
                ),
            ),
            Mistake(
                "The even share is computed again after the counts have changed; compute it once.",
                answers.measured_twice,
            ),
            Mistake(
                "Each vector has its own latent in `fresh`, in its own row; these are the first "
                "ones.",
                answers.crowded,
            ),
        ),
        minutes=8,
        points=2,
        inputs=answers.unequal_totals,
        remark="These are the three details: the totals, an even share, and a relative measure.",
    ),
    Exercise(
        "05.gradient_step",
        "Give the codebook after one step of gradient descent on the mean over the batch of "
        "‖stop(z) − e_c‖², with the given learning rate.",
        answers.gradient_step,
        (
            Mistake("The step goes uphill.", answers.moved(lambda z: -1.0)),
            Mistake(
                "That is the step alone; give the codebook after it.",
                lambda book, z, rate: answers.gradient_step(book, z, rate) - book,
            ),
            Mistake(
                "The 2 of the derivative of a square is missing.", answers.moved(lambda z: 0.5)
            ),
            Mistake(
                "The loss is summed over the batch; twice as many latents would step twice as far.",
                answers.moved(lambda z: float(len(z))),
            ),
            Mistake(
                "The loss is a mean over the dimensions, too, as `mse_loss` makes it; the norm is "
                "a sum over them.",
                answers.moved(lambda z: 1 / z.shape[1]),
            ),
            Mistake(
                "Each vector goes the same share of the way to its mean; in the gradient those "
                "with more latents go further.",
                answers.moved(lambda z: 1.0, per_code=True),
            ),
        ),
        minutes=12,
        core=False,
        points=2,
        inputs=answers.book_batch_and_rate,
    ),
    Exercise(
        "05.whose_codebook",
        "Listen to x, y and z, and say for each whose sound its codebook was learned from.",
        _HEARD,
        mistaken(
            _HEARD,
            {
                ("piano", "noise"): _WHISPER,
                ("speech", "piano"): "Two of them have changed places: in which of the two does "
                "the voice keep its melody?",
                ("speech", "noise"): "Two of them have changed places: noise has no pitch and "
                "teaches none; which of the two is a whisper?",
            },
            (
                "None is right: begin with the one in which the voice keeps its melody.",
                "None is right: begin with the one that hisses from end to end.",
            ),
        ),
        minutes=5,
        kind="ear",
        remark="A codebook can only say what it has heard: choose the training sound with care.",
    ),
)
