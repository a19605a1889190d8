"""Support: what is built inside the lesson of chapter 05, as exercises.

Those at the chapter's end are in `chapter_05`.
"""

import torch
from torch.nn import functional as F

from minicodec.exercises import answers_05 as answers
from minicodec.exercises.exercise import Exercise, Mistake
from minicodec.model.quantize import nearest

LESSON = (
    Exercise(
        "05.nearest_code",
        "Give the number of the nearest vector for each latent, by equation (1), without a loop.",
        nearest,
        (
            Mistake(
                "These are the farthest vectors: a distance is to be small, so argmin, not argmax.",
                lambda z, e: torch.cdist(z, e).argmax(1),
            ),
            Mistake(
                "This takes the largest product; a long vector then wins although it is far away. "
                "Where is ‖e‖² of equation (1)?",
                lambda z, e: (z @ e.T).argmax(1),
            ),
            Mistake(
                "The factor 2 of equation (1) is missing.",
                lambda z, e: (e.pow(2).sum(1) - z @ e.T).argmin(1),
            ),
            Mistake(
                "The product in equation (1) has a minus sign.",
                lambda z, e: (e.pow(2).sum(1) + 2 * z @ e.T).argmin(1),
            ),
            Mistake(
                "One number for each vector of the codebook; it should be one for each latent. "
                "Along which axis is the smallest sought?",
                lambda z, e: torch.cdist(z, e).argmin(0),
            ),
            Mistake(
                "These are the vectors themselves; give their numbers.",
                lambda z, e: e[nearest(z, e)],
            ),
            Mistake(
                "These are the shortest vectors, whatever the latent: does z take part?",
                lambda z, e: e.pow(2).sum(1).argmin().expand(len(z)),
            ),
            Mistake(
                "One number for the whole table of distances; each latent, so each row, has its "
                "own smallest.",
                lambda z, e: torch.cdist(z, e).argmin(),
            ),
            Mistake(
                "These are the smallest distances; give the numbers of the vectors that they "
                "belong to.",
                lambda z, e: torch.cdist(z, e).square().amin(1),
            ),
            Mistake(
                "These have the smallest angle, whatever their length; equation (1) has a "
                "distance.",
                lambda z, e: (z @ F.normalize(e, dim=1).T).argmax(1),
            ),
            Mistake(
                "In equation (1) the length ‖e‖ is squared.",
                lambda z, e: (e.norm(dim=1) - 2 * z @ e.T).argmin(1),
            ),
        ),
        minutes=8,
        points=2,
        inputs=answers.latents_and_book,
    ),
    Exercise(
        "05.lloyd_step",
        "Give every point to its nearest vector, then give the vectors back, each moved to the "
        "mean of its points, or where it was if it has none.",
        answers.lloyd_step,
        (
            Mistake(
                "A vector that nobody chose has become NaN, the mean of nothing; where should it "
                "stay?",
                lambda x, m: answers.assigned(x, m)[0] / answers.assigned(x, m)[1],
            ),
            Mistake(
                "A vector that nobody chose has moved to zero, where no point is; where should it "
                "stay?",
                lambda x, m: answers.assigned(x, m)[0] / answers.assigned(x, m)[1].clamp(min=1),
            ),
            Mistake(
                "These are sums; the point with the smallest squared distances is another one.",
                lambda x, m: torch.where(
                    answers.assigned(x, m)[1] > 0, answers.assigned(x, m)[0], m
                ),
            ),
            Mistake(
                "The vectors have not moved: this is step one alone.",
                lambda x, m: m.clone(),
            ),
            Mistake(
                "This is the nearest vector of each point, step one; now move the vectors.",
                lambda x, m: m[nearest(x, m)],
            ),
            Mistake(
                "Here a vector moves before the points of the next one are sought; give all points "
                "out first.",
                answers.one_after_the_other,
            ),
            Mistake(
                "A vector that nobody chose is missing; it should stay, and where it was.",
                lambda x, m: answers.lloyd_step(x, m)[answers.assigned(x, m)[1][:, 0] > 0],
            ),
            Mistake(
                "The sums are divided by the number of all points, not of the vector's own.",
                lambda x, m: answers.assigned(x, m)[0] / len(x),
            ),
        ),
        minutes=8,
        points=2,
        inputs=answers.points_and_means,
    ),
    Exercise(
        "05.straight_through",
        "Give what equation (2) says: the code's vector forwards, and backwards the gradient to z "
        "as it comes.",
        answers.straight_through,
        (
            Mistake(
                "The value is right, but no gradient reaches z: it cancels, or is not there. Which "
                "part of equation (2) must be stopped?",
                lambda z, v: z + (v - z),
            ),
            Mistake(
                "The gradient reaches z, but the vector as well; stop all of the difference, not "
                "one half of it.",
                lambda z, v: z - z.detach() + v,
            ),
            Mistake(
                "The value is right, but nothing flows back at all: one z must stay outside of "
                "`detach`.",
                lambda z, v: z.detach() + (v - z).detach(),
            ),
            Mistake(
                "Forwards this is z itself: which of the two should the decoder see?",
                lambda z, v: v + (z - v).detach(),
            ),
            Mistake(
                "The gradient is right, but the value is z: the decoder would never see a code.",
                lambda z, v: z + (z - z).detach(),
            ),
            Mistake(
                "The difference has the wrong sign: this value lies as far beyond z as the vector "
                "lies before it.",
                lambda z, v: z - (v - z).detach(),
            ),
        ),
        minutes=5,
        points=2,
        inputs=answers.z_vector_and_weights,
        use=answers.passed,
        remark="Forwards it is the vector, backwards it is not there.",
    ),
    Exercise(
        "05.running_means",
        "Give both totals after one batch, by equation (4): let the past fade, and add the sum and "
        "the number of the latents that chose each vector.",
        answers.running_means,
        (
            Mistake(
                "The new batch counts in full, while the past fades: what stands before its sum in "
                "equation (4)?",
                answers.updated(lambda d: d, lambda d: 1.0),
            ),
            Mistake(
                "Past and present have changed places: the past is to fade slowly.",
                answers.updated(lambda d: 1 - d, lambda d: d),
            ),
            Mistake(
                "Nothing fades: latents of long ago have as much to say as those of today.",
                answers.updated(lambda d: 1.0, lambda d: 1.0),
            ),
            Mistake(
                "The means of the batch are added; then one latent has as much to say as fifty. "
                "Equation (4) adds something else.",
                answers.updated(lambda d: d, lambda d: 1 - d, mean=True),
            ),
            Mistake(
                "The sums fade, but the counts only grow: their ratio shrinks towards zero.",
                answers.updated(lambda d: d, lambda d: 1 - d, count_fades=False),
            ),
            Mistake(
                "Vectors that nobody chose keep their totals; in equation (4) the past fades for "
                "all of them.",
                answers.updated(lambda d: d, lambda d: 1 - d, only_chosen=True),
            ),
            Mistake(
                "It fades by 0.99, whatever `decay` is.",
                lambda sums, counts, z, decay: answers.running_means(sums, counts, z),
            ),
            Mistake(
                "The first of these is the codebook already; give the sums that it is made of.",
                answers.updated(lambda d: d, lambda d: 1 - d, divided=True),
            ),
            Mistake(
                "The codes are the nearest among the sums; what in equation (4) is the codebook?",
                answers.updated(lambda d: d, lambda d: 1 - d, of_sums=True),
            ),
            Mistake(
                "Each vector goes the same share of the way to its batch's mean, however many "
                "chose it; equation (4) moves the totals.",
                answers.towards_means,
            ),
            Mistake(
                "This is the codebook; give both totals that it is made of.",
                answers.codebook_after,
            ),
            Mistake(
                "These are the counts and the sums; give the sums first.",
                lambda sums, counts, z, d: answers.running_means(sums, counts, z, d)[::-1],
            ),
        ),
        minutes=10,
        points=2,
        inputs=answers.totals_and_batch,
    ),
)
