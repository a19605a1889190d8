"""Curves of quality over bits: what `benchmarks/rate_curves.py` makes of rows."""

import json

import numpy as np
import pytest
import rate_curves
from notebooks import ROOT
from rate_curves import Clips, at_rate, bd, compared, differences, front, same, summary

OURS, OPUS = ["mini 1.5", "mini 3", "mini 6"], ["opus 6", "opus 8", "opus 12"]


@pytest.fixture(autouse=True)
def fewer_draws(monkeypatch, request):
    if request.cls is None:
        monkeypatch.setattr(rate_curves, "DRAWS", 200)


def row(clip, condition, kbps, quality, kind="a", **more):
    own = condition.startswith("mini")
    rates = {"kbps_none": kbps, "kbps_lm": 0.8 * kbps} if own else {
        "kbps": kbps, "kbps_file": kbps + 1}  # fmt: skip
    return {"class": kind, "clip": clip, "condition": condition, "si_sdr": quality, **rates, **more}


def made(ratio=1.0, gain=0.0, clips=6, noise=0.0):
    """Rows of two codecs with 10 log2(kbps) + a clip's own; ours needs `ratio` × the bits."""
    rows, chance = [], np.random.default_rng(1)
    for clip in range(clips):
        for condition, kbps in zip((*OURS, *OPUS), (4, 8, 16, 4, 8, 16)):
            own = condition.startswith("mini")
            quality = 10 * np.log2(kbps) + clip + noise * chance.standard_normal()
            rows.append(row(f"{clip}", condition, kbps * (ratio if own else 1),
                            quality + (gain if own else 0)))  # fmt: skip
    return rows


@pytest.mark.parametrize("ratio", [0.5, 1.0, 1.25])
def test_a_codec_that_needs_a_known_share_of_the_bits(ratio):
    found = compared(Clips(made(ratio)), OURS, "kbps_none", OPUS, "kbps", "si_sdr")
    assert found["rate"] == pytest.approx([100 * (ratio - 1)] * 3, abs=0.01)
    assert found["quality"] == pytest.approx([-10 * np.log2(ratio)] * 3, abs=0.01)
    assert found["draws"] == 1
    assert found["overlap"] == pytest.approx([22.5, 42.5])  # the clips' own are 2.5 on average
    assert found["kbps"] == pytest.approx([4 * max(ratio, 1), 16 * min(ratio, 1)])


def test_bits_with_the_language_model_count_less():
    packed, coded = (
        compared(Clips(made()), OURS, f"kbps_{mode}", OPUS, "kbps", "si_sdr")["rate"][0]
        for mode in ("none", "lm")
    )
    assert packed == pytest.approx(0, abs=0.01) and coded == pytest.approx(-20, abs=0.01)
    whole = compared(Clips(made()), OURS, "kbps_lm", OPUS, "kbps_file", "si_sdr")["rate"][0]
    assert whole < coded, "a whole Ogg file is larger than its packets"


def test_a_measure_that_is_better_when_it_is_lower():
    rows = made(0.5)
    for each in rows:
        each["mel_distance"] = 100 - each["si_sdr"]
    found = compared(Clips(rows), OURS, "kbps_none", OPUS, "kbps", "mel_distance")
    assert found["rate"][0] == pytest.approx(-50, abs=0.01)
    assert found["quality"][0] == pytest.approx(-10, abs=0.01), "ten decibels less distance"
    assert found["overlap"] == pytest.approx([57.5, 77.5])


def test_without_an_overlap_there_is_no_number():
    found = compared(Clips(made(gain=100)), OURS, "kbps_none", OPUS, "kbps", "si_sdr")
    assert found["rate"] is None and found["overlap"] is None and found["draws"] == 0
    assert found["quality"][0] == pytest.approx(100), "rates have an overlap all the same"
    assert [kbps for _, kbps in found["same"].values()] == ["never"] * 3
    far = compared(Clips(made(ratio=100)), OURS, "kbps_none", OPUS, "kbps", "si_sdr")
    assert far["quality"] is None and far["kbps"] is None and far["rate"] is not None


