"""`make hear`: from a bare environment to a page that plays."""

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest
from browsing import unavailable

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.skipif(shutil.which("make") is None, reason="no make here; CI starts with make test")
def test_one_command_leads_to_a_page_that_plays(tmp_path):
    """As on a fresh machine, but that what minicodec depends on need not be fetched again."""
    tree, hear = tmp_path / "tree", tmp_path / "hear"
    tree.mkdir()
    for name in ("Makefile", "pyproject.toml", "constraints.txt", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tree)
    for name in ("minicodec", "tools", "book/_static/clips"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, tree / name, ignore=ignored)
    venv.create(hear, symlinks=os.name != "nt")
    own = {"base": str(hear), "platbase": str(hear)}
    site = Path(sysconfig.get_path("purelib", "venv", own))
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")

    quiet = {"DISPLAY": "", "WAYLAND_DISPLAY": ""}  # opens no browser
    done = subprocess.run(
        ["make", "hear", f"HEAR={hear}", f"PYTHON={sys.executable}"],
        cwd=tree, env=os.environ | quiet, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if "satisfies the requirement hatchling" in done.stderr:
        unavailable("without a network pip cannot build the package", "NETWORK")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith(f"open {tree / 'listen.html'}\n")
    page = (tree / "listen.html").read_text(encoding="utf-8")
    assert page.count("<audio") == 5 and "1.5 kbps" in page
    # What ran is this copy, in that environment, and a second call installs nothing.
    again = subprocess.run(
        ["make", "-n", "hear", f"HEAR={hear}"], cwd=tree, capture_output=True, text=True, check=True
    )
    assert "pip" not in again.stdout and f"{hear}/bin/minicodec listen --open" in again.stdout
