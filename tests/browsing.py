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
