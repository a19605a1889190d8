"""Support: what is built inside the lesson of chapter 03, as exercises.

Those at the chapter's end are in `chapter_03`.
"""

from torch import nn

from minicodec.exercises import answers_03 as answers
from minicodec.exercises.exercise import Exercise, Mistake
from minicodec.model.conv import Conv1d
from minicodec.model.seanet import ResidualBlock, SkipLSTM

LESSON = (
    Exercise(
        "03.residual_block",
        "Make the layers of equation (1): self.block, an nn.Sequential, and self.shortcut.",
        ResidualBlock,
        (
            Mistake(
                "All channels all the way: the first convolution goes into half of them.",
                answers.block(lambda f: [nn.ELU(), Conv1d(f, f, 3), nn.ELU(), Conv1d(f, f, 1)]),
            ),
            Mistake(
                "Kernel 3 twice is what the paper says; equation (1) has a 1 in the second.",
                answers.block(lambda f: [*answers.usual(f, (0, 1, 2)), Conv1d(f // 2, f, 3)]),
            ),
            Mistake(
                "The activation comes before each convolution in equation (1), not after it.",
                answers.block(lambda f: answers.usual(f, (1, 0, 3, 2))),
            ),
            Mistake(
                "A layer of the block stands too early: is there an ELU between the convolutions?",
                answers.block(lambda f: answers.usual(f, (0, 1, 3))),
            ),
            Mistake(
                "Samples are lost at the edge: torch's Conv1d does not pad; take the package's.",
                answers.block(
                    lambda f: [nn.ELU(), nn.Conv1d(f, f // 2, 3), nn.ELU(), nn.Conv1d(f // 2, f, 1)]
                ),
            ),
            Mistake(
                "A ReLU cuts off what is negative; an ELU lets some of it pass.",
                answers.block(
                    lambda f: [
                        nn.ReLU(),
                        *answers.usual(f, (1,)),
                        nn.ReLU(),
                        *answers.usual(f, (3,)),
                    ]
                ),
            ),
            Mistake(
                "The shortcut looks at no neighbours: kernel 1.",
                answers.block(answers.usual, shortcut=3),
            ),
        ),
        minutes=5,
        points=2,
        inputs=answers.block_and_sound,
        use=answers.tried_block,
    ),
    Exercise(
        "03.lstm",
        "Walk over the frames by equation (2) and stack the outputs.",
        answers.lstm,
        (
            Mistake(
                "The last two of the four are swapped: they lie in the order write, keep, new, "
                "show.",
                answers.walk(lambda i, f, g, o, cell: answers.step(i, f, o, g, cell)),
            ),
            Mistake(
                "The first two of the four are swapped: they lie in the order write, keep, new, "
                "show.",
                answers.walk(lambda i, f, g, o, cell: answers.step(f, i, g, o, cell)),
            ),
            Mistake(
                "What is new passes a tanh, not a sigmoid: it may be negative.",
                answers.walk(
                    lambda i, f, g, o, cell: answers.step(i, f, g.sigmoid().atanh(), o, cell)
                ),
            ),
            Mistake(
                "The output shows the cell itself: which function stands before it in (2)?",
                answers.walk(
                    lambda i, f, g, o, cell: (
                        answers.step(i, f, g, o, cell)[0],
                        o.sigmoid() * answers.step(i, f, g, o, cell)[0],
                    )
                ),
            ),
            Mistake(
                "The output shows the cell as it was before this frame.",
                answers.walk(
                    lambda i, f, g, o, cell: (
                        answers.step(i, f, g, o, cell)[0],
                        o.sigmoid() * cell.tanh(),
                    )
                ),
            ),
            Mistake(
                "The cell forgets everything at each frame: what does the keep gate multiply?",
                answers.walk(lambda i, f, g, o, cell: answers.step(i, f, g, o, 0 * cell)),
            ),
            Mistake(
                "The last output is not fed back: each gate looks at the frame and at h.",
                answers.walk(answers.step, feedback=0.0),
            ),
        ),
        minutes=8,
        points=2,
        inputs=answers.frames_and_matrices,
    ),
    Exercise(
        "03.skip_lstm",
        "Send [B, F, T′] through self.lstm, which wants [T′, B, F], and add what comes to x.",
        SkipLSTM,
        (
            Mistake(
                "The skip is missing: the LSTM's output is added to its input.",
                answers.forward(lambda self, x: self.lstm(x.permute(2, 0, 1))[0].permute(1, 2, 0)),
            ),
            Mistake(
                "It walks over the batch instead of the frames: which axis comes first in nn.LSTM?",
                answers.forward(answers.walk_over_the_batch),
            ),
            Mistake(
                "The axes are still those of nn.LSTM: bring them back.",
                answers.forward(lambda self, x: SkipLSTM.forward(self, x).permute(2, 0, 1)),
            ),
            Mistake(
                "Twice the output: was x overwritten before it was added?",
                answers.forward(answers.overwritten),
            ),
        ),
        minutes=4,
        points=2,
        inputs=answers.memory_and_latents,
        use=answers.tried_block,
    ),
    Exercise(
        "03.encoder",
        "Stack the encoder: kernel 7, a stage for each stride, the LSTM, an ELU, kernel 7.",
        answers.encoder,
        (
            Mistake(
                "The channels do not double: the strided layer makes 2 F of F.",
                answers.changed(
                    answers.encoder, lambda layers: [*layers[:3], Conv1d(2, 2, 4, 2), *layers[4:]]
                ),
            ),
            Mistake(
                "The second stage has as few channels as the first: after a strided layer there "
                "are twice as many; who keeps count?",
                answers.changed(
                    answers.encoder, lambda layers: [*layers[:4], ResidualBlock(2), *layers[5:]]
                ),
            ),
            Mistake(
                "The strides are undone last first in the decoder; here they come as given.",
                answers.in_order(answers.encoder),
            ),
            Mistake(
                "A strided kernel is twice as long as its stride (chapter 02).",
                answers.changed(answers.encoder, lambda layers: answers.kernels_of(1, layers)),
            ),
            Mistake(
                "The residual block comes before the strided layer: it looks around first.",
                answers.changed(answers.encoder, answers.down_first),
            ),
            Mistake(
                "There is one layer too few before the LSTM: an ELU before each strided layer?",
                answers.changed(
                    answers.encoder,
                    lambda layers: [x for i, x in enumerate(layers) if i not in (2, 5, 8, 11)],
                ),
            ),
            Mistake(
                "Where is the memory? The LSTM stands before the last convolution.",
                answers.changed(answers.encoder, lambda layers: [*layers[:13], *layers[14:]]),
            ),
            Mistake(
                "Between the LSTM and the last convolution stands an ELU.",
                answers.changed(answers.encoder, lambda layers: [*layers[:14], layers[15]]),
            ),
        ),
        minutes=8,
        points=2,
        inputs=answers.encoder_and_sound,
        use=answers.tried_small,
    ),
    Exercise(
        "03.decoder",
        "Stack the mirror image: kernel 7, the LSTM, a stage for each stride, an ELU, kernel 7.",
        answers.decoder,
        (
            Mistake("The strides are undone last first.", answers.in_order(answers.decoder)),
            Mistake(
                "A transposed kernel, too, is twice as long as its stride.",
                answers.changed(answers.decoder, lambda layers: answers.kernels_of(1, layers)),
            ),
            Mistake(
                "The residual block comes after the upsampling, to clean up what was painted.",
                answers.changed(answers.decoder, answers.block_first),
            ),
            Mistake(
                "Each stage begins with an ELU.",
                answers.changed(
                    answers.decoder,
                    lambda layers: [x for i, x in enumerate(layers) if i not in (2, 5, 8, 11)],
                ),
            ),
            Mistake(
                "Nothing keeps the samples between −1 and 1 at the end: no tanh.",
                answers.changed(answers.decoder, lambda layers: [*layers, nn.Tanh()]),
            ),
            Mistake(
                "The LSTM comes second: frames are fewest there.",
                answers.changed(answers.decoder, lambda layers: [layers[0], *layers[2:]]),
            ),
        ),
        minutes=6,
        points=2,
        inputs=answers.decoder_and_latents,
        use=answers.tried_small,
    ),
)
