"""Support: the exercises of chapter 01, sound and bits."""

import math

from minicodec.exercises import answers_01 as answers
from minicodec.exercises.blind import mistaken, order
from minicodec.exercises.exercise import Exercise, Mistake
from minicodec.exercises.lesson_01 import LESSON
from minicodec.sound.spectral import decibel

_FAULTS = ("clean", "folded", "rounded")
_HEARD = order("01.three_faults", _FAULTS)

EXERCISES = (
    *LESSON,
    Exercise(
        "01.stereo",
        "Give the bits per sample of each channel of 48 kHz stereo at 6 kbps, and how many times "
        "smaller that is than 16-bit PCM.",
        (0.0625, 256.0),
        (
            Mistake(
                "That is the time of one channel: stereo has two, and twice as many samples.",
                (0.125, 128.0),
            ),
            Mistake(
                "The ratio is right; but those bits are shared by two channels.", (0.125, 256.0)
            ),
            Mistake(
                "The bits are right; the ratio forgets that PCM pays for two channels.",
                (0.0625, 128.0),
            ),
            Mistake("That is samples per bit; the question asks for bits per sample.", (16.0, 256)),
            Mistake("6 kbps are 6000 bits per second.", (0.0000625, 256_000.0)),
            Mistake(
                "That is the other way round: the large rate over the small one.", (0.0625, 1 / 256)
            ),
        ),
        minutes=4,
        kind="paper",
        remark="The paper's 48 kHz model does that: a sixteenth of a bit for each sample.",
    ),
    Exercise(
        "01.alias",
        "Give the frequencies, in Hz, at which tones of 15 kHz and of 11 kHz are heard when they "
        "are sampled without a filter, the first at 24 kHz, the second at 8 kHz.",
        (9000.0, 3000.0),
        (
            Mistake(
                "That is how far they lie above half the rate; by equation (2) they fold at the "
                "rate itself.",
                (3000.0, 7000.0),
            ),
            Mistake(
                "The first is right; 11 kHz folds at the rate itself, too, not at half of it.",
                (9000.0, 7000.0),
            ),
            Mistake("In hertz, not in kilohertz.", (9.0, 3.0)),
            Mistake(
                "A frequency has no sign here: a sine of −3 kHz is one of 3 kHz, upside down.",
                (9000.0, -3000.0),
            ),
            Mistake(
                "The second lies between one and one and a half times its rate: what is left when "
                "whole turns are taken away?",
                (9000.0, 5000.0),
            ),
            Mistake(
                "Nothing above half the rate can be there; both tones are still where they were.",
                (15000.0, 11000.0),
            ),
            Mistake(
                "Half the rate is the most that can be heard, not where every higher tone goes.",
                (12000.0, 4000.0),
            ),
        ),
        minutes=4,
        kind="paper",
        remark="The sweep of this chapter did so twice: at 4,000 Hz it turned down, at 8,000 up.",
    ),
    Exercise(
        "01.mu_law",
        "Give the samples rounded to 2**bits levels in a compressed scale, y = sign(x) log(1 + "
        "255 |x|) / log 256, and expanded again.",
        answers.mu_law,
        (
            Mistake(
                "The result is still compressed; where is the way back?",
                lambda x, bits: answers.quantize(answers.compress(x), bits),
            ),
            Mistake(
                "This is as if nothing had been compressed: rounding belongs between the way there "
                "and the way back.",
                answers.quantize,
            ),
            Mistake("Nothing is rounded on the way.", lambda x, bits: x.clone()),
            Mistake(
                "That is the compression alone: where are rounding, and the way back?",
                lambda x, bits: answers.compress(x),
            ),
            Mistake(
                "Negative samples come back positive; does the way back keep the sign?",
                lambda x, bits: answers.mu_law(x, bits).abs(),
            ),
            Mistake(
                "The way back ends at e, not at 256: the logarithm was divided by log 256.",
                lambda x, bits: answers.lost_way(x, bits, lambda y: y.exp() - 1),
            ),
            Mistake(
                "The way back does not bring 0 to 0: log(1 + …) has a 1 to take away.",
                lambda x, bits: answers.lost_way(x, bits, lambda y: 256**y),
            ),
            Mistake(
                "The way back is missing a division by 255.",
                lambda x, bits: answers.mu_law(x, bits) * 255,
            ),
            Mistake(
                "Compressed samples should reach 1 and no more: where is the division by log 256?",
                lambda x, bits: answers.expand(
                    answers.quantize(answers.compress(x) * math.log(256), bits)
                ),
            ),
        ),
        minutes=10,
        points=2,
        inputs=answers.soft_samples_and_bits,
        remark="Telephones have worked so since 1972: 8 bits, spent where speech is.",
    ),
    Exercise(
        "01.three_faults",
        "Say which of x, y and z is clean, which is folded, and which is rounded.",
        _HEARD,
        mistaken(
            _HEARD,
            {
                ("clean", "folded"): "You have the rounded one; of the other two, one sounds wrong "
                "at every “s”, where high sound comes down.",
                ("folded", "rounded"): "You have the clean one; of the other two, one has noise in "
                "every pause and the other is worst with “s” and “t”.",
                ("clean", "rounded"): "You have the folded one; of the other two, one has a hiss "
                "that does not depend on the letter that is spoken.",
            },
            (
                "None is in its place; loop a pause first: only one of the three is noisy there.",
                "No letter has its own sound yet; loop an “s”, which is what folds.",
            ),
        ),
        minutes=6,
        kind="ear",
        remark="Folding comes with the treble that is not there any more; rounding comes always.",
    ),
    Exercise(
        "01.mel_distance",
        "Give the mean absolute difference, in dB, of two mel pictures of 64 bands, with one "
        "window of 1024 samples, a hop of 256, and what is below −80 dB counted as −80 dB.",
        answers.mel_distance,
        (
            Mistake(
                "Silence is compared below −80 dB, where nobody hears; clamp before the logarithm.",
                lambda copy, clip: (
                    (
                        decibel(answers.magnitudes(copy), -200)
                        - decibel(answers.magnitudes(clip), -200)
                    )
                    .abs()
                    .mean()
                ),
            ),
            Mistake(
                "Magnitudes take 20 log10; 10 is for powers.",
                lambda copy, clip: answers.mel_distance(copy, clip) / 2,
            ),
            Mistake(
                "Bands that are too weak cancel those that are too strong; where is the absolute "
                "value?",
                lambda copy, clip: (
                    decibel(answers.magnitudes(copy)) - decibel(answers.magnitudes(clip))
                ).mean(),
            ),
            Mistake(
                "That is the mean of squares; the mean of absolute values is asked for.",
                lambda copy, clip: (
                    (decibel(answers.magnitudes(copy)) - decibel(answers.magnitudes(clip)))
                    .pow(2)
                    .mean()
                ),
            ),
            Mistake(
                "That is the picture of the difference; the difference of two pictures is asked "
                "for.",
                lambda copy, clip: decibel(answers.magnitudes(copy - clip)).abs().mean(),
            ),
            Mistake(
                "The root of the mean square weighs large differences more; where is the plain "
                "mean of absolute values?",
                lambda copy, clip: (
                    (decibel(answers.magnitudes(copy)) - decibel(answers.magnitudes(clip)))
                    .pow(2)
                    .mean()
                    .sqrt()
                ),
            ),
            Mistake(
                "The filters sum powers here, though their decibels are right; they should sum "
                "magnitudes.",
                lambda copy, clip: (
                    (decibel(answers.powers(copy).sqrt()) - decibel(answers.powers(clip).sqrt()))
                    .abs()
                    .mean()
                ),
            ),
            Mistake(
                "The filters sum powers here; they should sum magnitudes: is a `.pow(2)` too much?",
                lambda copy, clip: (
                    (decibel(answers.powers(copy)) - decibel(answers.powers(clip))).abs().mean()
                ),
            ),
        ),
        minutes=10,
        core=False,
        points=2,
        inputs=answers.two_clips,
        use=answers.as_number,
        tolerance=1e-3,
    ),
)
