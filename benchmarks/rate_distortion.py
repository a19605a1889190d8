"""What do bits buy? Ours with each way of coding beside Opus and MP3, clip by clip.

    python benchmarks/rate_distortion.py path/to/recordings

Recordings lie in one folder per class (speech, music_tracks, …), as for `benchmarks/quality.py`,
and are cut and levelled as there: five seconds of each, one peak level. Classes with "speech" in
their name get STOI and PESQ, too. The sound of ours does not depend on how its codes are coded, so
it is measured once and counted three times. Bits are real: for ours and MP3 all bytes of the file;
for Opus the packets alone ("kbps"), and beside that its whole Ogg file ("kbps_file").

Each clip is written down when it is done, in a file beside the output: an interrupted run goes on
there. Intervals, differences and BD-rates are made of the rows by `benchmarks/rate_curves.py`; the
name of an output in place of the recordings makes them anew and measures nothing. Needs opus-tools,
visqol-python, pesq and pystoi. `--official encodec_24khz-….th` measures the official codec with
its package `encodec` as well.
"""

import argparse
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from machine import machine, opus_version
from quality import levelled
from rate_curves import summary
from tqdm import tqdm

import minicodec
from minicodec import audio
from minicodec.cli.evaluate import by_class
from minicodec.listening.codecs import AnyCodec
from minicodec.listening.evaluation import measure, ours
from minicodec.listening.known_codecs import Mp3, Official, Ours
from minicodec.listening.opus_codec import Opus
from minicodec.model.checkpoint import fingerprint
from minicodec.model.codec import Codec
from minicodec.sound import judges
from minicodec.sound.files import write_text
from minicodec.sound.names import printable

MEASURES = ["visqol", "mel_distance", "si_sdr", "stoi", "pesq"]
ENTROPY = ["none", "histogram", "lm"]
OPUS = [6, 8, 9, 10, 11, 12, 16, 24, 32]  # kbps; close together where its sound gets wider
MP3 = [16, 24, 32]  # kbps, all at 24 kHz
OFFICIAL = [1.5, 3.0, 6.0, 12.0, 24.0]  # kbps

HEAD = ("machine", "model", "fingerprint", "seconds", "conditions")
LENGTH = 4  # bytes beside the Ogg file, which has it itself

Row = dict[str, Any]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("recordings", type=Path)
    parser.add_argument(
        "-o", "--output", type=Path, default=Path("benchmarks/rate_distortion.json")
    )
    parser.add_argument("-m", "--model", default="mini_24khz")
    parser.add_argument("--official", type=Path, help="official weights of encodec_24khz (.th)")
    parser.add_argument("--seconds", type=float, default=5, help="of each recording")
    args = parser.parse_args()
    if args.recordings.suffix == ".json":
        found = json.loads(args.recordings.read_text(encoding="utf-8"))
        head = {key: found[key] for key in HEAD}
        return write(args.recordings, head, found["rows"])
    torch.set_num_threads(1)
    part = args.output.with_suffix(".part")
    try:
        for name in MEASURES:
            judges.need(name)
        codec = minicodec.load(args.model)
        rivals = rivals_of(codec, args.official)
        settings = {
            "model": args.model,
            "fingerprint": fingerprint(codec).hex(),
            "seconds": args.seconds,
            "conditions": [each.name for each in [*ours(codec), *rivals]],
        }
        rows = measured(codec, rivals, args.recordings, part, settings)
    except ValueError as error:
        raise SystemExit(f"rate_distortion.py: {error}") from error
    found = machine("visqol-python", "pesq", "pystoi", "soundfile", "encodec")
    found["opus"] = opus_version()
    write(args.output, {"machine": found, **settings}, rows)
    part.unlink()


def rivals_of(codec: Codec, official: Path | None = None) -> list[AnyCodec]:
    """Opus, MP3 and, if its weights are here, the official codec, at the rate of `codec`.

    Raises:
        ValueError: if Opus's tools are missing, or the file holds no official weights.
    """
    rate, channels = codec.config.sample_rate, codec.config.channels
    found: list[AnyCodec] = [Opus(kbps, rate, channels) for kbps in OPUS]
    found += [Mp3(kbps, 24000, channels) for kbps in MP3]
    if official:
        found += [Official("encodec_24khz", kbps, official) for kbps in OFFICIAL]
    return found


