"""Support: the two losses that are built in the lesson of chapter 08, as exercises."""

import torch
import torch.nn.functional as F

from minicodec.exercises import answers_08 as answers
from minicodec.exercises.exercise import Exercise, Mistake
from minicodec.training.losses import discriminator_loss, feature_matching_loss, generator_loss

HINGE = Exercise(
    "08.hinge",
    "Give what the discriminators pay, the first half of equation (1).",
    discriminator_loss,
    (
        Mistake(
            "The sides have changed places: which logits should be above 1, and which below −1?",
            answers.hinge(lambda r: F.relu(1 + r), lambda f: F.relu(1 - f)),
        ),
        Mistake(
            "Places are added up; a longer clip would cost more. What does “averaged over all "
            "places” ask for?",
            answers.hinge(lambda r: F.relu(1 - r), lambda f: F.relu(1 + f), torch.sum),
        ),
        Mistake(
            "The discriminators are added up; where is 1/J of equation (1)?",
            answers.hinge(lambda r: F.relu(1 - r), lambda f: F.relu(1 + f), torch.mean, torch.sum),
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
            "`max` compares two whole tensors; which function takes the maximum place by place?",
            lambda real, fake: max(0, 1 - real[0]),
        ),
        Mistake(
            "`real` and `fake` are lists, one map for each discriminator; is there a loop?",
            lambda real, fake: F.relu(1 - real).mean() + F.relu(1 + fake).mean(),
        ),
        Mistake(
            "That is the first discriminator's alone.",
            lambda real, fake: discriminator_loss(real[:1], fake[:1]),
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
)

FEATURE_MATCHING = Exercise(
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
            "It is relative to the copy; a copy that is too loud would make its own error small.",
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
            answers.matching(lambda f, r: (f - r.detach()).abs().sum() / r.detach().abs().mean()),
        ),
        Mistake(
            "The layers are added up; where is 1/(JL) of equation (2)?",
            answers.matching(
                lambda f, r: (f - r.detach()).abs().mean() / r.detach().abs().mean(), torch.sum
            ),
        ),
        Mistake(
            "The layers of a discriminator are added up, and only the discriminators averaged; "
            "equation (2) averages over both.",
            answers.matching(
                lambda f, r: (f - r.detach()).abs().mean() / r.detach().abs().mean(),
                lambda terms: terms.sum() / 2,
            ),
        ),
        Mistake(
            "Differences of both signs cancel; what do the bars ask for?",
            answers.matching(lambda f, r: (f - r.detach()).mean() / r.detach().abs().mean()),
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
)
