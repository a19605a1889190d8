"""Support: what is built inside the lesson of chapter 08, as exercises.

Its losses are in `lesson_08_losses`, those at the chapter's end in `chapter_08`.
"""

import torch
import torch.nn.functional as F

from minicodec.exercises import answers_08 as answers
from minicodec.exercises.exercise import Exercise, Mistake
from minicodec.exercises.lesson_08_losses import FEATURE_MATCHING, HINGE
from minicodec.training.losses import discriminator_loss, generator_loss

LESSON = (
    HINGE,
    Exercise(
        "08.conv2d",
        "Give a 2-d convolution with weight norm that strides along the bins, is dilated along the "
        "frames, and gives as many frames as it gets.",
        answers.conv2d,
        (
            Mistake(
                "Frames get lost where the kernel is dilated: how many frames does it then span?",
                answers.layer(padding=lambda k, j, d: (k // 2, j // 2)),
            ),
            Mistake(
                "The stride is along the frames; which of the two axes should be halved?",
                answers.layer(strides=lambda s: (s, 1)),
            ),
            Mistake(
                "Both axes are strided; the frames should stay.",
                answers.layer(strides=lambda s: (s, s)),
            ),
            Mistake(
                "The dilation is along the bins; it should look further in time.",
                answers.layer(
                    padding=lambda k, j, d: (k // 2, d * (j // 2)), dilations=lambda d: (1, d)
                ),
            ),
            Mistake(
                "The kernel is not dilated: is the argument used?",
                answers.layer(padding=lambda k, j, d: (k // 2, j // 2), dilations=lambda d: (1, 1)),
            ),
            Mistake(
                "There is no padding, so both axes lose their ends.",
                answers.layer(padding=lambda k, j, d: (0, 0)),
            ),
            Mistake(
                "Padding goes on *both* sides; half of this is enough for a centred kernel.",
                answers.layer(padding=lambda k, j, d: (d * (k - 1), j - 1)),
            ),
            Mistake(
                "The kernel lies on its side: frames come first here, then bins.",
                answers.layer(turned=True),
            ),
            Mistake(
                "Where is the weight norm? It is imported as `weight_norm`.",
                answers.layer(normed=False),
            ),
        ),
        minutes=6,
        points=2,
        inputs=answers.sizes_and_picture,
        use=answers.laid,
    ),
    Exercise(
        "08.two_colours",
        "Give the complex spectrum as a picture of frames × bins with two colours, real part and "
        "imaginary part.",
        answers.two_colours,
        (
            Mistake(
                "These are magnitude and angle; the angle jumps from π to −π. Which two parts does "
                "a complex number have?",
                answers.coloured(lambda s: (s.abs(), s.angle())),
            ),
            Mistake(
                "That is the magnitude, twice: this network would be deaf to phase.",
                answers.coloured(lambda s: (s.abs(), s.abs())),
            ),
            Mistake(
                "The two colours have changed places: real first.",
                answers.coloured(lambda s: (s.imag, s.real)),
            ),
            Mistake(
                "Bins × frames: `torch.stft` puts frequencies first.",
                lambda clip, n: answers.two_colours(clip, n).transpose(2, 3),
            ),
            Mistake(
                "A longer window gives larger numbers here; by what is a spectrum divided, so that "
                "noise has one level at all windows?",
                answers.coloured(level=lambda w: torch.ones(())),
            ),
            Mistake(
                "Divided by the window's sum; that levels tones. Its norm levels noise.",
                answers.coloured(level=lambda w: w.sum()),
            ),
            Mistake(
                "Divided by the root of the window's length; what is the norm of a Hann window?",
                answers.coloured(level=lambda w: torch.tensor(len(w) ** 0.5)),
            ),
            Mistake(
                "There are frames beyond both ends: `center=False` keeps the window inside of the "
                "clip.",
                answers.coloured(center=True),
            ),
            Mistake(
                "The hop is half a window here; a quarter is asked for.", answers.coloured(hop=2)
            ),
            Mistake(
                "The pieces are cut out with hard edges: where is the Hann window?",
                answers.coloured(window=torch.ones),
            ),
            Mistake(
                "It is still complex, in one colour; a convolution takes real numbers.",
                lambda clip, n: torch.complex(*answers.two_colours(clip, n).unbind(1))[:, None],
            ),
        ),
        minutes=7,
        points=2,
        inputs=answers.clips_and_window,
    ),
    FEATURE_MATCHING,
    Exercise(
        "08.lesson",
        "Move the discriminator by one step of its hinge loss, send no gradient to the copies, and "
        "return what it paid.",
        answers.lesson,
        (
            Mistake(
                "A gradient goes on into the copies, so that the codec learns to be found out; "
                "what keeps it back?",
                answers.lesson_with(detached=False),
            ),
            Mistake(
                "The codec's turn has left gradients in the discriminator, and they are added to "
                "the new ones; who clears them?",
                answers.lesson_with(cleared=False),
            ),
            Mistake(
                "The weights are as before: is there a `step`, and still a gradient when it comes?",
                answers.lesson_with(moved=False),
            ),
            Mistake(
                "It learns to call recordings copies: are the two sides in their places?",
                answers.lesson_with(lambda r, f: discriminator_loss([f], [r])),
            ),
            Mistake(
                "That is the codec's loss; by it the discriminator learns to let everything pass.",
                answers.lesson_with(lambda r, f: generator_loss([f])),
            ),
            Mistake(
                "It learns from copies alone, and would call everything a copy.",
                answers.lesson_with(lambda r, f: F.relu(1 + f).mean()),
            ),
        ),
        minutes=6,
        points=2,
        inputs=answers.seed_and_clips,
        use=answers.taught,
        remark="In the codec's turn nothing is detached, and its own weights move.",
    ),
)
