"""Progress: one small file that survives anything, and a table made of it."""

import json
from pathlib import Path

import pytest

from minicodec.exercises import kept as module
from minicodec.exercises import progress as function
from minicodec.exercises.exercise import of_chapter
from minicodec.exercises.kept import keep, place, read


@pytest.fixture
def file(tmp_path, monkeypatch) -> Path:
    path = tmp_path / "progress.json"
    monkeypatch.setenv("MINICODEC_PROGRESS", str(path))
    return path


def test_tries_are_counted_until_it_is_solved(file):
    for right in (False, False, True, False, True):
        assert keep("05.nearest_code", right) == ""
    entry = read()["05.nearest_code"]
    assert entry["tries"] == 3 and len(entry["solved"]) == 10


def test_the_table_of_a_chapter_and_of_all(file):
    first = of_chapter("05")[0]
    keep(first.name, False)
    assert "1 try" in repr(function("05"))
    keep(first.name, True)
    text, html = repr(function(5)), function("05")._repr_html_()
    assert text.splitlines()[0].startswith(f"{first.name} ") and "✓" in text and "2 tries" in text
    assert html.count("<tr>") == len(of_chapter("05")) + 1 and first.name in html
    assert f"1 of {len(of_chapter('05'))}" in repr(function())
    with pytest.raises(ValueError, match="there is no chapter '77'"):
        function(77)


@pytest.mark.parametrize(
    "spoilt", ["", "{", "[]", "3", "\0\0", "[" * 100_000, '"' + "x" * 2_000_000 + '"']
)
def test_a_spoilt_file_is_put_aside_and_a_new_one_begins(file, spoilt, capsys):
    """It may be a term's work with one byte wrong: nothing is thrown away."""
    file.write_text(spoilt)
    assert "open" in repr(function("05")) and "cannot be read" in capsys.readouterr().out
    said = keep("05.nearest_code", True)
    assert "was spoilt; it is progress.json.spoilt now" in said
    assert file.with_name("progress.json.spoilt").read_text() == spoilt
    assert read()["05.nearest_code"]["tries"] == 1
    assert keep("05.nearest_code", True) == ""


@pytest.mark.parametrize(
    "entry", [3, {"tries": "x", "solved": ""}, {"tries": True, "solved": None}, {}, None]
)
def test_a_strange_entry_is_passed_over(file, entry):
    file.write_text(json.dumps({"05.lag": {"tries": 2, "solved": ""}, "05.nearest_code": entry}))
    assert list(read()) == ["05.lag"]


def test_a_file_that_cannot_be_read_now_is_left_as_it_is(file, monkeypatch, capsys):
    """Drive is away for a moment: what stands there must not be written over."""
    keep("05.lag", True)
    before = file.read_bytes()

    def away(self, encoding):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(Path, "read_text", away)
    assert "cannot be read: Input/output error" in keep("05.nearest_code", True)
    assert "open" in repr(function("05")) and "Input/output error" in capsys.readouterr().out
    assert file.read_bytes() == before


def test_strange_bytes_and_strange_names_do_no_harm(file):
    file.write_bytes(b"\xff\xfe{}")
    assert "spoilt" in keep("05.nearest_code", False)
    file.write_text(json.dumps({"<script>": {"tries": 1, "solved": "<b>"}}))
    assert "<script>" not in function()._repr_html_() + function("05")._repr_html_()


def test_a_solved_day_is_escaped(file):
    name = of_chapter("05")[0].name
    file.write_text(json.dumps({name: {"tries": 1, "solved": "<b>"}}))
    assert "<b>" not in function("05")._repr_html_()


def test_a_place_that_cannot_be_written_is_said_and_nothing_raised(tmp_path, monkeypatch):
    monkeypatch.setenv("MINICODEC_PROGRESS", str(tmp_path / "missing" / "progress.json"))
    assert keep("05.nearest_code", True).startswith("(The progress could not be kept: ")
    monkeypatch.setenv("MINICODEC_PROGRESS", str(tmp_path))  # a folder
    assert keep("05.nearest_code", True).startswith("(The progress could not be kept: ")


def test_an_empty_name_keeps_nothing(monkeypatch):
    monkeypatch.setenv("MINICODEC_PROGRESS", "")
    assert place() is None and keep("05.nearest_code", True) == "" and read() == {}


def test_drive_is_taken_where_it_is_mounted(tmp_path, monkeypatch):
    monkeypatch.delenv("MINICODEC_PROGRESS", raising=False)
    monkeypatch.setattr(Path, "home", lambda: tmp_path / "home")
    monkeypatch.setattr(module, "_DRIVE", tmp_path / "drive")
    assert place() == tmp_path / "home" / ".minicodec_progress.json"
    (tmp_path / "drive").mkdir()
    assert place() == tmp_path / "drive" / ".minicodec_progress.json"
