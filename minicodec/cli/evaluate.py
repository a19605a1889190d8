"""How good is a codec? `minicodec evaluate FOLDER` measures it on your recordings."""

import argparse
import csv
import json
import math
import sys
from pathlib import Path

from minicodec.cli.files import add_model, add_output, target_path
from minicodec.model.pretrained import load

_ENDINGS = (".flac", ".mp3", ".ogg", ".wav")


def evaluate(args: argparse.Namespace) -> None:
    """Measure a codec on a folder of recordings, one class of sound per sub-folder."""
    from minicodec.listening import evaluation

    target = target_path(args, "") if args.output else None
    if target and target.suffix not in (".json", ".csv"):
        raise ValueError(f"{target.name}: a table's file ends with .json or .csv.")
    clips = recordings(Path(args.input))
    codec = load(args.model)
    opus = args.opus
    if opus is None:
        opus = [6, 12] if evaluation.opus_tools() else []
        if not opus:
            print("note: without opusenc and opusdec there are no rows for Opus.", file=sys.stderr)
    lacking = set(evaluation.MEASURES) - set(evaluation.installed())
    if args.measures is None and lacking:
        names = ", ".join(sorted(lacking))
        print(f"note: left out {names}: pip install 'minicodec[metrics]'.", file=sys.stderr)
    rows = evaluation.evaluate(
        codec,
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


def recordings(folder: Path) -> dict[str, list[str | Path]]:
    """Class → files: a sub-folder is a class; what lies beside them is "recordings".

    Raises:
        ValueError: for no folder, or one without recordings.
    """
    if not folder.is_dir():
        raise ValueError(f"{folder} is not a folder of recordings.")
    found: dict[str, list[str | Path]] = {}
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in _ENDINGS and path.is_file():
            inside = path.relative_to(folder).parts
            found.setdefault(inside[0] if len(inside) > 1 else "recordings", []).append(path)
    if not found:
        raise ValueError(f"{folder} has no recordings in it ({', '.join(_ENDINGS)}).")
    return found


def save(target: Path, means: list[dict]) -> None:
    """Write the means as JSON or CSV; what has no value is null, or empty."""
    clean = [
        {k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in row.items()}
        for row in means
    ]
    if target.suffix == ".json":
        target.write_text(json.dumps(clean, indent=1) + "\n", encoding="utf-8")
        return
    fields = list(dict.fromkeys(field for row in clean for field in row))
    with target.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fields)
        writer.writeheader()
        writer.writerows(clean)


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add this command to a parser."""
    sub = commands.add_parser("evaluate", help=evaluate.__doc__, description=evaluate.__doc__)
    sub.set_defaults(run=evaluate)
    option = sub.add_argument
    option("input", metavar="FOLDER", help="recordings, in sub-folders such as speech, music")
    add_output(sub, "also write the table to this .json or .csv file")
    add_model(sub, "mini_24khz")
    option("-b", "--bandwidth", type=float, nargs="+", help="in kbps; all there are by default")
    option("--measures", nargs="+", metavar="NAME",
           help="si_sdr, mel_distance, visqol, visqol_speech, pesq, stoi; by default all that are "
           "installed")  # fmt: skip
    option("--opus", type=int, nargs="*", metavar="KBPS",
           help="measure Opus too, at these rates; 6 and 12 where its tools are")  # fmt: skip
    option("--entropy", default="none", help="none, histogram or lm; changes the kbps alone")
    option("--seconds", type=float, default=10.0, help="of each recording; default 10")
