"""Support: an ABX test as an answer: finished and whole is right, and its p is told.

A test of one's own ears has no wrong result. What can be wrong is the test: broken off, taken
twice, another file.
"""

from collections.abc import Callable
from typing import Any

from minicodec.exercises.exercise import Mistake
from minicodec.listening.abx_result import read_abx

#: Where a guesser gets by less often, a difference is taken as heard.
LEVEL = 0.05


def judged(trials: int) -> Callable[[Any], str]:
    """A judge of results: "" for one whole test of so many trials, else what is wrong with it."""

    def judge(answer: Any) -> str:
        try:
            read_abx(answer, trials)
        except ValueError as error:
            return f"That is not one whole test: {error}"
        return ""

    return judge


def told(answer: Any) -> str:
    """The result, its p, and what that says."""
    result = read_abx(answer)
    if result.p <= LEVEL:
        return f"{result}: guessing is a poor explanation, so you most likely hear a difference."
    return f"{result}: guessing would explain it, which does not show that there is no difference."


def table(correct: int, trials: int) -> str:
    """Text of a result as the page gives it, the right answers first.

    >>> print(table(1, 2), end="")
    session,trial,x,answer,correct,seconds
    1,1,A,A,1,5.0
    1,2,B,A,0,5.0
    """
    rows = ["session,trial,x,answer,correct,seconds"]
    for trial in range(1, trials + 1):
        x, right = "AB"[(trial + 1) % 2], trial <= correct
        rows.append(f"1,{trial},{x},{x if right else 'BA'['AB'.index(x)]},{int(right)},5.0")
    return "\n".join(rows) + "\n"


def mistakes(trials: int) -> tuple[Mistake, ...]:
    """Results of which each is not one whole test: broken off, taken twice, mended, another one."""
    whole = table(trials - 2, trials)
    ratings = "listener,item,condition,rating\nme,speech,reference,100\n"
    wrong = (
        table(4, trials - 3),
        whole + whole.partition("\n")[2],
        whole.replace("A,B,0", "A,B,1").replace("B,A,0", "B,A,1"),
        ratings,
        "abx.csv of another folder",
    )
    judge = judged(trials)
    return tuple(Mistake(judge(each), each) for each in wrong)
