"""Fields are what they say, whatever a stranger writes into them."""

import math
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minicodec.model.fields import build, check_fields, check_rules, json_file, json_object, shown


@dataclass(frozen=True)
class Inner:
    size: int = 1

    def __post_init__(self) -> None:
        check_fields(self, "an inner", size=(1, 9))


@dataclass(frozen=True)
class Outer:
    """One field of every kind that there is."""

    count: int
    share: float = 0.5
    on: bool = True
    kind: Literal["a", "b"] = "a"
    maybe: float | None = None
    many: tuple[int, ...] = (1,)
    pair: tuple[float, float] = (0.0, 1.0)
    inner: Inner = field(default_factory=Inner)

    def __post_init__(self) -> None:
        check_fields(self, "an outer", share=(0, 1), maybe=(-1, 1), many=(0, 9))
        check_rules(self, "an outer", ("pair", "rises", self.pair[0] <= self.pair[1]))


def test_what_json_cannot_say_is_put_right():
    outer = Outer(3, share=1, many=[1, 2], pair=[0, 2], maybe=0)
    assert outer == Outer(3, 1.0, many=(1, 2), pair=(0.0, 2.0), maybe=0.0)
    assert isinstance(outer.share, float) and isinstance(outer.pair[1], float)


HUGE = 10**5000  # has no decimal form that Python would print


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        (dict(count=True), "count is an integer from -2^53 to 2^53, not True"),
        (dict(count=1.0), "count is an integer from -2^53 to 2^53, not 1.0"),
        (dict(count=HUGE), "count is an integer from -2^53 to 2^53, not one of int"),
        (dict(count=None), "count is an integer"),
        (dict(share=True), "share is a number from 0 to 1, not True"),
        (dict(share="0.5"), "share is a number from 0 to 1, not '0.5'"),
        (dict(share=math.nan), "share is a number from 0 to 1, not nan"),
        (dict(share=-math.inf), "share is a number from 0 to 1, not -inf"),
        (dict(share=HUGE), "share is a number from 0 to 1"),
        (dict(on=1), "on is true or false, not 1"),
        (dict(kind="c"), "kind is 'a' or 'b', not 'c'"),
        (dict(kind=["a"]), "kind is 'a' or 'b'"),
        (dict(maybe=2), "maybe is a number from -1 to 1, or none, not 2"),
        (dict(many=()), "many is a list of 1 to 64, each an integer from 0 to 9, not ()"),
        (dict(many=[1] * 65), "many is a list of 1 to 64"),
        (dict(many="12"), "many is a list"),
        (dict(many=[1, 10]), "many is a list of 1 to 64, each an integer from 0 to 9"),
        (dict(many={1: 2}), "many is a list"),
        (dict(pair=[1]), "pair is a list of 2, each a number"),
        (dict(pair=[1, 2, 3]), "pair is a list of 2"),
        (dict(pair=[2, 1]), "pair rises, but it is (2.0, 1.0)."),
        (dict(inner={"size": 1}), "inner is a Inner"),
        (dict(many=["x" * 10**6]), "many is a list"),
    ],
)
def test_a_wrong_field_is_named_with_its_value(fields, words):
    with pytest.raises(ValueError) as error:
        Outer(**({"count": 1} | fields))
    message = str(error.value)
    assert words in message and message.startswith("an outer's ")
    assert "\n" not in message and len(message) < 200


anything: Any = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.integers(400, 500).map(lambda digits: 10**digits)
    | st.just("a"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=4,
)


@given(st.dictionaries(st.sampled_from([*Outer.__dataclass_fields__, "more"]), anything))
def test_whatever_stands_in_a_config_it_is_built_or_refused(values):
    try:
        outer = build(Outer, values)
    except ValueError as error:
        assert "\n" not in str(error) and len(str(error)) < 250
    else:
        assert type(outer.count) is int and 0 <= outer.share <= 1 and outer.pair[0] <= outer.pair[1]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([1], "an object with a value for each name, not [1]"),
        (None, "not None"),
        ({"count": 1, "cuont": 2}, "no field 'cuont'"),
        ({1: 1}, "no field 1"),
        ({}, "a field 'count', which is lacking here"),
    ],
)
def test_what_is_no_config(values, words):
    with pytest.raises(ValueError) as error:
        build(Outer, values)
    assert words in str(error.value)


def test_json_is_read():
    text = '{"count": -12, "share": 1e-3, "many": [], "x": {"y": null, "z": [true]}}'
    values = {"count": -12, "share": 1e-3, "many": [], "x": {"y": None, "z": [True]}}
    assert json_object(text) == values


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no JSON"),
        ("{", "no JSON"),
        ("[]", r"no JSON object {…}, but \[\]"),
        ("3", "no JSON object"),
        ('{"a": 1, "b": 2, "a": 1}', "names 'a' twice"),
        ('{"a": {"b": 1, "b": 1}}', "names 'b' twice"),
        ('{"a": NaN}', "not finite, 'NaN'"),
        ('{"a": -Infinity}', "not finite"),
        ('{"a": 1e400}', "not finite, '1e400'"),
        ('{"a": ' + "1" * 10**5 + "}", "a number of 100000 digits"),
        ("[" * 10**5, "nested too deeply"),
        ('{"a":' * 10**5, "nested too deeply"),
    ],
)
def test_json_from_a_stranger(text, words):
    with pytest.raises(ValueError, match=words) as error:
        json_object(text)
    assert "\n" not in str(error.value) and len(str(error.value)) < 200


def test_json_in_files(tmp_path):
    path = tmp_path / "x.json"
    for content, words in [
        (None, "no such file"),
        (b"\xff", "no text in UTF-8"),
        (b" " * (1 << 21), "more than 1048576 bytes"),
    ]:
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(ValueError, match=words):
            json_file(path)
    path.write_text('{"a": 1}')
    assert json_file(path) == {"a": 1}


def test_values_are_shown_in_one_short_line():
    assert shown("a\nb") == r"'a\nb'"
    assert len(shown([0] * 10**5)) < 70 and shown(HUGE) == "one of int"
