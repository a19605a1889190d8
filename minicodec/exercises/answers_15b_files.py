"""Support: behind the exercises of chapter 15b that read: from pipes, and files of strangers.

What belongs to its codebook, its score and its failing case is in `answers_15b`.
"""

import io
import json
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Generator

from minicodec.exercises.trying import draw

#: What is said of a reader that goes on asking behind the end.
ENDLESS = "asked for ever"


class Trickle:
    """An open file whose bytes come in pieces, as from a pipe; afterwards it is at its end.

    Raises:
        RuntimeError: if it is asked again and again behind its end.
    """

    def __init__(self, data: bytes, sizes: Sequence[int]):
        self.rest, self._sizes, self._vain = data, list(sizes), 0

    def read(self, size: int) -> bytes:
        if not self.rest:
            self._vain += 1
            if self._vain > 100:
                raise RuntimeError(ENDLESS)
        size = min(size, self._sizes.pop(0) if self._sizes else 1)
        came, self.rest = self.rest[:size], self.rest[size:]
        return came


Reader = Callable[[Any, int], Any]


def read_exactly(file: Any, size: int) -> bytes:
    """So many bytes, in however many pieces they come.

    Raises:
        EOFError: if the file ends before.
    """
    data = b""
    while len(data) < size:
        piece = file.read(size - len(data))
        if not piece:
            raise EOFError(f"{size - len(data)} bytes are missing.")
        data += piece
    return data


def counted_twice(file: Any, size: int) -> bytes:
    """The loop that shortens what it wants while it lengthens what it has."""
    data = b""
    while len(data) < size:
        piece = file.read(size)
        if not piece:
            raise EOFError
        data += piece
        size -= len(piece)
    return data


def read_with(
    ask: Callable[[int, int], int],
    cut: bool = False,
    at_end: str = "raise",
    short: bool = False,
) -> Callable[[Any, int], bytes]:
    """A reader with a mistake.

    Args:
        ask: bytes asked for, from all that are wanted and those that came.
        cut: throw away what came beyond.
        at_end: "raise", "give" what there is, "ask" again, or raise an "other" error.
        short: take a piece for the last one if it is shorter than what was asked for.
    """

    def read(file: Any, size: int) -> bytes:
        data = b""
        while len(data) < size:
            wanted = ask(size, len(data))
            piece = file.read(wanted)
            ended = len(piece) < wanted if short else not piece
            if ended and at_end != "ask":
                if at_end == "give":
                    break
                raise EOFError if at_end == "raise" else ValueError
            data += piece
        return data[:size] if cut else data

    return read


def trickling(generator: Generator) -> tuple[bytes, list[int], int]:
    """Bytes, the sizes of the pieces in which they come, and how many to read of them."""
    data = bytes(torch.randint(1, 256, (60,), generator=generator).tolist())
    # Over half of it comes in small pieces, so that a short read shows; the next would overrun.
    sizes = [*(draw(generator, 4, 5) for _ in range(5)), *[40] * 9]
    return data, sizes, draw(generator, 30, 36)


def as_read(reader: Reader, data: bytes, sizes: list[int], size: int) -> dict[str, Any]:
    """What a reader gives and leaves, what it does at an early end, and if nothing is asked for."""

    def given(file: Trickle, size: int) -> Any:
        try:
            return reader(file, size)
        except (EOFError, ValueError, OSError, AssertionError) as error:
            return type(error).__name__
        except RuntimeError as error:
            if str(error) != ENDLESS:
                raise
            return ENDLESS

    file = Trickle(data, sizes)
    return {
        "what it gives": given(file, size),
        "what it leaves": file.rest,
        "at an early end": given(Trickle(data[:10], sizes), size),
        "asked for 0 bytes": given(Trickle(b"", sizes), 0),
    }


#: What ran while a file was read: the trap notes it here.
sprung: list[str] = []


def spring(word: str) -> str:
    """What the trap runs when it is unpickled: it takes a note, and does no harm."""
    sprung.append(word)
    return word


