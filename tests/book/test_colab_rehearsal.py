"""The rehearsal of Colab, in small: this environment in place of Colab's, and one tiny chapter."""

import subprocess
import sys
from pathlib import Path

import pytest
from colab_rehearsal import (
    SAVED,
    changes,
    chapters_of,
    git,
    repository,
    run,
    surroundings,
    versions,
)
from notebooks import ROOT, dumps, from_text, read
from stamp import address

CHAPTER = """\
# %% [markdown]
# # Small

# %% tags=["setup"]
print("minicodec 1, torch 2, cpu")

# %%
from google.colab import output
output.register_callback("minicodec.recording1", print)
print("encodec does not import here. These are its numbers of today (x).")
"""


@pytest.fixture
def place(tmp_path) -> Path:
    (tmp_path / "repository").mkdir()
    return tmp_path


def ran(place: Path, text: str):
    chapter = place / "00_small.ipynb"
    chapter.write_text(dumps(from_text(text)), encoding="utf-8")
    return run(Path(sys.executable), chapter, surroundings(place, place / "repository"))


def test_a_chapter_runs_as_on_colab_and_its_set_up_cell_is_timed(place):
    done = ran(place, CHAPTER)
    assert done.error == "" and done.said == "minicodec 1, torch 2, cpu"
    assert 0 < done.setup < done.seconds and done.saved == 1
    assert SAVED in (ROOT / "minicodec/sound/official.py").read_text(encoding="utf-8")


def test_a_chapter_that_fails_says_with_what(place):
    done = ran(place, CHAPTER + '\n# %%\nraise ValueError("no such sound")\n')
    assert "no such sound" in done.error and done.said


def test_what_has_changed_is_named_and_what_is_new_is_not():
    before = {"torch": "2.9.0", "numpy": "2.0.2", "tqdm": "4.67.1"}
    after = {"torch": "2.9.0", "numpy": "2.4.6", "minicodec": "0.1.0"}
    assert changes(before, after) == ["numpy 2.0.2 became 2.4.6", "tqdm 4.67.1 became nothing"]
    assert changes(before, before | {"encodec": "0.1.1"}) == []


def test_versions_are_those_of_the_environment():
    there = versions(Path(sys.executable))
    assert {"torch", "minicodec"} <= set(there)


def test_the_address_of_the_book_leads_to_a_clone_with_the_chapters(tmp_path):
    if not (ROOT / ".git").exists():  # CI has one, where a git that fails is a failure
        pytest.skip("an archive, not a git checkout: there is nothing to clone")
    source = repository(tmp_path)
    found = chapters_of(source, tmp_path, ["00", "05"])
    assert [path.stem.split("_")[0] for path in found] == ["00", "05"]
    assert read(found[0])["cells"]
    env = surroundings(tmp_path, source)
    url, branch = address()
    listed = subprocess.run(
        ["git", "ls-remote", url, branch], env=env, capture_output=True, text=True, check=True
    )
    assert listed.stdout.split()[0] == git("rev-parse", "HEAD")