def measured(
    codec: Codec, rivals: Sequence[AnyCodec], folder: Path, part: Path, settings: dict[str, Any]
) -> list[Row]:
    """Every recording through every codec; what `part` has already is not done again.

    Args:
        part: a file with the settings in its first line, and a line for each recording.

    Raises:
        ValueError: for no recordings, or a part file of other settings.
    """
    listed = [(kind, Path(file)) for kind, files in by_class(folder).items() for file in files]
    done = already(part, settings)
    with part.open("a", encoding="utf-8") as file:
        if not file.tell():
            file.write(json.dumps(settings) + "\n")
        for kind, path in tqdm(listed, unit="clip"):
            name = printable(path.relative_to(folder).as_posix())
            if name not in done:
                done[name] = of_clip(codec, rivals, kind, name, path, settings["seconds"])
                file.write(json.dumps({"clip": name, "rows": done[name]}) + "\n")
                file.flush()
    return [
        row for _, path in listed for row in done[printable(path.relative_to(folder).as_posix())]
    ]


def already(part: Path, settings: dict[str, Any]) -> dict[str, list[Row]]:
    """Recording → its rows, from an interrupted run; a line that was cut off is taken away.

    Raises:
        ValueError: if that run had other settings.
    """
    if not part.is_file():
        return {}
    whole = [line for line in part.read_text(encoding="utf-8").splitlines(True) if line[-1] == "\n"]
    write_text(part, "".join(whole))
    if whole and json.loads(whole[0]) != settings:
        raise ValueError(f"{part} was begun with other settings: go on with those, or delete it.")
    return {each["clip"]: each["rows"] for each in map(json.loads, whole[1:])}


def of_clip(
    codec: Codec, rivals: Sequence[AnyCodec], kind: str, name: str, path: Path, seconds: float
) -> list[Row]:
    """A row for each codec: "class", "clip", "condition", real kbps, and the measures.

    Rows of ours have "kbps_none", "kbps_histogram" and "kbps_lm", those of Opus "kbps_file".
    """
    rate, channels = codec.config.sample_rate, codec.config.channels
    clip = levelled(audio.load(path, rate, channels)[0][None], seconds, rate)
    rows = measure([*ours(codec), *rivals], {kind: [clip]}, MEASURES,
                   sample_rate=rate, channels=channels)  # fmt: skip
    to_kbps = 8 * rate / clip.shape[-1] / 1000
    bandwidths = {each.name: kbps for each, kbps in zip(ours(codec), codec.config.bandwidths)}
    opus = {each.name: each for each in rivals if isinstance(each, Opus)}
    for row in rows:
        row["clip"] = name
        del row["khz"], row["delay_ms"]
        if row["condition"] in bandwidths:
            row["kbps_none"] = row.pop("kbps")
            for mode in ENTROPY[1:]:
                one = Ours(codec, bandwidths[row["condition"]], mode)
                row[f"kbps_{mode}"] = len(one.encode(clip)) * to_kbps
        if row["condition"] in opus:
            row["kbps_file"] = (len(opus[row["condition"]].encode(clip)) - LENGTH) * to_kbps
    return [{k: _rounded(v) for k, v in row.items()} for row in rows]


def write(output: Path, head: dict[str, Any], rows: Sequence[Row]) -> None:
    """What was measured and what follows from it, a line for each row."""
    blocks = [f'"{key}": {json.dumps(value)}' for key, value in head.items()]
    for key, each in {**summary(rows), "rows": rows}.items():
        lines = ",\n".join(json.dumps(row) for row in each)
        blocks.append(f'"{key}": [\n{lines}\n]')
    write_text(output, "{" + ",\n".join(blocks) + "}\n")


def _rounded(value: Any) -> Any:
    """To four digits behind the point; None where a measure has nothing to say."""
    if not isinstance(value, float):
        return value
    return round(value, 4) if math.isfinite(value) else None


if __name__ == "__main__":
    main()
