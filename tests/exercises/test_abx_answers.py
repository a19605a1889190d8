"""A whole ABX test is an answer whatever came out; half a test, or two of them, is none."""

import pytest

from minicodec.exercises.abx_answers import judged, mistakes, table, told

JUDGE = judged(12)


@pytest.mark.parametrize("correct", [0, 6, 10, 12])
def test_every_result_of_a_whole_test_is_right(correct):
    assert JUDGE(table(correct, 12)) == ""


def test_the_p_is_told_and_what_it_says():
    assert told(table(10, 12)).startswith("10 of 12 correct, p = 0.019: guessing is a poor")
    assert told(table(9, 12)).startswith("9 of 12 correct, p = 0.073: guessing would explain it")


def test_what_is_not_one_whole_test():
    half, twice, mended, ratings, nowhere = (mistake.hint for mistake in mistakes(12))
    assert "has 9 trials, not 12" in half
    assert "its 24 rows" in twice
    assert "so correct is 0" in mended
    assert "looks like ratings" in ratings
    assert "no such file" in nowhere


@pytest.mark.parametrize("answer", [None, 3, "", "x", b"\xff", [], {}, object()])
def test_what_is_no_result_gets_a_sentence(answer):
    wrong = JUDGE(answer)
    assert wrong.startswith("That is not one whole test: ") and "\n" not in wrong
