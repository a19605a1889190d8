"""The player in a real browser: it starts at once, keeps time, obeys keys, and disturbs nobody.

The pages are fragments saved to a folder; the book need not be built. Without a browser the tests
are skipped; with MINICODEC_REQUIRE_BROWSER=1 they fail instead.
"""

import base64
import io
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import soundfile
import torch
from browsing import (
    SLOW_STARTS,
    all_start_together,
    chosen,
    launched,
    let_go,
    new_context,
    place,
    places_of_a_loop,
    playing,
    wait_until_it_plays,
)
from player_tones import measured

from minicodec.listening import Condition, compare, fragment
from minicodec.listening.microphone import recorder

pytestmark = pytest.mark.browser

RATE = 24000

EVIL = '"><script>window.hacked = 1</script><img src=x onerror="window.hacked = 1">'


@pytest.fixture(scope="module")
def browser() -> Iterator:
    yield from launched()


@pytest.fixture(scope="module")
def pages(tmp_path_factory) -> Path:
    """A folder with a page of one player and a page of two."""
    folder = tmp_path_factory.mktemp("pages")
    t = torch.arange(4 * RATE) / RATE
    tone = 0.3 * torch.sin(2 * torch.pi * 440 * t)
    sounds = {
        "original": Condition(tone, 384),
        "half": Condition(tone / 2, 6.01, "SI-SDR 3 dB"),
        EVIL: tone[: 3 * RATE],  # shorter than the others
    }
    one = compare(sounds, RATE, "A tone, three times", match_loudness=True)
    one.save(folder / "one.html", "Listen.")
    two = compare({"a": tone, "b": -tone}, RATE, "Two")._repr_html_() * 2
    fragment.save_page(folder / "two.html", "Two players", "", two)
    compare({"x": tone, "y": -tone}, RATE, pictures=False).save(folder / "blind.html")
    for name in ("first", "second", "third"):
        player = compare({"original": tone, name: tone / 2}, RATE, name)
        player.slot = "of a slider"
        (folder / f"{name}.fragment").write_text(player._repr_html_())
        player.save(folder / f"{name}.html")
    knob = compare({"none": tone, "one": tone / 2, "all": -tone}, RATE)
    knob.knob = "How many are turned"
    knob.save(folder / "knob.html")
    voice = recorder(1, RATE, "test", microphone=True)
    fragment.save_page(folder / "voice.html", "Your voice", "", voice)
    both = recorder(30, RATE, "test", microphone=True) + compare({"a": tone}, RATE)._repr_html_()
    fragment.save_page(folder / "both.html", "Your voice, and a tone", "", both)
    return folder


@pytest.fixture
def tab(browser) -> Iterator:
    context = new_context(browser, viewport={"width": 900, "height": 800})
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


def opened(tab, pages: Path, name: str = "one"):
    tab.goto((pages / f"{name}.html").as_uri())
    return tab.locator(".minicodec-player").first


def test_one_click_plays(tab, pages):
    player = opened(tab, pages)
    player.get_by_role("button", name="Play").click()
    wait_until_it_plays(player)
    assert player.get_by_role("status").inner_text() == "Playing original"
    player.get_by_role("button", name="Pause").click()
    stopped = place(player)
    let_go(tab)
    clock = tab.evaluate("minicodecAudio.currentTime")
    tab.wait_for_function("clock => minicodecAudio.currentTime > clock + 0.2", arg=clock)
    assert place(player) == stopped and not playing(player)


def test_a_click_on_a_version_plays_it_and_another_click_switches(tab, pages):
    player = opened(tab, pages)
    player.get_by_role("button", name="half").click()
    wait_until_it_plays(player, beyond=0.3)
    assert chosen(player) == [1]
    player.get_by_role("button", name="original").click()
    assert chosen(player) == [0] and playing(player)
    assert place(player) >= 0.3, "a switch went back to the beginning"


# As a notebook does it: what was there is taken away, and the next comes a moment later.
REPLACE = """async fragments => {
    const older = document.querySelector(".minicodec-player");
    const home = older.parentElement;
    let last = older;
    for (const text of fragments) {
        last.remove();
        await new Promise(requestAnimationFrame);
        home.append(document.createRange().createContextualFragment(text));
        last = home.querySelector(".minicodec-player:last-of-type");
    }
}"""
SOUNDING = "[...minicodecLatest.values()].map(p => [p.names[1], p.playing, p.source])"


