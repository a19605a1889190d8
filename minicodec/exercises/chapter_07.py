"""Support: the exercises of chapter 07, reconstruction losses."""

import math

import torch

from minicodec.exercises import answers_07 as answers
from minicodec.exercises.blind import mistaken, order
from minicodec.exercises.exercise import Exercise, Mistake
from minicodec.sound.spectral import mel_filters

_MADE_OF = ("short", "long", "time")
_HEARD = order("07.what_made_it", _MADE_OF)


def _rms(d: torch.Tensor) -> torch.Tensor:
    return d.pow(2).mean(-2).sqrt().mean()


EXERCISES = (
    Exercise(
        "07.mel_loss",
        "Give equation (2) at one window: the mean absolute difference of both mel spectrograms, "
        "plus the root mean square over the bands, a mean over frames.",
        answers.one_window,
        (
            Mistake(
                "That is the first term alone; the second punishes large differences more.",
                answers.at_window(lambda d: d.abs().mean()),
            ),
            Mistake(
                "The root mean square is taken over the frames; under the root stands a mean over "
                "the bands of one frame.",
                answers.at_window(lambda d: d.abs().mean() + d.pow(2).mean(-1).sqrt().mean()),
            ),
            Mistake(
                "The mean under the root goes over everything; the root belongs to each frame.",
                answers.at_window(lambda d: d.abs().mean() + d.pow(2).mean().sqrt()),
            ),
            Mistake(
                "The second term has no root: squares are another unit than the first term.",
                answers.at_window(lambda d: d.abs().mean() + d.pow(2).mean()),
            ),
            Mistake(
                "Under the root is a sum over the bands; with a mean it does not grow with their "
                "number.",
                answers.at_window(lambda d: d.abs().mean() + d.pow(2).sum(-2).sqrt().mean()),
            ),
            Mistake(
                "Positive and negative differences cancel in the first term; what do its bars say?",
                answers.at_window(lambda d: d.mean() + _rms(d)),
            ),
        ),
        minutes=8,
        points=2,
        inputs=answers.clips_and_window,
    ),
    Exercise(
        "07.all_windows",
        "Give equation (3): the mean, over windows and both terms, of equation (2), counting only "
        "bands whose filter catches something.",
        answers.all_windows,
        (
            Mistake(
                "Empty filters are counted in the means; which rows of mel_filters are not all "
                "zero?",
                answers.over_windows(answers.both_terms, lambda n: 1 / (2 * n), filled=False),
            ),
            Mistake(
                "That is twice too much: a window has two terms, and equation (3) divides by their "
                "number.",
                answers.over_windows(answers.both_terms, lambda n: 1 / n),
            ),
            Mistake(
                "That is a sum over the windows; more windows should not cost more.",
                answers.over_windows(answers.both_terms, lambda n: 1 / 2),
            ),
            Mistake(
                "That is neither divided by the windows nor by the two terms.",
                answers.over_windows(answers.both_terms, lambda n: 1.0),
            ),
            Mistake(
                "That is the first term of every window; the second is missing.",
                answers.over_windows(lambda d: d.abs().mean(), lambda n: 1 / (2 * n)),
            ),
            Mistake(
                "That is the last window alone: does each overwrite the one before?",
                lambda y, x, windows: answers.all_windows(y, x, windows[-1:]),
            ),
        ),
        minutes=8,
        points=2,
        inputs=answers.clips_and_windows,
    ),
    Exercise(
        "07.log_term",
        "Give the second term of the other reading: per frame the root mean square over the bands "
        "of differences of log10, floored at 1e-5, and the mean over frames.",
        answers.log_term,
        (
            Mistake(
                "The logarithm of zero is not finite: where is the floor of 1e-5?",
                answers.of_logs(_rms, floor=0.0),
            ),
            Mistake(
                "That is the natural logarithm, 2.3 times as large as log10.",
                answers.of_logs(_rms, log=torch.log),
            ),
            Mistake(
                "That is in decibels: 20 times the logarithm.",
                answers.of_logs(_rms, log=lambda m: 20 * torch.log10(m)),
            ),
            Mistake(
                "That is the logarithm of a difference; it should be the difference of two "
                "logarithms.",
                lambda a, b: _rms((a - b).abs().clamp(min=1e-5).log10()),
            ),
            Mistake(
                "The root is missing: audiocraft leaves it out, this reading takes it.",
                answers.of_logs(lambda d: d.pow(2).mean()),
            ),
            Mistake(
                "That is the mean absolute difference of logarithms; this term takes squares, and "
                "a root for each frame.",
                answers.of_logs(lambda d: d.abs().mean()),
            ),
            Mistake(
                "The root mean square goes over the frames; it should go over the bands of each.",
                answers.of_logs(lambda d: d.pow(2).mean(-1).sqrt().mean()),
            ),
            Mistake(
                "That is the root mean square of magnitudes: where are the logarithms?",
                lambda a, b: _rms(a - b),
            ),
        ),
        minutes=6,
        points=2,
        inputs=answers.two_spectrograms,
        tolerance=1e-3,
    ),
    Exercise(
        "07.shift",
        "Give the smallest shift, as a share of the period, at which the late sine costs as much "
        "time loss as silence.",
        1 / 6,
        (
            Mistake("There it costs more than silence already, 1.4 times as much.", 0.25),
            Mistake("There it costs twice as much as silence.", 0.5),
            Mistake("The sine of half the angle counts: is a factor 2 in the wrong place?", 1 / 12),
            Mistake("That is an angle in degrees; the answer is a share of the period.", 30.0),
            Mistake("That is the whole angle in degrees; give it as a share of 360.", 60.0),
            Mistake("That is an angle in radians; the answer is a share.", math.pi / 6),
            Mistake("That is the whole angle in radians; the answer is a share.", math.pi / 3),
            Mistake("There it costs 1.7 times as much as silence.", 1 / 3),
            Mistake("That is the largest such shift; there is a smaller one.", 5 / 6),
        ),
        minutes=6,
        kind="paper",
        tolerance=0.01,
        remark="A tone at 4 kHz needs a shift of one sample for that.",
    ),
    Exercise(
        "07.upside_down",
        "Give, for the clip with inverted sign, its time loss and its mel loss, each as a multiple "
        "of what silence costs.",
        (2.0, 0.0),
        (
            Mistake(
                "The mel loss is right; but each sample is as far from its opposite as what?",
                (0.0, 0.0),
            ),
            Mistake(
                "The mel loss is right; but silence lies half-way between a sample and its "
                "opposite.",
                (1.0, 0.0),
            ),
            Mistake(
                "The time loss is right; but what becomes of the sign in a magnitude?",
                (2.0, 2.0),
            ),
            Mistake(
                "The time loss is right; but silence lacks all of the spectrum, and "
                "what is missing here?",
                (2.0, 1.0),
            ),
            Mistake("They have changed places: which of the two sees signs?", (0.0, 2.0)),
        ),
        minutes=3,
        kind="paper",
        remark="No mel loss can tell which way up a waveform is, and no ear can either.",
    ),
    Exercise(
        "07.best_gain",
        "Give the gain among those to try with which the guess costs least under the loss.",
        answers.best_gain,
        (
            Mistake(
                "That is the place of the best gain in the list; give the gain.",
                lambda loss, y, x, gains: gains.index(answers.best_gain(loss, y, x, gains)),
            ),
            Mistake(
                "That is the smallest loss; give the gain that makes it.",
                lambda loss, y, x, gains: min(float(loss(g * y, x)) for g in gains),
            ),
            Mistake(
                "That is the gain with the largest loss.",
                lambda loss, y, x, gains: max(gains, key=lambda g: float(loss(g * y, x))),
            ),
            Mistake(
                "The target is made louder or softer here; it should be the guess.",
                lambda loss, y, x, gains: min(gains, key=lambda g: float(loss(y, g * x))),
            ),
            Mistake(
                "Both sounds are scaled; then the softest costs least.",
                lambda loss, y, x, gains: min(gains, key=lambda g: float(loss(g * y, g * x))),
            ),
        ),
        minutes=8,
        points=2,
        inputs=answers.loss_and_two_clips,
    ),
    Exercise(
        "07.what_made_it",
        "Listen to x, y and z, and say for each what it was made from: the short windows, the long "
        "ones, or the time loss.",
        _HEARD,
        mistaken(
            _HEARD,
            {
                ("short", "long"): "Two of them have changed places: a short window knows no "
                "pitch; which of the two is a whisper?",
                ("short", "time"): "Two of them have changed places: which loss lost the *s*, "
                "and which the melody?",
                ("long", "time"): "Two of them have changed places: which of the two is dull, and "
                "which is smeared?",
            },
            (
                "None is right: begin with the one that whispers.",
                "None is right: begin with the one that is dull, without any *s*.",
            ),
        ),
        minutes=4,
        kind="ear",
        remark="Each loss leaves its own fault behind; who knows the faults hears the loss.",
    ),
    Exercise(
        "07.most_bands",
        "Give the most mel bands at a window, spread over all frequencies, with none of their "
        "filters empty.",
        answers.most_bands,
        (
            Mistake(
                "So many of 64 filters are not empty; but fewer bands have wider triangles, and "
                "the question is when none is empty.",
                lambda window: int((mel_filters(answers.SAMPLE_RATE, window).sum(1) > 0).sum()),
            ),
            Mistake(
                "With so many, one filter is empty already.",
                lambda window: answers.most_bands(window) + 1,
            ),
            Mistake(
                "One more band is possible.",
                lambda window: answers.most_bands(window) - 1,
            ),
            Mistake(
                "That many are safe, but more are possible.",
                lambda window: window // 8,
            ),
            Mistake(
                "That is the number of frequencies; low bands are much narrower than high ones.",
                lambda window: window // 2 + 1,
            ),
        ),
        minutes=6,
        core=False,
        points=2,
        inputs=answers.short_window,
    ),
)
