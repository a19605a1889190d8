"""Figures in prose are found, and each is asked for its ground."""

import json
from pathlib import Path

import pytest
from notebooks import chapters, from_text, read
from promises import EXCEPTIONS, Chapter, complaints, exceptions, figures, prose_of

ROOT = Path(__file__).resolve().parents[2]


def chapter(prose: str, printed: str = "", code: str = "x = 1", alt: str = "", html: str = ""):
    """A chapter of one cell with its output, and prose after it."""
    lines = "\n".join(f"# {line}" for line in prose.splitlines())
    notebook = from_text(
        f"# %% [markdown]\n# # Title\n\n# %%{alt and f' alt={json.dumps(alt)}'}\n{code}\n\n"
        f"# %% [markdown]\n# ## Section\n#\n{lines}\n"
    )
    executed = json.loads(json.dumps(notebook))
    executed["cells"][1]["outputs"] = [
        {"output_type": "stream", "text": printed},
        {"output_type": "display_data", "data": {"text/html": html, "text/plain": "<object>"}},
    ]
    return Chapter(notebook, executed)


def grounds(prose: str, *args, **kwargs) -> list[str]:
    found = chapter(prose, *args, **kwargs)
    return [found.ground(figure).partition(":")[0] for figure in found.figures]


@pytest.mark.parametrize(
    ("prose", "expected"),
    [
        ("It is 6.5 dB louder.", [(6.5, "dB")]),
        ("Between 1.5 and 12 kbps, or at 3 kbps.", [(1.5, "kbps"), (12, "kbps"), (3, "kbps")]),
        ("It loses −9.1 dB, 48,000 samples, 600 000 steps.",
         [(-9.1, "dB"), (48000, "samples"), (600000, "steps")]),
        ("It is five times as large, and 20 % of it.", [(5, "times"), (20, "%")]),
        ("A hundred and twenty-five times smaller.", [(25, "times")]),
        ("We did it three times.", []),
        ("A 64-sample window of $12$ ms.", [(64, "samples"), (12, "ms")]),
        ("It got 80.0 ± 2.4. It is 3 ± 1 dB, at 9.8 against 15.0 times real time.",
         [(80, "±"), (2.4, "±"), (3, "dB"), (1, "dB"), (9.8, "times"), (15, "times")]),
        ("ViSQOL of 3.9 at p = 0.04.", [(3.9, "ViSQOL"), (0.04, "p")]),
        ("Chapter 12 says that $x = 5$ dB; `7 dB` is code.", []),
        ("| a | 5 dB |", [(5, "dB")]),
    ],
)  # fmt: skip
def test_figures_are_found(prose, expected):
    found = [(figure.value, figure.unit) for figure in chapter(prose).figures]
    assert sorted(found, key=str) == sorted(expected, key=str)


def test_exercises_and_quiz_promise_nothing():
    exercises = "## Exercises\n\n1. *Paper.* Add 4 dB.\n\n## Quiz\n\n5 dB?"
    prose = f"It is 3 dB.\n\n{exercises}\n\n## Next\n\n6 dB."
    assert [figure.value for figure in chapter(prose).figures] == [3, 6]


def test_prose_is_what_is_read():
    assert prose_of("a `b` *c* <span>d</span> [e](f.md) $$g$$").split() == [
        "a", "…", "c", "d", "[e](f.md)"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("prose", "printed", "ground"),
    [
        ("It is 6.5 dB.", "level 6.47 dB", "printed"),
        ("It is 6.5 dB.", "level 6.56 dB", ""),
        ("It is 9.1 dB below.", "level -9.14 dB", "printed"),
        ("It is −9.1 dB.", "level 9.14 dB", ""),
        ("It is about 9 dB.", "level 10.6 dB", "printed"),
        ("It is about 9 dB.", "level 11.6 dB", ""),
        ("It takes 47.5 %.", "share 0.475", "printed"),
        ("It takes 1.2 s.", "1234 ms", ""),
        ("It is at 4 kHz.", "4000 Hz", "printed"),
        ("It is at 4 kHz.", "3551 bytes", ""),
        ("It is at 4 kHz.", "3.6 kHz", ""),
        ("A frame takes 13 ms.", "13.3 ms", "printed"),
        ("The hop has 320 samples, at 75 frames.", "", "config"),
        ("A window of 2048 samples lasts 85 ms.", "2048", "printed"),
        ("The paper says 77.5 points.", "", "source"),
        ("It is 77.5 points.", "", ""),
        ("It is 77.5 points.\n\nThe paper agrees.", "", ""),
        ("It is 77.5 points. That stands in table 1.", "", "source"),
        ("Table 1 says:\n\n| a | b |\n|---|---|\n| x | 77.5 points |", "", "source"),
        ("16 − 9 = 7 kHz.", "", "sum"),
        ("16 − 9 = 8 kHz.", "", ""),
    ],
)
def test_a_figure_needs_a_ground(prose, printed, ground):
    assert grounds(prose, printed)[0] == ground


