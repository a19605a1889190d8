"""Support: results of a listening test as they come back: files, an upload, or pasted text.

A player's page gives its results as a file to save and as text to copy. Where the notebook runs
elsewhere, as on Colab, a saved file stays on the listener's machine: it is uploaded, or the text is
pasted between triple quotes. All of these are read here, to tables.
"""

import csv
import json
import textwrap
from collections.abc import Iterable, Mapping
from pathlib import Path

from minicodec.listening.tables import parse
from minicodec.sound.names import printable

Rows = list[dict[str, object]]
#: A file's name, text, an upload as Colab gives it (name → bytes), or rows that are read already.
Returned = str | Path | bytes | Mapping[str, object]

_LONGEST = 250  # letters of a name, as file systems have it


def tables(results: Returned | Iterable[Returned]) -> list[tuple[str, Rows]]:
    """Each table that came back, with its name for messages; rows on their own are one table.

    Raises:
        ValueError: for what is neither a file, nor text, nor an upload, nor rows; it names it.

    >>> tables('''
    ...     session,trial,x,answer
    ...     1,1,A,A
    ... ''')
    [('the pasted text', [{'session': '1', 'trial': '1', 'x': 'A', 'answer': 'A'}])]
    """
    if isinstance(results, Mapping) and not _is_upload(results):
        results = [results]
    elif isinstance(results, (str, bytes, Path, Mapping)) or results is None:
        return _tables_of(results)
    try:
        parts = list(results)
    except TypeError:
        raise _unknown(results) from None
    rows = [dict(part) for part in parts if isinstance(part, Mapping) and not _is_upload(part)]
    found = [("the rows", rows)] if rows else []
    for part in parts:
        if not isinstance(part, Mapping) or _is_upload(part):
            found += _tables_of(part)
    return found


def _is_upload(value: Mapping[str, object]) -> bool:
    return bool(value) and all(isinstance(each, bytes) for each in value.values())


def _tables_of(part: object) -> list[tuple[str, Rows]]:
    if isinstance(part, Mapping):
        return [(printable(str(name)), _table(str(name), _decoded(str(name), data)))
                for name, data in part.items()]  # fmt: skip
    if isinstance(part, bytes):
        return [("the upload", _table("the upload", _decoded("the upload", part)))]
    if isinstance(part, str) and _is_text(part):
        return [("the pasted text", _table("the pasted text", part))]
    if not isinstance(part, (str, Path)):
        raise _unknown(part)
    name = printable(str(part))
    if not str(part).strip():
        raise ValueError("there are no results: give a file's name, or paste the text of one.")
    try:
        if not Path(part).is_file():
            raise ValueError(
                f"{name[:_LONGEST]}: no such file; where it lies on another machine, upload it, or "
                "paste its text between triple quotes."
            )
        data = Path(part).read_bytes()
    except OSError as error:
        raise ValueError(f"{name[:_LONGEST]} cannot be read: {error.strerror}.") from error
    return [(name, _table(name, _decoded(name, data)))]


def _is_text(part: str) -> bool:
    """Pasted text has lines, or is an object in braces; a name has neither."""
    return "\n" in part.strip() or part.lstrip().startswith("{")


def _decoded(name: str, data: object) -> str:
    try:
        return data.decode("utf-8-sig")  # type: ignore[attr-defined]
    except UnicodeDecodeError as error:
        raise ValueError(f"{printable(name)} cannot be read as text: {error}.") from error


def _table(name: str, text: str) -> Rows:
    # Pasted into a cell, a table may be set in.
    text = textwrap.dedent(text).strip().removeprefix("\ufeff")
    if not text:
        raise ValueError(f"{printable(name)} is empty.")
    if text.startswith("{"):
        return _rows_of_json(name, text)
    header = text.splitlines()[0]
    # A spreadsheet puts tabs or semicolons in the place of commas.
    delimiter = max(",;\t", key=header.count)
    try:
        return list(parse(text, delimiter))
    except csv.Error as error:
        raise ValueError(f"{printable(name)} is not a CSV file: {error}.") from error


def _rows_of_json(name: str, text: str) -> Rows:
    """What "Save JSON" writes: an object with rows."""
    try:
        rows = json.loads(text)["rows"]
    except (ValueError, KeyError, RecursionError):
        rows = None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ValueError(f"{printable(name)} is JSON, but not with the rows of a listening test.")
    return rows


def _unknown(part: object) -> ValueError:
    return ValueError(
        "results are the name of a file, pasted text, an upload or rows, not a "
        f"{type(part).__name__}."
    )
