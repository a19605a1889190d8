"""The lesson of chapter 01b: tasks name the equations of the chapter."""

import re
from pathlib import Path

from minicodec.exercises.lesson_01b import LESSON


def test_tasks_name_equations_that_there_are():
    named = {n for e in LESSON for n in re.findall(r"\((\d)\)", e.task)}
    (path,) = (Path(__file__).parents[2] / "chapters").glob("01b_*.ipynb")
    there = set(re.findall(r"tag\{(\d)\}", path.read_text(encoding="utf-8")))
    assert named and named <= there
