"""The sheets of the printed book as one PDF: front matter, numbers, bookmarks, links.

`tools/pdf.py` prints the pages that are joined here.
"""

import html
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import yaml
from notebooks import ROOT

from minicodec import __version__
from minicodec.sound.files import write_bytes

TOP = 842.0  # of a sheet of A4, in points
SHEET = """<!doctype html><html lang="en"><meta charset="utf-8"><style>
@page { size: A4; margin: 0; }
body { margin: 0; font: 9pt/1.4 system-ui, "DejaVu Sans", sans-serif; color: #1d232a; }
section { position: relative; box-sizing: border-box; width: 210mm; height: 296.9mm;
  padding: 24mm 22mm; overflow: hidden; break-after: page; }
section:last-child { break-after: auto; }
h1 { margin: 45mm 0 4mm; font-size: 40pt; } h2 { margin: 0 0 8mm; font-size: 20pt; }
.large { max-width: 130mm; font-size: 14pt; } .low { position: absolute; bottom: 24mm; }
img { width: 34mm; } a { color: #0a5687; text-decoration: none; }
ol { margin: 0; padding: 0; list-style: none; } .part { margin: 4mm 0 1mm; font-weight: 700; }
.line { display: flex; gap: 2mm; padding-left: 4mm; line-height: 1.75; }
.line i { flex: 1; border-bottom: 1px dotted #999; margin-bottom: 1.5mm; }
footer { position: absolute; left: 16mm; right: 16mm; bottom: 8mm; display: flex;
  justify-content: space-between; color: #57606a; font-size: 7.5pt; }
</style><body>"""


@dataclass
class Printed:
    """A page of the book on paper. places: id → sheet and height of what other pages link to."""

    name: str
    title: str
    reader: Any
    places: dict[str, tuple[int, float]] = field(default_factory=dict)


def parts() -> list[tuple[str, list[str]]]:
    """The parts of the book with their pages; the first page is in none."""
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    named = [
        (part["caption"], [page["file"] for page in part["chapters"]]) for part in toc["parts"]
    ]
    return [("", [toc["root"]]), *named]


def in_parts(book: list[Printed]) -> list[tuple[str, list[Printed]]]:
    by_name = {page.name: page for page in book}
    found = [(caption, [by_name[n] for n in names if n in by_name]) for caption, names in parts()]
    return [(caption, pages) for caption, pages in found if pages]


def starts(book: list[Printed], front: int) -> dict[str, int]:
    """The sheet, from 0, on which each page of the book begins."""
    found, at = {}, front
    for page in book:
        found[page.name] = at
        at += len(page.reader.pages)
    return found


def front_of(book: list[Printed], front: int, address: str) -> str:
    first, lines = starts(book, front), ""
    for caption, pages in in_parts(book):
        lines += f'<li class="part">{html.escape(caption)}</li>' if caption else ""
        for page in pages:
            lines += (
                f'<li class="line"><a href="book:{page.name}">{html.escape(page.title)}</a><i></i>'
                f"{first[page.name] + 1}</li>"
            )
    logo = (ROOT / "book" / "_static" / "logo.svg").read_text(encoding="utf-8")
    logo = re.sub(r"<svg ", '<svg style="width:34mm;height:34mm" ', logo, count=1)
    return (
        f'<section>{logo}<h1>minicodec</h1><p class="large">Neural audio compression, rebuilt part '
        f'by part: EnCodec as a small package and a book</p><p class="low">Version {__version__}. '
        f"On paper nothing plays. What does, and this book, is at<br>"
        f'<a href="{address}">{address}</a></p></section>'
        f"<section><h2>Contents</h2><ol>{lines}</ol></section>"
    )


def feet_of(book: list[Printed], front: int) -> Iterator[str]:
    """Of each sheet behind the front: what it is from, and its number."""
    number = front
    for page in book:
        for _ in page.reader.pages:
            number += 1
            title = html.escape(page.title)
            yield f"<section><footer><span>{title}</span><span>{number}</span></footer></section>"


def join(
    target: Path, front: Any, book: list[Printed], feet: Any, folder: Path, address: str, total: int
) -> int:
    """Write all sheets as one file."""
    from pypdf import PdfWriter

    writer = PdfWriter()
    first = starts(book, len(front.pages))
    for sheet in front.pages:
        writer.add_page(sheet)
    foot = iter(feet.pages)
    for page in book:
        for sheet in page.reader.pages:
            added = writer.add_page(sheet)
            added.merge_page(next(foot))
            # What was merged is plain text, ten times as long.
            added.compress_content_streams()
    assert len(writer.pages) == total
    places = {
        (page.name, key): (first[page.name] + sheet, top)
        for page in book
        for key, (sheet, top) in page.places.items()
    }
    owner = [""] * len(front.pages)
    for page in book:
        owner += [page.name] * len(page.reader.pages)
    for sheet, name in zip(writer.pages, owner):
        mend_links(writer, sheet, name, first, places, folder, address)
    for caption, pages in in_parts(book):
        above = None
        if caption:
            above = writer.add_outline_item(title=caption, page_number=first[pages[0].name])
        for page in pages:
            writer.add_outline_item(title=page.title, page_number=first[page.name], parent=above)
    writer.add_metadata({"/Title": "minicodec", "/Subject": "Neural audio compression, rebuilt"})
    writer.page_mode = "/UseOutlines"
    writer.compress_identical_objects()
    data = io.BytesIO()
    writer.write(data)
    write_bytes(target, data.getvalue())
    return total


def mend_links(
    writer: Any,
    sheet: Any,
    name: str,
    first: dict[str, int],
    places: dict[tuple[str, str], tuple[int, float]],
    folder: Path,
    address: str,
) -> None:
    """Links within the book lead within the PDF, links to its other files to where it is."""
    from pypdf.generic import ArrayObject, FloatObject, NameObject, NullObject, TextStringObject

    kept = ArrayObject()
    for reference in sheet.get("/Annots", []):
        note = reference.get_object()
        left, low, right, high = map(float, note["/Rect"])
        if high - low < 2 and right - left < 2:
            continue  # one of ours, which only names a place
        kept.append(reference)
        uri = str(note.get("/A", {}).get("/URI", ""))
        inside = note.get("/Dest") or note.get("/A", {}).get("/D")
        goal = None
        if isinstance(inside, str):
            goal = places.get((name, unquote(inside.lstrip("/"))))
        elif uri.startswith("book:"):
            goal = (first[uri.removeprefix("book:")], TOP)
        elif uri.startswith(folder.resolve().as_uri()):
            path = uri.removeprefix(folder.resolve().as_uri()).lstrip("/")
            page, _, place = path.partition("#")
            page = page.removesuffix(".html")
            if page in first:
                goal = places.get((page, unquote(place)), (first[page], TOP))
            else:
                note["/A"][NameObject("/URI")] = TextStringObject(address + path)
        if goal:
            at, top = goal
            where = [NameObject("/XYZ"), NullObject(), FloatObject(top), NullObject()]
            sheet_of_goal = writer.pages[at].indirect_reference
            note[NameObject("/Dest")] = ArrayObject([sheet_of_goal, *where])
            note.pop("/A", None)
    if "/Annots" in sheet:
        sheet[NameObject("/Annots")] = kept
