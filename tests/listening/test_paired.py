"""Differences within listeners, against the same figures from elsewhere."""

import pytest
from scipy import stats

from minicodec.listening.analysis import Rating, t_p_value
from minicodec.listening.paired import differences, holm

A, B, C = [90, 70, 80, 60, 95], [70, 55, 61, 52, 70], [71, 50, 64, 50, 72]


def ratings(**conditions: list[int]) -> list[Rating]:
    return [
        Rating(f"listener {who}", "sound", condition, float(value))
        for condition, values in conditions.items()
        for who, value in enumerate(values)
    ]


def test_as_scipy_has_them():
    found = {(d.higher, d.lower): d for d in differences(ratings(a=A, b=B, c=C))}
    theirs = stats.ttest_rel(A, B)
    mine = found["a", "b"]
    interval = theirs.confidence_interval(0.95)
    assert mine.p == pytest.approx(theirs.pvalue, rel=1e-6)
    assert (mine.low, mine.high) == pytest.approx((interval.low, interval.high), rel=1e-6)
    assert mine.listeners == 5
    # b and c have nearly one mean, whichever of them comes first
    assert found["b", "c"].mean == pytest.approx(0.2) and found["b", "c"].p > 0.5


@pytest.mark.parametrize(("t", "df"), [(0.5, 1), (2.0, 4), (3.3, 9), (1.96, 200)])
def test_p_of_t(t, df):
    assert t_p_value(-3 * t, 3.0, df) == pytest.approx(2 * stats.t.sf(t, df), rel=1e-6)


def test_differences_that_do_not_vary():
    (one,) = differences(ratings(a=[80, 70], b=[70, 60]))
    assert one.p == 0 and (one.low, one.high) == (10, 10)
    (none,) = differences(ratings(a=[80, 70], b=[80, 70]))
    assert none.p == 1


def test_a_pair_needs_two_listeners():
    with pytest.raises(ValueError, match="two listeners or more who rated both 'a' and 'b'"):
        differences(ratings(a=[80], b=[70]))


def test_a_listener_of_whom_one_is_missing_counts_elsewhere():
    given = [r for r in ratings(a=A, b=B, c=C) if r != Rating("listener 0", "sound", "c", 71.0)]
    counts = {(d.higher, d.lower): d.listeners for d in differences(given)}
    assert counts["a", "b"] == 5 and counts["a", "c"] == 4


def test_anchors_are_no_rivals():
    found = differences(ratings(a=A, b=B, **{"anchor 7 kHz": C}))
    assert [(d.higher, d.lower) for d in found] == [("a", "b")]


def test_holm_keeps_what_chapter_14_keeps():
    from minicodec.exercises import reference

    ps = [0.001, 0.0095, 0.012, 0.04, 0.03, 0.2]
    names = "abcdef"
    kept = reference("14.holm")(dict(zip(names, ps)))
    assert [p <= 0.05 for p in holm(ps)] == [kept[name] for name in names]
    assert holm([]) == [] and holm([0.7, 0.9]) == [1.0, 1.0]
