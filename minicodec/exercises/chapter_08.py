"""Support: the exercises of chapter 08, the discriminator.

Those inside its lesson are in `lesson_08`.
"""

from minicodec.exercises import answers_08 as answers
from minicodec.exercises.blind import mistaken, order
from minicodec.exercises.exercise import Exercise, Mistake
from minicodec.exercises.lesson_08 import LESSON

_COPIES = ("before", "after", "hiss")
_HEARD = order("08.three_copies", _COPIES)

EXERCISES = (
    *LESSON,
    Exercise(
        "08.two_losses",
        "Give what the codec pays for these logits, with the hinge and with −D.",
        (0.4, -0.85),
        (
            Mistake(
                "For the hinge: logits above 1 pay nothing, and earn nothing either. Take the "
                "maximum before the mean.",
                (0.15, -0.85),
            ),
            Mistake(
                "For the hinge: the mean is over all places, also those that pay nothing.",
                (0.8, -0.85),
            ),
            Mistake("The second is −D: which sign has a logit that passes?", (0.4, 0.85)),
            Mistake(
                "For the hinge: that is what the discriminator pays for the copy.", (1.85, -0.85)
            ),
            Mistake("These are sums of the two halves; what does a mean of them say?", (0.8, -1.7)),
            Mistake("They have changed places.", (-0.85, 0.4)),
        ),
        minutes=4,
        kind="paper",
        tolerance=0.005,
    ),
    Exercise(
        "08.map",
        "Give frames and places of the map of logits.",
        (372, 33),
        (
            Mistake(
                "Frames: after the first one there is one for each hop that still fits; count the "
                "first as well.",
                (371, 33),
            ),
            Mistake(
                "Frames: no frame is centred on the clip's ends here, the window stays inside.",
                (376, 33),
            ),
            Mistake("Frames: the hop is a quarter of the window, not a half.", (186, 33)),
            Mistake("Frames: whole windows that do not overlap; what is the hop?", (93, 33)),
            Mistake(
                "Places: 257 bins are odd in number; a layer of stride 2 keeps the first and the "
                "last.",
                (372, 32),
            ),
            Mistake("Places: three layers halve the bins; here it is two.", (372, 65)),
            Mistake("Places: three layers halve the bins; here it is four.", (372, 17)),
            Mistake(
                "Places: a window of 512 samples has fewer bins than samples; how many?", (372, 64)
            ),
            Mistake("They have changed places: frames first.", (33, 372)),
        ),
        minutes=6,
        kind="paper",
        core=False,
        tolerance=1e-6,
    ),
    Exercise(
        "08.patch",
        "Give how many frames and how many bins one logit sees.",
        answers.patch,
        (
            Mistake(
                "A dilated kernel spans more frames than it has weights.",
                answers.patch_with(dilated=False),
            ),
            Mistake(
                "After a stride of 2, neighbours are two bins apart; does a later kernel know?",
                answers.patch_with(jumped=lambda before, stride: 1),
            ),
            Mistake(
                "A layer's own stride counts for the layers after it, not for its own kernel.",
                answers.patch_with(jumped=lambda before, stride: before * stride),
            ),
            Mistake(
                "Only the layer's own stride counts here; those before it are forgotten.",
                answers.patch_with(jumped=lambda before, stride: stride),
            ),
            Mistake(
                "A kernel of K adds fewer than K new places: one is seen already.",
                answers.patch_with(less=0),
            ),
            Mistake(
                "The stride is along the bins alone; frames are dilated, not strided.",
                lambda layers: (
                    answers.patch([((h, h), s, d) for (h, _), s, d in layers])[1],
                    answers.patch(layers)[1],
                ),
            ),
            Mistake("Frames first, then bins.", lambda layers: answers.patch(layers)[::-1]),
        ),
        minutes=10,
        points=2,
        inputs=answers.some_layers,
        tolerance=1e-9,
    ),
    Exercise(
        "08.pulses",
        "Let the phases go downhill under the mel loss for 75 steps, and give the mean peak.",
        4.8,
        (
            Mistake("That is the start: have the phases moved?", 2.7),
            Mistake("That is the peak of the real pulses; the question is about yours.", 9.7),
            Mistake("That is in decibels; give the ratio.", 13.6),
            Mistake("That is the ratio of powers; `peak` gives that of amplitudes.", 23.0),
        ),
        minutes=8,
        core=False,
        points=2,
        tolerance=0.2,
    ),
    Exercise(
        "08.three_copies",
        "Say which of x, y and z is `before`, which is `after`, and which has the steady hiss.",
        _HEARD,
        mistaken(
            _HEARD,
            {
                ("before", "after"): "You have the hiss. Of the other two, one is duller: in which "
                "is a *sch* sharper?",
                ("after", "hiss"): "You have the dull one. Of the other two, one hisses on in the "
                "pauses between words.",
                ("before", "hiss"): "You have `after`. Of the other two, one hisses all the time.",
            },
            (
                "None is in its place; begin with the pauses, and find the hiss.",
                "No letter has its own copy yet; find the dullest *sch* first.",
            ),
        ),
        minutes=5,
        kind="ear",
        remark="The level above 4 kHz can be right and the sound wrong: *when* matters, too.",
    ),
)
