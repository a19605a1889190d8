"""What an exercise is made of, and how it is found."""

import pytest
import torch

from minicodec.exercises.exercise import Exercise, Mistake, chapters, find, of_chapter

MISTAKES = tuple(Mistake(f"No, not {n}.", float(n)) for n in (1, 2, 3))


def test_an_exercise_is_found_by_its_name():
    exercise = find("05.nearest_code")
    assert exercise.chapter == "05" and exercise.called
    assert exercise in of_chapter("05")
    assert chapters() == sorted(chapters())


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("05.nearest", "there is no exercise '05.nearest'; there is 05.nearest_code"),
        ("99.nearest", "there is no exercise '99.nearest'; chapters: "),
        ("nearest", "there is no exercise 'nearest'; chapters: "),
        ("", "there is no exercise ''"),
        (5, "an exercise has a name such as '05.nearest_code', not 5"),
        (None, "an exercise has a name such as"),
    ],
)
def test_a_wrong_name_gets_a_sentence(name, said):
    with pytest.raises(ValueError) as error:
        find(name)
    assert said in str(error.value)


@pytest.mark.parametrize("chapter", ["5", "99", "05; import os", "", None])
def test_a_chapter_that_there_is_not(chapter):
    with pytest.raises(ValueError, match="there is no chapter"):
        of_chapter(chapter)


def test_parts_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="no name of an exercise"):
        Exercise("nearest", "Do it.", 1.0, MISTAKES)
    with pytest.raises(ValueError, match="needs inputs"):
        Exercise("05.x", "Do it.", torch.sin, MISTAKES)
    with pytest.raises(ValueError, match="at least three known mistakes"):
        Exercise("05.x", "Do it.", 1.0, MISTAKES[:2] * 2)
