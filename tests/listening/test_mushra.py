"""MUSHRA: anchors as the recommendation wants them, screening, honest intervals, webMUSHRA."""

import csv
import io
import json
import math
import re

import numpy as np
import pytest
import soundfile
import torch
import yaml
from scipy import stats

from minicodec.listening import analyse, export_webmushra, low_pass, mushra
from minicodec.listening.analysis import t_quantile

RATE = 24000


def noise(seconds: float = 0.2) -> torch.Tensor:
    return 0.1 * torch.randn(1, 1, round(seconds * RATE))


# --- anchors


def gain(cutoff: float, rate: int, hz: np.ndarray) -> np.ndarray:
    """The filter's response in dB, from an impulse."""
    impulse = torch.zeros(1, 1, rate, dtype=torch.float64)
    impulse[..., rate // 2] = 1
    response = low_pass(impulse, rate, cutoff)[0, 0].numpy()
    level = 20 * np.log10(np.abs(np.fft.rfft(response)) + 1e-12)
    return np.interp(hz, np.arange(len(level)), level)


@pytest.mark.parametrize("rate", [16000, 24000, 44100, 48000])
@pytest.mark.parametrize("cutoff", [3500, 7000])
def test_anchors_are_flat_below_and_empty_above(rate, cutoff):
    """BS.1534: ±0.1 dB in the passband; 25 dB down at 4 kHz and 50 dB at 4.5 kHz, for 3.5 kHz."""
    assert np.abs(gain(cutoff, rate, np.linspace(0, cutoff, 400))).max() < 0.01
    above = np.linspace(cutoff * 8 / 7, rate / 2, 400)
    assert gain(cutoff, rate, above).max() < -70


def test_an_anchor_is_in_time_with_its_reference():
    tone = torch.sin(2 * torch.pi * 1000 * torch.arange(RATE) / RATE)[None, None]
    off = (low_pass(tone, RATE, 3500) - tone)[..., 1000:-1000]
    assert off.abs().max() < 1e-3


def test_clips_of_any_length_keep_it():
    for length in (1, 7, 100, 5000):
        clip = torch.randn(2, length)
        assert low_pass(clip, RATE, 7000).shape == clip.shape
    assert low_pass(torch.zeros(1, 1, 50), RATE, 7000).abs().max() == 0


def test_an_anchor_needs_room_above_it():
    with pytest.raises(ValueError, match="sample rate of 16000 Hz or more, not 8000"):
        low_pass(noise(), 8000, 7000)


# --- the page


def test_the_page_holds_every_version_of_every_sound():
    x, y = noise(), noise(0.3)
    test = mushra({"a": {"one": x, "two": y}}, {"one": x, "two": y}, RATE)
    page = test._repr_html_()
    labels = ["reference", "a", "anchor 3.5 kHz", "anchor 7 kHz"]
    assert re.findall(r'class="mc-label">([^<]+)<', page) == labels * 2
    assert 'data-items="[&quot;one&quot;, &quot;two&quot;]"' in page
    assert 'data-seconds="0.3000"' in page
    assert repr(test) == "Mushra of one, two: reference, a, anchor 3.5 kHz, anchor 7 kHz"
    assert "http" not in page


def test_results_of_another_test_are_kept_apart():
    x, y = noise(), noise()
    names = [
        re.search(r'data-test="(\w+)"', t._repr_html_())[1]
        for t in (mushra({"a": x}, x, RATE), mushra({"a": x}, x, RATE), mushra({"a": y}, x, RATE),
                  mushra({"b": x}, x, RATE), mushra({"a": x}, x, RATE, title="other"))
    ]  # fmt: skip
    assert names[0] == names[1] and len(set(names)) == 4


@pytest.mark.parametrize(
    ("conditions", "reference", "words"),
    [
        ({}, noise(), "at least one condition"),
        ({"a": {}}, {}, "at least one condition and one sound"),
        ({"reference": noise()}, noise(), "'reference' is added by the test itself"),
        ({"anchor 7 kHz": noise()}, noise(), "'anchor 7 kHz' is added"),
        ({"a": noise(0.1)}, noise(0.2), "'a' has 2400 samples and the reference 4800"),
        ({"a": noise()}, {"x": noise()}, "both be one clip, or both"),
        ({"a": {"y": noise()}}, {"x": noise()}, "'a' has the sounds ['y'], the reference ['x']"),
        ({"a": "file.wav"}, noise(), "'a' is a str, not a tensor"),
        ({"a": noise() * math.nan}, noise(), "'a' cannot be played"),
        ({str(i): noise() for i in range(10)}, noise(), "13 versions are more than"),
    ],
)
def test_what_does_not_fit_together_is_refused(conditions, reference, words):
    with pytest.raises(ValueError, match=re.escape(words)):
        mushra(conditions, reference, RATE)


# --- analysis


def listener(name: str, **ratings: list[float]) -> list[dict]:
    """Rows of one listener: condition → one rating per sound."""
    names = {"hidden": "reference", "anchor7": "anchor 7 kHz"}
    return [
        {"listener": name, "item": f"sound {i}", "condition": names.get(key, key), "rating": rating}
        for key, values in ratings.items()
        for i, rating in enumerate(values)
    ]


def test_means_and_intervals_are_students():
    ratings = {"x": 60.0, "y": 70.0, "z": 65.0, "w": 40.0}
    rows = [row for who, r in ratings.items() for row in listener(who, hidden=[99], a=[r])]
    result = analyse(rows)
    values = np.array(list(ratings.values()))
    low, high = stats.t.interval(0.95, 3, values.mean(), stats.sem(values))
    score = result.scores[1]
    assert score[0] == "a" and score.listeners == 4
    assert score[1:4] == pytest.approx((values.mean(), low, high))
    assert result.scores[0].condition == "reference"


def test_listeners_are_the_witnesses_not_their_ratings():
    """Ten sounds rated by two people say no more about people than two do."""
    few = analyse(listener("x", hidden=[99], a=[60]) + listener("y", hidden=[99], a=[70]))
    many = analyse(
        listener("x", hidden=[99] * 10, a=[60] * 10) + listener("y", hidden=[99] * 10, a=[70] * 10)
    )
    assert many.scores == few.scores


@pytest.mark.parametrize("df", [1, 2, 3, 4, 9, 30, 101])
def test_t_is_that_of_the_tables(df):
    assert t_quantile(df) == pytest.approx(stats.t.ppf(0.975, df), rel=1e-7)
    assert t_quantile(df, 0.5) == pytest.approx(stats.t.ppf(0.75, df), rel=1e-7)


@pytest.mark.parametrize(
    ("low", "of", "out"),
    [(0, 1, False), (1, 7, False), (1, 6, True), (3, 20, False), (4, 20, True)],
)
def test_more_than_15_percent_is_too_often(low, of, out):
    rows = listener("x", hidden=[89.9] * low + [90] * (of - low)) + listener("y", hidden=[95] * of)
    excluded = analyse(rows).excluded
    assert (list(excluded) == ["x"]) == out
    if out:
        assert excluded["x"] == f"rated the hidden reference below 90 on {low} of {of} sounds"


def test_who_loves_the_anchor_cannot_judge():
    rows = [row for who in "abcde" for row in listener(who, hidden=[99] * 4, anchor7=[50] * 4)]
    rows += listener("deaf", hidden=[99] * 4, anchor7=[95] * 4, a=[100] * 4)
    result = analyse(rows)
    assert result.excluded == {"deaf": "rated the 7 kHz anchor above 90 on 4 of 4 sounds"}
    assert "a" not in [score.condition for score in result.scores]


def test_a_sound_without_highs_is_nobodys_fault():
    rows = [row for who in "abcd" for row in listener(who, hidden=[99] * 3, anchor7=[50, 50, 97])]
    assert analyse(rows).excluded == {}


def test_one_listener_has_a_mean_and_no_interval():
    result = analyse(listener("x", hidden=[99], a=[60]))
    assert result.scores[1].mean == 60 and math.isnan(result.scores[1].low)
    assert "needs two or more" in str(result)


def test_a_table_and_a_plot_show_everything():
    rows = [row for who in "abc" for row in listener(who, hidden=[99], a=[60], anchor7=[30])]
    rows += listener("<b>", hidden=[10])
    result = analyse(rows)
    assert "left out: <b>, who rated" in str(result) and "&lt;b&gt;" in result._repr_html_()
    ax = result.plot()
    assert [t.get_text() for t in ax.get_yticklabels()] == ["anchor 7 kHz", "a", "reference"]
    assert result.of("sound 0") == result.scores
    with pytest.raises(ValueError, match="nobody rated 'sound 9'; there are sound 0"):
        result.of("sound 9")


HEAD = "listener,session,item,trial,position,condition,rating,seconds\n"


def test_files_are_read_and_a_repeated_session_counts_once(tmp_path):
    one, two = tmp_path / "1.csv", tmp_path / "2.csv"
    one.write_text(HEAD + "x,s1,a,1,1,reference,100,9\nx,s1,a,1,2,c,40,9\n")
    two.write_bytes(b"\xef\xbb\xbf" + (HEAD + "x,s2,a,1,1,c,60,9\r\ny,s3,a,1,2,c,70,9\r\n"
                    "y,s3,a,1,1,reference,95,9\r\n").encode())  # fmt: skip
    score = analyse([one, two]).scores[1]
    assert (score.mean, score.listeners) == (60, 2)


def test_results_of_webmushra_are_read(tmp_path):
    file = tmp_path / "mushra.csv"
    head = "session_test_id,{}trial_id,rating_stimulus,rating_score,rating_time,rating_comment\n"
    file.write_text(
        head.format("listener,") + "t,Ada,speech,reference,100,9,\nt,Ada,speech,anchor35,20,9,\n"
    )
    assert [s.condition for s in analyse(file).scores] == ["reference", "anchor 3.5 kHz"]
    file.write_text(head.format("session_uuid,") + "t,123,speech,reference,100,9,\n")
    assert analyse([file]).ratings[0].listener == "123"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "not one rating"),
        (HEAD, "not one rating"),
        ("a,b\n1,2\n", "row 1: no listener, item, condition, rating"),
        (HEAD + "x,s,a,1,1,reference,101,9\n", "row 1: a rating is from 0 to 100, not '101'"),
        (HEAD + "x,s,a,1,1,reference,100,9\nx,s,a,1,1,c,good,9\n", "row 2: a rating is from"),
        (HEAD + "x,s,a,1,1,reference,nan,9\n", "not 'nan'"),
        (HEAD + "x,s,a,1,1,reference,,9\n", "row 1: no rating"),
        (HEAD + "x,s,a\n", "row 1: no condition, rating"),
        (HEAD + 'x,s,"a', "not a CSV file"),
        (HEAD + "x,s,a,1,1,c,50,9\n", "no row has the condition 'reference'"),
        (HEAD + "x,s,a,1,1,reference,50,9\n", "all 1 listeners were screened out"),
    ],
)
def test_a_bad_table_is_refused_by_name_and_row(tmp_path, content, words):
    file = tmp_path / "bad.csv"
    file.write_text(content)
    with pytest.raises(ValueError, match=re.escape(words)):
        analyse(file)


