"""Support: recordings to listen to. The clips that ship with the book, or the reader's own instead.

What is found here are files; `minicodec.audio.clip` reads them.
"""

import os
from pathlib import Path

from minicodec.sound.files import recordings

#: Name of the environment variable that puts your own recordings in place of the shipped clips.
RECORDINGS = "MINICODEC_RECORDINGS"


def clip_folder() -> Path:
    """Where the shipped clips are: in the installed package, or in the book beside it."""
    installed = Path(__file__).parents[1] / "clips"
    return installed if installed.is_dir() else Path(__file__).parents[2] / "book/_static/clips"


def clips() -> list[str]:
    """Names of the clips that ship with the book."""
    return sorted(path.stem for path in clip_folder().glob("*.flac"))


def clip_file(name: str) -> Path:
    """The file to hear under the name of a clip.

    If the environment variable MINICODEC_RECORDINGS names a folder, that is the recording in it
    whose path fits the name best ("speech_en" fits "speech/librispeech_en/0.flac"), and a line says
    which; where nothing fits, it is the shipped clip.

    Raises:
        ValueError: for a name that there is not, or a variable that names no folder.
    """
    if name not in clips():
        raise ValueError(f"there is no clip {name!r}; there are {', '.join(clips())}.")
    return _own_recording(name) or clip_folder() / f"{name}.flac"


def _own_recording(name: str) -> Path | None:
    folder = os.environ.get(RECORDINGS)
    if not folder:
        return None
    if not Path(folder).is_dir():
        raise ValueError(f"{RECORDINGS} names {folder}, which is not a folder.")
    words = name.split("_")
    best, best_score = None, 0
    for path in recordings(folder):
        place = path.relative_to(folder).as_posix().lower()
        score = sum(word in place for word in words)
        if score > best_score and words[0] in place:
            best, best_score = path, score
    found = f"is {best.relative_to(folder)}" if best else "has no match there: using our own clip"
    print(f"{RECORDINGS}: {name!r} {found}")
    return best
