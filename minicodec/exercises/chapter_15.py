"""Support: the exercises of chapter 15, the official EnCodec.

Those inside its lesson are in `lesson_15`.
"""

from functools import partial

from minicodec.exercises import answers_15 as answers
from minicodec.exercises.blind import mistaken, order
from minicodec.exercises.exercise import Exercise, Mistake
from minicodec.exercises.lesson_15 import LESSON
from minicodec.model.renaming import our_name

SEAMS = ("cross-faded", "cut every second", "cut four times a second")
_SEAMS = order("15.seams", SEAMS)

EXERCISES = (
    *LESSON,
    Exercise(
        "15.bytes",
        "Give segments, frames, and bytes behind the header, of 2.5 s at 48 kHz and 6 kbps.",
        (3, 378, 1902),
        (
            Mistake(
                "Segments overlap: the third begins at 1.98 s, not at 2 s.",
                (3, 375, 1887),
            ),
            Mistake("The loudness of each segment is missing: four bytes.", (3, 378, 1890)),
            Mistake("The last segment is counted as if it were whole.", (3, 450, 2262)),
            Mistake("Those are bits behind the header; a byte has eight.", (3, 378, 15216)),
            Mistake(
                "This is one code for each frame; how many codebooks are 6 kbps at 150 frames?",
                (3, 378, 485),
            ),
            Mistake(
                "These are eight codebooks, as at 24 kHz; at 48 kHz a frame comes twice as often.",
                (3, 378, 3792),
            ),
            Mistake("The header is counted, too.", (3, 378, 1968)),
        ),
        minutes=8,
        kind="paper",
        remark="So it is 6.09 kbps instead of 6: overlap, and a number for each segment.",
    ),
    Exercise(
        "15.both",
        "Turn names of the official package and of transformers into ours, with one function.",
        our_name,
        (
            Mistake(
                "Official names come out right, but transformers has a single wrapper, `.conv.`.",
                answers.after(
                    answers.renamed(),
                    answers.renamed(
                        levels=(r"quantizer\.layers\.", "quantizer.codebooks."),
                        codebook=(r"\.codebook\.", "."),
                    ),
                ),
            ),
            Mistake(
                "Official names come out right; for the others nothing has been done.",
                answers.renamed(),
            ),
            Mistake(
                "`original0` is the length and `original1` the direction: here they are exchanged.",
                lambda name: our_name(
                    name[:-1] + {"0": "1", "1": "0"}[name[-1]] if "original" in name else name
                ),
            ),
            Mistake(
                "With torch's newer weight norm a tensor is called "
                "`parametrizations.weight.original0`; that name is still there.",
                lambda name: name.replace(".conv.", ".") if "original" in name else our_name(name),
            ),
            Mistake(
                "A level is `quantizer.layers.3.codebook` in transformers; is that one ours?",
                lambda name: name if name.startswith("quantizer.layers") else our_name(name),
            ),
        ),
        minutes=10,
        points=2,
        inputs=answers.names_of_both,
        use=answers.each,
        remark="One function, and a file of either package can be read.",
    ),
    Exercise(
        "15.seams",
        "Say of x, y and z which is 'cut every second', which is 'cut four times a second', and "
        "which is 'cross-faded'.",
        _SEAMS,
        mistaken(
            _SEAMS,
            {
                ("cut every second", "cut four times a second"): "Two are exchanged: count the "
                "clicks in two seconds.",
                ("cut every second", "cross-faded"): "Two are exchanged: one of them has a click "
                "every second, the other none.",
                ("cut four times a second", "cross-faded"): "Two are exchanged: one of them clicks "
                "all the time, the other never.",
            },
            (
                "None is right: begin with the one that never clicks.",
                "None is right: begin with the one that clicks most often.",
            ),
        ),
        minutes=4,
        kind="ear",
        remark="The cross-faded one has as many seams as the worst; they are faded.",
    ),
    Exercise(
        "15.read",
        "Read an .ecdc file of the 24 kHz model: give the fields of its JSON and the codes [K, T].",
        answers.read,
        (
            Mistake(
                "The first bit of a byte is the lowest one here, not the highest.",
                partial(answers.read, most_significant=True),
            ),
            Mistake(
                "The numbers are right but stand in wrong places: frame follows frame.",
                partial(answers.read, levels_first=True),
            ),
            Mistake(
                "The codes begin behind the JSON, and that begins behind nine bytes.",
                partial(answers.read, begin=0),
            ),
            Mistake(
                "Each code is read as two bytes; it has ten bits.",
                partial(answers.read, sixteen=True),
            ),
            Mistake(
                "The last frame is missing: samples that do not fill a hop get one, too.",
                partial(answers.read, rounded_down=True),
            ),
            Mistake(
                "A clip of whole hops gets a frame too many, made of nothing.",
                partial(answers.read, one_more=True),
            ),
            Mistake(
                "Not every header has 66 bytes: a longer clip has more digits in its JSON.",
                partial(answers.read, header=66),
            ),
            Mistake(
                "Read as one number, the bytes have their highest first; here the lowest comes "
                "first.",
                partial(answers.read, backwards=True),
            ),
        ),
        minutes=15,
        core=False,
        points=2,
        inputs=answers.files_of,
        use=answers.of_each_file,
        remark="Seven lines, and not one of them checks anything.",
    ),
)
