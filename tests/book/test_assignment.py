"""A chapter as an nbgrader assignment: generated, handed in, collected, graded, and answered."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from assignment import assignment, chapter_of, make, nbgrader
from notebooks import chapters, dumps, read, source_of, tags_of
from student import BEGIN, END, REGION

from minicodec.exercises.exercise import find, of_chapter

ROOT = Path(__file__).resolve().parents[2]
CHAPTER = "02"  # the one that computes least


def told(cell: dict) -> dict:
    return cell["metadata"].get("nbgrader", {})


@pytest.mark.parametrize("path", chapters(), ids=lambda path: path.stem)
def test_every_exercise_has_an_answer_and_a_test_of_its_own(path):
    cells = assignment(read(path))["cells"]
    exercises = of_chapter(path.stem.partition("_")[0])
    ids = [told(c)["grade_id"] for c in cells if told(c)]
    assert len(ids) == len(set(ids)) and len({c["id"] for c in cells}) == len(cells)
    answers = [c for c in cells if told(c).get("solution")]
    tests = [c for c in cells if told(c).get("grade")]
    names = [exercise.name.replace(".", "-") for exercise in exercises]
    assert [told(c)["grade_id"] for c in tests] == [f"{name}-check" for name in names]
    assert sum(told(c)["points"] for c in tests) == sum(e.points for e in exercises if e.core)
    assert len(answers) == len({told(c)["grade_id"] for c in answers})
    for cell in answers:
        assert BEGIN in source_of(cell) and not told(cell)["locked"]
        assert "raises-exception" in tags_of(cell)
        exercise = find(told(cell)["grade_id"].removesuffix("-answer").replace("-", ".", 1))
        assert exercise.task in source_of(cell)
    for cell in tests:
        assert re.fullmatch(r'exercises\.grade\("[\w.]+", .+\)', source_of(cell)), source_of(cell)
        assert told(cell)["locked"]
    for cell in cells:
        assert "exercises.check(" not in source_of(cell)
        assert not {"solution", "instructor"} & set(tags_of(cell))


@pytest.mark.parametrize("number", ["99", "", "5", "../05"])
def test_a_chapter_that_there_is_not(number):
    with pytest.raises(ValueError, match="there is no chapter"):
        chapter_of(number)
    tool = subprocess.run(
        [sys.executable, "tools/assignment.py", number],
        cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    assert tool.returncode == 1 and "there is no chapter" in tool.stdout and not tool.stderr


def graded(course: Path, *command: str) -> None:
    # Jupyter keeps what it knows about users in the home folder; this is nobody's.
    env = {"HOME": str(course), "JUPYTER_CONFIG_DIR": str(course / "jupyter"),
           "MINICODEC_PROGRESS": "", "OMP_NUM_THREADS": "1"}  # fmt: skip
    done = nbgrader(course, *command, capture_output=True, env=env, timeout=1200)
    assert done.returncode == 0, done.stdout + done.stderr


def handed_in(release: dict, source: dict, solved: set[str]) -> dict:
    """What a student hands in who has solved these exercises and knows nothing of the others."""
    solutions = {told(c)["grade_id"]: c for c in source["cells"] if told(c).get("solution")}
    for cell in release["cells"]:
        if told(cell).get("solution"):
            whole = source_of(solutions[told(cell)["grade_id"]])
            name = told(cell)["grade_id"].removesuffix("-answer").replace("-", ".", 1)
            junk = lambda r: f"{r[1]}return 'junk'\n" if r[1] else "pass\n"  # noqa: E731
            cell["source"] = REGION.sub((lambda r: r[2]) if name in solved else junk, whole)
    return release


def test_three_students_are_graded_as_they_solved(tmp_path):
    from nbgrader.api import Gradebook

    name = f"ch{CHAPTER}"
    path = make(CHAPTER, tmp_path)
    graded(tmp_path, "generate_assignment", name)
    released = tmp_path / "release" / name / path.name
    text = released.read_text(encoding="utf-8")
    for word in (BEGIN, END, "Worked answer"):
        assert word not in text

    source = read(path)
    answers = [told(c)["grade_id"] for c in source["cells"] if told(c).get("solution")]
    names = [a.removesuffix("-answer").replace("-", ".", 1) for a in answers]
    core = [n for n in names if find(n).core]
    students = {"ada": set(names), "ben": set(core[::2]), "cem": set()}
    inbox = tmp_path / "downloaded" / name / "archive"
    inbox.mkdir(parents=True)
    for student, solved in students.items():
        mine = handed_in(read(released), source, solved)
        file = f"{name}_{student}_attempt_2026-11-27-12-00-00_{path.name}"
        (inbox / file).write_text(dumps(mine), encoding="utf-8")

    graded(tmp_path, "zip_collect", name)
    graded(tmp_path, "autograde", name, "--create")
    graded(tmp_path, "generate_feedback", name)

    def points(solved: set[str]) -> float:
        return sum(find(n).points for n in solved if find(n).core)

    with Gradebook(f"sqlite:///{tmp_path}/gradebook.db") as book:
        for student, solved in students.items():
            submission = book.find_submission(name, student)
            assert submission.max_score == points(set(names)) > 0
            assert submission.score == points(solved), student
            assert not submission.needs_manual_grade
    assert 0 < points(students["ben"]) < points(students["ada"])

    shown = {
        student: (
            tmp_path / "feedback" / student / name / path.with_suffix(".html").name
        ).read_text()
        for student in students
    }
    assert "right." in shown["ada"] and "AssertionError" not in shown["ada"]
    assert "AssertionError" in shown["cem"]
    # No gap stops what comes after it.
    for student in students:
        assert "NameError" not in shown[student], student
