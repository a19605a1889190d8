"""MUSHRA-inspired: rate several versions of a sound at once, the reference hidden among them.

Chapter 14. After Recommendation ITU-R BS.1534-3; `mushra` says where it differs.
"""

import hashlib
import html
import json
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from minicodec.listening.blind import blind_fragment
from minicodec.listening.fragment import save_page
from minicodec.listening.sounds import Condition, Sound, prepare
from minicodec.sound.names import encodable

#: What the hidden reference and the anchors are called in results: cut-off in Hz by name.
REFERENCE = "reference"
ANCHORS = {"anchor 3.5 kHz": 3500, "anchor 7 kHz": 7000}

MOST_VERSIONS = 12  # that a listener can compare: BS.1534-3, section 5.3
_STOPBAND = 80.0  # dB; how far down a filter brings what lies above its transition

Clips = Tensor | Mapping[str, Tensor]


class Mushra:
    """A test that shows itself in a notebook, and saves itself as a page."""

    def __init__(self, items: Mapping[str, list[Sound]], sample_rate: int, title: str, note: str):
        self.items = dict(items)
        self.sample_rate, self.title, self.note = sample_rate, title, note

    def _repr_html_(self) -> str:
        return self._fragment(self.title)

    def _fragment(self, title: str, **data: str) -> str:
        """The test as a piece of a page; `data` is what a page around it tells its script."""
        sounds = [sound for item in self.items.values() for sound in item]
        content = [self.title, *self.items, *(sound.label for sound in sounds)]
        test = hashlib.sha256("\n".join(content).encode() + b"".join(s.flac for s in sounds))
        return blind_fragment(
            "mushra",
            title,
            "".join(
                f'<p class="mc-needs-script mc-step">{html.escape(name)}</p>'
                f'<ol class="mc-sounds">{"".join(sound.item() for sound in item)}</ol>'
                for name, item in self.items.items()
            ),
            self.note,
            scripts=("store",),
            data={
                "test": test.hexdigest()[:8],
                "items": json.dumps(list(self.items)),
                "rate": str(self.sample_rate),
                "seconds": f"{max(sound.seconds for sound in sounds):.4f}",
                **data,
            },
        )

    def __repr__(self) -> str:
        versions = next(iter(self.items.values()))
        names = ", ".join(sound.label for sound in versions)
        return f"Mushra of {', '.join(self.items)}: {names}"

    def save(self, file: str | Path, intro: str = "") -> Path:
        """Write a page of its own that works anywhere, from disk, without a network."""
        return save_page(file, self.title, intro, self._fragment(""))


def mushra(
    conditions: Mapping[str, Clips],
    reference: Clips,
    sample_rate: int,
    title: str = "How close does each version come?",
    *,
    anchors: bool = True,
) -> Mushra:
    """A test in which each version gets a rating from 0 (bad) to 100 (excellent).

    As in BS.1534-3: the reference is known and, once more, hidden among the versions; two low-pass
    anchors, of 3.5 and 7 kHz, hold the lower end of the scale; all versions switch in mid-note and
    can be looped; their order, and that of the sounds, is drawn anew for each listener; each has to
    be heard before it can be rated. Ratings are kept in the browser, one session after another, and
    saved as CSV for `analyse`.

    It is MUSHRA-*inspired*. The recommendation asks for more than a page can do: experienced
    listeners who are trained first, on all sounds, with someone beside them; a known room or known
    headphones and a measured level; sounds chosen by experts to be critical; about 20 listeners who
    pass the screening. Here also sliders start at 0 and lie flat.

    Args:
        conditions: label → clip, or label → {sound: clip} for several sounds.
        reference: the original, or {sound: original} with the same names.
        sample_rate: in Hz; anchors need 16000 or more.
        anchors: leave them out only for a rehearsal.

    Shape:
        each clip: [1, C, T], [C, T] or [T], as long as its reference

    Raises:
        ValueError: for names that do not fit together, too many versions, or what is not audio.

    >>> x = 0.1 * torch.randn(1, 1, 24000)
    >>> mushra({"noisy": x + 0.01 * torch.randn_like(x)}, x, 24000)
    Mushra of sound: reference, noisy, anchor 3.5 kHz, anchor 7 kHz
    """
    prepared: dict[str, list[Sound]] = {}
    notes: set[str] = set()
    for name, clips in arranged(conditions, reference, sample_rate, anchors).items():
        sounds: dict[str, Tensor | Condition] = dict(clips)
        prepared[name], note = prepare(sounds, sample_rate)
        notes |= {f"{name} {note}"} if note else set()
    return Mushra(prepared, sample_rate, encodable(title), "; ".join(sorted(notes)))


