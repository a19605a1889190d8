"""Lay the book beside itself as plain text, for language models and for readers without a browser.

    python tools/plain_text.py _build/html        as `make book` does

Each page gets a neighbour that ends in `.md`: chapters as Markdown with their code and without
outputs, other pages as they are written. `llms.txt` at the root lists them with a line on each, in
the form that https://llmstxt.org describes.
"""

import re
import sys
from pathlib import Path
from typing import Any

import yaml
from notebooks import MINUTES, ROOT, Notebook, read, source_of, tags_of

FENCE = "```"
IMAGE = re.compile(r"!\[([^\]]*)\]\([^)]*\)")
BADGE = re.compile(r"\[!\[[^\]]*\]\([^)]*\)\]\([^)]*\)\n*")
# A term's link in a chapter has the definition in its title, which the glossary has as well.
TITLE = re.compile(r'(\]\([^)\s]+) "[^"]*"\)')
LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")


def text_of(notebook: Notebook) -> str:
    """A chapter as Markdown, without its badge, its set-up cell and the table of minutes."""
    parts = []
    for cell in notebook["cells"]:
        source = source_of(cell)
        if cell["cell_type"] == "markdown":
            source = re.sub(MINUTES, "", BADGE.sub("", source), flags=re.S)
            source = TITLE.sub(r"\1)", pointed(IMAGE.sub(r"*\1*", source)))
            parts.append(re.sub(r"\n{3,}", "\n\n", source).strip())
        elif "setup" not in tags_of(cell):
            parts.append(f"{FENCE}python\n{source}\n{FENCE}")
    return "\n\n".join(parts) + "\n"


def pointed(text: str) -> str:
    """The text with links to notebooks leading to their texts."""
    return re.sub(r"(\]\([\w./-]+)\.ipynb", r"\1.md", text)


def about(page: str, text: str) -> str:
    """One line on a page: what a chapter builds, by its head; of others the first sentence."""
    head = re.search(r"^\|\s*You will build.*\n\|[-| ]+\n\|([^|]+)\|", text, flags=re.M)
    if page.startswith("chapters/") and head:
        return plain(head[1])
    prose = (part for part in re.split(r"\n\s*\n", text) if re.match(r"[A-Z]", part))
    return plain(re.split(r"(?<=[.:])\s", next(prose, ""))[0]).rstrip(":")


def plain(text: str) -> str:
    """A line of words, without links and emphasis."""
    return " ".join(LINK.sub(r"\1", text).replace("*", "").split())


def written(page: str) -> str:
    """A page of the contents, as text.

    Raises:
        ValueError: if there is no such page.
    """
    notebook, markdown = ROOT / f"{page}.ipynb", ROOT / f"{page}.md"
    if notebook.is_file():
        return text_of(read(notebook))
    if markdown.is_file():
        # What stands between lines of dashes at the top is for the program that builds the page.
        text = re.sub(r"\A---\n.*?\n---\n+", "", markdown.read_text(encoding="utf-8"), flags=re.S)
        return pointed(text)
    raise ValueError(f"_toc.yml names {page}, which is neither a notebook nor Markdown.")


def title_of(text: str) -> str:
    """The first heading, or "" where there is none."""
    found = re.search(r"^# (.+)$", text, flags=re.M)
    return found[1].strip() if found else ""


def listed(part: str, pages: dict[str, str]) -> str:
    """A part of llms.txt: its heading, and a line for each page."""
    lines = []
    for page, text in pages.items():
        words = about(page, text)
        lines.append(f"- [{title_of(text)}]({page}.md){f': {words}' * bool(words)}")
    return f"## {part}\n\n" + "\n".join(lines)


def book() -> dict[str, dict[str, str]]:
    """Every page's text, by part and page, in the order of the contents."""
    contents: dict[str, Any] = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    parts = {"Start": {contents["root"]: written(contents["root"])}}
    for part in contents["parts"]:
        parts[part["caption"]] = {each["file"]: written(each["file"]) for each in part["chapters"]}
    return parts


def index(parts: dict[str, dict[str, str]]) -> str:
    """What llms.txt says."""
    config = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    (summary,) = re.findall(r'^description = "(.+)"$', project, flags=re.M)
    head = f"# {config['title']}\n\n> {summary}\n\nThe code: {config['repository']['url']}"
    return "\n\n".join([head, *(listed(part, pages) for part, pages in parts.items())]) + "\n"


def main() -> int:
    if len(sys.argv) != 2 or not Path(sys.argv[1]).is_dir():
        print("name the folder of the built book: python tools/plain_text.py _build/html")
        return 2
    html, parts = Path(sys.argv[1]), book()
    for page, text in (item for pages in parts.values() for item in pages.items()):
        target = html / f"{page}.md"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    (html / "llms.txt").write_text(index(parts), encoding="utf-8")
    print(f"{sum(map(len, parts.values()))} pages lie beside the book as text, llms.txt names them")
    return 0


if __name__ == "__main__":
    sys.exit(main())
