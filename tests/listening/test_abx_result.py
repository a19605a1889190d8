"""An ABX result is read back whole, or refused in a sentence that says what is wrong."""

import json

import pytest

from minicodec.listening import abx_p_value, read_abx

HEAD = "session,trial,x,answer,correct,seconds\r\n"


def saved(answers: str, truth: str = "AABB") -> str:
    """What the page saves."""
    rows = [
        f"1,{i},{x},{answer},{int(x == answer)},3.5"
        for i, (x, answer) in enumerate(zip(truth, answers), 1)
    ]
    return HEAD + "".join(f"{row}\r\n" for row in rows)


def test_a_result_is_counted_from_its_trials(tmp_path):
    (tmp_path / "abx.csv").write_text(saved("AABA"))
    for given in (tmp_path / "abx.csv", str(tmp_path / "abx.csv"), saved("AABA"),
                  {"abx.csv": saved("AABA").encode()}):  # fmt: skip
        assert read_abx(given) == (3, 4, abx_p_value(3, 4))
    assert str(read_abx(saved("AABA"))) == "3 of 4 correct, p = 0.312"
    assert str(read_abx(saved("A" * 12, "A" * 12))) == "12 of 12 correct, p < 0.001"
    assert read_abx(saved("AABA"), trials=4).trials == 4


def test_the_json_of_the_page_is_read_too():
    rows = [
        {"session": 1, "trial": 1, "x": "A", "answer": "B", "correct": 0, "seconds": "3.5"},
        {"session": 1, "trial": 2, "x": "B", "answer": "B", "correct": 1, "seconds": "3.5"},
    ]
    assert read_abx(json.dumps({"test": "ABX", "trials": 2, "rows": rows})) == (1, 2, 0.75)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (None, "not a NoneType"),
        ("abx.csv", "abx.csv: no such file"),
        ([], "one table, and here are 0"),
        ([saved("AABB"), saved("AABB")], "one table, and here are 2"),
        (HEAD + "\n", "no such file|has no trial"),
        ("item,rating\na,5\n", "row 1: no trial, x, answer; it looks like ratings"),
        (HEAD + "1,1,A,,1,2\n", "row 1: no answer"),
        (HEAD + "1,1,A,X,1,2\n", "row 1: X and the answer are A or B, not 'A' and 'X'"),
        (HEAD + "1,1,A,B,1,2\n", "X was A and the answer B, so correct is 0, not 1"),
        (HEAD + "1,2,A,A,1,2\n", "its 1 rows should be trials 1 to 1"),
        (saved("AABB") + saved("AABB").replace(HEAD, ""), "rows should be trials 1 to 8"),
        (saved("AABB") + saved("AABB"), "row 5: X and the answer are A or B"),
    ],
)
def test_anything_else_is_one_sentence(given, words):
    with pytest.raises(ValueError, match=words) as raised:
        read_abx(given)
    assert "\n" not in str(raised.value)


def test_a_test_that_was_stopped_where_it_looked_good_is_refused():
    with pytest.raises(ValueError, match="has 4 trials, not 12: their number is fixed"):
        read_abx(saved("AABB"), trials=12)