def replaced(tab, pages: Path, *names: str):
    """The player that comes last, in the place of what there was."""
    tab.evaluate(REPLACE, [(pages / f"{name}.fragment").read_text() for name in names])
    player = tab.locator(".minicodec-player")
    player.get_by_role("button", name=names[-1]).wait_for()
    return player


@pytest.mark.parametrize("names", [["second"], ["second", "third"]])
def test_behind_a_slider_the_next_player_goes_on_where_the_last_one_was(tab, pages, names):
    player = opened(tab, pages, "first")
    player.get_by_role("button", name="first").click()
    wait_until_it_plays(player, beyond=0.5)
    let_go(tab)
    player = replaced(tab, pages, *names)
    wait_until_it_plays(player, beyond=0.5)
    assert chosen(player) == [1] and place(player) < 3
    assert tab.evaluate(SOUNDING) == [[names[-1], True, None]]
    # One press of the button, and nothing sounds any more.
    player.get_by_role("button", name="Pause").click()
    assert not playing(player) and tab.evaluate(SOUNDING) == [[names[-1], False, None]]


def test_behind_a_slider_choice_and_place_are_kept_in_silence_too(tab, pages):
    player = opened(tab, pages, "first")
    player.get_by_role("button", name="Play").focus()
    for key in ("2", "ArrowRight", "ArrowRight", "b", "ArrowRight"):
        tab.keyboard.press(key)
    player = replaced(tab, pages, "second")
    assert chosen(player) == [1] and place(player) == pytest.approx(1) and not playing(player)
    assert player.get_by_role("button", name="Loop").get_attribute("aria-pressed") == "true"
    player.get_by_role("button", name="Play").click()
    wait_until_it_plays(player, beyond=1.1)


def test_a_sound_whose_player_is_taken_away_stops(tab, pages):
    player = opened(tab, pages, "first")
    player.get_by_role("button", name="Play").click()
    wait_until_it_plays(player)
    let_go(tab)
    tab.evaluate("document.querySelector('.minicodec-player').remove()")
    tab.wait_for_function("![...minicodecLatest.values()][0].playing")


# Each version is a train of clicks at the same moments, of another height: so from the sound that
# comes out one can read both which version is heard and whether it is in time.
IN_TIME = """async () => {
    SCRIPT
    const rate = 48000, period = 2400, length = 2 * rate;
    const context = new OfflineAudioContext(1, length, rate);
    const buffers = [1, 0.5, 0.25].map(height => {
        const buffer = context.createBuffer(1, length, rate);
        for (let i = 0; i < length; i += period) buffer.getChannelData(0)[i] = height;
        return buffer;
    });
    const engine = new Engine(context, buffers);
    engine.start(0.1, LOOP);
    const turns = [[0.3, 1], [0.71, 2], [0.7125, 0], [1.3, 2], [1.61, 1]];
    for (const [when, which] of turns) {
        context.suspend(when).then(() => { engine.choose(which); context.resume(); });
    }
    const sound = (await context.startRendering()).getChannelData(0);
    const clicks = [];
    sound.forEach((value, i) => { if (value > 0.1) clicks.push([i, value]); });
    return clicks;
}"""


@pytest.mark.parametrize(
    ("loop", "count"), [("{}", 38), ("{ start: 0.1, end: 0.6, loop: true }", 40)]
)
def test_switching_keeps_time_to_the_sample(tab, pages, loop, count):
    opened(tab, pages)
    script = fragment.script("logic", "engine").removeprefix("(() => {").removesuffix("})();")
    clicks = tab.evaluate(IN_TIME.replace("SCRIPT", script).replace("LOOP", loop))
    starts = round(0.02 * 48000)
    assert len(clicks) == count
    # 0.1 s into the clip is click number two, so the first one sounds at the start.
    offsets = [sample - starts - 2400 * n for n, (sample, _) in enumerate(clicks)]
    assert max(map(abs, offsets)) <= 1, offsets  # of 48 samples that a millisecond has
    heard = [round(value, 3) for _, value in clicks]
    seconds = [sample / 48000 for sample, _ in clicks]
    for when, height in zip(seconds, heard):
        turns = [(0.3, 0.5), (0.7125, 1.0), (1.3, 0.25), (1.61, 0.5)]
        if all(not t <= when < t + 0.012 for t, _ in turns):  # not in the middle of a fade
            assert height == next((h for t, h in reversed(turns) if when >= t), 1.0), when


