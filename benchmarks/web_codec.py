"""How fast are the codec's files in JavaScript, beside Python, and is every byte the same?

    python benchmarks/web_codec.py --seconds 20

Codes of shipped clips are written and read by the JavaScript of the page, in node, and by the
package, on one thread each; processor time is counted, and the fastest of three is kept. Streams
that differ end the benchmark.
"""

import argparse
import io
import json
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from machine import machine

import minicodec
from minicodec.bits.container import StreamBytes
from minicodec.bits.language_model_file import SHIPPED_LM
from minicodec.bits.packing import code_model, from_bytes, to_bytes
from minicodec.bits.prior_file import prior_json
from minicodec.model.checkpoint import fingerprint
from minicodec.sound.clips import clips

HERE = Path(__file__).parent
CHUNK = 375  # frames


def best(work: Callable[[], Any]) -> float:
    """Seconds of the processor, of the fastest of three."""
    times = []
    for _ in range(3):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return min(times)


def in_python(codec: minicodec.Codec, data: bytes) -> dict[str, float]:
    """Seconds to read a stream's codes, and to write them again."""
    stream = StreamBytes(io.BytesIO(data))
    *chunks, _ = stream
    model, _ = code_model(codec, stream.header.entropy)
    codes = [from_bytes(chunk, stream.header, model) for chunk in chunks]
    return {
        "write": best(lambda: [to_bytes(each, codec.config.bits, model) for each in codes]),
        "read": best(lambda: [from_bytes(chunk, stream.header, model) for chunk in chunks]),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--output", type=Path, default=HERE / "web_codec.json")
    options = parser.parse_args()
    torch.set_num_threads(1)
    codec = minicodec.load("mini_24khz")
    config = codec.config
    sound = torch.cat([minicodec.audio.clip(name) for name in clips() if "48k" not in name], dim=-1)
    sound = sound[..., : round(options.seconds * config.sample_rate)]
    model = {
        "name": codec.name, "fingerprint": fingerprint(codec).hex(), "bits": config.bits,
        "sampleRate": config.sample_rate, "channels": 1, "hopLength": config.hop_length,
    }  # fmt: skip
    streams: list[dict[str, Any]] = []
    python = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for bandwidth in (1.5, 6.0, 12.0):
            for entropy in ("none", "histogram", "lm"):
                data = minicodec.compress(codec, sound, bandwidth, entropy)
                file = f"{entropy}_{bandwidth}.mcdc"
                (folder / file).write_bytes(data)
                n_q = config.n_q(bandwidth)
                streams.append({"file": file, "entropy": entropy, "nQ": n_q, "bytes": len(data)})
                python[entropy, n_q] = in_python(codec, data)
        (folder / "streams.json").write_text(json.dumps({"model": model, "streams": streams}))
        (folder / "prior.json").write_text(prior_json(codec))
        command = ["node", str(HERE / "web_codec.mjs"), name, str(SHIPPED_LM["mini_24khz"])]
        told = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    rows = []
    for stream, result in zip(streams, told["results"]):
        frames, ours = result["frames"], python[stream["entropy"], stream["nQ"]]
        row: dict[str, Any] = {
            "entropy": stream["entropy"],
            "codebooks": stream["nQ"],
            "bytes": stream["bytes"],
        }
        for what in ("write", "read"):
            row[f"{what}_frames_per_s"] = round(frames / result[what])
            row[f"{what}_megabytes_per_s"] = float(f"{stream['bytes'] / result[what] / 1e6:.3g}")
            row[f"python_{what}_frames_per_s"] = round(frames / ours[what])
        rows.append(row)
        print(row)
    table = {"machine": machine(), "seconds": options.seconds,
             "frames_per_second": config.frame_rate, "node": told["node"],
             "language_model_opens_in_ms": round(told["opened"]), "streams": rows}  # fmt: skip
    options.output.write_text(json.dumps(table, indent=1) + "\n")


if __name__ == "__main__":
    main()
