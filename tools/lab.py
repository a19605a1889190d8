"""Open JupyterLab on copies of the chapters, in `my_chapters`.

    python tools/lab.py [options of jupyter lab]        as `make lab ARGS="--port 9999"` does
    python tools/lab.py --gaps [options]                the student edition, in `my_exercises`

What you write is yours: a copy that you have changed is never replaced, and the chapters of the
book stay as they are. A copy that you have not touched follows the book.
"""

import hashlib
import json
import os
import shutil
import sys
import tempfile
from pathlib import Path

import student
from notebooks import chapters

ROOT = Path(__file__).resolve().parent.parent
# Beside `chapters`, so that its links to pictures and pages of the book hold.
MINE, EXERCISES = ROOT / "my_chapters", ROOT / "my_exercises"
#: Of what each copy was made, so that it can be told whether it was changed, or the book was.
RECORD = ".copied.json"


def copied(originals: list[Path], folder: Path) -> list[str]:
    """Bring copies of notebooks up to date; what a person should know about them.

    Args:
        originals: the chapters of the book.
        folder: where copies go; made if need be.
    """
    folder.mkdir(parents=True, exist_ok=True)
    record = _recorded(folder)
    kept, overtaken = [], []
    for original in originals:
        copy, wanted = folder / original.name, _digest(original)
        mine = _digest(copy) if copy.exists() else None
        if mine is None or mine == record.get(original.name):
            shutil.copyfile(original, copy)
            record[original.name] = wanted
        elif mine == wanted:
            record[original.name] = wanted
        else:
            kept.append(copy.stem[:3].rstrip("_"))
            if record.get(original.name) != wanted:
                overtaken.append(copy)
    (folder / RECORD).write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    notes = []
    if kept:
        notes.append(f"Kept what you have written in chapter {', '.join(kept)}.")
    notes += [
        f"The book has a newer {copy.name}: rename or remove yours to get it." for copy in overtaken
    ]
    return notes


def _recorded(folder: Path) -> dict[str, str]:
    """What was copied before; a file that is damaged says nothing, and then all copies stay."""
    try:
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return record if isinstance(record, dict) else {}


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def command(words: list[str], folder: Path, root: bool) -> list[str]:
    """What starts JupyterLab in a folder of this repository.

    Args:
        words: options for it; they count more than ours.
        root: whether this is the system's own user, as in a container: Jupyter wants that said.
    """
    options = [f"--ServerApp.root_dir={ROOT}", f"--FileContentsManager.preferred_dir={folder}"]
    options += ["--allow-root"] * (root and "--allow-root" not in words)
    return [sys.executable, "-m", "jupyterlab", *options, *words]


def main() -> int:
    words = [word for word in sys.argv[1:] if word != "--gaps"]
    folder = EXERCISES if "--gaps" in sys.argv[1:] else MINE
    with tempfile.TemporaryDirectory() as place:
        originals = chapters() if folder == MINE else student.make(Path(place) / "student")
        for note in copied(originals, folder):
            print(note)
    print(f"Your copies of the chapters are in {folder.name}", flush=True)
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    line = command(words, folder, root)
    os.execv(line[0], line)


if __name__ == "__main__":
    sys.exit(main())