@pytest.mark.parametrize("late", [0, 2])
def test_all_versions_start_at_one_moment_of_the_audio_clock(tab, pages, late):
    """On a machine so busy that the moment passes before all are armed, twice, they try again."""
    tab.add_init_script(SLOW_STARTS)
    player = opened(tab, pages)
    press = player.get_by_role("button", name="Play").click
    all_start_together(tab, press, player, late, versions=3)


def test_keys(tab, pages):
    player = opened(tab, pages)
    player.get_by_role("slider").focus()
    keys = tab.keyboard
    keys.press("2")
    assert chosen(player) == [1] and not playing(player)
    keys.press("9")
    assert chosen(player) == [1]
    keys.press("ArrowDown")
    assert chosen(player) == [2]
    keys.press("ArrowUp")
    keys.press("ArrowUp")
    keys.press("ArrowUp")
    assert chosen(player) == [0]
    keys.press("ArrowRight")
    assert place(player) == 1.0
    assert player.get_by_role("slider").get_attribute("aria-valuetext") == (
        "1.0 seconds of 4.0 seconds"
    )
    keys.press("Space")
    wait_until_it_plays(player, beyond=1.1)
    before = place(player)
    keys.press("ArrowLeft")
    assert playing(player) and place(player) == pytest.approx(before - 1, abs=0.11)
    keys.press("Space")
    assert not playing(player)
    keys.press("Home")
    assert place(player) == 0.0
    keys.press("Control+2")
    assert chosen(player) == [0]


def test_a_slider_moves_through_the_versions(tab, pages):
    player = opened(tab, pages, "knob")
    slider = player.get_by_role("slider", name="How many are turned")
    assert player.get_by_role("button", name="none").count() == 0
    assert slider.get_attribute("aria-valuetext") == "none"
    slider.focus()
    tab.keyboard.press("ArrowRight")
    assert slider.get_attribute("aria-valuetext") == "one"
    wait_until_it_plays(player)
    assert player.locator(".mc-knob .mc-name").inner_text() == "one"
    assert "one: mel spectrogram" in player.locator(".mc-legend").inner_text()
    tab.keyboard.press("3")
    assert slider.input_value() == "2" and player.locator(".mc-knob .mc-name").inner_text() == "all"
    tab.keyboard.press("ArrowLeft")
    assert slider.input_value() == "1" and playing(player)
    before = place(player)
    tab.keyboard.press("Home")
    assert slider.input_value() == "0" and place(player) >= before  # not the beginning of the sound
    tab.keyboard.press("Space")
    assert not playing(player)
    box = slider.bounding_box()
    tab.mouse.click(box["x"] + box["width"] - 4, box["y"] + box["height"] / 2)
    assert slider.get_attribute("aria-valuetext") == "all"
    wait_until_it_plays(player)


def test_keys_elsewhere_do_nothing(tab, pages):
    player = opened(tab, pages)
    tab.keyboard.press("2")
    tab.keyboard.press("Space")
    assert chosen(player) == [0] and not playing(player)
    player.locator("summary").focus()
    tab.keyboard.press("Space")
    assert player.locator("details").get_attribute("open") == "" and not playing(player)
    player.get_by_role("button", name="Difference").focus()
    tab.keyboard.press("Space")
    assert not playing(player)
    assert "blue is missing" in player.locator(".mc-legend").inner_text()


def test_the_end_is_the_end_and_play_begins_again(tab, pages):
    player = opened(tab, pages)
    player.get_by_role("slider").focus()
    for _ in range(3):
        tab.keyboard.press("ArrowRight")
    tab.keyboard.press("Space")
    player.get_by_text("0:00.0 /").wait_for()
    assert not playing(player)
    assert tab.evaluate("minicodecAudio.currentTime") >= 1, "it ended before the end"


def drag(tab, player, start: float, end: float) -> None:
    box = player.get_by_role("slider").bounding_box()
    x, width, y = box["x"], box["width"], box["y"] + 20
    tab.mouse.move(x + start / 4 * width, y)
    tab.mouse.down()
    tab.mouse.move(x + end / 4 * width, y + 5, steps=3)
    tab.mouse.up()


def test_a_dragged_region_loops(tab, pages):
    player = opened(tab, pages)
    drag(tab, player, 2.0, 1.6)
    assert player.get_by_role("status").inner_text() == "Loop from 1.6 seconds to 2.0 seconds"
    player.get_by_role("button", name="Play").click()
    seen = places_of_a_loop(player)
    assert min(seen) >= 1.59 and max(seen) <= 2.01
    wait_until_it_plays(player)
    tab.keyboard.press("Escape")
    assert not player.locator(".mc-region").is_visible() and playing(player)


