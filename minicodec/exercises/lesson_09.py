"""Support: what is built inside the lesson of chapter 09, as exercises.

Those at the chapter's end are in `chapter_09`.
"""

import torch

from minicodec.exercises import answers_09 as answers
from minicodec.exercises.exercise import Exercise, Mistake

_gradient = answers.gradient_of

LESSON = (
    Exercise(
        "09.norm",
        "Give ‖g‖, the norm of a loss's gradient at the output, and leave everything else as it "
        "is.",
        answers.norm,
        (
            Mistake(
                "The graph is gone for the second loss; which argument keeps it?",
                lambda loss, y: float(torch.autograd.grad(loss, y)[0].norm()),
            ),
            Mistake(
                "The second norm has the first gradient in it: `backward` adds to what is there. "
                "What asks for a gradient and touches nothing?",
                answers.norm_by_backward,
            ),
            Mistake(
                "That is its square: where is the root?",
                lambda loss, y: float(_gradient(loss, y).pow(2).sum()),
            ),
            Mistake(
                "These are absolute values, added up; a norm adds squares.",
                lambda loss, y: float(_gradient(loss, y).abs().sum()),
            ),
            Mistake(
                "That is a mean over the samples; a norm is the root of a *sum* of squares.",
                lambda loss, y: float(_gradient(loss, y).pow(2).mean().sqrt()),
            ),
            Mistake(
                "That is the largest pull on any sample; the norm counts all.",
                lambda loss, y: float(_gradient(loss, y).abs().max()),
            ),
            Mistake(
                "That is the value of the loss, which tells nothing about its slope.",
                lambda loss, y: float(loss.detach()),
            ),
        ),
        minutes=4,
        inputs=answers.output_and_targets,
        use=answers.pulled,
    ),
    Exercise(
        "09.average",
        "Take the value in, and give the moving average: of the values, and corrected by that of "
        "the number 1.",
        answers.Average,
        (
            Mistake(
                "It is not corrected: the first average is far below the first value. What would "
                "the average of ones be now?",
                answers.average_of(lambda past, d: (1 - d) * answers.fading(past, d)),
            ),
            Mistake(
                "That is the sum alone; what becomes of a row of ones, treated the same way?",
                answers.average_of(answers.fading),
            ),
            Mistake(
                "All values count alike here; the past should fade.",
                answers.average_of(lambda past, d: sum(past) / len(past)),
            ),
            Mistake(
                "The sum fades, but is divided by the number of steps: the count must fade, too.",
                answers.average_of(lambda past, d: answers.fading(past, d) / len(past)),
            ),
            Mistake(
                "It starts at the first value, which then counts for long, whatever it was.",
                answers.average_of(
                    lambda past, d: answers.fading(past[1:], d, start=past[0], new=1 - d)
                ),
            ),
            Mistake(
                "The factor 1 − γ is in one of the two and not in the other.",
                answers.average_of(lambda past, d: answers.fading(past, d) / (1 - d ** len(past))),
            ),
            Mistake(
                "The past fades by 1 − γ, so that it is forgotten nearly at once.",
                answers.average_of(
                    lambda past, d: (
                        answers.fading(past, 1 - d) / answers.fading([1.0] * len(past), 1 - d)
                    )
                ),
            ),
            Mistake(
                "That is the average before this value: take it in first.",
                answers.average_of(
                    lambda past, d: (
                        answers.fading(past[:-1] or past, d)
                        / answers.fading([1.0] * max(1, len(past) - 1), d)
                    )
                ),
            ),
        ),
        minutes=5,
        points=2,
        inputs=answers.decay_and_values,
        use=answers.averaged,
    ),
    Exercise(
        "09.balancer",
        "Give the sum of equation (1) over all losses with G = 1, the norm being the mean over the "
        "clips of the batch.",
        answers.Mixer,
        (
            Mistake(
                "The weights are factors here; where is the sum of all λ of equation (1)?",
                answers.mixer(share=lambda own, all_: own),
            ),
            Mistake(
                "That is the norm of the whole batch; take each clip's norm, and then the mean.",
                answers.mixer(size=lambda g: g.norm()),
            ),
            Mistake(
                "The clips' norms are added up; take their mean.",
                answers.mixer(size=lambda g: g.flatten(1).norm(dim=1).sum()),
            ),
            Mistake(
                "Each gradient is divided by its norm of *this* step; then an outlier counts as "
                "much as an ordinary one. What does ⟨ ⟩ mean?",
                answers.mixer(average=lambda decay: float),
            ),
            Mistake(
                "The first loss has taken the graph with it that the others need; which argument "
                "keeps it?",
                answers.mixer(keep=False),
            ),
            Mistake(
                "All losses share one average, so a loud one makes the others soft.",
                answers.mixer(one_average=True),
            ),
            Mistake(
                "Nothing is divided: that is the plain sum, in shares.", answers.mixer(direct=True)
            ),
            Mistake(
                "All losses have the same share; where do the weights come in?",
                answers.mixer(share=lambda own, all_: 1 / len(all_)),
            ),
            Mistake(
                "The norm is a root of squares; these are squares.",
                answers.mixer(size=lambda g: g.flatten(1).pow(2).sum(1).mean()),
            ),
            Mistake(
                "These are mean absolute values; ‖ ‖₂ is the root of the sum of squares.",
                answers.mixer(size=lambda g: g.abs().mean()),
            ),
            Mistake(
                "The average is not corrected: the first pulls are much too strong.",
                answers.mixer(
                    average=answers.average_of(lambda past, d: (1 - d) * answers.fading(past, d))
                ),
            ),
        ),
        minutes=10,
        points=2,
        inputs=answers.weights_and_outputs,
        use=answers.mixed,
        remark="In ours, zeros and NaN stay out of the averages; more of that below.",
    ),
    Exercise(
        "09.one_loss",
        "Give a scalar whose gradient at the output is the given one, and that sends nothing to "
        "the gradient itself.",
        answers.one_loss,
        (
            Mistake(
                "A mean: each number of the gradient is divided by how many there are.",
                lambda y, g: (y * g.detach()).mean(),
            ),
            Mistake(
                "The gradient at the output is right, but one goes to g̃, too; hold it fixed.",
                lambda y, g: (y * g).sum(),
            ),
            Mistake(
                "Nothing arrives at the output: which of the two is to be held fixed?",
                lambda y, g: (y.detach() * g).sum(),
            ),
            Mistake(
                "This pulls the output towards g̃, as if that were a sound. It is a direction.",
                lambda y, g: (y - g.detach()).pow(2).sum() / 2,
            ),
            Mistake(
                "The sign is the other one: the optimizer goes against the gradient by itself.",
                lambda y, g: -(y * g.detach()).sum(),
            ),
            Mistake(
                "Nothing is returned; `backward` alone would need a second pass for the "
                "commitment. Give a loss.",
                lambda y, g: y.backward(g.detach()),
            ),
        ),
        minutes=4,
        inputs=answers.output_and_gradient,
        use=answers.sent_back,
    ),
)
