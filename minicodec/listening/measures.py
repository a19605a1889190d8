"""Support: what is measured of a copy: the name of each measure, what it hears, what it misses.

`minicodec evaluate --explain` prints this. No measure hears all, and each can be fooled: the tests
hold a sound for each that is plainly wrong and that it praises.
"""

import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from torch import Tensor

from minicodec.sound import judges
from minicodec.sound.metrics import mel_distance, si_sdr
from minicodec.sound.pitch import pitch_errors


@dataclass(frozen=True)
class Measure:
    """A number for a copy beside its original; called as `measure(copy, original, sample_rate)`."""

    title: str  #: of its column
    take: Callable[[Tensor, Tensor, int], float]
    better: str  #: "higher" or "lower"
    hears: str
    misses: str
    speech_only: bool = False  #: whether it means something for speech alone

    def __call__(self, copy: Tensor, original: Tensor, sample_rate: int) -> float:
        """Both [1, C, T] at `sample_rate`; NaN where there is nothing to judge."""
        return self.take(copy, original, sample_rate)


#: Measures by the name that they have in rows.
MEASURES = {
    "si_sdr": Measure(
        "SI-SDR dB",
        lambda copy, clip, rate: float(si_sdr(copy, clip)),
        "higher",
        "every difference of the waveforms, as a share of the power",
        "the ear: a copy one millisecond late is ruined, one without its highs is fine, for "
        "there is little power in them",
    ),
    "mel_distance": Measure(
        "mel dist. dB",
        lambda copy, clip, rate: float(mel_distance(copy, clip, rate)),
        "lower",
        "differences of the spectrogram, in bands like the ear's",
        "all phases: a stereo sound with one side upside down has no distance; and hiss that "
        "nobody hears counts as much as what everybody hears",
    ),
    "visqol": Measure(
        "ViSQOL",
        judges.visqol,
        "higher",
        "how alike the spectrograms are, mapped to ratings of conventional codecs (at 48 kHz)",
        "the stereo image, for it hears the mean of both sides; and, for it takes means over "
        "time, a word that is gone",
    ),
    "visqol_speech": Measure(
        "ViSQOL sp.",
        lambda copy, clip, rate: judges.visqol(copy, clip, rate, "speech"),
        "higher",
        "the same for speech, at 16 kHz",
        "the same, and all above 8 kHz",
        speech_only=True,
    ),
    "pesq": Measure(
        "PESQ-wb",
        judges.pesq,
        "higher",
        "what telephone lines do to speech: filters, noise, gaps",
        "all above 8 kHz; and it is harsh on codecs that keep the words and not the waveform",
        speech_only=True,
    ),
    "stoi": Measure(
        "STOI",
        judges.stoi,
        "higher",
        "how many words are understood, from envelopes of bands",
        "beauty, the speaker, and all above 4.3 kHz: a loud whistle there costs nothing",
        speech_only=True,
    ),
    "f0_gross": Measure(
        "F0 gross %",
        lambda copy, clip, rate: pitch_errors(copy, clip, rate).gross,
        "lower",
        "frames whose pitch is off by a fifth of its frequency or more, such as a wrong octave",
        "all that is not pitch: a buzz on the melody of a sentence is perfect, without a word",
        speech_only=True,
    ),
    "f0_cents": Measure(
        "F0 cents",
        lambda copy, clip, rate: pitch_errors(copy, clip, rate).cents,
        "lower",
        "how far the pitch is off in the other frames; 100 cents are a semitone",
        "the same; and frames that lost their pitch altogether, which are not counted",
        speech_only=True,
    ),
    "voicing": Measure(
        "voicing %",
        lambda copy, clip, rate: pitch_errors(copy, clip, rate).voicing,
        "lower",
        "frames that hum where they should hiss, or the other way round",
        "which sound hums or hisses; and the tracker's own doubts count as errors of the codec",
        speech_only=True,
    ),
}
SPEECH_ONLY = tuple(name for name, measure in MEASURES.items() if measure.speech_only)


def installed() -> list[str]:
    """The measures that can be taken here."""
    return [name for name in MEASURES if not judges.missing(name)]


def chosen(names: Sequence[str] | None) -> list[str]:
    """Those that were asked for, or all that can be taken here.

    Raises:
        ValueError: for one that there is not, or whose package is missing.
    """
    for name in names or ():
        if name not in MEASURES:
            raise ValueError(f"there is no measure {name!r}; there are {', '.join(MEASURES)}.")
        judges.need(name)
    return installed() if names is None else list(names)


def explained() -> str:
    """What each measure hears, and what it misses, as text.

    >>> print(explained())
    si_sdr (higher is better)
      hears   every difference of the waveforms, as a share of the power
      misses  the ear: ...
    """
    blocks = []
    for name, measure in MEASURES.items():
        where = ", speech only" if measure.speech_only else ""
        lines = [f"{name} ({measure.better} is better{where})"]
        for word, text in (("hears", measure.hears), ("misses", measure.misses)):
            lines += textwrap.wrap(
                text, 90, initial_indent=f"  {word:6}  ", subsequent_indent=" " * 10
            )
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks)
