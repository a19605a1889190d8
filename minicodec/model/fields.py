"""Support: one check for every config, of the type and the range of each field.

A config may come from a stranger's file, and Python computes with anything: `[0] * 10**9` takes
eight gigabytes, and a float cannot hold `10**400`. So before a config computes with its fields they
are what they say they are, and of a sane size:

    @dataclass(frozen=True)
    class Config:
        channels: int = 1

        def __post_init__(self) -> None:
            check_fields(self, "a codec", channels=(1, 2))
"""

import json
import math
from collections.abc import Collection
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from types import UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

#: The range of a number for which a config states no other: whole numbers that a float64 holds.
_LEAST, _MOST = -(2**53), 2**53
_MOST_MEMBERS = 64  # of a list
_MOST_TEXT = 1 << 20  # bytes of a config in a file; ours have about a thousand
_LONGEST = 60  # characters of a value that are repeated in an error

T = TypeVar("T")


def check_fields(config: Any, owner: str, **ranges: tuple[float, float]) -> None:
    """Refuse a dataclass with a field that is not of its type, or out of its range.

    Known are bool, int, float, Literal, dataclasses, tuples of them, and None beside them. What
    JSON has no words for is put right: lists become tuples, and whole numbers floats.

    Args:
        owner: whose fields they are, for the error: "a codec".
        ranges: field → least and largest number, of all members in a tuple. Other numbers lie
            within 2^53. NaN and infinity never do.

    Raises:
        ValueError: naming the field, what it should be, and its value, shortened.
    """
    kinds = get_type_hints(type(config))
    for field in fields(config):
        value, kind = getattr(config, field.name), kinds[field.name]
        low, high = ranges.get(field.name, (_LEAST, _MOST))
        try:
            object.__setattr__(config, field.name, _fitted(value, kind, low, high))
        except TypeError:
            words = _words(kind, low, high)
            raise ValueError(f"{owner}'s {field.name} is {words}, not {shown(value)}.") from None


def check_rules(config: Any, owner: str, *rules: tuple[str, str, bool]) -> None:
    """Refuse a config that breaks a rule of its own: (field, rule, whether it holds).

    Raises:
        ValueError: naming the field, the first rule that does not hold, and the field's value.
    """
    for field, rule, holds in rules:
        if not holds:
            value = shown(getattr(config, field))
            raise ValueError(f"{owner}'s {field} {rule}, but it is {value}.")


def build(kind: type[T], values: object) -> T:
    """A dataclass from what JSON says, which may lack fields that have a default.

    Raises:
        ValueError: for fields that are unknown or lacking, or of which the class refuses one.
    """
    if not isinstance(values, dict):
        raise ValueError(f"a config is an object with a value for each name, not {shown(values)}.")
    known = fields(kind)  # type: ignore[arg-type]
    for name in values:
        if name not in {field.name for field in known}:
            raise ValueError(f"a config has no field {shown(name)}.")
    for field in known:
        if field.name not in values and field.default is field.default_factory is MISSING:
            raise ValueError(f"a config has a field {field.name!r}, which is lacking here.")
    return kind(**values)


def json_object(text: str) -> dict[str, Any]:
    """A JSON object from a stranger.

    Raises:
        ValueError: for what is no JSON, or no object; for a name that is there twice, numbers that
            are not finite or have more than 20 digits, and lists nested without end.
    """
    try:
        value = json.loads(
            text,
            object_pairs_hook=_once,
            parse_int=_whole,
            parse_float=_finite,
            parse_constant=_finite,
        )
    except json.JSONDecodeError as error:
        raise ValueError(f"this is no JSON: {error}.") from error
    except RecursionError:
        raise ValueError("this JSON is nested too deeply.") from None
    if not isinstance(value, dict):
        raise ValueError(f"this is no JSON object {{…}}, but {shown(value)}.")
    return value


def json_file(path: str | Path) -> dict[str, Any]:
    """The JSON object in a file.

    Raises:
        ValueError: as `json_object`; also if there is no such file, or it is larger than a MiB.
    """
    if not Path(path).is_file():
        raise ValueError("no such file.")
    with Path(path).open("rb") as file:
        data = file.read(_MOST_TEXT + 1)
    if len(data) > _MOST_TEXT:
        raise ValueError(f"it has more than {_MOST_TEXT} bytes.")
    try:
        return json_object(data.decode())
    except UnicodeDecodeError as error:
        raise ValueError("this is no text in UTF-8.") from error


def shown(value: object) -> str:
    """A value as errors repeat it: in one line, and short.

    >>> shown("x"), shown([0] * 1000)
    ("'x'", '[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,…')
    """
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # integers of thousands of digits have none
        return f"one of {type(value).__name__}"
    text = text.replace("\n", " ")
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _fitted(value: Any, kind: Any, low: float, high: float) -> Any:
    """The value as one of its kind; TypeError if it is none."""
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (UnionType, Union):
        (kind,) = [each for each in inner if each is not type(None)]
        return None if value is None else _fitted(value, kind, low, high)
    if origin is Literal:
        if isinstance(value, str) and value in inner:
            return value
    elif origin is tuple:
        if isinstance(value, (tuple, list)) and 0 < len(value) <= _MOST_MEMBERS:
            each = [inner[0]] * len(value) if inner[-1] is ... else list(inner)
            if len(each) == len(value):
                return tuple(_fitted(v, k, low, high) for v, k in zip(value, each))
    elif is_dataclass(kind):
        if type(value) is kind:
            return value
    elif kind is bool:
        if isinstance(value, bool):
            return value
    elif kind is int:
        if type(value) is int and low <= value <= high:
            return value
    elif kind is float:
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if number and low <= value <= high:  # which NaN is not
            return float(value)
    raise TypeError


def _words(kind: Any, low: float, high: float) -> str:
    """What a value should be."""
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (UnionType, Union):
        (kind,) = [each for each in inner if each is not type(None)]
        return f"{_words(kind, low, high)}, or none"
    if origin is Literal:
        return " or ".join(map(repr, inner))
    if origin is tuple:
        count = f"1 to {_MOST_MEMBERS}" if inner[-1] is ... else f"{len(inner)}"
        return f"a list of {count}, each {_words(inner[0], low, high)}"
    if kind is bool:
        return "true or false"
    if kind is int or kind is float:
        what = "an integer" if kind is int else "a number"
        return f"{what} from {_plain(low)} to {_plain(high)}"
    return f"a {kind.__name__}"


def _plain(number: float) -> str:
    return {_LEAST: "-2^53", _MOST: "2^53"}.get(number, f"{number:.12g}")  # type: ignore[call-overload]


def _once(pairs: Collection[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"this JSON names {shown(twice)} twice.")
    return value


def _whole(digits: str) -> int:
    if len(digits) > 20:  # Python's own limit is in the thousands, and older versions have none
        raise ValueError(f"this JSON holds a number of {len(digits)} digits.")
    return int(digits)


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError(f"this JSON holds a number that is not finite, {shown(digits)}.")
    return number
