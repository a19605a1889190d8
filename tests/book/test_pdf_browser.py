"""Two pages of the built book on paper: all of the code, answers, pictures, numbers and links.

Without a built book or a browser the tests are skipped; with MINICODEC_REQUIRE_BROWSER=1 they fail.
"""

import re
import unicodedata
from collections.abc import Iterator

import check_book
import notebooks
import pdf
import pytest
from browsing import launched, new_context, unavailable
from pypdf import PdfReader

pytestmark = pytest.mark.browser

CHAPTER, GLOSSARY = "chapters/05_vector_quantization", "book/glossary"
#: What A4 leaves between its margins, in CSS pixels.
WIDTH = 673

# What is wider than the paper, or scrolls within its box; details that are shut.
CUT = """async () => {
    const waits = [];
    document.dispatchEvent(new CustomEvent("minicodec-paper", { detail: waits }));
    await Promise.all(waits);
    await window.MathJax?.startup?.promise;
    dispatchEvent(new Event("beforeprint"));
    const width = document.documentElement.clientWidth, found = [];
    for (const e of document.querySelectorAll("article *")) {
        if (!e.checkVisibility() || e.closest("mjx-assistive-mml, svg")) continue;
        const wide = e.getBoundingClientRect().right > width + 1;
        const scrolls = e.matches("pre, .cell_output, td") && e.scrollWidth > e.clientWidth + 1;
        if (wide || scrolls) found.push(`${e.tagName}: ${e.textContent.slice(0, 40)}`);
    }
    dispatchEvent(new Event("afterprint"));
    return found;
}"""


@pytest.fixture(scope="module")
def book(tmp_path_factory) -> PdfReader:
    if not (check_book.HTML / f"{CHAPTER}.html").is_file():
        unavailable("the book is not built; run: make book")
    target = tmp_path_factory.mktemp("pdf") / "two.pdf"
    try:
        pages = pdf.print_book(target, [CHAPTER, GLOSSARY], check_book.HTML)
    except pdf.NotPrinted as error:
        unavailable(str(error))
    reader = PdfReader(target)
    assert len(reader.pages) == pages > 10
    return reader


@pytest.fixture(scope="module")
def text(book) -> str:
    """All words, without the spaces between them, which a PDF does not keep, and ligatures."""
    return bare("".join(sheet.extract_text() for sheet in book.pages))


def bare(words: str) -> str:
    return re.sub(r"\s", "", unicodedata.normalize("NFKC", words))


def test_no_line_of_code_is_missing(text):
    """A line may go on over the page; then the foot and what is printed below it lie between."""
    soup = check_book.parsed(check_book.HTML / f"{CHAPTER}.html")
    cells = [
        cell.get_text() for cell in soup.select("div.cell:not(.tag_hide-input) div.cell_input pre")
    ]
    assert len(cells) > 10
    lines = [line for cell in cells for line in cell.splitlines() if line.strip()]
    assert [line for line in lines if bare(line) not in text] == []


def test_answers_are_open_and_hidden_code_is_left_out(text):
    soup = check_book.parsed(check_book.HTML / f"{CHAPTER}.html")
    folded = soup.select("details:not(.hide) p")
    assert len(folded) >= 3
    for answer in folded:
        for formula in answer.select(".math"):
            formula.replace_with("$")
        words = max(answer.get_text().split("$"), key=len)
        assert bare(words)[:60] in text, words
    assert "Showcodecell" not in text and "diagrams.system(" not in text


def test_every_version_of_every_player_has_its_picture_name_and_address(book, text):
    soup = check_book.parsed(check_book.HTML / f"{CHAPTER}.html")
    players = soup.select('[data-minicodec="compare"]')
    labels = [label.get_text() for label in soup.select(".mc-sounds .mc-label")]
    assert len(players) >= 2 and len(labels) >= 8
    for label in labels:
        assert bare(label) in text
    assert text.count("Tohearonthepage:https://") == len(players)
    spectrograms = [
        image.image.convert("RGB").getcolors(1 << 24)
        for sheet in book.pages
        for image in sheet.images
        if image.image.size == (480, 80)
    ]
    # Equal pictures are kept once, each has many colours, and a question for ears has none.
    pictured = soup.select("[data-minicodec='compare']:not([data-blind]) .mc-sounds .mc-label")
    assert 0 < len(pictured) < len(labels) and len(spectrograms) == len(pictured)
    assert all(len(colours) > 50 for colours in spectrograms)
    for word in ("0:00.0", "Loop", "Difference", "Sameloudness"):
        assert word not in text


