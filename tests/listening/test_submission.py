"""One file of a class's test: whole, or refused with its name."""

import pytest
from simulated_class import RATED, TOLD, listener

from minicodec.listening.submission import submission


def test_a_whole_file():
    read = submission("a.csv", listener(1))
    assert (read.listener, read.kit, read.heard) == ("listener-01", "0123abcd", 6)
    assert read.headphones
    assert len(read.ratings[RATED]) == 10 and len(read.trials[TOLD]) == 12


def test_the_last_try_counts():
    rows = listener(1, heard=1)
    second = [r | {"item": "try 2"} for r in listener(1, heard=5) if r["part"] == "headphones"]
    assert submission("a.csv", rows).heard == 1
    assert submission("a.csv", rows[:7] + second + rows[7:]).heard == 5


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda rows: [], "a.csv is not a file of a class's"),
        (lambda rows: [{"trial": 1}], "a.csv is not a file of a class's"),
        (lambda rows: rows[1:], "a.csv has no consent"),
        (lambda rows: [*rows, rows[1] | {"listener": "x"}], "one listener, and holds 2"),
        (lambda rows: [r | {"session": ""} for r in rows], "one session, and holds 0"),
        (lambda rows: [r | {"kit": None} for r in rows], "one kit, and holds 0"),
        (lambda rows: [r for r in rows if r["part"] != "headphones"], "no headphone check"),
        (lambda rows: rows[:3] + rows[4:], "does not have all 6 trials"),
        (lambda rows: [*rows, rows[1]], "does not have all 6 trials"),
    ],
)
def test_what_is_not_whole(change, words):
    with pytest.raises(ValueError, match=words):
        submission("a.csv", change(listener(1)))
