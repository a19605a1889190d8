"""Support: what is built inside the lesson of chapter 02, as exercises.

Those at the chapter's end are in `chapter_02`.
"""

import torch
from torch.nn import functional as F

from minicodec.exercises import answers_02 as answers
from minicodec.exercises.exercise import Exercise, Mistake

LESSON = (
    Exercise(
        "02.conv1d",
        "Write the convolution of equation (2) as a loop over its windows.",
        answers.conv1d,
        (
            Mistake(
                "The kernel runs backwards: equation (2) does not flip it.",
                lambda x, w, b, s, d: answers.conv1d(x, w.flip(2), b, s, d),
            ),
            Mistake(
                "One window too few: the last one still fits; what is the reach of k taps that are "
                "d apart, and how many starts has a clip as long as that?",
                lambda x, w, b, s, d: answers.conv1d(x, w, b, s, d)[:, :-1],
            ),
            Mistake(
                "Each window starts one sample after the last: where is the stride?",
                answers.close_windows,
            ),
            Mistake(
                "The taps stand side by side: where is the dilation?",
                lambda x, w, b, s, d: answers.conv1d(x, w, b, s)[
                    :, : (x.shape[1] - (w.shape[2] - 1) * d - 1) // s + 1
                ],
            ),
            Mistake(
                "The bias is missing.", lambda x, w, b, s, d: answers.conv1d(x, w, 0 * b, s, d)
            ),
            Mistake(
                "That is a mean over the window; equation (2) adds.",
                lambda x, w, b, s, d: answers.conv1d(x, w / w[0].numel(), b, s, d),
            ),
            Mistake(
                "It hears one input channel only: equation (2) has two sums.",
                lambda x, w, b, s, d: answers.conv1d(x[:1], w[:, :1], b, s, d),
            ),
            Mistake(
                "Windows begin at every sample, so there are too many of them: where is the "
                "stride?",
                lambda x, w, b, s, d: answers.conv1d(x, w, b, 1, d),
            ),
            Mistake(
                "Stride and dilation have changed places.",
                lambda x, w, b, s, d: answers.conv1d(x, w, b, d, s),
            ),
            Mistake(
                "The bias is added for each input channel; in equation (2) it stands before the "
                "sums.",
                lambda x, w, b, s, d: answers.conv1d(x, w, len(x) * b, s, d),
            ),
        ),
        minutes=8,
        points=2,
        inputs=answers.clip_and_kernel,
    ),
    Exercise(
        "02.padded_conv",
        "Pad by equations (3) and (4), all of P on the left if causal, and convolve.",
        answers.padded_conv,
        (
            Mistake(
                "It pads on both sides even when it is causal.",
                answers.padded_by(
                    lambda k, s, d, n, causal: answers.sides(
                        (k - 1) * d + 1 - s, -n % s, causal=False
                    )
                ),
            ),
            Mistake(
                "It pads on the right: a causal output then depends on what comes after it.",
                answers.padded_by(
                    lambda k, s, d, n, causal: answers.sides((k - 1) * d + 1 - s, -n % s, causal)[
                        ::-1
                    ]
                ),
            ),
            Mistake(
                "One frame too few: the last samples are dropped; how many zeros fill the last "
                "window, equation (4)?",
                answers.padded_by(
                    lambda k, s, d, n, causal: answers.sides((k - 1) * d + 1 - s, 0, causal)
                ),
            ),
            Mistake(
                "The zeros that fill the last window belong at the end; at the start they move all "
                "windows.",
                answers.padded_by(
                    lambda k, s, d, n, causal: (
                        answers.sides((k - 1) * d + 1 - s, 0, causal)[0] + -n % s,
                        answers.sides((k - 1) * d + 1 - s, 0, causal)[1],
                    )
                ),
            ),
            Mistake(
                "It pads with a mirror image; the sum here pads with zeros (exercise 3 compares).",
                answers.mirrored,
            ),
            Mistake(
                "Its P forgets the dilation: how far does a window of k taps reach?",
                answers.padded_by(lambda k, s, d, n, causal: answers.sides(k - s, -n % s, causal)),
            ),
            Mistake(
                "“Kernel minus one” is for stride 1: what does equation (3) subtract?",
                answers.padded_by(
                    lambda k, s, d, n, causal: answers.sides((k - 1) * d, -n % s, causal)
                ),
            ),
            Mistake(
                "Causal is right; else, where P is odd, the larger half goes to the left.",
                answers.padded_by(
                    lambda k, s, d, n, causal: (
                        answers.sides((k - 1) * d + 1 - s, -n % s, causal)
                        if causal
                        else (((k - 1) * d + 1 - s) // 2, ((k - 1) * d + 2 - s) // 2 + -n % s)
                    )
                ),
            ),
            Mistake(
                "Causal is right; else only half of P stands on the left, and the rest on the "
                "right.",
                answers.padded_by(
                    lambda k, s, d, n, causal: answers.sides((k - 1) * d + 1 - s, -n % s, True)
                ),
            ),
            Mistake(
                "Not causal is right; where it is causal, P stands on the wrong side: an output "
                "then sees what comes after it.",
                answers.padded_by(
                    lambda k, s, d, n, causal: (
                        (0, (k - 1) * d + 1 - s + -n % s)
                        if causal
                        else answers.sides((k - 1) * d + 1 - s, -n % s, causal)
                    )
                ),
            ),
            Mistake(
                "Causal is right; else P is shared by both sides, not doubled.",
                answers.padded_by(
                    lambda k, s, d, n, causal: (
                        (k - 1) * d + 1 - s,
                        ((k - 1) * d + 1 - s) * (not causal) + -n % s,
                    )
                ),
            ),
            Mistake(
                "It pads P zeros on either side, as the `padding` of `F.conv1d` does; causal, all "
                "of P stands on the left.",
                answers.padded_by(lambda k, s, d, n, causal: ((k - 1) * d + 1 - s,) * 2),
            ),
            Mistake(
                "Where the stride divides T, nothing is missing at the end: how many zeros does "
                "your rule add there?",
                answers.padded_by(
                    lambda k, s, d, n, causal: answers.sides((k - 1) * d + 1 - s, s - n % s, causal)
                ),
            ),
            Mistake(
                "The zeros that fill the last window are no part of P: they all stand at the end.",
                answers.padded_by(
                    lambda k, s, d, n, causal: answers.sides(
                        (k - 1) * d + 1 - s + -n % s, 0, causal
                    )
                ),
            ),
            Mistake(
                "T mod s is what hangs over; how many zeros does the last window lack?",
                answers.padded_by(
                    lambda k, s, d, n, causal: answers.sides((k - 1) * d + 1 - s, n % s, causal)
                ),
            ),
            Mistake(
                "P knows of the dilation, but the convolution does not: is it handed on?",
                answers.undilated,
            ),
            Mistake(
                "The bias is missing.",
                lambda x, w, b, s, d, causal: answers.padded_conv(x, w, None, s, d, causal),
            ),
        ),
        minutes=8,
        points=2,
        inputs=answers.clip_to_pad,
        use=answers.both_ways,
    ),
    Exercise(
        "02.view",
        "Walk through the layers with equation (5) and give the view and the gap, in samples.",
        answers.view,
        (
            Mistake(
                "The gap grew too early: a layer's own taps are still laid out on the gap before "
                "it.",
                answers.gap_first,
            ),
            Mistake(
                "A kernel of k adds k − 1 neighbours; the first tap has been counted.",
                lambda layers: (
                    1
                    + sum(
                        k * d * answers.view(layers[:i])[1] for i, (k, _, d) in enumerate(layers)
                    ),
                    answers.view(layers)[1],
                ),
            ),
            Mistake(
                "One too few: before any layer, an output sees one sample.",
                lambda layers: (answers.view(layers)[0] - 1, answers.view(layers)[1]),
            ),
            Mistake("The gap is multiplied at each stride, not added to.", answers.added_gap),
            Mistake(
                "Where is the dilation?",
                lambda layers: answers.view([(k, s, 1) for k, s, _ in layers]),
            ),
            Mistake(
                "The view forgets the gap: after a stride, neighbours are further apart.",
                lambda layers: (
                    1 + sum((k - 1) * d for k, _, d in layers),
                    answers.view(layers)[1],
                ),
            ),
            Mistake(
                "The gap grows with the stride alone: dilation spreads the taps of one layer, not "
                "its outputs.",
                answers.spread_gap,
            ),
            Mistake(
                "Stride and dilation have changed places: a layer is (kernel size, stride, "
                "dilation).",
                lambda layers: answers.view([(k, d, s) for k, s, d in layers]),
            ),
            Mistake(
                "These are the gap and the view; give the view first.",
                lambda layers: answers.view(layers)[::-1],
            ),
        ),
        minutes=5,
        points=2,
        inputs=answers.some_layers,
    ),
    Exercise(
        "02.conv_transpose1d",
        "Paint by equation (6): each frame puts down the whole kernel, s samples after the last.",
        answers.conv_transpose1d,
        (
            Mistake(
                "A later stroke wipes out what lies under it: paint adds.",
                answers.painted_over,
            ),
            Mistake(
                "The strokes lie one sample apart, not s; and how long is the painting?",
                answers.side_by_side,
            ),
            Mistake(
                "The strokes are flipped: each one is the kernel as it stands.",
                lambda x, w, s: answers.conv_transpose1d(x, w.flip(2), s),
            ),
            Mistake(
                "The last stroke is cut off: it still covers k samples, so (T′ − 1) s + k in all.",
                lambda x, w, s: answers.conv_transpose1d(x, w, s)[:, : x.shape[1] * s],
            ),
            Mistake(
                "Too long by s samples: where does the last stroke begin?",
                lambda x, w, s: F.pad(answers.conv_transpose1d(x, w, s), (0, s)),
            ),
            Mistake(
                "It paints with one input channel only: equation (6) sums over c.",
                lambda x, w, s: answers.conv_transpose1d(x[:1], w[:1], s),
            ),
        ),
        minutes=6,
        points=2,
        inputs=answers.frames_and_brush,
    ),
    Exercise(
        "02.weight_norm",
        "Give each entry of the first axis the direction of v and the magnitude a, equation (8).",
        answers.weight_norm,
        (
            Mistake(
                "One norm for the whole tensor: each entry of the first axis has its own.",
                lambda v, a: a * v / v.norm(),
            ),
            Mistake(
                "The norm runs over the taps alone: it runs over all axes but the first.",
                lambda v, a: a * F.normalize(v, dim=2),
            ),
            Mistake(
                "The norm runs over the second axis alone; over the taps as well.",
                lambda v, a: a * F.normalize(v, dim=1),
            ),
            Mistake(
                "It is not divided by the norm: v has a length of its own.", lambda v, a: a * v
            ),
            Mistake(
                "The direction is right, but where is the magnitude a?",
                lambda v, a: answers.weight_norm(v, torch.ones_like(a)),
            ),
            Mistake(
                "One norm for each entry of the second axis: it is the first that counts.",
                lambda v, a: a * v / v.norm(dim=(0, 2), keepdim=True),
            ),
            Mistake(
                "Divided by the squared norm: where is the root?",
                lambda v, a: a * v / v.flatten(1).square().sum(1)[:, None, None],
            ),
            Mistake(
                "That is the sum of absolute values; ‖v‖ is the root of the sum of squares.",
                lambda v, a: a * F.normalize(v.flatten(1), p=1, dim=1).view_as(v),
            ),
        ),
        minutes=4,
        points=2,
        inputs=answers.directions,
    ),
)
