"""The packers that are taken for right are right, by other means than a round trip."""

import pytest

from minicodec.exercises import answers_15b_packers as packers


@pytest.mark.parametrize("high_first", [True, False])
def test_both_packers_are_right(high_first):
    for bits in (1, 7, 10, 16):
        numbers = [n % 2**bits for n in (0, 1, 2**bits - 1, 12345, 678)]
        data = packers.packer(high_first)(numbers, bits)
        assert len(data) == -(-5 * bits // 8)
        assert packers.unpacker(high_first)(data, bits, 5) == numbers
