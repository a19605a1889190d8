"""Support: one way to the official packages, which do not import on every machine.

`import encodec` needs torchaudio, and torchaudio needs just the torch that it was built for. Where
the two do not fit, every comparison with the official code would end in an error from a linker. So
a chapter puts what it asks of the official code into a function that gives plain numbers, and runs
it here: live where the package imports, and else the numbers saved beforehand are given, with a
line that says so. `tools/official_results.py` saves them.
"""

import hashlib
import inspect
import json
import textwrap
import warnings
from collections.abc import Callable, Mapping
from contextlib import suppress
from importlib import import_module, metadata
from pathlib import Path
from typing import Any

import torch

#: What the official code gave, by name, with when and by which versions.
RESULTS = Path(__file__).parents[1] / "weights" / "official_results.json"

_NEEDED = ("encodec", "torch", "torchaudio")
_LONGEST = 100  # letters of an error that are shown


def run(name: str, function: Callable[[], Any], package: str = "encodec") -> Any:
    """What the function gives, live or saved; a line is printed where it is saved.

    Chance begins at the same place each time, and goes on afterwards as if nothing had been drawn,
    so that the rest of a chapter does not depend on whether this ran.

    Args:
        name: under which its result is saved, chapter first: "02.frames".
        function: imports what it needs of the package, and returns what JSON can hold.
        package: the one without which it cannot run.

    Raises:
        ValueError: for a result that JSON cannot hold.
        ImportError: if the package does not import, and nothing is saved under this name.

    >>> run("00.example", lambda: {"pair": (1, 2)}, package="json")
    {'pair': [1, 2]}
    """
    error = why_not(package)
    return live(name, function) if not error else saved(name, function, package, error)


def live(name: str, function: Callable[[], Any]) -> Any:
    """The function's result as JSON gives it back, so that it is of the same types as a saved one.

    Raises:
        ValueError: for a result that JSON cannot hold.
    """
    with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the official code was written for an older torch
        torch.manual_seed(0)
        result = function()
    try:
        return json.loads(json.dumps(result, allow_nan=False))
    except (TypeError, ValueError):
        raise ValueError(
            f"the result of {name!r} is to be saved as JSON, so it may hold finite numbers, "
            "strings, lists and dicts, and nothing else."
        ) from None


def saved(name: str, function: Callable[[], Any], package: str, error: str) -> Any:
    """The result that was saved under this name; prints why it is shown, and what it is.

    Raises:
        ImportError: if nothing is saved under it.
    """
    why = f"{package} does not import here ({error}; {_listed(versions())})"
    results = json.loads(RESULTS.read_text(encoding="utf-8"))
    if name not in results:
        raise ImportError(f"{why}, and no result is saved under {name!r}.")
    result, made = results[name], results[name]["made"]
    line = f"{why}. These are its numbers of {made['date']} ({_listed(made)}, {made['cpu']})."
    if fingerprint(source_of(function)) not in ("", result["source"]):
        line += " You have changed the call since: they are those of the call as it was."
    print(line)
    return result["value"]


def why_not(package: str) -> str:
    """Why a package does not import, in a few words; empty if it does."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import_module(package)
    except Exception as error:  # a library that is broken raises what it likes
        words = " ".join(str(error).split())
        if len(words) > _LONGEST:
            words = words[: _LONGEST - 1] + "…"
        return f"{type(error).__name__}: {words}"
    return ""


def versions() -> dict[str, str | None]:
    """Of what the official code needs; None for what is not installed."""
    found: dict[str, str | None] = dict.fromkeys(_NEEDED)
    for name in _NEEDED:
        with suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return found


def _listed(numbers: Mapping[str, str | None]) -> str:
    return ", ".join(f"{name} {numbers[name]}" if numbers[name] else f"no {name}"
                     for name in _NEEDED)  # fmt: skip


def source_of(function: Callable[[], Any]) -> str:
    """The text of a function; empty where there is none."""
    try:
        return inspect.getsource(function)
    except (OSError, TypeError):
        return ""


def fingerprint(source: str) -> str:
    """Sixteen hexadecimal digits that change with a function's text; none if it is not a `def`.

    >>> fingerprint("def f():\\n    return 1\\n") == fingerprint("  def f():\\n      return 1  ")
    True
    >>> fingerprint("def f():\\n    return 1") == fingerprint("def f():\\n    return 2")
    False
    """
    lines = textwrap.dedent(source).rstrip().splitlines()
    if not lines or not lines[0].startswith("def "):
        return ""
    return hashlib.sha256("\n".join(line.rstrip() for line in lines).encode()).hexdigest()[:16]
