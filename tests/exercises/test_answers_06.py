"""Right answers of chapter 06 do as the package does, and draw no random numbers of the chapter."""

import pytest
import torch

from minicodec.exercises import answers_06 as answers
from minicodec.model.config import ENCODEC_24KHZ, ENCODEC_48KHZ
from minicodec.model.quantize import ResidualVectorQuantizer, nearest


@pytest.fixture
def generator():
    return torch.Generator().manual_seed(0)


def test_codes_and_sums_are_those_of_the_quantizer():
    rvq = ResidualVectorQuantizer(dim=8, n_q=4, codebook_size=16).eval()
    books = [level.embedding for level in rvq.codebooks]
    z = torch.randn(1, 8, 50)
    codes = rvq.encode(z)
    assert torch.equal(answers.encode(z[0].T, books), codes[0])
    assert torch.equal(answers.decode(codes[0], books), rvq.decode(codes)[0].T)
    assert torch.equal(answers.commitment(z[0].T, books).mean(), rvq(z).commitment)


@pytest.mark.parametrize("config", [ENCODEC_24KHZ, ENCODEC_48KHZ])
def test_the_bit_rate_is_that_of_the_config(config):
    for bandwidth in config.bandwidths:
        n_q = config.n_q(bandwidth)
        paid = answers.kbps(n_q, config.codebook_size, config.frame_rate)
        assert paid == pytest.approx(bandwidth)


def test_books_are_learned_from_what_is_left(generator):
    x, n_q, size, fit = answers.points_and_fit(generator)
    books = answers.learned_books(x, n_q, size, fit)
    left = [x]
    for book in books:
        assert torch.equal(book, fit(left[-1], size))
        left.append(left[-1] - book[nearest(left[-1], book)])
    errors = [float(residual.pow(2).sum()) for residual in left]
    assert errors == sorted(errors, reverse=True)


def test_the_entropy_is_the_one_of_the_formula(generator):
    codes, size = answers.uneven_codes(generator)
    written = answers.entropies(lambda p: -(p[p > 0] * p[p > 0].log2()).sum())(codes, size)
    assert torch.allclose(answers.entropy(codes, size), written, atol=1e-5)
    even = torch.arange(8).repeat(1, 5)
    assert answers.entropy(even, 8).tolist() == pytest.approx([3])


def test_a_level_can_be_left_out(generator):
    codes, books, missing = answers.codes_books_and_level(generator)
    others = [b[c] for k, (b, c) in enumerate(zip(books, codes), 1) if k != missing]
    assert torch.allclose(answers.without_level(codes, books, missing), sum(others), atol=1e-5)


def test_the_gradient_of_the_commitment_comes_from_every_level(generator):
    z, books, weights = answers.latents_books_and_weights(generator)
    right = answers.pulled(answers.commitment, z, books, weights)
    official = answers.pulled(answers.committed(straight_through=True), z, books, weights)
    assert torch.allclose(right["value"], official["value"])
    residual, gradient = z, torch.zeros_like(z)
    for book, weight in zip(books, weights):
        residual = residual - book[nearest(residual, book)]
        gradient += weight * 2 * residual / z.numel()
    assert torch.allclose(right["gradient at z"], gradient, atol=1e-7)
    assert not torch.allclose(official["gradient at z"], gradient, atol=1e-4)


def test_losses_in_a_list_count_as_a_tensor(generator):
    z, books, weights = answers.latents_books_and_weights(generator)
    right = answers.pulled(answers.commitment, z, books, weights)
    listed = answers.pulled(lambda *given: [*answers.commitment(*given)], z, books, weights)
    assert all(torch.equal(right[key], listed[key]) for key in right)


def test_nothing_is_drawn_from_the_chapters_random_numbers(generator):
    before = torch.random.get_rng_state()
    answers.encode(*answers.latents_and_books(generator))
    answers.learned_books(*answers.points_and_fit(generator))
    assert torch.equal(before, torch.random.get_rng_state())
