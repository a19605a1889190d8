"""Strangers' functions: they raise, exit, hang; the caller comes back with a sentence."""

import threading
import time

import pytest

from minicodec.exercises import limited as module
from minicodec.exercises.limited import Failed, limited


def test_the_result_comes_back():
    assert limited(lambda a, b: a + b, 1, 2) == 3
    assert limited(lambda: None) is None


def test_what_is_raised_becomes_a_sentence_with_its_line():
    def wrong(x):
        return x["no such key"]

    with pytest.raises(Failed) as error:
        limited(wrong, {})
    assert str(error.value).startswith("It raised KeyError: 'no such key', at line ")
    assert str(error.value).endswith('of its cell: `return x["no such key"]`.')


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt(), RecursionError("deep")])
def test_nothing_that_is_raised_passes(error):
    def wrong():
        raise error

    with pytest.raises(Failed, match=f"It raised {type(error).__name__}"):
        limited(wrong)


def test_long_messages_are_cut_to_one_line():
    def wrong():
        raise ValueError("x" * 5000 + "\nmore")

    with pytest.raises(Failed) as error:
        limited(wrong)
    assert len(str(error.value)) < 400 and "\n" not in str(error.value)


def test_what_was_raised_can_be_asked_for():
    def gap():
        raise NotImplementedError("do it")

    with pytest.raises(Failed) as error:
        limited(gap)
    assert isinstance(error.value.raised, NotImplementedError)


@pytest.mark.parametrize("guarded", [False, True])
def test_an_endless_loop_is_stopped_and_its_thread_ends(monkeypatch, guarded):
    monkeypatch.setattr(module, "SECONDS", 0.3)

    def loop():
        while True:
            try:
                time.sleep(0.01)
            except Exception:  # a student's: it must not catch what stops it
                if not guarded:
                    raise

    before = threading.active_count()
    began = time.monotonic()
    with pytest.raises(Failed, match="It did not end within 0.3 seconds: is there a loop"):
        limited(loop)
    assert time.monotonic() - began < 5
    deadline = time.monotonic() + 5
    while threading.active_count() > before and time.monotonic() < deadline:
        time.sleep(0.05)
    assert threading.active_count() <= before


def test_what_cannot_be_stopped_is_left_alone(monkeypatch):
    monkeypatch.setattr(module, "SECONDS", 0.2)
    began = time.monotonic()
    with pytest.raises(Failed, match="It did not end"):
        limited(time.sleep, 4)  # inside of a library, where no exception comes through
    assert time.monotonic() - began < 3
