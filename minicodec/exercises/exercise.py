"""Support: what an exercise is, and where those of a chapter are found."""

import difflib
import importlib
import pkgutil
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from torch import Generator


@dataclass(frozen=True)
class Mistake:
    """A wrong answer that students give, and what to tell who gives it.

    Args:
        hint: one sentence that names the mistake and does not give the answer away.
        answer: the wrong answer itself, of the same kind as the right one.
    """

    hint: str
    answer: Any


@dataclass(frozen=True)
class Exercise:
    """One question, its right answer, and the wrong ones that are known.

    An answer is a function (or a class), tried on random `inputs`, or a plain value: a number, a
    word, a tuple of them.

    Args:
        name: chapter and name, as in "05.nearest_code".
        task: what is to be done, in one sentence; it stands in the gap of the student edition.
        answer: the right answer; for a function the package's own, wherever there is one.
        mistakes: at least three known wrong answers.
        minutes: for a student.
        kind: on paper, in code, or by ear.
        core: whether later exercises or a 50-minute lesson need it.
        points: what it counts when it is graded.
        inputs: makes the arguments of one trial; it draws them from the generator alone.
        use: how an answer is tried, if it is not just called: it gets the answer and the inputs.
        judge: where many answers are right: it gets the answer and the inputs, and gives one
            sentence, or "".
        tolerance: allowed difference, as a share of the right answer's largest number.
        remark: one sentence for those who have solved it.
        told: makes such a sentence of the right answer, where it depends on it.

    Raises:
        ValueError: if the parts do not fit together.
    """

    name: str
    task: str
    answer: Any
    mistakes: tuple[Mistake, ...]
    minutes: int = 5
    kind: Literal["paper", "code", "ear"] = "code"
    core: bool = True
    points: int = 1
    inputs: Callable[[Generator], tuple[Any, ...]] | None = None
    use: Callable[..., Any] | None = None
    judge: Callable[..., str] | None = None
    tolerance: float = 1e-4
    remark: str = ""
    told: Callable[[Any], str] | None = None

    def __post_init__(self) -> None:
        if not re.fullmatch(r"\d\d[a-z]?\.[a-z][a-z0-9_]*", self.name):
            raise ValueError(f"{self.name!r} is no name of an exercise, such as '05.nearest_code'.")
        if callable(self.answer) and self.inputs is None:
            raise ValueError(f"{self.name}: an answer that is called needs inputs.")
        if len({mistake.hint for mistake in self.mistakes}) < 3:
            raise ValueError(f"{self.name}: at least three known mistakes, each with its hint.")

    @property
    def chapter(self) -> str:
        return self.name.partition(".")[0]

    @property
    def called(self) -> bool:
        """Whether the answer is a function or a class."""
        return callable(self.answer)


def of_chapter(chapter: str) -> tuple[Exercise, ...]:
    """The exercises of one chapter, in its order.

    Raises:
        ValueError: if there is no such chapter.
    """
    if chapter not in chapters():
        raise ValueError(f"there is no chapter {chapter!r}; there are {', '.join(chapters())}.")
    module = importlib.import_module(f"minicodec.exercises.chapter_{chapter}")
    exercises: tuple[Exercise, ...] = module.EXERCISES
    return exercises


def chapters() -> list[str]:
    """Numbers of the chapters that have exercises."""
    package = importlib.import_module("minicodec.exercises")
    names = (module.name for module in pkgutil.iter_modules(package.__path__))
    return sorted(name[8:] for name in names if name.startswith("chapter_"))


def find(name: str) -> Exercise:
    """The exercise of a name.

    Raises:
        ValueError: if there is none; the sentence offers the nearest names.
    """
    if not isinstance(name, str):
        raise ValueError(f"an exercise has a name such as '05.nearest_code', not {name!r}.")
    chapter = name.partition(".")[0]
    here = of_chapter(chapter) if chapter in chapters() else ()
    for exercise in here:
        if exercise.name == name:
            return exercise
    near = difflib.get_close_matches(name, [e.name for e in here], n=3, cutoff=0.3)
    if not here:
        raise ValueError(f"there is no exercise {name!r}; chapters: {', '.join(chapters())}.")
    others = ", ".join(near or [e.name for e in here])
    raise ValueError(f"there is no exercise {name!r}; there is {others}.")
