"""Support: the result of an ABX test, read back from what its page gave.

    read_abx("abx-2026-11-27T10-00-00.csv")

The file may be CSV or JSON, uploaded, or pasted as text (`minicodec.listening.returned`).
"""

from collections.abc import Iterable
from typing import NamedTuple

from minicodec.listening.abx import abx_p_value
from minicodec.listening.returned import Returned, tables

_NEEDED = ("trial", "x", "answer")


class AbxResult(NamedTuple):
    """How many trials were right, and the chance of a guesser to do as well."""

    correct: int
    trials: int
    p: float

    def __str__(self) -> str:
        p = "p < 0.001" if self.p < 0.001 else f"p = {self.p:.3f}"
        return f"{self.correct} of {self.trials} correct, {p}"


def read_abx(results: Returned | Iterable[Returned], trials: int | None = None) -> AbxResult:
    """One finished test of one listener.

    Args:
        results: the CSV or JSON that the page saved, its text, or an upload of it.
        trials: how many were agreed on beforehand; fewer or more are refused.

    Raises:
        ValueError: for anything else: no such file, another table, trials that are missing or come
            twice, or a row that contradicts itself.

    >>> print(read_abx('''
    ...     session,trial,x,answer,correct,seconds
    ...     1,1,A,A,1,4.2
    ...     1,2,B,B,1,3.9
    ...     1,3,A,B,0,5.0
    ... '''))
    2 of 3 correct, p = 0.500
    """
    found = tables(results)
    if len(found) != 1:
        raise ValueError(f"an ABX result is one table, and here are {len(found)}.")
    ((name, rows),) = found
    if not rows:
        raise ValueError(f"{name} has no trial in it.")
    correct, seen = 0, []
    for number, row in enumerate(rows, 1):
        missing = [key for key in _NEEDED if row.get(key) in (None, "")]
        if missing:
            other = "; it looks like ratings, which `analyse` reads" if "rating" in row else ""
            raise ValueError(f"{name}, row {number}: no {', '.join(missing)}{other}.")
        x, answer = (str(row[key]).strip() for key in ("x", "answer"))
        if x not in ("A", "B") or answer not in ("A", "B"):
            raise ValueError(
                f"{name}, row {number}: X and the answer are A or B, not {x!r} and {answer!r}."
            )
        right = int(x == answer)
        if str(row.get("correct", right)).strip() not in ("", str(right)):
            raise ValueError(
                f"{name}, row {number}: X was {x} and the answer {answer}, so correct is {right}, "
                f"not {row['correct']}."
            )
        correct += right
        seen.append(str(row["trial"]).strip())
    expected = [str(trial) for trial in range(1, len(rows) + 1)]
    if sorted(seen) != sorted(expected):
        raise ValueError(
            f"{name} is not one whole test: its {len(rows)} rows should be trials 1 to {len(rows)}."
        )
    if trials is not None and len(rows) != trials:
        raise ValueError(
            f"{name} has {len(rows)} trials, not {trials}: their number is fixed beforehand."
        )
    return AbxResult(correct, len(rows), abx_p_value(correct, len(rows)))