def test_it_begins_with_a_title_and_contents_and_numbers_its_sheets(book):
    first, contents, *rest = [sheet.extract_text() for sheet in book.pages]
    assert "minicodec" in first and "https://" in first
    numbers = {
        line.rsplit(" ", 1)[0] if " " in line else line: line for line in contents.splitlines()
    }
    assert any("05 Vector quantization" in name for name in numbers)
    for number, sheet in enumerate(rest, 3):
        assert sheet.split()[-1] == str(number)
    part, (chapter,), *_ = book.outline
    assert (part.title, chapter.title) == ("From sound to bits", "05 Vector quantization")
    assert book.get_destination_page_number(chapter) == 2
    glossary = book.outline[-1][0]
    assert str(book.get_destination_page_number(glossary) + 1) in contents


def test_links_lead_to_the_very_place_within_the_pdf(book):
    glossary = book.get_destination_page_number(book.outline[-1][0])
    sheets = {sheet.indirect_reference.idnum: at for at, sheet in enumerate(book.pages)}
    terms, elsewhere = set(), []
    for at, sheet in enumerate(book.pages):
        for note in (reference.get_object() for reference in sheet.get("/Annots", [])):
            if "/Dest" in note:
                goal, _, _, top, _ = note["/Dest"]
                if 1 < at < glossary and sheets[goal.indirect_reference.idnum] >= glossary:
                    terms.add((sheets[goal.indirect_reference.idnum], float(top)))
            else:
                elsewhere.append(str(note["/A"]["/URI"]))
    assert len(terms) > 10, "terms lead to different places of the glossary"
    assert not [uri for uri in elsewhere if not uri.startswith("https://")]


@pytest.fixture(scope="module")
def browser() -> Iterator:
    yield from launched()


@pytest.mark.parametrize("page", [CHAPTER, "book/model-card"])
def test_nothing_is_wider_than_the_paper(browser, page):
    if not (check_book.HTML / f"{page}.html").is_file():
        unavailable("the book is not built; run: make book")
    context = new_context(browser, viewport={"width": WIDTH, "height": 900}, color_scheme="dark")
    tab = context.new_page()
    tab.emulate_media(media="print")
    tab.goto((check_book.HTML / f"{page}.html").as_uri())
    assert tab.evaluate(CUT) == []
    assert tab.evaluate("document.documentElement.dataset.theme") == "dark"  # as before
    spoilt = ".bd-content article pre { white-space: pre !important; font-size: 20px; }"
    tab.add_style_tag(content=spoilt)
    assert page != CHAPTER or tab.evaluate(CUT) != [], "what is cut would not be seen"
    context.close()


def test_what_is_missing_is_said_in_a_sentence(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["pdf.py", str(tmp_path / "x.pdf"), "chapters/99_no"])
    assert pdf.main() == 1
    assert "There is no page chapters/99_no in " in capsys.readouterr().out
    if (check_book.HTML / f"{GLOSSARY}.html").is_file():
        monkeypatch.setattr(pdf, "BROWSERS", ())
        with pytest.raises(pdf.NotPrinted, match="needs a browser"):
            pdf.print_book(tmp_path / "x.pdf", [GLOSSARY], check_book.HTML)
    assert not (tmp_path / "x.pdf").exists()


def test_every_page_of_the_contents_belongs_to_a_part():
    import pdf_join

    names = [name for _, part in pdf_join.parts() for name in part]
    assert names == check_book.toc_pages()
    assert notebooks.chapters()
