"""Support: the exercises of chapter 14, do people hear it?"""

from math import comb

from minicodec.exercises import abx_answers
from minicodec.exercises import answers_14 as answers
from minicodec.exercises.blind import mistaken, order
from minicodec.exercises.exercise import Exercise, Mistake
from minicodec.listening.abx import abx_p_value
from minicodec.listening.analysis import t_quantile

_DAMAGES = ("random phases", "low-pass", "noise")
_HEARD = order("14.which_damage", _DAMAGES)

EXERCISES = (
    Exercise(
        "14.p_value",
        "Give the chance that a guesser has `correct` or more of `trials` right, equation (1).",
        abx_p_value,
        (
            Mistake(
                "That is the chance of exactly so many; whoever does better counts, too.",
                lambda correct, trials: comb(trials, correct) / 2**trials,
            ),
            Mistake(
                "Does the sum include `correct` itself?",
                lambda correct, trials: answers.binomial(correct + 1, trials),
            ),
            Mistake(
                "Does the sum go on to the last trial? `range` stops one before its end.",
                lambda correct, trials: abx_p_value(correct, trials) - 0.5**trials,
            ),
            Mistake(
                "That is the chance of fewer; the other tail is asked for.",
                lambda correct, trials: 1 - abx_p_value(correct, trials),
            ),
            Mistake(
                "Twice as much: only many right answers speak for a difference, so one side.",
                lambda correct, trials: 2 * abx_p_value(correct, trials),
            ),
            Mistake(
                "That is a number of ways; divide it by all ways there are.",
                lambda correct, trials: abx_p_value(correct, trials) * 2**trials,
            ),
        ),
        minutes=6,
        points=2,
        inputs=answers.right_answers,
        tolerance=1e-9,
    ),
    Exercise(
        "14.power",
        "Give the chance that a test of `trials` finds a listener who is right with chance q.",
        answers.power,
        (
            Mistake(
                "That is the chance that the test misses the listener.",
                lambda q, trials, level: 1 - answers.power(q, trials, level),
            ),
            Mistake(
                "That is what a guesser reaches; the listener is right with chance q, and wrong "
                "with chance 1 − q.",
                lambda q, trials, level: answers.power(0.5, trials, level),
            ),
            Mistake(
                "One right answer more than the test needs.",
                lambda q, trials, level: answers.binomial(
                    answers.needed(trials, level) + 1, trials, q
                ),
            ),
            Mistake(
                "The chance of exactly the number that is needed; more are a success, too.",
                lambda q, trials, level: (
                    answers.binomial(answers.needed(trials, level), trials, q)
                    - answers.binomial(answers.needed(trials, level) + 1, trials, q)
                ),
            ),
            Mistake(
                "Where are the wrong answers? Each has the chance 1 − q.",
                lambda q, trials, level: sum(
                    comb(trials, i) * q**i for i in range(answers.needed(trials, level), trials + 1)
                ),
            ),
        ),
        minutes=8,
        core=False,
        points=2,
        inputs=answers.listener,
        tolerance=1e-9,
    ),
    Exercise(
        "14.interval",
        "Give both ends of the 95 % interval of equation (2), from one mean of each listener.",
        answers.interval,
        (
            Mistake(
                "That is how far listeners spread; the mean of n of them is surer than one: divide "
                "by what?",
                answers.around(lambda x: t_quantile(len(x) - 1) * float(x.std())),
            ),
            Mistake(
                "1.96 is for many listeners; for so few Student's t is larger.",
                answers.around(lambda x: 1.96 * float(x.std()) / len(x) ** 0.5),
            ),
            Mistake(
                "How many degrees of freedom do n listeners leave?",
                answers.around(lambda x: t_quantile(len(x)) * float(x.std()) / len(x) ** 0.5),
            ),
            Mistake(
                "The error falls with the root of n, not with n.",
                answers.around(lambda x: t_quantile(len(x) - 1) * float(x.std()) / len(x)),
            ),
            Mistake(
                "A standard deviation from a sample divides by n − 1, as `std()` does by default.",
                answers.around(
                    lambda x: t_quantile(len(x) - 1) * float(x.std(correction=0)) / len(x) ** 0.5
                ),
            ),
            Mistake(
                "That is the mean and the half; both ends are asked for.",
                lambda x: (
                    float(x.mean()),
                    t_quantile(len(x) - 1) * float(x.std()) / len(x) ** 0.5,
                ),
            ),
        ),
        minutes=6,
        points=2,
        inputs=answers.means,
        tolerance=1e-6,
    ),
    Exercise(
        "14.holm",
        "Say for each p whether its difference stands, by Holm's rule.",
        answers.holm,
        (
            Mistake(
                "Each is asked as if it were alone; with so many questions one passes by luck.",
                lambda ps, level=0.05: {name: p <= level for name, p in ps.items()},
            ),
            Mistake(
                "That is Bonferroni's line for all; Holm's gets easier after each success.",
                lambda ps, level=0.05: {name: p <= level / len(ps) for name, p in ps.items()},
            ),
            Mistake(
                "After the first failure none stands, however small its p.",
                answers.holm_without_an_end,
            ),
            Mistake("Holm begins with the smallest p.", answers.holm_from_the_largest),
        ),
        minutes=8,
        points=2,
        inputs=answers.questions,
    ),
    Exercise(
        "14.editors",
        "Give p of 18 right answers of 30, and the chance to miss listeners with q = 0.7.",
        (answers.binomial(18, 30), 1 - answers.power(0.7, 30)),
        (
            Mistake(
                "The second is the power; to miss is the contrary.",
                (answers.binomial(18, 30), answers.power(0.7, 30)),
            ),
            Mistake(
                "The first is the chance of exactly 18.",
                (comb(30, 18) / 2**30, 1 - answers.power(0.7, 30)),
            ),
            Mistake(
                "The first leaves 18 itself out.",
                (answers.binomial(19, 30), 1 - answers.power(0.7, 30)),
            ),
            Mistake(
                "The second is for fewer than 18 right; how many does a success need?",
                (answers.binomial(18, 30), 1 - answers.binomial(18, 30, 0.7)),
            ),
            Mistake(
                "These are the numbers of one editor's six trials; all thirty count together.",
                (answers.binomial(4, 6), 1 - answers.power(0.7, 6)),
            ),
        ),
        minutes=6,
        kind="paper",
        tolerance=0.02,
        remark="The test failed, and would have failed more than once in four with good ears.",
    ),
    Exercise(
        "14.which_damage",
        "Say which of x, y and z has random phases, which is low-passed, and which has noise.",
        _HEARD,
        mistaken(
            _HEARD,
            {
                ("random phases", "low-pass"): "You have the noise; of the other two, one is rough "
                "and one is only dull: which has no hiss in its s?",
                ("low-pass", "noise"): "You have the random phases; of the other two, one goes on "
                "in the pauses, when nobody speaks.",
                ("random phases", "noise"): "You have the low-pass; of the other two, one goes on "
                "in the pauses, and one rasps while the voice speaks.",
            },
            (
                "None is in its place; listen to a pause first, and find the noise.",
                "No letter has its own damage yet; listen to an s first, and find the dull one.",
            ),
        ),
        minutes=5,
        kind="ear",
        remark="SI-SDR likes the low-pass best, mel distance the random phases. And you?",
    ),
    Exercise(
        "14.abx",
        "Give the result of your ABX test of 16 trials, as its file or its text.",
        abx_answers.table(13, 16),
        abx_answers.mistakes(16),
        minutes=12,
        kind="ear",
        judge=abx_answers.judged(16),
        told=abx_answers.told,
    ),
    Exercise(
        "14.listeners",
        "Give the share of tests whose paired interval leaves out zero.",
        answers.found,
        (
            Mistake(
                "Here each rating is a witness; each listener is one.", answers.found_by_ratings
            ),
            Mistake(
                "That asks whether two intervals overlap; subtract first, within each listener.",
                answers.found_by_gaps,
            ),
            Mistake(
                "One sound only; take each listener's mean over all of them.",
                answers.found_by_one_sound,
            ),
        ),
        minutes=15,
        core=False,
        points=2,
        inputs=lambda generator: (0, 0),
        use=answers.shares,
        tolerance=0.08,
        remark="Ratings that waver twice as much cost nearly three times as many listeners.",
    ),
    Exercise(
        "14.mushra",
        "Give your ratings of the MUSHRA test, as its file or its text.",
        answers.mushra_table(),
        (
            Mistake("One sound only: rate both, speech and music.", answers.mushra_table(items=1)),
            Mistake(
                "The hidden reference got less than 90, or the 7 kHz anchor more: find the "
                "reference first, by switching to and fro.",
                answers.mushra_table(reference=70),
            ),
            Mistake(
                "That is no table of ratings; the MUSHRA player saves one when it is done.",
                abx_answers.table(13, 16),
            ),
        ),
        minutes=10,
        kind="ear",
        core=False,
        judge=answers.mushra_judge,
        told=answers.mushra_told,
    ),
)
