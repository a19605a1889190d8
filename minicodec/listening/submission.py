"""Support: what one listener of a class's test handed in, read and checked."""

from collections import defaultdict
from collections.abc import Mapping
from typing import NamedTuple

from minicodec.listening import headphones

Rows = list[dict[str, object]]


class Submission(NamedTuple):
    """One file of the page that `class_kit` writes."""

    file: str
    kit: str
    listener: str
    session: str  #: when it began, as ISO 8601
    heard: int  #: right answers of the last try of the headphone check
    ratings: dict[str, Rows]  #: title of a test → its rows
    trials: dict[str, Rows]

    @property
    def headphones(self) -> bool:
        return self.heard >= headphones.PASS


def submission(file: str, rows: Rows) -> Submission:
    """The rows of a file, by parts.

    Raises:
        ValueError: for a table that is no such file, or not all of one; it names the file.
    """
    if not rows or not {"kit", "listener", "session", "part"} <= set(rows[0]):
        raise ValueError(f"{file} is not a file of a class's listening test.")
    named = {}
    for key in ("kit", "listener", "session"):
        values = {str(row.get(key) or "").strip() for row in rows}
        if len(values) != 1 or "" in values:
            raise ValueError(f"{file} should hold one {key}, and holds {len(values - {''})}.")
        (named[key],) = values
    parts: dict[str, Rows] = defaultdict(list)
    for row in rows:
        parts[str(row["part"]).strip()].append(row)
    if not parts["consent"]:
        raise ValueError(f"{file} has no consent in it.")
    return Submission(
        file,
        **named,
        heard=_heard(file, parts["headphones"]),
        ratings=_by_test(parts["mushra"]),
        trials=_by_test(parts["abx"]),
    )


def _by_test(rows: Rows) -> dict[str, Rows]:
    found: dict[str, Rows] = defaultdict(list)
    for row in rows:
        found[str(row.get("test") or "")].append(row)
    return dict(found)


def _heard(file: str, rows: Rows) -> int:
    tries: dict[str, Rows] = defaultdict(list)
    for row in rows:
        tries[str(row.get("item") or "")].append(row)
    if not tries:
        raise ValueError(f"{file} has no headphone check in it.")
    last = tries[max(tries)]
    numbers = sorted(str(row.get("trial") or "") for row in last)
    if numbers != [str(number) for number in range(1, headphones.TRIALS + 1)]:
        raise ValueError(f"{file} does not have all {headphones.TRIALS} trials of its last check.")
    return sum(map(_right, last))


def _right(row: Mapping[str, object]) -> bool:
    return str(row.get("x") or "-").strip() == str(row.get("answer") or "").strip()
