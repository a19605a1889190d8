"""Support: what a student has done, in one small file.

It lies in the home folder; on Colab in Drive, if that is mounted, for the machine forgets the rest.
The environment variable `MINICODEC_PROGRESS` names another file; empty, nothing is kept.
"""

import html
import json
import os
from datetime import date
from pathlib import Path
from typing import Any

from minicodec.exercises.exercise import Exercise, chapters, of_chapter
from minicodec.sound.files import reason, write_text

_DRIVE = Path("/content/drive/MyDrive")
_MOST = 1_000_000  # bytes: a file of ours has a few thousand


def place() -> Path | None:
    """The file, whether or not it is there; None if nothing is to be kept."""
    named = os.environ.get("MINICODEC_PROGRESS")
    if named is not None:
        return Path(named) if named else None
    return (_DRIVE if _DRIVE.is_dir() else Path.home()) / ".minicodec_progress.json"


def read() -> dict[str, dict[str, Any]]:
    """What is kept, by exercise; nothing, if there is no file.

    Raises:
        OSError: if there is one that cannot be read now.
        ValueError: if it is no file of ours.
    """
    path = place()
    if path is None or not path.exists():
        return {}
    try:
        if path.stat().st_size > _MOST:
            raise ValueError("it is too large")
        kept = json.loads(path.read_text(encoding="utf-8"))
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if not isinstance(kept, dict):
        raise ValueError("it is no table")
    return {
        name: {"tries": entry["tries"], "solved": entry["solved"]}
        for name, entry in kept.items()
        if isinstance(entry, dict)
        and type(entry.get("tries")) is int
        and isinstance(entry.get("solved"), str)
    }


def keep(name: str, right: bool) -> str:
    """Add one try. Gives a sentence if it could not be kept, else "".

    What is solved stays solved. A file that is spoilt is put aside, and one that cannot be read now
    is left as it is: it may hold the work of a term.
    """
    path = place()
    if path is None:
        return ""
    aside = ""
    try:
        kept = read()
    except OSError as error:
        return f"(The progress could not be kept: {path} cannot be read: {reason(error)}.)"
    except ValueError:
        kept, spoilt = {}, path.with_name(f"{path.name}.spoilt")
        aside = f"({path} was spoilt; it is {spoilt.name} now, and a new one begins.)"
        try:
            path.replace(spoilt)
        except OSError as error:
            return f"(The progress could not be kept: {path} is spoilt, and {reason(error)}.)"
    entry = kept.get(name, {"tries": 0, "solved": ""})
    if not entry["solved"]:
        entry = {"tries": entry["tries"] + 1, "solved": f"{date.today()}" if right else ""}
    kept[name] = entry
    try:
        write_text(path, json.dumps(kept, indent=1, sort_keys=True) + "\n")
    except (OSError, ValueError) as error:
        return f"(The progress could not be kept: {error})"
    return aside


class Progress:
    """A table of what is done: HTML in a notebook, lines of text elsewhere."""

    def __init__(self, chapter: str | None, kept: dict[str, dict[str, Any]]):
        self.chapter = chapter
        self.kept = kept
        numbers = chapters() if chapter is None else [chapter]
        self.exercises = {number: of_chapter(number) for number in numbers}

    def _solved(self, exercises: tuple[Exercise, ...]) -> int:
        return sum(bool(self.kept.get(e.name, {}).get("solved")) for e in exercises)

    def rows(self) -> list[tuple[str, str, str]]:
        """Of one chapter: exercise, state, what it is. Of all: chapter, solved, core solved."""
        if self.chapter is None:
            return [
                (number, f"{self._solved(all_)} of {len(all_)}",
                 f"core {self._solved(core)} of {len(core)}")
                for number, all_ in self.exercises.items()
                for core in [tuple(e for e in all_ if e.core)]
            ]  # fmt: skip
        return [(e.name, self._state(e.name), _about(e)) for e in self.exercises[self.chapter]]

    def _state(self, name: str) -> str:
        entry = self.kept.get(name, {"tries": 0, "solved": ""})
        tries = f"{entry['tries']} {'try' if entry['tries'] == 1 else 'tries'}"
        if entry["solved"]:
            return f"✓ {entry['solved']}, {tries}"
        return tries if entry["tries"] else "open"

    def __repr__(self) -> str:
        rows = self.rows()
        widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
        return "\n".join(f"{a:{widths[0]}}  {b:{widths[1]}}  {c}" for a, b, c in rows)

    def _repr_html_(self) -> str:
        style = 'style="padding: 0.1em 1em 0.1em 0; text-align: left"'  # the book's tables touch
        body = "".join(
            f"<tr>{''.join(f'<td {style}>{html.escape(text)}</td>' for text in row)}</tr>"
            for row in self.rows()
        )
        heads = ("Chapter", "Solved", "") if self.chapter is None else ("Exercise", "", "")
        head = "".join(f"<th {style}>{text}</th>" for text in heads)
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def progress(chapter: str | int | None = None) -> Progress:
    """What is done of a chapter, or, with no argument, of all.

    Raises:
        ValueError: if there is no such chapter.
    """
    number = f"{chapter:02}" if isinstance(chapter, int) else chapter
    try:
        kept = read()
    except (OSError, ValueError) as error:
        print(f"({place()} cannot be read: {reason(error)}.)")
        kept = {}
    return Progress(number, kept)


def _about(exercise: Exercise) -> str:
    kind = {"paper": "on paper", "code": "in code", "ear": "by ear"}[exercise.kind]
    return f"{kind}, {'core' if exercise.core else 'optional'}, {exercise.minutes} minutes"
