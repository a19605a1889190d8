"""Support: how long an MP3 is, which libsndfile guesses where no header says it, and stops there.

A frame begins with 11 ones; then come version, layer, bit rate and sample rate (ISO/IEC 11172-3),
from which its own length follows, so one can go from frame to frame.
"""

from typing import BinaryIO

#: In kbit/s, of layer III, by their number; of MPEG 1, and of MPEG 2 and 2.5.
_KBPS = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_LOW_KBPS = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)


def says_its_length(file: BinaryIO) -> bool:
    """Is there a header of Xing's, LAME's or Fraunhofer's?"""
    file.seek(_first_frame(file))
    frame = file.read(256)
    return any(word in frame for word in (b"Xing", b"Info", b"VBRI"))


def samples(file: BinaryIO, sample_rate: int) -> int:
    """Go through all frames up to what is none, such as notes on artist and title at the end."""
    place, count = _first_frame(file), 0
    while True:
        file.seek(place)
        head = file.read(4)
        if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE6 != 0xE2 or head[2] >> 4 == 15:
            return count
        first_version = head[1] & 0x18 == 0x18
        kbps = (_KBPS if first_version else _LOW_KBPS)[head[2] >> 4]
        in_frame = 1152 if first_version else 576
        size = in_frame * kbps * 125 // sample_rate + (head[2] >> 1 & 1)
        if size < 4:
            return count
        count, place = count + in_frame, place + size


def _first_frame(file: BinaryIO) -> int:
    file.seek(0)
    head = file.read(10)
    if head[:3] != b"ID3":
        return 0
    notes = 0
    for byte in head[6:]:  # each has seven bits of their size
        notes = notes << 7 | byte & 127
    return 10 + notes
