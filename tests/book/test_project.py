"""The project keeps its own rules: addresses, notebooks, files, and what the package promises."""

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from check_book import toc_pages
from notebooks import chapters, check, clean, dumps, from_text, read, source_of, to_text
from stamp import stamped_notebook, stamped_text

import minicodec

ROOT = Path(__file__).resolve().parents[2]
MODULES = sorted((ROOT / "minicodec").rglob("*.py"))
CHAPTERS = chapters()
MOST_BYTES = 20e6


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def tool(*command: str) -> None:
    result = subprocess.run(
        [sys.executable, *command], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr


def git_files() -> list[Path]:
    if not (ROOT / ".git").exists():  # CI has one, where a git that fails is a failure
        pytest.skip("an archive, not a git checkout: there is no list of the project's files")
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return [ROOT / name for name in result.stdout.split("\0") if name]


def test_addresses_are_stamped():
    tool("tools/stamp.py", "--check")


def test_notebooks_are_clean():
    tool("tools/notebooks.py", "--check")


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_a_chapter_survives_editing_as_text(path):
    assert dumps(from_text(to_text(path))) == path.read_text(encoding="utf-8")


def test_what_a_chapter_must_have_is_named(tmp_path):
    text = "# %% [markdown]\n# # Title\n#\n# ![](x.png) <img src='y'>\n\n# %%\n" + "x = 1\n" * 41
    path = tmp_path / "05_x.ipynb"
    path.write_text(dumps(from_text(text)))
    found = "\n".join(check(path))
    for problem in ("41 lines", "2 cells", "1 words", "image without alt", "<img> without alt"):
        assert problem in found
    assert "diagrams.system(" in found

    words = "\n".join(["# " + "word " * 90] * 20)
    text = f"# %% [markdown]\n# # Title\n#\n{words}\n\n# %%\ndiagrams.system('codes')\n"
    path.write_text(dumps(from_text(text + "\n# %%\n1 + 1\n" * 24)))
    assert check(path) == []


def test_text_becomes_a_notebook():
    notebook = from_text(
        "# %% [markdown]\n# # Title\n#\n# Prose with $x^2$.\n\n"
        '# %% tags=["setup"]\n# %pip install -q x\n\n# %%\nprint("é")\n'
    )
    assert [cell["cell_type"] for cell in notebook["cells"]] == ["markdown", "code", "code"]
    assert source_of(notebook["cells"][0]) == "# Title\n\nProse with $x^2$."
    assert source_of(notebook["cells"][1]) == "%pip install -q x"
    assert notebook["cells"][1]["metadata"] == {"tags": ["setup"]}
    assert dumps(clean(notebook)) == dumps(notebook)


def test_cells_have_different_ids_even_when_equal():
    cell = {"cell_type": "code", "metadata": {}, "source": "1 + 1"}
    first, second = clean({"cells": [cell, cell]})["cells"]
    assert first["id"] != second["id"]


def test_stamping_moves_our_addresses_and_no_others():
    ours = "git clone https://old.example/a/b\nhttps://colab.research.google.com/github/a/b/blob/c/"
    theirs = "https://github.com/facebookresearch/encodec/blob/main/encodec/model.py"
    site = "https://a.github.io/minicodec/book/playground.html https://a.github.io/demo/"
    ours += f"chapters/x.ipynb {site} {theirs}"
    text = stamped_text(ours, "https://github.com/New/name", "v1")
    assert "https://new.github.io/name/book/playground.html https://a.github.io/demo/" in text
    text = stamped_text(ours, "https://github.com/new/name", "v1")
    assert "git clone https://github.com/new/name\n" in text
    assert "/github/new/name/blob/v1/chapters/x.ipynb" in text
    assert theirs in text


def test_stamping_twice_changes_nothing():
    notebook = from_text("# %% [markdown]\n# # Title\n#\n# Prose.\n\n# %%\n1 + 1\n")
    once = dumps(stamped_notebook(notebook, "x.ipynb", "https://github.com/a/b", "main"))
    twice = dumps(stamped_notebook(json.loads(once), "x.ipynb", "https://github.com/a/b", "main"))
    assert once == twice
    assert once.count("colab-badge.svg") == 1
    assert once.count("load_ext minicodec") == 1


def test_no_picture_is_fetched_from_elsewhere():
    """Pages, chapters and README show pictures of our own, so that they need no network."""
    pages = [ROOT / "README.md", *sorted((ROOT / "book").glob("*.md")), *CHAPTERS]
    for path in pages:
        text = path.read_text(encoding="utf-8")
        for picture in re.findall(r"!\[[^\]]*\]\(([^)\s]+)", text):
            assert (path.parent / picture).is_file(), f"{name_of(path)} shows {picture}"


def test_every_chapter_is_in_the_contents_and_the_readme():
    pages = toc_pages()
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    linked = set(re.findall(r"chapters/(\w+)\.ipynb", readme))
    for path in CHAPTERS:
        assert f"chapters/{path.stem}" in pages, f"add chapters/{path.stem} to _toc.yml"
        assert path.stem in linked, f"add {path.stem} to the chapter table of README.md"
    for stem in linked:
        assert f"chapters/{stem}" in pages, f"README.md links to {stem}, which _toc.yml lacks"


@pytest.mark.parametrize(
    ("path", "following"), list(zip(CHAPTERS, CHAPTERS[1:])), ids=lambda p: p.stem
)
def test_a_chapter_ends_with_the_way_to_the_next(path, following):
    prose = [source_of(c) for c in read(path)["cells"] if c["cell_type"] == "markdown"]
    assert f"]({following.name})" in prose[-1], name_of(path)


def test_every_page_of_the_contents_exists():
    for page in toc_pages():
        files = [ROOT / f"{page}{ending}" for ending in (".md", ".ipynb")]
        assert any(file.exists() for file in files), f"_toc.yml names {page}, which is not there"


def test_versions_agree():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert str(citation["version"]) == minicodec.__version__
    assert f"## [{minicodec.__version__}]" in changelog or "## [Unreleased]" in changelog


def test_no_file_is_too_large_for_a_clone():
    for path in git_files():
        size = path.stat().st_size if path.exists() else 0
        assert size <= MOST_BYTES, f"{name_of(path)} has {size / 1e6:.0f} MB"


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_everything_public_is_documented(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert ast.get_docstring(tree), f"{name_of(path)} does not say what it is"
    definitions = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    for node in tree.body:
        if isinstance(node, definitions) and not node.name.startswith("_"):
            assert ast.get_docstring(node), f"line {node.lineno}: {node.name} has no docstring"


def test_every_module_has_a_test_file():
    """In the same room, of the same name; configs of runs are only data."""
    for path in MODULES:
        place = path.relative_to(ROOT / "minicodec")
        if place.name.startswith("__") or len(place.parts) == 1 or "configs" in place.parts:
            continue
        file = ROOT / "tests" / place.parent / f"test_{place.name}"
        assert file.exists(), f"{name_of(path)} has no {name_of(file)}"
