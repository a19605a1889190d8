"""Right answers of chapter 16 do as the package, and as the formulas."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from minicodec.exercises import answers_16 as answers
from minicodec.exercises.limited import Failed
from minicodec.listening.analysis import t_quantile
from minicodec.model.config import MINI_24KHZ
from minicodec.model.factorized import FactorizedCodebook
from minicodec.model.snake import Snake


@pytest.fixture
def generator():
    return torch.Generator().manual_seed(0)


def test_a_gain_is_the_mean_difference_with_students_interval(generator):
    one, other = answers.scores(generator)
    gains = other - one
    half = t_quantile(len(gains) - 1) * float(gains.std()) / math.sqrt(len(gains))
    mean = float(gains.mean())
    assert answers.gain(one, other) == pytest.approx((mean, mean - half, mean + half))
    assert answers.gain(other, one) == pytest.approx((-mean, -mean - half, half - mean))


def test_witnesses_differ_more_than_codecs(generator):
    one, other = answers.scores(generator)
    assert answers.apart_error(one, other) > 2 * answers.paired_error(one, other)


def test_snake_is_the_packages_layer_and_its_alpha_learns(generator):
    x, alpha, weights = answers.sound_and_alpha(generator)
    found = answers.bent(Snake, x, alpha, weights)
    wave = x + torch.sin(alpha * x).square() / alpha
    assert torch.allclose(found["value"], wave, atol=1e-5)
    assert float(found["gradient at alpha"].abs().min()) > 0


def test_a_layer_without_alpha_is_told(generator):
    with pytest.raises(Failed, match="alpha"):
        answers.bent(lambda channels: nn.ELU(), *answers.sound_and_alpha(generator))


def test_an_alpha_of_another_shape_is_told(generator):
    class Flat(nn.Module):
        def __init__(self, channels):
            super().__init__()
            self.alpha = nn.Parameter(torch.ones(channels))

    with pytest.raises(Failed, match="expected"):
        answers.bent(Flat, *answers.sound_and_alpha(generator))


def test_a_lookup_is_that_of_the_factorized_codebook():
    book = FactorizedCodebook(size=16, dim=8, code_dim=3)
    nn.init.zeros_(book.down.bias)
    z = torch.randn(50, 8)
    assert torch.equal(answers.lookup(z, book.down.weight, book.embedding), book.encode(z))


def test_lengths_do_not_matter(generator):
    z, down, embedding = answers.latents_and_directions(generator)
    cosine = F.normalize(z @ down.T) @ F.normalize(embedding).T
    assert torch.equal(answers.lookup(3 * z, down, 0.1 * embedding), cosine.argmax(1))


def test_the_share_is_that_of_many_draws(generator):
    level, n_q, p = answers.level_and_dropout(generator)
    draws = torch.rand(100_000, generator=generator) < p
    kept = torch.where(draws, torch.randint(1, n_q + 1, draws.shape, generator=generator), n_q)
    drawn = float((kept >= level).float().mean())
    assert answers.share(level, n_q, p) == pytest.approx(drawn, abs=0.01)


def test_the_price_is_that_of_the_config():
    for bandwidth in MINI_24KHZ.bandwidths:
        n_q = MINI_24KHZ.n_q(bandwidth)
        assert answers.price(75, n_q, 1024) == (75 * n_q, bandwidth)


def test_a_file_comes_back(generator):
    codes, samples, bits = answers.codes_to_store(generator)
    data = answers.to_file(codes, samples, bits)
    found, length = answers.from_file(data, bits, answers.HOP)
    assert torch.equal(found, codes) and length == samples
    assert len(data) == 5 + -(-codes.numel() * bits // 8)


def test_codes_of_a_codec_make_a_file_of_its_rate():
    codes = torch.zeros(8, 750, dtype=torch.int64)
    assert 8 * len(answers.to_file(codes, 240_000, 10)) / 10 == 6000 + 4  # bits per second


def test_a_file_of_whole_frames_is_read_too(generator):
    (files,) = answers.files_to_read(generator)
    read = answers.each_file(answers.from_file, files)
    rest = {name: samples % answers.HOP for name, (_, samples) in read.items()}
    assert rest["a file"] > 0 and rest["a file of whole frames"] == 0
    for codes, samples in read.values():
        assert codes.shape[1] == -(-samples // answers.HOP)


def test_who_drops_the_last_frame_is_wrong_where_it_is_not_whole(generator):
    (files,) = answers.files_to_read(generator)
    right = answers.each_file(answers.from_file, files)
    short = answers.each_file(answers.whole_frames, files)
    same = {name: torch.equal(right[name][0], short[name][0]) for name in files}
    assert same == {"a file": False, "a file of whole frames": True}


def test_deviations_over_n_are_smaller(generator):
    one, other = answers.scores(generator)
    n = len(one)
    ratio = answers.flat_error(one, other) / answers.paired_error(one, other)
    assert ratio == pytest.approx(math.sqrt((n - 1) / n))
    mean, down, up = answers.reach_alone(one, other)
    assert down == pytest.approx(-up) and mean == answers.gain(one, other)[0]
