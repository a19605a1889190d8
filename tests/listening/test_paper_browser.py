"""Players on paper, in a real browser: every version has its picture, and nothing is left to press.

Without a browser the tests are skipped; with MINICODEC_REQUIRE_BROWSER=1 they fail instead.
"""

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from browsing import launched, new_context
from pypdf import PdfReader
from pypdf.generic import ContentStream

from minicodec.listening import Condition, compare, fragment

pytestmark = pytest.mark.browser

RATE = 24000
DRAWN = """() => [...document.querySelectorAll('.mc-panel .mc-mel')].every(canvas => {
    if (!canvas.width || !canvas.height) return false;
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    return data.some((value, i) => i > 3 && value !== data[i % 4]);
})"""


@pytest.fixture(scope="module")
def browser() -> Iterator:
    yield from launched()


@pytest.fixture(scope="module")
def page_of_two(tmp_path_factory) -> Path:
    """The second player is far below the screen."""
    t = torch.arange(2 * RATE) / RATE
    tone = 0.3 * torch.sin(2 * torch.pi * 440 * t)
    sounds = {"original": Condition(tone, 384), "noisy": tone + 0.01 * torch.randn(len(tone))}
    player = compare(sounds, RATE, "A tone")._repr_html_()
    file = tmp_path_factory.mktemp("paper") / "two.html"
    gap = '<div style="height: 9000px"></div>'
    fragment.save_page(file, "Two players", "", player + gap + player)
    return file


@pytest.fixture
def tab(browser, page_of_two) -> Iterator:
    context = new_context(browser, color_scheme="dark")
    page = context.new_page()
    page.goto(page_of_two.as_uri())
    yield page
    context.close()


def colours(image) -> list[tuple[int, int, int]]:
    """The colours of a picture in a PDF."""
    return [colour for _, colour in image.image.convert("RGB").getcolors(1 << 24)]


def drawn(sheet) -> list:
    """What is drawn on a sheet of a PDF, forms within it included."""
    found = list(ContentStream(sheet.get_contents(), sheet.pdf).operations)
    forms = sheet["/Resources"].get("/XObject", {}).values()
    for form in (reference.get_object() for reference in forms):
        if form["/Subtype"] == "/Form":
            found += ContentStream(form, sheet.pdf).operations
    return found


def test_pictures_are_drawn_though_nobody_scrolled_there(tab):
    tab.wait_for_function(DRAWN)


def test_each_version_has_its_picture_and_its_name_on_paper(tab):
    tab.wait_for_function(DRAWN)
    sheets = PdfReader(io.BytesIO(tab.pdf(print_background=True))).pages
    text = " ".join(sheet.extract_text() for sheet in sheets).replace("\xa0", " ")
    assert text.count("original") == text.count("noisy") == 2
    assert text.count("384 kbps") == 2
    for word in ("Loop", "Difference", "0:00", "Keys", "mel spectrogram"):
        assert word not in text, word
    images = [image for sheet in sheets for image in sheet.images]
    # The waveforms are lines, drawn anew on paper; the spectrograms are made of dots.
    assert len(images) == 4
    assert all(len(colours(image)) > 50 for image in images)
    waves = [operands for sheet in sheets for operands, name in drawn(sheet) if name == b"re"]
    assert len(waves) > 1000


def test_the_screen_is_afterwards_as_it_was(tab):
    tab.wait_for_function(DRAWN)
    before = tab.locator(".minicodec-player").first.evaluate("figure => figure.outerHTML")
    tab.pdf()
    assert tab.locator(".mc-sheet").count() == 0
    assert tab.locator(".minicodec-player").first.evaluate("f => f.outerHTML") == before
    tab.get_by_role("button", name="Play").first.wait_for()


def test_who_prints_by_program_can_wait_for_the_pictures(tab):
    waited = tab.evaluate("""async () => {
        const waits = [];
        document.dispatchEvent(new CustomEvent("minicodec-paper", { detail: waits }));
        await Promise.all(waits);
        return waits.length;
    }""")
    assert waited == 2
    assert tab.evaluate(DRAWN)


def test_a_question_for_ears_is_not_answered_on_paper(browser, tmp_path):
    """Its pictures would tell which sound is which."""
    noise = 0.1 * torch.randn(RATE)
    player = compare({"x": noise, "y": 2 * noise}, RATE, "Which?", pictures=False)._repr_html_()
    file = tmp_path / "blind.html"
    fragment.save_page(file, "A question", "", player)
    context = new_context(browser)
    page = context.new_page()
    page.goto(file.as_uri())
    page.wait_for_selector(".mc-panel")
    page.evaluate("""async () => {
        const waits = [];
        document.dispatchEvent(new CustomEvent('minicodec-paper', { detail: waits }));
        await Promise.all(waits);
        dispatchEvent(new Event('beforeprint'));
    }""")
    assert page.locator(".mc-sheet").count() == 0
    context.close()
