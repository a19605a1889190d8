"""What chapter 00 asks on paper is so."""

from minicodec.exercises import reference
from minicodec.exercises.answers_00 import kbps


def test_an_hour_of_so_many_bytes_has_that_rate():
    coded, plain = reference("00.hour")
    assert kbps(bytes(coded), 3600) == 1.5
    assert plain * 8 / 3600 == 24_000 * 16


def test_the_ear_is_asked_about_three_versions_of_the_lesson():
    assert sorted(reference("00.which_codec")) == ["Opus 6", "minicodec 1.5", "minicodec 12"]
