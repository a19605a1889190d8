"""One of three bursts holds a tone; who hears it says where, and is told from which notch on."""

import pytest
import torch

from minicodec.exercises import hearing
from minicodec.exercises.hearing import SURE, WIDTHS, judge, one_of_three, place, told


def test_the_tone_is_in_the_burst_of_its_width_and_nowhere_else():
    for width in WIDTHS:
        whole = one_of_three(width, [torch.zeros(5)] * 3, torch.ones(5), pause=2)
        bursts = whole.view(3, 7)
        assert bursts[:, 5:].sum() == 0
        assert bursts.sum(1).tolist() == [5.0 if place(width) == n else 0 for n in (1, 2, 3)]


def test_places_differ_so_that_one_number_for_all_is_wrong():
    assert len({place(width) for width in SURE}) == 2
    for one in (1, 2, 3):
        assert judge((one,) * len(WIDTHS)) != ""


def test_who_is_right_where_it_is_sure_may_guess_elsewhere():
    sure = tuple(place(width) for width in SURE)
    for guess in (0, 1, 2, 3):
        assert judge((guess,) * 4 + sure) == ""
    assert "notch of 1,600 Hz on" in told((0, 0, 0, 0, *sure))
    assert "notch of 800 Hz on" in told((0, 0, 0, place(800), *sure))
    assert "notch of 0 Hz on" in told(tuple(map(place, WIDTHS)))


@pytest.mark.parametrize(
    "answer", [None, "x", 3, (1, 2), (1,) * 7, [1.0] * 6, [True] * 6, (4,) * 6]
)
def test_what_is_no_answer_gets_a_sentence(answer):
    assert judge(answer).endswith(".")


def test_bursts_and_tone_have_one_length():
    with pytest.raises(ValueError, match="three bursts"):
        one_of_three(0, [torch.zeros(3)] * 2, torch.ones(3))
    with pytest.raises(ValueError, match="three bursts"):
        one_of_three(0, [torch.zeros(3)] * 3, torch.ones(4))


def test_it_is_the_widest_notches_that_are_sure():
    assert set(SURE) < set(hearing.WIDTHS) and SURE[-1] == WIDTHS[-1]
