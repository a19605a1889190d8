"""Tables that guess labels from codes, and the bits that codes say."""

import math

import pytest
import torch

from minicodec.generation.probing import excess, fit_table, guess, information, windows


def test_a_code_that_says_the_label_is_read():
    labels = torch.randint(5, (400,))
    table = fit_table(9 - labels, labels, 10, 5)
    assert torch.equal(guess(9 - labels[:, None], table), labels)
    assert information(9 - labels, labels, 10, 5) == pytest.approx(math.log2(5), abs=0.03)


def test_the_guess_is_the_label_that_came_most_often_with_the_code():
    codes = torch.tensor([0, 0, 0, 1, 1, 1])
    labels = torch.tensor([2, 2, 0, 1, 1, 2])
    table = fit_table(codes, labels, 3, 3)
    assert guess(torch.tensor([[0], [1]]), table).tolist() == [2, 1]
    assert table.exp().sum() == pytest.approx(1)
    assert table.isfinite().all(), "what never came is impossible"


def test_more_frames_say_more():
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(4).repeat_interleave(500)
    noisy = torch.where(
        torch.rand(2000, generator=generator) < 0.3,
        labels,
        torch.randint(4, (2000,), generator=generator),
    )
    table = fit_table(noisy, labels, 4, 4)
    shares = [(guess(windows(noisy, n), table) == labels[::n]).float().mean() for n in (1, 5, 25)]
    assert shares[0] < 0.6 < shares[1] < shares[2] and shares[2] > 0.9


def test_codes_that_say_nothing_say_about_no_bits():
    generator = torch.Generator().manual_seed(0)
    codes = torch.randint(64, (3000,), generator=generator)
    labels = torch.randint(8, (3000,), generator=generator)
    found = information(codes, labels, 64, 8)
    assert found > 0.08
    assert abs(found - excess(codes, labels, 64, 8)) < 0.02


def test_windows_leave_the_rest_out():
    assert windows(torch.arange(7), 3).tolist() == [[0, 1, 2], [3, 4, 5]]


def test_frames_without_labels():
    for codes, labels in ((torch.zeros(3), torch.zeros(2)), (torch.zeros(0), torch.zeros(0))):
        for ask in (fit_table, information, excess):
            with pytest.raises(ValueError, match="as many codes as labels"):
                ask(codes.long(), labels.long(), 2, 2)


@pytest.mark.parametrize(
    ("codes", "labels", "said"),
    [
        ([0, 1], [0, 2], "labels of this table lie in 0 to 1, but these lie in 0 to 2"),
        ([0, 0], [0, -1], "labels of this table"),
        ([0, 2], [0, 1], "codes of this table lie in 0 to 1"),
        ([-1, 1], [1, 1], "codes of this table"),
    ],
)
def test_numbers_beyond_the_table(codes, labels, said):
    for ask in (fit_table, information, excess):
        with pytest.raises(ValueError, match=said):
            ask(torch.tensor(codes), torch.tensor(labels), 2, 2)
