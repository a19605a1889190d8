"""What a student sees of a check, and what a grader gets."""

import pytest
import torch

from minicodec import exercises
from minicodec.exercises import limited
from minicodec.exercises.checking import mistake_of
from minicodec.exercises.exercise import Exercise, Mistake
from minicodec.exercises.kept import read
from minicodec.model.quantize import nearest


@pytest.fixture(autouse=True)
def file(tmp_path, monkeypatch):
    monkeypatch.setenv("MINICODEC_PROGRESS", str(tmp_path / "progress.json"))


def doubled(**others) -> Exercise:
    values = {
        "name": "05.doubled",
        "task": "Double it.",
        "answer": lambda x: 2 * x,
        "mistakes": (
            Mistake("That is the input.", lambda x: x),
            Mistake("That is the square.", lambda x: x * x),
            Mistake("Four times?", lambda x: 4 * x),
        ),
        "inputs": lambda generator: (torch.randn(5, generator=generator),),
    }
    return Exercise(**{**values, **others})


def said(capsys) -> list[str]:
    """What was printed, a sentence each: long ones are wrapped, and go on indented."""
    return capsys.readouterr().out.replace("\n  ", " ").splitlines()


def test_long_sentences_are_wrapped(capsys):
    exercises.check("05.nearest_code", lambda z, e: torch.cdist(z, e).argmax(1))
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) > 1 and max(map(len, lines)) <= 80
    assert all(line.startswith("  ") for line in lines[1:])


def test_praise_a_hint_and_a_gap_are_each_one_sentence(capsys):
    exercises.check("05.nearest_code", nearest)
    exercises.check("05.nearest_code", lambda z, e: torch.cdist(z, e).argmax(1))
    exercises.check("05.nearest_code", None)
    right, wrong, gap = said(capsys)
    assert right == "✓ 05.nearest_code: right. It agrees on 3 random inputs."
    assert wrong.startswith("✗ 05.nearest_code: These are the farthest vectors")
    assert gap == "… 05.nearest_code: not written yet."


def test_praise_may_depend_on_the_answer(capsys, monkeypatch):
    mistakes = tuple(Mistake(f"Not {n}.", n) for n in (1, 2, 3))
    exercise = Exercise(
        "05.many", "Give any number above 3.", 4, mistakes,
        judge=lambda n: "" if n > 3 else f"Not {n}.", told=lambda n: f"It is {n - 3} above.",
    )  # fmt: skip
    monkeypatch.setattr("minicodec.exercises.checking.find", lambda name: exercise)
    exercises.check("05.many", 7)
    exercises.check("05.many", 2)
    assert said(capsys) == [
        "✓ 05.many: right. It is 4 above.",
        "✗ 05.many: Not 2.",
    ]


def test_only_tries_are_kept(capsys):
    exercises.check("05.nearest_code", None)
    assert read() == {}
    exercises.check("05.nearest_code", torch.cdist)
    exercises.check("05.nearest_code", nearest)
    assert read()["05.nearest_code"]["tries"] == 2 and read()["05.nearest_code"]["solved"]


