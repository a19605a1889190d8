"""Behind chapter 01: the slips' own functions are right where nothing slips."""

import math

import torch

from minicodec.exercises import answers_01 as answers
from minicodec.sound import metrics, spectral

X = torch.randn(3000, generator=torch.Generator().manual_seed(0))


def test_there_are_so_many_levels():
    for bits in (1, 2, 5):
        levels = answers.quantize(torch.linspace(-2, 2, 4001), bits).unique()
        assert len(levels) == 2**bits and float(levels.abs().max()) < 1


def test_a_sine_has_the_ratio_of_the_formula():
    sine = torch.sin(torch.arange(24000) * 0.1153)
    found = float(answers.snr(answers.quantize(sine, 8), sine))
    assert abs(found - (6.02 * 8 + 1.76)) < 0.3


def test_picture_triangles_and_ratio_are_the_packages():
    assert torch.allclose(answers.picture(X, 128, 32), spectral.stft(X, 128, 32), atol=1e-5)
    mine = answers.triangles(24000, 1024, 40).clamp(min=0)
    assert torch.allclose(mine, spectral.mel_filters(24000, 1024, 40), atol=1e-3)
    copy, clip = answers.copy_and_original(torch.Generator().manual_seed(0))
    assert math.isclose(
        float(answers.si_sdr(copy, clip)), float(metrics.si_sdr(copy, clip)), abs_tol=1e-3
    )


def test_what_is_compressed_comes_back_and_rounds_finer_where_it_is_soft():
    x = torch.linspace(-1, 1, 101)
    assert torch.allclose(answers.expand(answers.compress(x)), x, atol=1e-5)
    soft = 0.02 * torch.tanh(X)
    error = (answers.mu_law(soft, 6) - soft).norm() / (answers.quantize(soft, 6) - soft).norm()
    assert error < 0.2


def test_one_window_of_the_packages_mel_distance():
    assert float(answers.mel_distance(X, X)) == 0
    ours, theirs = (spectral.decibel(answers.magnitudes(x)) for x in (X, 2 * X))
    assert math.isclose(float(answers.mel_distance(2 * X, X)), float((theirs - ours).mean()))


def test_one_number_is_a_number_and_all_else_stays():
    assert answers.as_number(lambda: torch.tensor([2.0])) == 2.0
    assert answers.as_number(lambda: "junk") == "junk"
    assert answers.as_number(lambda: torch.zeros(3)).shape == (3,)


def test_what_is_wrong_differs_from_what_is_right():
    given = answers.samples_and_bits(torch.Generator().manual_seed(0))
    right = answers.quantize(*given)
    for slip in (answers.toward_zero, answers.clamped_last):
        assert not torch.allclose(slip(*given), right)
    filters = spectral.mel_filters(24000, 1024, 40)
    assert torch.allclose(answers.summing_to_one(24000, 1024, 40).sum(1), torch.ones(40))
    bent = answers.straight_in_mels(24000, 1024, 40)
    assert torch.equal(bent > 1e-3, (filters > 1e-3) & (bent > 1e-3)), "the corners are the same"
    assert (bent - filters).abs().max() > 0.005
    x, bits = answers.soft_samples_and_bits(torch.Generator().manual_seed(0))
    back = answers.lost_way(x, bits, lambda y: 256**y - 1)
    assert torch.allclose(back, answers.mu_law(x, bits))
