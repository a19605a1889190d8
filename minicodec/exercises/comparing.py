"""Support: where an answer differs from the right one, in one sentence that helps."""

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor

#: What it often means that a number is so many times too large or too small.
_FACTORS = {
    2: "Is something counted twice, or half of it forgotten?",
    8: "Bits or bytes?",
    60: "Seconds or minutes?",
    1000: "A unit or its thousandth?",
    3600: "Seconds or hours?",
}


def difference(mine: Any, right: Any, tolerance: float) -> str:
    """How two answers differ, as a sentence; "" if they agree.

    Numbers agree within `tolerance`, as a share of the largest right one. Arrays of numpy count as
    tensors, tensors without axes as numbers; lists and tuples are the same.
    """
    mine, right = _plain(mine), _plain(right)
    if mine is None:
        return "" if right is None else "It gives None: is a `return` missing?"
    if mine is Ellipsis or mine is NotImplemented:
        return "There is no answer yet."
    if right is None:
        return f"Expected None, got {_what(mine)}."
    if isinstance(right, Tensor):
        return _of_tensors(mine, right, tolerance)
    if isinstance(right, dict):
        return _of_dicts(mine, right, tolerance)
    if isinstance(right, (list, tuple)):
        return _of_lists(mine, right, tolerance)
    if isinstance(right, str):
        return _of_words(mine, right)
    if isinstance(right, (bytes, bytearray)):
        return _of_bytes(mine, bytes(right))
    return _of_numbers(mine, right, tolerance)


def _plain(value: Any) -> Any:
    """Without numpy, devices and gradients."""
    if isinstance(value, (np.ndarray, np.generic)) and value.dtype.kind in "biufc":
        value = torch.from_numpy(np.array(value))
    if isinstance(value, Tensor):
        value = value.detach().cpu()
        return value if value.dim() else value.item()
    return value


def _what(value: Any) -> str:
    if isinstance(value, Tensor):
        return f"a tensor {list(value.shape)}"
    if isinstance(value, type) or callable(value):
        return "a function; perhaps it is to be called"
    if isinstance(value, (bool, int, float, complex, str, bytes, list, tuple, dict)):
        text = repr(value)
        return f"{type(value).__name__} {text if len(text) < 40 else text[:40] + '…'}"
    return f"something of type {type(value).__name__}"


def _of_numbers(mine: Any, right: Any, tolerance: float) -> str:
    if isinstance(mine, Tensor) and mine.numel() == 1:
        mine = mine.item()
    if isinstance(right, bool):
        if not isinstance(mine, bool):
            return f"Expected True or False, got {_what(mine)}."
        return "" if mine == right else f"It says {mine}, which is not so."
    if isinstance(mine, bool) or not isinstance(mine, (int, float, complex)):
        return f"Expected a number, got {_what(mine)}."
    if mine != mine:
        return "" if right != right else "It is NaN: a division 0/0, or the logarithm of zero?"
    if mine == right:
        return ""
    if math.isfinite(abs(right)) and abs(mine - right) <= max(tolerance * abs(right), 1e-12):
        return ""
    return f"{mine:.6g} is not right{_ratio(mine, right)}"


def _ratio(mine: Any, right: Any) -> str:
    if isinstance(mine, complex) or isinstance(right, complex) or not mine or not right:
        return "."
    if mine / right < 0:
        if math.isclose(mine, -right, rel_tol=1e-2):
            return ": the sign is the other one."
        return f": it is {'negative' if mine < 0 else 'positive'}, and the right one is not."
    for factor, why in _FACTORS.items():
        for ratio, word in ((mine / right, "large"), (right / mine, "small")):
            if math.isclose(ratio, factor, rel_tol=1e-2):
                return f": {factor} times too {word}. {why}"
    near = ", but near" if 0.9 < mine / right < 1.1 else ""
    return f": too {'large' if abs(mine) > abs(right) else 'small'}{near}."


def _of_words(mine: Any, right: str) -> str:
    if not isinstance(mine, str):
        return f"Expected a word, got {_what(mine)}."
    if mine.strip().casefold() == right.strip().casefold():
        return ""
    return f"{mine[:60]!r} is not right." if mine.strip() else "There is no answer yet."


def _of_bytes(mine: Any, right: bytes) -> str:
    if not isinstance(mine, (bytes, bytearray)):
        return f"Expected bytes, got {_what(mine)}."
    if mine == right:
        return ""
    if len(mine) != len(right):
        return f"It gives {len(mine)} bytes; expected {len(right)}."
    first = next(i for i, (a, b) in enumerate(zip(mine, right)) if a != b)
    return f"Byte {first} of {len(right)} is {mine[first]:#04x}; expected {right[first]:#04x}."


def _of_lists(mine: Any, right: Any, tolerance: float) -> str:
    if isinstance(mine, Tensor) and (mine.dim() == 1 or len(mine) == len(right)):
        mine = mine.tolist()
    if not isinstance(mine, (list, tuple)):
        return f"Expected {len(right)} values, got {_what(mine)}."
    if len(mine) != len(right):
        return f"It gives {len(mine)} value{'s' * (len(mine) != 1)}; expected {len(right)}."
    if wrong := _of_order(mine, right):
        return wrong
    for index, (a, b) in enumerate(zip(mine, right)):
        if wrong := difference(a, b, tolerance):
            return f"Value {index + 1} of {len(right)}: {wrong[0].lower()}{wrong[1:]}"
    return ""


