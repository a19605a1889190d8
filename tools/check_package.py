"""Build the sdist and from it the wheel, look into both, and run every command of the wheel.

    python tools/check_package.py
    python tools/check_package.py dist      and leave both there: `make dist`, for a release

The wheel is installed in an environment of its own and run in a folder elsewhere, so that nothing
can be found by luck in the checkout.
"""

import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
import venv
import zipfile
from collections.abc import Iterable
from email.message import Message
from email.parser import BytesParser
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parent.parent
#: Folders of the checkout, and what they are called in the wheel.
SHIPPED = {"minicodec": "minicodec", "book/_static/clips": "minicodec/clips"}
MOST_BYTES = 33_000_000  # of a wheel or a source archive; clips and weights are nearly all of it
#: What a user of the wheel may type, and what each must leave behind.
COMMANDS = {
    "encode clips/speech_en.flac -o a.mcdc -b 6 -e lm": "a.mcdc",
    "info a.mcdc": "",
    "decode a.mcdc -o a.wav": "a.wav",
    "roundtrip a.wav -o b.flac -b 1.5": "b.flac",
    "listen a.wav -o listen.html": "listen.html",
    "evaluate clips -b 1.5 --seconds 1 --measures si_sdr --opus -o table.json": "table.json",
    "train two.json --data clips --steps 2 --out run": "run/config.json",
    "train-lm --codec mini_24khz --data clips --valid clips -o lm.safetensors --minutes 0.01"
    " --dim 16 --layers 1 --heads 2": "lm.safetensors",
    "export -o saved": "saved/config.json",
    "export -m saved -o official --to official": "official/load_encodec.py",
    "export --to onnx -o exported": "exported/mini_24khz.json",
}  # fmt: skip
# One interpreter for all of them: each would wait seconds for torch.
RUN = """
import dataclasses, shlex, shutil, sys
from pathlib import Path
import minicodec
from minicodec import audio
from minicodec.cli import main
from minicodec.training.config import load_config

home = Path(minicodec.__file__).parent
assert home.is_relative_to(sys.prefix), f"this is the minicodec of {home}, not of the wheel"
Path("clips").mkdir()
for name in audio.clips():
    assert audio.clip(name).shape[-1] > 24000, name
for name in ("speech_en", "music"):
    shutil.copy(audio.clip_folder() / f"{name}.flac", "clips")
dataclasses.replace(load_config("tiny"), warm_up=0).save("two.json")
for words, left in COMMANDS.items():
    status = main(shlex.split(words))
    assert status == 0, f"minicodec {words}: status {status}"
    assert not left or Path(left).stat().st_size > 0, f"minicodec {words} left no {left}"
"""


