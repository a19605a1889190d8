"""Ratings become results: screening, honest intervals, and tables that are refused."""

import csv
import io
import json
import math
import re

import matplotlib
import matplotlib.pyplot
import numpy as np
import pytest
import torch
import yaml
from scipy import stats

from minicodec.listening import analyse, export_webmushra
from minicodec.listening.analysis import Rating, scores_of, screen, t_quantile
from minicodec.listening.tables import dump


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


def test_who_never_heard_the_hidden_reference_is_left_out():
    result = analyse(listener("x", hidden=[99], a=[60]) + listener("y", a=[10]))
    assert result.excluded == {"y": "never rated the hidden reference"}
    assert [score.mean for score in result.scores] == [99, 60]


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


def test_the_work_grows_with_the_listeners_and_not_with_their_square(monkeypatch):
    """Counted in looks at a rating: four times the listeners, four times the looks."""
    looks = 0

    class Counted(Rating):
        @property
        def condition(self):
            nonlocal looks
            looks += 1
            return self[2]

        @property
        def listener(self):
            nonlocal looks
            looks += 1
            return self[0]

    def cost(listeners: int) -> int:
        nonlocal looks
        rows = [row for i in range(listeners) for row in listener(str(i), hidden=[99], a=[i % 100])]
        ratings = [Counted(*row.values()) for row in rows]
        looks = 0
        assert screen(ratings) == {} and len(scores_of(ratings)) == 2
        return looks

    assert cost(200) == 4 * cost(50)


def test_names_that_a_spreadsheet_would_run(tmp_path):
    """They are written as text, and come back as they were."""
    rows = listener("=1+1", hidden=[99], a=[60]) + listener("'-x", hidden=[99], a=[70])
    file = tmp_path / "t.csv"
    file.write_text(dump([row | {"item": "@sum"} for row in rows]), newline="")
    assert "'=1+1,'@sum" in file.read_text()
    result = analyse(file)
    assert {rating.listener for rating in result.ratings} == {"=1+1", "'-x"}
    assert {rating.item for rating in result.ratings} == {"@sum"}


def test_names_do_nothing_on_a_screen():
    rows = listener("x\x1b[2J", hidden=[10]) + listener("y", hidden=[99])
    rows += [dict(listener="y", item="a", condition="two\nlines", rating=50)]
    shown = str(analyse(rows))
    assert "\x1b" not in shown and r"x\x1b[2J, who rated" in shown and r"two\nlines" in shown


def test_names_are_drawn_and_are_no_formulas():
    names = [r"$\frac$", "$5 or $6", "_x_"]
    rows = listener("y", hidden=[99], **dict.fromkeys(names, [50]))
    drawn = io.StringIO()
    with matplotlib.rc_context({"svg.fonttype": "none", "backend": "Agg"}):
        figure = analyse(rows).plot().figure
        figure.savefig(drawn, format="svg")
        matplotlib.pyplot.close(figure)
    assert all(f">{name}</text>" in drawn.getvalue() for name in names)


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
    file.write_text(head.format("listener,") + "t,B,a &amp; b,reference,100,9,\nt,B,,c,20,9,\n")
    with pytest.raises(ValueError, match="row 2: no item"):
        analyse(file)


def test_what_goes_through_webmushra_comes_back(tmp_path):
    """It shows names as HTML, so they are written as such; its results have them as they were."""
    x, name, label = 0.1 * torch.randn(1, 1, 2400), "a & <b>", 'it\'s "$5"'
    file = export_webmushra(tmp_path / "t", {label: {name: x}}, {name: x}, 24000)
    page = yaml.safe_load(file.read_text())["pages"][0][1]
    assert page["id"] == page["name"] == "a &amp; &lt;b&gt;"
    rows = [{"listener": "Ada", "trial_id": page["id"], "rating_stimulus": each, "rating_score": 95}
            for each in ("reference", *page["stimuli"])]  # fmt: skip
    (tmp_path / "mushra.csv").write_text(dump(rows))
    result = analyse(tmp_path / "mushra.csv")
    assert [rating.item for rating in result.ratings] == [name] * 4
    assert {score.condition for score in result.scores} == {
        "reference", label, "anchor 3.5 kHz", "anchor 7 kHz"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "bad.csv is empty"),
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


def test_rows_from_a_csv_reader_and_from_json_are_alike(tmp_path):
    rows = listener("x", hidden=[99], a=[60]) + listener("y", hidden=[99], a=[70])
    text = io.StringIO()
    writer = csv.DictWriter(text, rows[0])
    writer.writeheader()
    writer.writerows(rows)
    again = list(csv.DictReader(io.StringIO(text.getvalue())))
    assert analyse(again).scores == analyse(json.loads(json.dumps(rows))).scores


def test_ratings_come_as_a_file_an_upload_or_pasted_text(tmp_path):
    rows = listener("x", hidden=[99], a=[60]) + listener("y", hidden=[99], a=[70])
    text = dump(rows)
    (tmp_path / "a.csv").write_text(text)
    expected = analyse(rows)
    for given in (str(tmp_path / "a.csv"), text, text.encode(), {"a.csv": text.encode()}):
        assert analyse(given) == expected == analyse([given])
