"""Versions of one sound in one player that switches between them in mid-note.

Chapters 00 and 14.
"""

import html
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from torch import Tensor

from minicodec.listening.fragment import CORE, TRUST, fragment, save_page
from minicodec.listening.loudness import SAME, below_full_scale
from minicodec.listening.sounds import Condition, Sound, prepare

#: What stands above the list of sounds where no script takes it over.
PLAIN = (
    f"Scripts are off here, and each sound plays on its own. {TRUST} for one player that switches "
    "between them in mid-note."
)


class Comparison:
    """Sounds with labels; shows itself as a player in a notebook, and saves itself as a page.

    Where one is shown in the place of another, as behind a slider, both have the same `slot`: the
    newer goes on with the version, at the moment and in the loop in which the older was heard.

    Where versions have an order that one would like to move through, `knob` says of what; a slider
    of that name stands in the place of the buttons.
    """

    def __init__(
        self,
        sounds: Sequence[Sound],
        sample_rate: int,
        title: str,
        note: str = "",
        pictures: bool = True,
        slot: str = "",
        knob: str = "",
    ):
        self.sounds = list(sounds)
        self.sample_rate = sample_rate
        self.title = title
        self.note = note
        self.pictures = pictures
        self.slot = slot
        self.knob = knob

    def _repr_html_(self) -> str:
        """One self-contained fragment; nothing to fetch, and it plays without its script too."""
        return self._fragment(self.title)

    def _fragment(self, title: str) -> str:
        items = "".join(sound.item() for sound in self.sounds)
        plain = f'<p class="mc-plain">{PLAIN}</p>' if len(self.sounds) > 1 else ""
        note = f'<p class="mc-note">Levels: {html.escape(self.note)}.</p>' if self.note else ""
        gains = [sound.gain for sound in self.sounds]
        differ = max(map(abs, gains)) >= SAME
        gains = below_full_scale(gains, [sound.peak for sound in self.sounds])
        return fragment(
            "compare",
            title,
            f'{plain}<ol class="mc-sounds">{items}</ol>{note}',
            scripts=(*CORE, "pictures", "canvas", "paper", "slot", "knob", "compare"),
            data={
                "rate": str(self.sample_rate),
                "seconds": f"{max(sound.seconds for sound in self.sounds):.4f}",
                **({"gains": json.dumps([round(gain, 4) for gain in gains])} if differ else {}),
                **({} if self.pictures else {"blind": ""}),
                **({"slot": self.slot} if self.slot else {}),
                **({"knob": self.knob} if self.knob else {}),
            },
        )

    def __repr__(self) -> str:
        size = sum(len(sound.flac) for sound in self.sounds)
        labels = ", ".join(sound.label for sound in self.sounds)
        return f"Comparison of {labels} ({size / 1000:.0f} kB of FLAC)"

    def save(self, file: str | Path, intro: str = "") -> Path:
        """Write a page of its own that plays anywhere, from disk, without a network.

        Args:
            intro: a sentence to stand above the player.
        """
        return save_page(file, self.title or "Listen and compare", intro, self._fragment(""))


def compare(
    sounds: Mapping[str, Tensor | Condition],
    sample_rate: int,
    title: str = "",
    *,
    match_loudness: bool = False,
    pictures: bool = True,
) -> Comparison:
    """A player for several versions of one sound, in the order given.

    All versions run on one clock, and a click or a digit key chooses which of them is heard. The
    first one is the reference of the difference view.

    All sounds keep their level relative to each other. If any is louder than full scale, all are
    turned down by the same factor, and the player says so. Sounds are held in the page as 16-bit
    FLAC: ten seconds at 24 kHz in six versions take 3 MB or less.

    Where versions differ in loudness, as ITU-R BS.1770 measures it, the player has a button that
    brings all of them to that of the first, and takes it back.

    Args:
        sounds: label → audio, [1, C, T], [C, T] or [T], or a `Condition` with a bit rate and a
            measure to show beside it.
        sample_rate: in Hz, of all of them.
        title: shown above the player.
        match_loudness: bring all versions to the loudness of the first; the player says so.
        pictures: False shows neither waveform nor spectrogram nor difference, for questions that
            ears alone are to answer.

    Raises:
        ValueError: for no sounds, one that is not audio, naming its label, or an impossible rate.

    >>> import torch
    >>> tone = torch.sin(torch.arange(24000) * 0.1)
    >>> compare({"a tone": tone, "half": Condition(tone / 2, kbps=6.1)}, 24000)
    Comparison of a tone, half (... kB of FLAC)
    """
    prepared, note = prepare(sounds, sample_rate, match_loudness)
    return Comparison(prepared, sample_rate, title, note, pictures)
