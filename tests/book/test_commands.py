"""What README, CONTRIBUTING and "How to use this book" tell people to type works as it stands.

The lines are read from the pages and run in their order, in a folder that has the files they name,
made from clips that ship. What cannot run here says why, and is checked as far as it goes.
"""

import os
import re
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
import yaml

from minicodec.sound import audio

ROOT = Path(__file__).resolve().parents[2]
PAGES = ("README.md", "CONTRIBUTING.md", "book/how-to-use.md")
#: With variables before them, if need be. `test_nothing_else_is_told` keeps this list whole.
PROGRAMS = r"(\w+=\S+ )?(minicodec|make|git|pip|cat|cd|\.venv/bin/\w+) "
#: Lines that are not run, each with the reason why; `test_what_is_not_run_…` looks at them.
NOT_RUN = {
    r"make( |$)": "CI runs make test, which runs make book; each target has tests of its own",
    r"git clone ": "needs a network",
    r"pip install ": "needs a network",
    r"cd minicodec$": "after git clone",
    r".*tools/run_tests\.py ": "this is what runs here",
    r".*\.venv/bin/pytest ": "this is what runs here",
    r".*http\.server": "serves until it is stopped; the playground's tests serve the same folder",
    r".*playground_site\.py": "lays out 20 MB, with npm; the playground's tests do the same",
}
#: What makes training short. The last of two equal options counts.
SHORT = {"--minutes": "0.02", "--batch": "2"}


def blocks(page: str, language: str = "") -> list[str]:
    """Fenced blocks of a page."""
    found: list[str] = []
    fence = None
    for line in (ROOT / page).read_text(encoding="utf-8").splitlines():
        if line.startswith("```"):
            fence = line.removeprefix("```") if fence is None else None
            found += [""] * (fence == language)
        elif fence == language:
            found[-1] += f"{line}\n"
    return found


def lines(page: str) -> list[str]:
    """Lines of a page's blocks that start a program, in order."""
    found = [line for block in blocks(page) for line in block.splitlines()]
    return [line for line in found if re.match(PROGRAMS, f"{line} ")]


def not_run(line: str) -> bool:
    return any(re.match(pattern, line) for pattern in NOT_RUN)


def told() -> list[str]:
    """All lines of all pages."""
    return [line for page in PAGES for line in lines(page)]


@pytest.fixture
def recordings(tmp_path, monkeypatch):
    """The files that the pages name, and a shell in which `minicodec` is this one."""
    for name, clips in {
        "album": ["speech_fr"], "recordings": ["speech_en", "music"], "my_voice": ["speech_de"],
    }.items():  # fmt: skip
        (tmp_path / name).mkdir()
        for clip in clips:
            shutil.copy(ROOT / "book/_static/clips" / f"{clip}.flac", tmp_path / name)
    voice = audio.clip("speech_en", seconds=3.5)[0]
    (tmp_path / "others").mkdir()
    audio.save(tmp_path / "voice.wav", voice, 24000)
    audio.save(tmp_path / "other.flac", voice[:, :24000], 24000)
    audio.save(tmp_path / "others" / "a.wav", voice[:, :30000], 24000)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    # Nothing is fetched, and no browser is opened.
    monkeypatch.setenv("MINICODEC_OFFICIAL_URL", "http://127.0.0.1:9/")
    monkeypatch.setenv("MINICODEC_CACHE", str(tmp_path / "cache"))
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def typed(line: str) -> subprocess.CompletedProcess[str]:
    """A line as a shell runs it; training is made short by options at its end."""
    command, _, _ = line.partition("  #")
    if command.startswith("minicodec train "):
        command += "".join(f" {option} {value}" for option, value in SHORT.items())
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", command], capture_output=True, text=True, check=False
    )


def test_the_lines_of_the_readme_run_in_order(recordings):
    """The first page's commands, each on what the ones before it have made."""
    mine = [line for line in lines("README.md") if not not_run(line)]
    assert len(mine) >= 14, mine
    for line in mine:
        done = typed(line)
        if "-m encodec_" in line:  # official weights are fetched, and here they cannot be
            assert done.returncode == 2, line
            assert re.match(r"minicodec encode: \S+ could not be downloaded \(.*", done.stderr)
        else:
            assert done.returncode == 0, f"{line}\n{done.stdout}\n{done.stderr}"
    for written in re.findall(r" (?:-o|--export|--out|>) ([\w./]+)", "\n".join(mine)):
        assert (recordings / written).exists() or written == "voice.ecdc", written


