"""Support: sounds without names, for exercises that only ears can solve.

A cell makes the sounds with their names, `unlabelled` takes these away, and the student writes down
which is which. The order follows from the exercise's name: the same today and tomorrow, on every
machine, and nowhere to be read in the notebook.
"""

import random
from collections.abc import Mapping, Sequence
from typing import TypeVar

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
    """The same sounds, named x, y, z, … in the order of `order`.

    Raises:
        ValueError: for less than two sounds, or more than six.

    >>> list(unlabelled("11.by_ear", {"plain": 1, "chunks": 2, "whole": 3}))
    ['x', 'y', 'z']
    """
    return {letter: versions[word] for letter, word in zip(_LETTERS, order(name, list(versions)))}
