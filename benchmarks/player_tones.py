"""What becomes of a sound between the file and the device, in a real browser.

    python benchmarks/player_tones.py        a minute; needs chromium

Tones, and the clip that chapter 00 plays as its original, go three ways to devices of several
rates: as a buffer of its own rate, between whose samples the browser draws straight lines (as the
players did once); decoded by the browser for the device's rate; and as the players do it. Written
down are each tone's level and the loudest other line of the spectrum (an image, or what 16 bits
leave), both in dB of the tone in the file; the clip's distance from what a very good resampler
makes of it (soxr's "VHQ"); and how long the players take to get ready.
"""

import argparse
import base64
import json
import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import soxr
import torch
from machine import machine
from playwright.sync_api import sync_playwright

from minicodec import audio
from minicodec.listening.fragment import script
from minicodec.listening.sounds import flac

RATES = [(24000, 48000), (24000, 44100), (24000, 96000), (48000, 44100), (44100, 48000)]
AMPLITUDE = 0.5
TONES = [1000, 4000, 8000, 10000, 11000, 16000, 20000]
BROWSERS = ["chromium", "chromium-browser", "google-chrome"]
LEAD = 0.02  # seconds after which the engine begins, as in engine.mjs

WAYS = {
    "interpolated": "plain(await decode(elements, own), device)",
    "decoded": "plain(await decode(elements, device), device)",
    "player": "played(await decode(elements, own), device)",
}
RUN = """async ([addresses, own, device]) => {
    SCRIPT
    const elements = addresses.map((address) => ({ getAttribute: () => address }));
    const rendered = async (buffer, device, begin) => {
        const length = Math.round((buffer.duration + LEAD) * device);
        const context = new OfflineAudioContext(1, length, device);
        begin(context);
        return [...(await context.startRendering()).getChannelData(0)];
    };
    const plain = (buffers, device) => Promise.all(buffers.map((buffer) =>
        rendered(buffer, device, (context) => {
            const source = new AudioBufferSourceNode(context, { buffer });
            source.connect(context.destination);
            source.start(LEAD);
        })));
    const played = (buffers, device) => Promise.all(buffers.map((buffer) =>
        rendered(buffer, device, (context) => new Engine(context, [buffer]).start(0))));
    return WAY;
}"""
FIRST_PRESS = """async ([addresses, own, device]) => {
    SCRIPT
    const elements = addresses.map((address) => ({ getAttribute: () => address }));
    const began = performance.now();
    const buffers = await decode(elements, own);
    const decoded = performance.now();
    new Engine(new OfflineAudioContext(1, 1, device), buffers);
    return [decoded - began, performance.now() - decoded];
}"""


def measured(samples: np.ndarray, hz: float, rate: int) -> tuple[float, float]:
    """Amplitudes of a tone and of the largest other line, in dB of full scale."""
    weighted = samples * np.blackman(len(samples))
    lines = np.abs(np.fft.rfft(weighted)) / (0.42 * len(samples) / 2)
    frequencies = np.fft.rfftfreq(len(samples), 1 / rate)
    tone = np.abs(frequencies - hz) < 4 * rate / len(samples)
    level, image = 20 * np.log10([lines[tone].max(), lines[~tone].max()])
    return float(level), float(image)


def address(samples: np.ndarray, rate: int) -> str:
    """The samples as a data address, as the players hold them."""
    data = flac(torch.as_tensor(samples, dtype=torch.float32)[None], rate)
    return "data:audio/flac;base64," + base64.b64encode(data).decode()


def modules() -> str:
    """The players' own modules, in the scope of whoever runs them."""
    text = script("logic", "resample", "engine")
    return text.removeprefix("(() => {").removesuffix("})();")


def run(page: Any, way: str, sounds: Sequence[np.ndarray], own: int, device: int) -> list[Any]:
    """What a device of this rate gets of each sound, from its first sample on."""
    code = RUN.replace("SCRIPT", modules()).replace("WAY", WAYS[way])
    addresses = [address(sound, own) for sound in sounds]
    begin = round(LEAD * device)
    return [np.array(each)[begin:] for each in page.evaluate(code, [addresses, own, device])]


def tones(page: Any, own: int, device: int) -> list[dict[str, Any]]:
    """A row for each tone: level and images, for each way."""
    chosen = [hz for hz in TONES if hz < 0.46 * min(own, device)]
    time = np.arange(own) / own
    sounds = [AMPLITUDE * np.sin(2 * np.pi * hz * time) for hz in chosen]
    full = 20 * np.log10(AMPLITUDE)
    rows: list[dict[str, Any]] = [{"file": own, "device": device, "hz": hz} for hz in chosen]
    inside = slice(round(0.1 * device), round(0.9 * device))
    for way in WAYS:
        for row, samples in zip(rows, run(page, way, sounds, own, device)):
            level, image = measured(samples[inside], row["hz"], device)
            row[way] = {"level": round(level - full, 2) + 0.0, "image": round(image - full, 1)}
    return rows


def distance(page: Any, clip: np.ndarray, own: int, device: int) -> dict[str, float]:
    """Signal to noise in dB, for each way, against soxr's best."""
    # Through 16 bits, as in the page.
    best = soxr.resample(np.round(clip * 32767) / 32768, own, device, "VHQ")
    found = {}
    for way in WAYS:
        (heard,) = run(page, way, [clip], own, device)
        length = min(len(heard), len(best))
        noise = heard[:length] - best[:length]
        ratio = np.square(best).sum() / np.square(noise).sum()
        found[way] = round(10 * float(np.log10(ratio)), 1)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    output = Path("benchmarks/player_tones.json")
    parser.add_argument("-o", "--output", type=Path, default=output)
    args = parser.parse_args()
    path = next(p for p in map(shutil.which, BROWSERS) if p)
    clip = audio.load(audio.clip_folder() / "speech_en.flac", 24000)[0][0].numpy()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        page = browser.new_page()
        rows = [row for own, device in RATES for row in tones(page, own, device)]
        snr = {device: distance(page, clip, 24000, device) for device in (44100, 48000)}
        long = [address(np.resize(clip, 240000) * 0.9**n, 24000) for n in range(6)]
        code = FIRST_PRESS.replace("SCRIPT", modules())
        costs = {}
        for device in (44100, 48000):
            tries = [page.evaluate(code, [long, 24000, device]) for _ in range(3)]
            decoding, fitting = (round(min(each)) for each in zip(*tries))
            costs[device] = {"decode, when it comes into view": decoding, "first press": fitting}
        name = f"Chromium {browser.version}"
        browser.close()
    found = {"machine": machine("soxr"), "browser": name, "speech_en against soxr VHQ, dB": snr,
             "six versions of 10 s, ms": costs, "tones": rows}  # fmt: skip
    # A tone a line.
    text = re.sub(r"\n {3,}", " ", json.dumps(found, indent=1)).replace("\n  }", " }")
    args.output.write_text(text + "\n")
    print(text)


if __name__ == "__main__":
    main()
