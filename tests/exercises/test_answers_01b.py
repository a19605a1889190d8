"""Behind chapter 01b: transforms that come back, shares that add up, and a judge of noise."""

import torch
import torch.nn.functional as F

from minicodec.exercises import answers_01b as answers


def test_masking_spreads_upwards_and_is_whole_at_its_own_place():
    f = torch.tensor([700.0, 1000.0, 1430.0])
    below, there, above = answers.spread(f, torch.tensor(1000.0)).tolist()
    assert below < above < there and abs(there - 1) < 0.01


def test_a_bit_for_every_6_db():
    bits = answers.allocation(torch.tensor([1000.0, 4000.0]), torch.tensor(10.0))
    assert abs(float(bits.diff()) - 1) < 1e-6


def test_equal_powers_gain_nothing_and_unequal_ones_do():
    assert answers.coding_gain(torch.tensor([[1.0, -1.0], [-1.0, 1.0]])) == 0
    assert answers.coding_gain(torch.tensor([[10.0, 0.1], [-10.0, 0.1]])) > 15


def test_the_way_back_gives_the_sound_again():
    M, x = 8, torch.randn(50, generator=torch.Generator().manual_seed(0))
    fade = torch.sin(torch.pi * (torch.arange(2 * M) + 0.5) / (2 * M))
    frames = F.pad(x, (M, M + -len(x) % M)).unfold(0, 2 * M, M) * fade
    assert torch.allclose(answers.imdct(frames @ answers.cosines(M), M, 50), x, atol=1e-5)


def test_the_lowest_coefficients_lie_below_100_hz():
    assert answers.FIRST * 24000 / 2 / 512 < 100 < (answers.FIRST + 1) * 24000 / 2 / 512


def test_noise_is_judged_and_not_compared():
    q, amount = answers.rounded_numbers(torch.Generator().manual_seed(0))
    for seed in range(20):
        torch.manual_seed(seed)
        assert answers.judge_fill(answers.fill, q, amount) == ""

    for seed in range(300):  # a right answer meets no input by which it is wrong
        q, amount = answers.rounded_numbers(torch.Generator().manual_seed(seed))
        assert answers.judge_fill(answers.fill, q, amount) == "", seed

    def signs(q, amount):
        noise = amount * (2.0 * torch.randint(0, 2, q.shape) - 1)
        noise[:, : answers.FIRST] = 0
        return torch.where(q == 0, noise, q)

    assert answers.judge_fill(signs, q, amount) == "", "two values are noise, too"
    assert "lean to one side" in answers.judge_fill(
        lambda q, amount: torch.where(
            q == 0, F.pad(torch.rand(60, 36) * 1.4 - 0.4, (4, 0)) * amount, q
        ),
        q, amount,
    )  # fmt: skip
    assert "same shape" in answers.judge_fill(lambda q, amount: q[0], q, amount)
