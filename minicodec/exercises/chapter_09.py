"""Support: the exercises of chapter 09, the loss balancer.

Those inside its lesson are in `lesson_09`.
"""

import math

from minicodec.exercises import answers_09 as answers
from minicodec.exercises.blind import mistaken, order
from minicodec.exercises.exercise import Exercise, Mistake
from minicodec.exercises.lesson_09 import LESSON

_COPIES = ("equal", "time", "adversarial")
_HEARD = order("09.three_shares", _COPIES)

EXERCISES = (
    *LESSON,
    Exercise(
        "09.constant",
        "Give by what the balanced pull is multiplied, if the loss is multiplied by 1000, 0.5, −2.",
        (1.0, 1.0, -1.0),
        (
            Mistake(
                "That is what happens to the gradient; by what is it divided?", (1000.0, 0.5, -2.0)
            ),
            Mistake("A norm has no sign; the gradient has one.", (1.0, 1.0, 1.0)),
            Mistake("For −2: the size cancels as well; what remains?", (1.0, 1.0, -2.0)),
            Mistake(
                "That is one over the constant: the gradient itself has grown, too.",
                (0.001, 2.0, -0.5),
            ),
        ),
        minutes=4,
        kind="paper",
        tolerance=1e-6,
        remark="A balancer undoes a unit, and does not mend a wrong sign.",
    ),
    Exercise(
        "09.bounds",
        "Give the norm of the sum of four gradients of norm 1/4: at least, at right angles, at "
        "most.",
        (0.0, 0.5, 1.0),
        (
            Mistake("At least: can four arrows lead back to where they began?", (0.25, 0.5, 1.0)),
            Mistake("At least: a norm is never negative.", (-1.0, 0.5, 1.0)),
            Mistake(
                "At right angles: that is the sum of the squares; the norm is its root.",
                (0.0, 0.25, 1.0),
            ),
            Mistake(
                "At right angles: norms do not add up unless all point one way.", (0, 1.0, 1.0)
            ),
            Mistake("At most: each has a norm of 1/4, not of 1.", (0.0, 0.5, 4.0)),
            Mistake("That is for gradients of norm 1; each has 1/4.", (0.0, 2.0, 4.0)),
        ),
        minutes=4,
        kind="paper",
        tolerance=1e-6,
    ),
    Exercise(
        "09.factors",
        "Give the fixed factors by which each loss has its share of a total pull of 1, at these "
        "norms.",
        answers.factors,
        (
            Mistake(
                "These are shares, whatever the norms; a loss with a short gradient needs a larger "
                "factor.",
                lambda norms, weights: {n: w / sum(weights.values()) for n, w in weights.items()},
            ),
            Mistake(
                "The pulls do not add up to 1: weights are proportions.",
                lambda norms, weights: {n: weights[n] / norms[n] for n in norms},
            ),
            Mistake(
                "A loss with a long gradient gets a larger factor here; should it?",
                lambda norms, weights: {
                    n: weights[n] / sum(weights.values()) * norms[n] for n in norms
                },
            ),
            Mistake(
                "All pulls are equal; where do the weights come in?",
                lambda norms, weights: {n: 1 / len(norms) / norms[n] for n in norms},
            ),
            Mistake(
                "Divided by the norms of all losses together; each has its own.",
                lambda norms, weights: {
                    n: weights[n] / sum(weights.values()) / sum(norms.values()) for n in norms
                },
            ),
        ),
        minutes=8,
        points=2,
        inputs=answers.norms_and_weights,
        remark="They are right at these norms; the cell below asks for how long.",
    ),
    Exercise(
        "09.odd_norms",
        "Give the balanced pull at each step; zeros and what is not finite stay out of the "
        "average, and pull with 0.",
        answers.pulls,
        (
            Mistake(
                "Zeros are averaged in; the first gradient after them is then far too strong.",
                answers.pulls_with(math.isfinite),
            ),
            Mistake(
                "NaN or infinity has got into the average, and never leaves it.",
                answers.pulls_with(lambda n: n != 0),
            ),
            Mistake(
                "NaN stays out, but infinity does not: divided by itself it is NaN as well.",
                answers.pulls_with(lambda n: n != 0 and not math.isnan(n)),
            ),
            Mistake(
                "Infinity stays out, but NaN does not: it is equal to nothing, not even to itself.",
                answers.pulls_with(lambda n: n != 0 and n != math.inf),
            ),
            Mistake(
                "Nothing is left out: one NaN, and all pulls after it are NaN as well.",
                answers.pulls_with(lambda n: True),
            ),
            Mistake(
                "Steps that are left out are missing; they have a pull, too: 0.",
                lambda norms, decay: answers.pulls(
                    [n for n in norms if n > 0 and math.isfinite(n)], decay
                ),
            ),
            Mistake(
                "What is left out pulls with its own norm here; it should sit out the step.",
                answers.pulls_with(lambda n: n > 0 and math.isfinite(n), out=lambda n: n),
            ),
            Mistake(
                "The sum fades in a step that is left out, and the count does not.",
                answers.pulls_with(lambda n: n > 0 and math.isfinite(n), faded=True),
            ),
            Mistake(
                "The average is not corrected for its start: the first pull should be 1.",
                answers.pulls_with(lambda n: n > 0 and math.isfinite(n), corrected=False),
            ),
        ),
        minutes=10,
        core=False,
        points=2,
        inputs=answers.odd_norms,
    ),
    Exercise(
        "09.three_shares",
        "Say which of x, y and z was tuned by `equal` shares, which by `time` alone, which by "
        "`adversarial` nearly alone.",
        _HEARD,
        mistaken(
            _HEARD,
            {
                (
                    "equal",
                    "time",
                ): "You have `adversarial`. Of the other two, one is muffled, as in chapter 07.",
                (
                    "time",
                    "adversarial",
                ): "You have `equal`. Of the other two, one has hardly any s: "
                "which loss does not miss it?",
                (
                    "equal",
                    "adversarial",
                ): "You have `time`. Of the other two, in which are the words "
                "still those of the sentence?",
            },
            (
                "None is in its place; begin with the muffled one.",
                "No letter has its own copy yet; begin with the one that is hardly speech.",
            ),
        ),
        minutes=4,
        kind="ear",
        remark="Shares say who pulls, not whether the sound gets better.",
    ),
)
