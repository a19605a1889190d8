"""A class's files to one result. The class is simulated: nobody has heard anything."""

import pytest
from simulated_class import RATED, TOLD, class_of_fourteen, hand_in, listener

from minicodec.listening import pool


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return class_of_fourteen(tmp_path_factory.mktemp("returned"))


def test_who_counts_and_why_others_do_not(folder):
    result = pool(folder)
    assert result.files == 14
    assert result.listeners == [f"listener-{n:02}" for n in range(1, 12)]
    assert result.excluded == {
        "notes.csv": "is not a file of a class's listening test",
        "0123abcd-03.csv": "the same session of listener-03, as 0123abcd-03 (1).csv",
        "0123abcd-12.csv": "listener-12 failed the headphone check: 2 of 6",
    }
    rated, told = result.of(RATED), result.of(TOLD)
    assert rated.excluded == {"listener-11": "rated the hidden reference below 90 on 2 of 2 sounds"}
    assert rated.analysis.scores[0].condition == "reference"
    assert {score.listeners for score in rated.analysis.scores} == {10}
    # Who rated carelessly may have ears.
    assert len(told.results) == 11 and told.together.trials == 132


def test_what_was_put_into_the_class_is_found(folder):
    rated, told = pool(folder).of(RATED), pool(folder).of(TOLD)
    by_pair = {(d.higher, d.lower): d for d in rated.differences}
    found = by_pair["6 kbps", "1.5 kbps"]
    assert found.low < 23 < found.high and found.holm < 0.001
    # The same listeners: an interval narrower than that of either mean.
    width = {s.condition: s.high - s.low for s in rated.analysis.scores}
    assert found.high - found.low < width["1.5 kbps"]
    hears = {"listener-03", "listener-06", "listener-09"}
    assert {who for who, p in told.holm.items() if p < 0.05} <= hears
    assert told.holm["listener-03"] >= told.results["listener-03"].p


def test_the_report_reads_as_text(folder):
    text = str(pool(folder))
    for words in ("14 files, 11 listeners", "with a probability of 1.8%", "left out: notes.csv: is",
                  "6 kbps over 1.5 kbps", "p by Holm", "all together:", "if everybody guessed",
                  "left out: listener-11, who rated the hidden reference"):  # fmt: skip
        assert words in text, words
    assert max(map(len, text.splitlines())) <= 100
    assert "<pre>" in pool(folder)._repr_html_()


def test_the_picture_has_every_listener(folder):
    import matplotlib.pyplot as plt

    figure = pool(folder).plot()
    ratings, trials = figure.axes
    pale = [line for line in ratings.lines if line.get_alpha()]
    assert len(pale) == 5 * 10 and len(trials.get_yticklabels()) == 11
    plt.close(figure)


def test_an_upload_and_a_list_of_files_are_read_too(folder):
    files = sorted(folder.glob("*.csv"))
    upload = {path.name: path.read_bytes() for path in files}
    assert str(pool(files)) == str(pool(upload)) == str(pool(folder)) == str(pool(str(folder)))


@pytest.mark.parametrize(
    ("spoil", "where", "words"),
    [
        (lambda text: "", "file", "is empty"),
        (lambda text: text.replace("0123abcd", "ffffffff"), "file", "of the test ffffffff"),
        (lambda text: text.replace(",mushra,", ",gone,"), RATED, "did not take this test"),
        (lambda text: text.replace(",abx,", ",gone,"), TOLD, "did not take this test"),
    ],
)
def test_a_bad_file_loses_no_other(tmp_path, spoil, where, words):
    for number in (1, 2, 3):
        hand_in(tmp_path, f"{number}", listener(number))
    path = tmp_path / "2.csv"
    path.write_text(spoil(path.read_text(encoding="utf-8")), encoding="utf-8")
    result = pool(tmp_path)
    if where == "file":
        assert words in result.excluded["2.csv"]
    else:
        assert result.excluded == {} and words in result.of(where).excluded["listener-02"]
    assert {"listener-01", "listener-03"} <= set(result.listeners)


