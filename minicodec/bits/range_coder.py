"""The range coder: symbols in, and as few bytes out as their probabilities allow.

A symbol of probability p deserves log2(1/p) bits, which is seldom a whole number. A code word for
each symbol cannot spend 0.07 of a bit. A *range coder* can, because it names not each symbol but
the whole message, with one long number.

**Picture.** Begin with all numbers from 0 to 2^64. Divide them among the symbols of the alphabet,
in proportion to their frequencies, and keep the part of the first symbol. Divide that part in the
same way for the second symbol, and so on:

    alphabet a, b, c with frequencies 2, 1, 1, and the message  b a c

    0                                                            2^64
    |------------- a -------------|------ b ------|------ c ------|
                                  |               |
                 .----------------'               '---------------.
                 |------------- a -------------|-- b --|--- c ----|
                 |                             |
                 |------- a ------|- b -|-- c -|
                                        |      |
                                       low   low + range

Any number in the last interval names this message and no other of its length. The likelier the
message, the wider its interval, and the fewer digits it takes to point into it: about
log2(2^64 / range), the sum of all log2(1/p).

**Making room.** A long message would make the interval narrower than one. But its left end `low`
and its right end soon agree in their leading digits, and those will not change any more (but for a
carry). So whenever the range falls below 2^48, the leading 16 bits of `low` leave, as one *word*,
and everything else moves up by 16 bits. The integers stay below 2^65 however long the message.

**Carry.** "Will not change any more" has one exception. Take digits of ten: low is 0.4999|7 and the
range 0.0000|5. The digits 4999 have left, and the next symbol adds 0.0000|4 to low: now they should
be 5000|1. This is the carry of addition on paper, and here it is handled as on paper: a word may
come out one too large, 65536 or more, and when the message ends all carries are brought home, from
right to left.

**Invariants**, after every symbol:

1. 2^48 <= range < 2^64: since a frequency table's total is at most 2^24, dividing the range by the
   total leaves at least 2^24, so the rounding costs a symbol less than 10^-7 bits.
2. All words and low, read as one number, and that number plus the range, never leave the interval
   of any step before. So low stays below 2^65, and a word gets one carry at most.
3. The decoder's `offset`, the message's number less `low`, satisfies 0 <= offset < range.

**Integers** throughout, and that is the point. The decoder repeats every division that the encoder
made, and one of them rounded otherwise would turn all that follows into noise. Integer arithmetic
is the same on every machine; a float's last bit is not (chapter 12 shows what comes of it).

Chapter 11. The scheme is that of G. N. N. Martin, *Range encoding*, 1979.
"""

from bisect import bisect_right
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

#: The largest total of a frequency table.
MAX_TOTAL = 1 << 24

_WORD = 16  # bits that leave at a time
_FLOOR = 1 << 48  # the range never stays below this
_FULL = (1 << 64) - 1  # the first range: it, and all others, fit in an unsigned 64-bit register


def cumulate(frequencies: np.ndarray | Tensor | Sequence[int]) -> np.ndarray:
    """Where each symbol's part begins: running sums of a frequency table, from 0 to its total.

    Shape:
        frequencies: [..., N] integers ≥ 0 → [..., N + 1] int64

    Raises:
        ValueError: for a table that is not of integers, or has a negative one, or a total that is
            not in 1 to `MAX_TOTAL`.

    >>> cumulate([2, 1, 1])
    array([0, 2, 3, 4])
    """
    table = np.asarray(frequencies)
    if table.dtype.kind not in "iu" or table.ndim == 0 or table.shape[-1] == 0:
        raise ValueError(
            f"a frequency table is of integers, [..., N], but this is {table.dtype} "
            f"{list(table.shape)}."
        )
    # Each frequency is compared before any are summed: a sum of huge ones could wrap around.
    if table.size and (table.min() < 0 or table.max() > MAX_TOTAL):
        raise ValueError(
            f"frequencies lie in 0 to {MAX_TOTAL}, but these lie in {table.min()} to {table.max()}."
        )
    sums = np.zeros((*table.shape[:-1], table.shape[-1] + 1), np.int64)
    np.cumsum(table, axis=-1, out=sums[..., 1:])
    _check_totals(sums)
    return sums


