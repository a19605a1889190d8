"""The blind tests in a real browser: from the first click to a result on disk.

Without a browser the tests are skipped; with MINICODEC_REQUIRE_BROWSER=1 they fail instead.
"""

import csv
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from browsing import SLOW_STARTS, all_start_together, launched, new_context, places_of_a_loop

from minicodec.listening import abx, abx_p_value, analyse, fragment, mushra, read_abx

pytestmark = pytest.mark.browser

RATE = 24000
EVIL = '"><script>window.hacked = 1</script><img src=x onerror="window.hacked = 1">'


@pytest.fixture(scope="module")
def browser() -> Iterator:
    yield from launched()


@pytest.fixture(scope="module")
def pages(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("pages")
    t = torch.arange(RATE) / RATE
    x = 0.3 * torch.sin(2 * torch.pi * 440 * t)
    abx(x, x / 2, RATE, trials=5, title="Half as loud").save(folder / "abx.html")
    sounds = {"low": x, "high": 0.3 * torch.sin(2 * torch.pi * 1000 * t)}
    half = {name: sound / 2 for name, sound in sounds.items()}
    test = mushra({"half": half, EVIL: sounds}, sounds, RATE, title="Loudness")
    test.save(folder / "mushra.html", "Rate.")
    both = abx(x, -x, RATE, trials=5)._repr_html_() + test._repr_html_()
    fragment.save_page(folder / "both.html", "Two tests", "", both)
    return folder


@pytest.fixture
def tab(browser) -> Iterator:
    context = new_context(browser, viewport={"width": 900, "height": 900}, accept_downloads=True)
    page = context.new_page()
    page.problems = []
    page.on("pageerror", lambda error: page.problems.append(str(error)))
    page.on(
        "request",
        lambda request: (
            request.url.startswith(("file:", "data:")) or page.problems.append(request.url)
        ),
    )
    yield page
    assert page.problems == []
    context.close()


def opened(tab, pages: Path, name: str):
    tab.goto((pages / f"{name}.html").as_uri())
    return tab.locator(".minicodec-player").first


def step(figure, words: str) -> None:
    figure.locator(".mc-step", has_text=words).wait_for()


def saved(tab, figure, name: str, folder: Path) -> Path:
    with tab.expect_download() as download:
        figure.get_by_role("link", name=name).click()
    file = folder / download.value.suggested_filename
    download.value.save_as(file)
    return file


def copied(figure) -> str:
    """The results as the page gives them where no file can be saved."""
    return figure.get_by_label("Results as CSV").input_value()


# Which of the two sounds X is can be told from the sound alone: here, from its level.
HEARS = """
    window.heard = [];
    const start = AudioBufferSourceNode.prototype.start;
    AudioBufferSourceNode.prototype.start = function () {
        const samples = this.buffer.getChannelData(0);
        heard.push(samples.reduce((most, x) => Math.max(most, x), 0));
        start.apply(this, arguments);
    };"""
HEARD = "heard.splice(0).slice(-3)"  # of the last start: on a busy machine there may be several


def test_an_abx_run_by_keys_ends_in_a_file_that_python_agrees_with(tab, pages, tmp_path):
    tab.add_init_script(HEARS)
    figure = opened(tab, pages, "abx")
    assert figure.get_by_text("so 5 of 5 is what to reach").is_visible()
    figure.get_by_role("button", name="Start").click()
    truth = []
    for trial in range(1, 6):
        step(figure, f"Trial {trial} of 5")
        tab.keyboard.press("1")  # before X was heard, nothing can be said
        assert figure.get_by_role("button", name="Next trial").or_(
            figure.get_by_role("button", name="Show the result")).is_disabled()  # fmt: skip
        tab.keyboard.press("x")
        levels = tab.evaluate(HEARD)
        assert len(levels) == 3 and levels[0] == pytest.approx(2 * levels[2], rel=0.01)
        truth.append("A" if levels[1] == levels[0] else "B")
        right = truth[-1] == "A" if trial > 1 else truth[-1] != "A"  # one wrong answer
        tab.keyboard.press("1" if right else "2")
        assert "correct" not in figure.inner_text()
        tab.keyboard.press("Enter")
    step(figure, "4 of 5 correct")
    assert figure.get_by_text("p = 0.188").is_visible()

    table = saved(tab, figure, "Save CSV", tmp_path)
    rows = list(csv.DictReader(table.read_text().splitlines()))
    assert [row["x"] for row in rows] == truth
    assert [row["correct"] for row in rows] == ["0", "1", "1", "1", "1"]
    file = saved(tab, figure, "Save JSON", tmp_path)
    for given in (table, file, file.read_text(), {file.name: file.read_bytes()}, copied(figure)):
        assert read_abx(given, trials=5) == (4, 5, abx_p_value(4, 5))
    summary = json.loads(file.read_text())
    assert summary["p"] == abx_p_value(4, 5) and summary["title"] == "Half as loud"

    figure.get_by_role("button", name="Another test").click()
    assert figure.get_by_role("button", name="Start another test").is_visible()


def test_abx_answers_are_nowhere_in_the_page(tab, pages):
    """The page of a trial in which X is A, and of one in which it is B, are the same page."""
    tab.add_init_script(HEARS)
    seen = {}
    for _ in range(40):
        figure = opened(tab, pages, "abx")
        figure.get_by_role("button", name="Start").click()
        step(figure, "Trial 1")
        html = tab.evaluate("document.documentElement.outerHTML")
        tab.keyboard.press("x")
        a, x, _ = tab.evaluate(HEARD)
        seen["A" if x == a else "B"] = html
        if len(seen) == 2:
            break
    assert seen["A"] == seen["B"]
    assert figure.locator("audio").count() == 0
    assert tab.evaluate("Object.keys(window).filter(k => /abx|answer|trial/i.test(k))") == []


def test_a_mushra_run_ends_in_a_file_that_analyse_reads(tab, pages, tmp_path):
    figure = opened(tab, pages, "mushra")
    figure.get_by_label("Your name").fill("=Ada")
    figure.get_by_role("button", name="Start").click()
    names = []
    for sound in (1, 2):
        step(figure, f"Sound {sound} of 2")
        names.append(figure.locator(".mc-step").inner_text().partition(": ")[2])
        sliders = figure.get_by_role("slider", name="Rating of version")
        assert sliders.count() == 5
        go = figure.get_by_role("button", name=re.compile("Next sound|Finish"))
        for place in range(5):
            slider = sliders.nth(place)
            assert slider.is_disabled() and go.is_disabled()
            tab.keyboard.press(str(place + 1))
            assert slider.evaluate("s => s === document.activeElement")
            tab.keyboard.press("Home")
            for _ in range(place):
                tab.keyboard.press("PageUp")
            assert slider.get_attribute("aria-valuetext") == [
                "0, Bad", "10, Bad", "20, Poor", "30, Poor", "40, Fair"][place]  # fmt: skip
        go.click()
    step(figure, "Thank you")
    assert sorted(names) == ["high", "low"]
    assert tab.evaluate("window.hacked") is None

    file = saved(tab, figure, "Save CSV", tmp_path)
    rows = list(csv.DictReader(io.StringIO(file.read_text())))
    conditions = {"reference", "half", EVIL, "anchor 3.5 kHz", "anchor 7 kHz"}
    assert len(rows) == 10 and {row["listener"] for row in rows} == {"Ada"}
    for sound in ("1", "2"):
        mine = [row for row in rows if row["trial"] == sound]
        assert {row["condition"] for row in mine} == conditions
        assert [row["rating"] for row in mine] == ["0", "10", "20", "30", "40"]
    for given in (file, copied(figure)):
        with pytest.raises(ValueError, match="all 1 listeners were screened out"):
            analyse(given)
    for row in rows:
        row["rating"] = "95" if row["condition"] == "reference" else row["rating"]
    assert {score.condition for score in analyse(rows).scores} == conditions


def rate_all(figure) -> None:
    for place in range(5):
        figure.get_by_role("button", name=f"Version {place + 1}").click()
        figure.get_by_role("slider", name=f"Rating of version {place + 1}").fill("50")


def test_ratings_outlive_the_page_and_a_session_goes_on(tab, pages):
    figure = opened(tab, pages, "mushra")
    figure.get_by_label("Your name").fill("Bo")
    figure.get_by_role("button", name="Start").click()
    step(figure, "Sound 1 of 2")
    rate_all(figure)
    figure.get_by_role("button", name="Next sound").dblclick()
    step(figure, "Sound 2 of 2")
    figure = opened(tab, pages, "mushra")
    figure.get_by_role("button", name="Go on as Bo (1 left)").click()
    step(figure, "Sound 2 of 2")
    rate_all(figure)
    figure.get_by_role("button", name="Finish").click()
    step(figure, "Thank you")
    assert figure.get_by_text("1 session is stored in this browser").is_visible()
    assert figure.get_by_label("Results as CSV").input_value().count("Bo,") == 10
    figure.get_by_role("button", name="Delete them").click()
    figure.get_by_role("button", name="Really delete them?").click()
    step(figure, "2 sounds")
    figure = opened(tab, pages, "mushra")
    assert figure.get_by_role("button", name="Delete them").count() == 0


@pytest.mark.parametrize("late", [0, 2])
@pytest.mark.parametrize(
    ("name", "first", "versions"), [("abx", "Trial 1", 3), ("mushra", "Sound 1", 6)]
)
def test_all_versions_start_at_one_moment_of_the_audio_clock(
    tab, pages, name, first, versions, late
):
    """On a machine so busy that the moment passes before all are armed, twice, they try again."""
    tab.add_init_script(SLOW_STARTS)
    figure = opened(tab, pages, name)
    figure.get_by_role("button", name="Start").click()
    step(figure, first)
    press = figure.get_by_role("button", name="Play", exact=True).click
    all_start_together(tab, press, figure, late, versions)


def test_two_tests_on_a_page_take_turns(tab, pages):
    opened(tab, pages, "both")
    first, second = tab.locator(".minicodec-player").all()
    for figure in (first, second):
        figure.get_by_role("button", name="Start").click()
        figure.get_by_role("button", name="Play").click()
        figure.get_by_role("button", name="Pause").wait_for()
    first.get_by_role("button", name="Play").wait_for()


def test_the_loop_can_be_a_part(tab, pages):
    figure = opened(tab, pages, "abx")
    figure.get_by_role("button", name="Start").click()
    step(figure, "Trial 1")
    box = figure.get_by_role("slider").bounding_box()
    tab.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 9)
    tab.mouse.down()
    tab.mouse.move(box["x"] + 0.7 * box["width"], box["y"] + 9, steps=3)
    tab.mouse.up()
    tab.keyboard.press("b")
    seen = places_of_a_loop(figure)
    assert min(seen) >= 0.45 and max(seen) <= 0.75 and len(set(seen)) > 1
    assert figure.get_by_role("button", name="B", exact=True).get_attribute("aria-pressed")


