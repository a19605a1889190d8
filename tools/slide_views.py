"""What a chapter's cells show, as HTML for slides: code, printed lines, pictures, players."""

import html
import re
import struct
import textwrap
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from notebooks import alt_of
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer
from student import BEGIN, END

#: Printed lines on a slide, and characters in one of them.
PAGE, WIDTH = 20, 104


@dataclass(frozen=True)
class Output:
    """kind: printed, picture, table or player. body: text if printed, else HTML."""

    kind: str
    body: str

    @property
    def lines(self) -> int:
        return self.body.count("\n") + 1

    @property
    def parts(self) -> list[str]:
        """Printed lines in as many pieces as slides are needed."""
        rows = self.body.split("\n")
        return [_pre("printed", rows[piece.start : piece.stop]) for piece in _pieces(rows, PAGE)]


def outputs_of(cell: dict[str, Any]) -> list[Output]:
    """What a cell has shown, with all that it printed as one."""
    printed, found = "", []
    for output in cell.get("outputs", []):
        if output["output_type"] == "stream":
            printed += "".join(output["text"]) if output["name"] == "stdout" else ""
        elif output["output_type"] in ("display_data", "execute_result"):
            data = output["data"]
            if "text/html" in data:
                found += _of_html("".join(data["text/html"]))
            elif "image/png" in data:
                found.append(_of_png("".join(data["image/png"]), alt_of(cell)))
            elif output["output_type"] == "execute_result":
                text = "".join(data.get("text/plain", ""))
                # What stands for an object tells an audience nothing.
                printed += "" if text.startswith("<") or "widget" in str(list(data)) else text
    printed = re.sub(r"\x1b\[[\d;]*m|^.*\r(?!$)", "", printed, flags=re.M).strip("\n")
    lines = [part for line in printed.split("\n") for part in _wrapped(line)]
    return ([Output("printed", "\n".join(lines))] if printed.strip() else []) + found


def _wrapped(line: str) -> list[str]:
    """A line that would be too small to read, in several."""
    return textwrap.wrap(line, WIDTH, subsequent_indent="    ") if len(line) > WIDTH else [line]


def _of_png(base64: str, alt: str) -> Output:
    """A plot, half as large again as in the book, or as large as fits."""
    base64 = "".join(base64.split())
    # The size stands at the same place in every PNG.
    width, height = struct.unpack(">II", b64decode(base64[:32])[16:24])
    scale = min(1.5, 1150 / width, 500 / height)
    return Output(
        "picture",
        f'<img alt="{html.escape(alt or "A plot")}" src="data:image/png;base64,{base64}" '
        f'width="{width * scale:.0f}" height="{height * scale:.0f}">',
    )


def _of_html(markup: str) -> list[Output]:
    mode = re.search(r'data-minicodec="(\w+)"', markup)
    # Nobody speaks into a slide: what records needs the notebook.
    if mode:
        return [] if mode[1] == "recorder" else [Output("player", markup)]
    return [Output("table" if "<table" in markup else "picture", markup)]


def printed_html(outputs: list[Output]) -> str:
    """Few printed lines."""
    lines = "\n".join(output.body for output in outputs).split("\n")
    return _pre("printed", lines) if outputs else ""


def fence_html(markdown: str) -> str:
    """A fence of the prose."""
    return _pre("fence", markdown.split("\n")[1:-1])


def note_html(source: str) -> str:
    """Code for the notes, without colours."""
    return f"<pre>{html.escape(source)}</pre>"


def code_html(source: str, room: int) -> list[str]:
    """Code in colour, in pieces of at most `room` lines; a solution comes with the next key."""
    lines: list[str] = []
    answers: set[int] = set()
    inside = False
    for line in source.split("\n"):
        if line.strip() in (BEGIN, END):
            inside = line.strip() == BEGIN
            continue
        if inside:
            answers.add(len(lines))
        lines.append(line)
    coloured = highlight("\n".join(lines), PythonLexer(stripnl=False), HtmlFormatter(nowrap=True))
    plain = coloured.split("\n")
    # One index: all of an answer appears at once.
    hidden = '<span class="fragment" data-fragment-index="0">'
    rows = [
        f"{hidden}{row}</span>" if number in answers and row.strip() else row
        for number, row in enumerate(plain)
    ]
    pieces = list(_pieces(lines, room))
    longest = max(len(lines[at]) for piece in pieces for at in piece)
    return [
        # An answer that goes on over a slide has been seen to begin.
        _pre(
            "code",
            [(plain if answers >= set(piece) else rows)[at] for at in piece],
            len(piece),
            longest,
        )
        for piece in pieces
    ]


def _pieces(lines: list[str], room: int) -> Iterator[range]:
    """Parts of at most `room` lines, cut where the code begins anew if possible."""
    start = 0
    while len(lines) - start > room:
        wanted = start + min(room, -(-(len(lines) - start) // 2) + 2)
        free = [at for at in range(start + room // 3, wanted + 1) if not lines[at].strip()]
        cut = free[-1] if free else wanted
        yield range(start, cut)
        start = cut + (0 if not free else 1)
    yield range(start, len(lines))


def _pre(kind: str, rows: list[str], lines: int = 0, columns: int = 0) -> str:
    """Lines in the largest type in which all of them are seen."""
    columns = columns or max(map(len, rows))
    text = "\n".join(rows if kind == "code" else map(html.escape, rows))
    style = f"--lines:{lines or len(rows)};--columns:{max(columns, 1)}"
    return f'<pre class="{kind}" style="{style}"><code>{text}</code></pre>'
