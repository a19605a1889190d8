"""The set-up cell of the chapters: what it installs, and how it ends where it cannot."""

import os
import re
import subprocess
import sysconfig
import venv
from pathlib import Path

import pytest
from notebooks import chapters, from_text, read, source_of, tags_of
from stamp import SETUP, stamped_notebook, version

import minicodec

HOME = "https://github.com/a/minicodec"
MOST_LINES = 5


def setup_cell(notebook: dict) -> str:
    (cell,) = (cell for cell in notebook["cells"] if "setup" in tags_of(cell))
    return source_of(cell)


def stamped() -> str:
    """The cell as it would stand in a chapter of a repository at HOME."""
    notebook = from_text("# %% [markdown]\n# # Title\n\n# %%\n1 + 1\n")
    return setup_cell(stamped_notebook(notebook, "x.ipynb", HOME, "main"))


@pytest.mark.parametrize("path", chapters(), ids=lambda path: path.stem)
def test_chapters_install_the_release_that_they_were_written_with(path):
    assert version() == minicodec.__version__
    cell = setup_cell(read(path))
    assert f'("v{minicodec.__version__}", "' in cell and "@{release}" in cell


def test_it_is_short():
    lines = [line for line in SETUP.splitlines() if line and not line.startswith("#")]
    assert len(lines) <= MOST_LINES


@pytest.fixture
def place(tmp_path) -> Path:
    """An environment without minicodec, which finds all else in ours, as on Colab."""
    venv.create(tmp_path / "env", with_pip=False, symlinks=os.name != "nt")
    own = {"base": str(tmp_path / "env"), "platbase": str(tmp_path / "env")}
    site = Path(sysconfig.get_path("purelib", "venv", own))
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return tmp_path


def released(place: Path, *refs: str) -> None:
    """A repository at HOME whose package says as its version what is checked out of it."""
    repository = place / "repository"
    repository.mkdir()

    def git(*words: str) -> None:
        who = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
        subprocess.run(["git", *who, *words], cwd=repository, check=True, capture_output=True)

    git("init", "-q", "-b", "main")
    (repository / "minicodec").mkdir()
    (repository / "pyproject.toml").write_text(
        '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
        '[project]\nname = "minicodec"\nversion = "0"\n'
    )
    for ref in refs:
        (repository / "minicodec/__init__.py").write_text(
            f"def load_ipython_extension(_):\n    print('here is {ref}')\n"
        )
        git("add", ".")
        git("commit", "-q", "-m", ref)
        if ref != "main":
            git("tag", ref)


def run(place: Path, pip: str = 'exec "$python" -m pip "$@"') -> str:
    """What the cell prints, with HOME at `place`; the second pip is that of the environment."""
    programs = place / "env/bin"
    (programs / "pip").write_text(f'#!/bin/sh\npython="{programs}/python"\n{pip}\n')
    (programs / "pip").chmod(0o755)
    (place / "setup.ipy").write_text(stamped() + "\nprint('went', 'on')\n")
    done = subprocess.run(
        [str(programs / "python"), "-m", "IPython", "--no-banner", "--quick", "setup.ipy"],
        cwd=place,
        env={**os.environ, "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
             "GIT_TERMINAL_PROMPT": "0", "GIT_CONFIG_COUNT": "1",
             "GIT_CONFIG_KEY_0": f"url.file://{place}/repository.insteadOf",
             "GIT_CONFIG_VALUE_0": HOME,
             # Nothing is fetched: hatchling is here, and so is what the second pip asks for.
             "PIP_NO_INDEX": "1", "PIP_NO_BUILD_ISOLATION": "0"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return re.sub(r"\x1b\[[\d;]*m", "", done.stdout + done.stderr)


def test_the_release_is_installed_though_the_branch_has_gone_on(place):
    released(place, f"v{version()}", "main")
    output = run(place)
    assert f"here is v{version()}" in output and "went on" in output, output


def test_while_the_release_has_no_tag_the_branch_is_installed(place):
    released(place, "v0.0.1", "main")
    output = run(place)
    assert "here is main" in output and "went on" in output, output


def test_a_failure_of_the_packages_to_compare_with_stops_nothing(place):
    released(place, f"v{version()}")
    output = run(place, pip='echo "no $*"; exit 1')
    assert "no install -q encodec librosa" in output, output
    assert f"here is v{version()}" in output and "went on" in output, output


def test_where_nothing_can_be_installed_it_ends_in_one_sentence(place):
    output = run(place)
    assert "AssertionError: minicodec is not installed: pip says why." in output
    assert "ModuleNotFoundError" not in output and "went on" not in output


def test_where_the_package_is_pip_is_not_asked(place):
    (place / "minicodec.py").write_text("def load_ipython_extension(_):\n    print('mine')\n")
    output = run(place)
    assert output.split() == ["mine", "went", "on"]


def test_the_package_says_what_runs(capsys):
    minicodec.load_ipython_extension(None)
    words = capsys.readouterr().out
    assert words.startswith(f"minicodec {minicodec.__version__}, torch ")
    assert words.rstrip().endswith((", cpu", ", cuda"))
