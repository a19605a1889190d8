"""Link the first use of each glossary term in each chapter to the glossary.

    python tools/terms.py                    link, in chapters/*.ipynb
    python tools/terms.py --check            exit 1 and say which first uses are not linked
    python tools/terms.py chapters/x.ipynb   only these; both ways

A link is plain CommonMark, `[hop](../book/glossary.md#hop-length "Samples from …")`. It leads to
the entry in the book, in JupyterLab and on GitHub; on Colab, where links to pages lead nowhere, its
title still shows the first sentence. Links are made anew each time, so that they can be written
over: edit prose without minding them, then run this.

An entry of `book/glossary.md` is a heading, a text, and if need be a comment:

    ## hop length

    Samples from the start of one frame to the start of the next: 320 in the codec.

    <!-- forms: hop length, hop; in: 01, 02 -->

A term is found with a small or a capital letter at its beginning, and with an s at its end. `also`
names further forms, `forms` names all of them, `in` and `not in` the chapters where the word is
that term (a *power* is that of a test in one chapter, and of a signal in another).

Left alone are headings, tables, code, formulas, pictures, other links, and reading lists.
"""

import argparse
import re
import sys
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from notebooks import ROOT, chapters, clean, dumps, read, shown, source_of

MEND = "python tools/terms.py"
GLOSSARY = ROOT / "book" / "glossary.md"
PAGE = "../book/glossary.md"

_LINK = re.compile(rf'\[([^\[\]]+)\]\({re.escape(PAGE)}#[^)\s"]*(?:\s+"[^"]*")?\)')
# What no link may stand in.
_CLOSED = re.compile(
    r"""^[ ]{0,3}(`{3,}|~{3,}).*?^[ ]{0,3}\1[`~]*[ ]*$ # fenced code
    | ^[ ]{0,3}\#{1,6}[ ].*?$                          # a heading
    | ^[ ]*\|.*?$                                      # a row of a table
    | <summary>.*?</summary>                           # HTML of one line is not read as Markdown
    | <[^>\n]*>                                        # a tag or an address
    | (`+)(?!`).*?(?<!`)\2(?!`)                        # code
    | \$\$.*?\$\$ | \$[^$\n]+(?:\n[^$\n]+)?\$          # formulas, of two lines at most in a text
    | !?\[(?:[^\[\]]|!?\[[^\]]*\](?:\([^)]*\))?)*\]\([^)]*\)  # links and pictures, one in another
    | https?://\S+
    """,
    re.MULTILINE | re.DOTALL | re.VERBOSE,
)
_READING = re.compile(r"^#{1,6} Further reading\b", re.MULTILINE)


class Term(NamedTuple):
    """One entry of the glossary."""

    name: str
    text: str
    forms: tuple[str, ...]  #: as they are written in prose, plurals too
    only: tuple[str, ...]  #: the chapters where these words are this term; none: all
    never: tuple[str, ...]

    def belongs(self, chapter: str) -> bool:
        return chapter not in self.never and (not self.only or chapter in self.only)

    @property
    def anchor(self) -> str:
        """As MyST and GitHub make it of the heading."""
        return re.sub(r"[^\w\- ]", "", self.name.lower()).replace(" ", "-")

    @property
    def tip(self) -> str:
        """The first sentence, as plain words."""
        plain = re.sub(r"\s*\{cite:p\}`[^`]*`|\s*\([^()]*\)|[*`]", "", self.text)
        plain = " ".join(re.sub(r"\[([^\]]+)\]\([^)]*\)", r"\1", plain).split())
        return re.split(r"(?<=[.?!]) (?=[A-Z])", plain)[0].replace('"', "'")

    @property
    def link(self) -> str:
        return f'({PAGE}#{self.anchor} "{self.tip}")'


def plural(form: str) -> tuple[str, ...]:
    """The form with an s, where it has none.

    >>> plural("codec"), plural("hinge loss"), plural("frequency response"), plural("phases")
    (('codecs',), ('hinge losses',), ('frequency responses',), ())
    """
    if form.endswith("ss"):
        return (form + "es",)
    return () if form.endswith("s") else (form + "s",)


def glossary(text: str) -> list[Term]:
    """The entries of the page."""
    terms = []
    for entry in re.split(r"^## ", text, flags=re.MULTILINE)[1:]:
        name, _, body = entry.partition("\n")
        comments = re.findall(r"<!-- (.*?) -->", body, flags=re.DOTALL)
        told = dict(re.findall(r"(forms|also|in|not in): ([^;]+)", "; ".join(comments)))
        listed = {key: tuple(re.split(r",\s+", value.strip())) for key, value in told.items()}
        forms = listed.get("forms", (name.strip(),)) + listed.get("also", ())
        if "forms" not in listed:
            forms += tuple(p for form in forms for p in plural(form))
        body = " ".join(re.sub(r"<!--.*?-->", "", body, flags=re.DOTALL).split())
        terms.append(
            Term(name.strip(), body, forms, listed.get("in", ()), listed.get("not in", ()))
        )
    return terms