class Trap:
    """An object that is saved as a call, as any object may be: here, of `spring`."""

    def __reduce__(self) -> tuple[Callable[[str], str], tuple[str]]:
        return spring, ("code ran",)


def as_file(array: Any) -> bytes:
    """The bytes of a `.npy` file."""
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


Loader = Callable[[bytes], Any]


def safe_codes(data: bytes) -> np.ndarray:
    """Codes [K, T] from a `.npy` file that may come from anybody.

    Raises:
        ValueError: if it holds anything else than codes from 0 to 1023.
    """
    return load_with()(data)


def load_with(
    shape: bool = True,
    kinds: str = "iu",
    lowest: float = 0,
    highest: float = 1023,
    cast: bool = False,
    error: type[Exception] | None = ValueError,
) -> Loader:
    """A reader of codes with a mistake.

    Args:
        shape: look whether it is a matrix.
        kinds: letters of numpy for the numbers that pass.
        lowest, highest: the codes that pass.
        cast: make integers of whatever comes.
        error: what it raises itself; None to give None for a fault.
    """

    def load(data: bytes) -> Any:
        try:
            codes = np.load(io.BytesIO(data), allow_pickle=False)
        except ValueError:
            if error:
                raise
            return None
        codes = codes.astype(int) if cast else codes
        wrong = ""
        if shape and codes.ndim != 2:
            wrong = f"codes are [K, T], not {list(codes.shape)}."
        elif codes.dtype.kind not in kinds:
            wrong = f"codes are integers, not {codes.dtype}."
        elif not (codes.size and lowest <= codes.min() <= codes.max() <= highest):
            wrong = "codes lie from 0 to 1023."
        if wrong and error:
            raise error(wrong)
        return None if wrong else codes

    return load


#: A reader that compares nothing.
CARELESS = load_with(shape=False, kinds="iuf", lowest=-math.inf, highest=math.inf)


def trusting(load: Loader) -> Loader:
    """Stands for a reader that unpickles; the package has none, so the trap is sprung by hand."""
    return lambda data: spring("code ran") if b"spring" in data else load(data)


def refusing(data: bytes) -> Any:
    """The mistake of giving `np.load` the bytes themselves: it takes them for a file's name."""
    raise ValueError("embedded null byte")


def files_of_codes(generator: Generator) -> tuple[dict[str, bytes]]:
    """Good codes of two types, and files that should be refused."""
    codes = torch.randint(1024, (3, draw(generator, 5, 9)), generator=generator).numpy()

    def with_one(code: int) -> np.ndarray:
        changed = codes.copy()
        changed[1, 2] = code
        return changed

    return (
        {
            "codes": as_file(codes.astype(np.uint16)),
            "signed codes": as_file(codes),
            "floats": as_file(codes + 0.25),
            "one row": as_file(codes[0]),
            "a code too large": as_file(with_one(1100 + draw(generator, 0, 900))),
            "a 1024": as_file(with_one(1024)),
            "a negative code": as_file(with_one(-1)),
            "a call": as_file(np.array(Trap(), dtype=object)),
        },
    )


def as_loaded(load: Loader, files: dict[str, bytes]) -> dict[str, Any]:
    """What a reader makes of each file; an error by its name, and whether code ran.

    Of what should be refused it is only said that it comes through, or through as other numbers.
    """
    found: dict[str, Any] = {}
    for name, data in files.items():
        sprung.clear()
        try:
            found[name] = load(data)
        except NotImplementedError:  # a gap
            raise
        except Exception as error:  # whatever a student's reader raises
            found[name] = type(error).__name__
        if sprung:
            found[name] = "code ran"
        elif found[name] is None:
            found[name] = "None"
        elif "codes" not in name and not isinstance(found[name], str):
            whole = np.asarray(found[name]).dtype.kind in "iu" and name == "floats"
            found[name] = "it is rounded" if whole else "it comes through"
    return json.loads(json.dumps(found, default=lambda array: np.asarray(array).tolist()))