def test_without_scripts_a_sentence_and_plain_players_are_left(browser, pages):
    context = new_context(browser, java_script_enabled=False)
    page = context.new_page()
    for name, count in (("abx", 2), ("mushra", 10)):
        page.goto((pages / f"{name}.html").as_uri())
        assert page.get_by_text("A blind test needs scripts").is_visible()
        players = page.locator("audio[controls]")
        assert players.count() == count and players.first.is_visible()
    context.close()


def test_nothing_serious_is_found_by_axe(tab, pages):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")

    def check(where: str) -> None:
        for scheme in ("light", "dark"):
            tab.emulate_media(color_scheme=scheme)
            violations = axe.Axe().run(tab).response["violations"]
            serious = [
                (v["help"], [node["html"] for node in v["nodes"]])
                for v in violations
                if v["impact"] in ("serious", "critical")
            ]
            assert serious == [], f"{where}, {scheme}"

    figure = opened(tab, pages, "mushra")
    check("intro")
    figure.get_by_role("button", name="Start").click()
    for sound in (1, 2):
        step(figure, f"Sound {sound} of 2")
        rate_all(figure)
        if sound == 1:
            check("rating")
        figure.get_by_role("button", name=re.compile("Next sound|Finish")).click()
    step(figure, "Thank you")
    figure.locator("summary").first.click()
    check("result")
    figure = opened(tab, pages, "abx")
    figure.get_by_role("button", name="Start").click()
    figure.get_by_role("button", name="X", exact=True).click()
    figure.get_by_role("button", name="X is A").click()
    check("trial")


def test_a_phone_shows_it_whole(browser, pages):
    context = new_context(browser, viewport={"width": 360, "height": 740}, is_mobile=True)
    page = context.new_page()
    for name, words in (("abx", "Trial 1"), ("mushra", "Sound 1")):
        figure = opened(page, pages, name)
        figure.get_by_role("button", name="Start").click()
        step(figure, words)
        too_wide = page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        heights = figure.locator(".mc-choice, .mc-go, .mc-play, .mc-answer").evaluate_all(
            "all => all.map(e => e.getBoundingClientRect().height)"
        )
        assert too_wide <= 0 and min(heights) >= 44, name  # for a fingertip
    context.close()
