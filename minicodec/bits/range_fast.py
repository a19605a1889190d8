"""Support: the bytes and symbols of `minicodec.bits.range_coder`, made sooner.

The same integers in the same order, so that every byte is the same. What is spared is what Python
does around them: words are read as integers once and not at each use, totals leave numpy at one
go, and running sums are torch's, which are several times as fast as numpy's. They are kept in the
processor's cache: those of a frame lie where those of the frame before lay, and those of a long
message are made in blocks.
"""

from bisect import bisect_right
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from minicodec.bits import range_coder
from minicodec.bits.range_coder import MAX_TOTAL, CodeModel, RangeDecoder, RangeEncoder

_BLOCK = 128  # tables at a time, a megabyte for 1024 symbols


def cumulate(tables: Tensor) -> np.ndarray:
    """As `range_coder.cumulate`, for tables as a `CodeModel` makes them.

    Shape:
        tables: [..., N] int64 on the CPU → [..., N + 1] int64

    Raises:
        ValueError: as there.

    >>> cumulate(torch.tensor([2, 1, 1]))
    array([0, 2, 3, 4])
    """
    sums = _sums(tables)
    totals = sums[..., -1]
    if not totals.size or totals.min() < 1 or totals.max() > MAX_TOTAL:
        return range_coder.cumulate(tables)  # which says what is wrong
    return sums


def _sums(tables: Tensor, room: Tensor | None = None) -> np.ndarray:
    """Running sums, of totals that nobody has looked at yet, in `room` if they fit there."""
    # A negative integer read as an unsigned one is huge: one look finds both kinds of wrong ones.
    if (
        tables.dtype != torch.int64
        or not tables.dim()
        or not tables.numel()
        or int(tables.numpy().view(np.uint64).max()) > MAX_TOTAL
    ):
        return range_coder.cumulate(tables)
    shape = (*tables.shape[:-1], tables.shape[-1] + 1)
    if room is None or room.shape != shape:
        room = torch.zeros(shape, dtype=torch.int64)
    torch.cumsum(tables, -1, out=room[..., 1:])
    return room.numpy()


class FastRangeDecoder(RangeDecoder):
    """What `RangeDecoder` decodes, and refuses.

    >>> FastRangeDecoder(bytes.fromhex("98")).decode(cumulate(torch.tensor([2, 1, 1])), 3)
    [1, 0, 2]
    """

    def __init__(self, data: bytes):
        super().__init__(data)
        self._words = np.frombuffer(self._data, ">u2", self._size // 2, 8).tolist()

    def decode(self, sums: np.ndarray, count: int = 1) -> list[int]:
        """As of `RangeDecoder`."""
        size = sums.shape[-1]
        totals = sums[..., -1].reshape(-1).tolist()
        if totals and not 1 <= min(totals) <= max(totals) <= MAX_TOTAL:
            return super().decode(sums, count)  # which says what is wrong
        if sums.ndim == 2 and len(sums) > _BLOCK:
            return self._decode_blocks(sums)
        if sums.ndim == 2:
            return self._decode(sums.reshape(-1).data, size, totals, size)
        # A list is searched sooner than an array, but making it takes as long as some searches.
        table = sums.tolist() if count > size // 8 else sums.reshape(-1).data
        return self._decode(table, size, totals * count, 0)

    def _decode_blocks(self, sums: np.ndarray) -> list[int]:
        symbols, before = [], (self._at, self.offset, self.range)
        try:
            for block in np.split(sums, range(_BLOCK, len(sums), _BLOCK)):
                block[:, ::_BLOCK].max()  # fetches at once what searches would wait for in turn
                symbols += self.decode(block)
        except ValueError:
            self._at, self.offset, self.range = before
            raise
        return symbols

    def _decode(self, flat: Sequence[int], size: int, totals: list[int], step: int) -> list[int]:
        """Symbols by tables that lie one after another in `flat`, `step` apart."""
        words, at, offset, range_ = self._words, (self._at - 8) // 2, self.offset, self.range
        symbols, first, floor = [], 0, range_coder._FLOOR
        try:
            for total in totals:
                unit = range_ // total
                value = offset // unit
                if value >= total:
                    raise ValueError("these bytes are damaged: they point past the last symbol.")
                place = bisect_right(flat, value, first, first + size) - 1
                start = flat[place]
                offset -= unit * start
                range_ = unit * (flat[place + 1] - start)
                symbols.append(place - first)
                first += step
                while range_ < floor:
                    offset = offset << 16 | words[at]
                    range_ <<= 16
                    at += 1
        except IndexError:
            raise ValueError("these bytes are too few for the symbols they should hold.") from None
        self._at, self.offset, self.range = 8 + 2 * at, offset, range_
        return symbols


def encode_codes(model: CodeModel, codes: Tensor) -> bytes:
    """As `range_coder.encode_codes`, to the byte."""
    size = model.codebook_size
    if codes.dim() != 2 or codes.is_floating_point() or not codes.numel():
        return range_coder.encode_codes(model, codes)
    if not 0 <= int(codes.min()) <= int(codes.max()) < size:
        return range_coder.encode_codes(model, codes)  # which says what is wrong
    codes, encoder = codes.cpu(), RangeEncoder()
    tables = model.tables(codes).reshape(-1, size)
    room = torch.zeros(_BLOCK, size + 1, dtype=torch.int64)
    for part, table in zip(codes.T.reshape(-1).split(_BLOCK), tables.split(_BLOCK)):
        encoder.encode(part, _sums(table, room))
    return encoder.finish()


def decode_codes(model: CodeModel, data: bytes, n_q: int, frames: int) -> Tensor:
    """As `range_coder.decode_codes`."""
    if n_q < 1 or frames < 1:
        return range_coder.decode_codes(model, data, n_q, frames)
    decoder = FastRangeDecoder(data)
    # New memory for each frame would cost more than summing does.
    room = torch.zeros(n_q, model.codebook_size + 1, dtype=torch.int64)
    state, codes, seen = model.start(n_q), [], None
    for _ in range(frames):
        table, state = model.stream(seen, state)
        seen = torch.from_numpy(np.array(decoder.decode(_sums(table, room)), np.int64))
        codes.append(seen)
    decoder.finish()
    return torch.stack(codes, dim=1)
