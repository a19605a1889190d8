"""Support: the exercises of chapter 16b, meaning and sound.

Those inside its lesson are in `lesson_16b`.
"""

from minicodec.exercises import answers_16b as answers
from minicodec.exercises.blind import mistaken, order
from minicodec.exercises.exercise import Exercise, Mistake
from minicodec.exercises.lesson_16b import LESSON

STILL = ("level 1", "level 2", "levels 3 to 8")
_HEARD = order("16b.still", STILL)

EXERCISES = (
    *LESSON,
    Exercise(
        "16b.context",
        "Give the seconds of speech in 4096 tokens: of EnCodec's 8 levels at 75 frames, Mimi's "
        "8 at 12.5, and of Mimi's first level alone.",
        (6.827, 40.96, 327.68),
        (
            Mistake(
                "These count frames; each has eight tokens, but for the last of the three.",
                (54.61, 327.68, 327.68),
            ),
            Mistake(
                "These are tokens per second; how long do 4096 of them last?", (600.0, 100.0, 12.5)
            ),
            Mistake(
                "A frame's tokens are multiplied in; are there more seconds if a frame has more "
                "tokens?",
                (436.9, 2621.44, 327.68),
            ),
            Mistake("The last one still counts all eight levels.", (6.827, 40.96, 40.96)),
            Mistake("These are frames; how long does each last?", (512.0, 512.0, 4096.0)),
            Mistake(
                "These are seconds for one token; how long do 4096 of them last?",
                (1 / 600, 1 / 100, 1 / 12.5),
            ),
            Mistake(
                "The order is another: EnCodec, Mimi, Mimi's first level.", (327.68, 40.96, 6.827)
            ),
            Mistake("The first two have changed places.", (40.96, 6.827, 327.68)),
            Mistake("These are minutes.", (0.1138, 0.6827, 5.461)),
            Mistake("Is that 4000 tokens?", (6.667, 40.0, 320.0)),
        ),
        minutes=4,
        kind="paper",
        tolerance=0.004,
        remark="A language model that looks back 4096 tokens remembers a sentence, or minutes.",
    ),
    Exercise(
        "16b.information",
        "Give equation (3): the sum, over all pairs that occur, of p(c, l) log2 (p(c, l) / "
        "(p(c) p(l))).",
        answers.information,
        (
            Mistake(
                "That is the natural logarithm; bits count in twos.",
                lambda codes, labels: answers.information(codes, labels) * 0.6931472,
            ),
            Mistake(
                "It is NaN: pairs that never come have p = 0, and no logarithm.",
                answers.informed(
                    lambda p: (p * (p / (p.sum(1, keepdim=True) * p.sum(0))).log2()).sum()
                ),
            ),
            Mistake(
                "That is the entropy of the labels; what is left of it once the code is known?",
                answers.informed(lambda p: answers.entropy(p.sum(0))),
            ),
            Mistake(
                "That is the entropy of the codes, all that they can say of anything.",
                answers.informed(lambda p: answers.entropy(p.sum(1))),
            ),
            Mistake("That is the entropy of both together.", answers.informed(answers.entropy)),
            Mistake(
                "That is what is still to be asked once the code is known; by how much is it less "
                "than before?",
                answers.informed(lambda p: answers.entropy(p) - answers.entropy(p.sum(1))),
            ),
            Mistake(
                "The sign is the other one.",
                lambda codes, labels: -answers.information(codes, labels),
            ),
            Mistake(
                "Miller's correction is taken off; equation (3) is without.", answers.corrected
            ),
            Mistake(
                "The logarithm's fraction has p(c) below it, but not p(l).",
                answers.informed_of_pairs(lambda pair, code, label: pair * (pair / code).log2()),
            ),
            Mistake(
                "The logarithm's fraction has p(l) below it, but not p(c).",
                answers.informed_of_pairs(lambda pair, code, label: pair * (pair / label).log2()),
            ),
            Mistake(
                "The logarithms are added as they are; each counts as often as its pair comes.",
                answers.informed_of_pairs(lambda pair, code, label: (pair / code / label).log2()),
            ),
            Mistake(
                "A pair that comes often is counted once: `counts[codes, labels] += 1` adds one "
                "to each place, however often it is named.",
                answers.counted_once,
            ),
        ),
        minutes=10,
        points=2,
        inputs=answers.codes_and_labels,
        tolerance=1e-3,
    ),
    Exercise(
        "16b.freeze",
        "Give the codes with one level, which counts from 1, held at its most common code.",
        answers.freeze,
        (
            Mistake(
                "The level below is held: level 1 is row 0.",
                answers.frozen_at(lambda row: row.mode().values, off=0),
            ),
            Mistake(
                "It is held at the code of the first frame; which one is the most common?",
                answers.frozen_at(lambda row: row[0]),
            ),
            Mistake(
                "Code 0 is a vector as any other, and no silence.", answers.frozen_at(lambda row: 0)
            ),
            Mistake(
                "It is held at the largest code; which one is the most common?",
                answers.frozen_at(lambda row: row.max()),
            ),
            Mistake(
                "That is how often the most common code comes, not which one it is.",
                answers.frozen_at(lambda row: row.bincount().max()),
            ),
            Mistake(
                "That is where in the clip the most common code stands, not which one it is.",
                answers.frozen_at(lambda row: row.mode().indices),
            ),
            Mistake(
                "A mean of codes is no code: neighbours in number are none in sound.",
                answers.frozen_at(lambda row: row.float().mean().round().long()),
            ),
            Mistake(
                "The median of codes means nothing: their numbers have no order.",
                answers.frozen_at(lambda row: row.sort().values[len(row) // 2 - 1]),
            ),
            Mistake(
                "It is the most common code of all levels; each has a book of its own.",
                answers.frozen_at_the_most_common_of_all,
            ),
            Mistake("All others are held, and the named level is not.", answers.all_others_frozen),
            Mistake(
                "The other levels are held, too.",
                lambda codes, level: codes.mode(1, keepdim=True).values.expand_as(codes),
            ),
        ),
        minutes=5,
        inputs=answers.codes_and_level,
    ),
    Exercise(
        "16b.still",
        "Listen to x, y and z, and say for each what is held still: level 1, level 2, or levels 3 "
        "to 8.",
        _HEARD,
        mistaken(
            _HEARD,
            {
                ("level 1", "level 2"): "Two of them have changed places: one is as good as whole.",
                ("level 1", "levels 3 to 8"): "Two of them have changed places: one is as good as "
                "whole, one has lost all that is fine.",
                ("level 2", "levels 3 to 8"): "Two of them have changed places: which of the two "
                "is further from the whole, and how much do six fine levels say together?",
            },
            (
                "None is right: begin with the one that is nearest to the coded whole.",
                "None is right: begin with the one that is furthest from the coded whole.",
            ),
        ),
        minutes=4,
        kind="ear",
        remark="The ear hardly needs level 1: it is there for those who want to know what is said.",
    ),
)
