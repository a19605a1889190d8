"""How good is a codec? Every bandwidth, every class of sound, three measures, beside Opus.

    python benchmarks/quality.py path/to/recordings

Recordings lie in one folder per class (speech, music_tracks, …). ViSQOL runs in audio mode, as in
the paper. `minicodec evaluate` does the same with more choices; this is the setting of the figures
in the book: five seconds of each recording, all brought to one peak level. Means go to
`benchmarks/quality.json`; each recording's own numbers go with the package, for chapter 14.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import torch
from machine import machine, opus_version

import minicodec
from minicodec import audio
from minicodec.cli.evaluate import by_class, save
from minicodec.listening.evaluation import evaluate, means, table
from minicodec.listening.opus_codec import opus_tools
from minicodec.sound.files import write_text

OPUS = [6, 8, 12, 16]  # kbps: those between which its curve meets ours at equal real rates


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("recordings", type=Path)
    parser.add_argument("-o", "--output", type=Path, default=Path("benchmarks/quality.json"))
    parser.add_argument(
        "--clips", type=Path, default=Path("minicodec/weights/mini_24khz_quality.json")
    )
    parser.add_argument("-m", "--model", default="mini_24khz")
    parser.add_argument("--seconds", type=float, default=5, help="of each recording")
    args = parser.parse_args()
    torch.set_num_threads(1)
    codec = minicodec.load(args.model)
    rate = codec.config.sample_rate
    clips = {
        kind: [
            levelled(audio.load(file, rate, codec.config.channels)[0][None], args.seconds, rate)
            for file in files
        ]
        for kind, files in by_class(args.recordings).items()
    }
    rows = evaluate(
        codec,
        clips,
        measures=["si_sdr", "mel_distance", "visqol"],
        opus=OPUS if opus_tools() else [],
        progress=True,
    )
    print(table(rows))
    save(args.output, means(rows))
    write_text(args.clips, of_clips(rows, args.seconds))


def of_clips(rows: list[dict[str, Any]], seconds: float) -> str:
    """A line of JSON for each recording and condition, and where and when they were measured."""
    found = machine("visqol-python")
    if opus_tools():
        found["opus"] = opus_version()
    lines = [
        json.dumps({k: round(v, 3) if isinstance(v, float) else v for k, v in row.items()})
        for row in rows
    ]
    head = json.dumps({"machine": found, "seconds": seconds})
    return head[:-1] + ', "rows": [\n' + ",\n".join(lines) + "\n]}\n"


def levelled(clip: torch.Tensor, seconds: float, rate: int) -> torch.Tensor:
    clip = clip[..., : round(seconds * rate)]
    return 0.7 * clip / clip.abs().max().clamp(min=1e-6)


if __name__ == "__main__":
    main()
