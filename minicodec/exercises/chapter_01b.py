"""Support: the exercises of chapter 01b, hearing and classical coding."""

import torch

from minicodec.exercises import abx_answers, hearing
from minicodec.exercises import answers_01b as answers
from minicodec.exercises.exercise import Exercise, Mistake
from minicodec.exercises.lesson_01b import LESSON

EXERCISES = (
    *LESSON,
    Exercise(
        "01b.band",
        "Give the bits that formula (5) gives a band of 20 coefficients of power 1,000 and mask "
        "10, and by how many they change if music and mask get 6 dB louder.",
        (66.4386, 0.0),
        (
            Mistake("That is one coefficient of the band; it has twenty.", (3.32193, 0.0)),
            Mistake(
                "Twice too many: where is the ½ of formula (5)?",
                (132.877, 0.0),
            ),
            Mistake("That is the natural logarithm; bits count in twos.", (46.0517, 0.0)),
            Mistake("That is the logarithm to base 10; bits count in twos.", (20.0, 0.0)),
            Mistake(
                "The first is right; but the second is not one bit for each coefficient: what does "
                "the formula say of a ratio?",
                (66.4386, 20.0),
            ),
            Mistake(
                "The first is right; but 6 dB add a bit only where the mask stays as it was.",
                (66.4386, 1.0),
            ),
            Mistake(
                "The second should be the change, not the new number of bits.", (66.4386, 66.4386)
            ),
        ),
        minutes=5,
        kind="paper",
        tolerance=3e-3,
        remark="A mask follows the music, so that a volume knob costs nothing.",
    ),
    Exercise(
        "01b.follow",
        "Give by how many dB SNR falls, and by how many mel distance, when `follow` goes from 0.25 "
        "to 0.75 at 16 kbps.",
        (5.167, 2.522),
        (
            Mistake("The other way round: SNR first, then mel distance.", (2.522, 5.167)),
            Mistake("Both fall, so by how many dB is a positive number.", (-5.167, -2.522)),
            Mistake("Those are the values at 0.75; what were they at 0.25?", (7.926, 4.067)),
            Mistake("That is the way from 0 to 1.", (10.931, 4.452)),
            Mistake("That is at 24 kbps.", (5.597, 1.070)),
            Mistake("That is at 48 kbps.", (7.380, 0.431)),
        ),
        minutes=6,
        core=False,
        tolerance=0.03,
        remark="From 0.75 to 1 SNR falls by 4 dB more, and mel distance no further.",
    ),
    Exercise(
        "01b.fill",
        "Give the rounded numbers with random ones, within ± amount steps, in place of the zeros, "
        f"but for the lowest {answers.FIRST} coefficients.",
        answers.fill,
        (
            Mistake(
                "Numbers that were sent are changed; only zeros should be.",
                lambda q, amount: q + answers.fill(torch.zeros_like(q), amount),
            ),
            Mistake(
                f"The lowest {answers.FIRST} coefficients are filled too; below 100 Hz the mask is "
                "so high that a part of a step is a roar.",
                lambda q, amount: torch.where(q == 0, amount * (2 * torch.rand(q.shape) - 1), q),
            ),
            Mistake("All zeros are still there.", lambda q, amount: q.clone()),
            Mistake(
                "All of the new numbers have the same sign; noise goes both ways.",
                lambda q, amount: answers.fill(q, amount).abs() * torch.where(q == 0, 1, q.sign()),
            ),
            Mistake(
                "Some of the new numbers are larger than `amount` steps.",
                lambda q, amount: answers.fill(q, 1.0),
            ),
            Mistake(
                "None of the new numbers comes near `amount` steps: is `amount` halved somewhere?",
                lambda q, amount: answers.fill(q, amount / 2),
            ),
            Mistake(
                "Each frame gets the same numbers, which rings; draw new ones for each.",
                lambda q, amount: torch.where(
                    q == 0, answers.fill(torch.zeros(1, q.shape[1]), amount), q
                ),
            ),
        ),
        minutes=10,
        points=2,
        inputs=answers.rounded_numbers,
        judge=answers.judge_fill,
        remark="Yours guesses where noise may stand; AAC's encoder says so for each band.",
    ),
    Exercise(
        "01b.notch_by_ear",
        "Say for each notch, the narrowest first, which burst holds the tone: 1, 2 or 3, or 0 "
        "where you hear none.",
        (0, 0, 0, *map(hearing.place, hearing.WIDTHS[3:])),
        (
            Mistake(
                "In the widest notch the tone stands far out of the noise: is the volume up, and "
                "are these headphones?",
                (0, 0, 0, 0, 0, 0),
            ),
            Mistake(
                "The first burst is 1, not 0.",
                tuple(hearing.place(width) - 1 for width in hearing.WIDTHS),
            ),
            Mistake(
                "Is that the widest notch first? Begin with the narrowest.",
                (*(hearing.place(width) for width in hearing.WIDTHS[::-1]),),
            ),
            Mistake(
                "In the widest notch it is another burst: hear the tone alone, and then loop that "
                "version.",
                (0, 0, 0, 0, 0, hearing.place(hearing.WIDTHS[-1]) % 3 + 1),
            ),
            Mistake(
                "You are right at 2,400 Hz; at 1,600 Hz it is the same whistle, a little nearer to "
                "the noise.",
                (0, 0, 0, 0, 0, hearing.place(hearing.WIDTHS[-1])),
            ),
            Mistake(
                "Give 6 numbers in a tuple, one for each notch, the narrowest first.",
                (1, 2, 3),
            ),
        ),
        minutes=8,
        kind="ear",
        judge=hearing.judge,
        told=hearing.told,
    ),
    Exercise(
        "01b.hidden_tone",
        "Give the result of the blind test of 12 trials: the name of its file, or its text.",
        abx_answers.table(6, 12),
        abx_answers.mistakes(12),
        minutes=8,
        kind="ear",
        core=False,
        judge=abx_answers.judged(12),
        told=abx_answers.told,
    ),
)
