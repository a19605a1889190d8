"""Support: what is built inside the lesson of chapter 04, as exercises.

Those at the chapter's end are in `chapter_04`.
"""

from minicodec.exercises import answers_04 as answers
from minicodec.exercises import answers_04_chains as chains
from minicodec.exercises.exercise import Exercise, Mistake
from minicodec.model.seanet import ResidualBlock, SkipLSTM

LESSON = (
    Exercise(
        "04.stream_conv",
        "Put the piece behind the past, convolve every full window, and keep what later ones need.",
        answers.conv,
        (
            Mistake(
                "Each piece begins as if nothing had been before it: where is the past?",
                answers.forgetful(answers.conv),
            ),
            Mistake(
                "Too many zeros at the start: “kernel minus one” is for stride 1.",
                answers.convolving(lambda k, s, d: k - 1),
            ),
            Mistake(
                "Without zeros at the start the first outputs come late: what was the past before "
                "anything had happened?",
                answers.convolving(lambda k, s, d: 0),
            ),
            Mistake(
                "It always keeps k − s inputs, and loses those that wait for their window to fill.",
                answers.convolving(keep=lambda x, windows, stride, new: x[..., -stride:]),
            ),
            Mistake(
                "After an output it keeps k − s inputs; those that wait for the next window to "
                "fill are more.",
                answers.convolving(
                    keep=lambda x, windows, stride, new: x[..., -stride:] if windows else x
                ),
            ),
            Mistake(
                "A piece that fills no window is lost: keep it with the past.",
                answers.convolving(
                    keep=lambda x, windows, stride, new: (
                        x[..., windows * stride :] if windows else x[..., :-new]
                    )
                ),
            ),
            Mistake(
                "A piece may be too short to fill a window: what comes out then?",
                answers.convolving(short=False),
            ),
            Mistake(
                "One input too few is kept, and the next window starts too late: each window "
                "moves on by s and no more.",
                answers.convolving(
                    keep=lambda x, windows, stride, new: x[..., windows * stride + (windows > 0) :]
                ),
            ),
            Mistake(
                "The outputs are right, but all inputs are kept: how far back will a later window "
                "look?",
                answers.keeps_all,
            ),
            Mistake(
                "The bias is missing.",
                lambda x, past, weight, bias, stride: answers.conv(x, past, weight, None, stride),
            ),
        ),
        minutes=8,
        points=2,
        inputs=answers.sound_in_pieces,
        use=answers.walked,
    ),
    Exercise(
        "04.stream_transposed",
        "Paint the new frames, add the wet paint, give back what is ready, and keep the rest.",
        answers.transposed,
        (
            Mistake(
                "The wet paint of the frames before is forgotten.",
                answers.painting(lambda painted, wet: painted),
            ),
            Mistake(
                "The wet paint covers what is painted now: paint adds.",
                answers.painting(lambda painted, wet: wet),
            ),
            Mistake(
                "The bias counts twice where strokes overlap: add it when samples are ready.",
                answers.painting(lambda painted, wet: painted + wet, bias_on="painted"),
            ),
            Mistake(
                "The bias is missing.",
                answers.painting(lambda painted, wet: painted + wet, bias_on="nowhere"),
            ),
            Mistake(
                "It also gives back paint that is still wet: how many samples are ready after T′ "
                "frames?",
                answers.painting(lambda painted, wet: painted + wet, all_of_it=True),
            ),
        ),
        minutes=6,
        points=2,
        inputs=answers.frames_in_pieces,
        use=answers.walked,
    ),
    Exercise(
        "04.stream",
        "Send a piece through the layers, each with a state of its own, and give the new states.",
        chains.chain,
        (
            Mistake(
                "Every layer begins each piece anew: are the given states used?",
                lambda layers, x, states=None: chains.chain(layers, x),
            ),
            Mistake(
                "The LSTM begins each piece anew: what it carries is a state, too.",
                chains.anew(SkipLSTM),
            ),
            Mistake(
                "The residual block begins each piece anew: it has a kernel of 3 inside.",
                chains.anew(ResidualBlock),
            ),
            Mistake(
                "A piece may be too short for a single frame, and an LSTM cannot walk over none: "
                "what comes out then, and with which state?",
                chains.walks_over_none,
            ),
            Mistake("The shortcut of the residual block is missing.", chains.without_shortcuts),
            Mistake(
                "It changes the list of states that it was given: a stream that is resumed from "
                "an old state then goes on from a newer one.",
                chains.in_place,
            ),
        ),
        minutes=10,
        points=2,
        inputs=chains.networks_in_pieces,
        use=chains.tried_chain,
    ),
)
