"""What the check of the histogram counts as right is what the package does."""

import pytest
import torch

from minicodec.bits.histogram import Histogram
from minicodec.exercises import answers_11_counts
from minicodec.exercises.answers_11_counts import Counts, some_codes, tables


def test_counts_are_the_packages_histogram():
    (codes,) = some_codes(torch.Generator().manual_seed(0))
    expected = Histogram(1024).tables(torch.cat([codes, codes[:, :1]], 1))
    assert torch.equal(tables(Counts, codes), expected)


def test_every_slip_gives_other_tables():
    (codes,) = some_codes(torch.Generator().manual_seed(1))
    right = tables(Counts, codes)
    slips = ["ByOne", "InPlace", "AllLevels", "AllInPlace", "Once", "Forgets", "Late", "Rows"]
    wrong = []
    for slip in slips:
        try:
            wrong.append(tables(getattr(answers_11_counts, slip), codes).flatten().tolist())
        except IndexError:  # a code taken for a row: there are but three
            assert slip == "Rows"
    assert len({tuple(table) for table in wrong}) == len(slips) - 1
    assert right.flatten().tolist() not in wrong


@pytest.mark.parametrize(
    ("given", "said"), [(torch.ones(3, 1024), "two things"), ((None, None), "a tensor"), (7, "two")]
)
def test_a_stream_that_gives_something_else_is_told_so(given, said):
    class Other(Counts):
        def stream(self, codes, state):
            return given

    with pytest.raises(ValueError, match=said):
        tables(Other, *some_codes(torch.Generator().manual_seed(0)))
