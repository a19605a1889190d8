"""Chapter 14: answers that differ in little are told apart by numbers that can be computed."""

import pytest

from minicodec.exercises.checking import mistake_of
from minicodec.exercises.exercise import find


def test_a_test_with_another_number_of_trials_is_no_answer():
    from minicodec.exercises import abx_answers

    for trials in (1, 12, 15, 17):
        wrong = mistake_of(find("14.abx"), abx_answers.table(1, trials))
        assert f"{trials} trials, not 16" in wrong


def test_any_result_of_sixteen_trials_is_right_and_its_p_is_told(capsys, monkeypatch):
    from minicodec import exercises
    from minicodec.exercises import abx_answers

    monkeypatch.setenv("MINICODEC_PROGRESS", "")
    for right, said in ((16, "p < 0.001"), (8, "does not show that there is no difference")):
        exercises.check("14.abx", abx_answers.table(right, 16))
        assert said in capsys.readouterr().out.replace("\n  ", " ")


def test_editors_may_round_to_two_digits():
    exercise = find("14.editors")
    assert mistake_of(exercise, (0.18, 0.27)) == ""
    assert mistake_of(exercise, (0.2, 0.27)) != ""


def test_holm_may_give_its_answers_in_any_order():
    right = find("14.holm").answer
    backwards = lambda ps, level=0.05: dict(reversed(right(ps, level).items()))  # noqa: E731
    assert mistake_of(find("14.holm"), backwards, 0) == ""


@pytest.mark.parametrize("answer", ["", "mushra.csv", b"", "a,b\n1,2\n", 3, [], {}])
def test_no_table_of_ratings_gets_one_sentence(answer):
    wrong = mistake_of(find("14.mushra"), answer)
    assert wrong and "\n" not in wrong and "Traceback" not in wrong