def test_no_text_and_binary_files_are_named(tmp_path):
    hand_in(tmp_path, "1", listener(1))
    (tmp_path / "2.csv").write_bytes(b"\xff\xfe\x00\x01")
    (tmp_path / "3.CSV").write_text('a,b\n"1', encoding="utf-8")
    result = pool(tmp_path)
    assert set(result.excluded) == {"2.csv", "3.CSV"}
    assert result.excluded["2.csv"].startswith("cannot be read as text")
    assert result.excluded["3.CSV"].startswith("is not a CSV file")
    assert result.of(RATED).differences == []  # one listener has no interval
    assert "needs two or more" in str(result)


def test_ratings_that_are_none_and_tests_that_were_broken_off(tmp_path):
    for number in (1, 2, 3, 4):
        hand_in(tmp_path, f"{number}", listener(number))
    rows = listener(2)
    hand_in(tmp_path, "2", [r | {"rating": 200} if r["part"] == "mushra" else r for r in rows])
    hand_in(tmp_path, "3", rows_of(3, ratings=8, trials=12))
    hand_in(tmp_path, "4", rows_of(4, ratings=10, trials=7))
    result = pool(tmp_path)
    assert result.excluded == {}
    rated, told = result.of(RATED).excluded, result.of(TOLD).excluded
    assert "from 0 to 100, not '200'" in rated["listener-02"]
    assert rated["listener-03"] == "rated 8 of 10 versions"
    assert "has 7 trials, not 12" in told["listener-04"]


def test_a_name_that_a_spreadsheet_changed_puts_out_its_own_file_alone(tmp_path):
    for number in (1, 2, 3, 4):
        hand_in(tmp_path, f"{number}", listener(number))
    first = listener(1)
    hand_in(tmp_path, "1", [r | {"item": str(r.get("item")).title()} for r in first])
    rated = pool(tmp_path).of(RATED)
    assert rated.excluded == {"listener-01": "rated 0 of 10 versions and 10 others"}
    assert {score.listeners for score in rated.analysis.scores} == {3}


def rows_of(number: int, ratings: int, trials: int):
    keep = {"mushra": ratings, "abx": trials}
    rows, seen = [], {"mushra": 0, "abx": 0}
    for row in listener(number):
        part = row["part"]
        seen[part] = seen.get(part, 0) + 1
        if seen[part] <= keep.get(part, 99):
            rows.append(row)
    return rows


def test_a_second_session_of_a_listener_does_not_count(tmp_path):
    hand_in(tmp_path, "1", listener(1))
    again = [row | {"session": "2026-11-28T09:00:00.000Z"} for row in listener(1)]
    hand_in(tmp_path, "0", again)
    result = pool(tmp_path)
    assert result.excluded == {"0.csv": "a later session of listener-01, as 1.csv"}


def test_a_spreadsheet_may_have_saved_it(tmp_path):
    path = hand_in(tmp_path, "1", listener(1))
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b",", b";"))
    assert pool(tmp_path).listeners == ["listener-01"]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("", "'' is not a folder"),
        ("nowhere", "'nowhere' is not a folder"),
        (None, "not a NoneType"),
        (b"x", "not a bytes"),
        (7, "not a int"),
        ([], "there are no results"),
        ({}, "there are no results"),
        (["gone.csv"], "no file of 1 is left; the first: gone.csv: .*no such file"),
    ],
)
def test_wrong_input_is_one_sentence(given, words):
    with pytest.raises(ValueError, match=words) as error:
        pool(given)
    assert "\n" not in str(error.value)


def test_an_empty_folder_and_a_class_without_headphones(tmp_path):
    with pytest.raises(ValueError, match="has no CSV file"):
        pool(tmp_path)
    hand_in(tmp_path, "1", listener(1, heard=4))
    with pytest.raises(ValueError, match="no file of 1 is left.*failed the headphone check"):
        pool(tmp_path)


def test_nobody_is_left_in_one_test(tmp_path):
    hand_in(tmp_path, "1", listener(1, careful=False))
    result = pool(tmp_path)
    assert result.of(RATED).analysis is None and "Nobody is left." in str(result)
    assert result.of(TOLD).together.trials == 12
    with pytest.raises(ValueError, match="no test is called 'x'"):
        result.of("x")
    result.plot()
