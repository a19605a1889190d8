"""Hear versions of a sound, in a notebook or on a page with no kernel.

    compare({"original": x, "6 kbps": y}, sample_rate=24000)

shows one player that switches between the versions while they play. Each sound is held inside the
page, as lossless FLAC, so nothing is fetched and nothing has to be installed to listen. The same
way `abx` and `mushra` test listeners blind, and `analyse` says what the ratings are worth. For a
class, `class_kit` makes one page of them, and `pool` reads what all listeners hand in.

Chapters 00 and 14.
"""

from minicodec.listening.abx import Abx, abx, abx_p_value
from minicodec.listening.abx_result import AbxResult, read_abx
from minicodec.listening.analysis import Analysis, analyse
from minicodec.listening.comparison import Comparison, compare
from minicodec.listening.kit import class_kit
from minicodec.listening.live import bandwidths
from minicodec.listening.microphone import Recording, record, upload
from minicodec.listening.mushra import Mushra, low_pass, mushra
from minicodec.listening.opus_codec import opus
from minicodec.listening.pooling import Pooled, pool
from minicodec.listening.sounds import Condition
from minicodec.listening.webmushra import export_webmushra

__all__ = [
    "Abx",
    "AbxResult",
    "Analysis",
    "Comparison",
    "Condition",
    "Mushra",
    "Pooled",
    "Recording",
    "abx",
    "abx_p_value",
    "analyse",
    "bandwidths",
    "class_kit",
    "compare",
    "export_webmushra",
    "low_pass",
    "mushra",
    "opus",
    "pool",
    "read_abx",
    "record",
    "upload",
]
