"""Results of a listening test come back in many ways, and as one table."""

import json

import pytest

from minicodec.listening.returned import tables

TEXT = 'item,rating\r\na,5\r\n"b, ""c""",7\r\n'
ROWS = [{"item": "a", "rating": "5"}, {"item": 'b, "c"', "rating": "7"}]


@pytest.mark.parametrize(
    "text",
    [
        TEXT,
        TEXT.replace("\r\n", "\n"),
        "\n\n" + TEXT + "\n",
        "\n".join(f"    {line}" for line in TEXT.splitlines()),
        "\ufeff" + TEXT,
        'item\trating\na\t5\n"b, ""c"""\t7',
        'item;rating\na;5\n"b, ""c""";7\n',
        json.dumps({"test": "ABX", "rows": ROWS}),
        json.dumps({"test": "ABX", "rows": ROWS}, indent=1),
    ],
)
def test_text_is_read_as_it_was_pasted(text):
    assert tables(text) == [("the pasted text", ROWS)]
    assert tables(text.encode()) == [("the upload", ROWS)]
    assert tables({"r.csv": text.encode()}) == [("r.csv", ROWS)]


def test_files_uploads_and_rows_may_be_mixed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.csv").write_text(TEXT)
    upload = {"b.csv": TEXT.encode(), "c.csv": TEXT.encode()}
    names = [name for name, _ in tables(["a.csv", upload, ROWS[0], tmp_path / "a.csv", TEXT])]
    assert names == [
        "the rows", "a.csv", "b.csv", "c.csv", str(tmp_path / "a.csv"), "the pasted text"
    ]  # fmt: skip
    assert tables(ROWS[0]) == [("the rows", ROWS[:1])] == tables(iter(ROWS[:1]))
    assert tables([]) == []


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (None, "not a NoneType"),
        (3, "not a int"),
        ([None], "not a NoneType"),
        ("", "there are no results"),
        (" \n ", "there are no results"),
        ("none.csv", "none.csv: no such file; where it lies on another machine, upload it"),
        ("a" * 5000, "aaa: no such file|cannot be read"),
        ("a\0b", "no such file"),
        (b"", "the upload is empty"),
        (b"\xff\xfe\x00", "cannot be read as text"),
        ({"x.csv": b"\xff"}, "x.csv cannot be read as text"),
        ('item,rating\n"a', "the pasted text is not a CSV file"),
        ('{"rows": 3}', "JSON, but not with the rows"),
        ('{"rows": [3]}', "JSON, but not with the rows"),
        ('{"rows": ', "JSON, but not with the rows"),
        ("{" * 100_000, "JSON, but not with the rows"),
    ],
)
def test_what_cannot_be_read_is_one_sentence(wrong, words):
    with pytest.raises(ValueError, match=words) as raised:
        tables(wrong)
    assert len(str(raised.value)) < 500 and "\n" not in str(raised.value)
