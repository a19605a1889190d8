"""What reaches the device is what the file holds: tones through all players, in a real browser.

The page's audio context is replaced by one of a given rate that renders to memory, so that each
sample can be looked at. Without a browser the tests are skipped; with MINICODEC_REQUIRE_BROWSER=1
they fail instead.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pytest
import torch
from browsing import launched, new_context
from player_tones import measured

from minicodec.listening import abx, compare, mushra

pytestmark = pytest.mark.browser

AMPLITUDE = 0.5
FULL = 20 * np.log10(AMPLITUDE)
TURN = 0.4  # seconds for which each version is heard
TONES = {24000: [1000, 4000, 8000, 10000, 11000], 48000: [1000, 8000, 11000, 16000, 20000]}

DEVICE = """
    window.AudioContext = function () {
        const context = new OfflineAudioContext(1, Math.round(SECONDS * RATE), RATE);
        context.resume = async () => {}; // it runs when it is rendered
        return context;
    };"""
# Plays what the first button starts, and presses the others, one after another, while it plays.
HEARD = """async ([names, turn]) => {
    const all = [...document.querySelectorAll('.mc-choice, .mc-toggle')];
    const buttons = names.map((name) =>
        all.find((button) => (button.querySelector('.mc-name') ?? button).textContent === name));
    buttons[0].click();
    const label = document.querySelector('.mc-play');
    while (label.getAttribute('aria-label') !== 'Pause') await new Promise(requestAnimationFrame);
    const context = minicodecAudio;
    buttons.forEach((button, i) => i && context.suspend(i * turn).then(() => {
        button.click();
        OfflineAudioContext.prototype.resume.call(context);
    }));
    return [...(await context.startRendering()).getChannelData(0)];
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator:
    yield from launched()


def opened(browser, page: Path, rate: int, seconds: float, start: bool = False):
    """A page, in a browser on a device of this rate; of a blind test, its first step."""
    tab = new_context(browser).new_page()
    tab.problems = []
    tab.on("pageerror", lambda error: tab.problems.append(str(error)))
    tab.add_init_script(DEVICE.replace("RATE", str(rate)).replace("SECONDS", str(seconds)))
    tab.goto(page.as_uri())
    if start:
        tab.get_by_role("button", name="Start").click()
    tab.locator(".mc-choice").first.wait_for()
    return tab


def turns_of(tab, names: list[str], rate: int) -> list[np.ndarray]:
    """What is heard after each press of a button, without the fades between them."""
    samples = np.array(tab.evaluate(HEARD, [names, TURN]))
    assert tab.problems == []
    tab.context.close()
    parts = [samples[round(i * TURN * rate) :] for i in range(len(names))]
    return [part[round(0.05 * rate) : round((TURN - 0.01) * rate)] for part in parts]


def level(samples: np.ndarray, hz: float = 1000, rate: int = 48000) -> float:
    return measured(samples, hz, rate)[0]


def tones(rate: int, seconds: float = 2.5) -> dict[str, torch.Tensor]:
    time = torch.arange(round(seconds * rate), dtype=torch.float64) / rate
    return {
        f"{hz} Hz": (AMPLITUDE * torch.sin(2 * torch.pi * hz * time)).float() for hz in TONES[rate]
    }


def check(heard: Mapping[int, np.ndarray], rate: int) -> None:
    for hz, samples in heard.items():
        level, image = measured(samples, hz, rate)
        assert abs(level - FULL) < 0.05, f"{hz} Hz comes out at {level - FULL:+.2f} dB"
        assert image - FULL < -75, f"beside {hz} Hz there is another tone at {image - FULL:.1f} dB"


@pytest.mark.parametrize(("own", "device"), [(24000, 48000), (24000, 44100), (48000, 44100)])
def test_tones_come_out_of_a_comparison_as_they_went_in(browser, tmp_path, own, device):
    page = compare(tones(own), own).save(tmp_path / "page.html")
    tab = opened(browser, page, device, len(TONES[own]) * TURN)
    heard = turns_of(tab, list(tones(own)), device)
    check(dict(zip(TONES[own], heard)), device)


def test_tones_come_out_of_an_abx_test_as_they_went_in(browser, tmp_path):
    _, _, low, _, high = tones(24000).values()
    page = abx(low, high, 24000, trials=1).save(tmp_path / "page.html")
    tab = opened(browser, page, 48000, 3 * TURN, start=True)
    a, x, b = turns_of(tab, ["A", "X", "B"], 48000)
    check({8000: a, 11000: b}, 48000)
    assert min(np.abs(x - a).max(), np.abs(x - b).max()) < 0.01, "X is neither A nor B"


def test_tones_come_out_of_a_mushra_test_as_they_went_in(browser, tmp_path):
    _, _, low, _, high = tones(24000).values()
    page = mushra({"b": high}, low, 24000, anchors=False).save(tmp_path / "page.html")
    tab = opened(browser, page, 44100, 3 * TURN, start=True)
    heard = turns_of(tab, ["Reference", "Version 1", "Version 2"], 44100)
    check({8000: heard[0]}, 44100)
    levels = [[round(measured(each, hz, 44100)[0] - FULL) for hz in (8000, 11000)]
              for each in heard[1:]]  # fmt: skip
    assert sorted(level.index(0) for level in levels) == [0, 1], "one is the reference, one is b"


def test_a_sound_of_the_device_s_own_rate_is_left_as_it_is(browser, tmp_path):
    noise = 0.3 * torch.randn(48000).clamp(-3, 3)
    tab = opened(browser, compare({"noise": noise}, 48000).save(tmp_path / "p.html"), 48000, 1)
    (heard,) = turns_of(tab, ["noise"], 48000)
    start = round((0.05 - 0.02) * 48000)  # 0.02 s pass before the first sample
    assert np.abs(heard - noise[start : start + len(heard)].numpy()).max() < 2 / 32768


def test_same_loudness_turns_versions_in_mid_note(browser, tmp_path):
    tone = tones(24000)["1000 Hz"]
    page = compare({"a": tone, "faint": 0.1 * tone}, 24000).save(tmp_path / "page.html")
    names = ["a", "faint", "Same loudness", "a", "Same loudness"]
    tab = opened(browser, page, 48000, len(names) * TURN)
    a, faint, up, same, off = turns_of(tab, names, 48000)
    assert level(faint) == pytest.approx(level(a) - 20, abs=0.05)
    assert level(up) == pytest.approx(level(same), abs=0.05)
    assert level(off) == pytest.approx(level(same), abs=0.05)
    assert level(off) == pytest.approx(FULL, abs=0.1)


def test_same_loudness_clips_nothing_and_says_what_it_does(browser, tmp_path):
    tone = tones(24000)["1000 Hz"]
    clicks = 0.02 * tone
    clicks[::6000] = 0.8
    page = compare({"a": tone, "clicks": clicks}, 24000).save(tmp_path / "page.html")
    tab = opened(browser, page, 48000, 2 * TURN)
    button = tab.get_by_role("button", name="Same loudness")
    assert button.get_attribute("aria-pressed") == "false"
    button.press("m")
    assert button.get_attribute("aria-pressed") == "true"
    said = tab.get_by_role("status").inner_text()
    assert said.startswith("Same loudness on: a, turned down by ")
    down = float(said.removesuffix(" dB").rpartition(" ")[2])
    assert tab.locator(".mc-legend").inner_text().endswith(f"turned down by {down} dB")
    a, clicks = turns_of(tab, ["a", "clicks"], 48000)
    assert level(a) == pytest.approx(FULL - down, abs=0.1) and down > 1
    assert 0.9 < np.abs(clicks).max() < 1.05  # between the samples of the file it may be more


def test_same_loudness_is_offered_where_it_changes_something(browser, tmp_path):
    tone = tones(24000)["1000 Hz"]
    for sounds, matched in (({"one": tone}, False), ({"a": tone, "b": tone.flip(0)}, False),
                            ({"a": tone, "faint": 0.1 * tone}, True)):  # fmt: skip
        page = compare(sounds, 24000, match_loudness=matched).save(tmp_path / "page.html")
        tab = opened(browser, page, 48000, 1)
        tab.get_by_role("slider").press("m")
        assert not tab.locator(".mc-toggle", has_text="Same loudness").is_visible()
        assert tab.get_by_role("status").inner_text() == "" and tab.problems == []
        tab.context.close()
