"""What a result says when there is little to say."""

from minicodec.listening.abx_result import AbxResult
from minicodec.listening.pooled import Heard, Pooled, Rated


def test_a_test_that_nobody_finished():
    heard = Heard("Which?", {}, {}, {"x": "did not take this test"})
    assert heard.together is None
    assert str(heard).endswith("left out: x, who did not take this test")
    assert "Nobody is left." in str(Rated("How?", None, {}, []))


def test_listeners_stand_by_their_results_and_names_are_printable():
    results = {"a\x1b": AbxResult(5, 12, 0.8), "b": AbxResult(12, 12, 0.0002)}
    heard = Heard("Which?", results, {"a\x1b": 0.8, "b": 0.0004}, {})
    assert heard.together[:2] == (17, 24)
    lines = str(heard).splitlines()
    assert lines[1].startswith("b ") and lines[1].endswith("< 0.001") and "\x1b" not in str(heard)


def test_html_is_escaped():
    result = Pooled(1, ["x"], {"<b>.csv": "is empty"}, [])
    assert "&lt;b&gt;.csv" in result._repr_html_()
