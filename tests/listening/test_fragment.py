"""A fragment carries all it needs, and lets nothing in; a page of it is whole or not there."""

import re

import pytest

from minicodec import plotting
from minicodec.listening import fragment
from minicodec.sound.files import NotWritten

MODES = [
    (*fragment.CORE, "pictures", "canvas", "paper", "slot", "knob", "compare"),
    (*fragment.CORE, "blind", "transport", "results", "abx"),
    (*fragment.CORE, "blind", "transport", "results", "store", "mushra"),
]


@pytest.mark.parametrize("names", MODES, ids=["compare", "abx", "mushra"])
def test_modules_become_one_script_without_imports_or_comments(names):
    script = fragment.script(*names)
    assert script.startswith("(() => {") and script.endswith("})();")
    assert not re.search(r"^\s*(import|export)\b", script, re.M)
    assert not re.search(r"^\s*(//|/\*)", script, re.M)
    assert "</" not in script.replace("<\\/", ""), "it would end the script element"


def test_no_name_is_defined_twice_in_a_page():
    for names in MODES:
        script = fragment.script(*names)
        defined = re.findall(r"^(?:async )?(?:function\*?|const|let|class) (\w+)", script, re.M)
        assert len(defined) > 10 and len(defined) == len(set(defined))


def test_the_colours_are_those_of_the_plots():
    style = fragment.style()
    used = {colour.upper() for colour in re.findall("#[0-9a-f]{6}", style)}
    assert {"#0072B2", "#56B4E9", "#D55E00", "#E69F00"} <= used & set(plotting.COLORS)


def test_what_is_said_is_text():
    text = fragment.fragment("m", 'a"<b>', "<p>body</p>", scripts=(), data={"x": '">'})
    assert 'data-x="&quot;&gt;"' in text and "<b>" not in text and "<p>body</p>" in text
    assert "<figcaption>" not in fragment.fragment("m", "", "", scripts=(), data={})


def test_dollars_are_no_formula():
    """Classes that MathJax passes over: the first in its version 2, as in Colab, both in 3."""
    (classes,) = re.findall(
        '<figure class="([^"]*)"', fragment.fragment("m", "$x$", "", scripts=(), data={})
    )
    assert {"tex2jax_ignore", "mathjax_ignore"} < set(classes.split())


def test_a_page_is_whole_or_not_there(tmp_path, monkeypatch):
    path = fragment.save_page(tmp_path / "page.html", "A <title>", "Listen.", "<p>old</p>")
    page = path.read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>") and page.endswith("</html>")
    assert "Listen." in page and "<p>old</p>" in page and "A &lt;title&gt;" in page

    def full_disk(self, data):
        self.touch()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(type(path), "write_bytes", full_disk)
    with pytest.raises(NotWritten, match="page.html cannot be written: No space left on device"):
        fragment.save_page(path, "", "", "<p>new</p>")
    assert path.read_text(encoding="utf-8") == page
    assert list(tmp_path.iterdir()) == [path]
