"""The built book in a real browser, with every other host out of reach.

Run by `make test` after the book is built. Without a browser or a built book the tests are skipped;
with MINICODEC_REQUIRE_BROWSER=1 they fail instead.
"""

import re
from collections.abc import Iterator

import playground_site
import pytest
from browsing import HANGS, launched, new_context, unavailable
from check_book import HTML, toc_pages

pytestmark = pytest.mark.browser

PAGES = toc_pages()
# Sounds may play unasked: here it only matters that each can.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--autoplay-policy=no-user-gesture-required",
]

# Players may sit in a shadow root, where querySelectorAll does not look.
FIND_AUDIO = """
const find = root => [...root.querySelectorAll('*')].flatMap(
    e => [...(e.tagName === 'AUDIO' ? [e] : []), ...(e.shadowRoot ? find(e.shadowRoot) : [])]);
"""
PLAY_ALL = f"""async () => {{
    {FIND_AUDIO}
    const until = async test => {{
        const hangs = performance.now() + {HANGS};
        while (!test() && performance.now() < hangs) await new Promise(r => setTimeout(r, 25));
        return test();
    }};
    const problems = [], players = find(document);
    for (const [i, audio] of players.entries()) {{
        const name = `audio ${{i}} (${{audio.getAttribute('aria-label') || audio.title || 'unnamed'}})`;
        audio.muted = true;
        if (audio.readyState === 0) audio.load();
        if (!await until(() => audio.duration > 0 && isFinite(audio.duration)))
            problems.push(`${{name}} has no duration: ${{audio.error?.message || audio.currentSrc.slice(0, 60)}}`);
        else {{
            const playing = audio.play().catch(e => problems.push(`${{name}}: ${{e.message}}`));
            if (!await until(() => audio.currentTime > 0)) problems.push(`${{name}} does not play`);
            audio.pause();
            await playing;
        }}
    }}
    return [players.length, problems];
}}"""  # noqa: E501

RAW_TEX = """async () => {
    await window.MathJax?.startup?.promise;
    return [...document.querySelectorAll('.math')].filter(
        e => !e.querySelector('mjx-container')).length;
}"""

# What scrolls within its own box may be wide; it is the page that must not scroll sideways.
TOO_WIDE = """() => {
    const width = document.documentElement.clientWidth;
    const wide = [...document.querySelectorAll('main *')].filter(
        e => e.getBoundingClientRect().right > width + 1 && !e.closest('pre, mjx-container'));
    return [document.documentElement.scrollWidth - width,
            wide.slice(0, 3).map(e => e.outerHTML.slice(0, 100))];
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator:
    if not (HTML / "index.html").exists():
        unavailable("the book is not built; run: make book")
    yield from launched(FLAGS)


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with playground_site.serve(HTML) as served:
        yield served


class Tab:
    """A page of the browser that reaches this machine alone and remembers what went wrong."""

    def __init__(self, context) -> None:
        self.errors: list[str] = []
        self.refused: list[str] = []
        self.page = context.new_page()
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        context.route("**/*", self.route)

    def route(self, route) -> None:
        url = route.request.url
        if url.startswith(("http://127.0.0.1:", "file:", "data:", "blob:")):
            route.continue_()
        else:
            self.refused.append(url)
            route.abort()


@pytest.fixture
def tab(browser) -> Iterator[Tab]:
    context = new_context(browser)
    yield Tab(context)
    context.close()


@pytest.mark.parametrize("page", PAGES)
def test_page_works_without_a_network(tab, address, page):
    response = tab.page.goto(f"{address}/{page}.html", wait_until="load")
    assert response.status == 200
    raw_tex = tab.page.evaluate(RAW_TEX)
    players, problems = tab.page.evaluate(PLAY_ALL)
    assert problems == []
    assert tab.errors == []
    assert tab.refused == []
    assert raw_tex == 0, f"{raw_tex} formulas are shown as raw TeX"
    if page.startswith("chapters/"):
        assert players, "a chapter without a sound"


@pytest.mark.parametrize("page", PAGES)
def test_page_fits_a_phone_in_the_dark(browser, address, page):
    context = new_context(
        browser, viewport={"width": 360, "height": 740}, color_scheme="dark", is_mobile=True
    )
    tab = Tab(context)
    tab.page.goto(f"{address}/{page}.html", wait_until="load")
    assert tab.page.evaluate("document.documentElement.dataset.theme") == "dark"
    too_wide, suspects = tab.page.evaluate(TOO_WIDE)
    context.close()
    assert too_wide <= 0, f"{too_wide} px too wide for a phone, perhaps because of {suspects}"


def test_a_page_opens_from_the_disk(tab):
    page = next((page for page in PAGES if page.startswith("chapters/")), PAGES[0])
    tab.page.goto((HTML / f"{page}.html").as_uri(), wait_until="load")
    players, problems = tab.page.evaluate(PLAY_ALL)
    assert players > 0
    assert problems == []
    assert tab.errors == []


def test_the_playground_runs_in_the_book(tab, address):
    """What it does is tested elsewhere; here, that the book's own scripts and styles let it."""
    tab.page.goto(f"{address}/book/playground.html", wait_until="load")
    tab.page.get_by_role("button", name="Load the codec").click()
    tab.page.get_by_role("combobox", name="A sound of the book").select_option(label="Drums")
    tab.page.locator(".mc-said").filter(has_text="× real time").wait_for()
    tab.page.get_by_role("button", name="Play", exact=True).click()
    tab.page.wait_for_function("document.querySelector('.mc-playground').playground.place > 0.3")
    assert tab.errors == []
    assert tab.refused == []


@pytest.mark.parametrize(
    ("look", "width", "scheme"),
    [("wide", 1300, "light"), ("dark", 1300, "dark"), ("phone", 360, "light")],
)
@pytest.mark.parametrize("page", [p for p in PAGES if re.search("/00_|/14_|playground", p)])
def test_pictures_of_pages_for_people_to_look_at(browser, address, page, look, width, scheme):
    """Left in _build/screenshots, which CI keeps beside the built book."""
    context = new_context(browser, viewport={"width": width, "height": 1000}, color_scheme=scheme)
    tab = Tab(context)
    tab.page.goto(f"{address}/{page}.html", wait_until="load")
    tab.page.wait_for_timeout(1500)  # players draw their pictures
    target = HTML.parent / "screenshots" / f"{page.split('/')[-1]}_{look}.png"
    target.parent.mkdir(exist_ok=True)
    tab.page.screenshot(path=target, full_page=True)
    context.close()
    assert target.stat().st_size > 20_000
