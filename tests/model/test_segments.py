"""One arithmetic of segments: on integers, on frames, on tensors, whole or piece by piece."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from minicodec.model.config import ENCODEC_24KHZ, ENCODEC_48KHZ
from minicodec.model.segments import Segments, overlap_add

SECONDS = ENCODEC_48KHZ.segments
TINY = Segments(length=100, stride=90, hop=4)


near_borders = st.builds(
    lambda segment, offset: max(1, segment * 47520 + offset),
    st.integers(0, 5),
    st.integers(-700, 700) | st.integers(-48000, 48000),
)


@given(near_borders)
@settings(max_examples=300, deadline=None)
def test_frames_fall_to_segments_as_they_were_made(length):
    frames = SECONDS.frames(length)
    assert SECONDS.divide(sum(frames)) == frames


def test_and_so_for_every_length_of_a_small_model():
    possible = set()
    for length in range(1, 1000):
        frames = TINY.frames(length)
        possible.add(sum(frames))
        assert TINY.divide(sum(frames)) == frames
    for count in set(range(1, max(possible))) - possible:
        with pytest.raises(ValueError, match=f"no clip of this model has {count} frames"):
            TINY.divide(count)


@given(near_borders)
@settings(max_examples=100, deadline=None)
def test_segments_cover_a_clip(length):
    spans = SECONDS.spans(length)
    assert spans[0][0] == 0 and max(end for _, end in spans) == length
    assert all(0 < end - start <= 48000 for start, end in spans)
    assert all(b == a + 47520 <= end for (a, end), (b, _) in zip(spans, spans[1:]))


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 5), st.floats(-3, 3))
@settings(max_examples=100, deadline=None)
def test_a_constant_survives_overlap_add(size, stride, count, value):
    stride = min(size, stride)
    out = overlap_add([torch.full((2, 1, size), value)] * count, stride)
    assert out.shape == (2, 1, (count - 1) * stride + size)
    torch.testing.assert_close(out, torch.full_like(out, value))


def test_overlap_add_is_the_official_one():
    from encodec.utils import _linear_overlap_add

    segments = [torch.randn(2, 1, size) for size in (50, 50, 50, 33)]
    torch.testing.assert_close(overlap_add(segments, 42), _linear_overlap_add(segments, 42))


def test_a_segment_alone_is_unchanged_and_two_fade():
    a, b = torch.randn(1, 1, 10), torch.randn(1, 1, 10)
    out = overlap_add([a, b], stride=8)
    torch.testing.assert_close(out[..., :8], a[..., :8])
    torch.testing.assert_close(out[..., 10:], b[..., 2:])
    low, high = torch.minimum(a[..., 8:], b[..., :2]), torch.maximum(a[..., 8:], b[..., :2])
    assert (low <= out[..., 8:10]).all() and (out[..., 8:10] <= high).all()


@given(
    st.integers(1, 60),
    st.integers(1, 60),
    st.lists(st.integers(0, 150), min_size=1, max_size=6),
)
@settings(max_examples=200, deadline=None)
def test_cutting_piece_by_piece_gives_the_segments_of_the_whole(length, stride, sizes):
    segments = Segments(length, min(length, stride), hop=1)
    clip = torch.arange(float(sum(sizes))).view(1, 1, -1)
    parts, rest = [], clip[..., :0]
    for index, piece in enumerate(clip.split(sizes, dim=-1)):
        certain, rest = segments.cut(torch.cat([rest, piece], -1), index == len(sizes) - 1)
        parts += certain
    spans = segments.spans(clip.shape[-1])
    assert [(int(p[0, 0, 0]), int(p[0, 0, -1]) + 1) for p in parts] == spans
    assert rest.shape[-1] == 0
    assert segments.spans(clip.shape[-1], last=False) == spans[: segments.whole(clip.shape[-1])]


@given(st.integers(1, 20), st.integers(1, 20), st.integers(1, 6), st.integers(0, 60))
@settings(max_examples=200, deadline=None)
def test_what_is_certain_stays_so(length, stride, hop, frames):
    """Whatever clip these are the first frames of, its segments begin as was said."""
    segments = Segments(length, min(length, stride), hop)
    certain = segments.divide(frames, last=False)
    assert sum(certain) <= frames
    for samples in range(1, 3 * frames * hop + 3 * length):
        clip = segments.frames(samples)
        if sum(clip) >= frames:
            assert clip[: len(certain)] == certain


def test_a_model_without_segments_has_one():
    whole = ENCODEC_24KHZ.segments
    assert whole.spans(1000) == [(0, 1000)] and whole.frames(1000) == [4]
    assert whole.divide(4) == [4] and whole.divide(0) == []
    (clip,), rest = whole.cut(torch.zeros(1, 1, 1000), last=True)
    assert clip.shape[-1] == 1000 and rest.shape[-1] == 0
