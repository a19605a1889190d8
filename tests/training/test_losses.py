"""Losses: the paper's formulas, written out again term by term, and what each one hears."""

import math

import pytest
import torch

from minicodec.sound.spectral import mel_filters, mel_spectrogram
from minicodec.training.bands import band_loss, long_term_loss
from minicodec.training.losses import (
    MEL_WINDOWS,
    discriminator_loss,
    feature_matching_loss,
    generator_loss,
    log_mel_loss,
    mel_loss,
    time_loss,
)

RATE = 24000
RECONSTRUCTION = {
    "time": time_loss,
    "mel": lambda y, x: mel_loss(y, x, RATE),
    "audiocraft mel": lambda y, x: mel_loss(y, x, RATE, log_squares=True),
    "log mel": lambda y, x: log_mel_loss(y, x, RATE),
    "relative time": lambda y, x: time_loss(y, x, relative=True),
    "band": lambda y, x: band_loss(y, x, RATE),
    "long term": lambda y, x: long_term_loss(y, x, RATE),
}


def sine(frequency: float, phase: float = 0.0, seconds: float = 0.2) -> torch.Tensor:
    t = torch.arange(round(seconds * RATE)) / RATE
    return 0.3 * torch.sin(2 * math.pi * frequency * t + phase).view(1, 1, -1)


@pytest.mark.parametrize("name", RECONSTRUCTION)
def test_equal_clips_cost_nothing_and_pull_nowhere(name, speech):
    x = speech[..., :6000].clone().requires_grad_()
    loss = RECONSTRUCTION[name](x, speech[..., :6000])
    loss.backward()
    assert loss == 0
    assert torch.isfinite(x.grad).all() and x.grad.abs().max() == 0


@pytest.mark.parametrize("name", RECONSTRUCTION)
def test_gradients_are_finite_in_silence(name):
    """Roots and logarithms have poles at zero, and clips begin with digital silence."""
    for target in (torch.zeros(2, 1, 3000), torch.randn(2, 1, 3000)):
        x = torch.zeros(2, 1, 3000, requires_grad=True)
        RECONSTRUCTION[name](x, target).backward()
        assert torch.isfinite(x.grad).all()


@pytest.mark.parametrize("name", RECONSTRUCTION)
def test_descent_finds_the_level(name):
    torch.manual_seed(1)
    target = 0.2 * torch.randn(1, 1, 2400)
    gain = torch.tensor(0.3, requires_grad=True)
    optimizer = torch.optim.Adam([gain], 0.05)
    for _ in range(40):
        optimizer.zero_grad()
        RECONSTRUCTION[name](gain * target, target).backward()
        optimizer.step()
    assert abs(gain.item() - 1) < 0.1


@pytest.mark.parametrize("name", RECONSTRUCTION)
def test_no_gradient_goes_to_a_fixed_target_unasked(name):
    x, target = torch.randn(1, 1, 2400, requires_grad=True), torch.randn(1, 1, 2400)
    assert RECONSTRUCTION[name](x, target).requires_grad
    assert not RECONSTRUCTION[name](x.detach(), target).requires_grad


def test_time_loss_is_the_mean_absolute_difference():
    x, y = torch.randn(3, 2, 100), torch.randn(3, 2, 100)
    assert abs(float(time_loss(x, y)) - (x - y).abs().mean()) < 1e-6


def test_mel_loss_is_the_formula_written_out():
    """Once more in loops: per window, mean |d| plus mean over frames of the bands' RMS."""
    x, y = torch.randn(2, 1, 4000), torch.randn(2, 1, 4000)
    total = 0.0
    for n_fft in MEL_WINDOWS:
        a, b = (mel_spectrogram(clip, RATE, n_fft).double() for clip in (x, y))
        filled = mel_filters(RATE, n_fft).any(dim=1)
        d = (a - b)[..., filled, :]
        total += float(d.abs().mean() + d.pow(2).mean(-2).sqrt().mean())
    assert float(mel_loss(x, y, RATE)) == pytest.approx(total / 14, rel=1e-5)


