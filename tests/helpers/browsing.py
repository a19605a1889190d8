"""A browser for tests: found on this machine, or a skip that says what is missing.

With MINICODEC_REQUIRE_BROWSER=1, as in continuous integration, what is missing is a failure. The
same holds for node and for the network: MINICODEC_REQUIRE_NODE=1, MINICODEC_REQUIRE_NETWORK=1.

Tests wait for what should happen, never for a time, and where a sound must not run on while a test
looks at it they hold its clock. So they hold on a machine that is slow or busy.
"""

import os
import shutil
from collections.abc import Iterator, Sequence
from typing import NoReturn

import pytest

BROWSERS = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]
# No autoplay flag: as for a reader, sound needs a click or a key first.
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--mute-audio"]
HANGS = 120_000  # ms after which nothing will come any more, on the busiest machine


def unavailable(reason: str, what: str = "BROWSER") -> NoReturn:
    """Skip a test, or fail where its absence would hide something. what: BROWSER, NODE, NETWORK."""
    asks = f"MINICODEC_REQUIRE_{what}"
    if os.environ.get(asks) == "1":
        pytest.fail(f"{reason} (and {asks}=1 asks for this test)")
    pytest.skip(reason)


def launched(flags: Sequence[str] = FLAGS) -> Iterator:
    """The browser, closed afterwards: `yield from` it in a fixture."""
    path = next((p for p in map(shutil.which, BROWSERS) if p), None)
    if path is None:
        unavailable(f"no browser found; install one of {', '.join(BROWSERS)}")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(flags), timeout=HANGS)
        yield browser
        browser.close()


def new_context(browser, **options):
    """A window of its own, which gives a busy machine its time."""
    context = browser.new_context(**options)
    context.set_default_timeout(HANGS)
    return context


def place(player) -> float:
    minutes, seconds = player.locator(".mc-time").inner_text().split(" / ")[0].split(":")
    return 60 * int(minutes) + float(seconds)


def chosen(player) -> list[int]:
    pressed = player.locator(".mc-choice").evaluate_all(
        "all => all.map(b => b.getAttribute('aria-pressed'))"
    )
    return [i for i, value in enumerate(pressed) if value == "true"]


def playing(player) -> bool:
    return player.locator(".mc-play").get_attribute("aria-label") == "Pause"


# Looked at in the page, frame by frame: a test that looks from outside may be late.
LOOK = """
    const label = figure.querySelector('.mc-play');
    const shown = figure.querySelector('.mc-time, .mc-clock');
    const place = () => {
        const [minutes, seconds] = shown.textContent.split(' / ')[0].split(':').map(Number);
        return 60 * minutes + seconds;
    };
    const hangs = performance.now() + HANGS;
    const frame = () => {
        if (performance.now() > hangs) throw new Error(`not playing: at ${shown.textContent}`);
        return new Promise(requestAnimationFrame);
    };
""".replace("HANGS", str(HANGS))
PLAYS = f"""async (figure, beyond) => {{
    {LOOK}
    while (label.getAttribute('aria-label') !== 'Pause' || place() <= beyond) await frame();
    await minicodecAudio.suspend();
}}"""
ROUNDS = f"""async (figure, turns) => {{
    {LOOK}
    const seen = [place()];
    while (turns > 0) {{
        await frame();
        if (place() < seen.at(-1)) turns--;
        if (place() !== seen.at(-1)) seen.push(place());
    }}
    return seen;
}}"""


# Notes when each source starts, and wastes so much time between the first and the second of a group
# that the moment of their start passes: as often as `late` says.
SLOW_STARTS = """
    window.starts = [];
    window.late = 0;
    const start = AudioBufferSourceNode.prototype.start;
    AudioBufferSourceNode.prototype.start = function (when, offset) {
        const { context } = this;
        if (late > 0 && starts.length % 3 === 1) {
            late--;
            while (context.currentTime <= when);
        }
        starts.push([when, offset, this.buffer.duration, context.currentTime]);
        start.apply(this, arguments);
    };"""


def all_start_together(page, press, player, late: int, versions: int) -> None:
    """Press play on a machine that is too busy `late` times: all versions begin at once.

    The page was opened with `SLOW_STARTS`; `versions` is a multiple of three.
    """
    press()
    wait_until_it_plays(player)  # the clock runs only now, as it must for the busy loop to end
    player.get_by_role("button", name="Pause").click()
    let_go(page)
    page.evaluate("late => { window.late = late; window.starts = []; }", late)
    press()
    wait_until_it_plays(player, beyond=0.3)
    starts = page.evaluate("starts")
    assert len(starts) >= (versions if late == 0 else 2 * versions)
    assert len(starts) % versions == 0
    armed = starts[-versions:]
    assert len({(when, offset, length) for when, offset, length, _ in armed}) == 1
    assert all(now < when for when, _, _, now in armed), "one began before all were armed"


def wait_until_it_plays(player, beyond: float = 0.1) -> None:
    """Wait until it is beyond a place, then hold the clock of all sounds.

    So nothing ends while a slow test looks at it. The clock runs again with `let_go`, or with the
    next press of a button that starts a sound.
    """
    player.evaluate(PLAYS, beyond)


def let_go(page) -> None:
    """Let the clock of all sounds run."""
    page.evaluate("minicodecAudio.resume()")


def places_of_a_loop(player, turns: int = 2) -> list[float]:
    """The places that a player shows until its loop has gone round."""
    return player.evaluate(ROUNDS, turns)