def shell(*words: object, cwd: Path | None = None, env: dict[str, str] | None = None) -> str:
    """What a command printed, or an end that shows it."""
    done = subprocess.run(
        list(map(str, words)), cwd=cwd, env=env, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{words[0]} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


def expected_in_wheel(root: Path = ROOT) -> set[str]:
    """Every file of the package and every clip, and nothing else."""
    return {
        f"{name}/{path.relative_to(root / folder).as_posix()}"
        for folder, name in SHIPPED.items()
        for path in (root / folder).rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }


def expected_in_sdist(root: Path = ROOT) -> set[str] | None:
    """Every file that git keeps or would keep; None where this is no checkout."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=root, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if listed.returncode:
        return None
    return {name for name in listed.stdout.split("\0") if name and (root / name).exists()}


def differences(what: str, found: Iterable[str], expected: Iterable[str]) -> list[str]:
    """One line for each file that is missing or should not be there."""
    found, expected = set(found), set(expected)
    return [f"{what} lacks {name}" for name in sorted(expected - found)] + [
        f"{what} has {name}, which does not belong there" for name in sorted(found - expected)
    ]


def faults_of_metadata(metadata: Message) -> list[str]:
    """What Colab or an index would stumble over."""
    faults = []
    for name, value in (("License-Expression", "MIT"), ("License-File", "LICENSE"),
                        ("Requires-Python", ">=3.10")):  # fmt: skip
        if metadata[name] != value:
            faults.append(f"the metadata have {name} {metadata[name]}, not {value}")
    for text in metadata.get_all("Requires-Dist", []):
        requirement = Requirement(text)
        extra = requirement.marker and "extra" in str(requirement.marker)
        if not extra and any(each.operator != ">=" for each in requirement.specifier):
            faults.append(f"{text} would replace what Colab brings: only lower bounds may be")
    return faults


def faults_of_wheel(wheel: Path, root: Path = ROOT) -> list[str]:
    """What it lacks, what it should not have, and what it says wrongly about itself."""
    with zipfile.ZipFile(wheel) as file:
        names = [name for name in file.namelist() if not name.endswith("/")]
        about = wheel.name.removesuffix("-py3-none-any.whl") + ".dist-info"
        metadata = BytesParser().parsebytes(file.read(f"{about}/METADATA"))
        scripts = file.read(f"{about}/entry_points.txt").decode()
    own = [name for name in names if not name.startswith(about)]
    faults = differences("the wheel", own, expected_in_wheel(root)) + faults_of_metadata(metadata)
    if f"{about}/licenses/LICENSE" not in names:
        faults.append("the wheel lacks its licence")
    if "minicodec = minicodec." not in scripts:
        faults.append("the wheel brings no command minicodec")
    return faults + too_large(wheel)


def faults_of_sdist(sdist: Path, root: Path = ROOT) -> list[str]:
    """What it lacks of the checkout, and what is in it that git does not keep."""
    expected = expected_in_sdist(root)
    with tarfile.open(sdist) as file:
        names = [name.partition("/")[2] for name in file.getnames()]
    faults = differences("the sdist", set(names) - {"PKG-INFO"}, expected or names)
    return faults + too_large(sdist)


def too_large(file: Path) -> list[str]:
    size = file.stat().st_size
    return [f"{file.name} has {size / 1e6:.0f} MB"] if size > MOST_BYTES else []


def build(folder: Path, root: Path = ROOT) -> tuple[Path, Path]:
    """The sdist, and the wheel that is made of it, as `pip install` of an sdist would."""
    # Not isolated: the pinned hatchling is here already, and nothing has to be fetched.
    shell(sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, root)
    (sdist,), (wheel,) = folder.glob("*.tar.gz"), folder.glob("*.whl")
    return sdist, wheel


def installed(wheel: Path, place: Path) -> Path:
    """The programs of a new environment that has this wheel, and no other minicodec.

    What it depends on is taken from the environment that runs this script, by its path: torch need
    not be fetched again. Our own editable package stays out, for it is in a .pth file there, and
    those count in an interpreter's own folders alone.
    """
    venv.create(place, with_pip=False, symlinks=os.name != "nt")
    own = {"base": str(place), "platbase": str(place)}
    site = Path(sysconfig.get_path("purelib", "venv", own))
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    programs = Path(sysconfig.get_path("scripts", "venv", own))
    pip = [sys.executable, "-m", "pip", "--python", programs / "python"]
    shell(*pip, "install", "--quiet", "--no-index", "--no-deps", wheel)
    shell(*pip, "check")
    return programs


def run_commands(programs: Path, folder: Path) -> None:
    """Every command, in a folder where nothing is, and a pipe as a shell makes it."""
    keep = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    env = keep | {"OMP_NUM_THREADS": "1", "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}
    script = f"COMMANDS = {COMMANDS!r}\n{RUN}"
    shell(programs / "python", "-W", "ignore", "-c", script, cwd=folder, env=env)
    line = "minicodec encode - -b 1.5 < a.wav | minicodec decode - > c.wav && minicodec info a.mcdc"
    shell("sh", "-c", line, cwd=folder, env=env)
    if (folder / "c.wav").stat().st_size != (folder / "a.wav").stat().st_size:
        raise SystemExit("through pipes came another number of samples")


def main() -> int:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sdist, wheel = build(folder / "dist")
        shell(sys.executable, "-m", "twine", "check", "--strict", sdist, wheel)
        faults = faults_of_wheel(wheel) + faults_of_sdist(sdist)
        if faults:
            print("\n".join(faults))
            return 1
        programs = installed(wheel, folder / "environment")
        (folder / "elsewhere").mkdir()
        run_commands(programs, folder / "elsewhere")
        for target in map(Path, sys.argv[1:2]):
            target.mkdir(parents=True, exist_ok=True)
            for file in (sdist, wheel):
                print(f"wrote {shutil.copy(file, target)}")
    print(f"{len(COMMANDS)} commands run from the installed wheel")
    return 0


if __name__ == "__main__":
    sys.exit(main())