def test_an_output_far_away_needs_the_unit():
    """A digit is found in any table; one beside its unit is not."""
    far = "\n\n".join(f"# %%\nx = {1000 + i}" for i in range(6))
    code = f"x = 1\n\n{far}"
    assert grounds("It is 23 dB.", "a 23\nb 24 %", code=code) == [""]
    assert grounds("It is 23 dB.", "loudness in dB\na 23", code=code) == ["printed"]


def test_a_length_may_be_said_in_two_units():
    assert grounds("A window of 2048 samples lasts 85.3 ms.", code="n = 2048") == ["code", "sum"]


def test_what_is_measured_needs_more_than_a_constant():
    assert grounds("It is 7 dB.", code="x = 7") == [""]
    assert grounds("It is 7 dB.", code="assert x > 7") == ["code"]
    assert grounds("It has 7 bits.", code="x = 7") == ["code"]
    assert grounds("It has 60 %.", code="q = 0.6") == ["code"]
    assert grounds("It lies 40 dB below.", code="x = 0.01") == ["code"]


def test_players_and_pictures_hold_no_figures():
    html = '<script>var x = "8 dB"</script><svg>8 dB</svg><audio src="data:audio/wav;base64,8dB8"/>'
    assert grounds("It is 8 dB.", html=html) == [""]
    assert grounds("It is 8 dB.", html="<b>8</b> dB") == ["printed"]


def test_an_alternative_text_promises_too():
    assert grounds("No figure.", alt="It falls to 3 dB.") == [""]
    assert grounds("No figure.", "3.2 dB", alt="It falls to 3 dB.") == ["printed"]


def test_another_chapter_can_be_quoted():
    promise = next(f for f in figures(read(chapters()[2])) if f.unit == "ms" or f.unit == "samples")
    number = chapters()[2].stem.partition("_")[0]
    said = f"{promise.value:.{promise.decimals}f} {promise.unit}"
    assert grounds(f"It was {said} in chapter {number}.")[0] in ("chapter", "config")


def test_a_complaint_says_where_and_an_exception_must_be_needed():
    found = chapter("It is 77.5 dB, whatever you do. It is 78.5 dB.", "78.5 dB")
    (complaint,) = complaints(found, {})
    assert complaint == "cell 2: “77.5 dB” has no ground: It is 77.5 dB, whatever you do."
    assert complaints(found, {"whatever you do": "it is so"}) == []
    (stale,) = complaints(found, {"whatever you do": "it is so", "It is 78.5": "it is so"})
    assert "needs no excuse" in stale


def test_exceptions_belong_to_chapters_and_say_why():
    import yaml

    listed = yaml.safe_load(EXCEPTIONS.read_text(encoding="utf-8")) or {}
    assert listed.keys() <= {path.stem for path in chapters()}
    for stem in listed:
        assert all(len(reason) > 15 for reason in exceptions(stem).values())


def test_a_notebook_of_other_code_is_refused():
    notebook = from_text("# %% [markdown]\n# # Title\n\n# %%\n1 + 1\n")
    other = from_text("# %% [markdown]\n# # Title\n\n# %%\n1 + 2\n")
    with pytest.raises(SystemExit, match="another version"):
        Chapter(notebook, other)
