"""Rehearse Google Colab: its packages, the set-up cell, every chapter, and what has changed then.

    python tools/colab_rehearsal.py FOLDER              all chapters; takes half an hour and 8 GB
    python tools/colab_rehearsal.py FOLDER 00 05        only these
    python tools/colab_rehearsal.py FOLDER --python python3.12     with another Python

In FOLDER it makes an environment of just the versions that Colab brings (constraints-colab.txt), a
repository of the commit that is checked out, and a stand-in for the part of `google.colab` that the
recorder uses. Then it runs the chapters as that repository has them. The set-up cell of the first
finds no minicodec and installs it, as on Colab; git is told that our address leads to that
repository. Of the packages that were there before, none may have changed afterwards.

A second run with the same FOLDER keeps the environment and takes only minicodec out of it.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from notebooks import ROOT, read, tags_of
from stamp import address

PINS = ROOT / "constraints-colab.txt"
#: What the set-up cell brings, and what would have to be there for its check to mean anything.
OURS = ("minicodec", "encodec")
#: minicodec.sound.official prints this where the official package does not import.
SAVED = "These are its numbers of"
COLAB = '''"""A stand-in: it keeps the functions that a page may call, as Colab does."""

_functions = {}


def register_callback(name, function):
    _functions[name] = function
'''
#: Run by the environment's own Python: it has nbclient, and the kernel is its own.
EXECUTE = """
import sys, nbclient, nbformat
path, done = sys.argv[1:]
notebook = nbformat.read(path, as_version=4)
client = nbclient.NotebookClient(notebook, timeout=900, kernel_name="python3", record_timing=True)
try:
    client.execute()
finally:
    nbformat.write(notebook, done)
"""


@dataclass(frozen=True)
class Ran:
    """One chapter: how long it took, its set-up cell apart, and what it ended with."""

    name: str
    seconds: float
    setup: float
    said: str
    saved: int
    error: str


def pip(python: Path, *words: str) -> str:
    """What pip prints in that environment; no constraint of this machine is to choose versions."""
    env = os.environ | {"PIP_CONSTRAINT": os.devnull, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    command = [str(python), "-m", "pip", *words]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"pip {' '.join(words)} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


def versions(python: Path) -> dict[str, str]:
    """Every package of that environment, and its version."""
    listed = json.loads(pip(python, "list", "--format=json"))
    return {each["name"]: each["version"] for each in listed}


def changes(before: dict[str, str], after: dict[str, str]) -> list[str]:
    """One line for each package that is not what it was, or has gone; new ones are no change."""
    return [
        f"{name} {version} became {after.get(name, 'nothing')}"
        for name, version in before.items()
        if after.get(name) != version
    ]


def environment(place: Path, base: str) -> Path:
    """The Python of an environment with Colab's packages and without ours."""
    python = place / "env/bin/python"
    if not python.exists():
        subprocess.run([base, "-m", "venv", str(place / "env")], check=True)
    # Only what differs is fetched, so that a second run is quick.
    pip(python, "install", "--quiet", "-r", str(PINS))
    pip(python, "uninstall", "--quiet", "--yes", *OURS)
    return python


def repository(place: Path) -> Path:
    """The commit that is checked out here, as the published branch of a repository."""
    target = place / "repository"
    shutil.rmtree(target, ignore_errors=True)
    clone = ["git", "clone", "--quiet", "--bare", str(ROOT), str(target)]
    subprocess.run(clone, check=True)
    head = git("rev-parse", "HEAD")
    git("update-ref", f"refs/heads/{address()[1]}", head, cwd=target)
    return target


def git(*words: str, cwd: Path = ROOT) -> str:
    return subprocess.run(
        ["git", *words], cwd=cwd, check=True, capture_output=True, text=True
    ).stdout.strip()


def chapters_of(repository: Path, place: Path, wanted: list[str]) -> list[Path]:
    """The chapters that are wanted, all of them by default, as the repository has them."""
    branch, folder = address()[1], place / "chapters"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name in git("ls-tree", "--name-only", branch, "chapters/", cwd=repository).splitlines():
        if name.endswith(".ipynb") and (not wanted or Path(name).stem.split("_")[0] in wanted):
            text = git("show", f"{branch}:{name}", cwd=repository)
            (folder / Path(name).name).write_text(text, encoding="utf-8")
    return sorted(folder.glob("*.ipynb"))


