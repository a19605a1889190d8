"""The table of contents is the architecture: no module imports from a later chapter."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def lint_imports(root: Path) -> subprocess.CompletedProcess[str]:
    """Check the contract of pyproject.toml on the package in `root`."""
    return subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-cache"],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    shutil.copytree(
        ROOT / "minicodec", tmp_path / "minicodec", ignore=shutil.ignore_patterns("__pycache__")
    )
    return tmp_path


def test_imports_run_downward():
    result = lint_imports(ROOT)
    assert result.returncode == 0, result.stdout + result.stderr


def test_a_copy_is_checked_in_place(copy):
    result = lint_imports(copy)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize(
    "line",
    [
        "import minicodec.model.codec",
        "from minicodec import codec",
        "from minicodec.model.codec import Codec",
        "def late():\n    from . import codec",
    ],
)
def test_an_upward_import_is_found(copy, line):
    with (copy / "minicodec" / "conv.py").open("a") as file:
        file.write(f"\n{line}\n")
    result = lint_imports(copy)
    assert result.returncode != 0
    assert "minicodec.model.conv -> minicodec.model.codec" in result.stdout


def test_a_module_without_a_layer_is_found(copy):
    (copy / "minicodec" / "homeless.py").write_text("")
    result = lint_imports(copy)
    assert result.returncode != 0
    assert "homeless" in result.stdout