def test_what_is_no_table_at_all_is_refused(tmp_path):
    (tmp_path / "x.csv").write_bytes(b"\xff\xfe\x00")
    for wrong, words in [
        (tmp_path / "none.csv", "none.csv: no such file"),
        (tmp_path, "no such file"),
        (tmp_path / "x.csv", "cannot be read as text"),
        ([3], "not a int"),
        ([], "not one rating"),
    ]:
        with pytest.raises(ValueError, match=words):
            analyse(wrong)


# --- webMUSHRA

# Keys of doc/experimenter.md; "questionnaire" and "randomize" as in its example configurations.
TOP = {"testname", "testId", "bufferSize", "stopOnErrors", "showButtonPreviousPage",
       "remoteService", "pages"}  # fmt: skip
MUSHRA_PAGE = {"type", "id", "name", "content", "showWaveform", "enableLooping", "strict",
               "reference", "createAnchor35", "createAnchor70", "randomize", "showConditionNames",
               "stimuli"}  # fmt: skip
FINISH_PAGE = {"type", "name", "content", "showResults", "writeResults", "questionnaire"}


def test_an_export_is_what_webmushra_documents(tmp_path):
    x, y = {"one": 4 * noise(), "two": noise(0.3)}, {"one": noise(), "two": noise(0.3)}
    file = export_webmushra(tmp_path / "my-test", {'no: "6"': y}, x, RATE, title="A: test #1")
    config = yaml.safe_load(file.read_text())
    assert set(config) == TOP and config["testname"] == "A: test #1"
    assert config["testId"] == file.parent.name == file.stem == "my-test"
    (order, *pages), last = config["pages"]
    assert order == "random" and len(pages) == 2
    assert set(last) == FINISH_PAGE and last["questionnaire"][0]["name"] == "listener"
    for page, seconds in zip(pages, (0.2, 0.3)):
        assert set(page) == MUSHRA_PAGE and page["type"] == "mushra"
        assert list(page["stimuli"]) == ['no: "6"', "anchor35", "anchor70"]
        for path in [page["reference"], *page["stimuli"].values()]:
            assert path.startswith("configs/my-test/")
            samples, rate = soundfile.read(file.parent / path.rpartition("/")[2])
            assert rate == 48000 and len(samples) == round(seconds * 48000)
            assert np.abs(samples).max() > 0.01


