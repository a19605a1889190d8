"""Support: the exercises of chapter 16c, a language model of sound.

Those inside its lesson are in `lesson_16c`.
"""

from minicodec.exercises.answers_16c import (
    nucleus,
    nucleus_with,
    one_too_many,
    scores_and_share,
    sorted_again,
    still_sorted,
    unlikeliest_first,
)
from minicodec.exercises.blind import mistaken, order
from minicodec.exercises.exercise import Exercise, Mistake
from minicodec.exercises.lesson_16c import LESSON
from minicodec.generation.sampling import probabilities

KNOBS = ("the likeliest alone", "temperature 0.8", "temperature 1.2")
_KNOBS = order("16c.knobs", KNOBS)
ORIGINS = ("a recording", "the model", "each level by itself")
_ORIGINS = order("16c.origins", ORIGINS)

EXERCISES = (
    *LESSON,
    Exercise(
        "16c.steps",
        "Give the steps for 30 seconds of MusicGen, flat, parallel and delayed.",
        (6000, 1500, 1503),
        (
            Mistake("These are the steps of a second.", (200, 50, 53)),
            Mistake("The delayed codes of the last frames need steps, too.", (6000, 1500, 1500)),
            Mistake("Three levels wait, not four: the first one does not.", (6000, 1500, 1504)),
            Mistake("Delayed is not flat: levels wait once, at the beginning.", (6000, 1500, 6000)),
            Mistake("In which order? Flat comes first.", (1500, 1503, 6000)),
            Mistake("In which order? Parallel comes second.", (6000, 1503, 1500)),
            Mistake("In which order? Flat comes before parallel.", (1500, 6000, 1503)),
            Mistake("Flat draws one code in a step, of all levels in turn.", (1500, 1500, 1503)),
        ),
        minutes=4,
        kind="paper",
        tolerance=1e-6,
        remark="A quarter of the steps, for three more.",
    ),
    Exercise(
        "16c.at_once",
        "Give the bits of a frame in a flat pattern, in a parallel one, and the share of frames of "
        "the parallel model that never occur.",
        (1.0, 2.0, 0.5),
        (
            Mistake("The second code costs nothing, once the first is known.", (2.0, 2.0, 0.5)),
            Mistake(
                "The parallel model must not look at the first code when it gives the second.",
                (1.0, 1.0, 0.5),
            ),
            Mistake(
                "Two codes drawn by lot, each 0 or 1: in how many of four cases do they differ?",
                (1.0, 2.0, 0.25),
            ),
            Mistake(
                "Each of its codes is as frequent as it should be; but do they fit together?",
                (1.0, 2.0, 0.0),
            ),
            Mistake(
                "That is the share of the toy with four codes; here a code is 0 or 1.",
                (1.0, 2.0, 0.75),
            ),
            Mistake("A share lies between 0 and 1.", (1.0, 2.0, 50)),
            Mistake("Flat and parallel are exchanged.", (2.0, 1.0, 0.5)),
        ),
        minutes=5,
        kind="paper",
        remark="What a pattern loses in bits, it plays as frames that fit nothing.",
    ),
    Exercise(
        "16c.nucleus",
        "Leave the fewest of the likeliest codes that have this share together, and make "
        "probabilities of them.",
        nucleus,
        (
            Mistake(
                "One too few: the code that reaches the share belongs to them.",
                lambda scores, share: nucleus_with(
                    scores, share, lambda before, p: before + p < share
                ),
            ),
            Mistake(
                "Rows do not add up to 1: share out what was cut.",
                lambda scores, share: nucleus_with(
                    scores, share, lambda before, p: before < share, again=False
                ),
            ),
            Mistake(
                "One too many: what do those have together that stand before it?", one_too_many
            ),
            Mistake(
                "The likeliest code stands in the first column, not in its own: the sorting is to "
                "be undone.",
                still_sorted,
            ),
            Mistake(
                "`gather` applies the order of the sort once more; what undoes it?",
                sorted_again,
            ),
            Mistake("The unlikeliest are counted first.", unlikeliest_first),
            Mistake(
                "All codes take part.",
                lambda scores, share: scores.softmax(-1),
            ),
            Mistake(
                "Only the likeliest is left: the share is of all codes together, not of each.",
                lambda scores, share: probabilities(scores, top_k=1),
            ),
        ),
        minutes=10,
        core=False,
        points=2,
        inputs=scores_and_share,
        remark="Where the model is sure, few are left; where it is not, many.",
    ),
    Exercise(
        "16c.knobs",
        "Say of x, y and z how each was drawn: 'the likeliest alone', 'temperature 0.8' or "
        "'temperature 1.2'.",
        _KNOBS,
        mistaken(
            _KNOBS,
            {
                ("the likeliest alone", "temperature 0.8"): "Two are exchanged: which one "
                "stands still at once?",
                (
                    "temperature 0.8",
                    "temperature 1.2",
                ): "Two are exchanged: which one never comes to rest?",
                ("the likeliest alone", "temperature 1.2"): "Turned round: where nothing is left "
                "to chance, nothing new can come.",
            },
            (
                "None is right: begin with the one that stands still at once.",
                "None is right: begin with the one that never comes to rest.",
            ),
        ),
        minutes=5,
        kind="ear",
        remark="Between a drone and noise lies a narrow path.",
    ),
    Exercise(
        "16c.origins",
        "Say of x, y and z where what comes after two seconds is from: 'a recording', 'the "
        "model' or 'each level by itself'.",
        _ORIGINS,
        mistaken(
            _ORIGINS,
            {
                ("a recording", "the model"): "Two are exchanged: one of them says words, the "
                "other only sounds like it.",
                ("the model", "each level by itself"): "Two are exchanged: one goes on smoothly, "
                "the other is torn into pieces of a hundredth of a second.",
                ("a recording", "each level by itself"): "Turned round: which one goes on with a "
                "sentence?",
            },
            (
                "None is right: begin with the one that says words.",
                "None is right: begin with the one that is noisiest.",
            ),
        ),
        minutes=5,
        kind="ear",
    ),
)
