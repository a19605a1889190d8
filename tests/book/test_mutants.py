"""Mutants are wrong in every way that matters, and leave alone what no test should hold."""

import ast
import os
import signal

import pytest
from mutants import mutants
from mutation import explanations, fork

SOURCE = '''
"""A module."""

import math

LIMIT = 3


class Pair:
    """Two numbers."""

    def power(self, a: int, b: int = 1) -> int:
        """One to the other."""
        if a < b and a:
            raise ValueError(f"{a + 1} is too small")
        return pow(a, b)
'''


def changes(source: str) -> list[str]:
    return [mutant.change for mutant in mutants(source)]


def test_a_module_is_changed_in_one_place_at_a_time():
    found = mutants(SOURCE)
    assert [mutant.change for mutant in found] == [
        "LIMIT = 3 → nothing",
        "3 → 4",
        "3 → 2",
        "1 → 2",
        "1 → 0",
        "a < b and a → not (a < b and a)",
        "a < b and a → a < b or a",
        "a < b and a → a",
        "a < b and a → a < b",
        "a < b → a <= b",
        "a < b → a >= b",
        "raise ValueError(f'{a + 1} is too small') → nothing",
        "return pow(a, b) → return None",
        "pow(a, b) → a",
        "pow(a, b) → pow(b, a)",
    ]
    original = ast.unparse(ast.parse(SOURCE))
    assert len({mutant.source for mutant in found} | {original}) == len(found) + 1
    for mutant in found:
        ast.parse(mutant.source)
        assert '"""One to the other."""' in mutant.source


def test_a_mutant_is_known_by_what_does_not_move():
    moved = mutants("# one line more\n" + SOURCE)
    assert [mutant.key for mutant in moved] == [mutant.key for mutant in mutants(SOURCE)]
    key = ("Pair.power", "return pow(a, b)", "return pow(a, b) → return None")
    assert moved[-3].key == key and moved[-3].span == range(17, 18)
    entry = dict(where=key[0], line=key[1], changes=[key[2]], why="a test is to explain")
    assert explanations({"explained": [entry]}) == {key: "a test is to explain"}


@pytest.mark.parametrize(
    ("statement", "change"),
    [
        ("a = -b", "-b → b"),
        ("a = b[1:]", "1 → 2"),
        ("a = b[n:]", "n: → n + 1:"),
        ("a = b[:]", ": → :-1"),
        ("a = b << 2", "b << 2 → b >> 2"),
        ("a += 1", "a += 1 → a -= 1"),
        ("a = b.clamp(min=1)", "b.clamp(min=1) → b"),
        ("a = b.clamp(min=1)", "b.clamp(min=1) → b.clamp()"),
        ("a = [x for x in b if x]", "x → not x"),
        ("while True:\n  break", "break → continue"),
        ("while a:\n  pass", "a → not a"),
        ("for x in range(n): pass", "range(n) → range(n - 1)"),
        ("@once\ndef f(): pass", "once → lambda it: it"),
        ("def f():\n  yield 1", "(yield 1) → (yield None)"),
        ("a = b'MC'", "b'MC' → b'MCx'"),
        ("import m\na = m.f(b)", "m.f(b) → b"),
    ],
)
def test_changes(statement, change):
    assert change in changes(statement)


@pytest.mark.parametrize(
    "statement", ['"""Words."""', "a: int", "import math", "from math import pi", "pass"]
)
def test_what_says_nothing_to_the_machine_is_left_alone(statement):
    assert changes(statement) == []


def test_words_are_left_alone_but_not_that_they_are_said():
    assert changes("import warnings\nwarnings.warn('no', stacklevel=2)") == [
        "warnings.warn('no', stacklevel=2) → nothing"
    ]
    assert changes("note(ValueError('no'))") == [
        "note(ValueError('no')) → nothing",
        "note(ValueError('no')) → ValueError('no')",
        "ValueError('no') → 'no'",
    ]


def test_what_has_no_order_is_not_put_in_another():
    for call in ("max(a, b)", "x.transpose(1, 2)"):
        assert not [change for change in changes(call) if change.endswith((", a)", "2, 1)"))]


def test_a_mutant_that_never_ends_is_ended(tmp_path):
    def endless() -> int:
        os.write(1, b"for ever")
        signal.setitimer(signal.ITIMER_PROF, 0.05)
        while True:
            pass

    log = tmp_path / "log"
    assert fork(lambda: 3, log) == 3
    assert fork(endless, log) == -signal.SIGPROF
    assert log.read_text() == "for ever"
