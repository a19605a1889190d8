"""Sounds without names: all are there, and their order is fixed, hidden and not the given one."""

import pytest

from minicodec import exercises
from minicodec.exercises.blind import order, unlabelled

WORDS = ("plain", "chunks", "whole")


def test_all_are_there_and_the_order_tells_which():
    versions = {word: object() for word in WORDS}
    found = unlabelled("11.by_ear", versions)
    assert list(found) == ["x", "y", "z"]
    assert [versions[word] for word in order("11.by_ear", WORDS)] == list(found.values())


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
