"""Support: where the streams of an Ogg file begin, of which libsndfile reads the first alone.

A radio station that is recorded begins a new stream with each piece of music, in the same file
(RFC 3533, "chained"). Each page says how long it is, so one can go from page to page.
"""

import io
from typing import BinaryIO, NamedTuple

_BEGINS, _ENDS = 2, 4  # flags of a page


class Chain(NamedTuple):
    """What the pages of an Ogg file say."""

    starts: list[int]  #: where each stream begins, in bytes
    ends: bool  #: does the last one say that it is over?


def read_chain(file: BinaryIO) -> Chain:
    """Go through all pages of an open file; the first stands at its beginning."""
    starts, flags, place = list[int](), _BEGINS, 0
    while True:
        file.seek(place)
        head = file.read(27)
        if len(head) < 27 or head[:4] != b"OggS":
            break
        begins = head[5] & _BEGINS
        if begins and (not starts or not flags & _BEGINS):  # several may begin together
            starts.append(place)
        lengths = file.read(head[26])
        size = 27 + head[26] + sum(lengths)
        if len(lengths) < head[26] or place + size > file.seek(0, io.SEEK_END):
            return Chain(starts, False)  # a page that is not there to its end
        flags, place = head[5], place + size
    return Chain(starts, bool(flags & _ENDS))
