"""The diagrams in a real browser, on a phone and on a wide page, in light and dark."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from browsing import launched, new_context

from minicodec import diagrams
from minicodec.sound.drawing import Diagram

pytestmark = pytest.mark.browser

NAMES = [name for name in vars(diagrams) if not name.startswith("_") and name.islower()]
ALL: dict[str, Diagram] = {name: getattr(diagrams, name)() for name in NAMES}
STYLE = (Path(__file__).resolve().parents[2] / "book" / "_static" / "book.css").read_text()
#: What the theme of the book does to outputs in the dark.
SHEET = """html[data-theme=dark] .bd-content div.cell_output .text_html:not(:has(table.dataframe)) {
    background-color: #ced6dd; color: #222832; padding: .5rem; }"""
PAGE = """<!doctype html><html data-theme="{theme}"><meta name="viewport"
content="width=device-width"><style>body {{ margin: 0; padding: 0 1rem; background: {ground};
color: {ink}; }} {sheet} {style}</style><body class="bd-content">{outputs}</body></html>"""
OUTPUT = '<div class="cell_output"><div class="output text_html">{}</div></div>'
# Letters that lie outside their picture, with the browser's own font; and how small letters are.
LOOK = """() => [...document.querySelectorAll('svg')].map(svg => {
    const page = svg.getBoundingClientRect();
    const texts = [...svg.querySelectorAll('text')];
    const sizes = texts.map(t => parseFloat(getComputedStyle(t).fontSize) * page.width / 360);
    const out = texts.filter(t => {
        const box = t.getBoundingClientRect();
        return box.left < page.left - 1 || box.right > page.right + 1;
    });
    const sheet = getComputedStyle(svg.closest('.text_html')).backgroundColor;
    const inks = texts.filter(t => t.getAttribute('fill') === 'currentColor')
        .map(t => getComputedStyle(t).fill);
    return [page.width, Math.min(...sizes), out.map(t => t.textContent), sheet,
            [...new Set(inks)]];
})"""


@pytest.fixture(scope="module")
def browser() -> Iterator:
    yield from launched()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("width", "shown"), [(360, 328), (1000, 480)])
def test_they_are_read_everywhere(browser, width, shown, theme):
    ground, ink = (
        ("#fff", "rgb(34, 40, 50)") if theme == "light" else ("#121212", "rgb(206, 214, 221)")
    )
    outputs = "".join(OUTPUT.format(diagram._repr_html_()) for diagram in ALL.values())
    context = new_context(browser, viewport={"width": width, "height": 740})
    page = context.new_page()
    page.set_content(PAGE.format(theme=theme, ground=ground, ink=ink, sheet=SHEET, style=STYLE,
                                 outputs=outputs))  # fmt: skip
    seen = page.evaluate(LOOK)
    scrolled = page.evaluate("document.documentElement.scrollWidth")
    described = [page.get_by_role("img", name=str(d), exact=True).count() for d in ALL.values()]
    context.close()
    assert scrolled <= width
    assert described == [1] * len(ALL)
    for name, (wide, smallest, outside, sheet, inks) in zip(ALL, seen, strict=True):
        assert wide == shown, name
        assert smallest >= 10.9, name
        assert outside == [], name
        assert sheet == "rgba(0, 0, 0, 0)" and inks == [ink], name
