"""What is prescribed is what comes out, in numpy and in torch."""

import math

import numpy as np
import pytest
import torch

from minicodec.bits.exact_arrays import Numpy, Torch


@pytest.mark.parametrize("xp", [Numpy(), Torch("cpu")])
def test_roots_round_to_the_right_integer(xp):
    """Also where an integer lies beside the square of a half: there a wrong last bit would show."""
    middles = [random**2 + random + shift for random in (1, 10, 12345, 2**20 + 7, 2**24 - 1)
               for shift in (0, 1)]  # fmt: skip
    others = np.random.default_rng(0).integers(1, 2**49, 20000).tolist()
    numbers = middles + others
    roots = xp.rint(xp.sqrt(xp.place(torch.tensor(numbers, dtype=torch.float64), 64)))
    for number, root in zip(numbers, np.asarray(roots).tolist()):
        exact = math.isqrt(4 * number)  # the root's half-integers below
        assert root == (exact + 1) // 2


@pytest.mark.parametrize("xp", [Numpy(), Torch("cpu")])
def test_elementary_operations_round_correctly(xp):
    """IEEE 754 says so, and here it is checked against fractions, which do not round at all."""
    from fractions import Fraction

    generator = np.random.default_rng(0)
    a, b = (generator.normal(size=300) * 10.0 ** generator.integers(-8, 8, 300) for _ in range(2))
    x, y = (xp.place(torch.from_numpy(v), 64) for v in (a, b))
    for result, operation in ((x * y, "__mul__"), (x / y, "__truediv__"), (x + y, "__add__"),
                              (1.0 / y, "__rtruediv__")):  # fmt: skip
        for got, left, right in zip(np.asarray(result).tolist(), a.tolist(), b.tolist()):
            if operation == "__rtruediv__":
                expected = float(1 / Fraction(right))
            else:
                expected = float(getattr(Fraction(left), operation)(Fraction(right)))
            assert got == expected
