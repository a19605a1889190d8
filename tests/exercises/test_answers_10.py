"""Right answers of chapter 10 do as the package does, and draw no random numbers of the chapter."""

import pytest
import torch

from minicodec.exercises import answers_10 as answers
from minicodec.model.codec import Codec
from minicodec.model.quantize import Codebook
from minicodec.training.config import TrainConfig


@pytest.fixture
def generator():
    return torch.Generator().manual_seed(0)


def test_a_mixture_is_made_quieter_only_where_it_would_clip(generator):
    sounds, (quiet, loud) = answers.quiet_and_loud(generator)
    soft = answers.mix(sounds, quiet)
    assert torch.allclose(soft, sum(s * 10 ** (g / 20) for s, g in zip(sounds, quiet)))
    assert soft.abs().max() < 0.9 and answers.mix(sounds, loud).abs().max() == 1


def test_a_pass_written_out_is_the_codecs():
    codec, x = Codec(answers.TINY).eval(), torch.randn(2, 1, 417)
    for bandwidth in (None, 0.8, 3.2):
        written = answers.forward_with()(codec, x, bandwidth)
        for mine, theirs in zip(written, answers.forward(codec, x, bandwidth), strict=True):
            assert torch.allclose(mine, theirs, atol=1e-6)
        assert written[0].shape == x.shape


def test_the_start_leaves_less_at_each_level(generator):
    _, latents = answers.seed_and_latents(generator)
    books = [Codebook(6, 4) for _ in range(3)]
    left = answers.start(books, latents)
    assert len(left) == 4 and all(a > b for a, b in zip(left, left[1:]))
    assert all(bool(book.initialized) for book in books)


def test_the_rate_is_that_of_a_config():
    config = TrainConfig(steps=101, learning_rate=5e-3, final_rate=0.02)
    for step in (0, 30, 100, 200):
        assert answers.rate(step, 100) == pytest.approx(config.rate(step))
        assert answers.rate_with(answers.half_cosine)(step, 100, 5e-3, 1e-4) == pytest.approx(
            config.rate(step)
        )


def test_checks_draw_nothing_from_the_chapters_random_numbers(generator):
    before = torch.random.get_rng_state()
    answers.passed(answers.forward, *answers.seed_and_clips(generator))
    answers.started(answers.start, *answers.seed_and_latents(generator))
    assert torch.equal(before, torch.random.get_rng_state())
