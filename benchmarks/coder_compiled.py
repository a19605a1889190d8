"""Support of `coder.py`: our range coder as machine code, by numba. The package does not use it.

The bytes are those of `minicodec.bits.range_coder`. There integers may grow beyond 64 bits, so that
a carry just stays where it is until the message ends; here it is added at once to the words that
have left. Bytes are trusted: this is for measuring alone.
"""

import numpy as np
from numba import njit

FLOOR = np.uint64(1 << 48)
WORD = np.uint64(16)
HIGH = np.uint64(48)


@njit(cache=True)
def narrow(state, words, count, symbols, sums, step):
    """Symbols into words [.., uint16]; state [low, range]. → how many words there are now."""
    low, range_ = state[0], state[1]
    for i in range(len(symbols)):
        row = sums[i * step]
        start = np.uint64(row[symbols[i]])
        width = np.uint64(row[symbols[i] + 1]) - start
        unit = range_ // np.uint64(row[len(row) - 1])
        before = low
        low += unit * start
        if low < before:
            place = count - 1
            while words[place] == 0xFFFF:
                words[place] = 0
                place -= 1
            words[place] += 1
        range_ = unit * width
        while range_ < FLOOR:
            words[count] = low >> HIGH
            count += 1
            low <<= WORD
            range_ <<= WORD
    state[0], state[1] = low, range_
    return count


@njit(cache=True)
def widen(state, words, at, sums, step, symbols):
    """Words back into symbols; state [offset, range]. → how many words have been read."""
    offset, range_ = state[0], state[1]
    for i in range(len(symbols)):
        row = sums[i * step]
        unit = range_ // np.uint64(row[len(row) - 1])
        value = np.int64(offset // unit)
        low, high = 0, len(row) - 1
        while high - low > 1:
            middle = (low + high) // 2
            if row[middle] <= value:
                low = middle
            else:
                high = middle
        symbols[i] = low
        offset -= unit * np.uint64(row[low])
        range_ = unit * np.uint64(row[low + 1] - row[low])
        while range_ < FLOOR:
            offset = offset << WORD | np.uint64(words[at])
            at += 1
            range_ <<= WORD
    state[0], state[1] = offset, range_
    return at


class CompiledEncoder:
    """As `RangeEncoder`."""

    def __init__(self) -> None:
        self._state = np.array([0, (1 << 64) - 1], np.uint64)
        self._words = np.zeros(0, np.uint16)
        self._count = 0

    def encode(self, symbols: np.ndarray, sums: np.ndarray) -> None:
        if len(self._words) < self._count + 2 * len(symbols):  # a symbol moves at most 2 words
            more = np.zeros(len(self._words) + 4 * len(symbols), np.uint16)
            self._words = np.concatenate([self._words, more])
        rows = sums.reshape(-1, sums.shape[-1])
        self._count = narrow(
            self._state, self._words, self._count, symbols, rows, int(sums.ndim == 2)
        )

    def finish(self) -> bytes:
        low, range_ = (int(one) for one in self._state)
        words = int.from_bytes(self._words[: self._count].astype(">u2").tobytes(), "big")
        for count in range(3):
            unit = 1 << (64 - 8 * count)
            number = -(-low // unit) * unit
            if number < low + range_:
                break
        message = (words << 64) + number >> 48
        return message.to_bytes(2 * self._count + 2, "big")[: 2 * self._count + count]


class CompiledDecoder:
    """As `RangeDecoder`."""

    def __init__(self, data: bytes):
        padded = data + bytes(16 + len(data) % 2)
        self._words = np.frombuffer(padded, ">u2").astype(np.uint16)
        offset = int.from_bytes(padded[:8], "big")
        self._state = np.array([offset, (1 << 64) - 1], np.uint64)
        self._at = 4

    def decode(self, sums: np.ndarray, count: int = 1) -> list[int]:
        rows = sums.reshape(-1, sums.shape[-1])
        symbols = np.empty(count, np.int64)
        self._at = widen(self._state, self._words, self._at, rows, int(sums.ndim == 2), symbols)
        return symbols.tolist()
