"""Support: right and wrong histograms, for the exercises of chapter 11."""

from collections.abc import Callable

import torch
from torch import Generator, Tensor

from minicodec.bits.histogram import Histogram


class Counts(Histogram):
    """The package's histogram of 1024 codes, made without arguments as the chapter's."""

    def __init__(self) -> None:
        super().__init__(1024)


class ByOne(Counts):
    """A code that comes counts 1, not 8."""

    def __init__(self) -> None:
        Histogram.__init__(self, 1024, increment=1)


class InPlace(Counts):
    """It counts in the very tables that it has given out."""

    def stream(self, codes: Tensor | None, state: Tensor) -> tuple[Tensor, Tensor]:
        if codes is not None:
            state[torch.arange(len(codes)), codes] += 8
        return state, state


class AllLevels(Counts):
    """Every level counts the codes of all."""

    def stream(self, codes: Tensor | None, state: Tensor) -> tuple[Tensor, Tensor]:
        counts = state.clone()
        if codes is not None:
            counts[:, codes] += 8
        return counts, counts


class AllInPlace(Counts):
    """Both slips at once."""

    def stream(self, codes: Tensor | None, state: Tensor) -> tuple[Tensor, Tensor]:
        if codes is not None:
            state[:, codes] += 8
        return state, state


class Once(Counts):
    """It sets a count to 8 instead of adding."""

    def stream(self, codes: Tensor | None, state: Tensor) -> tuple[Tensor, Tensor]:
        counts = state.clone()
        if codes is not None:
            counts[torch.arange(len(codes)), codes] = 8
        return counts, counts


class Forgets(Counts):
    """It never hands the new counts on."""

    def stream(self, codes: Tensor | None, state: Tensor) -> tuple[Tensor, Tensor]:
        return super().stream(codes, state)[0], state


class Late(Counts):
    """Its table lacks the codes just seen."""

    def stream(self, codes: Tensor | None, state: Tensor) -> tuple[Tensor, Tensor]:
        return state, super().stream(codes, state)[1]


class Rows(Counts):
    """It takes a code for a row."""

    def stream(self, codes: Tensor | None, state: Tensor) -> tuple[Tensor, Tensor]:
        counts = state.clone()
        if codes is not None:
            counts[codes] += 8
        return counts, counts


def some_codes(generator: Generator) -> tuple[Tensor]:
    """Codes of three levels that often come again."""
    return (torch.randint(300, 310, (3, 14), generator=generator),)


def tables(model: Callable[[], Histogram], codes: Tensor) -> Tensor:
    """The tables that a decoder meets, kept until the end, so that none may change later.

    Raises:
        ValueError: if `stream` gives anything but a table and counts.
    """
    asked = model()
    state, found = asked.start(len(codes)), []
    for seen in [None, *codes.T]:
        result = asked.stream(seen, state)
        if not isinstance(result, (tuple, list)) or len(result) != 2:
            raise ValueError("`stream` gives two things: a table, and the new counts")
        table, state = result
        if not isinstance(table, Tensor):
            raise ValueError(f"a table is a tensor [K, 1024], not of type {type(table).__name__}")
        found.append(table)
    return torch.stack(found)
