"""The metrics give the numbers that their formulas promise."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from minicodec.sound.metrics import codebook_use, mel_distance, si_sdr

RATE = 24000


def with_noise(reference: torch.Tensor, decibels: float) -> torch.Tensor:
    """The reference plus noise orthogonal to it, `decibels` below it."""
    reference = reference - reference.mean(-1, keepdim=True)
    noise = torch.randn_like(reference)
    noise = noise - noise.mean(-1, keepdim=True)
    noise = noise - reference * (noise * reference).sum() / reference.pow(2).sum()
    return reference + noise * reference.norm() / noise.norm() * 10 ** (-decibels / 20)


@given(st.floats(-20, 60))
@settings(max_examples=30, deadline=None)
def test_orthogonal_noise_of_known_power_gives_its_decibels(decibels):
    reference = torch.randn(1, 1, 8000)
    assert abs(si_sdr(with_noise(reference, decibels), reference).item() - decibels) < 0.01


@given(st.floats(1e-3, 1e3), st.floats(1e-3, 1e3))
@settings(max_examples=30, deadline=None)
def test_loudness_does_not_count(a, b):
    reference = torch.randn(1, 1, 8000)
    estimate = with_noise(reference, 12)
    for factor in (a, -a):  # nor does the polarity
        assert abs(si_sdr(factor * estimate, b * reference).item() - 12) < 0.01


def test_nor_does_an_offset():
    reference = torch.randn(1, 1, 8000)
    assert abs(si_sdr(with_noise(reference, 12) + 0.5, reference - 0.3).item() - 12) < 0.01


def test_more_noise_is_a_lower_number():
    reference = torch.randn(1, 1, 8000)
    values = [si_sdr(with_noise(reference, d), reference).item() for d in (30, 10, -10)]
    assert values == sorted(values, reverse=True) and values[-1] < 0


def test_the_whole_clip_counts():
    """The original training code judges the first five seconds alone, and flips the sign."""
    reference = torch.randn(1, 1, 10 * RATE)
    estimate = reference.clone()
    estimate[..., 5 * RATE :] = torch.randn(5 * RATE)
    # Half of the reference is there, so ρ = 1/2, and ρ² / (1 − ρ²) = 1/3.
    assert abs(si_sdr(estimate, reference).item() - 10 * math.log10(1 / 3)) < 0.1
    assert si_sdr(estimate[..., : 5 * RATE], reference[..., : 5 * RATE]).item() > 100


def test_each_clip_of_a_batch_by_itself():
    references = torch.randn(3, 2, 4000)
    estimates = references + torch.tensor([0.01, 0.1, 1.0]).view(3, 1, 1) * torch.randn(3, 2, 4000)
    together = si_sdr(estimates, references)
    alone = [si_sdr(e[None], r[None]) for e, r in zip(estimates, references)]
    torch.testing.assert_close(together, torch.cat(alone))
    assert together[0] > together[1] > together[2]
    mel = mel_distance(estimates, references, RATE)
    torch.testing.assert_close(mel[1:2], mel_distance(estimates[1:2], references[1:2], RATE))


def test_silence_has_no_direction():
    clip, silence = torch.randn(1, 1, 1000), torch.zeros(1, 1, 1000)
    assert math.isnan(si_sdr(clip, silence))
    assert si_sdr(silence, clip) == -math.inf
    assert mel_distance(silence, silence, RATE) == 0


def test_mel_distance_is_a_distance(speech):
    other = speech + 0.05 * torch.randn_like(speech)
    assert mel_distance(speech, speech, RATE) == 0
    there, back = mel_distance(speech, other, RATE), mel_distance(other, speech, RATE)
    assert there == back > 0
    assert mel_distance(speech, speech + 0.2 * torch.randn_like(speech), RATE) > there


def test_six_decibels_of_gain_are_six_decibels():
    noise = torch.randn(1, 1, RATE)
    short_of_six = 6.0206 - mel_distance(noise, 2 * noise, RATE).item()
    # With a window of 128 samples some bands have no bin and are silent in both.
    assert 0 <= short_of_six < 1


def test_what_is_below_the_floor_is_silence():
    quiet = 1e-8 * torch.randn(1, 1, RATE)
    assert mel_distance(quiet, 2 * quiet, RATE) == 0


def test_a_phase_nobody_hears():
    """SI-SDR punishes a shift of one millisecond, mel distance hardly notices it."""
    clip = torch.randn(1, 1, RATE)
    shifted = clip.roll(24, -1)
    assert si_sdr(shifted, clip) < -20
    other = mel_distance(torch.randn(1, 1, RATE), clip, RATE)
    assert mel_distance(shifted, clip, RATE) < 0.5 * other


@pytest.mark.parametrize(
    "shapes", [[(1, 1, 10), (1, 1, 11)], [(10,), (10,)], [(1, 2, 9), (1, 1, 9)]]
)
def test_shapes_must_agree(shapes):
    a, b = (torch.randn(shape) for shape in shapes)
    for metric in (si_sdr, lambda x, y: mel_distance(x, y, RATE)):
        with pytest.raises(ValueError, match=r"both clips must be \[B, C, T\] of one shape"):
            metric(a, b)


def test_codebook_use_of_even_uneven_and_dead_codes():
    even = torch.arange(16).repeat(100)
    rare = torch.cat([torch.zeros(1591, dtype=torch.long), torch.arange(1, 10)])  # 9 occur once
    use = codebook_use(torch.stack([even, rare])[None], size=16)
    torch.testing.assert_close(use.entropy[0], torch.tensor(4.0))
    assert use.entropy[1] < 0.1
    assert use.used.tolist() == [1.0, 10 / 16]
    assert use.dead.tolist() == [0.0, 15 / 16]  # once in 1600 is a hundredth of an even share
