"""Sounds without names: all are there, and their order is fixed, hidden and not the given one."""

import json
import re
from pathlib import Path

import pytest

from minicodec import exercises
from minicodec.exercises.blind import mistaken, order, unlabelled

WORDS = ("plain", "chunks", "whole")


def test_all_are_there_in_the_order_of_the_right_answer():
    name = "04.forgetting_by_ear"
    right = exercises.reference(name)
    versions = {word: object() for word in right}
    for given in (versions, dict(reversed(versions.items()))):
        found = unlabelled(name, given)
        assert list(found) == ["x", "y", "z"]
        assert [versions[word] for word in right] == list(found.values())


def test_sounds_that_an_exercise_does_not_ask_about_are_refused():
    with pytest.raises(ValueError, match="does not ask which sound is which of"):
        unlabelled("04.forgetting_by_ear", {"nothing": 1, "encoder": 2, "both": 3})
    with pytest.raises(ValueError, match="does not ask which sound is which of"):
        unlabelled("02.view", {"one": 1, "two": 2})
    with pytest.raises(ValueError, match="there is no exercise"):
        unlabelled("04.nothing_such", {"nothing": 1, "encoder": 2})


def test_the_order_is_the_same_each_time_and_depends_on_the_name():
    assert order("11.by_ear", WORDS) == order("11.by_ear", list(WORDS))
    assert len({order(f"11.{letter}", WORDS) for letter in "abcdefghijklmnop"}) == 5


@pytest.mark.parametrize("count", range(2, 7))
def test_the_order_is_never_the_given_one(count):
    words = [str(n) for n in range(count)]
    for number in range(50):
        drawn = order(f"11.{number}", words)
        assert sorted(drawn) == words and list(drawn) != words


@pytest.mark.parametrize("words", [[], ["one"], ["a", "a"], list("abcdefg")])
def test_other_words_are_refused(words):
    with pytest.raises(ValueError, match="two to six different words"):
        order("11.by_ear", words)


def test_chapters_find_it_in_the_room():
    assert exercises.unlabelled is unlabelled


CHAPTERS = sorted((Path(__file__).parents[2] / "chapters").glob("*.ipynb"))


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_a_page_says_the_words_that_its_check_wants(path):
    """From the task to the gap; how the words are put in order stands on no page."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    page = re.sub(
        "(?s)### BEGIN SOLUTION.*?### END SOLUTION",
        "",
        "\n".join("".join(cell["source"]) for cell in cells),
    )
    for name in re.findall(r'exercises\.unlabelled\(\s*"([^"]+)"', page):
        before, _, after = page.partition(f'unlabelled("{name}"')
        task = before.rpartition("### Exercise ")[2] + after.partition("exercises.check(")[0]
        words = {part for word in exercises.reference(name) for part in word.split()}
        assert words and all(re.search(rf"\b{re.escape(word)}\b", task) for word in words), task


PAIRS = {("a", "b"): "A or b?", ("c", "b"): "B or c?", ("c", "a"): "A or c?"}


def test_every_wrong_order_has_its_hint():
    found = {m.answer: m.hint for m in mistaken("abc", PAIRS, ("Listen.", "Again."))}
    assert found == {
        ("b", "a", "c"): "A or b?",
        ("a", "c", "b"): "B or c?",
        ("c", "b", "a"): "A or c?",
        ("b", "c", "a"): "Listen.",
        ("c", "a", "b"): "Again.",
    }


@pytest.mark.parametrize(
    ("words", "pairs"),
    [("abc", {}), ("ab", PAIRS), ("aab", PAIRS), ("abx", PAIRS), ("abcd", PAIRS)],
)
def test_other_than_three_words_and_their_pairs_are_refused(words, pairs):
    with pytest.raises(ValueError, match="three words, with a hint for each of their pairs"):
        mistaken(words, pairs, ("Listen.", "Again."))
