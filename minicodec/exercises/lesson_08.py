"""Support: what is built inside the lesson of chapter 08, as exercises.

Those at the chapter's end are in `chapter_08`.
"""

import torch
import torch.nn.functional as F

from minicodec.exercises import answers_08 as answers
from minicodec.exercises.exercise import Exercise, Mistake
from minicodec.training.losses import discriminator_loss, feature_matching_loss, generator_loss

LESSON = (
    Exercise(
        "08.hinge",
        "Give what the discriminators pay, the first half of equation (1).",
        discriminator_loss,
        (
            Mistake(
                "The sides have changed places: which logits should be above 1, and which below "
                "−1?",
                answers.hinge(lambda r: F.relu(1 + r), lambda f: F.relu(1 - f)),
            ),
            Mistake(
                "Places are added up; a longer clip would cost more. What does “averaged over all "
                "places” ask for?",
                answers.hinge(lambda r: F.relu(1 - r), lambda f: F.relu(1 + f), torch.sum),
            ),
            Mistake(
                "The discriminators are added up; where is 1/J of equation (1)?",
                answers.hinge(
                    lambda r: F.relu(1 - r), lambda f: F.relu(1 + f), torch.mean, torch.sum
                ),
            ),
            Mistake(
                "All places of all discriminators are in one mean; the one with the largest map "
                "then has the most to say. Average each map first.",
                answers.all_places,
            ),
            Mistake(
                "There is no maximum: a logit that is right enough is rewarded for being more so.",
                answers.hinge(lambda r: 1 - r, lambda f: 1 + f),
            ),
            Mistake(
                "The maximum is of a mean, so one place that is very right pays for a wrong one. "
                "Which comes first?",
                answers.mean_first,
            ),
            Mistake(
                "The hinge is at zero: being right is not enough, by how much must it be?",
                answers.hinge(lambda r: F.relu(-r), F.relu),
            ),
            Mistake(
                "Half of it: the two kinds are averaged, and equation (1) adds them.",
                lambda r, f: discriminator_loss(r, f) / 2,
            ),
            Mistake(
                "The copies alone: what of the recordings?",
                answers.hinge(torch.zeros_like, lambda f: F.relu(1 + f)),
            ),
            Mistake(
                "That is what the codec pays; the discriminator wants the contrary of the copy.",
                lambda r, f: generator_loss(f),
            ),
            Mistake(
                "That is the logistic loss of the first GAN; it never stops. The hinge does.",
                answers.hinge(lambda r: F.softplus(-r), F.softplus),
            ),
            Mistake(
                "The value is right, but it is a number without a graph: nobody can learn from it.",
                lambda r, f: discriminator_loss(r, f).detach(),
            ),
        ),
        minutes=6,
        points=2,
        inputs=answers.two_kinds_of_maps,
        use=answers.paid,
        remark="A discriminator whose logits are all zero pays 2.",
    ),
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
    Exercise(
        "08.feature_matching",
        "Give equation (2): the mean over all layers of the difference, relative to the "
        "recording's map, to which no gradient goes.",
        feature_matching_loss,
        (
            Mistake(
                "Nothing is divided: the layer with the largest numbers has all the say.",
                lambda r, f: feature_matching_loss(r, f, relative=False),
            ),
            Mistake(
                "It is relative to the copy; a copy that is too loud would make its own error "
                "small.",
                answers.matching(lambda f, r: (f - r.detach()).abs().mean() / f.abs().mean()),
            ),
            Mistake(
                "The value is right, but a gradient goes to the recording's maps: what must be "
                "detached?",
                answers.matching(lambda f, r: (f - r).abs().mean() / r.abs().mean()),
            ),
            Mistake(
                "The value is right, and the numerator is detached; the denominator is the "
                "recording, too.",
                answers.matching(lambda f, r: (f - r.detach()).abs().mean() / r.abs().mean()),
            ),
            Mistake(
                "The value is right, and the denominator is detached; the recording stands in the "
                "numerator, too.",
                answers.matching(lambda f, r: (f - r).abs().mean() / r.detach().abs().mean()),
            ),
            Mistake(
                "The copy's maps are detached as well: who is to learn?",
                answers.matching(lambda f, r: (f.detach() - r).abs().mean() / r.abs().mean()),
            ),
            Mistake(
                "A sum above, a mean below: a larger map would count more. Take means of both.",
                answers.matching(
                    lambda f, r: (f - r.detach()).abs().sum() / r.detach().abs().mean()
                ),
            ),
            Mistake(
                "The layers are added up; where is 1/(JL) of equation (2)?",
                answers.matching(
                    lambda f, r: (f - r.detach()).abs().mean() / r.detach().abs().mean(), torch.sum
                ),
            ),
            Mistake(
                "All layers lie in one heap, and the loudest has the most to say; divide layer by "
                "layer.",
                answers.as_one_map,
            ),
            Mistake(
                "Each place is divided by its own magnitude, which may be next to nothing; divide "
                "by the mean.",
                answers.matching(lambda f, r: ((f - r.detach()) / r.detach()).abs().mean()),
            ),
            Mistake(
                "These are squares; the bars with a 1 below mean absolute values.",
                answers.matching(
                    lambda f, r: (f - r.detach()).pow(2).mean() / r.detach().pow(2).mean()
                ),
            ),
            Mistake(
                "The mean below is of the numbers, not of their magnitudes: it may be zero, or "
                "negative.",
                answers.matching(lambda f, r: (f - r.detach()).abs().mean() / r.detach().mean()),
            ),
        ),
        minutes=8,
        points=2,
        inputs=answers.two_features,
        use=answers.matched,
    ),
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
