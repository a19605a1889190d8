"""Support: what is built inside the lesson of chapter 15, as exercises.

Those at the chapter's end are in `chapter_15`.
"""

from functools import partial

import torch

from minicodec.exercises import answers_15 as answers
from minicodec.exercises.exercise import Exercise, Mistake

LESSON = (
    Exercise(
        "15.rename",
        "Turn an official name into ours: layers for model, no wrappers, codebooks with our words.",
        answers.renamed(),  # and no more: the package's own knows transformers, too (15.both)
        (
            Mistake(
                "One of the two wrappers is left: `.conv.conv.` becomes a single dot.",
                answers.renamed(wrapper=(r"\.(conv|convtr)\.\1\.", r".\1.")),
            ),
            Mistake(
                "What is wrapped in `convtr` keeps its wrappers: decoders have both kinds.",
                answers.renamed(wrapper=(r"\.conv\.conv\.", ".")),
            ),
            Mistake(
                "The norms of the 48 kHz model lie in one wrapper, `.conv.norm.`, and are still "
                "there.",
                answers.renamed(norm=None),
            ),
            Mistake(
                "`convtr` has norms, too: `.convtr.norm.` keeps its wrapper.",
                answers.renamed(norm=(r"\.conv\.norm\.", ".norm.")),
            ),
            Mistake(
                "A level of the quantizer is `quantizer.codebooks.3` with us; is there a `vq` "
                "left, or a `layers`?",
                answers.renamed(levels=(r"\.vq\.", ".")),
            ),
            Mistake(
                "`_codebook` is a wrapper as well, around what is in a codebook.",
                answers.renamed(codebook=None),
            ),
            Mistake(
                "Some name has `embedding_avg`: one replacement has met the beginning of another "
                "word. Where does `embed` have to end?",
                answers.renamed(embedding=(r"\.embed", ".embedding"), sums=None),
            ),
            Mistake(
                "A level's number has become a strange sign: its `\\1` needs a raw string.",
                answers.renamed(levels=(r"quantizer\.vq\.layers\.(\d+)", "quantizer.codebooks.\1")),
            ),
            Mistake(
                "`weight_v` keeps its name for now: it is no `weight` without its length.",
                answers.after(answers.renamed(), lambda name: name.replace("weight_v", "weight")),
            ),
            Mistake(
                "The first `.model.` is replaced, but nothing else.",
                lambda name: name.replace(".model.", ".layers."),
            ),
        ),
        minutes=12,
        points=2,
        inputs=answers.official_names,
        use=answers.each,
        remark="Twelve names of all kinds, and each has become ours.",
    ),
    Exercise(
        "15.spans",
        "Give first sample and end of each segment, by equation (1): one begins every `stride` "
        "samples as long as there is sound.",
        answers.spans,
        (
            Mistake(
                "The last ends lie beyond the clip: there is no sound to code there.",
                lambda samples, length, stride: [
                    (start, start + length) for start in range(0, samples, stride)
                ],
            ),
            Mistake(
                "The tail is missing where a segment already reaches the end; the official model "
                "begins another one all the same.",
                lambda samples, length, stride: [
                    (start, min(start + length, samples))
                    for start in range(0, max(1, samples - (length - stride)), stride)
                ],
            ),
            Mistake(
                "These begin `length` samples apart and do not overlap.",
                lambda samples, length, stride: answers.spans(samples, length, length),
            ),
            Mistake(
                "Only whole segments are there; what becomes of the rest of the clip?",
                lambda samples, length, stride: [
                    (start, start + length) for start in range(0, samples - length + 1, stride)
                ],
            ),
            Mistake(
                "These are starts and lengths; ends are asked for.",
                lambda samples, length, stride: [
                    (start, end - start) for start, end in answers.spans(samples, length, stride)
                ],
            ),
            Mistake(
                "A segment of nothing is left over: a start at the clip's end is one too many.",
                lambda samples, length, stride: [
                    (start, min(start + length, samples)) for start in range(0, samples + 1, stride)
                ],
            ),
        ),
        minutes=6,
        inputs=answers.clips,
        use=answers.of_each,
        remark="Also where the last segment lies wholly in the one before it.",
    ),
    Exercise(
        "15.loudness",
        "Divide by the loudness of the mono mix, by equation (2), and give both.",
        answers.over_loudness,
        (
            Mistake(
                "That is the loudness of all channels together; it should be that of their mix.",
                answers.over(lambda x: x.pow(2).mean((1, 2), keepdim=True).sqrt()),
            ),
            Mistake(
                "Each channel is divided by its own loudness: then nobody knows any more which one "
                "was louder.",
                answers.over(lambda x: x.pow(2).mean(2, keepdim=True).sqrt()),
            ),
            Mistake(
                "The root is missing: that is a power.",
                answers.over(lambda x: x.mean(1, keepdim=True).pow(2).mean(2, keepdim=True)),
            ),
            Mistake(
                "Silence is divided by 0.",
                answers.over(
                    lambda x: x.mean(1, keepdim=True).pow(2).mean(2, keepdim=True).sqrt(), 0.0
                ),
            ),
            Mistake(
                "For silence it gives 0.0001: where does the small number stand, outside the root?",
                answers.over(
                    lambda x: (1e-8 + x.mean(1, keepdim=True).pow(2).mean(2, keepdim=True)).sqrt(),
                    0.0,
                ),
            ),
            Mistake(
                "One number came out for the whole batch; each clip has its own loudness.",
                answers.over(lambda x: x.mean(1, keepdim=True).pow(2).mean().sqrt()),
            ),
            Mistake(
                "The clips of the batch share one loudness; each has its own.",
                answers.over(
                    lambda x: x.mean(1, keepdim=True).pow(2).mean().sqrt().expand(len(x), 1, 1)
                ),
            ),
            Mistake(
                "The channels are added, not averaged: twice too loud.",
                answers.over(lambda x: x.sum(1, keepdim=True).pow(2).mean(2, keepdim=True).sqrt()),
            ),
            Mistake(
                "That is the largest sample; loudness here is a root mean square.",
                answers.over(lambda x: x.mean(1, keepdim=True).abs().amax(2, keepdim=True)),
            ),
        ),
        minutes=5,
        inputs=answers.stereo,
        remark="Silence is still silence.",
    ),
    Exercise(
        "15.cross_fade",
        "Join the segments by equation (3): weight each with the triangle, add, and divide by the "
        "sum of the weights.",
        answers.joined,
        (
            Mistake(
                "Where two segments meet they are added: is the sum divided by the sum of the "
                "weights?",
                partial(answers.weighted, window=answers.triangle, divide=False),
            ),
            Mistake(
                "The segments are cut where the next one begins, and nothing is faded.",
                answers.cut,
            ),
            Mistake(
                "Where two meet this is their mean all the way: the weights should change from one "
                "to the other.",
                partial(answers.weighted, window=torch.ones),
            ),
            Mistake(
                "The first sample is 0 divided by 0: does the triangle begin with 0?",
                partial(answers.weighted, window=answers.to_the_edge),
            ),
            Mistake(
                "The first sample is 0 divided by 0: is the 1 missing that equation (3) adds to n?",
                partial(answers.weighted, window=answers.late_triangle),
            ),
            Mistake(
                "Where two segments meet they are added as they are, without any weights.",
                partial(answers.weighted, window=torch.ones, divide=False),
            ),
            Mistake(
                "The last segment has a triangle of its own; it should take the beginning of the "
                "long one.",
                partial(answers.weighted, window=answers.triangle, own=True),
            ),
            Mistake(
                "The end is cut off: the last segment goes on beyond its stride.",
                lambda segments, stride: answers.joined(segments, stride)[
                    ..., : stride * len(segments)
                ],
            ),
        ),
        minutes=10,
        points=2,
        inputs=answers.pieces,
        remark="Where a segment is alone, its weight cancels.",
    ),
    Exercise(
        "15.ecdc",
        "Write a whole .ecdc file: the header, the JSON, then ten bits for each code, frame by "
        "frame, the lowest bit first.",
        answers.ecdc,
        (
            Mistake(
                "The highest bit comes first, as in chapter 13; here it is the lowest.",
                partial(answers.ecdc, most_significant=True),
            ),
            Mistake(
                "Level by level; it should be frame by frame.",
                partial(answers.ecdc, levels_first=True),
            ),
            Mistake(
                "The length of the JSON has its lowest byte first; big-endian is the other way.",
                partial(answers.ecdc, order="<"),
            ),
            Mistake(
                "The length stands before the version, as a comment in the official code says; its "
                "code writes the version first.",
                partial(answers.ecdc, size_first=True),
            ),
            Mistake(
                "The length counts the nine bytes before the JSON, too.",
                partial(answers.ecdc, counted=9),
            ),
            Mistake(
                "The JSON is written without spaces; Python's `json.dumps` leaves one behind each "
                "comma and colon, and so do the official files.",
                partial(answers.ecdc, dense=True),
            ),
            Mistake(
                "Each frame begins a new byte; only the end of the file is filled up to one.",
                partial(answers.ecdc, aligned=True),
            ),
            Mistake(
                "Each code has two bytes; it should have ten bits.",
                partial(answers.ecdc, sixteen=True),
            ),
            Mistake(
                "The codes end in the middle of a byte: what has begun is written, too.",
                lambda codes, samples, model: answers.ecdc(codes, samples, model)[:-1],
            ),
        ),
        minutes=12,
        points=2,
        inputs=answers.codes_and_name,
        remark="The official tool would write the same bytes.",
    ),
)
