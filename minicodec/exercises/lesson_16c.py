"""Support: what chapter 16c builds, patterns and drawing, as exercises.

Those at the chapter's end are in `chapter_16c`.
"""

import math

import torch

from minicodec.exercises.answers_16c import (
    cost,
    cost_over_frames,
    cut,
    delay,
    delay_by,
    delayed_codes,
    expected_cost,
    forgotten_voice,
    knobs,
    mean_choice,
    of_all_rows,
    request_with,
    scores_and_codes,
    scores_and_knobs,
    some_codes,
    some_pattern,
    steps,
    the_least,
    undelay,
    undelay_by,
    voice_and_phonemes,
    with_gaps,
    with_zero_scores,
    written_over,
    zeroed,
)
from minicodec.exercises.exercise import Exercise, Mistake
from minicodec.generation.patterns import EMPTY
from minicodec.generation.sampling import probabilities
from minicodec.generation.speaking import request

LESSON = (
    Exercise(
        "16c.delay",
        "Move level k by k steps to the right; where no code has its turn stands −1.",
        delay,
        (
            Mistake(
                "The first level comes last here; which one do the others build on?",
                delay_by(lambda n: tuple(range(n))[::-1]),
            ),
            Mistake(
                "The gaps hold 0, and 0 is a code: how is 'nothing' told from it?",
                delay_by(lambda n: tuple(range(n)), empty=0),
            ),
            Mistake(
                "The last codes of the lower levels are cut off: how many steps are needed?", cut
            ),
            Mistake(
                "All levels but the first are moved by one step; level k is moved by k.",
                delay_by(lambda n: (0, *[1] * (n - 1))),
            ),
            Mistake(
                "The first level is moved, too; nothing waits for it.",
                delay_by(lambda n: tuple(range(1, n + 1))),
            ),
            Mistake(
                "Each level is moved by two steps more than the one above; one is enough.",
                delay_by(lambda n: tuple(range(0, 2 * n, 2))),
            ),
        ),
        minutes=8,
        points=2,
        inputs=some_codes,
        remark="A step now holds codes of K different frames.",
    ),
    Exercise(
        "16c.undelay",
        "Give the codes [K, T] again of a sequence [K, T + K − 1] whose level k is k steps late.",
        undelay,
        (
            Mistake(
                "Every level begins at the first step here, where most have no code yet.",
                undelay_by(lambda k, n: 0),
            ),
            Mistake(
                "Every level begins where the last one does, so the first ones lack codes.",
                undelay_by(lambda k, n: n - 1),
            ),
            Mistake(
                "The first level begins latest here; which one was not moved?",
                undelay_by(lambda k, n: n - 1 - k),
            ),
            Mistake("The codes are in place, but gaps are left behind them.", with_gaps),
            Mistake(
                "That is delayed once more; the delay is to be undone.",
                delay,
            ),
        ),
        minutes=5,
        points=2,
        inputs=delayed_codes,
    ),
    Exercise(
        "16c.turns",
        "Give the step at which each code has its turn, by equation (2).",
        steps,
        (
            Mistake(
                "The stride multiplies the delays, too; they are steps already.",
                lambda frames, stride, delays: steps(
                    frames, stride, tuple(stride * d for d in delays)
                ),
            ),
            Mistake(
                "A frame follows the other after one step here: where is the stride?",
                lambda frames, stride, delays: steps(frames, 1, delays),
            ),
            Mistake(
                "The delays are taken away; who waits comes later.",
                lambda frames, stride, delays: (
                    2 * steps(frames, stride, (0,) * len(delays)) - steps(frames, stride, delays)
                ),
            ),
            Mistake(
                "The delays are counted here, 0, 1, 2 and so on; they are given.",
                lambda frames, stride, delays: steps(frames, stride, tuple(range(len(delays)))),
            ),
            Mistake(
                "Steps count from 0, as frames and levels do.",
                lambda frames, stride, delays: steps(frames, stride, delays) + 1,
            ),
            Mistake(
                "Rows and columns are exchanged: a row is a level.",
                lambda frames, stride, delays: steps(frames, stride, delays).T,
            ),
        ),
        minutes=6,
        points=2,
        inputs=some_pattern,
        remark="Any pattern of this kind can be trained; the best one nobody knows.",
    ),
    Exercise(
        "16c.cost",
        "Give the bits of a frame, by equation (1) divided by the number of frames, and the "
        "perplexity of a code.",
        cost,
        (
            Mistake(
                "In natural units, not in bits: to which base is the logarithm?",
                lambda s, c: (cost(s, c)[0] * math.log(2), cost(s, c)[1]),
            ),
            Mistake(
                "The first number is that of a code; a frame has a code of each level.",
                lambda s, c: (cost(s, c)[0] / len(c), cost(s, c)[1]),
            ),
            Mistake(
                "The first number is that of the whole clip; divide it by the frames.",
                lambda s, c: (cost(s, c)[0] * c.shape[1], cost(s, c)[1]),
            ),
            Mistake(
                "That is the perplexity of a whole frame; how many bits has a code?",
                lambda s, c: (cost(s, c)[0], 2 ** cost(s, c)[0]),
            ),
            Mistake(
                "The perplexity takes e to the power of bits; which base belongs to bits?",
                lambda s, c: (cost(s, c)[0], math.exp(math.log2(cost(s, c)[1]))),
            ),
            Mistake(
                "The perplexity takes 2 to the power of natural units; which base belongs to them?",
                lambda s, c: (cost(s, c)[0], cost(s, c)[1] ** math.log(2)),
            ),
            Mistake(
                "The loss of PyTorch is in natural units: to which base is the logarithm of bits?",
                lambda s, c: (cost(s, c)[0] * math.log(2), cost(s, c)[1] ** math.log(2)),
            ),
            Mistake(
                "In which order? The bits of a frame come first.", lambda s, c: cost(s, c)[::-1]
            ),
            Mistake(
                "That is what the scores expect on average; what do the codes that came cost?",
                expected_cost,
            ),
            Mistake(
                "The softmax goes over the frames here; it goes over the N codes.",
                cost_over_frames,
            ),
            Mistake(
                "The perplexity averages 1/p itself; average the bits, and then take the power.",
                lambda s, c: (cost(s, c)[0], mean_choice(s, c)),
            ),
        ),
        minutes=8,
        points=2,
        inputs=scores_and_codes,
        remark="Bits add up, perplexities multiply.",
    ),
    Exercise(
        "16c.probabilities",
        "Divide scores by the temperature, leave the k best of each row, and make probabilities of "
        "them.",
        probabilities,
        (
            Mistake(
                "The scores are multiplied by the temperature: what should a high one do?",
                knobs(temperature=lambda t: 1 / t),
            ),
            Mistake("The temperature changes nothing here.", knobs(temperature=lambda t: 1.0)),
            Mistake(
                "All codes take part; only the k likeliest should.", knobs(top_k=lambda k: None)
            ),
            Mistake(
                "One too few is left: does the k-th best belong to them?",
                knobs(top_k=lambda k: k - 1),
            ),
            Mistake(
                "One too many is left: from which place does topk count?",
                knobs(top_k=lambda k: k + 1),
            ),
            Mistake(
                "Rows do not add up to 1: what is cut after the softmax leaves a hole.", zeroed
            ),
            Mistake(
                "What is cut has a score of 0, and still a share: which score has none?",
                with_zero_scores,
            ),
            Mistake("One limit for all rows; each row has its own k best.", of_all_rows),
            Mistake("The unlikeliest are left.", the_least),
            Mistake(
                "It is made probabilities of twice: a softmax of a softmax is nearly flat.",
                lambda scores, temperature, top_k: probabilities(
                    scores, temperature, top_k
                ).softmax(-1),
            ),
            Mistake(
                "The temperature divides probabilities here; it divides scores.",
                lambda scores, temperature, top_k: probabilities(scores, top_k=top_k) / temperature,
            ),
        ),
        minutes=8,
        points=2,
        inputs=scores_and_knobs,
        remark="MusicGen draws with k = 250 and a temperature of 1.",
    ),
    Exercise(
        "16c.request",
        "Put the voice's rows first; then, for as many frames as there are phonemes, the phonemes "
        "in the first row, and −1 in all others.",
        request,
        (
            Mistake(
                "What is open holds 0, and 0 is a code: the model would read it, not draw.",
                request_with(lambda asked: asked.clamp(min=0)),
            ),
            Mistake(
                "The phonemes stand in every row; the other rows are codes, and open.",
                request_with(lambda asked: asked[:1].expand_as(asked)),
            ),
            Mistake(
                "The phonemes stand in the last row; in which does the voice have its own?",
                request_with(lambda asked: asked.flip(0)),
            ),
            Mistake(
                "The first row is open, too: then the model says what it likes.",
                request_with(lambda asked: torch.full_like(asked, EMPTY)),
            ),
            Mistake(
                "The voice stands behind the phonemes; the model reads from left to right.",
                lambda voice, phonemes: request(voice, phonemes).roll(len(phonemes), 1),
            ),
            Mistake(
                "The voice is not there: who is to speak?",
                lambda voice, phonemes: request(voice, phonemes)[:, voice.shape[1] :],
            ),
            Mistake(
                "The codes of the voice are left open; its sound is what the model goes on from.",
                forgotten_voice,
            ),
            Mistake("The phonemes replace the voice's own; they come after them.", written_over),
            Mistake(
                "The rows are moved in time here; a column is a frame, and `generate` delays.",
                lambda voice, phonemes: delay(request(voice, phonemes)),
            ),
        ),
        minutes=5,
        inputs=voice_and_phonemes,
        remark="A prompt need not come first in time: it can be a row.",
    ),
)
