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
