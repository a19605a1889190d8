"""Support: `minicodec evaluate`: how good is a codec on your recordings?"""

import argparse
import json
import math
import sys
from pathlib import Path

from minicodec.cli.common import check_device, target_path
from minicodec.listening import evaluation, opus_codec, tables
from minicodec.model.pretrained import config_of, load
from minicodec.sound import judges
from minicodec.sound.files import KINDS, recordings, write_text

#: Rates at which Opus is measured where nobody says otherwise, in kbps.
_OPUS = [6, 12]


def run(args: argparse.Namespace) -> None:
    """Print a table, and write it down if asked to."""
    target = None
    if args.output:
        target = target_path(args.input, args.output, (".json", ".csv"), args.force)
    for name in args.measures or ():
        judges.need(name)
    if args.opus:
        opus_codec.need_opus_tools()
    config = config_of(args.model)
    for bandwidth in args.bandwidth or ():
        config.n_q(bandwidth)  # refuses one that there is not
    check_device(args.device)
    clips = by_class(args.input)
    _note_what_is_missing(args)
    opus = args.opus
    if opus is None:
        opus = _OPUS if opus_codec.opus_tools() else []
    rows = evaluation.evaluate(
        load(args.model, device=args.device),
        clips,
        args.bandwidth,
        args.measures,
        opus=opus,
        entropy=args.entropy,
        seconds=args.seconds,
        progress=True,
    )
    means = evaluation.means(rows)
    print(evaluation.table(means))
    if target:
        save(target, means)


def _note_what_is_missing(args: argparse.Namespace) -> None:
    if args.opus is None and not opus_codec.opus_tools():
        print("note: without opusenc and opusdec there are no rows for Opus.", file=sys.stderr)
    lacking = sorted(set(evaluation.MEASURES) - set(evaluation.installed()))
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