def test_progress_that_cannot_be_kept_is_said_beside_the_result(capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("MINICODEC_PROGRESS", str(tmp_path / "no" / "file"))
    exercises.check("05.nearest_code", nearest)
    first, second = said(capsys)
    assert first.startswith("✓") and second.startswith("(The progress could not be kept: ")


def test_a_grader_gets_points_or_an_error(capsys):
    exercises.grade("05.nearest_code", nearest)
    assert capsys.readouterr().out == "✓ 05.nearest_code: right.\n"
    for answer in (None, 3, lambda z, e: torch.cdist(z, e).argmax(1)):
        with pytest.raises(AssertionError, match=r"^05\.nearest_code: \S"):
            exercises.grade("05.nearest_code", answer)
    assert read() == {}, "a grader's tries are no student's"


@pytest.mark.parametrize("function", [exercises.check, exercises.grade])
def test_a_name_that_there_is_not(function):
    with pytest.raises(ValueError, match="there is no exercise '05.nothing'"):
        function("05.nothing", nearest)
    with pytest.raises(ValueError, match="there is no exercise '05.nothing'"):
        exercises.reference("05.nothing")


def test_the_reference_is_the_right_answer():
    assert exercises.reference("05.nearest_code") is nearest


def test_input_is_fresh_each_time():
    seen = []

    def spy(x):
        seen.append(x)
        return 2 * x

    mistake_of(doubled(), spy)
    mistake_of(doubled(), spy)
    assert len(seen) == 6 and len({float(x.sum()) for x in seen}) == 6


def test_later_cells_draw_the_same_numbers_whatever_was_tried():
    draws = Mistake("That is noise.", lambda x: torch.randn_like(x))
    exercise = doubled(mistakes=(draws, *doubled().mistakes[1:]))
    after = []
    for answer in (lambda x: 2 * x, lambda x: x + torch.randn(7)[:5], draws.answer, None):
        torch.manual_seed(3)
        mistake_of(exercise, answer)
        after.append(float(torch.rand(())))
    assert len(set(after)) == 1


def test_a_mistake_on_one_input_in_three_is_found():
    calls = []

    def seldom(x):
        calls.append(1)
        return 2 * x if len(calls) != 2 else 3 * x

    assert mistake_of(doubled(), seldom, 0) == "Every value is 1.5 times the right one."


def test_changing_the_input_in_place_is_said():
    assert mistake_of(doubled(), lambda x: x.mul_(2), 0).startswith("It changes argument 1 in pl")


def test_a_function_where_a_value_is_asked_and_the_other_way_round():
    assert (
        mistake_of(doubled(), 3, 0) == "Expected a function, got int: give it without calling it."
    )
    value = doubled(
        answer=3.0, inputs=None, mistakes=tuple(Mistake(f"Not {n}.", float(n)) for n in (1, 2, 4))
    )
    assert mistake_of(value, lambda: 3.0) == "Expected a value, got a function: call it first."
    assert mistake_of(value, 3) == "" and mistake_of(value, 4) == "Not 4."


def test_a_known_way_to_raise_is_recognised():
    def broken(x):
        return x @ torch.zeros(7)

    first = doubled().mistakes[:2]
    exercise = doubled(mistakes=(*first, Mistake("The sizes do not fit.", broken)))
    assert mistake_of(exercise, lambda x: x @ torch.zeros(7), 0) == "The sizes do not fit."


def test_what_never_ends_is_tried_once(monkeypatch):
    monkeypatch.setattr(limited, "SECONDS", 0.2)
    calls = []

    def endless(*arguments):
        calls.append(arguments)
        while True:
            pass

    assert "did not end" in mistake_of(doubled(), endless, 0)
    assert len(calls) == 1


def test_an_exercise_that_is_used_in_its_own_way():
    exercise = doubled(
        use=lambda layer, x: layer(2)(x),
        answer=lambda n: lambda x: n * x,
        mistakes=tuple(
            Mistake(f"It is {k} times that.", lambda n, k=k: lambda x: k * n * x) for k in (2, 3, 4)
        ),
    )
    assert mistake_of(exercise, lambda n: lambda x: x + x, 0) == ""
    assert mistake_of(exercise, lambda n: lambda x: 6 * x, 0) == "It is 3 times that."


def test_a_judge_decides_where_many_answers_are_right(monkeypatch):
    def judge(answer, x):
        return "" if float(answer(x).mean()) > float(x.mean()) else "It is not above the input."

    exercise = doubled(judge=judge, answer=lambda x: x + 1)
    assert mistake_of(exercise, lambda x: x + 5, 0) == ""
    assert mistake_of(exercise, lambda x: x - 5, 0) == "It is not above the input."
    assert mistake_of(exercise, lambda x: None, 0).startswith("It raised AttributeError")
    monkeypatch.setattr(limited, "SECONDS", 0.2)
    assert mistake_of(exercise, lambda x: iter(int, 1) and [0 for _ in iter(int, 1)], 0).startswith(
        "It did not end"
    )


def test_a_value_where_a_class_is_asked_is_told_so():
    class Layer:
        def __call__(self, x):
            return 2 * x

    class Other:
        def __call__(self, x):
            return 3 * x

    mistakes = tuple(Mistake(f"Not {n}.", lambda n=n: lambda x: n * x) for n in (3, 4, 5))
    exercise = doubled(answer=Layer, mistakes=mistakes, use=lambda layer, x: layer()(x))
    assert mistake_of(exercise, Layer, 0) == ""
    assert mistake_of(exercise, Other, 0) == "Not 3."
    assert mistake_of(exercise, 3, 0) == "Expected a class, got int: give it without calling it."


def test_only_the_gap_itself_is_not_written_yet():
    """Torch raises NotImplementedError, too, for what an operation cannot do."""

    def unable(x):
        return torch.ones(5, device="meta").tolist()

    def gap(x):
        raise NotImplementedError(doubled().task)

    def graders(x):
        raise NotImplementedError

    assert mistake_of(doubled(), gap, 0) == mistake_of(doubled(), graders, 0)
    assert mistake_of(doubled(), gap, 0) == "It is not written yet."
    assert mistake_of(doubled(), unable, 0).startswith("It raised NotImplementedError: Cannot copy")


@pytest.mark.parametrize(
    "strange",
    [torch.ones(5).to_sparse(), torch.ones(5, device="meta"), 10**400, [10**400] * 5],
    ids=["sparse", "without values", "endless", "many endless"],
)
def test_what_cannot_be_compared_gets_one_sentence_and_raises_nothing(strange, capsys):
    exercises.check("05.bits_per_second", strange)
    exercises.check("05.nearest_code", lambda z, e: strange)
    for sentence in said(capsys):
        assert sentence.startswith("✗ 05.") and len(sentence) < 250
