"""Support: the exercises of chapter 16, beyond EnCodec.

Those inside its lesson are in `lesson_16`.
"""

from minicodec.exercises import answers_16 as answers
from minicodec.exercises.blind import mistaken, order
from minicodec.exercises.exercise import Exercise, Mistake
from minicodec.exercises.lesson_16 import LESSON

CODECS = ("base", "factorized", "25 Hz")
_HEARD = order("16.which_codec", CODECS)

EXERCISES = (
    *LESSON,
    Exercise(
        "16.window",
        "Give the kbps, the seconds that 4,096 positions hold with a token at each, and those with "
        "a frame at each: 12.5 frames per second, 8 codebooks of 2,048 vectors.",
        (1.1, 40.96, 327.68),
        (
            Mistake(
                "A code of one of 2,048 costs 11 bits, not 10.",
                (1.0, 40.96, 327.68),
            ),
            Mistake("The first number is in bits per second.", (1100, 40.96, 327.68)),
            Mistake(
                "Both times are the longer one: with a token at each position, a frame takes 8.",
                (1.1, 327.68, 327.68),
            ),
            Mistake("The two times stand in the other order.", (1.1, 327.68, 40.96)),
            Mistake(
                "Multiplied by the tokens per second, not divided by them.",
                (1.1, 409600, 51200),
            ),
            Mistake("The kbps are those of one codebook.", (0.1375, 40.96, 327.68)),
            Mistake("The second is the number of frames, not of seconds.", (1.1, 512, 327.68)),
            Mistake(
                "The longer time is that of a frame at each position; with a token at each it is 8 "
                "times shorter.",
                (1.1, 327.68, 2621.44),
            ),
        ),
        minutes=4,
        kind="paper",
        tolerance=0.004,
        remark="Those are Mimi's sizes.",
    ),
    Exercise(
        "16.to_file",
        "Give the bytes: samples in four and levels in one, the most significant byte first, then "
        "the codes packed frame by frame.",
        answers.to_file,
        (
            Mistake(
                "Each code takes 16 bits, as in a file of DAC; how many does it need?",
                lambda codes, samples, bits: (
                    answers.struct.pack(">IB", samples, len(codes))
                    + codes.T.numpy().astype(">u2").tobytes()
                ),
            ),
            Mistake(
                "Level by level; whoever cuts the file short then loses levels, not seconds.",
                lambda codes, samples, bits: (
                    answers.to_file(codes, samples, bits)[:5]
                    + answers.pack(codes.reshape(-1).numpy(), bits)
                ),
            ),
            Mistake(
                "There are only the codes: who tells the decoder how long the sound is, and how "
                "many levels a frame has?",
                lambda codes, samples, bits: answers.to_file(codes, samples, bits)[5:],
            ),
            Mistake(
                "The number of levels is missing, so nobody can tell where a frame ends.",
                lambda codes, samples, bits: (
                    answers.to_file(codes, samples, bits)[:4]
                    + answers.to_file(codes, samples, bits)[5:]
                ),
            ),
            Mistake(
                "That is the number of frames; a copy is to be as long as its original.",
                lambda codes, samples, bits: answers.to_file(codes, codes.shape[1], bits),
            ),
            Mistake(
                "That is the number of frames where the number of levels should be.",
                lambda codes, samples, bits: (
                    answers.struct.pack(">IB", samples, codes.shape[1])
                    + answers.to_file(codes, samples, bits)[5:]
                ),
            ),
            Mistake(
                "The number of levels stands before that of the samples.",
                lambda codes, samples, bits: (
                    answers.struct.pack(">BI", len(codes), samples)
                    + answers.to_file(codes, samples, bits)[5:]
                ),
            ),
            Mistake(
                "Each frame is filled up to whole bytes; fill up once, at the end.",
                lambda codes, samples, bits: (
                    answers.to_file(codes, samples, bits)[:5]
                    + b"".join(answers.pack(frame.numpy(), bits) for frame in codes.T)
                ),
            ),
            Mistake(
                "The least significant byte of the samples comes first.",
                lambda codes, samples, bits: (
                    samples.to_bytes(4, "little") + answers.to_file(codes, samples, bits)[4:]
                ),
            ),
        ),
        minutes=8,
        points=2,
        inputs=answers.codes_to_store,
    ),
    Exercise(
        "16.from_file",
        "Give the codes [K, T] and the number of samples that the bytes hold.",
        answers.from_file,
        (
            Mistake(
                "The codes are [frames, levels]; they should be the other way round.",
                lambda data, bits, hop: (
                    answers.from_file(data, bits, hop)[0].T,
                    answers.from_file(data, bits, hop)[1],
                ),
            ),
            Mistake(
                "A frame is missing: the last one may stand for less than a whole hop.",
                answers.whole_frames,
            ),
            Mistake(
                "The first five bytes are read as codes.",
                answers.header_as_codes,
            ),
            Mistake(
                "The codes are read level by level; they lie frame by frame.",
                lambda data, bits, hop: (
                    answers.from_file(data, bits, hop)[0].T.reshape(
                        answers.from_file(data, bits, hop)[0].shape
                    ),
                    answers.from_file(data, bits, hop)[1],
                ),
            ),
            Mistake(
                "Whole frames are given as samples; the file says how many there were.",
                lambda data, bits, hop: (
                    answers.from_file(data, bits, hop)[0],
                    hop * answers.from_file(data, bits, hop)[0].shape[1],
                ),
            ),
            Mistake(
                "The samples are read with their least significant byte first.",
                lambda data, bits, hop: (
                    answers.from_file(data, bits, hop)[0],
                    int.from_bytes(data[:4], "little"),
                ),
            ),
            Mistake(
                "The number of samples is to come along, in a pair.",
                lambda data, bits, hop: answers.from_file(data, bits, hop)[0],
            ),
        ),
        minutes=6,
        points=2,
        inputs=answers.files_to_read,
        use=answers.each_file,
        remark="With both sides any codec that has codes has a file, and can be measured.",
    ),
    Exercise(
        "16.which_codec",
        "Listen to x, y and z, and say of each which codec it is: 'base', 'factorized' or '25 Hz'.",
        _HEARD,
        mistaken(
            _HEARD,
            {
                ("base", "factorized"): "Two of them have changed places: in which of them has the "
                "voice a melody?",
                ("factorized", "25 Hz"): "Two of them have changed places: both whisper, but what "
                "is there where the speaker pauses?",
                ("base", "25 Hz"): "Two of them have changed places: one hums and is dull, the "
                "other whispers without a pause.",
            },
            (
                "None is right: begin with the one that fills the pauses with noise.",
                "None is right: begin with the only one that has a melody.",
            ),
        ),
        minutes=5,
        kind="ear",
        remark="Each difference is one part of a codec, and some luck.",
    ),
    Exercise(
        "16.label",
        "Give the kbps that a label of 6 codebooks of 2,048 vectors at 24,000 / 480 frames per "
        "second promises, and those of a file that takes 16 bits for each code.",
        (3.3, 4.8),
        (
            Mistake("Both are in kilobytes per second.", (3.3 / 8, 0.6)),
            Mistake("Both are in bits per second.", (3300.0, 4800.0)),
            Mistake("Those are the rates of one codebook.", (0.55, 0.8)),
            Mistake("To name one of 2,048 takes more than ten bits.", (3.0, 4.8)),
            Mistake(
                "480 is the samples of a frame; how many frames has a second?",
                (480 * 66 / 1000, 480 * 96 / 1000),
            ),
            Mistake("The numbers stand in the other order.", (4.8, 3.3)),
        ),
        minutes=4,
        kind="paper",
        core=False,
        tolerance=0.007,
    ),
)
