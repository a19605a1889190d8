"""Support: the exercises of chapter 10, training.

Those inside its lesson are in `lesson_10`.
"""

from minicodec.exercises import abx_answers
from minicodec.exercises import answers_10_updates as updates
from minicodec.exercises.blind import mistaken, order
from minicodec.exercises.exercise import Exercise, Mistake
from minicodec.exercises.lesson_10 import LESSON

#: Of the blind test in the chapter: as many as the page asks for.
TRIALS = 12
_STAGES = ("step 40", "step 120", "step 320")
_HEARD = order("10.stages", _STAGES)

EXERCISES = (
    *LESSON,
    Exercise(
        "10.hours",
        "Give the hours of sound that the paper's run hears, and how often it hears its "
        "recordings.",
        (10666.67, 0.6095),
        (
            Mistake("These are 600 000 clips; there are 64 in each update.", (166.67, 0.00952)),
            Mistake("That is minutes, not hours.", (640000.0, 36.57)),
            Mistake("That is seconds, not hours.", (38.4e6, 2194.3)),
            Mistake(
                "The second is upside down: hours heard over hours there are.", (10666.67, 1.6406)
            ),
            Mistake(
                "Eight times too much: the eight GPUs share the batch of 64.", (85333.3, 4.876)
            ),
        ),
        minutes=3,
        kind="paper",
        tolerance=0.02,
    ),
    Exercise(
        "10.pieces",
        "Leave in the weights the gradient of the mean loss of the whole batch, with at most "
        "`size` clips in the network at once.",
        updates.gradient_in_pieces,
        (
            Mistake(
                "The pieces' means are added up: the gradient grows with the number of pieces.",
                updates.pieces_with(lambda mine, all_, pieces: 1.0),
            ),
            Mistake(
                "The pieces' means are averaged; but the last piece is smaller. What is each "
                "piece's share of the clips?",
                updates.pieces_with(lambda mine, all_, pieces: 1 / pieces),
            ),
            Mistake(
                "Each piece counts by its clips, but the whole is not divided by their number.",
                updates.pieces_with(lambda mine, all_, pieces: float(mine)),
            ),
            Mistake(
                "The last piece counts as if it were full; how many clips has it?",
                updates.pieces_with(lambda mine, all_, pieces: -(-all_ // pieces) / all_),
            ),
            Mistake(
                "The last clips are in no piece: 7 clips make three pieces, the last one short.",
                updates.without_the_rest,
            ),
            Mistake(
                "All pieces but the last are forgotten: what does `zero_grad` clear, and when?",
                updates.pieces_with(cleared_each=True),
            ),
            Mistake(
                "The gradients of the step before are still there.",
                updates.pieces_with(cleared=False),
            ),
            Mistake(
                "The whole batch is in the network at once, which is what does not fit.",
                updates.whole_batch,
            ),
        ),
        minutes=8,
        points=2,
        inputs=updates.seed_and_pieces,
        use=updates.learned,
        remark="A batch of 64 fits on any machine; what it costs is time.",
    ),
    Exercise(
        "10.first_step",
        "Give how far a fresh Adam moves a weight in its first step, for a gradient of 0.002 and "
        "of 200.",
        (3e-4, 3e-4),
        (
            Mistake(
                "That is plain descent, learning rate times gradient; by what does Adam divide?",
                (6e-7, 6e-2),
            ),
            Mistake("Both averages start at 0; have you corrected both?", (4.743e-4, 4.743e-4)),
            Mistake("Where is the learning rate?", (1.0, 1.0)),
            Mistake("The root below is missing.", (0.15, 1.5e-6)),
            Mistake("That is half of it: the mean gradient is not corrected.", (1.5e-4, 1.5e-4)),
        ),
        minutes=6,
        kind="paper",
        core=False,
        tolerance=0.01,
        remark="As long as the learning rate, whatever the gradient: it shakes what was at rest.",
    ),
    Exercise(
        "10.stages",
        "Say which of x, y and z is from step 40, which from step 120, which from step 320.",
        _HEARD,
        mistaken(
            _HEARD,
            {
                ("step 40", "step 120"): "You have the last one. Of the other two, which has less "
                "of a melody?",
                ("step 120", "step 320"): "You have the first one. Of the other two, in which can "
                "vowels be told apart?",
                ("step 40", "step 320"): "You have the one in the middle. Of the other two, one is "
                "speech.",
            },
            (
                "None is in its place; begin with the one that you understand best.",
                "No letter has its own step yet; begin with the one that is least like speech.",
            ),
        ),
        minutes=4,
        kind="ear",
        remark="The curve said so, too; now you know what a decibel of mel distance sounds like.",
    ),
    Exercise(
        "10.abx",
        f"Give the result of your ABX test of {TRIALS} trials, as its file or its text.",
        abx_answers.table(11, TRIALS),
        abx_answers.mistakes(TRIALS),
        minutes=8,
        kind="ear",
        core=False,
        judge=abx_answers.judged(TRIALS),
        told=abx_answers.told,
    ),
)
