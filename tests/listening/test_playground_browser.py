"""The codec in the page, in a real browser with a microphone that is a file.

The page is a small site of its own (tests/helpers/playground_site.py); the book need not be built.
"""

import io
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import playground_site
import pytest
import soundfile
import torch
from browsing import FLAGS, HANGS, launched, new_context
from in_pieces import assert_same_codes

import minicodec
from minicodec import audio
from minicodec.bits.bitstream import compress, decompress

pytestmark = pytest.mark.browser

RATE = 24000
SAID = ".mc-said"
FOCUSED = "node => node === document.activeElement"


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Under a path of its own, as on a host that serves several books."""
    place = tmp_path_factory.mktemp("site")
    playground_site.build(place / "books" / "codec")
    return place


@pytest.fixture(scope="module")
def site(folder) -> Iterator[str]:
    with playground_site.serve(folder) as address:
        yield f"{address}/books/codec"


@pytest.fixture(scope="module")
def spoken(tmp_path_factory) -> Path:
    """What the microphone hears: a clip of the book, again and again."""
    file = tmp_path_factory.mktemp("voice") / "voice.wav"
    soundfile.write(file, audio.clip("speech_en", RATE)[0, 0].numpy(), RATE, subtype="PCM_16")
    return file


@pytest.fixture(scope="module")
def browser(spoken) -> Iterator:
    microphone = [
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-audio-capture={spoken}",
        "--js-flags=--expose-gc",
    ]
    yield from launched([*FLAGS, *microphone])


def fresh(browser, address: str, **options):
    """A page that remembers what went wrong and what it asked for."""
    context = new_context(browser, **{"viewport": {"width": 1000, "height": 1200}, **options})
    page = context.new_page()
    page.problems, page.asked = [], []
    page.on("pageerror", lambda error: page.problems.append(str(error)))  # and lost rejections
    page.on("request", lambda request: page.asked.append(request.url))
    page.goto(f"{address}/{playground_site.PAGE}")
    return page


def load(page):
    page.get_by_role("button", name="Load the codec").click()
    page.get_by_role("combobox", name="A sound of the book").wait_for()
    said(page, "is ready")


@pytest.fixture(scope="module")
def shared(browser, site) -> Iterator:
    """One page with the codec open, for tests that leave it as they found it."""
    page = fresh(browser, site, permissions=["microphone"])
    load(page)
    yield page
    assert page.problems == []
    page.context.close()


@pytest.fixture
def tab(shared) -> Iterator:
    yield shared
    shared.evaluate(
        """() => {
            const { playground } = document.querySelector(".mc-playground");
            playground.stop();
            playground.choose(false);
            playground.setLoop(false);
            playground.knobs.release();
            playground.knobs.turn({ kept: 8, bitsDamaged: 0, framesLost: 0, conceal: true });
        }"""
    )


def said(page, words: str) -> str:
    """What the page says, as soon as these words are in it."""
    return page.locator(SAID).filter(has_text=re.compile(words)).inner_text()


def choose(page, title: str = "Speech, English") -> str:
    page.get_by_role("combobox", name="A sound of the book").select_option(label=title)
    return said(page, f"^{title}.*real time")


def hand_over(page, name: str, data: bytes) -> None:
    page.locator("input[type=file]").set_input_files(
        {"name": name, "mimeType": "application/octet-stream", "buffer": data}
    )


def wav_bytes(samples: torch.Tensor, rate: int = RATE, subtype: str = "FLOAT") -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples.T.numpy(), rate, format="WAV", subtype=subtype)
    return file.getvalue()


def downloaded(page, button: str) -> tuple[str, bytes]:
    with page.expect_download() as info:
        page.get_by_role("button", name=button).click()
    return info.value.suggested_filename, Path(info.value.path()).read_bytes()


def ask(page, what: str, **rest):
    """A question to the worker, as the page asks it; typed arrays come back as lists."""
    return page.evaluate(
        """async ([what, rest]) => {
            const { playground } = document.querySelector(".mc-playground");
            const answer = await playground.client.ask(what, rest);
            return Object.fromEntries(Object.entries(answer).map(
                ([name, value]) => [name, value?.buffer ? Array.from(value) : value]));
        }""",
        [what, rest],
    )


WAIT = f"""async (condition) => {{
    const {{ playground }} = document.querySelector(".mc-playground");
    const holds = new Function("playground", `return ${{condition}}`);
    const hangs = performance.now() + {HANGS};
    while (!holds(playground)) {{
        if (performance.now() > hangs) throw new Error(`never: ${{condition}}`);
        await new Promise((resolve) => setTimeout(resolve, 10));
    }}
}}"""


def until(page, condition: str) -> None:
    """Wait until a condition on `playground` holds; looked at in the page."""
    page.evaluate(WAIT, condition)


def play(page, beyond: float = 0.3) -> None:
    page.get_by_role("button", name="Play", exact=True).click()
    until(page, f"playground.mode === 'playing' && playground.place > {beyond}")


def test_nothing_is_fetched_before_the_reader_asks_and_then_from_here_alone(browser, site):
    page = fresh(browser, site)
    page.get_by_role("button", name="Load the codec").wait_for()
    fetched = [url.removeprefix(f"{site}/") for url in page.asked]
    assert all(re.search(r"\.(js|css|html)$|favicon.ico$", url) for url in fetched), fetched
    assert not any("runtime/" in url for url in fetched)
    load(page)
    choose(page)
    # What the page says that it will fetch is what it fetches.
    promised = float(page.evaluate("document.querySelector('.mc-playground').dataset.bytes"))
    sizes = page.evaluate("document.querySelector('.mc-playground').playground.index.sizes")
    codec = page.evaluate("document.querySelector('.mc-playground').playground.index.codec")
    loaded = [*codec, "model/mini_24khz_prior.json"]
    loaded += [name for name in sizes if name.startswith("runtime/")]
    assert sum(sizes[name] for name in loaded) == pytest.approx(promised, rel=0.02)
    assert not any(url.endswith("_lm.safetensors") for url in page.asked)
    hosts = {url.split("/")[2] for url in page.asked if not url.startswith(("data:", "blob:"))}
    assert hosts == {site.split("/")[2]}
    assert page.problems == []
    page.context.close()


def test_a_file_goes_in_is_heard_and_comes_out_as_python_decodes_it(tab):
    voice = audio.clip("speech_de", RATE)[0]
    hand_over(tab, "voice.wav", wav_bytes(voice))
    said(tab, r"voice\.wav, .* s\. Encoded in .* real time")
    play(tab)
    tab.get_by_role("button", name="Pause", exact=True).click()
    name, mcdc = downloaded(tab, "Save .mcdc")
    assert name == "voice.mcdc"
    assert re.search(r"Saved \d+ bytes .* kbps", said(tab, "Saved"))
    theirs = decompress(mcdc)
    assert theirs.shape == (1, *voice.shape)
    name, wav = downloaded(tab, "Save WAV")
    assert name == "voice.wav"
    ours, rate = soundfile.read(io.BytesIO(wav), dtype="float32")
    assert rate == RATE and np.abs(ours - theirs[0, 0].clamp(-1, 1).numpy()).max() < 1e-3
    exact = np.float32(ask(tab, "render")["audio"])
    assert np.abs(exact - theirs[0, 0].numpy()).max() < 1e-3


def test_its_codes_are_pythons_but_for_near_ties(tab):
    codec = minicodec.load("mini_24khz", fast=False)
    for title, name in (("Speech, English", "speech_en"), ("Music", "music"), ("Drums", "drums")):
        choose(tab, title)
        codes = torch.tensor(ask(tab, "codes")["codes"]).view(1, -1, codec.config.max_n_q)
        clip = audio.clip(name, RATE)
        whole = clip.shape[-1] // codec.config.hop_length  # the last frame may be a part of one
        with torch.no_grad():
            latents = codec.encoder(clip)[..., :whole]
        theirs = codec.quantizer.encode(latents)
        mine = codes.transpose(1, 2)[..., :whole]
        assert_same_codes(codec.quantizer, mine, theirs, latents, within=1e-4)
        # A tie that falls otherwise changes the levels behind it, so frames are counted.
        assert (mine != theirs).any(1).float().mean() < 0.01


@pytest.mark.parametrize("entropy", ["none", "histogram", "lm"])
def test_a_file_of_pythons_is_decoded_as_python_does(tab, entropy):
    codec = minicodec.load("mini_24khz")
    clip = audio.clip("drums", RATE)[..., :50001]
    data = compress(codec, clip, 6.0, entropy)
    hand_over(tab, "drums.mcdc", data)
    text = said(tab, r"drums\.mcdc: 2\.1 s")
    assert f"{len(data)} bytes" in text and f"{entropy}, 8 codebooks" in text
    mine = np.float32(ask(tab, "render")["audio"])
    assert len(mine) == 50001
    assert np.abs(mine - decompress(data)[0, 0].numpy()).max() < 1e-3
    # And it writes back the very same bytes, for these are the same codes.
    assert bytes(ask(tab, "write", entropy=entropy)["bytes"]) == data
    assert tab.get_by_role("button", name="Original").is_disabled()
    assert tab.get_by_role("button", name="12 kbps").is_disabled()
    play(tab)


def test_a_damaged_file_plays_with_silence_and_says_so(tab):
    codec = minicodec.load("mini_24khz")
    clip = audio.clip("speech_fr", RATE)
    data = bytearray(compress(codec, clip, 3.0, "histogram", chunk_seconds=1))
    data[len(data) // 2] ^= 8
    hand_over(tab, "bitten.mcdc", bytes(data))
    said(tab, r"^bitten\.mcdc: .*damaged: silence from")  # not "Reading bitten.mcdc …"
    with pytest.warns(UserWarning, match="damaged"):
        theirs = decompress(bytes(data), tolerant=True)
    mine = np.float32(ask(tab, "render")["audio"])
    assert np.abs(mine - theirs[0, 0].numpy()).max() < 1e-3


def hostile() -> dict[str, bytes]:
    codec = minicodec.load("mini_24khz")
    whole = compress(codec, audio.clip("drums", RATE)[..., :30000], 3.0, "histogram")
    other = bytearray(whole)
    from mcdc_by_hand import HandStream, parse

    stream = parse(whole)
    assert isinstance(stream, HandStream)
    late = replace(stream.chunks[0], index=10_000_000, frames=stream.chunk_frames)
    endless = stream.but(chunk_frames=65535, codebooks=65535)
    stranger = stream.but(fingerprint=b"12345678")
    other[20] ^= 255
    return {
        "empty.mcdc": b"",
        "short.mcdc": whole[:20],
        "cut.mcdc": whole[:50],
        "noise.mcdc": bytes(range(256)) * 40,
        "stranger.mcdc": stranger.build(),
        "huge.mcdc": endless.build(),
        "other.mcdc": bytes(other),
        "stereo.mcdc": stream.but(channels=2).build(),
        "fast.mcdc": stream.but(sample_rate=48000).build(),
        "wide.mcdc": stream.but(bits=12).build(),
        "no_chunks.mcdc": stream.but(chunks=[]).build(),
        "no_sound.mcdc": stream.but(chunks=[replace(stream.chunks[-1], index=0)]).build(),
        "endless_silence.mcdc": stream.but(chunks=[late]).build(),
        "names.mcdc": stream.but(name=b"<img src=x onerror=window.hacked=1>" * 7).build()[:-30],
    }


def test_hostile_streams_give_a_sentence_and_the_sound_before_stays(tab):
    choose(tab)
    for name, data in hostile().items():
        hand_over(tab, name, data)
        text = said(tab, f"^{re.escape(name)}: ")
        assert text.endswith(".") and len(text) < 400, text
        assert not re.search("undefined|TypeError|RangeError|NaN|null|Error:", text), text
    assert tab.evaluate("window.hacked") is None
    assert tab.evaluate("document.querySelector('.mc-playground').playground.seconds") > 4
    play(tab)


@pytest.mark.parametrize(
    ("name", "data", "sentence"),
    [
        ("empty.wav", b"", "empty.wav: this file is empty."),
        ("text.wav", b"RIFF but no more", "text.wav: this is not audio that the browser can read"),
        ("notes.txt", b"hello" * 99, "notes.txt: this is not audio that the browser can read"),
        (
            "nan.wav",
            wav_bytes(torch.full((1, 4800), float("nan"))),
            "nan.wav: this file holds samples that are no numbers.",
        ),
        ("nothing.wav", wav_bytes(torch.zeros(1, 0)), "nothing.wav: this "),
    ],
)
def test_what_is_no_sound_gives_a_sentence(tab, name, data, sentence):
    hand_over(tab, name, data)
    tab.get_by_text(sentence).wait_for()


def test_odd_sounds_are_taken_and_it_says_what_was_done(tab):
    t = torch.arange(2 * 44100) / 44100
    stereo = torch.stack([0.5 * torch.sin(2 * torch.pi * 440 * t), torch.zeros_like(t)])
    hand_over(tab, "stereo.wav", wav_bytes(stereo, 44100, "PCM_24"))
    assert "stereo.wav, 2.0 s; its 2 channels are mixed" in said(tab, "stereo.*real time")
    hand_over(tab, "loud.wav", wav_bytes(4 * stereo[:1], 44100))
    assert "turned down by 6.0 dB" in said(tab, "loud.*real time")
    hand_over(tab, "silent.wav", wav_bytes(torch.zeros(1, 2400)))
    assert "it is silent" in said(tab, r"silent.*real time")
    hand_over(tab, "one.wav", wav_bytes(torch.full((1, 1), 0.5)))
    said(tab, r"one.*real time")
    tab.get_by_role("button", name="Play", exact=True).click()
    until(tab, "playground.report?.finished && playground.mode === 'idle'")


def test_every_knob_changes_what_it_says(tab):
    hand_over(tab, "short.wav", wav_bytes(audio.clip("speech_en", RATE)[0, :, : 2 * RATE]))
    said(tab, "^short.*real time")

    def rendered() -> np.ndarray:
        return np.float32(ask(tab, "render")["audio"])

    def apart(a: np.ndarray, b: np.ndarray) -> bool:
        return bool(np.abs(a - b).max() > 0.01)

    button = tab.get_by_role
    plain = rendered()
    sent = tab.locator(".mc-numbers .mc-figure").first
    assert sent.inner_text().startswith("Sent: 6.00 kbps packed")
    button("button", name="1.5 kbps").click()
    assert sent.inner_text().startswith("Sent: 1.50 kbps packed")
    assert button("slider", name="Codebooks").input_value() == "2"
    low = rendered()
    assert apart(plain, low)
    button("slider", name="Codebooks").fill("8")
    assert button("button", name="6 kbps").get_attribute("aria-pressed") == "true"
    assert np.abs(rendered() - plain).max() < 1e-6

    button("button", name="Mute codebook 1", exact=True).click()
    muted = rendered()
    assert apart(plain, muted)
    button("button", name="Mute codebook 1", exact=True).click()
    button("button", name="Freeze codebook 2", exact=True).click()
    assert apart(plain, rendered()) and apart(muted, rendered())
    button("button", name="All on").click()
    assert np.abs(rendered() - plain).max() < 1e-6
    assert button("button", name="All on").is_disabled()

    damage = button("slider", name="Bits damaged")
    damage.fill("100")
    assert damage.get_attribute("aria-valuetext") == "100 per second"
    assert apart(plain, rendered())
    damage.fill("0")
    button("slider", name="Frames lost").fill("20")
    concealed = rendered()
    button("checkbox", name="Conceal").uncheck()
    gaps = rendered()
    assert apart(plain, concealed) and apart(plain, gaps)
    zeros = [
        np.count_nonzero(~x[: len(x) // 320 * 320].reshape(-1, 320).any(1))
        for x in (plain, concealed, gaps)
    ]
    assert zeros[2] > max(zeros[:2]) + 10, zeros


def test_the_knobs_are_heard_while_it_plays(tab):
    choose(tab, "Music")
    tab.evaluate("document.querySelector('.mc-playground').playground.setLoop(true)")
    play(tab)
    listen = """async () => {
        const { playground } = document.querySelector(".mc-playground");
        const node = await playground.player.node;
        const ear = new AnalyserNode(node.context, { fftSize: 8192 });
        node.connect(ear);
        window.loudness = async () => {
            const values = new Float32Array(ear.fftSize);
            let most = 0;
            for (let n = 0; n < 12; n++) {
                await new Promise((resolve) => setTimeout(resolve, 50));
                ear.getFloatTimeDomainData(values);
                most = Math.max(most, Math.hypot(...values) / Math.sqrt(values.length));
            }
            return most;
        };
    }"""
    tab.evaluate(listen)
    assert tab.evaluate("loudness()") > 0.005, "nothing is heard"
    for k in range(1, 9):
        tab.get_by_role("button", name=f"Mute codebook {k}", exact=True).click()
    place = tab.evaluate("document.querySelector('.mc-playground').playground.place")
    until(tab, f"Math.abs(playground.place - {place}) > 0.8")
    muted = tab.evaluate("loudness()")
    tab.keyboard.press("Escape")
    tab.get_by_role("button", name="Original").click()
    original = tab.evaluate("loudness()")
    assert original > 5 * muted, "all codebooks are muted, and yet it is loud"


def test_keys_and_names(tab):
    choose(tab)
    figure = tab.locator(".mc-playground")
    tab.get_by_role("button", name="Play", exact=True).focus()
    tab.keyboard.press(" ")
    until(tab, "playground.place > 0.3")
    tab.keyboard.press("1")
    assert tab.get_by_role("button", name="Original").get_attribute("aria-pressed") == "true"
    tab.keyboard.press("2")
    assert tab.get_by_role("button", name="Codec").get_attribute("aria-pressed") == "true"
    tab.keyboard.press("l")
    assert tab.get_by_role("button", name="Loop").get_attribute("aria-pressed") == "true"
    tab.keyboard.press("ArrowRight")
    until(tab, "playground.place > 1.3")
    tab.keyboard.press(" ")
    until(tab, "playground.mode === 'idle'")
    tab.keyboard.press("Home")
    place = tab.get_by_role("slider", name="Place in the sound")
    assert place.get_attribute("aria-valuetext").startswith("0.0 seconds of 4.")
    unnamed = figure.evaluate(
        """figure => [...figure.querySelectorAll("button, input, select, canvas, meter")]
            .filter((node) => !(node.getAttribute("aria-label") || node.textContent.trim()
                || node.labels?.[0]?.textContent.trim())).map((node) => node.outerHTML)"""
    )
    assert unnamed == []


def test_a_sound_that_ends_ends_and_begins_anew(tab):
    hand_over(tab, "half.wav", wav_bytes(audio.clip("drums", RATE)[0, :, :12000]))
    said(tab, "half.*real time")
    play(tab, beyond=0.1)
    until(tab, "playground.mode === 'idle' && playground.place === 0")
    report = tab.evaluate("document.querySelector('.mc-playground').playground.report")
    assert report["underruns"] < 9
    assert report["played"] == 12000, "not the whole sound, or more than that"
    tab.get_by_role("button", name="Loop").click()
    play(tab, beyond=0.1)
    tab.evaluate("window.turns = 0")
    tab.evaluate(
        """() => {
            const { playground } = document.querySelector(".mc-playground");
            const seek = playground.seek.bind(playground);
            playground.seek = (place) => { window.turns += 1; seek(place); };
        }"""
    )
    until(tab, "window.turns >= 2")
    assert tab.evaluate("document.querySelector('.mc-playground').playground.mode") == "playing"
    tab.evaluate("() => { delete document.querySelector('.mc-playground').playground.seek; }")


def test_the_microphone_live(tab):
    """Thirty seconds. On a busy machine there may be gaps: they are counted, and it goes on."""
    tab.get_by_role("button", name="Live").click()
    until(tab, "playground.mode === 'live' && playground.place > 2")
    began = tab.evaluate("document.querySelector('.mc-playground').playground.report.underruns")
    until(tab, "playground.place > 30")
    report = tab.evaluate("document.querySelector('.mc-playground').playground.report")
    print(f"\nlive: {report['underruns'] - began} gaps in 28 s, {json.dumps(report)}")
    rows = tab.locator(".mc-latency").inner_text()
    assert "a frame is filled\t13.3 ms" in rows and "together" in rows
    heard = tab.evaluate(
        """() => {
            const { past } = document.querySelector(".mc-playground").playground.views;
            return [past.dry, past.wet].map((x) => Math.hypot(...x));
        }"""
    )
    assert min(heard) > 0
    tab.get_by_role("button", name="Stop").click()
    said(tab, "Live ended after 0:3")
    state = "document.querySelector('.mc-playground').playground"
    assert tab.evaluate(f"{state}.player.stream") is None
    assert tab.evaluate(f"{state}.mode") == "idle"
    choose(tab)
    play(tab)


def test_the_microphone_recorded(tab):
    tab.get_by_role("button", name="Record").click()
    until(tab, "playground.mode === 'recording' && playground.place > 2")
    tab.get_by_role("button", name="Stop").click()
    text = said(tab, "Your recording.*real time")
    assert "silent" not in text
    length = float(re.search(r"recording, ([\d.]+) s", text)[1])
    assert length >= 2
    mcdc = bytes(ask(tab, "write", entropy="histogram")["bytes"])
    sound = decompress(mcdc)
    assert sound.shape[-1] / RATE == pytest.approx(length, abs=0.06)
    assert float(sound.abs().max()) > 0.05, "the voice is not in it"


# The microphone's answers come when the test lets them, and what the sound thread is told is noted.
LATE = """() => {
    const { playground } = document.querySelector(".mc-playground");
    const { player } = playground;
    window.playground = playground;
    const media = navigator.mediaDevices;
    const open = MediaDevices.prototype.getUserMedia.bind(media);
    window.streams = [];
    window.answer = [];
    media.getUserMedia = async (...what) => {
        await new Promise((resolve) => answer.push(resolve));
        streams.push(await open(...what));
        return streams.at(-1);
    };
    window.told = [];
    player.say = (what) => {
        told.push(what.say);
        Object.getPrototypeOf(player).say.call(player, what);
    };
    window.open = () => streams.map((stream) => stream.getTracks()[0].readyState === "live");
    window.file = (name, bytes) => ({ name, size: 1, arrayBuffer: () => bytes });
}"""
IN_TIME = """() => {
    delete navigator.mediaDevices.getUserMedia;
    delete playground.player.say;
}"""


@pytest.fixture
def late(tab) -> Iterator:
    tab.evaluate(LATE)
    yield tab
    tab.evaluate(IN_TIME)


def test_an_answer_that_comes_late_changes_nothing(late):
    choose(late)
    press = late.get_by_role("button", name="Live")
    # Something else was chosen while the browser asked for the microphone.
    press.click()
    said(late, "^Asking the browser")
    until(late, "answer.length === 1")
    choose(late, "Drums")
    late.evaluate("answer.pop()()")
    until(late, "streams.length === 1 && !open().includes(true) && playground.mode === 'idle'")
    # Asked twice: one of both is closed at once.
    record = late.get_by_role("button", name="Record")
    record.click()
    record.click()
    until(late, "answer.length === 2")
    late.evaluate("answer.splice(0).forEach((come) => come())")
    until(late, "streams.length === 3 && playground.mode === 'recording'")
    assert sum(late.evaluate("open()")) == 1
    # Played instead.
    until(late, "playground.place > 0.2")
    late.get_by_role("button", name="Stop").click()
    said(late, "^Your recording.*real time")
    press.click()
    until(late, "answer.length === 1")
    play(late, beyond=0.05)
    late.evaluate("answer.pop()()")
    until(late, "streams.length === 4 && !open().includes(true)")
    assert "live" not in late.evaluate("told")
    # Paused before there was a node to play with.
    late.evaluate(
        """async () => {
            const { player } = playground;
            playground.stop();
            told.length = 0;
            let go;
            player.ready = () => new Promise((resolve) => { go = resolve; });
            playground.toggle();
            playground.toggle();
            go();
            delete player.ready;
            await new Promise((resolve) => setTimeout(resolve));
        }"""
    )
    assert "play" not in late.evaluate("told")


def test_of_two_files_the_one_chosen_last_stays(late):
    late.evaluate(
        """async () => {
            const bytes = await (await fetch("../_static/clips/drums.flac")).arrayBuffer();
            let come;
            const slow = playground.takeFile(file("slow.flac",
                new Promise((resolve) => { come = resolve; })));
            const quick = playground.takeFile(file("quick.flac", bytes.slice()));
            await quick;
            come(bytes.slice());
            await slow;
        }"""
    )
    assert late.evaluate("playground.name") == "quick.flac"
    assert said(late, "real time").startswith("quick.flac")
    # A file that is none does not keep the one before from being encoded to its end.
    late.evaluate(
        """async () => {
            const bytes = await (await fetch("../_static/clips/music.flac")).arrayBuffer();
            const good = playground.takeFile(file("good.flac", bytes));
            while (playground.name !== "good.flac") await new Promise((go) => setTimeout(go));
            await playground.takeFile(file("bad.mcdc", new ArrayBuffer(3)));
            await good;
        }"""
    )
    assert late.evaluate("[playground.name, playground.whole]") == ["good.flac", True]
    assert said(late, "^bad.mcdc: ")
    # Nor is a lost file a lost microphone.
    late.evaluate(
        """() => playground.takeFile(file("lost.wav",
            Promise.reject(new DOMException("gone", "NotFoundError"))))"""
    )
    said(late, "^lost.wav: this cannot be read: is it a file, and still there")


def test_the_microphone_goes_or_another_player_begins(late):
    answer = "answer.pop()()"
    late.get_by_role("button", name="Live").click()
    until(late, "answer.length === 1")
    late.evaluate(answer)
    said(late, "^Live: ")
    until(late, "playground.place > 0.2")
    late.evaluate("streams.at(-1).getTracks()[0].dispatchEvent(new Event('ended'))")
    said(late, "^Live ended after .*: the microphone has gone")
    for name, end in (
        ("another begins", "document.dispatchEvent(new CustomEvent('minicodec-play'))"),
        ("it goes", "streams.at(-1).getTracks()[0].dispatchEvent(new Event('ended'))"),
        ("the figure goes", "playground.figure.remove()"),
    ):
        late.get_by_role("button", name="Record").click()
        until(late, "answer.length === 1")
        late.evaluate("window.main = playground.figure.parentElement")
        late.evaluate(answer)
        until(late, "playground.mode === 'recording' && playground.place > 0.2")
        late.evaluate(f"() => {{ {end}; }}")
        late.wait_for_function("!open().includes(true) && playground.mode === 'idle'")
        late.evaluate("main.append(playground.figure)")
        if end.startswith("playground"):
            continue
        text = said(late, "^Your recording.*real time")
        assert ("it ends where the microphone went" in text) == (name == "it goes")


def test_one_sentence_for_what_the_codec_refuses_and_one_file_for_two_presses(late):
    choose(late)
    late.evaluate(
        """async () => {
            const { client } = playground;
            client.ask = (ask, ...rest) => (ask === "play"
                ? Promise.reject(new Error("no memory is left."))
                : Object.getPrototypeOf(client).ask.call(client, ask, ...rest));
            await playground.play();
        }"""
    )
    said(late, "^No memory is left.$")
    assert late.evaluate("(delete playground.client.ask, playground.mode)") == "idle"
    saved = late.evaluate(
        """async () => {
            const { click } = HTMLAnchorElement.prototype;
            const names = [];
            HTMLAnchorElement.prototype.click = function () { names.push(this.download); };
            playground.name = "a\\u202E/b <i>.wav";
            await Promise.all([playground.saving.wav(), playground.saving.wav()]);
            const old = playground.saving.mcdc("lm"); // which takes its time
            await playground.takeFile(file("new.wav", (await fetch(
                "../_static/clips/noise.flac")).arrayBuffer()));
            await old;
            HTMLAnchorElement.prototype.click = click;
            return names;
        }"""
    )
    assert saved == ["ab i.wav"]
    assert said(late, "^new.wav.*real time")


def test_of_fifty_places_only_the_last_is_decoded(late):
    choose(late)
    runs = late.evaluate(
        """async () => {
            const { client } = playground;
            const runs = new Set();
            client.worker.addEventListener("message", ({ data }) => {
                if (data.frames) runs.add(data.frames.run);
            });
            await playground.play();
            for (let n = 0; n < 50; n++) playground.seek(0.5 + n / 25);
            const first = playground.place;
            while (!(playground.mode === "playing" && playground.place > first)) {
                await new Promise((resolve) => setTimeout(resolve, 10));
            }
            return runs.size;
        }"""
    )
    assert runs <= 2, f"{runs} places were decoded"


def test_without_a_microphone_it_says_so(browser, site):
    page = fresh(browser, site)  # no permission
    page.add_init_script("""navigator.mediaDevices.getUserMedia = () =>
        Promise.reject(Object.assign(new Error(), { name: "NotFoundError" }))""")
    page.reload()
    load(page)
    choose(page, "Drums")
    for name in ("Live", "Record"):
        page.get_by_role("button", name=name).click()
        said(page, "No microphone was found")
        assert page.evaluate("document.querySelector('.mc-playground').playground.mode") == "idle"
        play(page)  # the sound before is still there
    page.context.close()


def test_with_the_keyboard_alone_and_when_the_codec_dies(browser, site):
    page = fresh(browser, site)
    page.get_by_role("button", name="Load the codec").wait_for()
    page.evaluate("window.region = document.querySelector('.mc-said')")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")  # once is enough
    assert page.get_by_role("button", name="Load the codec").evaluate(FOCUSED)
    said(page, "is ready")
    assert page.evaluate("region.isConnected"), "what is said in a new place is not read out"
    clips = page.get_by_role("combobox", name="A sound of the book")
    assert clips.evaluate(FOCUSED)
    page.keyboard.press("ArrowDown")
    said(page, "English.*real time")
    while not page.get_by_role("button", name="Play", exact=True).evaluate(FOCUSED):
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    until(page, "playground.place > 0.3")
    page.get_by_role("button", name="Mute codebook 2", exact=True).press("Enter")
    page.get_by_role("button", name="All on").press("Enter")
    assert page.get_by_role("button", name="All on").evaluate(FOCUSED)
    page.evaluate(
        """() => {
            const { client } = document.querySelector(".mc-playground").playground;
            client.worker.dispatchEvent(new ErrorEvent("error", { message: "out of memory" }));
        }"""
    )
    said(page, r"^The codec's thread has ended \(out of memory\): load this page anew\.$")
    assert page.evaluate("document.querySelector('.mc-playground').playground.mode") == "idle"
    for press in ("Play", "6 kbps", "Save WAV", "Original"):
        page.evaluate("document.querySelector('.mc-playground').playground.say('')")
        page.get_by_role("button", name=press, exact=True).or_(
            page.get_by_role("button", name=re.compile(f"^{press} "))
        ).first.click()
        if press not in ("6 kbps", "Original"):
            said(page, "has ended")
    clips.select_option(label="Music")
    said(page, "^Music: the codec's thread has ended")
    assert page.problems == []
    page.context.close()


def test_without_webassembly_and_without_scripts_it_says_so(browser, site):
    page = fresh(browser, site)
    page.add_init_script("delete globalThis.WebAssembly")
    page.reload()
    page.get_by_text("This browser has no WebAssembly").wait_for()
    page.context.close()
    page = fresh(browser, site, java_script_enabled=False)
    page.get_by_text("The playground needs JavaScript").wait_for()
    page.context.close()


def test_from_the_disk_it_says_how_to_serve_it(browser, folder):
    context = new_context(browser)
    page = context.new_page()
    page.goto((folder / "books" / "codec" / playground_site.PAGE).as_uri())
    page.get_by_text("python -m http.server").wait_for()
    context.close()


def answered(answer: dict, route) -> None:
    route.fulfill(**answer)


def test_a_copy_without_the_runtime_and_a_lost_file_are_said(browser, site):
    page = fresh(browser, site)
    for name, answer, sentence in (
        (
            "index.json",
            {"body": '{"runtime": null, "why": "Built without it."}'},
            "^Built without it",
        ),
        ("index.json", {"body": "<!DOCTYPE html>"}, "^Index.json is not what the book keeps there"),
        ("mini_24khz.safetensors", {"status": 404}, "is not where the book keeps it"),
        ("mini_24khz_encoder.onnx", {"body": "no graph"}, "[^…]$"),
        ("worker.js", {"status": 404}, "^The codec's thread did not start"),
    ):
        page.route(f"**/{name}", partial(answered, answer))
        page.get_by_role("button", name="Load the codec").click()
        page.get_by_role("button", name="Load the codec", disabled=False).wait_for()
        text = said(page, sentence)
        assert "undefined" not in text
        page.unroute(f"**/{name}")
    load(page)  # what was missing is there again
    # And what makes the sound, which is fetched when it is first needed.
    choose(page, "Drums")
    page.evaluate(
        """() => {
            window.addModule = AudioWorklet.prototype.addModule;
            AudioWorklet.prototype.addModule = () => Promise.reject(new DOMException("", "Abort"));
        }"""
    )
    page.get_by_role("button", name="Play", exact=True).click()
    said(page, "^The script that makes the sound did not come")
    assert page.evaluate("document.querySelector('.mc-playground').playground.mode") == "idle"
    page.evaluate("() => { AudioWorklet.prototype.addModule = addModule; }")
    play(page)
    assert page.problems == []
    page.context.close()


def test_nothing_serious_is_found_by_axe(tab):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    choose(tab)
    states = ["6 codebooks are muted", "an error is shown", "live, with its table"]
    for state, scheme in [(state, scheme) for state in states for scheme in ("light", "dark")]:
        tab.emulate_media(color_scheme=scheme)
        if state == states[0]:
            for k in range(2, 8):
                mute = tab.get_by_role("button", name=f"Mute codebook {k}", exact=True)
                if mute.get_attribute("aria-pressed") == "false":
                    mute.click()
        elif state == states[1]:
            hand_over(tab, "text.wav", b"no sound")
            said(tab, "^text.wav")
        elif tab.get_by_role("button", name="Live").is_visible():
            tab.get_by_role("button", name="Live").click()
            tab.locator(".mc-latency").wait_for()
        violations = axe.Axe().run(tab).response["violations"]
        serious = [
            (v["help"], [node["html"][:120] for node in v["nodes"]][:3])
            for v in violations
            if v["impact"] in ("serious", "critical")
        ]
        assert serious == [], f"{state}, {scheme}"
    tab.emulate_media(color_scheme="light", forced_colors="active")
    colours = tab.get_by_role("button", name="Play", exact=True).evaluate(
        "node => ['', '::before'].map((part) => getComputedStyle(node, part).backgroundColor)"
    )
    assert colours[0] != colours[1], "the sign on the button cannot be seen"
    tab.emulate_media(forced_colors="none")


def test_a_phone_shows_it_whole(browser, site):
    page = fresh(
        browser, site, viewport={"width": 320, "height": 740}, is_mobile=True, has_touch=True
    )
    load(page)
    hand_over(page, f"{'x' * 200}.wav", wav_bytes(torch.rand(1, 4800) - 0.5))
    assert len(said(page, "^x+….*real time")) < 120
    for width in (320, 360, 768):
        page.set_viewport_size({"width": width, "height": 740})
        beyond = page.evaluate(
            """() => {
                const right = (node) => node.getBoundingClientRect().right;
                const panel = document.querySelector(".mc-panel");
                return [...panel.querySelectorAll("*"), document.scrollingElement].filter((node) =>
                    right(node) > right(panel) + 30 || (node.matches("button, p, canvas")
                        && right(node) > right(panel) + 0.5)).map((node) => node.outerHTML);
            }"""
        )
        assert beyond == [], width
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.set_viewport_size({"width": 320, "height": 740})
    sizes = page.locator(".mc-playground :is(button, select)").evaluate_all(
        "all => all.map(e => e.getBoundingClientRect()).map(b => [b.width, b.height])"
    )
    assert min(min(size) for size in sizes) >= 30  # for a fingertip
    page.context.close()


def test_memory_stays_flat_while_it_plays(tab):
    """Some seconds here; `benchmarks/page_codec.py` looks for ten minutes."""
    choose(tab)
    tab.evaluate("document.querySelector('.mc-playground').playground.setLoop(true)")
    play(tab)
    used = []
    for seconds in (3, 12):
        until(
            tab, f"(window.since ??= performance.now(), performance.now() - since > {seconds}000)"
        )
        tab.evaluate("gc()")
        used.append(tab.evaluate("performance.memory.usedJSHeapSize"))
    tab.evaluate("() => { delete window.since; }")
    assert used[1] - used[0] < 4e6, used
