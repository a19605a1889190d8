"""A browser for tests: found on this machine, or a skip that says what is missing.

With MINICODEC_REQUIRE_BROWSER=1, as in continuous integration, what is missing is a failure.
"""

import os
import shutil
from collections.abc import Iterator, Sequence

import pytest

BROWSERS = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]
# No autoplay flag: as for a reader, sound needs a click or a key first.
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--mute-audio"]


def unavailable(reason: str) -> None:
    if os.environ.get("MINICODEC_REQUIRE_BROWSER") == "1":
        pytest.fail(f"{reason} (and MINICODEC_REQUIRE_BROWSER=1 asks for this test)")
    pytest.skip(reason)


def launched(flags: Sequence[str] = FLAGS) -> Iterator:
    """The browser, closed afterwards: `yield from` it in a fixture."""
    path = next((p for p in map(shutil.which, BROWSERS) if p), None)
    if path is None:
        unavailable(f"no browser found; install one of {', '.join(BROWSERS)}")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(flags))
        yield browser
        browser.close()


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


def wait_until_it_plays(player, beyond: float = 0.1) -> None:
    for _ in range(100):
        if playing(player) and place(player) > beyond:
            return
        player.page.wait_for_timeout(20)
    raise AssertionError(f"not playing: at {place(player)} s")
