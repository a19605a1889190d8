"""Every exercise: its right answer is praised, each known wrong one gets its hint, junk a sentence.

A new chapter's exercises are found by themselves. `-k "05."` runs those of one chapter.
"""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import torch

from minicodec.exercises import limited
from minicodec.exercises.checking import mistake_of
from minicodec.exercises.exercise import Exercise, Mistake, chapters, of_chapter

ROOT = Path(__file__).resolve().parents[2]
EXERCISES = [exercise for chapter in chapters() for exercise in of_chapter(chapter)]
MISTAKES = [
    pytest.param(exercise, mistake, id=f"{exercise.name}-{number}")
    for exercise in EXERCISES
    for number, mistake in enumerate(exercise.mistakes)
]
every_exercise = pytest.mark.parametrize("exercise", EXERCISES, ids=lambda e: e.name)


def cells_of(chapter: str) -> list[dict[str, Any]]:
    (path,) = (ROOT / "chapters").glob(f"{chapter}_*.ipynb")
    return json.loads(path.read_text(encoding="utf-8"))["cells"]


def tags(cell: dict[str, Any]) -> list[str]:
    return cell["metadata"].get("tags", [])


@every_exercise
def test_the_right_answer_is_praised(exercise: Exercise):
    for seed in range(3):
        assert mistake_of(exercise, exercise.answer, seed) == ""
    assert mistake_of(exercise, exercise.answer) == "", "on fresh input"


@pytest.mark.parametrize(("exercise", "mistake"), MISTAKES)
def test_a_known_mistake_gets_its_hint(exercise: Exercise, mistake: Mistake):
    for seed in range(3):
        assert mistake_of(exercise, mistake.answer, seed) == mistake.hint


@every_exercise
def test_hints_are_sentences_that_differ(exercise: Exercise):
    hints = [mistake.hint for mistake in exercise.mistakes]
    assert len(hints) == len(set(hints)) >= 3
    for text in [*hints, exercise.task, *filter(None, [exercise.remark])]:
        assert text[0].isupper() or not text[0].isalpha(), text
        assert text.endswith((".", "?", "!", ")")) and "\n" not in text, text


def one_sentence(text: str) -> bool:
    return 0 < len(text) < 400 and "\n" not in text and "Traceback" not in text


class Junk:
    """A class that takes anything and does nothing."""

    def __init__(self, *arguments: object):
        pass


def raises(*arguments: object) -> None:
    raise KeyError("x")


JUNK = {
    "none": None,
    "dots": ...,
    "a number": 12345.678,
    "a word": "junk",
    "an object": object(),
    "an empty list": [],
    "a dict of nothing": {},
    "a tensor": torch.zeros(3, 1, 2),
    "not a number": float("nan"),
    "raises": raises,
    "gives none": lambda *arguments: None,
    "gives a word": lambda *arguments: "junk",
    "gives an empty tensor": lambda *arguments: torch.zeros(0),
    "gives a shape of its own": lambda *arguments: torch.full((2, 1, 7, 1), 0.5),
    "takes nothing": lambda: 1,
    "a class": Junk,
}


@pytest.mark.parametrize("junk", JUNK)
@every_exercise
def test_junk_gets_one_sentence(exercise: Exercise, junk: str):
    wrong = mistake_of(exercise, JUNK[junk], 0)
    assert one_sentence(wrong), wrong


def endless(*arguments: object) -> None:
    while True:
        pass


@pytest.mark.parametrize(
    "exercise", [e for e in EXERCISES if e.called], ids=lambda exercise: exercise.name
)
def test_an_endless_loop_gets_one_sentence(exercise: Exercise, monkeypatch):
    monkeypatch.setattr(limited, "SECONDS", 0.5)
    assert one_sentence(mistake_of(exercise, endless, 0))


@every_exercise
def test_a_gap_is_not_written_yet(exercise: Exercise):
    def gap(*arguments: object) -> None:
        raise NotImplementedError(exercise.task)

    answer = gap if exercise.called else None
    assert mistake_of(exercise, answer, 0) == "It is not written yet."


def test_names_are_unique_and_of_their_chapter():
    names = [exercise.name for exercise in EXERCISES]
    assert len(names) == len(set(names))
    for chapter in chapters():
        assert {exercise.chapter for exercise in of_chapter(chapter)} == {chapter}


