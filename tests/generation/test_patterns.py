"""Patterns: what goes in comes out, each code has one turn, and nobody's turn comes too early."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from minicodec.generation.patterns import EMPTY, PATTERNS, Pattern, delayed, flat, parallel

some_patterns = st.builds(
    lambda stride, delays: Pattern(stride, (0, *delays)),
    st.integers(1, 5),
    st.lists(st.integers(0, 6), max_size=4),
)


@given(some_patterns, st.integers(0, 12), st.integers(1, 3), st.randoms())
def test_undo_gives_the_codes_back(pattern, frames, batch, chance):
    torch.manual_seed(chance.randint(0, 999))
    codes = torch.randint(50, (batch, pattern.n_q, frames))
    sequence = pattern.apply(codes)
    assert sequence.shape == (batch, pattern.n_q, pattern.length(frames))
    assert torch.equal(pattern.undo(sequence), codes)
    assert int((sequence != EMPTY).sum()) == codes.numel()


@given(some_patterns, st.integers(1, 12))
def test_each_code_has_its_turn_where_steps_and_frame_at_say(pattern, frames):
    where = pattern.steps(frames)
    assert pattern.frames(pattern.length(frames)) == frames
    assert int(where.max()) == pattern.length(frames) - 1
    for level in range(pattern.n_q):
        turns = [pattern.frame_at(level, step) for step in range(pattern.length(frames))]
        found = {t: step for step, t in enumerate(turns) if t is not None and t < frames}
        assert found == dict(enumerate(where[level].tolist()))


@given(some_patterns, st.integers(0, 40))
def test_an_unfinished_sequence_has_only_whole_frames(pattern, steps):
    sequence = pattern.apply(torch.arange(60).expand(1, pattern.n_q, 60))[:, :, :steps]
    codes = pattern.undo(sequence)
    assert (codes == torch.arange(codes.shape[2])).all()


def test_the_three_that_people_use():
    codes = torch.tensor([[[1, 2, 3], [4, 5, 6]]])
    assert parallel(2).apply(codes).tolist() == codes.tolist()
    assert delayed(2).apply(codes)[0].tolist() == [[1, 2, 3, -1], [-1, 4, 5, 6]]
    assert flat(2).apply(codes)[0].tolist() == [[1, -1, 2, -1, 3, -1], [-1, 4, -1, 5, -1, 6]]


@pytest.mark.parametrize(("name", "steps"), [("parallel", 75), ("delayed", 78), ("flat", 300)])
def test_steps_of_a_second(name, steps):
    assert PATTERNS[name](4).length(75) == steps


def test_flat_has_one_code_in_each_step_and_keeps_their_order():
    sequence = flat(3).apply(torch.arange(12).view(1, 4, 3).transpose(1, 2))
    assert sequence.max(1).values[0].tolist() == list(range(12))
    assert ((sequence != EMPTY).sum(1) == 1).all()


@pytest.mark.parametrize(
    ("stride", "delays", "said"),
    [
        (0, (0,), "stride"),
        (1.0, (0,), "stride"),
        (1, (), "delay for each level"),
        (1, (0, -1), "delay for each level"),
        (1, (1, 0), "first delay"),
    ],
)
def test_no_pattern(stride, delays, said):
    with pytest.raises(ValueError, match=said):
        Pattern(stride, delays)


@pytest.mark.parametrize(
    ("codes", "said"),
    [
        (None, "not for NoneType"),
        (torch.zeros(1, 2, 3), "integers"),
        (torch.zeros(2, 3, dtype=torch.int64), "not for .2, 3."),
        (torch.zeros(1, 3, 3, dtype=torch.int64), "2 levels, but these are 3"),
    ],
)
def test_what_no_pattern_is_for(codes, said):
    for way in (delayed(2).apply, delayed(2).undo):
        with pytest.raises(ValueError, match=said):
            way(codes)