class Finder:
    """Finds the terms of one chapter in its prose, the longest first."""

    def __init__(self, terms: Sequence[Term], chapter: str):
        self.terms = {f: term for term in terms if term.belongs(chapter) for f in term.forms}

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        def written(form: str) -> str:
            first = f"[{form[0]}{form[0].upper()}]" if form[0].islower() else re.escape(form[0])
            return first + re.escape(form[1:]).replace(r"\ ", r"\s+").replace("'", "['’]")

        forms = sorted(self.terms, key=lambda form: (-len(form), form))
        return re.compile(rf"(?<![\w-])(?:{'|'.join(map(written, forms))})(?![\w-])")

    def find(self, prose: str) -> Iterator[tuple[int, int, Term]]:
        """Where terms stand, in order, but in what is closed to links."""
        closed = [match.span() for match in _CLOSED.finditer(prose)]
        for match in self.pattern.finditer(prose):
            start, end = match.span()
            if any(start < last and first < end for first, last in closed):
                continue
            words = " ".join(match[0].replace("’", "'").split())
            small = words[0].lower() + words[1:]
            yield start, end, self.terms[words if words in self.terms else small]


def unlinked(prose: str) -> str:
    """The prose without links to the glossary."""
    return _LINK.sub(r"\1", prose)


def linked(cells: Sequence[str], terms: Sequence[Term], chapter: str) -> list[str]:
    """The cells of prose of a chapter, with the first use of each term linked and no other.

    >>> hop = Term("hop", "A step.", ("hop", "hops"), (), ())
    >>> linked(["# Hop", "Two hops, `hop`, one hop."], [hop], "01")
    ['# Hop', 'Two [hops](../book/glossary.md#hop "A step."), `hop`, one hop.']
    """
    finder, seen, result, reading = Finder(terms, chapter), set[str](), list[str](), False
    for cell in cells:
        prose = unlinked(cell)
        list_of_books = _READING.search(prose)
        end_of_prose = list_of_books.start() if list_of_books else len(prose)
        parts, place = list[str](), 0
        for start, end, term in finder.find(prose) if finder.terms and not reading else ():
            if start >= end_of_prose or term.name in seen:
                continue
            seen.add(term.name)
            parts += [prose[place:start], f"[{prose[start:end]}]{term.link}"]
            place = end
        reading = reading or bool(list_of_books)
        result.append("".join([*parts, prose[place:]]))
    return result


def number(path: Path) -> str:
    """The chapter's number: 01b of 01b_hearing.ipynb."""
    return path.stem.split("_")[0]


def with_links(path: Path, terms: Sequence[Term]) -> str:
    """The notebook as it is stored when its first uses are linked."""
    notebook = read(path)
    prose = [cell for cell in notebook["cells"] if cell["cell_type"] == "markdown"]
    for cell, text in zip(prose, linked([source_of(c) for c in prose], terms, number(path))):
        cell["source"] = text
    return dumps(clean(notebook))


def problems(path: Path, terms: Sequence[Term]) -> list[str]:
    """What is not linked where it is used first, or linked where it should not be."""
    cells = [source_of(c) for c in read(path)["cells"] if c["cell_type"] == "markdown"]
    found = []
    for place, (have, want) in enumerate(zip(cells, linked(cells, terms, number(path)))):
        if have != want:
            mine, wanted = (_LINK.findall(text) for text in (have, want))
            missing = [f"{word!r} is not linked" for word in wanted if word not in mine]
            wrong = [f"{word!r} is linked though not used first" for word in mine
                     if word not in wanted]  # fmt: skip
            told = "; ".join(missing + wrong) or "links to the glossary are not the present ones"
            found.append(f"text {place}: {told}")
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 if one lacks")
    parser.add_argument("chapters", type=Path, nargs="*")
    args = parser.parse_args()
    terms, failed = glossary(GLOSSARY.read_text(encoding="utf-8")), False
    for path in args.chapters or chapters():
        if args.check:
            for problem in problems(path, terms):
                print(f"{shown(path)}: {problem}; run: {MEND}")
                failed = True
        else:
            path.write_text(with_links(path, terms), encoding="utf-8")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