def arranged(
    conditions: Mapping[str, Clips], reference: Clips, sample_rate: int, anchors: bool = True
) -> dict[str, dict[str, Tensor]]:
    """Sound → version → clip, with the reference first and the anchors last.

    Raises:
        ValueError: for names that do not fit together, versions of another length, or too many.
    """
    references = dict(reference) if isinstance(reference, Mapping) else {"sound": reference}
    if not conditions or not references:
        raise ValueError("a test needs at least one condition and one sound.")
    taken = {REFERENCE, *ANCHORS} & set(conditions)
    if taken:
        raise ValueError(f"{sorted(taken)[0]!r} is added by the test itself: choose another label.")
    versions = 1 + len(conditions) + (len(ANCHORS) if anchors else 0)
    if versions > MOST_VERSIONS:
        raise ValueError(
            f"{versions} versions are more than a listener can compare: {MOST_VERSIONS} with the "
            "reference and the anchors."
        )
    items = {}
    for name, original in references.items():
        clips = {REFERENCE: original}
        for label, each in conditions.items():
            if isinstance(each, Mapping) != isinstance(reference, Mapping):
                raise ValueError(
                    f"{label!r} and the reference must both be one clip, or both {{sound: clip}}."
                )
            if isinstance(each, Mapping):
                if set(each) != set(references):
                    raise ValueError(
                        f"{label!r} has the sounds {sorted(each)}, the reference "
                        f"{sorted(references)}."
                    )
                clips[label] = each[name]
            else:
                clips[label] = each
        for label, clip in clips.items():
            if not isinstance(clip, Tensor):
                raise ValueError(f"{label!r} is a {type(clip).__name__}, not a tensor.")
            if clip.shape[-1:] != original.shape[-1:]:
                raise ValueError(
                    f"{label!r} has {clip.shape[-1]} samples and the reference "
                    f"{original.shape[-1]}: cut both to the same."
                )
        if anchors:
            clips |= {a: low_pass(original, sample_rate, hz) for a, hz in ANCHORS.items()}
        items[encodable(str(name))] = {encodable(str(label)): clip for label, clip in clips.items()}
    return items


def low_pass(clip: Tensor, sample_rate: int, cutoff: float) -> Tensor:
    """Take away what lies above `cutoff`, as an anchor of BS.1534 does, without delay.

    A windowed sinc: the ideal filter's response, faded out by a Kaiser window. Up to the cut-off it
    keeps every level within 0.01 dB; from 8/7 of it (4 and 8 kHz for the two anchors) all is down
    by 70 dB or more. For 3.5 kHz the recommendation wants 0.1 dB, 25 dB at 4 and 50 dB at 4.5 kHz.

    Args:
        cutoff: in Hz, at most 7/16 of the sample rate.

    Shape:
        clip: [..., T] → the same

    Raises:
        ValueError: for a cut-off that this sample rate cannot have.

    >>> high, low = (torch.sin(torch.arange(4800.0) * k) for k in (1.5, 0.1))
    >>> round(float(low_pass(high + low, 24000, 3500)[1000:-1000].abs().max()), 3)
    1.0
    """
    if not 0 < cutoff <= sample_rate * 7 / 16:
        raise ValueError(
            f"a low-pass of {cutoff:g} Hz needs a sample rate of {cutoff * 16 / 7:.0f} Hz or more, "
            f"not {sample_rate}."
        )
    edge = cutoff / 7  # width of the transition, which is centred on the sinc's own cut-off
    centre = (cutoff + edge / 2) / sample_rate
    # Kaiser's formulas for the length and the shape of the window.
    half = round((_STOPBAND - 7.95) / (14.36 * edge / sample_rate) / 2)
    n = torch.arange(-half, half + 1, dtype=torch.float64)
    window = torch.kaiser_window(
        2 * half + 1, periodic=False, beta=0.1102 * (_STOPBAND - 8.7), dtype=torch.float64
    )
    response = 2 * centre * torch.sinc(2 * centre * n) * window
    length = clip.shape[-1]
    size = length + 2 * half
    spectrum = torch.fft.rfft(clip.double(), size) * torch.fft.rfft(response, size)
    return torch.fft.irfft(spectrum, size)[..., half : half + length].to(clip.dtype)
