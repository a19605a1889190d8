"""What reads pipes and files in chapter 15b reads right, and its inputs show each fault."""

import io
import math

import numpy as np
import pytest
import torch

from minicodec.exercises import answers_15b_files as answers


def drawn(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("pieces", [[1] * 40, [3] * 40, [7] * 40, [40], [2, 38]])
def test_reading_gives_all_and_leaves_the_rest(pieces):
    data = bytes(range(40))
    file = answers.Trickle(data, pieces)
    assert answers.read_exactly(file, 33) == data[:33]
    assert file.rest == data[33:]
    with pytest.raises(EOFError, match="3 bytes are missing"):
        answers.read_exactly(file, 10)


@pytest.mark.parametrize("p", [1, 3, 8])
def test_what_is_counted_twice_meets_in_the_middle(p):
    """Equation (1) of the chapter, and the number that its exercise asks for."""
    for size in range(p + 1, 101):
        given = answers.counted_twice(answers.Trickle(bytes(size), [p] * size), size)
        assert len(given) == p * math.ceil(size / (2 * p))


@pytest.mark.parametrize("seed", range(20))
def test_each_pipe_shows_the_official_fault(seed):
    data, sizes, size = answers.trickling(drawn(seed))
    assert len(answers.counted_twice(answers.Trickle(data, sizes), size)) < size


def test_only_codes_are_read(monkeypatch):
    monkeypatch.setattr(answers, "sprung", [])
    (files,) = answers.files_of_codes(drawn(0))
    for name, data in files.items():
        if name in ("codes", "signed codes"):
            assert answers.safe_codes(data).shape[0] == 3
        else:
            with pytest.raises(ValueError):
                answers.safe_codes(data)
    assert answers.sprung == [], "nothing ran"


def test_the_trap_is_a_trap():
    """A student's reader that unpickles is found out, not only ours that stands for it."""
    (files,) = answers.files_of_codes(drawn(0))
    reckless = answers.as_loaded(lambda data: np.load(io.BytesIO(data), allow_pickle=True), files)
    assert reckless["a call"] == "code ran"
    assert answers.as_loaded(answers.safe_codes, files)["a call"] == "ValueError"
