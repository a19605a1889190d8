"""The codec in the page and the players in Firefox, which is not Chromium: in one window, in turn.

Without Firefox or a sound device for it the tests are skipped; with MINICODEC_REQUIRE_BROWSER=1
they fail instead.
"""

import re
from collections.abc import Iterator

import numpy as np
import playground_site
import pytest
import torch
from firefox import Firefox, launched_firefox

from minicodec import audio
from minicodec.bits.bitstream import compress, decompress
from minicodec.listening import compare
from minicodec.model.pretrained import load

pytestmark = pytest.mark.browser

RATE = 24000
PLAYER = "players/compare.html"

# What comes out of a page is heard on its way to the device.
EAR = """() => {
    const { connect } = AudioNode.prototype;
    AudioNode.prototype.connect = function (to, ...rest) {
        if (to instanceof AudioDestinationNode) {
            window.ear ??= new AnalyserNode(to.context, { fftSize: 4096 });
            connect.call(this, ear);
        }
        return connect.call(this, to, ...rest);
    };
}"""
# Notes if a page asks for what makes Firefox stand still now and then: see latency.mjs.
LATENCY = """() => {
    const get = () => { window.latencyAsked = true; };
    Object.defineProperty(AudioContext.prototype, "outputLatency", { get });
}"""
# True as soon as the peak of what is heard, over 90 ms, lies between two values.
HEARD = """(least, most) => {
    if (!window.ear) return false;
    const samples = new Float32Array(ear.fftSize);
    ear.getFloatTimeDomainData(samples);
    const peak = Math.max(...samples.map(Math.abs));
    return least <= peak && peak <= most;
}"""


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("site")
    playground_site.build(folder)
    tone = 0.4 * torch.sin(2 * torch.pi * 440 * torch.arange(4 * RATE) / RATE)
    (folder / PLAYER).parent.mkdir()
    compare({"original": tone, "half": tone / 2}, RATE, "A tone, twice").save(folder / PLAYER)
    with playground_site.serve(folder) as address:
        yield address


@pytest.fixture(scope="module")
def window() -> Iterator[Firefox]:
    with launched_firefox() as firefox:
        yield firefox


@pytest.fixture
def firefox(window) -> Iterator[Firefox]:
    """The window of all tests, in which nothing may go wrong."""
    yield window
    assert window.problems == []


class Page:
    """The playground with the codec open, as a reader has it before him."""

    def __init__(self, firefox: Firefox, address: str):
        self.firefox, self.address = firefox, address
        firefox.requests.clear()
        firefox.open(f"{address}/{playground_site.PAGE}")
        firefox.evaluate(EAR)
        firefox.evaluate(LATENCY)
        self.asked_before = list(firefox.requests)
        firefox.click(".mc-record")
        self.opened = self.said("is ready")

    def said(self, words: str) -> str:
        """What the page says, as soon as these words are in it."""
        return self.firefox.wait(
            """(words) => {
                const text = document.querySelector(".mc-said").textContent;
                return new RegExp(words).test(text) && text;
            }""",
            words,
        )

    def press(self, name: str) -> None:
        """A button, by what it says or is called."""
        self.firefox.wait(
            """(name) => {
                const named = (button) => button.ariaLabel ?? button.textContent;
                document.querySelector("#pressed")?.removeAttribute("id");
                const found = [...document.querySelectorAll(".mc-playground button")]
                    .find((button) => named(button).includes(name));
                if (found) found.id = "pressed";
                return Boolean(found);
            }""",
            name,
        )
        self.firefox.click("#pressed")

    def look(self, expression: str):
        """As soon as it is true, an expression about the `playground` and its `panel`."""
        return self.firefox.wait(
            f"""() => {{
                const {{ playground }} = document.querySelector(".mc-playground");
                const {{ panel }} = playground;
                return {expression};
            }}"""
        )

    def choose(self, title: str) -> str:
        self.firefox.evaluate(
            """(title) => {
                const clips = document.querySelector("[aria-label='A sound of the book']");
                clips.value = [...clips.options].find((option) => option.text === title).value;
                clips.dispatchEvent(new Event("change"));
            }""",
            title,
        )
        return self.said(f"^{title}, .*real time")

    def slide(self, name: str, value: float) -> None:
        self.firefox.evaluate(
            """(name, value) => {
                const label = [...document.querySelectorAll(".mc-playground label")]
                    .find((each) => each.textContent === name);
                label.control.value = value;
                label.control.dispatchEvent(new Event("input"));
            }""",
            name,
            value,
        )

    def rendered(self) -> np.ndarray:
        """All samples that the page would save."""
        return np.float32(
            self.look('playground.client.ask("render").then(({ audio }) => [...audio])')
        )


@pytest.fixture(scope="module")
def opened(window, site) -> Page:
    return Page(window, site)


@pytest.fixture
def page(firefox, opened) -> Iterator[Page]:
    yield opened
    opened.look("(playground.stop(), playground.setLoop(false), playground.choose(false), true)")
    opened.look("(playground.knobs.turn({ kept: 8, bitsDamaged: 0 }), true)")
    opened.look("(playground.knobs.release(), true)")


