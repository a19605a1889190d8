"""What chapter 14's answers compute, beside what is known of it."""

import math

import pytest
import torch

from minicodec.exercises import answers_14 as answers
from minicodec.listening import abx_p_value


def test_chances_are_those_of_the_package():
    for trials in (1, 12, 30):
        for right in range(trials + 1):
            assert math.isclose(answers.binomial(right, trials), abx_p_value(right, trials))
    assert answers.needed(12, 0.05) == 10 and answers.needed(4, 0.05) == 5
    assert answers.power(0.9, 4) == 0, "four trials cannot succeed"
    assert answers.power(1.0, 12) == 1


def test_an_interval_of_two_listeners_is_wide():
    low, high = answers.interval(torch.tensor([50.0, 60.0], dtype=torch.float64))
    assert math.isclose(high - 55, 12.706 * 5, rel_tol=1e-3) and math.isclose(55 - low, high - 55)


def test_holm_by_hand():
    ps = {"a": 0.04, "b": 0.01, "c": 0.03}
    assert answers.holm(ps) == {"b": True, "c": False, "a": False}
    assert answers.holm_without_an_end(ps) == {"b": True, "c": False, "a": True}
    assert not any(answers.holm_from_the_largest({**ps, "d": 0.9}).values())


def test_questions_tell_the_rules_apart():
    for seed in range(20):
        (ps,) = answers.questions(torch.Generator().manual_seed(seed))
        right = answers.holm(ps)
        assert sum(right.values()) == 2
        assert sum(p <= 0.05 / 6 for p in ps.values()) == 1
        assert sum(answers.holm_without_an_end(ps).values()) > 2


def test_a_larger_test_finds_more():
    torch.manual_seed(0)
    small, large = answers.found(8, 18.0), answers.found(16, 18.0)
    assert small + 0.2 < large
    assert answers.found_by_ratings(8, 18.0) > small + 0.04 > answers.found_by_gaps(8, 18.0)
    assert answers.found_by_one_sound(16, 18.0) < large / 2


def test_a_rating_table_is_read_and_judged():
    assert answers.mushra_judge(answers.mushra_table()) == ""
    assert "codec 60" in answers.mushra_told(answers.mushra_table())
    with pytest.raises(ValueError):
        answers.mushra_told("")
