"""Support: tables as CSV, which a spreadsheet shows and does not run.

A spreadsheet takes a cell that begins with "=" for a formula, and formulas can start programs. The
name of a file or of a listener may be a stranger's, so such a cell gets an apostrophe, which
spreadsheets know as "this is text"; `parse` takes it away again. Numbers stay as they are.
`web/blind.mjs` does the same in the page.
"""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence

from minicodec.sound.names import encodable

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def dump(rows: Sequence[Mapping[str, object]]) -> str:
    """Rows as CSV, with all columns that any of them has.

    >>> dump([{"clip": "=1+1", "si_sdr": -2.5}]).split()
    ['clip,si_sdr', "'=1+1,-2.5"]
    """
    text = io.StringIO(newline="")
    columns = dict.fromkeys(guarded(name) for row in rows for name in row)
    writer = csv.DictWriter(text, list(columns))
    writer.writeheader()
    writer.writerows({guarded(k): guarded(v) for k, v in row.items()} for row in rows)
    return text.getvalue()


def parse(text: str, delimiter: str = ",") -> Iterable[dict[str, object]]:
    """Rows of a CSV, one after another; what a row has beyond the columns is dropped.

    Raises:
        csv.Error: for what is no CSV.

    >>> list(parse("listener,rating\\r\\n'-x,5\\r\\n"))
    [{'listener': '-x', 'rating': '5'}]
    """
    lines = io.StringIO(text, newline="")
    for row in csv.DictReader(lines, strict=True, delimiter=delimiter):
        yield {k: _plain(v) for k, v in row.items() if k is not None}


def guarded(value: object) -> object:
    """A cell that no spreadsheet runs, and that a file can hold."""
    if not isinstance(value, str):
        return value
    text = encodable(value)
    return f"'{text}" if _is_formula(text) else text


def _plain(value: object) -> object:
    marked = isinstance(value, str) and value.startswith("'") and _is_formula(value)
    return value[1:] if marked else value  # type: ignore[index]


def _is_formula(text: str) -> bool:
    # Behind apostrophes of its own, too: so that what is guarded comes back as it was.
    return text.lstrip("'").startswith(_FORMULA)