def test_an_overlap_that_few_draws_have_is_none():
    rows = made(gain=19.9, noise=2)
    found = compared(Clips(rows), OURS, "kbps_none", OPUS, "kbps", "si_sdr")
    assert 0 < found["draws"] < 0.95 and found["rate"] is None


def test_more_bits_that_buy_less_are_passed_over():
    rates, values = front(np.array([3.0, 1, 2, 4]), np.array([5.0, 3, 6, 7]))
    assert rates.tolist() == [1, 2, 4] and values.tolist() == [3, 6, 7]
    rates, values = front(np.array([1.0, 2]), np.array([5.0, 5]))
    assert rates.tolist() == [1], "nobody pays for the same"


def test_the_same_quality():
    rates, values = np.log10([4.0, 16]), np.array([1.0, 3])
    found = [same(value, rates, values) for value in (0.5, 1, 2, 3, 3.1)]
    assert found == ["fewer", "fewer", 8, 16, "never"]


def test_means_over_what_two_curves_share():
    x = np.array([0.0, 1, 2])
    assert bd((x, x * 0 + 3), (x + 1, x * 0 + 1)) == (2, 1, 2)
    assert bd((x, x), (x + 2, x)) is None, "they touch in one place"
    assert bd((x, x), (x[:1] + 1, x[:1])) is None, "a point is no curve"


def test_between_two_rates_goes_a_line_over_their_logarithm():
    assert at_rate(4, np.array([8.0, 2]), np.array([3.0, 1])) == pytest.approx(2)


def test_differences_are_of_clips_at_their_own_rate():
    rows = made(0.8, gain=1.0)
    for condition, expected in zip(OURS, (0, 6, 6)):
        found = differences(Clips(rows), condition, "kbps_none", OPUS, ["si_sdr"])
        assert (found["inside"], found["below"], found["above"]) == (expected, 6 - expected, 0)
        if not expected:
            assert found["si_sdr"] is None
            continue
        # With 0.8 of the bits as good, and one more.
        assert found["si_sdr"] == pytest.approx([10 * np.log2(1 / 0.8) + 1] * 3, abs=0.01)
    assert differences(Clips(made(9)), OURS[2], "kbps_none", OPUS, ["si_sdr"])["above"] == 6


def test_less_than_half_of_the_clips_say_nothing():
    rows = made()
    for each in rows:
        if each["condition"] == "mini 1.5" and each["clip"] in "0123":
            each["kbps_none"] = 1.0
    found = differences(Clips(rows), "mini 1.5", "kbps_none", OPUS, ["si_sdr"])
    assert found["inside"] == 2 and found["si_sdr"] is None


def test_intervals_hold_the_mean_about_as_often_as_they_say():
    chance, held = np.random.default_rng(3), 0
    for _ in range(100):
        clips = Clips([row(f"{i}", "mini 6", 6.0, chance.standard_normal()) for i in range(37)])
        _, low, high = rate_curves.means(clips, "mini 6", ["si_sdr"])["si_sdr"]
        held += low <= 0 <= high
    assert 88 <= held <= 99


def test_a_measure_without_a_value_is_left_out_of_its_mean():
    rows = [row(f"{i}", "mini 6", 6.0, 1.0 if i else None) for i in range(9)]
    assert rate_curves.means(Clips(rows), "mini 6", ["si_sdr"])["si_sdr"][0] == 1


def test_a_clip_that_lacks_a_condition():
    with pytest.raises(ValueError, match="3 was not measured with opus 12"):
        Clips([each for each in made() if (each["clip"], each["condition"]) != ("3", "opus 12")])