def surroundings(place: Path, repository: Path) -> dict[str, str]:
    """The environment variables with which a chapter runs as it would on Colab."""
    fake = place / "colab/google/colab"
    fake.mkdir(parents=True, exist_ok=True)
    (fake / "__init__.py").touch()
    (fake / "output.py").write_text(COLAB, encoding="utf-8")
    keep = {name: value for name, value in os.environ.items() if name != "MINICODEC_RECORDINGS"}
    return keep | {
        "PATH": f"{place / 'env/bin'}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(place / "colab"),
        "PIP_CONSTRAINT": os.devnull,
        "OMP_NUM_THREADS": "1",
        "MINICODEC_PROGRESS": "",  # checks that pass here are no student's progress
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.{repository.as_uri()}.insteadOf",
        "GIT_CONFIG_VALUE_0": address()[0],
    }


def run(python: Path, chapter: Path, env: dict[str, str]) -> Ran:
    """Run one chapter in that environment's own kernel."""
    done, began = chapter.with_suffix(".done"), time.monotonic()
    command = [str(python), "-c", EXECUTE, chapter.name, done.name]
    ended = subprocess.run(
        command, cwd=chapter.parent, env=env, capture_output=True, text=True, check=False
    )
    seconds = time.monotonic() - began
    last = re.sub(r"\x1b\[[\d;]*m", "", ended.stderr).strip().rpartition("\n")[2]
    error = (last or "left nothing") if ended.returncode else ""
    if not done.exists():
        return Ran(chapter.stem, seconds, 0.0, "", 0, error)
    notebook = read(done)
    setup = next(cell for cell in notebook["cells"] if "setup" in tags_of(cell))
    return Ran(
        chapter.stem,
        seconds,
        lasted(setup),
        next(iter(reversed(printed(setup).splitlines())), ""),
        sum(SAVED in printed(cell) for cell in notebook["cells"]),
        error,
    )


def lasted(cell: dict) -> float:
    """Seconds that a cell has run, as nbclient notes them."""
    times = cell["metadata"].get("execution", {})
    ends = [times.get(f"iopub.{key}") for key in ("execute_input", "status.idle")]
    if None in ends:
        return 0.0
    began, ended = (datetime.fromisoformat(str(each).replace("Z", "+00:00")) for each in ends)
    return (ended - began).total_seconds()


def printed(cell: dict) -> str:
    """What a cell has printed."""
    streams = [out["text"] for out in cell.get("outputs", []) if out["output_type"] == "stream"]
    return "".join(text if isinstance(text, str) else "".join(text) for text in streams)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("chapters", nargs="*", help="their numbers; all by default")
    parser.add_argument("--python", default=sys.executable, help="Colab's is 3.12")
    args = parser.parse_args()

    place = args.folder.resolve()
    place.mkdir(parents=True, exist_ok=True)
    python = environment(place, args.python)
    source = repository(place)
    before, env = versions(python), surroundings(place, source)
    failed = False
    for chapter in chapters_of(source, place, args.chapters):
        ran = run(python, chapter, env)
        failed |= bool(ran.error)
        print(f"{ran.name:34} {ran.seconds:5.0f} s, set-up {ran.setup:3.0f} s: {ran.said}"
              f"{f'; {ran.saved} saved results' * bool(ran.saved)}"
              f"{f'; FAILED: {ran.error}' * bool(ran.error)}", flush=True)  # fmt: skip
    after = versions(python)
    for line in (changed := changes(before, after)):
        print(line)
    new = [f"{name} {version}" for name, version in after.items() if name not in before]
    print(
        f"{len(before)} packages were there, {len(changed)} of them changed, new: {', '.join(new)}"
    )
    return int(failed or bool(changed) or not set(OURS) <= set(after))


if __name__ == "__main__":
    sys.exit(main())
