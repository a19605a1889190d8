"""Support: compare an answer with the right one, and say what is wrong with it."""

import copy
import textwrap
from typing import Any

import torch
from torch import Generator, Tensor

from minicodec.exercises.comparing import difference
from minicodec.exercises.exercise import Exercise, find
from minicodec.exercises.kept import keep
from minicodec.exercises.limited import Endless, Failed, limited, said

#: Trials of an answer that is called, each on other input.
ROUNDS = 3


def check(name: str, answer: Any) -> None:
    """Print whether an answer is right, or one sentence that says what is wrong; keep the result.

    Whatever the answer does, nothing is raised, and the cells below run on.

    Args:
        name: of the exercise, as in "05.nearest_code".
        answer: what the exercise asks for: a function or class (not called), or a value.

    Raises:
        ValueError: if there is no exercise of that name.
    """
    exercise = find(name)
    wrong = mistake_of(exercise, answer)
    if not wrong:
        _say(f"✓ {name}: right. {_praise(exercise, answer)}")
    elif wrong == _OPEN:
        _say(f"… {name}: not written yet.")
        return  # to run a chapter is no try
    else:
        _say(f"✗ {name}: {wrong}")
    if trouble := keep(name, not wrong):
        _say(trouble)


def _say(sentence: str) -> None:
    """Print in lines that a narrow page shows whole."""
    print(textwrap.fill(sentence.rstrip(), 80, subsequent_indent="  ", break_long_words=False))


def grade(name: str, answer: Any) -> None:
    """As `check`, for a program that gives points.

    Raises:
        AssertionError: if the answer is not right; the message is the sentence of `check`.
        ValueError: if there is no exercise of that name.
    """
    wrong = mistake_of(find(name), answer)
    if wrong:
        raise AssertionError(f"{name}: {wrong}")
    print(f"✓ {name}: right.")


def reference(name: str) -> Any:
    """The right answer: later cells use it, whatever became of the exercise.

    Raises:
        ValueError: if there is no exercise of that name.
    """
    return find(name).answer


def mistake_of(exercise: Exercise, answer: Any, seed: int | None = None) -> str:
    """What is wrong with an answer, as one sentence; "" if nothing is.

    Chance in later cells goes on as if nothing had been drawn here, so that a chapter gives the
    same numbers whatever was tried.

    Args:
        seed: of the random input; without it, it is fresh each time.
    """
    with torch.random.fork_rng(devices=[]):
        return _mistake_of(exercise, answer, seed)


def _mistake_of(exercise: Exercise, answer: Any, seed: int | None) -> str:
    if answer is None or answer is Ellipsis:
        return _OPEN
    kind = "class" if isinstance(exercise.answer, type) else "function"
    if exercise.called != callable(answer):
        return (
            f"Expected a {kind}, got {type(answer).__name__}: give it without calling it."
            if exercise.called
            else "Expected a value, got a function: call it first."
        )
    generator = Generator()
    if seed is None:
        generator.seed()
    else:
        generator.manual_seed(seed)
    rounds = ROUNDS if exercise.called else 1
    inputs = [_inputs(exercise, generator) for _ in range(rounds)]
    try:
        wrong = next(filter(None, (_tried(exercise, answer, given) for given in inputs)), "")
    except Endless as error:
        return str(error)
    except Failed as error:
        if _is_gap(exercise, error.raised):
            return _OPEN
        wrong = str(error)
    if not wrong or exercise.judge:
        return wrong
    return _known(exercise, answer, inputs) or wrong


_OPEN = "It is not written yet."


def _is_gap(exercise: Exercise, raised: BaseException | None) -> bool:
    """Whether the student edition's or nbgrader's gap was raised; torch raises that kind, too."""
    return isinstance(raised, NotImplementedError) and str(raised) in ("", exercise.task)


def _inputs(exercise: Exercise, generator: Generator) -> tuple[Any, ...]:
    return exercise.inputs(generator) if exercise.inputs else ()


def _tried(exercise: Exercise, answer: Any, inputs: tuple[Any, ...]) -> str:
    """What is wrong on this input; "" if nothing is."""
    if exercise.judge:
        return limited(exercise.judge, answer, *copy.deepcopy(inputs))
    mine = _result(exercise, answer, inputs)
    return _difference(mine, _result(exercise, exercise.answer, inputs), exercise.tolerance)


def _difference(mine: Any, right: Any, tolerance: float) -> str:
    """As `difference`, of whatever a stranger gives: a tensor without values, an endless number.

    Raises:
        Failed: if they cannot be compared.
    """
    try:
        return difference(mine, right, tolerance)
    except Exception as error:
        raise Failed(f"What it gives cannot be compared: {said(error)}.", error) from error


def _result(exercise: Exercise, answer: Any, inputs: tuple[Any, ...]) -> Any:
    """What an answer gives.

    Raises:
        Failed: if it raises, never ends, or changes what it was given.
    """
    if not exercise.called:
        return answer
    given = copy.deepcopy(inputs)
    call = (exercise.use, answer, *given) if exercise.use else (answer, *given)
    result = limited(*call)
    for index, (now, before) in enumerate(zip(given, inputs)):
        if isinstance(before, Tensor) and not torch.equal(now.detach(), before.detach()):
            raise Failed(
                f"It changes argument {index + 1} in place; make a new tensor, or `clone` it first."
            )
    return result


def _known(exercise: Exercise, answer: Any, inputs: list[tuple[Any, ...]]) -> str:
    """The hint of the known mistake that gives the same on every input; "" if none does."""
    mine = [_outcome(exercise, answer, given) for given in inputs]
    for mistake in exercise.mistakes:
        theirs = (_outcome(exercise, mistake.answer, given) for given in inputs)
        if all(_same(a, b, exercise.tolerance) for a, b in zip(mine, theirs)):
            return mistake.hint
    return ""


def _outcome(exercise: Exercise, answer: Any, inputs: tuple[Any, ...]) -> Any:
    """What an answer gives, or how it fails."""
    try:
        return _result(exercise, answer, inputs)
    except Failed as error:
        return error


def _same(mine: Any, theirs: Any, tolerance: float) -> bool:
    if isinstance(mine, Failed) or isinstance(theirs, Failed):
        # Where it happened is no part of what happened.
        first, second = (str(outcome).partition(", at line")[0] for outcome in (mine, theirs))
        return type(mine) is type(theirs) and first.rstrip(".") == second.rstrip(".")
    try:
        return not _difference(mine, theirs, tolerance)
    except Failed:
        return False


def _praise(exercise: Exercise, answer: Any) -> str:
    if exercise.told:
        return exercise.told(answer)
    if exercise.remark:
        return exercise.remark
    return f"It agrees on {ROUNDS} random inputs." if exercise.called else ""
