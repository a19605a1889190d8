"""How fast is our codec beside the official package? Same architecture, same weights, one process.

    python benchmarks/speed.py --seconds 10 60

Both run in turn, on one thread, and medians are compared, so that a busy machine harms both alike.
Speeds are seconds of sound per second of computing. Needs the `encodec` package.
"""

import argparse
import json
import resource
import statistics
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from minicodec import audio
from minicodec.checkpoint import assemble
from minicodec.config import ENCODEC_24KHZ
from minicodec.pretrained import convert


def median_ratio(
    ours: Callable[[], object], theirs: Callable[[], object], repeats: int
) -> tuple[float, float]:
    """Median seconds of each, taken in turn after one warm-up."""
    times: tuple[list[float], list[float]] = ([], [])
    for turn in range(repeats + 1):
        for function, record in zip((ours, theirs), times):
            start = time.perf_counter()
            function()
            if turn:
                record.append(time.perf_counter() - start)
    return statistics.median(times[0]), statistics.median(times[1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seconds", type=float, nargs="+", default=[10, 60])
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("-o", "--output", type=Path, default=Path("benchmarks/speed.json"))
    args = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    warnings.simplefilter("ignore")

    from encodec import EncodecModel

    official = EncodecModel.encodec_model_24khz(pretrained=False).eval()
    official.set_target_bandwidth(6.0)
    for level, layer in enumerate(official.quantizer.vq.layers):
        layer._codebook.embed.normal_(0, 0.2 * 0.8**level)
    ours = assemble(ENCODEC_24KHZ, convert(official.state_dict()), "encodec_24khz")
    speech = audio.clip("speech_en")
    rows = []
    with torch.inference_mode():
        for seconds in args.seconds:
            length = round(seconds * 24000)
            turns = -(-length // speech.shape[-1])
            clip: Tensor = speech.repeat(1, 1, turns)[..., :length]
            codes = ours.encode(clip, 6.0)
            frames = official.encode(clip)
            equal = float((codes == frames[0][0]).float().mean())
            for name, mine, theirs in [
                ("encode", lambda c=clip: ours.encode(c, 6.0), lambda c=clip: official.encode(c)),
                ("decode", lambda c=codes: ours.decode(c), lambda f=frames: official.decode(f)),
            ]:
                a, b = median_ratio(mine, theirs, args.repeats)
                rows.append({"what": name, "seconds": seconds, "ours": round(seconds / a, 1),
                             "official": round(seconds / b, 1), "ratio": round(b / a, 2),
                             "codes_equal": equal})  # fmt: skip
                speeds = f"ours {seconds / a:.1f}, official {seconds / b:.1f} x real time"
                print(f"{name} {seconds:g} s: {speeds}, ratio {b / a:.2f}; codes equal: {equal}")
        state: object = None
        times = []
        for start in range(0, 48000, 320):
            begin = time.perf_counter()
            _, state = ours.stream_encode(speech[..., start : start + 320], state, 6.0)
            times.append(1000 * (time.perf_counter() - begin))
        print(f"one frame of 13.3 ms to encode: median {statistics.median(times):.2f} ms")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    print(f"peak memory of this process, both codecs in it: {peak:.0f} MB")
    args.output.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