def test_a_label_that_yaml_would_misread_stays_a_label(tmp_path):
    x = noise()
    labels = ["no", "null", "1.5", "- a", "{b}", "é\n"]
    file = export_webmushra(tmp_path / "t", {label: x for label in labels}, x, RATE)
    page = yaml.safe_load(file.read_text())["pages"][0][1]
    assert list(page["stimuli"])[:-2] == labels


def test_an_export_destroys_nothing_and_says_what_is_wrong(tmp_path):
    x = noise()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.tex").write_text("years")
    for folder, clip, words in [
        ("full", x, "not an empty folder"),
        ("a b", x, "letters, digits"),
        ("long", torch.zeros(1, 1, 13 * RATE), "longer than the 12 s"),
    ]:
        with pytest.raises(ValueError, match=words):
            export_webmushra(tmp_path / folder, {"c": clip}, clip, RATE)
    assert not (tmp_path / "long").exists()


def test_rows_from_a_csv_reader_and_from_json_are_alike(tmp_path):
    rows = listener("x", hidden=[99], a=[60]) + listener("y", hidden=[99], a=[70])
    text = io.StringIO()
    writer = csv.DictWriter(text, rows[0])
    writer.writeheader()
    writer.writerows(rows)
    again = list(csv.DictReader(io.StringIO(text.getvalue())))
    assert analyse(again).scores == analyse(json.loads(json.dumps(rows))).scores
