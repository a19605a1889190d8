"""`make lab` opens copies: the book stays as it is, and so does what a student wrote."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import lab
import pytest
from notebooks import chapters


@pytest.fixture
def book(tmp_path: Path) -> list[Path]:
    """Two chapters."""
    files = [tmp_path / "chapters" / name for name in ("01b_x.ipynb", "05_y.ipynb")]
    files[0].parent.mkdir()
    for file in files:
        file.write_text(file.name)
    return files


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    return tmp_path / "my_chapters"


def texts(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in sorted(folder.glob("*.ipynb"))}


def test_the_first_time_all_are_copied(book, mine):
    assert lab.copied(book, mine) == []
    assert texts(mine) == texts(book[0].parent)


def test_a_copy_that_was_not_touched_follows_the_book(book, mine):
    lab.copied(book, mine)
    book[1].write_text("better")
    assert lab.copied(book, mine) == []
    assert texts(mine)["05_y.ipynb"] == "better"


def test_what_a_student_wrote_is_kept_and_named(book, mine):
    lab.copied(book, mine)
    (mine / "05_y.ipynb").write_text("my answer")
    assert lab.copied(book, mine) == ["Kept what you have written in chapter 05."]
    book[0].write_text("better")
    book[1].write_text("better")
    notes = lab.copied(book, mine)
    assert notes[0] == "Kept what you have written in chapter 05."
    assert "newer 05_y.ipynb: rename or remove yours" in notes[1] and len(notes) == 2
    assert texts(mine) == {"01b_x.ipynb": "better", "05_y.ipynb": "my answer"}
    (mine / "05_y.ipynb").unlink()
    assert lab.copied(book, mine) == []
    assert texts(mine)["05_y.ipynb"] == "better"


@pytest.mark.parametrize("record", ["", "[1]", "{", None])
def test_without_its_record_every_changed_copy_is_kept(book, mine, record):
    lab.copied(book, mine)
    (mine / "01b_x.ipynb").write_text("my answer")
    if record is None:
        (mine / lab.RECORD).unlink()
    else:
        (mine / lab.RECORD).write_text(record)
    notes = lab.copied(book, mine)
    assert notes[0] == "Kept what you have written in chapter 01b."
    assert texts(mine)["01b_x.ipynb"] == "my answer"
    assert list(json.loads((mine / lab.RECORD).read_text())) == ["05_y.ipynb"]


def test_jupyter_starts_among_the_copies_as_root_too_and_takes_options(mine):
    words = ["--port", "9999", "--no-browser"]
    line = lab.command(words, mine, root=True)
    assert line[:3] == [sys.executable, "-m", "jupyterlab"]
    assert line[-3:] == words and "--allow-root" in line
    assert f"--FileContentsManager.preferred_dir={mine}" in line
    assert "--allow-root" not in lab.command(words, mine, root=False)
    assert lab.command(["--allow-root"], mine, root=True).count("--allow-root") == 1


def test_jupyter_understands_what_it_is_told():
    line = lab.command(["--show-config-json"], lab.ROOT / "tests", root=True)
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    told = json.loads(done.stdout)
    assert told["ServerApp"]["allow_root"] is True
    assert told["FileContentsManager"]["preferred_dir"] == str(lab.ROOT / "tests")


@pytest.mark.skipif(shutil.which("make") is None, reason="no make here; CI starts with make test")
def test_make_hands_its_options_on():
    done = subprocess.run(
        ["make", "-n", "lab", "ARGS=--port 9999 --no-browser"],
        cwd=lab.ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.endswith("/python tools/lab.py --port 9999 --no-browser\n")


def test_copies_are_not_the_projects():
    """Links from a copy are those of the chapter, and git does not see it."""
    for folder in (lab.MINE, lab.EXERCISES):
        assert folder.parent == lab.ROOT
        assert f"/{folder.name}/" in (lab.ROOT / ".gitignore").read_text().splitlines()


@pytest.mark.parametrize("words", [["--port", "9"], ["--gaps", "--port", "9"]])
def test_what_make_lab_opens(tmp_path, monkeypatch, capsys, words):
    """The chapters as they are, or with gaps, each in a folder of its own."""
    started = []
    monkeypatch.setattr(lab.os, "execv", lambda program, line: started.append(line))
    for name in ("MINE", "EXERCISES"):
        monkeypatch.setattr(lab, name, tmp_path / name)
    monkeypatch.setattr(sys, "argv", ["lab.py", *words])
    lab.main()
    gaps = "--gaps" in words
    folder = tmp_path / ("EXERCISES" if gaps else "MINE")
    assert [path.name for path in tmp_path.iterdir()] == [folder.name]
    assert sorted(texts(folder)) == [path.name for path in chapters()]
    chapter = texts(folder)["05_vector_quantization.ipynb"]
    assert ("NotImplementedError" in chapter) == gaps
    assert ("### BEGIN SOLUTION" in chapter) != gaps
    assert started[0][-2:] == ["--port", "9"] and "--gaps" not in started[0]
    assert f"copies of the chapters are in {folder.name}" in capsys.readouterr().out
