"""What `tools/check_package.py` must notice: it builds wheels of a small tree, whole and spoilt."""

import shutil
from pathlib import Path

import pytest

pytest.importorskip("hatchling", reason="hatchling builds the package; it comes with .[test]")

import check_package
from hatchling.build import build_sdist, build_wheel

ROOT = Path(__file__).resolve().parents[2]
DATA = (
    "minicodec/py.typed",
    "minicodec/weights/a.safetensors",
    "minicodec/web/player.css",
    "book/_static/clips/speech.flac",
)


@pytest.fixture
def tree(tmp_path, monkeypatch) -> Path:
    """The project's own build file over a package of a few files."""
    root = tmp_path / "tree"
    for name in DATA:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("data")
    (root / "minicodec/__init__.py").write_text('__version__ = "0.1.0"\n')
    for name in ("pyproject.toml", "README.md", "LICENSE", ".gitignore"):
        shutil.copy(ROOT / name, root)
    monkeypatch.chdir(root)
    return root


def wheel_of(root: Path, old: str = "", new: str = "") -> Path:
    """Built with the build file as it is, or with some text in it replaced."""
    file = root / "pyproject.toml"
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    return root / build_wheel(str(root))


def test_a_whole_wheel_has_no_faults(tree):
    assert check_package.faults_of_wheel(wheel_of(tree), tree) == []


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        (', "book/_static/clips"]', "]", "the wheel lacks minicodec/clips/speech.flac"),
        (', "book/_static/clips"]', ', "book/_static/clips"]\nexclude = ["*.safetensors"]',
         "the wheel lacks minicodec/weights/a.safetensors"),
        (', "book/_static/clips"]', ', "book/_static/clips", "README.md"]',
         "the wheel has README.md, which does not belong there"),
        ('"torch>=2.2"', '"torch>=2.2,<3"', "would replace what Colab brings"),
        ('"torch>=2.2"', '"torch==2.2"', "would replace what Colab brings"),
        ('license-files = ["LICENSE"]', "license-files = []", "the wheel lacks its licence"),
        ('\nminicodec = "minicodec.', '\ncodec = "minicodec.',
         "the wheel brings no command minicodec"),
    ],
)  # fmt: skip
def test_what_a_wheel_lacks_is_named(tree, old, new, fault):
    faults = check_package.faults_of_wheel(wheel_of(tree, old, new), tree)
    assert any(fault in each for each in faults), faults


def test_an_sdist_has_what_git_keeps(tree, monkeypatch):
    (tree / "runs").mkdir()
    (tree / "runs/metrics.jsonl").write_text("{}")
    kept = {*DATA, "minicodec/__init__.py", "pyproject.toml", "README.md", "LICENSE", ".gitignore"}
    monkeypatch.setattr(check_package, "expected_in_sdist", lambda root: kept)
    sdist = tree / build_sdist(str(tree))
    assert check_package.faults_of_sdist(sdist, tree) == []
    (tree / ".gitignore").write_text("")  # now the run goes in, and the sdist with it
    faults = check_package.faults_of_sdist(tree / build_sdist(str(tree)), tree)
    assert "the sdist has runs/metrics.jsonl, which does not belong there" in faults
    monkeypatch.setattr(check_package, "expected_in_sdist", lambda root: kept | {"book/new.md"})
    assert "the sdist lacks book/new.md" in check_package.faults_of_sdist(sdist, tree)


def test_a_package_that_has_grown_too_large_is_noticed(tree, monkeypatch):
    wheel = wheel_of(tree)
    monkeypatch.setattr(check_package, "MOST_BYTES", 1000)
    assert any(f"{wheel.name} has" in each for each in check_package.faults_of_wheel(wheel, tree))
