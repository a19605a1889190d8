"""Support: what is built inside the lesson of chapter 16b, as exercises.

Those at the chapter's end are in `chapter_16b`.
"""

import torch
import torch.nn.functional as F

from minicodec.exercises import answers_16b as answers
from minicodec.exercises.exercise import Exercise, Mistake
from minicodec.generation.distillation import distillation_loss
from minicodec.generation.probing import fit_table, guess
from minicodec.model.quantize import nearest

LESSON = (
    Exercise(
        "16b.table",
        "Give the logarithm of the share of frames that have each code and label, with one added "
        "to every count.",
        fit_table,
        (
            Mistake(
                "Some entries are minus infinity: what never came would be impossible; is one "
                "added to each count?",
                answers.tables(lambda n: (n / n.sum()).log(), first=0.0),
            ),
            Mistake(
                "These are shares; a probe adds scores up, so it needs their logarithms.",
                answers.tables(lambda n: n / n.sum()),
            ),
            Mistake(
                "These are logarithms of counts; a share has a sum below it.",
                answers.tables(lambda n: n.log()),
            ),
            Mistake(
                "Each row adds up to 1, so a rare code counts as much as a common one; all shares "
                "together should.",
                answers.tables(lambda n: (n / n.sum(1, keepdim=True)).log()),
            ),
            Mistake(
                "Each column adds up to 1; all shares together should.",
                answers.tables(lambda n: (n / n.sum(0, keepdim=True)).log()),
            ),
            Mistake(
                "A share is of all counts with their ones, not of the frames alone.",
                answers.tables(lambda n: (n / (n.sum() - n.numel())).log()),
            ),
            Mistake(
                "A pair that comes often is counted once: `counts[codes, labels] += 1` adds one "
                "to each place, however often it is named.",
                answers.tables(lambda n: (n.clamp(max=2) / n.clamp(max=2).sum()).log()),
            ),
            Mistake(
                "That is a logarithm to the base 2; equation (1) has the natural one.",
                answers.tables(lambda n: (n / n.sum()).log2()),
            ),
            Mistake(
                "Codes go down and labels across; these are the other way round.",
                answers.tables(lambda n: (n / n.sum()).log().T),
            ),
        ),
        minutes=7,
        points=2,
        inputs=answers.frames_and_sizes,
    ),
    Exercise(
        "16b.guess",
        "Give for each window the label whose scores, added over its frames, are largest.",
        guess,
        (
            Mistake(
                "Only the first frame of each window is asked.",
                lambda codes, table: table[codes[:, 0]].argmax(1),
            ),
            Mistake(
                "Each frame has one vote, sure or not; add the scores first and choose once.",
                lambda codes, table: table[codes].argmax(2).mode(1).values,
            ),
            Mistake(
                "That is the least likely label: logarithms of shares are negative.",
                lambda codes, table: table[codes].sum(1).argmin(1),
            ),
            Mistake(
                "That is a frame for each window; the label is wanted.",
                lambda codes, table: table[codes].sum(2).argmax(1),
            ),
            Mistake(
                "Logarithms are multiplied; shares multiply, and their logarithms add.",
                lambda codes, table: table[codes].prod(1).argmax(1),
            ),
            Mistake(
                "Shares are added; those of frames multiply, and for that there are logarithms.",
                lambda codes, table: table.exp()[codes].sum(1).argmax(1),
            ),
            Mistake(
                "The best frame decides alone; all frames of a window have a say.",
                lambda codes, table: table[codes].amax(1).argmax(1),
            ),
            Mistake(
                "These are the scores; which label has the largest?",
                lambda codes, table: table[codes].sum(1),
            ),
        ),
        minutes=5,
        inputs=answers.windows_and_table,
    ),
    Exercise(
        "16b.split",
        "Give the codes of the semantic book and of the acoustic ones; each branch starts from z.",
        answers.split,
        (
            Mistake(
                "The acoustic books get what the semantic one left over: that is one chain, as in "
                "chapter 06; what does the second branch start from?",
                answers.in_one_chain,
            ),
            Mistake(
                "Every acoustic book is given z; inside the branch, what does a level get?",
                lambda z, book, books: torch.stack([nearest(z, b) for b in (book, *books)]),
            ),
            Mistake(
                "The semantic book gets what the acoustic ones left over; what does each branch "
                "start from?",
                answers.after_the_chain,
            ),
            Mistake(
                "The semantic level stands last; it is level 1.",
                lambda z, book, books: answers.split(z, book, books).roll(-1, 0),
            ),
            Mistake(
                "The semantic level is missing.",
                lambda z, book, books: answers.split(z, book, books)[1:],
            ),
            Mistake(
                "These are the frames down and the levels across.",
                lambda z, book, books: answers.split(z, book, books).T,
            ),
        ),
        minutes=7,
        points=2,
        inputs=answers.latents_and_two_kinds,
    ),
    Exercise(
        "16b.distillation",
        "Give equation (2): one minus the cosine, as a mean over frames, with no gradient to the "
        "teacher.",
        distillation_loss,
        (
            Mistake(
                "That is the cosine, which grows as they agree; what should a loss do?",
                answers.distilled(lambda s, t: answers.cosine(s, t).mean()),
            ),
            Mistake(
                "The value is right, but a gradient reaches the teacher, who would come to meet "
                "the student.",
                lambda s, t: 1 - answers.cosine(s, t).mean(),
            ),
            Mistake(
                "That is minus the cosine: it falls as they agree, but equation (2) is 0 where "
                "they do.",
                answers.distilled(lambda s, t: -answers.cosine(s, t).mean()),
            ),
            Mistake(
                "No gradient reaches the student: it is the teacher who is not to be taught.",
                lambda s, t: 1 - answers.cosine(s.detach(), t).mean(),
            ),
            Mistake(
                "No gradient reaches anybody, so nobody learns.",
                lambda s, t: 1 - answers.cosine(s, t).mean().detach(),
            ),
            Mistake(
                "The product is divided by the student's length alone.",
                answers.distilled(lambda s, t: 1 - (F.normalize(s, dim=1) * t).sum(1).mean()),
            ),
            Mistake(
                "The mean is taken over the numbers of a vector, too; over these the product is a "
                "sum.",
                answers.distilled(
                    lambda s, t: 1 - (F.normalize(s, dim=1) * F.normalize(t, dim=1)).mean()
                ),
            ),
            Mistake(
                "The product is not divided by the lengths: a long vector should count no more.",
                answers.distilled(lambda s, t: 1 - (s * t).sum(1).mean()),
            ),
            Mistake(
                "The cosine is taken along time; it is that of the two vectors of a frame.",
                answers.distilled(lambda s, t: 1 - answers.cosine(s, t, dim=2).mean()),
            ),
            Mistake(
                "The cosine is taken along the batch; it is that of the two vectors of a frame.",
                answers.distilled(lambda s, t: 1 - answers.cosine(s, t, dim=0).mean()),
            ),
            Mistake(
                "That is one cosine for a whole clip; each frame has its own.",
                answers.distilled(
                    lambda s, t: 1 - answers.cosine(s.flatten(1), t.flatten(1)).mean()
                ),
            ),
            Mistake(
                "That is a squared distance, and asks for the teacher's lengths, too.",
                answers.distilled(F.mse_loss),
            ),
            Mistake(
                "That is the sum over all frames; a longer clip should cost no more.",
                answers.distilled(lambda s, t: (1 - answers.cosine(s, t)).sum()),
            ),
        ),
        minutes=7,
        points=2,
        inputs=answers.two_vectors,
        use=answers.pulled,
    ),
    Exercise(
        "16b.swap",
        "Give our codes with the named levels, which count from 1, taken from theirs.",
        answers.swap,
        (
            Mistake(
                "The rows below are swapped: level 1 is row 0.",
                answers.swap_other_rows(lambda k, levels: levels),
            ),
            Mistake(
                "It is the other way round: the named levels are ours, and the others are theirs.",
                answers.swap_other_rows(
                    lambda k, levels: [row for row in range(k) if row + 1 not in levels]
                ),
            ),
            Mistake(
                "All levels between the named ones are swapped, too.",
                answers.swap_other_rows(lambda k, levels: range(levels[0] - 1, levels[-1])),
            ),
            Mistake(
                "Only the first of the named levels is swapped.",
                answers.swap_other_rows(lambda k, levels: [levels[0] - 1]),
            ),
            Mistake(
                "All levels up to the last of the named ones are swapped.",
                answers.swap_other_rows(lambda k, levels: range(levels[-1])),
            ),
            Mistake("Nothing is swapped.", lambda ours, theirs, levels: ours),
        ),
        minutes=5,
        inputs=answers.two_clips_and_levels,
    ),
)
