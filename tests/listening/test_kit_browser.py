"""The page of a class's test in a real browser: from the consent to a file that `pool` reads."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from browsing import launched, new_context

from minicodec.listening import abx, class_kit, headphones, mushra, pool

pytestmark = pytest.mark.browser

RATE = 24000
# What plays: the level of each channel, and of their sum, in each of three parts.
HEARS = """
    window.heard = [];
    const start = AudioBufferSourceNode.prototype.start;
    const level = (samples) => Math.hypot(...samples);
    AudioBufferSourceNode.prototype.start = function () {
        const { numberOfChannels, length } = this.buffer;
        const parts = [0, 1, 2].map((part) => {
            const cut = (c) => Array.from(this.buffer.getChannelData(c)
                .subarray(part * length / 3, (part + 1) * length / 3))
                .filter((_, i) => i % 4 === 0);
            const left = cut(0), right = cut(numberOfChannels - 1);
            return [level(left), level(right), level(left.map((x, i) => x + right[i]))];
        });
        heard.push({ numberOfChannels, parts });
        start.apply(this, arguments);
    };"""


@pytest.fixture(scope="module")
def browser() -> Iterator:
    yield from launched()


@pytest.fixture(scope="module")
def page_file(tmp_path_factory) -> Path:
    """Tones of a fifth of their length, so that nobody waits for them."""
    x = 0.3 * torch.sin(torch.arange(RATE // 2) / 9)
    tests = [
        mushra({"half": x / 2}, x, RATE, title="How close?", anchors=False),
        abx(x, x / 2, RATE, trials=5, title="Which is softer?"),
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(headphones, "SECONDS", 0.2)
        return class_kit(tmp_path_factory.mktemp("kit"), tests, title="A class's test")


@pytest.fixture
def tab(browser) -> Iterator:
    context = new_context(browser, viewport={"width": 900, "height": 900}, accept_downloads=True)
    page = context.new_page()
    page.problems = []
    page.on("pageerror", lambda error: page.problems.append(str(error)))
    page.on("request", lambda r: r.url.startswith(("file:", "data:"))
            or page.problems.append(r.url))  # fmt: skip
    page.add_init_script(HEARS)
    yield page
    assert page.problems == []
    context.close()


def step(tab, words: str) -> None:
    tab.locator(".mc-step", has_text=words).locator("visible=true").wait_for()


def agree(tab, page_file: Path, code: str = "") -> None:
    tab.goto(page_file.as_uri())
    step(tab, "Before you begin")
    if code:
        tab.get_by_label("Your code").fill(code)
    tab.get_by_role("button", name="I have read this").click()


def check_headphones(tab, ears: str, look=lambda: None) -> None:
    """All trials of one try; `ears` are headphones or loudspeakers."""
    step(tab, "Headphones")
    tab.get_by_role("button", name="Play the tone").click()
    tab.get_by_role("button", name="Check them").click()
    for trial in range(1, headphones.TRIALS + 1):
        step(tab, f"Which tone is the softest? {trial} of 6")
        choices = tab.get_by_role("group", name="The softest is").get_by_role("button")
        assert choices.first.is_disabled() and tab.get_by_role("button", name="Next").is_disabled()
        if trial == 1:
            look()
        tab.evaluate("heard.splice(0)")
        tab.get_by_role("button", name="Play the three tones").click()
        choices.first.and_(tab.locator(":enabled")).wait_for()
        heard = tab.evaluate("heard.at(-1)")
        assert heard["numberOfChannels"] == 2
        # Two ears of their own, or both channels at each ear.
        loud = [part[0] if ears == "headphones" else part[2] for part in heard["parts"]]
        choices.nth(loud.index(min(loud))).click()
        tab.get_by_role("button", name="Next").click()


def rate(tab) -> None:
    tab.get_by_role("button", name="Start").locator("visible=true").click()
    step(tab, "Sound 1 of 1")
    for place in (1, 2):
        tab.get_by_role("button", name=f"Version {place}").click()
        full = max(map(max, tab.evaluate("heard.at(-3).parts.map(p => [p[0]])")))
        mine = tab.evaluate(f"heard.at({place} - 3).parts[0][0]")
        tab.get_by_role("slider", name=f"Rating of version {place}").fill(
            "100" if mine > 0.9 * full else "40")  # fmt: skip
    tab.get_by_role("button", name="Finish").click()


def tell(tab) -> None:
    tab.get_by_role("button", name="Start").locator("visible=true").click()
    for trial in range(1, 6):
        step(tab, f"Trial {trial} of 5")
        tab.keyboard.press("x")
        a, x, _ = tab.evaluate("heard.slice(-3).map(h => h.parts[0][0])")
        tab.keyboard.press("1" if abs(a - x) < 0.01 * a else "2")
        tab.keyboard.press("Enter")


def save(tab, folder: Path) -> Path:
    step(tab, "Thank you")
    with tab.expect_download() as download:
        tab.get_by_role("link", name="Save CSV").click()
    file = folder / download.value.suggested_filename
    download.value.save_as(file)
    assert tab.get_by_label("Results as CSV").input_value() == file.read_text().replace(
        "\r\n", "\n"
    )
    return file


def test_two_listeners_one_with_loudspeakers(tab, page_file, tmp_path):
    agree(tab, page_file, "Ada")
    assert tab.locator(".mc-part").locator("visible=true").count() == 0
    check_headphones(tab, "headphones")
    step(tab, "6 of 6 right")
    tab.get_by_role("button", name="Go on to the test").click()
    assert tab.get_by_label("Your name").locator("visible=true").count() == 0
    assert tab.locator(".mc-part").locator("visible=true").count() == 1
    rate(tab)
    step(tab, "Part 2 of 2")
    tell(tab)
    ada = save(tab, tmp_path)
    assert ada.name.endswith("-Ada.csv")
    assert "minicodec-mushra" in str(tab.evaluate("Object.keys(localStorage)"))
    tab.get_by_role("button", name="Delete what this browser keeps").click()
    assert tab.evaluate("Object.keys(localStorage)") == []
    rows = list(csv.DictReader(io.StringIO(ada.read_text())))
    assert [row["part"] for row in rows] == (
        ["consent"] + ["headphones"] * 6 + ["mushra"] * 2 + ["abx"] * 5
    )

    agree(tab, page_file, "=Bo")
    check_headphones(tab, "loudspeakers")
    step(tab, "0 of 6 right")
    assert tab.get_by_role("button", name="Go on").count() == 0
    tab.get_by_role("button", name="Try again").click()
    check_headphones(tab, "loudspeakers")
    assert tab.get_by_text("the analysis will leave your answers out").is_visible()
    tab.get_by_role("button", name="Go on to the test").click()
    rate(tab)
    tell(tab)
    bo = save(tab, tmp_path)

    result = pool(tmp_path)
    assert result.listeners == ["Ada"]
    assert result.excluded == {bo.name: "Bo failed the headphone check: 0 of 6"}
    scores = {s.condition: s.mean for s in result.of("How close?").analysis.scores}
    assert scores == {"reference": 100, "half": 40}
    assert result.of("Which is softer?").results["Ada"].correct == 5


def test_who_reloads_goes_on_under_the_same_code_only(tab, page_file):
    tab.goto(page_file.as_uri())
    tab.evaluate("""() => {
        const { test } = document.querySelector('[data-minicodec=mushra]').dataset;
        localStorage.setItem(`minicodec-mushra-${test}`, JSON.stringify([
            { listener: 'Cy', session: '2026', left: [0], rows: [] }]));
    }""")
    for code, count in (("Cy", 1), ("Di", 0)):
        agree(tab, page_file, code)
        check_headphones(tab, "headphones")
        tab.get_by_role("button", name="Go on to the test").click()
        step(tab, "Part 1 of 2")
        assert tab.get_by_role("button", name="Go on as Cy").count() == count


def test_nothing_serious_is_found_by_axe_and_a_phone_shows_it_whole(browser, page_file):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    context = new_context(browser, viewport={"width": 360, "height": 740}, is_mobile=True)
    page = context.new_page()
    page.add_init_script(HEARS)

    def look() -> None:
        wide = page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        assert wide <= 0
        heights = page.locator("button").locator("visible=true").evaluate_all(
            "all => all.map(e => e.getBoundingClientRect().height)")  # fmt: skip
        assert min(heights) >= 44
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            found = axe.Axe().run(page).response["violations"]
            bad = [v["help"] for v in found if v["impact"] in ("serious", "critical")]
            assert bad == [], scheme

    page.goto(page_file.as_uri())
    look()
    page.get_by_role("button", name="I have read this").click()
    step(page, "Headphones")
    look()
    check_headphones(page, "headphones", look)
    step(page, "6 of 6")
    look()
    page.get_by_role("button", name="Go on to the test").click()
    step(page, "Part 1 of 2")
    look()
    rate(page)
    step(page, "Part 2 of 2")
    tell(page)
    step(page, "Thank you")
    look()
    context.close()


def test_without_scripts_all_of_it_can_be_read_and_played(browser, page_file):
    context = new_context(browser, java_script_enabled=False)
    page = context.new_page()
    page.goto(page_file.as_uri())
    assert page.get_by_text("Taking part is voluntary").is_visible()
    assert page.locator("audio[controls]").locator("visible=true").count() == 3 + 2 + 2
    context.close()
