"""Support: what chapter 01 leaves to write: rounding, a ratio, two pictures, a measure."""

import math

import torch

from minicodec.exercises import answers_01 as answers
from minicodec.exercises.exercise import Exercise, Mistake
from minicodec.sound.metrics import si_sdr
from minicodec.sound.spectral import mel_filters, stft

LESSON = (
    Exercise(
        "01.quantize",
        "Round to the nearest of 2**bits levels, spread evenly over [-1, 1], half a step away "
        "from 0.",
        answers.quantize,
        (
            Mistake(
                "One of these levels is 0, which makes 2**bits + 1 of them; they lie half a step "
                "away from 0.",
                lambda x, bits: (
                    (x * 2**bits / 2).round().clamp(-(2 ** (bits - 1)), 2 ** (bits - 1))
                    * (2 / 2**bits)
                ),
            ),
            Mistake(
                "Two things: one level is 0, where there should be none, and one lies outside of "
                "[-1, 1].",
                lambda x, bits: (x * 2**bits / 2).round() * (2 / 2**bits),
            ),
            Mistake(
                "Two things: that is always the edge below, and some lie outside of [-1, 1].",
                lambda x, bits: torch.floor(x * 2**bits / 2) * (2 / 2**bits),
            ),
            Mistake(
                "There is a level outside of [-1, 1]: what happens at full scale and above?",
                lambda x, bits: (torch.floor(x * 2**bits / 2) + 0.5) * (2 / 2**bits),
            ),
            Mistake(
                "That is always the edge below; the level lies in the middle of two edges.",
                lambda x, bits: answers.quantize(x, bits) - 1 / 2**bits,
            ),
            Mistake(
                "The step is half of what it should be: from −1 to 1 it is 2.",
                lambda x, bits: (
                    (torch.floor(x * 2**bits).clamp(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) + 0.5)
                    / 2**bits
                ),
            ),
            Mistake(
                "Those are the numbers of the levels; give the levels themselves.",
                lambda x, bits: torch.floor(x * 2**bits / 2).clamp(
                    -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
                ),
            ),
            Mistake(
                "The step is 2 over *one less than* 2**bits; equation (3) has 2 over 2**bits.",
                lambda x, bits: (
                    ((x + 1) / (2 / (2**bits - 1))).round().clamp(0, 2**bits - 1)
                    * (2 / (2**bits - 1))
                    - 1
                ),
            ),
            Mistake(
                "Below 0 `int` drops the fraction the other way: what rounds down there as well?",
                answers.toward_zero,
            ),
            Mistake("−1 and 1 are no levels; clamp before that.", answers.clamped_last),
        ),
        minutes=6,
        points=2,
        inputs=answers.samples_and_bits,
    ),
    Exercise(
        "01.snr",
        "Give the power of the reference over the power of the error, in dB.",
        answers.snr,
        (
            Mistake(
                "The sign is the other one: the reference's power goes above.",
                lambda estimate, reference: -answers.snr(estimate, reference),
            ),
            Mistake(
                "A ratio of *powers* takes 10 log10; 20 is for amplitudes.",
                lambda estimate, reference: 2 * answers.snr(estimate, reference),
            ),
            Mistake(
                "That is the natural logarithm; decibels count in tens.",
                lambda estimate, reference: math.log(10) * answers.snr(estimate, reference),
            ),
            Mistake(
                "Power is the sum of squares, not of absolute values.",
                lambda estimate, reference: (
                    10 * torch.log10(reference.abs().sum() / (estimate - reference).abs().sum())
                ),
            ),
            Mistake(
                "That compares the copy with its error; compare the original with it.",
                lambda estimate, reference: (
                    10 * torch.log10(estimate.pow(2).sum() / (estimate - reference).pow(2).sum())
                ),
            ),
            Mistake(
                "That is the ratio; give it in decibels.",
                lambda estimate, reference: 10 ** (answers.snr(estimate, reference) / 10),
            ),
            Mistake(
                "That compares the powers of original and copy; where is the difference of both?",
                lambda estimate, reference: (
                    10 * torch.log10(reference.pow(2).sum() / estimate.pow(2).sum())
                ),
            ),
        ),
        minutes=4,
        points=2,
        inputs=answers.copy_and_original,
        use=answers.as_number,
    ),
    Exercise(
        "01.stft",
        "Give the short-time Fourier transform of equation (4), mirrored at both ends.",
        stft,
        (
            Mistake(
                "Frames are missing at both ends: is the signal mirrored there, by half a window?",
                lambda x, n_fft, hop: answers.picture(x, n_fft, hop, pad=None),
            ),
            Mistake(
                "Only the frames at the ends are wrong: zeros are there, where the signal should "
                "be mirrored.",
                lambda x, n_fft, hop: answers.picture(x, n_fft, hop, pad="constant"),
            ),
            Mistake(
                "Are the pieces faded in and out? There is no window.",
                lambda x, n_fft, hop: answers.picture(
                    x, n_fft, hop, window=torch.ones, norm=lambda _: torch.hann_window(n_fft).norm()
                ),
            ),
            Mistake(
                "Neither faded nor divided by a norm: equation (4) has both.",
                lambda x, n_fft, hop: answers.picture(
                    x, n_fft, hop, window=torch.ones, norm=torch.ones_like
                ),
            ),
            Mistake(
                "This is not divided by ‖w‖: noise would grow with the window.",
                lambda x, n_fft, hop: answers.picture(x, n_fft, hop, norm=torch.ones_like),
            ),
            Mistake(
                "That divides by the *sum* of the window; equation (4) has its norm.",
                lambda x, n_fft, hop: answers.picture(x, n_fft, hop, norm=torch.sum),
            ),
            Mistake(
                "Frames run down and frequencies across; it should be the other way round.",
                lambda x, n_fft, hop: answers.picture(x, n_fft, hop).T,
            ),
            Mistake(
                "Those are magnitudes; leave them complex, for the phase is in the angle.",
                lambda x, n_fft, hop: answers.picture(x, n_fft, hop).abs(),
            ),
            Mistake(
                "The upper half mirrors the lower for real signals; which transform leaves it out?",
                lambda x, n_fft, hop: torch.cat(
                    [
                        answers.picture(x, n_fft, hop),
                        answers.picture(x, n_fft, hop)[1:-1].flip(0).conj(),
                    ]
                ),
            ),
            Mistake(
                "This divides by the root of W (`normalized=True`?), not by the window's norm.",
                lambda x, n_fft, hop: answers.picture(
                    x, n_fft, hop, norm=lambda w: torch.tensor(len(w) ** 0.5)
                ),
            ),
            Mistake(
                "This window is symmetric (`periodic=False`); for a spectrum it should be one "
                "period of a cosine.",
                lambda x, n_fft, hop: answers.picture(
                    x, n_fft, hop, window=lambda n: torch.hann_window(n, periodic=False)
                ),
            ),
        ),
        minutes=10,
        points=2,
        inputs=answers.samples_and_window,
        remark="It agrees with the package's, and in the next chapters you use it all the time.",
    ),
    Exercise(
        "01.mel_filters",
        "Give triangles that are evenly spaced in mels, by equation (5), each from its left "
        "neighbour's centre to its right one's.",
        mel_filters,
        (
            Mistake(
                "Outside of a triangle its weight is 0, not negative.",
                answers.triangles,
            ),
            Mistake(
                "These are evenly spaced in hertz; in mels they get wider and wider.",
                lambda rate, n_fft, n_mels: answers.triangles(
                    rate, n_fft, n_mels, to_mel=lambda hz: hz, to_hz=lambda hz: hz
                ).clamp(min=0),
            ),
            Mistake(
                "Of the rising and the falling line this takes the upper one; a triangle is below "
                "both.",
                lambda rate, n_fft, n_mels: answers.triangles(
                    rate, n_fft, n_mels, meet=torch.maximum
                ).clamp(min=0),
            ),
            Mistake(
                "The last triangle should end at half the sample rate; these end at the rate.",
                lambda rate, n_fft, n_mels: answers.triangles(rate, n_fft, n_mels, top=1.0).clamp(
                    min=0
                ),
            ),
            Mistake(
                "One way is a logarithm to base 10, the other a power of e: they do not undo each "
                "other.",
                lambda rate, n_fft, n_mels: answers.triangles(
                    rate, n_fft, n_mels, to_hz=lambda mel: 700 * ((mel / 2595).exp() - 1)
                ).clamp(min=0),
            ),
            Mistake(
                "Two triangles are missing: n_mels triangles have n_mels + 2 corners.",
                lambda rate, n_fft, n_mels: mel_filters(rate, n_fft, n_mels - 2),
            ),
            Mistake(
                "Bands run across and bins down; it should be the other way round.",
                lambda rate, n_fft, n_mels: mel_filters(rate, n_fft, n_mels).T,
            ),
            Mistake(
                "Each triangle has an area of 1 here; let each have a height of 1.",
                answers.of_equal_area,
            ),
            Mistake(
                "Weights add up to 1 in each triangle here; let each have a height of 1.",
                answers.summing_to_one,
            ),
            Mistake(
                "These sides are straight in mels; only the corners are, the sides run in hertz.",
                answers.straight_in_mels,
            ),
        ),
        minutes=10,
        points=2,
        inputs=answers.rate_window_and_bands,
        tolerance=1e-3,
    ),
    Exercise(
        "01.si_sdr",
        "Give the SI-SDR of equation (6), after each clip's mean is taken away.",
        si_sdr,
        (
            Mistake(
                "The means are still in there: take each clip's away first.",
                lambda copy, clip: answers.si_sdr(copy, clip, centre=False),
            ),
            Mistake(
                "That is the plain SNR: take the means away, and let α set the level.",
                answers.snr,
            ),
            Mistake(
                "A softer copy counts as distorted: where is α?",
                lambda copy, clip: answers.si_sdr(copy, clip, alpha=lambda e, r: 1.0),
            ),
            Mistake(
                "In α stands ‖x‖², the power of the original, not ‖x‖.",
                lambda copy, clip: answers.si_sdr(
                    copy, clip, alpha=lambda e, r: (e * r).sum() / r.norm()
                ),
            ),
            Mistake(
                "That α is over the copy's power; it should be over the original's.",
                lambda copy, clip: answers.si_sdr(
                    copy, clip, alpha=lambda e, r: (e * r).sum() / e.pow(2).sum()
                ),
            ),
            Mistake(
                "Norms squared are powers: 10 log10, not 20.",
                lambda copy, clip: answers.si_sdr(copy, clip, scale=20.0),
            ),
            Mistake(
                "Distortion is what is left of the *copy* without αx; this takes it from the "
                "original.",
                lambda copy, clip: answers.si_sdr(
                    copy, clip, distortion=lambda e, r, target: e - r
                ),
            ),
            Mistake(
                "The fraction is upside down: distortion goes below.",
                lambda copy, clip: answers.si_sdr(copy, clip, scale=-10.0),
            ),
        ),
        minutes=8,
        points=2,
        inputs=answers.copy_and_original,
        use=answers.as_number,
        tolerance=1e-3,
    ),
)
