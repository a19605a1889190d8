"""Print the built book into one PDF: a title page, contents, every page of the book, bookmarks.

    python tools/pdf.py                 as `make pdf` does: _build/minicodec.pdf from _build/html
    python tools/pdf.py FILE            into another file
    python tools/pdf.py FILE PAGE …     some pages alone: chapters/05_vector_quantization …

Each page is printed by Chromium as a reader would print it (book.css, book.js), and pypdf joins
them: links between pages lead within the PDF, others to where the book is published.
"""

import io
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from check_book import HTML, parsed, toc_pages
from notebooks import ROOT
from pdf_join import SHEET, Printed, feet_of, front_of, join

TARGET = ROOT / "_build" / "minicodec.pdf"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
HANGS = 120_000  # ms
# All pictures are drawn and all formulas set before anything is printed.
READY = """async (ids) => {
    const waits = [document.fonts.ready];
    document.dispatchEvent(new CustomEvent("minicodec-paper", { detail: waits }));
    await Promise.all(waits);
    await window.MathJax?.startup?.promise;
    // Chromium notes only those places to which the page itself has a link.
    const links = document.createElement("div");
    links.style = "position: absolute; top: 0; left: 0; font: 1px/1px sans-serif; opacity: 0";
    for (const id of ids) {
        const link = document.createElement("a");
        link.href = `#${id}`;
        link.textContent = ".";
        links.append(link);
    }
    document.querySelector("article").prepend(links);
}"""


class NotPrinted(Exception):
    """Why there is no PDF, in a sentence."""


def main() -> int:
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else TARGET
    try:
        pages = print_book(target, sys.argv[2:] or toc_pages())
    except NotPrinted as error:
        print(error)
        return 1
    print(f"{pages} pages, {target.stat().st_size / 1e6:.1f} MB: {target}")
    return 0


def print_book(target: Path, names: list[str], folder: Path = HTML) -> int:
    """Write the PDF of these pages of the built book; how many sheets it has.

    Raises:
        NotPrinted: if a page is not there, or no browser.
    """
    missing = [name for name in names if not (folder / f"{name}.html").is_file()]
    if missing:
        raise NotPrinted(f"There is no page {', '.join(missing)} in {folder}; run: make book")
    address = published(folder / f"{names[0]}.html")
    with browser() as tab:
        book = [printed(tab, folder, name, names) for name in names]
        # The contents have the same length whatever the numbers are.
        front = on_sheets(tab, front_of(book, 0, address))
        front = on_sheets(tab, front_of(book, len(front.pages), address))
        total = len(front.pages) + sum(len(page.reader.pages) for page in book)
        feet = on_sheets(tab, "".join(feet_of(book, len(front.pages))))
    return join(target, front, book, feet, folder, address, total)


def published(page: Path) -> str:
    """Where the book is published, with a slash at the end."""
    link = parsed(page).find("link", rel="canonical")
    if link is None:
        raise NotPrinted(f"{page} does not say where the book is published (html.baseurl)")
    address = str(link["href"])
    return address[: -len("/".join(page.parts[-2:]))]


@contextmanager
def browser() -> Iterator[Any]:
    """A tab of Chromium, as a context."""
    path = next((found for found in map(shutil.which, BROWSERS) if found), None)
    if path is None:
        raise NotPrinted(f"The PDF needs a browser; install one of {', '.join(BROWSERS)}.")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        raise NotPrinted('The PDF needs playwright; run: pip install -e ".[test]"') from None
    arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=arguments, timeout=HANGS)
        # Canvases are drawn in as many dots as the screen has: on paper they shall be fine.
        tab = chromium.new_context(device_scale_factor=2).new_page()
        tab.set_default_timeout(HANGS)
        yield tab
        chromium.close()


def printed(tab: Any, folder: Path, name: str, names: list[str]) -> Printed:
    """One page of the book on paper."""
    from pypdf import PdfReader

    file = folder / f"{name}.html"
    wanted = sorted({place for other in names for place in links_to(folder, other, file)})
    tab.goto(file.resolve().as_uri(), wait_until="load")
    tab.evaluate(READY, wanted)
    reader = PdfReader(io.BytesIO(tab.pdf(prefer_css_page_size=True, print_background=True)))
    heading = parsed(file).find("h1")
    title = heading.get_text().rstrip("#") if heading else name
    places = {
        unquote(key.lstrip("/")): (
            reader.get_destination_page_number(place) or 0,
            float(place.top or 0),
        )
        for key, place in reader.named_destinations.items()
    }
    return Printed(name, title, reader, places)


def links_to(folder: Path, other: str, file: Path) -> Iterator[str]:
    """The places within `file` to which another page links."""
    page = folder / f"{other}.html"
    ids = None
    for link in parsed(page).find_all("a", href=True):
        address = urlsplit(str(link["href"]))
        if address.scheme or not address.fragment or not address.path:
            continue
        if (page.parent / unquote(address.path)).resolve() == file.resolve():
            ids = ids or {str(tag["id"]) for tag in parsed(file).find_all(id=True)}
            if unquote(address.fragment) in ids:
                yield unquote(address.fragment)


def on_sheets(tab: Any, sections: str) -> Any:
    """Sheets of our own: title, contents, feet."""
    from pypdf import PdfReader

    tab.goto("about:blank")
    tab.set_content(SHEET + sections)
    return PdfReader(io.BytesIO(tab.pdf(prefer_css_page_size=True, print_background=True)))


if __name__ == "__main__":
    sys.exit(main())
