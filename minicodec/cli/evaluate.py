"""Support: `minicodec evaluate`: how good is a codec on your recordings?"""

import argparse
import json
import math
import sys
from pathlib import Path

from minicodec.cli.common import check_device, target_path
from minicodec.listening import codec_choice, evaluation, measures, opus_codec, tables
from minicodec.listening.codecs import AnyCodec
from minicodec.model.pretrained import config_of, load
from minicodec.sound import judges
from minicodec.sound.audio import check_rates
from minicodec.sound.files import KINDS, recordings, write_text

#: What is measured where nobody says otherwise, and the rates of Opus in kbps.
_MODEL, _OPUS = "mini_24khz", [6, 12]


def run(args: argparse.Namespace) -> None:
    """Print a table, and write it down if asked to."""
    if args.explain:
        print(measures.explained())
        return
    if args.input is None:
        raise ValueError("which recordings? Name the folder that they are in.")
    target = None
    if args.output:
        target = target_path(args.input, args.output, (".json", ".csv"), args.force)
    for name in args.measures or ():
        judges.need(name)
    if args.opus:
        opus_codec.need_opus_tools()
    clips = by_class(args.input)
    codecs, sample_rate, channels = _codecs(args)
    _note_what_is_missing(args)
    rows = evaluation.measure(
        codecs,
        clips,
        args.measures,
        sample_rate=sample_rate,
        channels=channels,
        seconds=args.seconds,
        progress=True,
    )
    means = evaluation.means(rows)
    print(evaluation.table(means))
    if target:
        save(target, means)


def _codecs(args: argparse.Namespace) -> tuple[list[AnyCodec], int, int]:
    """What is to be measured; and the rate and channels of the comparison.

    These are the model's, as before there were others. Without one they are the most that a codec
    has, so that none gains from what the comparison leaves out.
    """
    model = args.model or (None if args.codecs else _MODEL)
    if model is None and (args.bandwidth or args.entropy != "none"):
        raise ValueError(
            "-b and -e are of the model -m, which --codec leaves out: name it, too; other codecs "
            "take their rates as in mp3=32,64."
        )
    check_device(args.device)
    if model is not None:
        config = config_of(model)
        for bandwidth in args.bandwidth or ():
            config.n_q(bandwidth)  # refuses one that there is not
    others = [codec for text in args.codecs or () for codec in codec_choice.named(text)]
    if model is not None:
        rate, channels = config.sample_rate, config.channels
    else:
        rate = max(codec.sample_rate for codec in others)
        channels = max(codec.channels for codec in others)
    rate = args.rate or rate
    for codec in others:
        check_rates(codec.sample_rate, rate)
    opus = args.opus
    if opus is None:
        opus = _OPUS if opus_codec.opus_tools() else []
    found = list[AnyCodec]()
    if model is not None:
        loaded = load(model, device=args.device)
        found += evaluation.ours(loaded, args.bandwidth, args.entropy)
    found += others
    found += [opus_codec.Opus(kbps, rate, channels) for kbps in opus]
    return found, rate, channels


def _note_what_is_missing(args: argparse.Namespace) -> None:
    if args.opus is None and not opus_codec.opus_tools():
        print("note: without opusenc and opusdec there are no rows for Opus.", file=sys.stderr)
    lacking = sorted(set(measures.MEASURES) - set(measures.installed()))
    if args.measures is None and lacking:
        names = ", ".join(lacking)
        print(f"note: left out {names}: {judges.bringing(*lacking)}", file=sys.stderr)


def by_class(folder: Path) -> dict[str, list[str | Path]]:
    """Class → files: a sub-folder is a class; what lies beside them is "recordings".

    Raises:
        ValueError: for no folder, or one without recordings.
    """
    found: dict[str, list[str | Path]] = {}
    for path in recordings(folder):
        inside = path.relative_to(folder).parts
        found.setdefault(inside[0] if len(inside) > 1 else "recordings", []).append(path)
    if not found:
        raise ValueError(f"{folder} has no recordings in it ({KINDS}).")
    return found


def save(target: Path, means: list[dict]) -> None:
    """Write the means as JSON or CSV; what has no value is null, or empty."""
    clean = [
        {k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in row.items()}
        for row in means
    ]
    if target.suffix == ".json":
        write_text(target, json.dumps(clean, indent=1) + "\n")
        return
    write_text(target, tables.dump(clean))
