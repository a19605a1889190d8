"""All slides of all decks in a real browser, from disk, with the keys of a lecturer.

The decks are made anew from the outputs that `make chapters` kept; without those, or without npm or
a browser, the tests are skipped, and fail with MINICODEC_REQUIRE_BROWSER=1.
"""

from collections.abc import Iterator
from pathlib import Path

import notebooks
import npm_package
import pytest
import slides
from browsing import HANGS, launched, new_context, unavailable, wait_until_it_plays

pytestmark = pytest.mark.browser

DECKS = [path.stem for path in notebooks.chapters()]
FRAME = {"width": 1280, "height": 720}
#: Nothing is made smaller than this to fit, or it is not read from the last row.
LEAST = 0.6

# Waits until the slide is laid out; then what is cut off, what it shows, and how small it is.
LOOK = """async () => {
    const slide = Reveal.getCurrentSlide();
    const hangs = performance.now() + HANGS;
    while (!slide.dataset.fitted && performance.now() < hangs)
        await new Promise(requestAnimationFrame);
    for (const fragment of slide.querySelectorAll('.fragment')) fragment.classList.add('visible');
    const frame = slide.getBoundingClientRect(), body = slide.querySelector('.body');
    const seen = e => e.checkVisibility() && e.getClientRects().length
        && !e.closest('.notes, .mc-status, mjx-assistive-mml, details:not([open]) > :not(summary)');
    const name = e => `${e.tagName} ${e.textContent.slice(0, 30)}`;
    const parts = [...slide.querySelectorAll('*')].filter(e => seen(e));
    const cut = parts.filter(e => {
        const { left, right, top, bottom } = e.getBoundingClientRect();
        // What stretches in a formula reaches beyond what is seen of it, up and down.
        const inside = e.closest('mjx-container') && !e.matches('mjx-container');
        return right > frame.right + 1 || left < frame.left - 1
            || (!inside && (bottom > frame.bottom + 1 || top < frame.top - 1));
    });
    const scrolls = parts.filter(e => e.matches('pre, table, figure, .body')
        && (e.scrollWidth > e.clientWidth + 1 || e.scrollHeight > e.clientHeight + 1)
        && !(e.matches('.body') && e.querySelector('mjx-container')));
    const text = body.cloneNode(true);
    for (const part of text.querySelectorAll('pre, code, figure')) part.remove();
    const type = parts.filter(e => e.matches('p, li, td, pre') && e.textContent.trim()).map(
        e => parseFloat(getComputedStyle(e).fontSize) * e.currentCSSZoom);
    return {
        cut: [...cut, ...scrolls].slice(0, 3).map(name),
        fitted: Number(slide.dataset.fitted),
        empty: !body.innerText.trim() && !body.querySelector('img, svg, canvas'),
        tex: /\\\\[([]/.test(text.textContent),
        type: Math.min(...type, 99),
        kind: slide.className.split(' ')[0],
        heading: slide.querySelector('h1, h2').innerText,
        last: Reveal.isLastSlide(),
        place: Reveal.getIndices(),
    };
}""".replace("HANGS", str(HANGS))