@pytest.mark.parametrize("path", sorted((ROOT / "chapters").glob("*.ipynb")), ids=lambda p: p.stem)
def test_chapter_and_module_have_the_same_exercises_in_the_same_order(path: Path):
    chapter = path.stem.partition("_")[0]
    cells = cells_of(chapter)
    called = [
        name
        for cell in cells
        if cell["cell_type"] == "code"
        for name in re.findall(r'exercises\.check\("([^"]+)"', "".join(cell["source"]))
    ]
    assert called == [exercise.name for exercise in of_chapter(chapter)]
    kinds = [exercise.kind for exercise in of_chapter(chapter)]
    assert {"paper", "code", "ear"} <= set(kinds), "each kind at least once"


@pytest.mark.parametrize("path", sorted((ROOT / "chapters").glob("*.ipynb")), ids=lambda p: p.stem)
def test_answer_and_check_are_neighbours_but_never_in_one_cell(path: Path):
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    for before, cell in zip([None, *code], code):
        source = "".join(cell["source"])
        if "### BEGIN SOLUTION" in source:
            assert "exercise" in tags(cell), source
            assert source.count("### BEGIN SOLUTION") == source.count("### END SOLUTION") == 1
            # What a student writes may be a test itself, with asserts of its own.
            around = re.sub(r"(?s)### BEGIN SOLUTION.*### END SOLUTION", "", source)
            assert "exercises.check(" not in source and "assert " not in around, source
        if "exercises.check(" in source:
            assert "check" in tags(cell), source
            assert before is not None and "### BEGIN SOLUTION" in "".join(before["source"]), source


@pytest.mark.parametrize("path", sorted((ROOT / "chapters").glob("*.ipynb")), ids=lambda p: p.stem)
def test_exercises_say_kind_minutes_and_when_they_are_done(path: Path):
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    text = "\n\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "markdown")
    part = text.split("## Exercises\n", 1)[1].split("## Quiz\n")[0]
    tasks = re.split(r"(?m)^### Exercise \d+: .+$", part)[1:]
    assert 3 <= len(tasks) <= 5
    for task in tasks:
        assert re.match(
            r"\s*\*(On paper|In code|By ear) · (core|optional) · \d+ minutes\.\*", task
        ), task
        assert "**Done when**" in task, task


@pytest.mark.parametrize("path", sorted((ROOT / "chapters").glob("*.ipynb")), ids=lambda p: p.stem)
def test_a_chapter_states_what_the_exercise_says(path: Path):
    """Kind, whether it is core, and minutes, above each check at the end."""
    cells = cells_of(path.stem.partition("_")[0])
    text = "\n".join("".join(cell["source"]) for cell in cells).split("## Exercises\n", 1)[1]
    for part in re.split(r"(?m)^### Exercise ", text)[1:]:
        kind, core, minutes = re.search(r"\*([\w ]+) · (\w+) · (\d+) minutes\.\*", part).groups()
        names = re.findall(r'exercises\.check\(\s*"([^"]+)"', part)
        stated = {e.name: e for e in of_chapter(path.stem.partition("_")[0])}
        here = [stated[name] for name in names]
        assert here, part
        assert {"On paper": "paper", "In code": "code", "By ear": "ear"}[kind] in {
            e.kind for e in here
        }, names
        assert int(minutes) == sum(e.minutes for e in here), names
        assert (core == "core") == any(e.core for e in here), names


@pytest.mark.parametrize("path", sorted((ROOT / "chapters").glob("*.ipynb")), ids=lambda p: p.stem)
def test_each_answer_of_the_quiz_has_its_reason(path: Path):
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    text = "\n\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "markdown")
    part = text.split("## Quiz\n", 1)[1].split("\n## ")[0]
    questions = re.split(r"(?m)^\*\*\d+\. .+\*\*$", part)[1:]
    assert 3 <= len(questions) <= 5
    places = []
    for question in questions:
        answers = re.findall(
            r"<details><summary>(.+?)</summary>\n\n(.+?)\n\n</details>", question, re.S
        )
        assert len(answers) == question.count("<details>") and 3 <= len(answers) <= 4, question
        reasons = [reason for _, reason in answers]
        assert all(re.match(r"\*\*(Right|No)\.\*\* \S", reason) for reason in reasons), question
        right = [index for index, reason in enumerate(reasons) if reason.startswith("**Right")]
        assert len(right) == 1, question
        places += right
    assert len(set(places)) > 1, "the right answer has always the same place"