def test_mel_loss_with_audiocrafts_second_term():
    x, y = torch.randn(1, 1, 4000), torch.randn(1, 1, 4000)
    a, b = (mel_spectrogram(clip, RATE, 2048) for clip in (x, y))  # no filter is empty here
    logs = a.clamp(min=1e-5).log10() - b.clamp(min=1e-5).log10()
    expected = float((a - b).abs().mean() + logs.pow(2).mean()) / 2
    loss = mel_loss(x, y, RATE, windows=(2048,), log_squares=True)
    assert float(loss) == pytest.approx(expected, rel=1e-5)


def test_every_window_counts():
    x, y = torch.randn(1, 1, 4000), torch.randn(1, 1, 4000)
    alone = [float(mel_loss(x, y, RATE, windows=(n,))) for n in MEL_WINDOWS]
    assert float(mel_loss(x, y, RATE)) == pytest.approx(sum(alone) / 7, rel=1e-5)
    # Also the shortest, of whose 64 filters most are empty, and would water the mean down.
    assert (mel_filters(RATE, 32).sum(1) == 0).sum() > 32
    assert min(alone) > 0.1 * max(alone)


def test_half_a_period_is_all_to_time_and_nothing_to_mel():
    x, inverted, other = sine(440), sine(440, math.pi), sine(660)
    assert float(time_loss(inverted, x)) == pytest.approx(2 * float(time_loss(0 * x, x)), rel=1e-4)
    assert mel_loss(inverted, x, RATE) < 0.02 * mel_loss(0 * x, x, RATE)
    assert log_mel_loss(inverted, x, RATE) < 0.1 * log_mel_loss(other, x, RATE)
    assert time_loss(other, x) < time_loss(inverted, x)


def test_a_time_loss_alone_falls_silent_where_phase_is_unknown():
    """One gain for copies whose phase is a coin flip: time says 0, log mel says 1."""
    phases = torch.linspace(0, 2 * math.pi, 13)[:-1]
    target = torch.cat([sine(2000, p) for p in phases])
    guess = sine(2000).expand_as(target)

    def best(loss):
        gains = torch.linspace(0, 1.2, 13)
        costs = torch.stack([loss(g * guess, target) for g in gains])
        return float(gains[costs.argmin()])

    assert best(time_loss) < 0.15
    assert best(RECONSTRUCTION["log mel"]) == pytest.approx(1, abs=0.11)


def test_magnitudes_of_noise_ask_for_less_than_its_level_and_logarithms_for_all_of_it():
    """Two independent noises: which gain on one is the best guess of the other?"""
    guess, target = torch.randn(1, 1, 24000), torch.randn(1, 1, 24000)
    gains = torch.linspace(0.8, 1.1, 13)
    best = {
        name: float(gains[torch.stack([loss(g * guess, target) for g in gains]).argmin()])
        for name, loss in RECONSTRUCTION.items()
    }
    print(f"\nbest gain for a noise by another: {best}")
    assert best["time"] < 0.81 and best["mel"] < 0.99 < best["log mel"] < 1.05


@pytest.mark.parametrize("name", ["band", "long term", "relative time"])
def test_relative_losses_do_not_care_how_loud_the_pair_is(name, speech):
    x = speech[..., :6000]
    y = x + 0.05 * torch.randn(x.shape, generator=torch.Generator().manual_seed(0))
    loud, quiet = RECONSTRUCTION[name](y, x), RECONSTRUCTION[name](0.1 * y, 0.1 * x)
    assert loud > 0.05 and quiet == pytest.approx(float(loud), rel=1e-3)


def test_log_mel_does_not_care_how_loud_the_pair_is():
    x, y = sine(440), sine(440) + 0.1 * sine(3000)
    assert float(log_mel_loss(y, x, RATE)) == pytest.approx(
        float(log_mel_loss(0.1 * y, 0.1 * x, RATE)), rel=1e-4
    )
    assert mel_loss(0.1 * y, 0.1 * x, RATE) < 0.2 * mel_loss(y, x, RATE)


def test_log_mel_hears_what_is_quiet():
    """A hiss 40 dB below a tone goes missing: next to nothing in magnitudes, much in logarithms."""
    tone = sine(440)
    x = tone + 0.002 * torch.randn(tone.shape)
    ratio = {n: float(RECONSTRUCTION[n](tone, x) / RECONSTRUCTION[n](0 * x, x))
             for n in ("mel", "log mel")}  # fmt: skip
    assert ratio["mel"] < 0.2 and ratio["log mel"] > 0.3


