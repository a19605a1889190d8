"""The codec in the page, measured: how soon, how fast, how late, and if its codes are Python's.

    python benchmarks/page_codec.py [FOLDER OF RECORDINGS] [--minutes 10]

Opens the playground as a small site in chromium, with a clip of the book for a microphone, and
writes `page_codec.json` beside itself. Nothing else should run meanwhile.
"""

import argparse
import gzip
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import soundfile
import torch

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tools"), str(ROOT / "tests" / "helpers")]

import playground_site  # noqa: E402
from browsing import FLAGS, launched, new_context  # noqa: E402
from machine import machine  # noqa: E402

import minicodec  # noqa: E402
from minicodec import audio  # noqa: E402
from minicodec.sound.files import recordings  # noqa: E402

RATE = 24000
FIGURE = "document.querySelector('.mc-playground').playground"
SECONDS = 10  # of each recording
#: Steps of some frames each, timed inside the worker's own code, in a page of their own.
STEPS = """async ([address, sizes]) => {
    const { openCodec } = await import(`${address}/playground/web/playground/codec.js`);
    const { fetchBytes } = await import(`${address}/playground/web/playground/fetching.js`);
    const at = (name) => `${address}/playground/${name}`;
    const index = await (await fetch(at("index.json"))).json();
    const ort = await import(at(index.runtime.module));
    ort.env.wasm.numThreads = 1;
    ort.env.wasm.wasmBinary = await fetchBytes(at(index.runtime.wasm));
    const files = {};
    for (const name of index.codec) files[name.split("/").at(-1)] = await fetchBytes(at(name));
    const model = await (await fetch(at(index.model))).json();
    const { encoder, decoder } = await openCodec(ort, model, files);
    const found = {};
    for (const frames of sizes) {
        const sound = Float32Array.from({ length: frames * model.hop_length },
            () => 0.1 * (2 * Math.random() - 1));
        const times = { encode: [], decode: [] };
        for (let turn = 0; turn < 300 / Math.sqrt(frames); turn++) {
            let began = performance.now();
            const codes = await encoder.encode(sound);
            times.encode.push(performance.now() - began);
            began = performance.now();
            await decoder.decode(Int32Array.from(codes));
            times.decode.push(performance.now() - began);
        }
        found[frames] = times;
    }
    return found;
}"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", help="recordings whose codes are compared")
    parser.add_argument("--minutes", type=float, default=10, help="of playing, for the memory")
    args = parser.parse_args()
    found: dict[str, Any] = {"machine": machine()}
    with tempfile.TemporaryDirectory() as place:
        site, voice = Path(place) / "site", Path(place) / "voice.wav"
        playground_site.build(site)
        soundfile.write(voice, audio.clip("speech_en", RATE)[0, 0].numpy(), RATE, subtype="PCM_16")
        found["bytes"] = sizes(site / "playground")
        flags = [
            *FLAGS,
            "--use-fake-device-for-media-stream",
            f"--use-file-for-fake-audio-capture={voice}",
            "--js-flags=--expose-gc",
        ]
        with playground_site.serve(site) as address:
            for browser in launched(flags):
                found["browser"] = browser.version
                context = new_context(browser, permissions=["microphone"])
                page = context.new_page()
                page.goto(f"{address}/{playground_site.PAGE}")
                found["ready"] = opened(page)
                found["frames"] = steps(page, address)
                found["codes"] = codes(page, args.folder) if args.folder else None
                found["live"] = live(page)
                found["memory"] = memory(page, args.minutes)
                context.close()
    target = Path(__file__).with_suffix(".json")
    target.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(target.read_text(encoding="utf-8"))


def sizes(folder: Path) -> dict[str, dict[str, int]]:
    """Bytes of each part as it lies there, and as a host that packs with gzip would send it."""
    parts: dict[str, list[Path]] = {"runtime": [], "codec": [], "language model": [], "scripts": []}
    for file in folder.rglob("*"):
        if file.is_file() and file.name != "LICENCES.txt":
            part = {"runtime": "runtime", "model": "codec"}.get(file.parent.name, "scripts")
            parts["language model" if file.name.endswith("_lm.safetensors") else part].append(file)
    return {
        name: {
            "raw": sum(file.stat().st_size for file in files),
            "gzip": sum(len(gzip.compress(file.read_bytes(), 9)) for file in files),
        }
        for name, files in parts.items()
    }


def opened(page: Any) -> dict[str, float]:
    began = time.perf_counter()
    page.get_by_role("button", name="Load the codec").click()
    page.get_by_role("combobox", name="A sound of the book").wait_for()
    text = page.locator(".mc-said").inner_text()
    return {"seconds": round(time.perf_counter() - began, 2), "said": text}


def steps(page: Any, address: str) -> dict[str, Any]:
    """Median and 95th percentile, in ms for each frame, and × real time."""
    times = page.evaluate(STEPS, [address, [1, 6, 75]])
    result: dict[str, Any] = {}
    for frames, both in times.items():
        result[frames] = {}
        for way, all_ms in both.items():
            each = sorted(ms / int(frames) for ms in all_ms)
            middle = statistics.median(each)
            result[frames][way] = {
                "ms": round(middle, 3),
                "ms_95": round(each[int(0.95 * len(each))], 3),
                "x_real_time": round(1000 / 75 / middle, 1),
            }
    return result


def codes(page: Any, folder: str) -> dict[str, Any]:
    """Codes of the page beside those of the package, on the same samples."""
    codec = minicodec.load("mini_24khz")
    differing = filled = first = total = clips = 0
    tie = 0.0
    for path in recordings(Path(folder)):
        clip, _ = audio.load(path, RATE, channels=1, seconds=SECONDS)
        ours = page.evaluate(
            f"""async (samples) => {{
                const {{ client, knobs }} = {FIGURE};
                await client.ask("encode", {{ audio: Float32Array.from(samples) }});
                const {{ codes }} = await client.ask("codes");
                return Array.from(codes);
            }}""",
            clip[0].tolist(),
        )
        mine = torch.tensor(ours).view(-1, codec.config.max_n_q).T
        theirs = codec.encode(clip[None])[0]
        wrong = mine != theirs
        with torch.no_grad():
            # A last frame that is no whole one is filled with zeros once, not layer by layer.
            whole = clip.shape[-1] // codec.config.hop_length
            parts = [x[:, :whole] for x in (mine, theirs, codec.encoder(clip[None])[0])]
            tie = max([tie, *ties(codec, *parts)])
            filled += int(wrong[:, whole:].sum())
        differing += int(wrong.sum())
        first += int(wrong[0].sum())
        total += wrong.numel()
        clips += 1
        print(f"{path.name}: {int(wrong.sum())} of {wrong.numel()} codes differ")
    return {
        "clips": clips, "codes": total, "differ": differing, "differ_in_first": first,
        "share": differing / total, "largest_tie": tie, "differ_in_filled_frames": filled,
    }  # fmt: skip


def ties(
    codec: Any, mine: torch.Tensor, theirs: torch.Tensor, latents: torch.Tensor
) -> list[float]:
    """For each frame that differs, by how much one of both entries is nearer, of its distance."""
    found = []
    for t in (mine != theirs).any(0).nonzero().flatten().tolist():
        residual = latents[:, t]
        for book, ours, its in zip(codec.quantizer.codebooks, mine[:, t], theirs[:, t]):
            if ours != its:
                here, there = (
                    (residual - book.embedding[torch.stack([ours, its])]).square().sum(1).tolist()
                )
                found.append(abs(here - there) / max(here, there))
                break
            residual = residual - book.embedding[its]
    return found


def live(page: Any) -> dict[str, Any]:
    """Thirty seconds of the microphone, after five to come to rest."""
    page.get_by_role("button", name="Live").click()
    page.wait_for_function(f"{FIGURE}.place > 5")
    before = page.evaluate(f"{FIGURE}.report.underruns")
    page.wait_for_function(f"{FIGURE}.place > 35")
    after = page.evaluate(f"{FIGURE}.report.underruns")
    rows = page.locator(".mc-latency tr").all_inner_texts()
    page.get_by_role("button", name="Stop").click()
    return {"gaps_in_30_s": after - before, "gaps_before": before,
            "latency": dict(row.split("\t") for row in rows)}  # fmt: skip


def memory(page: Any, minutes: float) -> list[float]:
    """The heap in MB, once a minute, while a clip is played in a loop."""
    page.get_by_role("combobox", name="A sound of the book").select_option(label="Music")
    page.locator(".mc-said").filter(has_text="real time").wait_for()
    page.evaluate(f"{FIGURE}.setLoop(true)")
    page.get_by_role("button", name="Play", exact=True).click()
    heap = []
    for minute in range(int(minutes) + 1):
        page.wait_for_timeout(60_000 if minute else 5_000)
        page.evaluate("gc()")
        heap.append(round(page.evaluate("performance.memory.usedJSHeapSize") / 1e6, 2))
        print(f"{minute} minutes: {heap[-1]} MB")
    page.get_by_role("button", name="Pause").click()
    return heap


if __name__ == "__main__":
    main()
