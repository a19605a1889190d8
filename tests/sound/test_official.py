"""What the official packages gave: live, or saved where they do not import."""

import json
import sys

import pytest
import torch

from minicodec.sound import official

ABSENT = "a_package_that_there_is_not"


def answer():
    return {"pair": (1, 2.5), "words": "two"}


def changed():
    return {"pair": (1, 2.5), "words": "three"}


@pytest.fixture
def results(tmp_path, monkeypatch):
    """A file of saved results, with one in it."""
    path = tmp_path / "results.json"
    made = {"date": "2026-01-02", "cpu": "a slow one", "encodec": "0.1.1", "torch": "2.0",
            "torchaudio": None}  # fmt: skip
    source = official.fingerprint(official.source_of(answer))
    value = {"pair": [1, 2.5], "words": "two"}
    path.write_text(json.dumps({"00.a": {"source": source, "made": made, "value": value}}))
    monkeypatch.setattr(official, "RESULTS", path)
    return path


def test_live_and_saved_results_are_of_the_same_types(results, capsys):
    live = official.run("00.a", answer, package="json")
    assert capsys.readouterr().out == ""
    assert (
        official.run("00.a", answer, package=ABSENT) == live == {"pair": [1, 2.5], "words": "two"}
    )


def test_a_line_says_why_a_result_is_saved_and_which(results, capsys):
    official.run("00.a", answer, package=ABSENT)
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith(f"{ABSENT} does not import here (ModuleNotFoundError: No module named")
    assert f"torch {torch.__version__}" in line
    assert line.endswith("of 2026-01-02 (encodec 0.1.1, torch 2.0, no torchaudio, a slow one).")


def test_a_call_that_was_changed_is_not_passed_over(results, capsys):
    official.run("00.a", changed, package=ABSENT)
    assert "You have changed the call" in capsys.readouterr().out


def test_nothing_saved_is_said_in_one_sentence(results):
    with pytest.raises(ImportError, match="does not import here .* and no result is saved under"):
        official.run("00.other", answer, package=ABSENT)


@pytest.mark.parametrize("raised", ["OSError('libcudart.so.13: cannot\\nopen')", "RuntimeError()"])
def test_whatever_a_broken_library_raises_is_caught(tmp_path, monkeypatch, raised):
    (tmp_path / "broken_library.py").write_text(f"raise {raised}")
    monkeypatch.syspath_prepend(tmp_path)
    assert official.why_not("broken_library").startswith(raised.partition("(")[0])
    assert "\n" not in official.why_not("broken_library")
    assert "broken_library" not in sys.modules


def test_a_long_error_is_cut():
    assert len(official.why_not("a" * 500)) < 130


@pytest.mark.parametrize("wrong", [torch.ones(1), {1, 2}, float("nan"), [object()], b"bytes"])
def test_what_json_cannot_hold_is_refused(wrong):
    with pytest.raises(ValueError, match=r"'00\.a' is to be saved as JSON"):
        official.run("00.a", lambda: wrong, package="json")


def test_an_error_of_the_official_code_is_an_error():
    with pytest.raises(ZeroDivisionError):
        official.run("00.a", lambda: 1 / 0, package="json")


def test_chance_goes_on_as_if_nothing_had_run():
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    first = official.run("00.a", lambda: torch.rand(3).tolist(), package="json")
    assert torch.equal(torch.rand(3), expected)
    assert first == official.run("00.a", lambda: torch.rand(3).tolist(), package="json")


def test_a_fingerprint_is_of_the_text_alone():
    text = "def f():\n    return 1\n"
    assert official.fingerprint(text) == official.fingerprint("    def f():\n        return 1   ")
    assert official.fingerprint(text) != official.fingerprint(text.replace("1", "2"))
    assert official.fingerprint("x = lambda: 1") == official.fingerprint("") == ""
    assert official.source_of(print) == ""