def _check_totals(sums: np.ndarray) -> None:
    totals = sums[..., -1]
    if totals.size and (totals.min() < 1 or totals.max() > MAX_TOTAL):
        raise ValueError(
            f"the frequencies of a table add up to 1 to {MAX_TOTAL}, but here to "
            f"{totals.min()} to {totals.max()}."
        )


class RangeEncoder:
    """Symbols to bytes.

    >>> sums = cumulate([2, 1, 1])  # of the frequencies of a, b, c
    >>> encoder = RangeEncoder()
    >>> encoder.encode([1, 0, 2], sums)
    >>> data = encoder.finish()
    >>> data.hex()
    '98'
    >>> RangeDecoder(data).decode(sums, 3)
    [1, 0, 2]
    """

    def __init__(self) -> None:
        self.low = 0
        self.range = _FULL
        self._words: list[int] = []

    def encode(self, symbols: np.ndarray | Tensor | Sequence[int], sums: np.ndarray) -> None:
        """Append symbols.

        Shape:
            symbols: [n]; sums: [n, N + 1], running sums of one frequency table for each symbol, or
            [N + 1], of one for all; as `cumulate` makes them.

        Raises:
            ValueError: for a symbol outside its table, or with a frequency of 0.
        """
        chosen = np.asarray(symbols, dtype=np.int64)
        _check_totals(sums)
        rows = np.broadcast_to(sums, (len(chosen), sums.shape[-1]))
        if chosen.size and (chosen.min() < 0 or chosen.max() > sums.shape[-1] - 2):
            raise ValueError(
                f"symbols lie in 0 to {sums.shape[-1] - 2}, but these lie in {chosen.min()} to "
                f"{chosen.max()}."
            )
        index = np.arange(len(chosen))
        starts = rows[index, chosen]
        widths = rows[index, chosen + 1] - starts
        if (widths < 1).any():
            raise ValueError(
                f"symbol {chosen[widths < 1][0]} has a frequency of 0, so it cannot be coded."
            )
        self._narrow(starts.tolist(), widths.tolist(), rows[:, -1].tolist())

    def _narrow(self, starts: list[int], widths: list[int], totals: list[int]) -> None:
        low, range_, emit = self.low, self.range, self._words.append
        for start, width, total in zip(starts, widths, totals):
            unit = range_ // total
            low += unit * start
            range_ = unit * width
            while range_ < _FLOOR:
                emit(low >> 48)  # 17 bits if there is a carry
                low = (low & (_FLOOR - 1)) << _WORD
                range_ <<= _WORD
        self.low, self.range = low, range_

    def finish(self) -> bytes:
        """The whole message. It ends with the fewest bytes that point into the last interval."""
        for count in range(3):  # bytes; two always suffice, since the range is at least 2^48
            unit = 1 << (64 - 8 * count)
            number = -(-self.low // unit) * unit  # the next multiple
            if number < self.low + self.range:
                break
        words = [*self._words, number >> 48]
        carry, data = 0, bytearray()
        for word in reversed(words):
            word += carry
            carry = word >> _WORD
            data += (word & 0xFFFF).to_bytes(2, "little")
        data.reverse()
        return bytes(data[: len(data) - 2 + count])


class RangeDecoder:
    """Bytes back to symbols, with the tables that the encoder had.

    Bytes that no encoder wrote give wrong symbols or a ValueError, but always an end.
    """

    def __init__(self, data: bytes):
        self.range = _FULL
        self._data = data + b"\0" * 8  # what follows the last byte is taken to be zeros
        self._size = len(data)
        self._at = 8  # bytes read
        self.offset = int.from_bytes(self._data[:8], "big")

    def decode(self, sums: np.ndarray, count: int = 1) -> list[int]:
        """The next symbols.

        Shape:
            sums: [n, N + 1], those of one table for each of n symbols, or [N + 1], of one for all
            `count`.

        Raises:
            ValueError: if the bytes end before the symbols do, or no encoder wrote them.
        """
        _check_totals(sums)
        size = sums.shape[-1]
        flat = sums.reshape(-1).data
        starts = range(0, len(flat), size) if sums.ndim == 2 else [0] * count
        data, at, offset, range_ = self._data, self._at, self.offset, self.range
        symbols = []
        for first in starts:
            end = first + size
            unit = range_ // flat[end - 1]
            # The search is a binary one, over Python integers made only where it looks.
            place = bisect_right(flat, offset // unit, first, end) - 1
            start = flat[place]
            if place == end - 1:
                raise ValueError("these bytes are damaged: they point past the last symbol.")
            symbols.append(place - first)
            offset -= unit * start
            range_ = unit * (flat[place + 1] - start)
            while range_ < _FLOOR:
                offset = offset << _WORD | int.from_bytes(data[at : at + 2], "big")
                range_ <<= _WORD
                at += 2
                if at > self._size + 8:
                    raise ValueError("these bytes are too few for the symbols they should hold.")
        self._at, self.offset, self.range = at, offset, range_
        return symbols

    def finish(self) -> None:
        """Check that all bytes were needed.

        Raises:
            ValueError: if there are bytes left over.
        """
        if self._size > self._at - 6:  # 8 were read ahead; the encoder ends with at most 2
            raise ValueError(f"{self._size - self._at + 6} bytes are left after the last symbol.")


class CodeModel(Protocol):
    """What predicts codes: for each code of the next frame, a table of integer frequencies.

    It is asked in two ways, which must agree in every integer: `tables` for all frames at once, by
    the encoder, and `start` and `stream` frame by frame, by the decoder:

        state = model.start(n_q)
        table, state = model.stream(None, state)        # of frame 0
        table, state = model.stream(codes[:, 0], state)  # of frame 1

    Tables are int64 on the CPU; each frequency is at least 1, so that no code is impossible, and
    each table adds up to at most `MAX_TOTAL`.
    """

    codebook_size: int

    def tables(self, codes: Tensor) -> Tensor:
        """codes [K, T] int64 → [T, K, codebook_size]; frame t's depend on codes[:, :t] alone.

        Raises:
            ValueError: for more codebooks than the model knows, or codes outside its size.
        """

    def start(self, n_q: int) -> Any:
        """The state before frame 0 of `n_q` codebooks: a plain value that the caller holds.

        Raises:
            ValueError: for more codebooks than the model knows.
        """

    def stream(self, codes: Tensor | None, state: Any) -> tuple[Tensor, Any]:
        """The frame just seen, codes [K], None before the first → [K, codebook_size], state."""


def encode_codes(model: CodeModel, codes: Tensor) -> bytes:
    """Codes as bytes: frame by frame, and in a frame level by level.

    Shape:
        codes: [K, T] int64

    Raises:
        ValueError: for codes that are not integers [K, T], or not of this model.
    """
    if codes.dim() != 2 or codes.is_floating_point() or codes.shape[0] == 0:
        raise ValueError(
            f"codes to encode are integers [K, T], but these are {codes.dtype} {list(codes.shape)}."
        )
    if codes.numel() and not 0 <= int(codes.min()) <= int(codes.max()) < model.codebook_size:
        raise ValueError(
            f"codes of this model lie in 0 to {model.codebook_size - 1}, but these lie in "
            f"{int(codes.min())} to {int(codes.max())}."
        )
    codes, encoder = codes.cpu(), RangeEncoder()
    if codes.shape[1]:
        sums = cumulate(model.tables(codes).reshape(-1, model.codebook_size))
        encoder.encode(codes.T.reshape(-1), sums)
    return encoder.finish()


def decode_codes(model: CodeModel, data: bytes, n_q: int, frames: int) -> Tensor:
    """Codes from bytes, as `encode_codes` wrote them.

    Memory and time grow with the frames decoded, and a likely frame takes almost no bytes: where
    `frames` is a stranger's word, bound it before it comes here.

    Shape:
        [n_q, frames] int64

    Raises:
        ValueError: for bytes too few, too many or damaged. Not all damage is found here; that is
            for a checksum.
    """
    if n_q < 1 or frames < 0:
        raise ValueError(f"codes have n_q ≥ 1 and frames ≥ 0, not n_q={n_q}, frames={frames}.")
    decoder = RangeDecoder(data)
    state, codes, seen = model.start(n_q), [], None
    for _ in range(frames):
        table, state = model.stream(seen, state)
        seen = torch.tensor(decoder.decode(cumulate(table)))
        codes.append(seen)
    decoder.finish()
    return torch.stack(codes, dim=1) if codes else torch.zeros(n_q, 0, dtype=torch.int64)
