"""Tables come back as they were, and no spreadsheet runs what is in them."""

import csv
import io
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minicodec.listening.tables import dump, guarded, parse

names = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
cells = names | st.sampled_from(["=1", "'=1", "''-2", "'", "", "@x", "\t=1", "'a"])


@given(st.lists(st.fixed_dictionaries({"listener": cells, "=item": cells}), min_size=1))
def test_what_is_written_is_read(rows):
    text = dump(rows)
    assert list(parse(text)) == [{"listener": r["listener"], "'=item": r["=item"]} for r in rows]
    for row in csv.reader(io.StringIO(text, newline="")):
        assert all(cell[:1] not in ("=", "+", "-", "@", "\t", "\r", "\n") for cell in row if cell)


@pytest.mark.parametrize("value", [-1.5, 0, None, True, "a=b", "1", "", "'", "'quoted'"])
def test_numbers_and_words_stay_as_they_are(value):
    assert guarded(value) == value


@pytest.mark.parametrize("value", ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_formulas_become_text(value):
    assert guarded(value) == f"'{value}"


def test_rows_with_other_columns():
    assert dump([{"a": 1}, {"b": None}]) == "a,b\r\n1,\r\n,\r\n"
    assert list(parse("a\n1,2,3\n")) == [{"a": "1"}]


def test_names_in_another_encoding_can_be_written():
    name = os.fsdecode(b"caf\xe9")
    assert dump([{name: name}]).encode("utf-8").split() == [rb"caf\xe9", rb"caf\xe9"]
