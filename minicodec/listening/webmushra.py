"""Support: a test for webMUSHRA: the same sounds, for a server and many listeners.

webMUSHRA is by the International Audio Laboratories Erlangen, under its own licence;
nothing of it is in here. The format is that of its documentation, `doc/experimenter.md`, for
versions 1.3 and 1.4: https://github.com/audiolabs/webMUSHRA
"""

import html
import json
import re
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from torch import Tensor

from minicodec.listening.mushra import REFERENCE, Clips, arranged
from minicodec.sound import audio as audio_
from minicodec.sound.files import write_text
from minicodec.sound.names import encodable

_RATE = 48000  # of most sound cards, and webMUSHRA refuses files of another rate than the card's
_LONGEST = 12.0  # seconds that webMUSHRA allows
_ANCHORS = {"anchor 3.5 kHz": "anchor35", "anchor 7 kHz": "anchor70"}


def export_webmushra(
    folder: str | Path,
    conditions: Mapping[str, Clips],
    reference: Clips,
    sample_rate: int,
    title: str = "Listening test",
) -> Path:
    """Write a folder that webMUSHRA runs: `NAME.yaml` and WAV files of 48 kHz.

    Copy the folder into webMUSHRA's `configs/`, serve that with PHP, and open
    `http://HOST/?config=NAME/NAME.yaml`. Results land in `results/NAME/mushra.csv`, which `analyse`
    reads. The anchors are ours and go as files: webMUSHRA's own take long to compute in the page.

    Args:
        folder: is made; its name, of letters, digits, "-" and "_", is the test's.
        conditions, reference, sample_rate: as for `mushra`.
        title: shown to the listeners.

    Returns:
        the YAML file.

    Raises:
        ValueError: as `mushra`, and for a folder that is not empty, a name of other characters, or
            a sound longer than 12 s. No folder is left behind then, so that nothing is in the way
            of the next try.
    """
    folder = Path(folder)
    if not re.fullmatch(r"[A-Za-z0-9_-]+", folder.name):
        raise ValueError(f"{folder.name!r}: a test's name is of letters, digits, - and _.")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ValueError(f"{folder} exists already and is not an empty folder.")
    for taken in sorted({*_ANCHORS.values()} & set(conditions)):
        raise ValueError(f"webMUSHRA knows {taken!r} as an anchor: choose another label.")
    items = arranged(conditions, reference, sample_rate)
    for name, clips in items.items():
        if clips[REFERENCE].shape[-1] > _LONGEST * sample_rate:
            raise ValueError(f"{name!r} is longer than the {_LONGEST:g} s that webMUSHRA allows.")
    folder.parent.mkdir(parents=True, exist_ok=True)
    # Beside its place, and renamed when it is whole.
    with TemporaryDirectory(prefix=f".{folder.name}.", dir=folder.parent) as beside:
        part = Path(beside) / folder.name
        part.mkdir()
        _write(part, items, sample_rate, title)
        if folder.exists():  # and is empty
            folder.rmdir()
        part.rename(folder)
    return folder / f"{folder.name}.yaml"


def _write(
    folder: Path, items: Mapping[str, Mapping[str, Tensor]], sample_rate: int, title: str
) -> None:
    pages: list[object] = ["random"]
    for number, (name, clips) in enumerate(items.items(), 1):
        peak = max(1.0, *(float(clip.abs().max()) for clip in clips.values()))
        files = {}
        for place, (label, clip) in enumerate(clips.items()):
            file = f"{number}-{place}.wav"  # never a name that somebody chose
            audio_.save(folder / file, _wave(clip / peak, sample_rate), _RATE)
            files[_ANCHORS.get(label, label)] = f"configs/{folder.name}/{file}"
        pages.append(_page(name, files))
    config = {
        "testname": encodable(title),
        "testId": folder.name,
        "bufferSize": 2048,
        "stopOnErrors": True,
        "showButtonPreviousPage": False,
        "remoteService": "service/write.php",
        "pages": [pages, _last_page()],
    }
    write_text(folder / f"{folder.name}.yaml", "\n".join(_yaml(config)) + "\n")


def _page(name: str, files: dict[str, str]) -> dict[str, object]:
    # webMUSHRA puts names and labels into its pages as HTML; `analyse` undoes this in its results.
    name = html.escape(name)
    stimuli = {html.escape(label): file for label, file in files.items() if label != REFERENCE}
    return {
        "type": "mushra",
        "id": name,
        "name": name,
        "content": "Rate how close each version comes to the reference, in every respect.",
        "showWaveform": False,
        "enableLooping": True,
        "randomize": True,
        "showConditionNames": False,
        "strict": True,
        "reference": files[REFERENCE],
        "createAnchor35": False,
        "createAnchor70": False,
        "stimuli": stimuli,
    }


def _last_page() -> dict[str, object]:
    return {
        "type": "finish",
        "name": "Thank you",
        "content": "Thank you for listening. Please leave a name or a code.",
        "showResults": True,
        "writeResults": True,
        # The results' column of this name tells `analyse` who rated.
        "questionnaire": [{"type": "text", "label": "Name or code", "name": "listener"}],
    }


def _wave(clip: Tensor, sample_rate: int) -> Tensor:
    while clip.dim() < 3:
        clip = clip[None]
    # Resampling may overshoot full scale by a little.
    return audio_.resample(clip[0], sample_rate, _RATE).clamp(-1, 1)


def _yaml(value: object) -> list[str]:
    """Lines of block YAML: webMUSHRA's parser does not know all of the language."""
    lines = []
    if isinstance(value, dict):
        for key, inner in value.items():
            # Quoted, for a label may be "no", which is false in YAML.
            name = json.dumps(key, ensure_ascii=False)
            if isinstance(inner, (dict, list)):
                lines += [f"{name}:", *("    " + line for line in _yaml(inner))]
            else:
                lines.append(f"{name}: {json.dumps(inner, ensure_ascii=False)}")
    elif isinstance(value, list):
        for inner in value:
            first, *rest = _yaml(inner)
            if isinstance(inner, list):
                lines += ["-", *("    " + line for line in (first, *rest))]
            else:
                lines += [f"- {first}", *("  " + line for line in rest)]
    else:
        lines.append(json.dumps(value, ensure_ascii=False))
    return lines