def test_a_region_by_keys_and_a_click_outside(tab, pages):
    player = opened(tab, pages)
    player.get_by_role("slider").focus()
    tab.keyboard.press("ArrowRight")
    tab.keyboard.press("a")
    tab.keyboard.press("ArrowRight")
    tab.keyboard.press("b")
    assert player.get_by_role("status").inner_text() == "Loop from 1.0 seconds to 2.0 seconds"
    assert player.get_by_role("button", name="Loop").get_attribute("aria-pressed") == "true"
    box = player.get_by_role("slider").bounding_box()
    tab.mouse.click(box["x"] + 0.75 * box["width"], box["y"] + 20)
    assert place(player) == pytest.approx(3, abs=0.05)
    assert not player.locator(".mc-region").is_visible()


def test_two_players_take_turns(tab, pages):
    opened(tab, pages, "two")
    first, second = tab.locator(".minicodec-player").all()
    first.get_by_role("button", name="Play").click()
    wait_until_it_plays(first)
    second.get_by_role("button", name="Play").click()
    wait_until_it_plays(second)
    assert not playing(first)
    second.focus()
    tab.keyboard.press("2")
    assert (chosen(first), chosen(second)) == ([0], [1])
    # The plain players inside take part too.
    first.locator("summary").click()
    first.locator("audio").first.evaluate("audio => audio.play()")
    second.get_by_role("button", name="Play").wait_for()
    assert tab.locator(".mc-panel").count() == 2, "a figure was upgraded twice"


def test_without_scripts_the_list_plays(browser, pages):
    context = new_context(browser, java_script_enabled=False)
    page = context.new_page()
    page.goto((pages / "one.html").as_uri())
    assert page.locator(".mc-panel").count() == 0
    players = page.locator("audio[controls]")
    assert players.count() == 3 and all(p.is_visible() for p in players.all())
    assert players.first.get_attribute("aria-label") == "original, 4.0 seconds"
    assert page.get_by_text("6.01 kbps, SI-SDR 3 dB").is_visible()
    context.close()


def test_sounds_that_cannot_be_decoded_leave_the_list(tab, pages):
    broken = re.sub('base64,[^"]{99}', "base64,AAAA", (pages / "one.html").read_text())
    (pages / "broken.html").write_text(broken)
    player = opened(tab, pages, "broken")
    player.locator("audio").first.wait_for(state="visible")
    assert player.locator(".mc-panel").count() == 0
    assert len(tab.problems) == 1 and "decode" in tab.problems.pop()


def test_labels_are_only_text(tab, pages):
    player = opened(tab, pages)
    player.get_by_role("button", name="Play").click()
    tab.keyboard.press("3")
    assert EVIL in player.get_by_role("status").inner_text()
    assert EVIL in player.locator(".mc-choice").nth(2).inner_text()
    assert tab.evaluate("window.hacked") is None


@pytest.mark.parametrize("name", ["one", "knob"])
def test_nothing_serious_is_found_by_axe(tab, pages, name):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    player = opened(tab, pages, name)
    if name == "one":
        player.get_by_role("button", name="half").click()
    player.get_by_role("button", name="Loop").click()
    tab.locator("summary").click()
    for scheme in ("light", "dark"):
        tab.emulate_media(color_scheme=scheme)
        violations = axe.Axe().run(tab).response["violations"]
        assert is_dark(player) == (scheme == "dark")
        serious = [v["help"] for v in violations if v["impact"] in ("serious", "critical")]
        assert serious == [], scheme


def is_dark(player) -> bool:
    color = player.evaluate("figure => getComputedStyle(figure).backgroundColor")
    return color != "rgb(255, 255, 255)"


UNMARK = ["class", "theme", "data-theme", "data-jp-theme-light"]


def test_it_is_dark_where_the_page_is(tab, pages):
    """The reader's system says the opposite each time; the page's word counts."""
    player = opened(tab, pages)
    root, body = "document.documentElement", "document.body"
    for dark, mark in [
        (True, f"{root}.dataset.theme = 'dark'"),
        (True, f"{root}.setAttribute('theme', 'dark')"),
        (True, f"{body}.dataset.jpThemeLight = 'false'"),
        (True, f"{body}.classList.add('vscode-dark')"),
        (False, f"{root}.dataset.theme = 'light'"),
        (False, f"{body}.dataset.jpThemeLight = 'true'"),
        (False, f"{body}.classList.add('vscode-light')"),
    ]:
        tab.emulate_media(color_scheme="light" if dark else "dark")
        tab.evaluate(mark)
        assert is_dark(player) == dark, mark
        tab.evaluate(f"[{root}, {body}].forEach(e => {UNMARK}.forEach(n => e.removeAttribute(n)))")


