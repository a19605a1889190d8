"""The lesson of chapter 01b: tasks name the equations of the chapter."""

import re

from minicodec.exercises.lesson_01b import LESSON


def test_tasks_name_equations_that_there_are():
    named = [int(n) for e in LESSON for n in re.findall(r"\((\d)\)", e.task)]
    assert named and set(named) <= set(range(1, 8))
