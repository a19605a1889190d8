"""Streams of an Ogg file are found, and whether the last of them ends."""

from io import BytesIO

import cases
import pytest

from minicodec.sound.ogg import read_chain

ONE = cases.written("OGG", "VORBIS")
OPUS = cases.written("OGG", "OPUS")


@pytest.mark.parametrize("streams", [[ONE], [OPUS], [ONE, ONE], [ONE, OPUS, ONE]])
def test_each_stream_is_found(streams):
    starts = [sum(map(len, streams[:n])) for n in range(len(streams))]
    assert read_chain(BytesIO(b"".join(streams))) == (starts, True)


def test_streams_that_begin_together_are_not_one_behind_the_other():
    """Sound and pictures, say: their first pages come first, and only then the second ones."""
    first = 27 + ONE[26] + sum(ONE[27 : 27 + ONE[26]])
    both = ONE[:first] + OPUS[:first] if OPUS[26] == ONE[26] else ONE[:first] * 2
    assert read_chain(BytesIO(both + ONE[first:])).starts == [0]


@pytest.mark.parametrize("cut", [1, 20, 500, len(ONE) - 30])
def test_what_is_cut_short_does_not_end(cut):
    starts, ends = read_chain(BytesIO(ONE[:-cut]))
    assert starts == [0] and not ends


def test_other_bytes_have_no_streams_and_cost_one_look():
    assert read_chain(BytesIO(b"")) == ([], False) and not read_chain(BytesIO(bytes(99))).starts


def test_notes_behind_the_end_do_not_matter():
    assert read_chain(BytesIO(ONE + b"TAG" + bytes(125))) == ([0], True)
