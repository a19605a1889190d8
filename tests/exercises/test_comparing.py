"""The sentence names how an answer is wrong, and there is none where it is right."""

import math

import numpy as np
import pytest
import torch

from minicodec.exercises.comparing import difference

T = torch.tensor
LINE = torch.arange(12.0).view(1, 12) ** 2 + 3
NAN = float("nan")


@pytest.mark.parametrize(
    ("mine", "right"),
    [
        (3.0, 3),
        (3, T(3.0)),
        (T([3.0]), 3.0),
        (np.float32(3), 3.0),
        (3.00001, 3.0),
        (0.0, 0.0),
        (NAN, NAN),
        (float("inf"), float("inf")),
        (" Left ", "left"),
        (True, True),
        (None, None),
        (b"ab", b"ab"),
        ([1, 2.0], (1, 2)),
        (T([1.0, 2.0]), [1, 2]),
        ([[1, 2], [3, 4]], T([[1.0, 2.0], [3.0, 4.0]])),
        (np.array([1.0, 2.0]), T([1.0, 2.0])),
        (T([1.0, 2.0], dtype=torch.float64, requires_grad=True), T([1.0, 2.0])),
        (T([1.0, NAN]), T([1.0, NAN])),
        (T([1, 2], dtype=torch.int32), T([1, 2])),
        ({"a": 1, "b": T([1.0])}, {"b": T([1.0]), "a": 1}),
        (T([1 + 2j]), T([1 + 2j])),
        (torch.zeros(0, 3), torch.zeros(0, 3)),
    ],
)
def test_answers_that_agree(mine, right):
    assert difference(mine, right, 1e-4) == ""


@pytest.mark.parametrize(
    ("mine", "right", "said"),
    [
        (None, 3.0, "It gives None: is a `return` missing?"),
        (3.0, None, "Expected None, got float 3.0."),
        (..., 3.0, "There is no answer yet."),
        ("", "left", "There is no answer yet."),
        ("right", "left", "'right' is not right."),
        (3, "left", "Expected a word, got int 3."),
        ("3", 3.0, "Expected a number, got str '3'."),
        (True, 1.0, "Expected a number, got bool True."),
        (1, True, "Expected True or False, got int 1."),
        (False, True, "It says False, which is not so."),
        (len, 3.0, "Expected a number, got a function; perhaps it is to be called."),
        (object(), 3.0, "Expected a number, got something of type object."),
        (NAN, 3.0, "It is NaN: a division 0/0, or the logarithm of zero?"),
        (-3.0, 3.0, "-3 is not right: the sign is the other one."),
        (-3.0, 2.0, "-3 is not right: it is negative, and the right one is not."),
        (0.5, -2.0, "0.5 is not right: it is positive, and the right one is not."),
        (24.0, 3.0, "24 is not right: 8 times too large. Bits or bytes?"),
        (0.003, 3.0, "0.003 is not right: 1000 times too small. A unit or its thousandth?"),
        (6.0, 3.0, "6 is not right: 2 times too large. Is something counted twice, or half"),
        (3.1, 3.0, "3.1 is not right: too large, but near."),
        (0.0, 3.0, "0 is not right."),
        ([1, 2], [1, 2, 3], "It gives 2 values; expected 3."),
        ([1], [1, 2], "It gives 1 value; expected 2."),
        (torch.zeros(5, 4), (LINE, LINE), "Expected 2 values, got a tensor [5, 4]."),
        (("10ms", "b"), ("10 ms", "b"), "'10ms' is none of the words: 10 ms, b."),
        (("b", " B"), ("a", "b"), "'b' stands there twice; each word has one place."),
        (("b", "a"), ("a", "b"), "Value 1 of 2: 'b' is not right."),
        (("b", 1), ("a", "b"), "Value 1 of 2: 'b' is not right."),
        ([1, 4], [1, 3], "Value 2 of 2: 4 is not right: too large."),
        (3.0, [1, 2], "Expected 2 values, got float 3.0."),
        ({"a": 1}, {"a": 1, "b": 2}, "There is no entry 'b'."),
        ({"a": 1, "c": 1}, {"a": 1}, "There should be no entry 'c'."),
        ({"a": 2}, {"a": 1}, "Entry 'a': 2 is not right: 2 times too large."),
        ([], {"a": 2}, "Expected a dictionary, got list []."),
        ("ab", b"ab", "Expected bytes, got str 'ab'."),
        (b"ab", b"abc", "It gives 2 bytes; expected 3."),
        (b"ax", b"ab", "Byte 1 of 2 is 0x78; expected 0x62."),
        (3.0, LINE, "Expected a tensor [1, 12], got float 3.0."),
        (["a"], LINE, "Expected a tensor [1, 12], got list ['a']."),
        (LINE[:, :9], LINE, "Its shape is [1, 9]; expected [1, 12]: 3 too few along axis 1."),
        (LINE.T, LINE, "Its shape is [12, 1]; expected [1, 12]: are two axes swapped?"),
        (LINE[0], LINE, "Its shape is [12]; expected [1, 12]: an axis of size 1 is missing."),
        (LINE[None], LINE, "Its shape is [1, 1, 12]; expected [1, 12]: an axis of size 1 is too"),
        (torch.zeros(2, 3, 4), LINE, "Its shape is [2, 3, 4]; expected [1, 12]."),
        (LINE, LINE.long(), "It gives numbers of type torch.float32; expected integers"),
        (LINE + 0j, LINE, "Its numbers are complex; expected real ones."),
        (LINE / 0, LINE, "12 of 12 values are infinite."),
        (LINE.where(LINE > 4, T(NAN)), LINE, "2 of 12 values are NaN."),
        (0 * LINE, LINE, "All of its values are 0."),
        (LINE, 0 * LINE, "All of its values should be 0."),
        (-LINE, LINE, "Every value has the wrong sign."),
        (2 * LINE, LINE, "Every value is 2 times the right one."),
        (LINE - 3, LINE, "Every value is off by the same number, -3."),
        (LINE.flip(-1), LINE, "The values are right, but in reverse order."),
        (LINE.roll(2, -1), LINE, "The values are right, but 2 too late along the last axis."),
        (LINE.roll(-1, -1), LINE, "The values are right, but 1 too early along the last axis."),
        (LINE.where(LINE > 4, T(9.0)), LINE,
         "2 of 12 values are wrong, all of them among the first 2 of the last axis; at [0, 0] it"),
        (LINE.where(LINE < 100, T(9.0)), LINE, "all of them among the last 2 of the last axis"),
        (LINE.where(LINE != 28, T(9.0)), LINE, "1 of 12 values are wrong; at [0, 5] it gives 9, n"),
    ],
)  # fmt: skip
def test_the_sentence_names_what_is_wrong(mine, right, said):
    assert said in difference(mine, right, 1e-4)


def test_one_wrong_value_among_many_is_found():
    right = torch.randn(50, 40, generator=torch.Generator().manual_seed(0))
    mine = right.clone()
    mine[17, 20] += 0.1
    assert difference(mine, right, 1e-4).startswith("1 of 2000 values are wrong; at [17, 20]")


def test_tolerance_is_a_share_of_the_largest():
    right = T([0.0, 100.0])
    assert difference(T([0.9, 100.0]), right, 1e-2) == ""
    assert difference(T([1.1, 100.0]), right, 1e-2) != ""


def test_no_number_is_near_infinity():
    assert difference(math.inf, math.inf, 1e-4) == ""
    assert difference(1.7, math.inf, 1e-4) == "1.7 is not right: too small."
    assert difference(math.inf, 1.7, 1e-4) == "inf is not right: too large."
