"""Right answers of chapter 07 do as the package does."""

import pytest
import torch

from minicodec.exercises import answers_07 as answers
from minicodec.sound.spectral import mel_filters
from minicodec.training.losses import MEL_WINDOWS, mel_loss, time_loss


@pytest.fixture
def generator():
    return torch.Generator().manual_seed(0)


@pytest.mark.parametrize("window", [512, 1024])
def test_one_window_without_empty_filters_is_the_packages_twice(generator, window):
    clips = answers.two_clips(generator)
    mine = answers.one_window(*clips, window, n_mels=16)
    package = mel_loss(*clips, answers.SAMPLE_RATE, windows=(window,), n_mels=16)
    assert float(mine) == pytest.approx(2 * float(package), rel=1e-5)


def test_all_windows_are_the_packages_written_out(generator):
    clips = answers.two_clips(generator)
    written = answers.over_windows(answers.both_terms, lambda n: 1 / (2 * n))(*clips, MEL_WINDOWS)
    package = answers.all_windows(*clips, MEL_WINDOWS)
    assert float(written) == pytest.approx(float(package), rel=1e-5)


def test_the_log_term_is_one_for_ten_times_the_magnitude():
    theirs = torch.rand(1, 1, 8, 5) + 0.1
    assert float(answers.log_term(10 * theirs, theirs)) == pytest.approx(1, rel=1e-5)
    assert float(answers.log_term(0 * theirs, 0 * theirs)) == 0


def test_the_best_gain_is_that_of_the_least_loss():
    x = torch.randn(1, 1, 100)
    assert answers.best_gain(time_loss, 4 * x, x, [0.0, 0.25, 0.5]) == 0.25


def test_the_log_term_has_a_gradient_where_nothing_differs():
    ours = torch.rand(1, 1, 8, 5, requires_grad=True)
    answers.log_term(ours, ours.detach()).backward()
    assert ours.grad.isfinite().all()


@pytest.mark.parametrize(("window", "bands"), [(32, 6), (64, 12), (128, 23), (256, 45)])
def test_one_band_more_would_be_empty(window, bands):
    assert answers.most_bands(window) == bands
    for n_mels in range(1, 2 * bands):
        filled = mel_filters(answers.SAMPLE_RATE, window, n_mels).sum(1) > 0
        assert bool(filled.all()) == (n_mels <= bands)
