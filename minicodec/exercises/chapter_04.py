"""Support: the exercises of chapter 04, streaming.

Those inside its lesson are in `lesson_04`.
"""

from minicodec.exercises import answers_04 as answers
from minicodec.exercises import answers_04_chains as chains
from minicodec.exercises.blind import mistaken, order
from minicodec.exercises.exercise import Exercise, Mistake
from minicodec.exercises.lesson_04 import LESSON

FORGETS = ("nothing", "encoder", "decoder")

EXERCISES = (
    *LESSON,
    Exercise(
        "04.look_ahead_on_paper",
        "Give look-ahead and latency, in samples, of three layers with half of P on each side.",
        (6, 8),
        (
            Mistake(
                "After the stride, neighbours are two samples apart, and so is what lies ahead.",
                (5, 7),
            ),
            Mistake("That is all of P; half of it lies in the past.", (12, 14)),
            Mistake("The hop itself must be collected, too, before a frame is done.", (6, 6)),
            Mistake(
                "The whole view is not ahead: which part of each window comes after its hop?",
                (13, 15),
            ),
            Mistake("The hop is the product of the strides, not the number of layers.", (6, 9)),
        ),
        minutes=5,
        kind="paper",
        remark="The same sum over EnCodec's encoder gives 1195 samples: 50 ms of waiting.",
    ),
    Exercise(
        "04.packets_on_paper",
        "Give the kbps on the wire of 12 kbps with two frames and 40 bytes of headers per packet.",
        24.0,
        (
            Mistake("That is the codec alone: each packet has headers, too.", 12.0),
            Mistake("Two frames share one packet, and so one set of headers.", 36.0),
            Mistake("Those are kilobytes; eight bits make a byte.", 3.0),
            Mistake("The headers are 40 bytes, not 40 bits.", 13.5),
            Mistake("Packets are half as many as frames.", 48.0),
            Mistake("Those are bits per second; the question asks for kbps.", 24000.0),
        ),
        minutes=4,
        kind="paper",
        remark="Half of what is sent says where it goes.",
    ),
    Exercise(
        "04.dilated_conv",
        "Give the stream of a convolution a dilation: how many zeros begin it, and how far reach "
        "windows?",
        answers.dilated,
        (
            Mistake(
                "The past has the size of a kernel without dilation: what is P in chapter 02?",
                answers.convolving(lambda k, s, d: k - s),
            ),
            Mistake(
                "P is right only for stride 1: what does equation (3) of chapter 02 subtract?",
                answers.convolving(lambda k, s, d: (k - 1) * d),
            ),
            Mistake(
                "The past is right, but the convolution itself is not dilated.",
                answers.undilated,
            ),
            Mistake(
                "The taps are d apart, so k of them reach over (k − 1) d + 1 inputs, not k d.",
                answers.convolving(lambda k, s, d: k * d - s),
            ),
            Mistake(
                "Each piece begins as if nothing had been before it.",
                answers.forgetful(answers.dilated),
            ),
        ),
        minutes=6,
        points=2,
        inputs=answers.dilated_in_pieces,
        use=answers.walked,
        remark="Nothing but P has changed: what a layer keeps follows from what a window spans.",
    ),
    Exercise(
        "04.two_calls",
        "Code two calls in turns, piece by piece, with the same layers and two states.",
        chains.two_calls,
        (
            Mistake(
                "Both calls run through one state: each hears the other one's past.",
                chains.one_state,
            ),
            Mistake("No state is passed on from piece to piece.", chains.no_state),
            Mistake(
                "The second call begins with what the first one left: each begins with None.",
                chains.one_beginning,
            ),
            Mistake(
                "The two calls come back in the wrong order.",
                lambda layers, first, second: chains.two_calls(layers, first, second)[::-1],
            ),
        ),
        minutes=8,
        points=2,
        inputs=chains.two_voices,
        remark="One model, any number of calls: all that is a call's own is its state.",
    ),
    Exercise(
        "04.forgetting_by_ear",
        "Tell by ear which of x, y, z has an encoder that forgets, and which a decoder.",
        order("04.forgetting_by_ear", FORGETS),
        mistaken(
            order("04.forgetting_by_ear", FORGETS),
            {
                ("nothing", "encoder"): "The buzz is found; of the other two, one is rough, as if "
                "the voice shook: listen to the longest vowels.",
                ("nothing", "decoder"): "These two are swapped: one of them buzzes, as the opening "
                "of this chapter did.",
                ("encoder", "decoder"): "The clean one is found; which of the other two buzzes, "
                "and who writes the waveform, encoder or decoder?",
            },
            (
                "None is where it belongs: first find the one that buzzes.",
                "None is where it belongs: first find the one without any disturbance.",
            ),
        ),
        minutes=6,
        kind="ear",
        remark="The decoder joins what the encoder gives it; nobody joins what the decoder gives.",
    ),
)