def test_it_loads_when_asked_and_from_its_own_folder_alone(page):
    assert re.search(r"mini_24khz is ready: fetched in .* s, opened in .* s", page.opened)
    scripts = [address for address in page.asked_before if address.endswith((".js", ".css"))]
    assert scripts and not [each for each in page.asked_before if "runtime" in each]
    assert [each for each in page.firefox.requests if "runtime" in each]
    elsewhere = [each for each in page.firefox.requests if not each.startswith(page.address)]
    assert elsewhere == []


def test_it_encodes_plays_and_switches_in_mid_note(page):
    said = page.choose("Speech, English")
    assert float(re.search(r"([\d.]+) × real time", said)[1]) > 0
    page.press("Loop")
    page.press("Play")
    page.look("playground.mode === 'playing' && playground.place > 1")
    page.firefox.wait(HEARD, 0.05, 1)
    # With nothing left of the codec's sound, what is heard is the original.
    for k in range(8):
        page.press(f"Mute codebook {k + 1}")
    page.firefox.wait(HEARD, 0, 0.01)
    page.press("Original")
    page.firefox.wait(HEARD, 0.05, 1)
    page.press("Codec")
    page.firefox.wait(HEARD, 0, 0.01)
    page.press("All on")
    page.firefox.wait(HEARD, 0.05, 1)
    page.press("Pause")
    page.look("playground.mode === 'idle'")


def test_knobs_change_what_they_say(page):
    page.choose("Drums")
    plain = page.rendered()
    page.press("1.5 kbps")
    page.look("panel.innerText.includes('Sent: 1.50 kbps packed')")
    page.look("panel.innerText.includes('2 of 16')")
    low = page.rendered()
    page.slide("Codebooks", 8)
    page.look("panel.innerText.includes('Sent: 6.00 kbps packed')")
    page.slide("Bits damaged", 20)
    page.look("panel.innerText.includes('20 per second')")
    damaged = page.rendered()
    assert np.abs(low - plain).max() > 0.01 and np.abs(damaged - plain).max() > 0.01


def test_python_decodes_what_it_saves(page):
    page.choose("Music")
    page.press("Save .mcdc")
    assert "minicodec decode reads it" in page.said("^Saved")
    file = page.firefox.next_saved()
    assert file.name == "Music.mcdc"
    theirs = decompress(file.read_bytes())
    assert theirs.shape == audio.clip("music", RATE).shape
    ours = page.rendered()
    assert ours.shape == theirs[0, 0].shape
    assert np.abs(ours - theirs[0, 0].numpy()).max() < 1e-3


def test_it_plays_what_python_saves(page):
    data = compress(load("mini_24khz"), audio.clip("drums", RATE), 3.0)
    page.firefox.evaluate(
        """(bytes) => {
            const { playground } = document.querySelector(".mc-playground");
            playground.takeFile(new File([Uint8Array.from(bytes)], "drums.mcdc"));
        }""",
        list(data),
    )
    assert f"{len(data)} bytes" in page.said(r"^drums\.mcdc: .* 4 codebooks$")
    assert np.abs(page.rendered() - decompress(data)[0, 0].numpy()).max() < 1e-3
    page.press("Loop")
    page.press("Play")
    page.firefox.wait(HEARD, 0.05, 1)


def test_it_is_live_and_ends_cleanly(page):
    page.press("Live")
    page.said("^Live: ")
    page.look("playground.place > 3")
    page.firefox.wait(HEARD, 0.01, 1)
    page.look("panel.querySelector('.mc-latency').innerText.includes('ms')")
    assert not page.firefox.evaluate("() => window.latencyAsked")
    page.look("(window.tracks = playground.player.stream.getTracks()).length")
    page.press("Stop")
    page.said("^Live ended after ")
    page.look("tracks.every((track) => track.readyState === 'ended')")
    page.firefox.wait(HEARD, 0, 0)
    page.choose("Noise")  # and the encoder is free for another sound


def test_players_switch_in_mid_note(firefox, site):
    firefox.requests.clear()
    firefox.open(f"{site}/{PLAYER}")
    firefox.evaluate(EAR)
    firefox.click(".mc-toggle")  # a loop, for a machine that is busy
    firefox.click(".mc-play")
    firefox.wait("() => document.querySelector('.mc-time').textContent > '0:00.1'")
    firefox.wait(HEARD, 0.39, 0.41)
    firefox.click(".mc-choice:nth-of-type(2)")
    firefox.wait(HEARD, 0.19, 0.21)
    pressed = "() => [...document.querySelectorAll('.mc-choice')].map((one) => one.ariaPressed)"
    assert firefox.evaluate(pressed) == ["false", "true"]
    firefox.click(".mc-choice")
    firefox.wait(HEARD, 0.39, 0.41)
    assert [each for each in firefox.requests if not each.startswith((site, "data:"))] == []


def test_players_say_so_where_no_sound_begins(firefox, site):
    firefox.open(f"{site}/{PLAYER}")
    firefox.evaluate(
        """() => {
            // As where there is no device: its time stands still. And we are not that patient.
            OfflineAudioContext.prototype.resume = async () => {};
            window.minicodecAudio = new OfflineAudioContext(1, 1, 48000);
            const { setTimeout } = window;
            window.setTimeout = (step) => setTimeout(step);
        }"""
    )
    firefox.click(".mc-play")
    firefox.wait("() => /begun no sound/.test(document.querySelector('[role=status]').textContent)")
