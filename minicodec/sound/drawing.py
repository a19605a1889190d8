"""Support: lines, boxes and labels for the book's diagrams, as SVG that any page can show.

A drawing has the width of a phone, and letters that are read there without a glass; on a wide page
it grows a little. Lines and letters take the colour of the text around them, so that they follow a
page from light to dark. Nothing has an id: a page may hold the same diagram twice.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

#: Okabe and Ito's colours that read on both white and near-black: those of all figures.
COLORS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"]
BLUE, VERMILLION, GREEN, PINK, AMBER, SKY = COLORS
INK = "currentColor"  #: whatever colour the text of the page has
WIDTH = 360
SIZE = 13  #: of letters; none is smaller than 12, but for indices
Point = tuple[float, float]


@dataclass(frozen=True, repr=False)
class Diagram:
    """A finished diagram: a notebook shows it, and `svg` is a file for slides.

    Where no pictures are shown, the description stands in its place.
    """

    svg: str
    description: str

    def __repr__(self) -> str:
        return self.description

    def _repr_html_(self) -> str:
        # The classes are those that MathJax 2 and 3 pass over.
        return f'<div class="minicodec-diagram tex2jax_ignore mathjax_ignore">{self.svg}</div>'

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return {"text/html": self._repr_html_(), "text/plain": self.description}


class Drawing:
    """What is drawn so far. Places are in units of which a line of the page has 360.

    Labels know a little markup: `*x*` is slanted, `_{t}` lowered, `^{2}` raised. A letter alone in
    an index is slanted, as in formulas.

    >>> drawing = Drawing("A dot", "One dot.", height=20)
    >>> drawing.dot(10, 10)
    >>> drawing.finished()
    One dot.
    """

    def __init__(self, title: str, description: str, height: float):
        self.title = title
        self.description = description
        self.height = height
        self._parts: list[str] = []

    def finished(self) -> Diagram:
        """All of it as one picture."""
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {self.height:g}" '
            f'role="img" aria-label="{escape(self.description)}" font-size="{SIZE}" '
            'font-family="system-ui, -apple-system, Segoe UI, Roboto, Arial, sans-serif" '
            'style="display:block;width:100%;max-width:480px;height:auto;margin:0 auto">'
            f"<title>{escape(self.title)}</title>"
        )
        return Diagram(head + "".join(self._parts) + "</svg>", self.description)

    def text(
        self,
        x: float,
        y: float,
        label: str,
        *,
        anchor: str = "middle",
        size: float = SIZE,
        bold: bool = False,
        on: str = INK,
        opacity: float = 1,
        turned: bool = False,
    ) -> None:
        """A line of text whose middle height is at y, perhaps on a colour, perhaps downwards."""
        look = f' font-size="{size:g}"' if size != SIZE else ""
        look += ' font-weight="600"' if bold else ""
        look += f' opacity="{opacity:g}"' if opacity != 1 else ""
        look += f' transform="rotate(90 {_n(x)} {_n(y)})"' if turned else ""
        self._parts.append(
            f'<text x="{_n(x)}" y="{_n(y + 0.36 * size)}" text-anchor="{anchor}" '
            f'fill="{ink_on(on)}"{look}>{_spans(label, size)}</text>'
        )

    def box(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        *lines: str,
        color: str = INK,
        filled: bool = False,
        dashed: bool = False,
        opacity: float = 1,
        round_by: float = 6,
        size: float = SIZE,
    ) -> None:
        """A box with lines of text in it, those behind the first a little smaller."""
        look = f'fill="{color}"' if filled else 'fill="none"'
        look += f' stroke="{color}" stroke-width="1.3"' + _dashes(dashed)
        look += f' opacity="{opacity:g}"' if opacity != 1 else ""
        self._parts.append(
            f'<rect x="{_n(x)}" y="{_n(y)}" width="{_n(width)}" height="{_n(height)}" '
            f'rx="{_n(round_by)}" {look}/>'
        )
        for index, line in enumerate(lines):
            middle = y + height / 2 + (index - (len(lines) - 1) / 2) * (size + 4)
            smaller = size if not index else min(size, 12)
            self.text(x + width / 2, middle, line, size=smaller, on=color if filled else INK)

    def line(
        self,
        *points: Point,
        color: str = INK,
        width: float = 1.5,
        dashed: bool = False,
        opacity: float = 1,
    ) -> None:
        """A line through points."""
        look = f'stroke="{color}" stroke-width="{width:g}"' + _dashes(dashed)
        look += f' opacity="{opacity:g}"' if opacity != 1 else ""
        self._parts.append(
            f'<polyline points="{_points(points)}" fill="none" stroke-linejoin="round" {look}/>'
        )

    def arrow(
        self,
        *points: Point,
        color: str = INK,
        width: float = 1.5,
        dashed: bool = False,
        opacity: float = 1,
        both: bool = False,
    ) -> None:
        """A line with a head at its end, or at both ends."""
        ends = [(points[-2], points[-1])] + ([(points[1], points[0])] if both else [])
        cut = list(points)
        for (x0, y0), (x1, y1) in ends:
            length = math.hypot(x1 - x0, y1 - y0)
            ux, uy = (x1 - x0) / length, (y1 - y0) / length
            back = (x1 - 7 * ux, y1 - 7 * uy)
            cut[-1 if (x1, y1) == points[-1] else 0] = back
            sides = [(back[0] - 3.5 * s * uy, back[1] + 3.5 * s * ux) for s in (1, -1)]
            self.polygon([(x1, y1), *sides], color=color, opacity=opacity)
        self.line(*cut, color=color, width=width, dashed=dashed, opacity=opacity)

    def polygon(
        self, points: Sequence[Point], *, color: str = INK, opacity: float = 1, edge: bool = False
    ) -> None:
        """A filled shape, perhaps with an edge that is as strong as a line."""
        look = f' stroke="{INK}" stroke-opacity="0.5"' if edge else ""
        self._parts.append(
            f'<polygon points="{_points(points)}" fill="{color}" fill-opacity="{opacity:g}"{look}/>'
        )

    def rect(
        self, x: float, y: float, width: float, height: float, color: str, opacity: float = 1
    ) -> None:
        """A filled rectangle with sharp corners."""
        self.polygon(
            [(x, y), (x + width, y), (x + width, y + height), (x, y + height)],
            color=color, opacity=opacity,
        )  # fmt: skip

    def dot(
        self, x: float, y: float, radius: float = 4, *, color: str = INK, filled: bool = True
    ) -> None:
        """A small disc, or a ring."""
        look = f'fill="{color}"' if filled else f'fill="none" stroke="{color}" stroke-width="1.5"'
        self._parts.append(f'<circle cx="{_n(x)}" cy="{_n(y)}" r="{_n(radius)}" {look}/>')

    def operation(self, x: float, y: float, sign: str) -> None:
        """A sign, "+" or "×", in a ring."""
        self.dot(x, y, 9, filled=False)
        arms = [(5, 0), (0, 5)] if sign == "+" else [(3.5, 3.5), (3.5, -3.5)]
        for dx, dy in arms:
            self.line((x - dx, y - dy), (x + dx, y + dy))

    def cell(
        self, x: float, y: float, size: float, label: str, color: str | None, height: float = 0
    ) -> None:
        """One sample in a row of samples; without a colour, one that is only imagined."""
        height = height or size
        self.box(x + 1, y, size - 2, height, label, color=color or INK, filled=color is not None,
                 dashed=color is None, round_by=3, size=12)  # fmt: skip


def ink_on(color: str) -> str:
    """Black or white, whichever is read better on a colour; the page's ink on the page.

    >>> ink_on("#0072B2"), ink_on("#E69F00")
    ('#fff', '#000')
    """
    if color == INK:
        return INK
    parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    light = sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear))
    return "#fff" if 1.05 / (light + 0.05) > (light + 0.05) / 0.05 else "#000"


def _n(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")


def _points(points: Sequence[Point]) -> str:
    return " ".join(f"{_n(x)},{_n(y)}" for x, y in points)


def _dashes(dashed: bool) -> str:
    return ' stroke-dasharray="4 3"' if dashed else ""


def _spans(label: str, size: float) -> str:
    """The markup of labels as SVG; what was lowered or raised is set back behind it."""
    parts, back = [], ""
    for piece in re.findall(r"\*[^*]+\*|[_^]\{[^}]*\}|[^*_^]+|.", label):
        shift = 0.0
        style = ""
        if len(piece) > 2 and piece[0] == "*":
            piece, style = piece[1:-1], ' font-style="italic"'
        elif piece[:2] in ("_{", "^{"):
            shift = 0.25 * size if piece[0] == "_" else -0.4 * size
            piece, style = piece[2:-1], f' font-size="{0.78 * size:.3g}"'
        if shift:
            style += f' dy="{_n(shift)}"'
        elif back:
            style += f' dy="{back}"'
        back = _n(-shift) if shift else ""
        inner = escape(piece)
        if shift:
            inner = re.sub(r"\b[a-z]\b", r'<tspan font-style="italic">\g<0></tspan>', inner)
        parts.append(f"<tspan{style}>{inner}</tspan>" if style else inner)
    return "".join(parts)
