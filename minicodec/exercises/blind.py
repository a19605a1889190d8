"""Support: sounds without names, for exercises that only ears can solve.

A cell makes the sounds with their names, `unlabelled` takes these away, and the student writes down
which is which. The order follows from the exercise's name: the same today and tomorrow, on every
machine, and nowhere to be read in the notebook.
"""

import random
from collections.abc import Mapping, Sequence
from typing import TypeVar

from minicodec.exercises.exercise import Mistake, find

_LETTERS = "xyzuvw"
_Thing = TypeVar("_Thing")


def order(name: str, words: Sequence[str]) -> tuple[str, ...]:
    """The words as they stand behind x, y, z, …; never in the order in which they were given.

    Args:
        name: of the exercise.
        words: two to six, no two alike.

    Raises:
        ValueError: for other words.

    >>> sorted(order("11.by_ear", ["plain", "chunks", "whole"]))
    ['chunks', 'plain', 'whole']
    """
    given = tuple(words)
    if not 2 <= len(set(given)) == len(given) <= len(_LETTERS):
        raise ValueError(f"two to six different words are put in order, not {list(given)}.")
    chance, drawn = random.Random(name), list(given)
    while tuple(drawn) == given:
        chance.shuffle(drawn)
    return tuple(drawn)


def unlabelled(name: str, versions: Mapping[str, _Thing]) -> dict[str, _Thing]:
    """The same sounds, named x, y, z, … in the order that `check` takes for right.

    Raises:
        ValueError: if there is no exercise of that name, or if it asks about other words.

    >>> list(unlabelled("04.forgetting_by_ear", {"nothing": 1, "encoder": 2, "decoder": 3}))
    ['x', 'y', 'z']
    """
    words = find(name).answer
    if not isinstance(words, tuple) or set(words) != set(versions):
        raise ValueError(f"{name} does not ask which sound is which of {list(versions)}.")
    return {letter: versions[word] for letter, word in zip(_LETTERS, words)}


def mistaken(
    right: Sequence[str], swapped: Mapping[tuple[str, str], str], rotated: tuple[str, str]
) -> tuple[Mistake, ...]:
    """The five wrong orders of three words, each with its hint.

    Args:
        right: the words as they stand behind x, y, z.
        swapped: for each of the three pairs, the hint where these two have changed places.
        rotated: the hints where no word is in its place, one for each way round.

    Raises:
        ValueError: if it is not three words and their three pairs.

    >>> hints = {("a", "b"): "A or b?", ("b", "c"): "B or c?", ("a", "c"): "A or c?"}
    >>> [mistake.answer for mistake in mistaken("abc", hints, ("Listen.", "Again."))][0]
    ('b', 'a', 'c')
    """
    x, y, z = right if len(set(right)) == len(right) == 3 else ("", "", "")
    pairs = {
        frozenset((x, y)): (y, x, z),
        frozenset((y, z)): (x, z, y),
        frozenset((x, z)): (z, y, x),
    }
    hints = {frozenset(pair): hint for pair, hint in swapped.items()}
    if not x or hints.keys() != pairs.keys():
        raise ValueError(
            f"{list(right)} are to be three words, with a hint for each of their pairs."
        )
    turned = ((y, z, x), (z, x, y))
    return (
        *(Mistake(hints[pair], answer) for pair, answer in pairs.items()),
        *(Mistake(hint, answer) for hint, answer in zip(rotated, turned)),
    )
