"""Support: the exercises of chapter 00, first listen."""

from minicodec.exercises import abx_answers
from minicodec.exercises import answers_00 as answers
from minicodec.exercises.blind import mistaken, order
from minicodec.exercises.exercise import Exercise, Mistake

_VERSIONS = ("minicodec 1.5", "minicodec 12", "Opus 6")
_HEARD = order("00.which_codec", _VERSIONS)

EXERCISES = (
    Exercise(
        "00.code",
        "Give the number of the cell in which the error lies: whole steps, rounded down, and kept "
        "within the 2**bits numbers around 0.",
        answers.code,
        (
            Mistake(
                "Numbers leave the range: an error beyond the outermost cell needs a number that "
                "is not among the 2**bits; what is to be sent then?",
                lambda error, step, bits: int(error // step),
            ),
            Mistake(
                "Towards 0 is not down: with `int` alone a small error has the same number above "
                "and below 0; which division rounds down?",
                lambda error, step, bits: answers.clamped(int(error / step), bits),
            ),
            Mistake(
                "That rounds to the nearest edge between two cells; the cell is asked for, so "
                "round down.",
                lambda error, step, bits: answers.clamped(round(error / step), bits),
            ),
            Mistake(
                "Two things: `int` cuts towards 0 and not down, and numbers leave the range.",
                lambda error, step, bits: int(error / step),
            ),
            Mistake(
                "Two things: the cell is asked for, so round down, and numbers leave the range.",
                lambda error, step, bits: round(error / step),
            ),
            Mistake(
                "There is one number too many: from −4 to 4 they are nine, and 3 bits have eight.",
                lambda error, step, bits: min(
                    max(int(error // step), -(2 ** (bits - 1))), 2 ** (bits - 1)
                ),
            ),
            Mistake(
                "These numbers reach twice as far as 2**bits of them do: half lie below 0, half "
                "from 0 up.",
                lambda error, step, bits: min(max(int(error // step), -(2**bits)), 2**bits - 1),
            ),
            Mistake(
                "Negative errors all get the number 0: where do the 2**bits numbers begin?",
                lambda error, step, bits: min(max(int(error // step), 0), 2**bits - 1),
            ),
        ),
        minutes=6,
        points=2,
        inputs=answers.errors_and_step,
        use=answers.of_all,
    ),
    Exercise(
        "00.kbps",
        "Give the kilobits per second of the bytes of a stream.",
        answers.kbps,
        (
            Mistake(
                "That is kilobytes per second; how many bits has a byte?",
                lambda data, seconds: len(data) / seconds / 1000,
            ),
            Mistake(
                "That is bits per second; *kilo* is a thousand.",
                lambda data, seconds: len(data) * 8 / seconds,
            ),
            Mistake(
                "In bit rates a kilobit is 1000 bits, not 1024.",
                lambda data, seconds: len(data) * 8 / seconds / 1024,
            ),
            Mistake(
                "These are kilobits, but of the whole stream: where are the seconds?",
                lambda data, seconds: len(data) * 8 / 1000,
            ),
            Mistake(
                "A longer clip of the same bytes has a lower rate: multiply or divide by seconds?",
                lambda data, seconds: len(data) * 8 * seconds / 1000,
            ),
        ),
        minutes=3,
        inputs=answers.bytes_and_seconds,
        remark="Headers count too: what is sent is sent.",
    ),
    Exercise(
        "00.hour",
        "Give the bytes of an hour of speech, coded at 1.5 kbps and uncompressed at 384 kbps.",
        (675_000, 172_800_000),
        (
            Mistake("Those are bits; a byte has eight.", (5_400_000, 1_382_400_000)),
            Mistake("That is one minute; an hour has sixty.", (11_250, 2_880_000)),
            Mistake("Those are kilobytes; the question asks for bytes.", (675, 172_800)),
            Mistake("That is one second.", (187.5, 48_000)),
            Mistake("In bit rates a kilobit is 1000 bits, not 1024.", (691_200, 176_947_200)),
            Mistake("The other way round: coded first, then uncompressed.", (172_800_000, 675_000)),
        ),
        minutes=4,
        kind="paper",
        remark="Less than 0.7 MB for an hour of voice; uncompressed it is 256 times as much.",
    ),
    Exercise(
        "00.which_codec",
        "Say which of x, y and z is minicodec 1.5, which minicodec 12, and which Opus 6.",
        _HEARD,
        mistaken(
            _HEARD,
            {
                ("minicodec 1.5", "minicodec 12"): "You have Opus 6; of the other two, in which "
                "does the last chord stand still, and in which does it waver?",
                ("minicodec 12", "Opus 6"): "You have minicodec 1.5; of the other two, one has no "
                "treble at all: listen to the cymbals.",
                ("minicodec 1.5", "Opus 6"): "You have minicodec 12; both of the others "
                "waver, but only one of them has its cymbals.",
            },
            (
                "None is in its place; begin with the one without treble, where the cymbals are "
                "gone.",
                "No letter has its own codec yet; find Opus first: it has nothing above 4 kHz.",
            ),
        ),
        minutes=6,
        kind="ear",
        remark="Dull and wavering are two faults, and no bit rate says which of them you get.",
    ),
    Exercise(
        "00.climb",
        "Give the mel distance between the clip and its copy at each bandwidth of the codec.",
        answers.climb,
        (
            Mistake(
                "All are alike: does `encode` know the bandwidth? Without one it takes the "
                "highest.",
                answers.climb_at_the_default,
            ),
            Mistake(
                "The decoder gives whole frames, so the copy is longer than the clip; which "
                "argument of `decode` cuts it?",
                answers.climb_of_whole_frames,
            ),
            Mistake(
                "The first is right, but then each copy is compared with the one before; compare "
                "with the clip.",
                answers.climb_of_copies,
            ),
            Mistake(
                "The values are right, but in reverse order: from the lowest bandwidth up.",
                lambda codec, clip: answers.climb(codec, clip)[::-1],
            ),
            Mistake("That is SI-SDR; mel distance is asked for.", answers.climb_in_si_sdr),
        ),
        minutes=8,
        core=False,
        points=2,
        inputs=answers.small_codec_and_clip,
    ),
    Exercise(
        "00.last_doubling",
        "Give the result of the blind test of 10 trials: the name of its file, or its text.",
        abx_answers.table(5, 10),
        abx_answers.mistakes(10),
        minutes=8,
        kind="ear",
        core=False,
        judge=abx_answers.judged(10),
        told=abx_answers.told,
    ),
)
