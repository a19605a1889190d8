"""Support: behind the exercises of chapter 15b: mended functions, input, and ways to be wrong.

The implementations that a student's tests are tried on are in `answers_15b_tests`.
"""

import io
import json
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Generator, Tensor

from minicodec.exercises.answers_05 import rescued, running_means, unequal_totals
from minicodec.exercises.trying import draw
from minicodec.sound.metrics import si_sdr

Totals = tuple[Tensor, Tensor]


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
                raise RuntimeError("asked for ever")
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
    ask: Callable[[int, int], int], cut: bool = False, at_end: str = "raise"
) -> Callable[[Any, int], bytes]:
    """A reader with a mistake.

    Args:
        ask: bytes asked for, from all that are wanted and those that came.
        cut: throw away what came beyond.
        at_end: "raise", "give" what there is, or "ask" again.
    """

    def read(file: Any, size: int) -> bytes:
        data = b""
        while len(data) < size:
            piece = file.read(ask(size, len(data)))
            if not piece and at_end != "ask":
                if at_end == "give":
                    break
                raise EOFError
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
    """What a reader gives, what it leaves, and what it does where the file ends too early."""
    file = Trickle(data, sizes)
    got = reader(file, size)
    try:
        end: Any = reader(Trickle(data[:10], sizes), size)
    except EOFError:
        end = "EOFError"
    except RuntimeError as error:
        end = str(error)
    return {"what it gives": got, "what it leaves": file.rest, "at an early end": end}


def mended_update(sums: Tensor, counts: Tensor, z: Tensor, fresh: Tensor, decay: float) -> Totals:
    """Both totals after a batch, in which those that are rare by now have begun anew.

    Shape:
        sums: [N, D]; counts: [N]; z: [frames, D]; fresh: [N, D] → [N, D], [N]
    """
    return rescued(*running_means(sums, counts, z, decay), fresh)


def update_with(
    sums: Callable[[Tensor, Tensor, Tensor], Tensor] = lambda fresh, even, counts: fresh * even,
    anew: bool = True,
    least: float | None = None,
) -> Callable[..., Totals]:
    """A rescue with a mistake: other sums, counts that are kept, or another measure."""

    def update(
        old: Tensor, counts: Tensor, z: Tensor, fresh: Tensor, decay: float = 0.99
    ) -> Totals:
        old, counts = running_means(old, counts, z, decay)
        even = counts.mean()
        rare = counts < (0.1 * even if least is None else least)
        new = torch.where(rare[:, None], sums(fresh, even, counts[:, None]), old)
        return new, torch.where(rare, even, counts) if anew else counts

    return update


def totals_batch_and_fresh(generator: Generator) -> tuple[Tensor, Tensor, Tensor, Tensor, float]:
    """Of 24 vectors 6 are rare, and others nearly; each of those others is chosen in the batch."""
    sums, counts, fresh = unequal_totals(generator)
    common = counts > 0.2 * counts.mean()
    book = (sums / counts[:, None])[common]
    z = book.repeat(2, 1) + 0.01 * torch.randn(2 * len(book), 4, generator=generator)
    return sums, counts, z, fresh, 0.8 + 0.15 * float(torch.rand((), generator=generator))


def windowed(estimate: Tensor, reference: Tensor, size: int) -> Tensor:
    """Mean SI-SDR of those windows in which the reference is not silent.

    Shape:
        estimate, reference: [T] → scalar, in dB
    """
    return windowed_with()(estimate, reference, size)


def windowed_with(
    of_windows: Callable[[Tensor, Tensor], Tensor] = lambda scores, loud: scores[loud].mean(),
) -> Callable[[Tensor, Tensor, int], Tensor]:
    """The same with another way to gather; a silent window gives 0 dB to those who count it."""

    def score(estimate: Tensor, reference: Tensor, size: int) -> Tensor:
        pairs = list(zip(estimate.split(size), reference.split(size)))
        scores = torch.stack([si_sdr(e[None, None], r[None, None])[0] for e, r in pairs])
        loud = torch.tensor([bool(r.any()) for _, r in pairs])
        return of_windows(torch.where(loud, scores, 0.0), loud)

    return score


def sounds_with_silence(generator: Generator) -> tuple[Tensor, Tensor, int]:
    """A copy and its original of six windows, of which the third or fourth is silent."""
    size = draw(generator, 60, 90)
    reference = torch.randn(6, size, generator=generator)
    noise = torch.randn(6, size, generator=generator)
    reference[draw(generator, 2, 3)] = 0
    estimate = reference + torch.tensor([0.01, 0.5, 0.1, 0.1, 0.2, 0.9])[:, None] * noise
    return estimate.flatten(), reference.flatten(), size


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
    kind: bool = True,
    span: bool = True,
    cast: bool = False,
    polite: bool = True,
) -> Callable[[bytes], Any]:
    """A reader of codes that looks at what is named here; it may cast, or give None for a fault."""

    def load(data: bytes) -> Any:
        try:
            codes = np.load(io.BytesIO(data), allow_pickle=False)
            codes = codes.astype(int) if cast else codes
            if shape and codes.ndim != 2:
                raise ValueError(f"codes are [K, T], not {list(codes.shape)}.")
            if kind and codes.dtype.kind not in "iu":
                raise ValueError(f"codes are integers, not {codes.dtype}.")
            if span and not (codes.size and 0 <= codes.min() <= codes.max() < 1024):
                raise ValueError("codes lie from 0 to 1023.")
            return codes
        except ValueError:
            if polite:
                raise
            return None

    return load


def trusting(data: bytes) -> Any:
    """Stands for a reader that unpickles; the package has none, so the trap is sprung by hand."""
    if b"spring" in data:
        return spring("code ran")
    return load_with()(data)


def files_of_codes(generator: Generator) -> tuple[dict[str, bytes]]:
    """Good codes, and four files that should be refused."""
    codes = torch.randint(1024, (3, draw(generator, 5, 9)), generator=generator).numpy()
    too_large = codes.copy()
    too_large[1, 2] = 1024 + draw(generator, 0, 900)
    return (
        {
            "codes": as_file(codes.astype(np.uint16)),
            "floats": as_file(codes + 0.25),
            "one row": as_file(codes[0]),
            "a code too large": as_file(too_large),
            "a call": as_file(np.array(Trap(), dtype=object)),
        },
    )


def as_loaded(load: Loader, files: dict[str, bytes]) -> dict[str, Any]:
    """What a reader makes of each file; an error by its name, and whether code ran."""
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
        if found[name] is None:
            found[name] = "None"
    return json.loads(json.dumps(found, default=lambda array: np.asarray(array).tolist()))