def test_the_lines_of_how_to_use_run_in_order(recordings):
    (mine,) = [b for b in blocks("book/how-to-use.md", "python") if "\ncodec = " in b]
    (recordings / "mine.py").write_text(mine, encoding="utf-8")
    for line in lines("book/how-to-use.md"):
        if not not_run(line):
            done = typed(line)
            assert done.returncode == 0, f"{line}\n{done.stderr}"


def test_the_python_of_the_readme_runs():
    (block,) = blocks("README.md", "python")
    names: dict[str, object] = {}
    exec(block, names)  # noqa: S102
    speech, codes, copy = names["speech"], names["codes"], names["copy"]
    assert speech.shape[:2] == (1, 1) and codes.shape[:2] == (1, 8) and copy.shape == speech.shape


def test_a_chapter_goes_to_text_and_back_as_told(tmp_path):
    """On a copy of the tree, since the way back writes the chapter."""
    for folder in ("tools", "chapters"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    (tmp_path / "local").mkdir()
    mine = [line for line in lines("CONTRIBUTING.md") if "tools/notebooks.py" in line]
    assert [line.split()[2] for line in mine] == ["to-text", "from-text"]
    for line in mine:
        program, *words = line.split()
        assert program == ".venv/bin/python"
        subprocess.run([sys.executable, *words], cwd=tmp_path, check=True, capture_output=True)
        chapter = next(word for word in words if word.endswith(".ipynb"))
        assert (tmp_path / chapter).read_bytes() == (ROOT / chapter).read_bytes()


def test_nothing_else_is_told():
    """Other blocks without a language are the tree of the package, which starts with its name."""
    for page in PAGES:
        for block in blocks(page):
            known = [line for line in block.splitlines() if re.match(PROGRAMS, f"{line} ")]
            assert known == block.splitlines() or block.startswith("minicodec/\n"), block


def test_no_line_stands_twice_on_a_page():
    for page in PAGES:
        found = [line.partition("  #")[0].strip() for line in lines(page)]
        assert len(found) == len(set(found)), [line for line in found if found.count(line) > 1]


def test_each_line_is_run_or_has_a_reason_not_to():
    run_here = r"(cat voice\.wav|minicodec )|\.venv/bin/python tools/notebooks\.py (to|from)-text "
    for line in told():
        assert not_run(line) or re.match(run_here, line), f"{line}: run it here, or say why not"


def test_what_is_not_run_names_what_is_there():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    url = yaml.safe_load((ROOT / "_config.yml").read_text())["repository"]["url"]
    for line in told():
        if target := re.match(r"make (\S+)", line):
            assert re.search(rf"^{target[1]}:", makefile, re.MULTILINE), line
        for path in re.findall(r"(?:tools|tests|minicodec)/[\w/]+\.py", line):
            assert (ROOT / path).is_file(), line
        if line.startswith(("git clone", "pip install")):
            assert url in line, line


def test_no_page_tells_to_install_what_is_nowhere():
    """Packages that we require ourselves, or this repository; minicodec alone is on no registry."""
    asked = {re.split(r"[^\w.-]", line)[0] for line in metadata.requires("minicodec") or []}
    url = yaml.safe_load((ROOT / "_config.yml").read_text())["repository"]["url"]
    pages = ["README.md", "CONTRIBUTING.md", "book/*.md", "chapters/*.ipynb", "tools/*.py"]
    for path in (path for pattern in pages for path in sorted(ROOT.glob(pattern))):
        for told in re.findall(r"pip install ([^`|;\n]+)`", path.read_text(encoding="utf-8")):
            if "git+" in told:
                assert f"git+{url}" in told or "git+{url}" in told, f"{path.name}: {told}"
            elif " -e " not in f" {told}":
                words = [word for word in told.split() if not word.startswith("-")]
                assert set(words) <= asked, f"{path.name}: pip install {told}"