@pytest.mark.parametrize("name", RECONSTRUCTION)
@pytest.mark.parametrize(
    "shapes", [((1, 1, 9), (1, 1, 8)), ((1, 9), (1, 9)), ((1, 1, 0), (1, 1, 0))]
)
def test_wrong_clips(name, shapes):
    with pytest.raises(ValueError, match=r"two clips \[B, C, T\] of one shape and not empty"):
        RECONSTRUCTION[name](*(torch.zeros(shape) for shape in shapes))


@pytest.mark.parametrize("name", RECONSTRUCTION)
def test_clips_of_one_sample(name):
    assert torch.isfinite(RECONSTRUCTION[name](torch.zeros(1, 1, 1), torch.ones(1, 1, 1)))


@pytest.mark.parametrize("name", RECONSTRUCTION)
def test_nan_is_not_hidden(name):
    x = torch.zeros(1, 1, 3000)
    broken = x.clone()
    broken[..., 1500] = math.nan
    assert RECONSTRUCTION[name](broken, x).isnan()


def test_hinge_by_hand():
    real = [torch.tensor([2.0, 0.0]), torch.tensor([[-1.0]])]
    fake = [torch.tensor([-2.0, 0.5]), torch.tensor([[3.0]])]
    # scale 1: (0 + 1) / 2 + (0 + 1.5) / 2 = 1.25; scale 2: 2 + 4 = 6
    assert float(discriminator_loss(real, fake)) == pytest.approx(3.625)
    # scale 1: (3 + 0.5) / 2 = 1.75; scale 2: 0
    assert float(generator_loss(fake)) == pytest.approx(0.875)
    assert float(generator_loss(fake, linear=True)) == pytest.approx((0.75 - 3) / 2)
    assert float(discriminator_loss([torch.zeros(5)], [torch.zeros(5)])) == 2


def test_a_satisfied_hinge_stops_and_the_linear_loss_does_not():
    for linear, gradient in ((False, [0.0, -0.5]), (True, [-0.5, -0.5])):
        logits = torch.tensor([1.5, 0.0], requires_grad=True)
        generator_loss([logits], linear).backward()
        assert logits.grad.tolist() == gradient


def test_scales_of_any_size_count_alike():
    small, large = torch.tensor([0.0]), torch.zeros(10_000)
    assert float(generator_loss([small, large + 1])) == pytest.approx(0.5)


def test_feature_matching_is_relative():
    real, fake = torch.randn(4, 7), torch.randn(4, 7)
    expected = float((real - fake).abs().mean() / real.abs().mean())
    assert float(feature_matching_loss([[real]], [[fake]])) == pytest.approx(expected, rel=1e-5)
    loud = feature_matching_loss([[100 * real]], [[100 * fake]])
    assert float(loud) == pytest.approx(expected, rel=1e-5)
    plain = [feature_matching_loss([[k * real]], [[k * fake]], relative=False) for k in (1, 100)]
    assert float(plain[1] / plain[0]) == pytest.approx(100, rel=1e-4)
    both = feature_matching_loss([[real, 100 * real], [real]], [[fake, 100 * real], [fake]])
    assert float(both) == pytest.approx(2 / 3 * expected, rel=1e-5)


def test_feature_matching_leaves_the_real_side_alone():
    real = torch.randn(3, requires_grad=True)
    fake = torch.randn(3, requires_grad=True)
    feature_matching_loss([[real]], [[fake]]).backward()
    assert real.grad is None and fake.grad.abs().sum() > 0


def test_feature_maps_of_silence():
    fake = torch.randn(3, requires_grad=True)
    feature_matching_loss([[torch.zeros(3)]], [[fake]]).backward()
    assert torch.isfinite(fake.grad).all()


def test_wrong_outputs_of_discriminators():
    a, b = torch.zeros(3), torch.zeros(4)
    with pytest.raises(ValueError, match="1 results for the real one and 2 for the fake"):
        discriminator_loss([a], [a, a])
    with pytest.raises(ValueError, match="0 results"):
        discriminator_loss([], [])
    with pytest.raises(ValueError, match="no logits"):
        generator_loss([])
    with pytest.raises(ValueError, match="seen both clips"):
        feature_matching_loss([[a]], [[a, a]])
    with pytest.raises(ValueError, match=r"one shape, but they are \[3\] and \[4\]"):
        feature_matching_loss([[a]], [[b]])
