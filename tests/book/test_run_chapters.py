"""Chapters are run once, and one that raises is named with what it raised."""

import json

from jupyter_cache import get_cache
from notebooks import from_text
from run_chapters import run


def test_a_chapter_runs_once_and_one_that_raises_is_named(tmp_path):
    whole, broken = (str(tmp_path / name) for name in ("whole.ipynb", "broken.ipynb"))
    notes = tmp_path / "notes"
    for path, code in ((whole, f"open({str(notes)!r}, 'a').write('run ')"), (broken, "1 / 0")):
        notebook = from_text(f"# %% [markdown]\n# # Title\n\n# %%\n{code}\n")
        with open(path, "w") as file:
            json.dump(notebook, file)
    cache = get_cache(tmp_path / "cache")
    for _ in range(2):
        raised = run(cache, [whole, broken])
        assert list(raised) == [broken] and "ZeroDivisionError" in raised[broken]
    assert notes.read_text() == "run "
