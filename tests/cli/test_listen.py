"""`minicodec listen`."""

import pytest
from command import TINY, bad_files, check_refused, run

from minicodec.cli import listen


def test_a_page_and_its_successor(folder, capsys):
    assert run("listen", "mono.wav", *TINY) == 0
    assert f"open {folder / 'listen.html'}" in capsys.readouterr().out
    page = (folder / "listen.html").read_text(encoding="utf-8")
    assert page.count("<audio") == 3 and "1.5 kbps (file:" in page
    assert run("listen", *TINY) == 0  # our own clip, onto our own page
    assert (folder / "listen.html").read_text(encoding="utf-8") != page


@pytest.mark.parametrize(
    ("words", "display", "opened"), [(["--open"], ":0", 1), (["--open"], "", 0), ([], ":0", 0)]
)
def test_a_page_is_shown_if_asked_for_where_there_is_a_desktop(
    folder, capsys, monkeypatch, words, display, opened
):
    shown = []
    monkeypatch.setattr(listen.webbrowser, "open", shown.append)
    monkeypatch.setattr(listen.has_desktop, "__defaults__", ("linux",))
    monkeypatch.setenv("DISPLAY", display)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    assert run("listen", *words, *TINY) == 0
    assert shown == [(folder / "listen.html").as_uri()] * opened
    assert f"open {folder / 'listen.html'}" in capsys.readouterr().out


def test_which_machines_have_a_desktop(monkeypatch):
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    assert listen.has_desktop("darwin") and listen.has_desktop("win32")
    assert not listen.has_desktop("linux")
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    assert listen.has_desktop("linux")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["gone.wav"], "gone.wav: no such file"),
        (["three.wav"], "three.wav has 3 channels"),
        (["mono.wav", "-o", "taken.html"], "taken.html exists already"),
        (["mono.wav", "-o", "page.pdf"], "page.pdf: the ending must be one of .html"),
        (["mono.wav", "-o", "no/x.html"], "no is not a folder"),
    ],
)
def test_wrong_input_costs_one_line(folder, capsys, monkeypatch, words, message):
    bad_files(folder)
    monkeypatch.setattr(listen, "load", lambda _: pytest.fail("a model was loaded"))
    check_refused(folder, capsys, ["listen", *words, *TINY], message)
