"""Support: does the copy keep the melody of a voice? Its fundamental frequency, frame by frame.

Both clips are tracked by pYIN (Mauch and Dixon 2014, in librosa), which says for each frame
whether the voice has a pitch, and which. Chapter 16 puts it beside the other measures.
"""

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from torch import Tensor

from minicodec.sound.judges import need, pair

_RATE = 16000
_FRAME, _HOP = 1024, 256  # samples: 64 ms hold nearly four periods of the deepest voice
_LOWEST, _HIGHEST = 60.0, 500.0  # Hz, of voices that speak
#: From here on an error is gross: another octave, or another sound (as in Chu and Alwan 2009).
GROSS = 0.2


class PitchErrors(NamedTuple):
    """How far a copy's pitch is from the original's."""

    gross: float  #: percent of the frames voiced in both whose pitch is off by a fifth or more
    cents: float  #: root mean square over the other frames voiced in both; 100 are a semitone
    voicing: float  #: percent of all frames that have a pitch in one of the clips alone


def pitch_errors(estimate: Tensor, reference: Tensor, sample_rate: int) -> PitchErrors:
    """Gross errors, fine errors and wrong voicing of a copy's pitch; 0 is best in all three.

    They miss all that is not pitch: a buzz on the melody of a sentence, without a word in it, is
    perfect. The tracker errs by itself, too, above all where a voice creaks, and in songs with
    instruments it follows whatever is loudest: take it for speech by one speaker.

    Shape:
        estimate, reference: [1, C, T]

    Returns:
        NaN where there is nothing to judge: for a silent reference, less than a second, or, of
        gross and cents, no frame that is voiced in both.

    Raises:
        ValueError: if librosa is missing, or the shapes differ.
    """
    need("f0_cents")
    both = pair(estimate, reference, sample_rate, _RATE)
    if both is None:
        return PitchErrors(math.nan, math.nan, math.nan)
    ours, theirs = (_track(clip.astype(np.float32).tobytes()) for clip in both)
    voiced = ~np.isnan(ours) & ~np.isnan(theirs)
    voicing = 100 * float(np.mean(np.isnan(ours) != np.isnan(theirs)))
    if not voiced.any():
        return PitchErrors(math.nan, math.nan, voicing)
    ratio = ours[voiced] / theirs[voiced]
    gross = abs(ratio - 1) >= GROSS
    fine = 1200 * np.log2(ratio[~gross])
    cents = float(np.sqrt(np.mean(fine**2))) if len(fine) else math.nan
    return PitchErrors(100 * float(gross.mean()), cents, voicing)


@lru_cache(maxsize=4)  # three measures ask for the same two; the original stays for all codecs
def _track(samples: bytes) -> np.ndarray:
    """The pitch of each frame in Hz, NaN where there is none."""
    import librosa

    clip = np.frombuffer(samples, np.float32)
    if not clip.any():  # nothing has no pitch, and pYIN would divide by it
        return np.full(1 + len(clip) // _HOP, math.nan)
    return librosa.pyin(
        clip, sr=_RATE, fmin=_LOWEST, fmax=_HIGHEST, frame_length=_FRAME, hop_length=_HOP
    )[0]
