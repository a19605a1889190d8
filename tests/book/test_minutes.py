"""Minutes are estimated in one way, and every place says the same."""

import json
import re
import subprocess
import sys
from pathlib import Path

import minutes
import pytest
from minutes import Times, about, headed, measure, sections, stamped
from notebooks import chapters, from_text, read, source_of, write

ROOT = Path(__file__).resolve().parents[2]

TEXT = """# %% [markdown]
# # 05 A title
#
# | You will build | You will hear | Time | You need |
# |---|---|---|---|
# | a | b | c | d |
#
# {opening}

# %% tags=["setup"]
import importlib.util

# %% [markdown]
# ## Build: `one`
#
# {words}
#
# $$x = 1$$

# %% alt="A line."
{lines}
compare(a)

# %% tags=["check"]
check = 'exercises.check("05.nearest_code", a)'

# %% [markdown]
# ## Exercises
#
# ### Exercise 1: One
#
# *On paper · core · 2 minutes.* One? **Done when** it is right.

# %% tags=["exercise", "hide-input"]
one = 1

# %% tags=["check"]
check = 'exercises.check("05.bits_per_second", one)'

# %% [markdown]
# ## Quiz
#
# **1. Three?**
#
# <details><summary>Yes</summary>
#
# **No.** Because.
#
# </details>
#
# <details><summary>No</summary>
#
# **Right.** Because.
#
# </details>
#
# ## Further reading
#
# {words}
"""


@pytest.fixture
def notebook():
    return from_text(
        TEXT.format(
            opening="word " * 200, words="word " * 300, lines="\n".join(["x = 1", "# why"] * 59)
        )
    )


def test_minutes_follow_from_what_a_section_holds(notebook):
    found = {section.title: section.minutes for section in sections(notebook)}
    # 3 minutes of words, 7 of 60 lines; formula, figure and player 2.5; and two words of heading.
    assert found == {"Opening": 2, "Build: one": 13, "Exercises": 0, "Quiz": 1}
    assert Times(sections(notebook), {}).minutes == 15
    assert Times(sections(notebook), {}).exercises == 10


def test_a_head_says_the_time_once_however_often_it_is_written(notebook):
    head = source_of(notebook["cells"][0])
    times = Times(sections(notebook), {"Build: one": {"seconds": 12.4, "t4": 3.2}})
    once = headed(head, times)
    assert (
        "15 minutes, exercises 10; computing: 10 s on a CPU, 3 s on a T4 (estimate) | d |" in once
    )
    assert "| Build: one | 13 | 8 | 10 s | 3 s |" in once
    assert headed(once, times) == once
    notebook["cells"][0]["source"] = once
    assert sections(notebook) == times.sections  # the table is no prose that takes time
    assert once.endswith(head.splitlines()[-1])


def test_seconds_are_said_as_exactly_as_they_are_known():
    assert [about(s) for s in (0.1, 0.6, 9.4, 12.6, 58)] == ["–", "1 s", "9 s", "15 s", "60 s"]


def test_a_chapter_is_measured_cell_by_cell(tmp_path, monkeypatch):
    lines = """import time

# %%
began = time.process_time()
while time.process_time() < began + 0.3:
    pass

# %% [markdown]
# ## Large

# %%
import torch
x = torch.randn(1024, 1024)
for _ in range(5):
    x = x @ x

# %% [markdown]
# ## Small

# %%
for _ in range(500):
    x[0] + 1
"""
    path = tmp_path / "x.ipynb"
    text = TEXT.format(opening="", words="", lines=lines).replace("compare(a)", "")
    write(path, from_text(text))
    monkeypatch.setattr(minutes, "EXECUTED", tmp_path / "executed")
    found = measure(path)["sections"]
    assert 0.25 < found["Build: one"]["seconds"] < 1
    assert found["Build: one"]["t4"] > 0.25  # waiting in Python gets no faster
    assert found["Large"]["gflop"] == pytest.approx(5 * 2 * 1.024**3, rel=0.01)
    assert found["Large"]["t4"] < found["Large"]["seconds"]
    assert 1000 <= found["Small"]["operations"] <= 1010
    assert found["Small"]["t4"] >= 0.01  # a launch each
    executed = json.loads((tmp_path / "executed" / "x.ipynb").read_text())
    assert len(executed["cells"]) == len(read(path)["cells"])


def test_all_places_say_the_same_minutes():
    result = subprocess.run(
        [sys.executable, "tools/minutes.py", "--check"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stdout + result.stderr


def test_a_place_that_disagrees_is_seen():
    files = stamped()
    readme = files[ROOT / "README.md"]
    toc = files[ROOT / "_toc.yml"]
    for path in chapters():
        (said,) = re.findall(r"\| (\d+) minutes, exercises", files[path])
        assert re.search(rf"\(chapters/{path.stem}\.ipynb\) .* \| {said} \| \[!\[Open", readme)
        assert re.search(rf"file: chapters/{path.stem}\n +title: .* \({said} min\)", toc)


def test_chapters_fit_a_lesson():
    for path in chapters():
        times = minutes.times_of(path)
        least = 15 if path.stem.startswith("00") else 40
        assert least <= times.minutes <= 90, f"{path.stem}: {times.minutes} minutes"
        assert times.total("seconds") < 60, f"{path.stem} computes for a minute"
