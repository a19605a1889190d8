"""Support: what is built inside the lesson of chapter 10, as exercises.

Those at the chapter's end are in `chapter_10`.
"""

import math

from minicodec.exercises import answers_10 as answers
from minicodec.exercises import answers_10_updates as updates
from minicodec.exercises.exercise import Exercise, Mistake

LESSON = (
    Exercise(
        "10.mix",
        "Give the sum of the sounds, each at its gain in decibels, made quieter as a whole if any "
        "sample is beyond 1 or −1.",
        answers.mix,
        (
            Mistake(
                "These gains are of power; 20 dB are ten times the *amplitude*.",
                answers.mix_with(lambda db: 10 ** (db / 10)),
            ),
            Mistake(
                "A power goes before a quotient: 10 ** gain / 20 is not what you mean.",
                answers.mix_with(lambda db: 10**db / 20),
            ),
            Mistake(
                "Decibels are no factor: 0 dB leaves a sound as it is.",
                answers.mix_with(lambda db: db),
            ),
            Mistake(
                "What is too loud is cut off, which distorts it; make all of it quieter instead.",
                answers.mix_with(safe=lambda x: x.clamp(-1, 1)),
            ),
            Mistake(
                "Every mixture has the same peak, so that all gains are in vain. When is it to be "
                "made quieter?",
                answers.mix_with(safe=lambda x: x / x.abs().max()),
            ),
            Mistake(
                "The largest sample may lie below −1: has it a sign?",
                answers.mix_with(safe=lambda x: x / max(1.0, float(x.max()))),
            ),
            Mistake(
                "Each sound is made quieter by itself, and their sum clips all the same.",
                answers.mix_with(
                    safe=lambda x: x, each=lambda x: x / max(1.0, float(x.abs().max()))
                ),
            ),
            Mistake("Nothing keeps it from clipping.", answers.mix_with(safe=lambda x: x)),
            Mistake(
                "That is the mean of the sounds; sounds add up.",
                answers.mix_with(total=lambda x: x.mean(0)),
            ),
            Mistake(
                "All sounds have the first one's gain; each has its own.",
                answers.mix_with(one_gain=True),
            ),
            Mistake(
                "The first sound is alone.", lambda sounds, gains: answers.mix(sounds[:1], gains)
            ),
        ),
        minutes=5,
        points=2,
        inputs=answers.quiet_and_loud,
        use=answers.both_mixed,
    ),
    Exercise(
        "10.forward",
        "Give the copy, as long as x, and the commitment loss; without a bandwidth the latents go "
        "past the quantizer, and the commitment is zero.",
        answers.forward,
        (
            Mistake(
                "The copy is longer than the clip: the last frame is whole, the clip's end may "
                "not be.",
                answers.forward_with(cut=False),
            ),
            Mistake(
                "All levels are used; how many does a bandwidth pay for?",
                answers.forward_with(lambda bandwidth: None),
            ),
            Mistake(
                "The quantizer is given a bandwidth; it takes a whole number of levels.",
                answers.forward_with(lambda bandwidth: bandwidth),  # type: ignore[arg-type,return-value]
            ),
            Mistake(
                "Kilobits per second are no number of levels; the config knows how many they make.",
                answers.forward_with(lambda bandwidth: max(1, int(bandwidth))),
            ),
            Mistake(
                "Without a bandwidth it is quantized all the same.",
                answers.forward_with(when=lambda bandwidth: True),
            ),
            Mistake("It is never quantized.", answers.forward_with(when=lambda bandwidth: False)),
            Mistake(
                "The decoder sees the latents themselves; at the receiver there are only codes.",
                answers.forward_with(decoded=False),
            ),
            Mistake(
                "Without the quantizer the commitment is zero, a number that can be added; not "
                "None.",
                answers.forward_with(nothing=lambda latents: None),
            ),
            Mistake(
                "The copy is right, but it was made of codes, and the encoder would never learn: "
                "`encode` and `decode` are for use.",
                answers.forward_by_codes,
            ),
        ),
        minutes=6,
        points=2,
        inputs=answers.seed_and_clips,
        use=answers.passed,
    ),
    Exercise(
        "10.codebook_start",
        "Start each codebook by k-means of what the levels before left over, and give the mean "
        "squares that are left, before the first and after each.",
        answers.start,
        (
            Mistake(
                "Every codebook has learned the latents themselves; what does a later level see?",
                answers.start_with(lambda latents, residual: latents),
            ),
            Mistake(
                "Nothing is taken off between the levels: all of them learn the same.",
                answers.start_with(left=lambda z, residual, vector: residual),
            ),
            Mistake(
                "The vectors themselves are handed on; what is left is the difference.",
                answers.start_with(left=lambda z, residual, vector: vector),
            ),
            Mistake(
                "The vectors are added to what is left; they should be taken off.",
                answers.start_with(left=lambda z, residual, vector: residual + vector),
            ),
            Mistake(
                "Each level's vectors are taken off the latents, not off what was left of them.",
                answers.start_with(left=lambda z, residual, vector: z - vector),
            ),
            Mistake(
                "Only the first codebook has had its k-means; the others are random still.",
                answers.start_with(which=slice(1)),
            ),
            Mistake(
                "These are sums over the latents, which grow with their number; give means.",
                answers.start_with(energy=lambda x: x.pow(2).sum()),
            ),
            Mistake(
                "The codebooks are right; the energy before the first level is missing.",
                answers.start_with(told=slice(1, None)),
            ),
        ),
        minutes=7,
        points=2,
        inputs=answers.seed_and_latents,
        use=answers.started,
    ),
    Exercise(
        "10.update",
        "Move the codec by the balanced losses and the commitment, and the discriminator, where it "
        "is to learn, by its own loss; neither moves the other.",
        updates.update,
        (
            Mistake(
                "The commitment is missing: latents may drift away from their codes.",
                updates.update_with(committed=False),
            ),
            Mistake(
                "Losses are added up with their weights as factors; who makes shares of them?",
                updates.update_with(balanced=False),
            ),
            Mistake(
                "The discriminator learns in every step, also when it is not to.",
                updates.update_with(learns=lambda asked: True),
            ),
            Mistake(
                "The discriminator never learns.", updates.update_with(learns=lambda asked: False)
            ),
            Mistake(
                "The discriminator learns when it should not, and rests when it should learn.",
                updates.update_with(learns=lambda asked: not asked),
            ),
            Mistake(
                "The discriminator's own loss goes on into the codec, which then learns to be "
                "found out.",
                updates.update_with(leaked=True),
            ),
            Mistake(
                "The codec's gradients of the step before are still in it.",
                updates.update_with(cleared=False),
            ),
            Mistake(
                "The discriminator's gradients of the step before are still in it.",
                updates.update_with(gathered=True),
            ),
            Mistake(
                "The codec has not moved: `backward` alone changes no weight.",
                updates.update_with(moved=False),
            ),
            Mistake(
                "That is the mel loss on magnitudes; this recipe takes `log_mel_loss`.",
                updates.update_with(mel=updates.with_plain_mel),
            ),
            Mistake(
                "The codec learns nothing from the discriminator: two losses are missing.",
                updates.update_with(judged=False),
            ),
            Mistake(
                "It needs a discriminator; there is none in the first part of a run, and then it "
                "is None.",
                updates.update_with(needed=True),
            ),
        ),
        minutes=15,
        points=2,
        inputs=updates.seed_and_batch,
        use=updates.updated,
        remark="Codec and discriminator have moved, each by its own gradient, from one look.",
    ),
    Exercise(
        "10.rate",
        "Give the learning rate of a step: half a cosine from `highest` at step 0 to `lowest` at "
        "step `total`, and `lowest` from then on.",
        answers.rate,
        (
            Mistake(
                "After `total` it rises again: where does the way end?",
                answers.rate_with(answers.half_cosine, clamped=False),
            ),
            Mistake(
                "A whole turn: it is at its lowest half way, and back at the top at the end.",
                answers.rate_with(lambda way: answers.half_cosine(2 * way)),
            ),
            Mistake(
                "It falls to zero: where does `lowest` come in?",
                answers.rate_with(answers.half_cosine, bottom=lambda low: 0.0),
            ),
            Mistake(
                "`lowest` cuts the cosine off; it should be where the cosine ends.",
                lambda step, total, highest, lowest: max(
                    lowest, highest * answers.half_cosine(min(1.0, step / total))
                ),
            ),
            Mistake(
                "It begins above `highest`: how far is the way from there to `lowest`?",
                lambda step, total, highest, lowest: (
                    lowest + highest * answers.half_cosine(min(1.0, step / total))
                ),
            ),
            Mistake(
                "It is the same whatever `highest` and `lowest` are.",
                lambda step, total, highest, lowest: answers.rate(step, total),
            ),
            Mistake(
                "It becomes negative, and the codec unlearns: a cosine goes from 1 to −1.",
                answers.rate_with(lambda way: math.cos(math.pi * way)),
            ),
            Mistake(
                "It rises: the large steps come first.",
                answers.rate_with(lambda way: 1 - answers.half_cosine(way)),
            ),
            Mistake(
                "That is a straight line; a cosine is flat at both ends.",
                answers.rate_with(lambda way: 1 - way),
            ),
            Mistake(
                "A quarter turn: it is steepest at the end, where it should settle.",
                answers.rate_with(lambda way: math.cos(math.pi / 2 * way)),
            ),
            Mistake(
                "It stays at the top until the end: `//` gives whole numbers.",
                answers.rate_with(lambda way: answers.half_cosine(way // 1)),
            ),
            Mistake(
                "`math.cos` wants radians, not degrees.",
                answers.rate_with(lambda way: (1 + math.cos(180 * way)) / 2),
            ),
            Mistake(
                "The half is missing: it begins at nearly twice `highest`.",
                answers.rate_with(lambda way: 2 * answers.half_cosine(way)),
            ),
        ),
        minutes=5,
        inputs=answers.total_and_rates,
        use=answers.whole_way,
        tolerance=1e-6,
    ),
)