def test_a_phone_shows_it_whole(browser, pages):
    context = new_context(browser, viewport={"width": 360, "height": 740}, is_mobile=True)
    page = context.new_page()
    player = opened(page, pages)
    player.locator(".mc-panel").wait_for()
    too_wide = page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    heights = player.locator(".mc-choice, .mc-play").evaluate_all(
        "all => all.map(e => e.getBoundingClientRect().height)"
    )
    one_row = player.locator(".mc-bar").evaluate("bar => bar.clientHeight")
    context.close()
    assert too_wide <= 0
    assert min(heights) >= 44  # for a fingertip
    assert one_row < 60


def test_with_reduced_motion_the_cursor_rests_between_steps(browser, pages):
    context = new_context(browser, reduced_motion="reduce")
    page = context.new_page()
    player = opened(page, pages)
    player.get_by_role("button", name="Loop").click()
    player.get_by_role("button", name="Play").click()
    wait_until_it_plays(player)
    let_go(page)
    steps = page.evaluate("""() => new Promise(resolve => {
        const steps = [], cursor = document.querySelector('.mc-cursor');
        new MutationObserver(() => {
            if (steps.push(performance.now()) === 4) resolve(steps);
        }).observe(cursor, { attributes: true });
    })""")
    context.close()
    # A busy machine takes its steps later, never sooner.
    assert all(later - sooner > 400 for sooner, later in zip(steps, steps[1:])), steps


# Of the picture without its scale; `others` are those of other pictures, of which it must be none.
DRAWN = """others => {
    const canvas = document.querySelector('.mc-mel');
    const { data } = canvas.getContext('2d').getImageData(60, 0, canvas.width - 60, canvas.height);
    const sum = data.reduce((sum, value) => sum + value, 0);
    return others.includes(sum) ? 0 : sum;
}"""


def test_the_picture_is_drawn_and_follows_the_version(tab, pages):
    player = opened(tab, pages)
    player.locator(".mc-panel").wait_for()
    first = tab.wait_for_function(DRAWN, arg=[]).json_value()
    player.get_by_role("slider").focus()
    tab.keyboard.press("3")
    third = tab.wait_for_function(DRAWN, arg=[first]).json_value()
    player.get_by_role("button", name="Difference").click()
    tab.wait_for_function(DRAWN, arg=[first, third])
    assert player.get_by_role("img").get_attribute("aria-label").startswith("Difference")


def test_without_pictures_it_plays_and_seeks_and_there_is_nothing_to_look_at(tab, pages):
    player = opened(tab, pages, "blind")
    player.get_by_role("button", name="Play").click()
    wait_until_it_plays(player)
    tab.keyboard.press("2")
    assert player.get_by_role("status").inner_text() == "y"
    assert player.locator("canvas:visible, .mc-legend:visible").count() == 0
    assert player.get_by_role("button", name="Difference").count() == 0
    player.get_by_role("button", name="Pause").click()
    player.get_by_role("slider").click(position={"x": 1, "y": 5})
    assert place(player) < 0.1


LISTENING = """const field = document.createElement('p');
field.className = 'minicodec-inbox';
field.append(document.createElement('textarea'));
document.body.append(field);"""


def refused(name: str) -> str:
    return (
        "navigator.mediaDevices.getUserMedia = () => "
        f"Promise.reject(new DOMException('', '{name}'))"
    )


@pytest.mark.parametrize(
    ("situation", "words"),
    [
        ("", "No kernel is running here"),
        (LISTENING + refused("NotFoundError"), "No microphone was found"),
        (LISTENING + refused("NotAllowedError"), "was not allowed"),
        (LISTENING + refused("NotReadableError"), "in use by another program"),
        (
            LISTENING + "Object.defineProperty(navigator, 'mediaDevices', { value: undefined })",
            "may not use a microphone",
        ),
    ],
)
def test_a_microphone_that_fails_says_why(tab, pages, situation, words):
    figure = opened(tab, pages, "voice")
    tab.evaluate(f"() => {{ {situation} }}")
    figure.get_by_role("button", name="Record 1 second").click()
    figure.get_by_role("status").get_by_text(words).wait_for()
    assert figure.get_by_role("button", name="Record").is_visible()


