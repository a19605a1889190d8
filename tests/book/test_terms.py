"""The glossary, and the links to it from the first use of each term in each chapter."""

import re

import pytest
from notebooks import ROOT, chapters, read, source_of
from terms import GLOSSARY, Finder, Term, glossary, linked, number, problems, unlinked

TERMS = glossary(GLOSSARY.read_text(encoding="utf-8"))
HOP = Term("hop length", "One step (of a frame). More.", ("hop length", "hop", "hops"), (), ())
TO_HOP = '(../book/glossary.md#hop-length "One step.")'


@pytest.mark.parametrize("path", chapters(), ids=lambda path: path.stem)
def test_every_term_is_linked_where_it_is_used_first(path):
    assert problems(path, TERMS) == [], "run: python tools/terms.py"


def test_the_glossary_is_in_order_and_says_each_thing_once():
    names = [term.name for term in TERMS]
    assert names == sorted(names, key=str.casefold)
    anchors = [term.anchor for term in TERMS]
    assert len(set(anchors)) == len(anchors)
    numbers = {number(path) for path in chapters()}
    taken: dict[tuple[str, str], str] = {}
    for term in TERMS:
        assert term.text, f"{term.name} is not explained"
        assert {*term.only, *term.never} <= numbers, f"{term.name}: no such chapter"
        for chapter in numbers:
            for form in term.forms if term.belongs(chapter) else ():
                other = taken.setdefault((chapter, form), term.name)
                assert other == term.name, f"{form!r} is {other} and {term.name} in {chapter}"


@pytest.mark.parametrize("term", TERMS, ids=lambda term: term.name)
def test_an_entry_is_short_and_its_tip_can_stand_alone(term):
    assert len(re.sub(r"\]\([^)]*\)", "]", term.text).split()) <= 60
    assert 10 <= len(term.tip) <= 170, term.tip
    assert not set('"()[]{}') & set(term.tip), term.tip


STANDARD = {"codebook collapse", "Lloyd's algorithm", "VQ-VAE", "GAN", "KLT", "DCT", "MDCT",
            "cross-entropy", "KL divergence", "masking", "critical band", "prior", "Huffman code",
            "anchor", "power of a test", "temperature", "ANS", "confidence interval"}  # fmt: skip


def test_standard_terms_have_an_entry_and_occur():
    missing = STANDARD - {term.name for term in TERMS}
    assert not missing, f"not in the glossary: {missing}"
    used = set()
    for path in chapters():
        finder = Finder(TERMS, number(path))
        for cell in read(path)["cells"]:
            if cell["cell_type"] == "markdown":
                used |= {term.name for *_, term in finder.find(unlinked(source_of(cell)))}
    assert not STANDARD - used, f"in no chapter: {STANDARD - used}"


@pytest.mark.parametrize(
    "prose",
    [
        "# Hop",
        "text\n## A hop length",
        "| hop | hops |\n|---|---|",
        "`hop` and ``a hop``",
        "```\nhop\n```",
        "$hop$, $$\nhop\n$$",
        "[a hop](x.md)",
        "![a hop](x.png)",
        "[![hop](x.svg)](y)",
        "<a title='hop'>",
        "<summary>A hop?</summary>",
        "https://x.org/hop",
        "hopping, multi-hop, hop-like",
        "## Further reading\n\n* Of hops",
    ],
)
def test_what_is_closed_to_links(prose):
    assert linked([prose], [HOP], "01") == [prose]


@pytest.mark.parametrize(
    ("prose", "found"),
    [
        ("A hop and a hop.", f"A [hop]{TO_HOP} and a hop."),
        ("Hops of one\nhop length.", f"[Hops]{TO_HOP} of one\nhop length."),
        ("the **hop\nlength**", f"the **[hop\nlength]{TO_HOP}**"),
        ("costs `$` and a hop, `$`", f"costs `$` and a [hop]{TO_HOP}, `$`"),
        ("the hop's end", f"the [hop]{TO_HOP}'s end"),
    ],
)
def test_the_first_use_is_linked_once_and_again(prose, found):
    assert linked([prose, "a hop"], [HOP], "01") == [found, "a hop"]
    assert linked([found, f"a [hop]{TO_HOP}"], [HOP], "01") == [found, "a hop"]
    assert unlinked(found) == prose


def test_longer_terms_come_first_and_chapters_are_kept():
    books = Term("codebook", "A list.", ("codebook",), (), ())
    collapse = Term("codebook collapse", "A fault.", ("codebook collapse",), ("05",), ())
    prose = ["Codebook collapse of a codebook"]
    to_list = '(../book/glossary.md#codebook "A list.")'
    to_fault = '(../book/glossary.md#codebook-collapse "A fault.")'
    both, one = linked(prose, [books, collapse], "05"), linked(prose, [books, collapse], "06")
    assert both == [f"[Codebook collapse]{to_fault} of a [codebook]{to_list}"]
    assert one == [f"[Codebook]{to_list} collapse of a codebook"]


def test_the_book_has_the_glossary():
    assert "book/glossary" in (ROOT / "_toc.yml").read_text(encoding="utf-8")