def test_speech_has_measures_of_its_own_and_the_official_codec_is_compared_too():
    rows = made() + [each | {"class": "speech", "clip": "s" + each["clip"], "pesq": 2.0}
                     for each in made()]  # fmt: skip
    more = [{**each, "condition": each["condition"].replace("mini", "official x"),
             "kbps": each["kbps_none"]} for each in rows if "kbps_none" in each]  # fmt: skip
    for each in more:
        del each["kbps_none"], each["kbps_lm"]
    found = summary(rows + more)
    assert {r["class"] for r in found["means"]} == {"all", "a", "speech"}
    assert {r["class"] for r in found["means"] if "pesq" in r} == {"speech"}
    assert {r["class"] for r in found["bd"] if r["measure"] == "pesq"} == {"speech"}
    assert {(r["codec"], r["entropy"], r["against"]) for r in found["bd"]} == {
        ("mini", "none", "packets"), ("mini", "lm", "packets"), ("mini", "lm", "file"),
        ("official x", "", "packets")}  # fmt: skip
    assert found == summary(rows + more), "the same in every run"


def of(rows, **wanted):
    return [each for each in rows if all(each[key] == wanted[key] for key in wanted)]


class TestResult:
    """What `benchmarks/rate_distortion.json` says."""

    found = json.loads((ROOT / "benchmarks/rate_distortion.json").read_text(encoding="utf-8"))

    def test_follows_from_its_rows(self):
        kind = {"class": "instruments"}
        clips = Clips([each for each in self.found["rows"] if each["class"] == kind["class"]])
        own = [name for name in clips.conditions if name.startswith("mini_24khz ")]
        rivals = [name for name in clips.conditions if name.startswith("opus ")]
        for name in clips.conditions:
            (mine,) = of(self.found["means"], condition=name, **kind)
            for field, three in rate_curves.means(clips, name, ["visqol", "si_sdr"]).items():
                assert mine[field] == pytest.approx(three, abs=2e-4)
        for name in own:
            (mine,) = of(self.found["differences"], condition=name, entropy="none", **kind)
            anew = differences(clips, name, "kbps_none", rivals, ["visqol"])
            assert [mine[key] for key in ("inside", "below", "above")] == [
                anew[key] for key in ("inside", "below", "above")
            ]
            assert mine["visqol"] == (anew["visqol"] and pytest.approx(anew["visqol"], abs=2e-4))
        anew = compared(clips, own, "kbps_lm", rivals, "kbps", "visqol")
        (mine,) = of(self.found["bd"], entropy="lm", against="packets", measure="visqol", **kind)
        for key in ("rate", "quality", "overlap", "kbps", "draws"):
            assert mine[key] == pytest.approx(anew[key], abs=1e-2), key
        assert mine["same"] == {name: list(each) for name, each in anew["same"].items()}

    def test_has_every_clip_in_every_condition(self):
        names = {each["clip"] for each in self.found["rows"]}
        assert len(self.found["rows"]) == len(names) * len(self.found["conditions"])
        for each in self.found["rows"]:
            assert ("pesq" in each) == ("stoi" in each) == ("speech" in each["class"])
            if "kbps_file" in each:
                assert each["kbps_file"] > each["kbps"]
            if "kbps_lm" in each:
                assert each["kbps_histogram"] <= each["kbps_none"] + 0.01

    def test_agrees_with_the_model_card(self):
        """`benchmarks/quality.py` measured the same clips with the same settings."""
        theirs = json.loads((ROOT / "benchmarks/quality.json").read_text(encoding="utf-8"))
        ours = {(each["condition"], each["class"]): each for each in self.found["means"]}
        compared = 0
        for each in theirs:
            mine = ours[each["condition"], each["class"]]
            assert mine["clips"] == each["clips"]
            kbps = mine.get("kbps", mine.get("kbps_none"))[0]
            assert kbps == pytest.approx(each["kbps"], abs=0.02)
            for measure in ("si_sdr", "mel_distance", "visqol"):
                assert mine[measure][0] == pytest.approx(each[measure], abs=0.01)
                compared += 1
        assert compared >= 150