# A phone that has audio sessions, and a microphone that hums, once it is allowed.
PHONE = """
    window.session = { type: 'auto' };
    Object.defineProperty(navigator, 'audioSession', { value: session });
    window.asked = [];
    navigator.mediaDevices.getUserMedia = () => new Promise((resolve) => {
        asked.push(session.type);
        window.allow = () => {
            const context = new AudioContext();
            const stream = new MediaStreamAudioDestinationNode(context);
            const tone = new OscillatorNode(context);
            tone.connect(stream);
            tone.start();
            resolve(stream.stream);
        };
    });"""


def test_a_phone_plays_though_it_is_mute_and_records_all_the_same(tab, pages):
    tab.add_init_script(PHONE)
    figure = opened(tab, pages, "both")
    player = tab.locator(".minicodec-player").nth(1)
    tab.evaluate(f"() => {{ {LISTENING} }}")
    assert tab.evaluate("session.type") == "auto", "before anything plays, it is not ours"
    player.get_by_role("button", name="Play").click()
    wait_until_it_plays(player)
    assert tab.evaluate("session.type") == "playback"
    button = figure.locator(".mc-record")
    button.dblclick()
    assert tab.evaluate("asked") == ["play-and-record"], "it asks once, in the right session"
    tab.evaluate("allow()")
    figure.get_by_role("button", name="Stop").wait_for()
    player.get_by_role("button", name="Pause").click()
    player.get_by_role("button", name="Play").click()
    wait_until_it_plays(player)
    assert tab.evaluate("session.type") == "play-and-record", "playing must not end the recording"
    button.click()
    figure.get_by_text("Sent to Python").wait_for()
    assert tab.evaluate("session.type") == "playback"


def test_a_microphone_that_is_refused_leaves_the_session_as_it_was(tab, pages):
    tab.add_init_script(PHONE)
    figure = opened(tab, pages, "voice")
    tab.evaluate(f"() => {{ {LISTENING} {refused('NotAllowedError')} }}")
    figure.locator(".mc-record").click()
    figure.get_by_text("was not allowed").wait_for()
    assert tab.evaluate("session.type") == "auto"


COLAB = """() => {
    const invokeFunction = async (name, [text]) => {
        window.sent = [name, text];
        return { data: { 'application/json': { message: 'Thank you.' } } };
    };
    window.google = { colab: { kernel: { invokeFunction } } };
}"""


@pytest.mark.parametrize("rate", [24000, 44100, 48000])
def test_tones_of_a_file_reach_python_as_they_were(tab, pages, tmp_path, rate):
    figure = opened(tab, pages, "voice")
    tab.evaluate(COLAB)
    for hz in (1000, 8000, 11000):
        tone = 0.5 * torch.sin(2 * torch.pi * hz * torch.arange(rate) / rate)
        soundfile.write(tmp_path / f"{hz}.wav", tone.numpy(), rate)
        tab.evaluate("window.sent = null")
        figure.locator("input[type=file]").set_input_files(tmp_path / f"{hz}.wav")
        tab.wait_for_function("window.sent")
        samples, _ = soundfile.read(io.BytesIO(base64.b64decode(tab.evaluate("sent[1]"))))
        level, image = measured(samples[2400:-2400], hz, RATE)
        assert level == pytest.approx(-6.02, abs=0.05) and image < -75, (hz, level, image)


def test_a_file_is_cut_and_sent_to_colab(tab, pages, tmp_path):
    soundfile.write(tmp_path / "stereo.flac", 0.1 * torch.randn(3 * 44100, 2).numpy(), 44100)
    (tmp_path / "not.wav").write_text("not a sound")
    figure = opened(tab, pages, "voice")
    tab.evaluate(COLAB)
    chooser = figure.locator("input[type=file]")
    chooser.set_input_files(tmp_path / "not.wav")
    figure.get_by_text("not audio that the browser can read").wait_for()
    assert tab.evaluate("window.sent") is None
    chooser.set_input_files(tmp_path / "stereo.flac")
    figure.get_by_text("Thank you. (its first 1 second)").wait_for()
    name, text = tab.evaluate("window.sent")
    samples, rate = soundfile.read(io.BytesIO(base64.b64decode(text)))
    assert (name, rate, samples.shape) == ("minicodec.test", RATE, (RATE,))
    assert 0.02 < samples.std() < 0.2