def _of_order(mine: Any, right: Any) -> str:
    """Of words of which each is used once: a slip of the pen is no wrong order."""
    known = {word.casefold(): word for word in right if isinstance(word, str)}
    if not len(known) == len(right) > 1 or not all(isinstance(w, str) and w.strip() for w in mine):
        return ""
    words = [word.strip().casefold() for word in mine]
    for word, given in zip(words, mine):
        if word not in known:
            return f"{given[:60]!r} is none of the words: {', '.join(sorted(known.values()))}."
        if words.count(word) > 1:
            return f"{known[word]!r} stands there twice; each word has one place."
    return ""


def _of_dicts(mine: Any, right: dict[Any, Any], tolerance: float) -> str:
    if not isinstance(mine, dict):
        return f"Expected a dictionary, got {_what(mine)}."
    if missing := [key for key in right if key not in mine]:
        return f"There is no entry {missing[0]!r}."
    if extra := [key for key in mine if key not in right]:
        return f"There should be no entry {extra[0]!r}."
    for key, value in right.items():
        if wrong := difference(mine[key], value, tolerance):
            return f"Entry {key!r}: {wrong[0].lower()}{wrong[1:]}"
    return ""


def _of_tensors(mine: Any, right: Tensor, tolerance: float) -> str:
    if isinstance(mine, (list, tuple)):
        try:
            mine = torch.tensor(mine)
        except (ValueError, TypeError, RuntimeError):
            return f"Expected a tensor {list(right.shape)}, got {_what(mine)}."
    if not isinstance(mine, Tensor):
        return f"Expected a tensor {list(right.shape)}, got {_what(mine)}."
    if mine.shape != right.shape:
        return _of_shapes(list(mine.shape), list(right.shape))
    if mine.is_complex() != right.is_complex():
        kinds = ("complex", "real") if mine.is_complex() else ("real", "complex")
        return f"Its numbers are {kinds[0]}; expected {kinds[1]} ones."
    if not right.is_floating_point() and not right.is_complex() and mine.is_floating_point():
        kind = "True and False" if right.dtype == torch.bool else "integers"
        return f"It gives numbers of type {mine.dtype}; expected {kind} ({right.dtype})."
    if right.numel() == 0:
        return ""
    wide = torch.complex128 if right.is_complex() else torch.float64
    return _of_values(mine.to(wide), right.to(wide), tolerance)


def _of_shapes(mine: list[int], right: list[int]) -> str:
    said = f"Its shape is {mine}; expected {right}"
    if len(mine) == len(right):
        off = [axis for axis in range(len(right)) if mine[axis] != right[axis]]
        if sorted(mine) == sorted(right):
            return f"{said}: are two axes swapped?"
        if len(off) == 1:
            axis = off[0]
            more = mine[axis] - right[axis]
            return f"{said}: {abs(more)} too {'many' if more > 0 else 'few'} along axis {axis}."
    if [size for size in mine if size != 1] == [size for size in right if size != 1]:
        return (
            f"{said}: an axis of size 1 is {'too many' if len(mine) > len(right) else 'missing'}."
        )
    return f"{said}."


def _of_values(mine: Tensor, right: Tensor, tolerance: float) -> str:
    """Of tensors of one shape; the pattern of what is wrong often says why."""
    finite = right.isfinite()
    if not torch.equal(mine.isfinite(), finite):
        kind = "NaN" if mine.isnan().any() else "infinite"
        return f"{int((mine.isfinite() != finite).sum())} of {mine.numel()} values are {kind}."
    mine, right = (torch.where(finite, values, 0.0) for values in (mine, right))
    allowed = max(tolerance * float(right.abs().max()), 1e-12)
    bad = (mine - right).abs() > allowed
    if not bad.any():
        return ""
    return _pattern(mine, right, allowed) or _where(bad, mine, right)


def _pattern(mine: Tensor, right: Tensor, allowed: float) -> str:
    def near(values: Tensor) -> bool:
        return float((values - right).abs().max()) <= allowed

    power = float(mine.abs().pow(2).sum())
    factor = (mine.conj() * right).sum() / power if power else right.new_zeros(())
    offset = (right - mine).mean()
    if not power:
        return "All of its values are 0."
    if not right.any():
        return "All of its values should be 0."
    if near(factor * mine):
        if abs(complex(factor) + 1) < 1e-3:
            return "Every value has the wrong sign."
        return f"Every value is {1 / complex(factor).real:.4g} times the right one."
    if near(mine + offset):
        return f"Every value is off by the same number, {-complex(offset).real:.4g}."
    if near(mine.flip(-1)):
        return "The values are right, but in reverse order."
    for shift in (1, 2, 3, -1, -2, -3):
        size = mine.shape[-1] - abs(shift)
        if size > 3 and not bool(
            ((mine.roll(-shift, -1) - right).abs() > allowed)
            .narrow(-1, 0 if shift > 0 else -shift, size)
            .any()
        ):
            way = "late" if shift > 0 else "early"
            return f"The values are right, but {abs(shift)} too {way} along the last axis."
    return ""


def _where(bad: Tensor, mine: Tensor, right: Tensor) -> str:
    count, total = int(bad.sum()), bad.numel()
    columns = bad.reshape(-1, bad.shape[-1]).any(0).nonzero().flatten().tolist()
    width = bad.shape[-1]
    place = ""
    if len(columns) <= width // 3:
        if columns[-1] < width // 3:
            place = f", all of them among the first {columns[-1] + 1} of the last axis"
        elif columns[0] >= width - width // 3:
            place = f", all of them among the last {width - columns[0]} of the last axis"
    first = tuple(int(i) for i in bad.nonzero()[0])
    said = f"{mine[first].item():.5g}, not {right[first].item():.5g}"
    return f"{count} of {total} values are wrong{place}; at {list(first)} it gives {said}."
