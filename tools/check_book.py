"""Check the built book: every page is there, nothing raised, no link is dead, images are described.

    python tools/check_book.py        after `make book`, which runs it

Sphinx succeeds on several of these; a reader does not.
"""

import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import yaml
from bs4 import BeautifulSoup

ROOT = Path(__file__).resolve().parent.parent
HTML = ROOT / "_build" / "html"
LINKS = {
    "a": "href",
    "img": "src",
    "link": "href",
    "script": "src",
    "audio": "src",
    "source": "src",
}
# What a page loads from elsewhere it lacks without a network.
LOADED = ("img", "link", "script", "audio", "source")


def toc_pages() -> list[str]:
    """Every page that _toc.yml names, as a path without its ending."""

    def pages(node: Any) -> Iterator[str]:
        if isinstance(node, list):
            for child in node:
                yield from pages(child)
        elif isinstance(node, dict):
            for key, value in node.items():
                if key in ("root", "file"):
                    yield value
                else:
                    yield from pages(value)

    return list(pages(yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))))


@cache
def parsed(path: Path) -> BeautifulSoup:
    # Embedded audio is most of a page's bytes and none of its structure.
    text = re.sub(r"(data:[\w/+.-]+;base64,)[\w+/=]+", r"\1", path.read_text(encoding="utf-8"))
    return BeautifulSoup(text, "html.parser")


@cache
def anchors(path: Path) -> set[str]:
    soup = parsed(path)
    return {str(tag[key]) for key in ("id", "name") for tag in soup.find_all(True, {key: True})}


def problems(page: str) -> Iterator[str]:
    path = HTML / f"{page}.html"
    if not path.exists():
        yield "is in _toc.yml but was not built; is its file there, under that name?"
        return
    soup = parsed(path)

    for error in soup.select(".output.traceback, .output.error"):
        if not error.find_parent(class_="tag_raises-exception"):
            lines = error.get_text().strip().splitlines() or ["no message"]
            yield f"a cell raised: {lines[-1]}"
    for image in soup.find_all("img"):
        alt = str(image.get("alt", "")).strip()
        # Sphinx falls back on the name of the file, which tells a listener nothing.
        if not alt or re.fullmatch(r"\S+\.(png|svg|jpe?g|gif)", alt):
            yield (
                f"an image has no alt text: {str(image.get('src', ''))[:60]}; "
                'on a cell that plots, write: # %% alt="…"'
            )
    for name, key in LINKS.items():
        for tag in soup.find_all(name, {key: True}):
            link = str(tag[key])
            problem = problem_of_link(path, link)
            if problem:
                yield problem
            elif name in LOADED and link.startswith("http") and tag.get("rel") != ["canonical"]:
                yield f"needs the network: <{name}> loads {link}"


def problem_of_link(page: Path, link: str) -> str:
    address = urlsplit(link)
    if address.scheme or address.netloc:
        return ""
    target = page
    if address.path:
        target = (page.parent / unquote(address.path)).resolve()
    if not target.exists():
        return f"links to {link}, which does not exist"
    is_page = target.suffix == ".html"
    if address.fragment and is_page and unquote(address.fragment) not in anchors(target):
        return f"links to {link}, which has no such place"
    return ""


def main() -> int:
    pages = toc_pages()
    found = {page: list(dict.fromkeys(problems(page))) for page in pages}
    for page, lines in found.items():
        for line in lines:
            print(f"{page}: {line}")
    count = sum(len(lines) for lines in found.values())
    if count:
        print(f"{count} problems in {len(pages)} pages of {HTML.relative_to(ROOT)}")
        return 1

    sizes = {page: (HTML / f"{page}.html").stat().st_size / 1e6 for page in pages}
    largest = max(sizes, key=lambda page: sizes[page])
    total = sum(f.stat().st_size for f in HTML.rglob("*") if f.is_file()) / 1e6
    print(
        f"{len(pages)} pages, {sum(sizes.values()):.1f} MB; the largest is {largest} with "
        f"{sizes[largest]:.1f} MB; the whole book is {total:.0f} MB"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