# A picture of which all dots have one colour was not drawn.
DRAWN = """canvas => {
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    const first = data.slice(0, 4).join();
    for (let i = 4; i < data.length; i += 4) if (data.slice(i, i + 4).join() !== first) return true;
    return false;
}"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    target = tmp_path_factory.mktemp("made") / "slides"
    try:
        slides.lay_out(target)
    except slides.NoOutputs as error:
        unavailable(str(error))
    except npm_package.PackageMissing as error:
        unavailable(f"there is no {error}")
    return target


@pytest.fixture(scope="module")
def browser() -> Iterator:
    yield from launched()


class Talk:
    """A deck on a screen, and what went wrong in it."""

    def __init__(self, context, deck: Path) -> None:
        self.page = context.new_page()
        self.problems: list[str] = []
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))
        self.page.on("request", self._note)
        self.page.goto(deck.as_uri())
        self.page.wait_for_function("window.Reveal?.isReady()")

    def _note(self, request) -> None:
        if not request.url.startswith(("file:", "data:", "blob:")):
            self.problems.append(f"asks for {request.url}")

    def press(self, key: str) -> None:
        self.page.keyboard.press(key)

    def look(self) -> dict:
        return self.page.evaluate(LOOK)

    def place(self) -> tuple[int, int]:
        at = self.page.evaluate("Reveal.getIndices()")
        return at["h"], at["v"]

    def go_to(self, selector: str) -> None:
        """To the first slide that holds this."""
        self.page.evaluate(
            """selector => {
                const slide = document.querySelector(`.slides ${selector}`).closest('section');
                const { h, v } = Reveal.getIndices(slide);
                Reveal.slide(h, v);
            }""",
            selector,
        )
        self.look()

    @property
    def player(self):
        return self.page.locator("section.present section.present .minicodec-player").first


@pytest.fixture
def talk(browser, folder) -> Iterator:
    context = new_context(browser, viewport=FRAME)
    opened = []

    def give(name: str) -> Talk:
        opened.append(Talk(context, folder / f"{name}.html"))
        return opened[-1]

    yield give
    context.close()
    assert [problem for talk in opened for problem in talk.problems] == []


@pytest.mark.parametrize("name", DECKS)
def test_every_slide_is_whole_and_every_player_plays(talk, name):
    deck, found, number, seen = talk(name), [], 0, []
    while True:
        number += 1
        slide = deck.look()
        seen.append(slide["kind"])
        where = f"slide {number} ({slide['heading']}, {slide['kind']})"
        if slide["cut"]:
            found.append(f"{where} is cut off at {slide['cut']}")
        if slide["fitted"] < LEAST or slide["type"] < 10.5:
            found.append(f"{where} is too small: {slide['fitted']}, {slide['type']:.1f} px")
        if slide["empty"] and slide["kind"] != "title":
            found.append(f"{where} is empty")
        if slide["tex"]:
            found.append(f"{where} shows raw TeX")
        if slide["kind"] == "player" and deck.player.get_attribute("data-minicodec") == "compare":
            pictures = deck.player.get_attribute("data-blind") is None  # else ears alone judge
            deck.player.locator(".mc-mel" if pictures else ".mc-views").wait_for()
            deck.press("2" if deck.player.locator(".mc-choice").count() > 1 else "p")
            wait_until_it_plays(deck.player, beyond=0.05)
            if pictures and not deck.player.locator(".mc-mel").evaluate(DRAWN):
                found.append(f"{where} has no picture")
        if slide["last"]:
            break
        deck.press("ArrowRight")
        deck.page.wait_for_function(
            "([h, v]) => { const at = Reveal.getIndices(); return at.h !== h || at.v !== v; }",
            arg=[slide["place"]["h"], slide["place"]["v"]],
        )
    assert found == []
    assert number == deck.page.evaluate("Reveal.getTotalSlides()") > 20
    assert {"title", "text", "player"} <= set(seen)


def test_what_is_wrong_with_a_slide_is_seen(talk):
    """The eyes of the test above, tried on slides that are spoilt."""
    deck = talk(DECKS[0])
    deck.go_to(".player .body")
    body = deck.page.locator("section.present section.present .body")
    assert deck.look()["cut"] == []
    deck.player.locator(".mc-mel").evaluate("canvas => { canvas.width = canvas.width; }")
    assert not deck.player.locator(".mc-mel").evaluate(DRAWN)
    body.evaluate("body => { body.style.marginTop = '600px'; }")
    assert deck.look()["cut"] != []
    body.evaluate("body => { body.style.marginTop = ''; body.innerHTML = '<p>$x$</p>'; }")
    assert deck.look()["cut"] == []
    body.evaluate(r"body => { body.innerHTML = '<p style=\'font-size: 9px\'>\\(x\\)</p>'; }")
    assert deck.look()["tex"] and deck.look()["type"] < 10.5
    body.evaluate("body => { body.innerHTML = `<pre>${'wide '.repeat(400)}</pre>`; }")
    assert deck.look()["cut"] != []
    body.evaluate("body => { body.innerHTML = ''; }")
    assert deck.look()["empty"]


def test_players_and_slides_share_the_keys(talk):
    deck = talk("06_residual_quantization")
    deck.go_to('[data-minicodec="compare"]')
    here = deck.place()
    deck.press("3")
    wait_until_it_plays(deck.player, beyond=0.05)
    pressed = deck.player.locator(".mc-choice[aria-pressed=true]")
    assert pressed.locator(".mc-key").inner_text() == "3"
    deck.press("p")
    deck.player.get_by_role("button", name="Play").wait_for()
    # A click leaves the keys to the slides; what comes with Tab has the player's own.
    deck.player.locator(".mc-choice").first.click()
    wait_until_it_plays(deck.player, beyond=0.05)
    deck.press("ArrowRight")
    assert deck.place() != here
    deck.press("ArrowLeft")
    assert deck.place() == here
    deck.player.get_by_role("button", name="Play").wait_for()  # what was left is silent
    deck.player.locator(".mc-slider").focus()
    deck.press("ArrowRight")
    deck.press("b")
    assert deck.place() == here
    assert not deck.page.evaluate("Reveal.isPaused()")
    assert deck.player.locator(".mc-region").is_visible()
    deck.press("PageDown")
    assert deck.place() != here
    assert deck.page.evaluate("document.activeElement === document.body")


def test_blind_tests_keep_their_keys_and_fit_at_each_step(talk):
    deck = talk("14_do_people_hear_it")
    for mode, keys in (("abx", "axb"), ("mushra", "0123")):
        deck.go_to(f'[data-minicodec="{mode}"]')
        here = deck.place()
        deck.player.get_by_role("button", name="Start").click()
        deck.player.locator(".mc-play").focus()
        for key in keys:
            deck.press(key)
            wait_until_it_plays(deck.player, beyond=0.05)
        deck.page.wait_for_timeout(300)  # the slide is fitted anew
        slide = deck.look()
        assert (slide["cut"], deck.place()) == ([], here), mode
        assert slide["fitted"] >= LEAST
        deck.press("PageDown")
        assert deck.place() != here


def test_an_answer_comes_with_the_next_key(talk):
    deck = talk("05_vector_quantization")
    deck.page.evaluate(
        """() => {
            const slide = document.querySelector('.fragment').closest('section');
            const { h, v } = Reveal.getIndices(slide);
            Reveal.slide(h, v, -1);
        }"""
    )
    answer = deck.page.locator("section.present section.present .fragment").first
    here = deck.place()
    assert answer.evaluate("line => getComputedStyle(line).visibility") == "hidden"
    deck.press("ArrowRight")
    deck.page.wait_for_function(
        "getComputedStyle(document.querySelector('.fragment')).visibility === 'visible'"
    )
    assert deck.place() == here
    deck.press("ArrowRight")
    assert deck.place() != here


def test_the_speaker_has_the_prose_in_notes(talk):
    deck = talk("05_vector_quantization")
    with deck.page.context.expect_page() as opened:
        deck.press("s")
    view = opened.value
    deck.press("ArrowRight")
    notes = view.locator(".speaker-controls-notes")
    notes.get_by_text("has no slope, is the subject of this chapter").wait_for()


@pytest.mark.parametrize("name", [DECKS[0], *DECKS[5:7], DECKS[-1]])
def test_pictures_of_slides_for_people_to_look_at(talk, name):
    """Left in _build/screenshots, which CI keeps: the first of a section, with its player."""
    deck = talk(name)
    target = notebooks.ROOT / "_build" / "screenshots"
    target.mkdir(parents=True, exist_ok=True)
    for kind in ("title", "player", "text", "code", "picture"):
        if deck.page.locator(f"section.{kind}").count():
            deck.go_to(f"section.{kind} .body")
            deck.page.screenshot(path=target / f"slide_{name}_{kind}.png")
