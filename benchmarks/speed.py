"""How fast is our codec beside the official package? Same architecture, same weights, one process.

    python benchmarks/speed.py --seconds 10 60

Both run in turn, on one thread, and medians are compared, so that a busy machine harms both alike.
Speeds are seconds of sound per second of processor time. Needs the `encodec` package.
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
from minicodec.model.checkpoint import assemble
from minicodec.model.codec import Codec
from minicodec.model.config import ENCODEC_24KHZ
from minicodec.model.pretrained import convert


def median_ratio(
    ours: Callable[[], object], theirs: Callable[[], object], repeats: int
) -> tuple[float, float]:
    """Median seconds of each, taken in turn after one warm-up."""
    times: tuple[list[float], list[float]] = ([], [])
    for turn in range(repeats + 1):
        for function, record in zip((ours, theirs), times):
            start = time.process_time()
            function()
            if turn:
                record.append(time.process_time() - start)
    return statistics.median(times[0]), statistics.median(times[1])


def multiply_accumulates(codec: Codec, n_q: int) -> tuple[float, float]:
    """Millions per second of sound, to encode and to decode.

    A convolution costs its weights once per output step, a transposed one once per input step, an
    LSTM its weights once per frame, and a codebook its entries once per frame.
    """
    totals = []
    for network in (codec.encoder, codec.decoder):
        total, rate = 0.0, float(codec.config.sample_rate)
        if network is codec.decoder:
            rate = codec.config.frame_rate
        for layer in network.modules():
            if isinstance(layer, torch.nn.ConvTranspose1d):
                total += layer.weight.numel() * rate
                rate *= layer.stride[0]
            elif isinstance(layer, torch.nn.Conv1d):
                rate /= layer.stride[0]
                total += layer.weight.numel() * rate
            elif isinstance(layer, torch.nn.LSTM):
                total += sum(w.numel() for w in layer.parameters() if w.dim() == 2) * rate
        totals.append(total / 1e6)
    look_up = n_q * codec.config.codebook_size * codec.config.dimension * codec.config.frame_rate
    return totals[0] + look_up / 1e6, totals[1]


def peak() -> float:
    """Billions of multiply-accumulates per second that one large matrix product reaches."""
    a, times = torch.randn(1536, 1536), []
    for _ in range(7):
        begin = time.process_time()
        a @ a
        times.append(time.process_time() - begin)
    return 1536**3 / min(times) / 1e9


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
    rows: list[dict] = []
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
            begin = time.process_time()
            _, state = ours.stream_encode(speech[..., start : start + 320], state, 6.0)
            times.append(1000 * (time.process_time() - begin))
        per_frame = statistics.median(times)
        print(f"one frame of 13.3 ms to encode: median {per_frame:.2f} ms")
        most = peak()
        for what, macs in zip(("encode", "decode"), multiply_accumulates(ours, 8)):
            speed = max(row["ours"] for row in rows if row["what"] == what)
            share = macs * speed / 1000 / most
            print(
                f"{what}: {macs:.0f} million multiply-accumulates per second of sound, "
                f"{share:.0%} of the {most:.0f} billion per second of a large matrix product"
            )
            rows.append({"what": what, "million_macs": round(macs),
                         "share_of_peak": round(share, 2),
                         "peak_billion_macs": round(most)})  # fmt: skip
        rows.append({"what": "encode one frame", "ms": round(per_frame, 2)})
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    print(f"peak memory of this process, both codecs in it: {memory:.0f} MB")
    args.output.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
