"""Write the repository's address, set once in _config.yml, wherever it is needed.

    python tools/stamp.py            stamp it
    python tools/stamp.py --check    exit 1 and name each file whose address is stale

It goes into the Colab badges of the chapters and the README, the chapters' set-up cells (made from
the template below), links to the published book, `git clone` and `git+` lines, CITATION.cff and
pyproject.toml.

A set-up cell installs the release that its chapter was written with: the tag of the package's
version. While there is no such tag yet, pip says so, and the cell installs the branch.
"""

import argparse
import re
import sys
from pathlib import Path
from typing import Any

import yaml
from notebooks import ROOT, Notebook, chapters, clean, dumps, read, shown, source_of, tags_of

MEND = "python tools/stamp.py"
COLAB = "https://colab.research.google.com"
BADGE = "book/_static/colab-badge.svg"
TEXTS = [
    "README.md",
    "CITATION.cff",
    "CONTRIBUTING.md",
    "pyproject.toml",
    "_config.yml",
    "book/*.md",
]

SETUP = """\
# Where minicodec is missing, as on Colab: this chapter's release, or the branch until it has a tag.
from importlib.util import find_spec

for release in (r for r in ("v{version}", "{branch}") if not find_spec("minicodec")):
    %pip install -q git+{url}@{{release}} && pip install -q encodec librosa
assert find_spec("minicodec"), "minicodec is not installed: pip says why. Then run this cell again."
%load_ext minicodec"""


def address() -> tuple[str, str]:
    """The repository's URL and the branch that is published."""
    repository = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))["repository"]
    return repository["url"].rstrip("/"), repository["branch"]


def version() -> str:
    """That of the package, read without importing it."""
    text = (ROOT / "minicodec" / "__init__.py").read_text(encoding="utf-8")
    found = re.search(r'^__version__ = "(.+)"$', text, re.MULTILINE)
    assert found, "minicodec/__init__.py states no __version__"
    return found[1]


def stamped_text(text: str, url: str, branch: str) -> str:
    """The text with our own addresses renewed; links to other repositories stay as they are."""
    notebook = f"{COLAB}/github/{url.removeprefix('https://github.com/')}/blob/{branch}/chapters/"
    owner, name = url.removeprefix("https://github.com/").split("/")
    for pattern, new in [
        # Where the book is published.
        (rf"https://[\w-]+\.github\.io/(minicodec|{re.escape(name)})/",
         f"https://{owner.lower()}.github.io/{name}/"),
        (rf"{re.escape(COLAB)}/github/[^/\s]+/[^/\s]+/blob/[^\s)]*?/chapters/", notebook),
        (r"git clone https://[^\s`]+", f"git clone {url}"),
        (r"minicodec @ git\+https://[^\s\"'@]+@[\w./-]+", f"minicodec @ git+{url}@{branch}"),
        (r'(?m)^Repository = ".*"', f'Repository = "{url}"'),
        (r'(?m)^repository-code: ".*"', f'repository-code: "{url}"'),
    ]:  # fmt: skip
        text = re.sub(pattern, lambda _, new=new: new, text)  # type: ignore[misc]
    return text


def badge(name: str, url: str, branch: str) -> str:
    link = stamped_text(f"{COLAB}/github/a/b/blob/c/chapters/{name}", url, branch)
    return f"[![Open in Colab](../{BADGE})]({link})"


def stamped_notebook(notebook: Notebook, name: str, url: str, branch: str) -> Notebook:
    """The chapter with its badge under the title, and its set-up cell from the template."""
    cells: list[dict[str, Any]] = notebook["cells"]
    for cell in cells:
        cell["source"] = stamped_text(source_of(cell), url, branch)

    first = cells[0]
    lines = [line for line in first["source"].splitlines() if "colab-badge.svg" not in line]
    first["source"] = "\n".join([lines[0], "", badge(name, url, branch), *lines[1:]])
    first["source"] = re.sub(r"\n{3,}", "\n\n", first["source"])

    if not any("setup" in tags_of(cell) for cell in cells):
        cells.insert(1, {"cell_type": "code", "metadata": {"tags": ["setup"]}})
    for cell in cells:
        if "setup" in tags_of(cell):
            cell["source"] = SETUP.format(url=url, branch=branch, version=version())
    return clean(notebook)


def stamped_files() -> dict[Path, str]:
    """Every file that carries the address, and what it should hold."""
    url, branch = address()
    texts = [path for pattern in TEXTS for path in sorted(ROOT.glob(pattern))]
    files = {path: stamped_text(path.read_text(encoding="utf-8"), url, branch) for path in texts}
    for path in chapters():
        files[path] = dumps(stamped_notebook(read(path), path.name, url, branch))
    return files


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 when stale")
    args = parser.parse_args()

    files = stamped_files()
    stale = {p: text for p, text in files.items() if p.read_text(encoding="utf-8") != text}
    for path, text in stale.items():
        if args.check:
            print(f"{shown(path)}: its addresses or set-up cell are stale; run: {MEND}")
        else:
            path.write_text(text, encoding="utf-8")
            print(f"{shown(path)}: stamped")
    if not stale:
        print(f"{len(files)} files carry the address of _config.yml")
    return int(args.check and bool(stale))


if __name__ == "__main__":
    sys.exit(main())
