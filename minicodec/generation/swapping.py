"""Support: hear two speakers exchange levels, or one level held still, by moving a slider.

The slider moves through versions that were computed once and stay in the page, so that it works
where no kernel runs. With a kernel, controls below the player choose any range of levels.
"""

import secrets
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from torch import Tensor

from minicodec.generation.levels import freeze_levels, swap_levels
from minicodec.listening.comparison import Comparison
from minicodec.listening.live import has_kernel
from minicodec.listening.sounds import Sound, prepare
from minicodec.model.config import CodecConfig

#: What can be done with the chosen levels.
SWAPPED, FROZEN = "from the other speaker", "held still"


class Coder(Protocol):
    """What has levels: `Codec`, `SplitCodec`."""

    config: CodecConfig

    def encode(self, audio: Tensor, bandwidth: float | None = None, /) -> Tensor: ...

    def decode(self, codes: Tensor, /) -> Tensor: ...


class Swapped(Comparison):
    """The player of `swapped`, with controls below it where there is a kernel."""

    def __init__(
        self,
        sounds: list[Sound],
        title: str,
        note: str,
        codec: Coder,
        codes: dict[str, Tensor],
    ) -> None:
        _, second = codes
        super().__init__(
            sounds, codec.config.sample_rate, title, note, knob=f"Levels taken from {second}"
        )
        self.codec, self.codes = codec, codes

    def _ipython_display_(self) -> None:
        """The player as HTML, which is what a page without a kernel keeps, then the controls."""
        from IPython.display import HTML, display

        display(HTML(self._repr_html_()))
        if has_kernel():
            display(controls(self.codec, self.codes))


def swapped(
    codec: Coder, clips: Mapping[str, Tensor], bandwidth: float | None = None, title: str = ""
) -> Swapped:
    """A clip whose levels come from another one, more and more of them as a slider is moved.

    The slider begins at the first clip as it is coded, takes level 1 from the second, then levels 1
    and 2, and ends at the second clip. In a notebook with a kernel, controls below the player
    choose any range of levels, and whether they come from the second clip or are held still.

    Args:
        clips: two of them by name, [1, C, T], of the same words at the same times.
        bandwidth: in kbps; the highest by default.
        title: above the player.

    Raises:
        ValueError: for other than two clips, or a bandwidth that there is not.
    """
    if not isinstance(clips, Mapping) or len(clips) != 2:
        raise ValueError("two clips exchange levels: give them by name, the one to change first.")
    (first, a), (second, b) = clips.items()
    ours, theirs = codec.encode(a, bandwidth), codec.encode(b, bandwidth)
    n_q = ours.shape[1]
    sounds = {f"{first}, all levels its own": codec.decode(ours)}
    for count in range(1, n_q):
        levels = range(1, count + 1)
        label = f"{first}, {levels_in_words(levels)} from {second}"
        sounds[label] = codec.decode(swap_levels(ours, theirs, levels))
    sounds[f"{second}, all levels its own"] = codec.decode(theirs)
    prepared, note = prepare(sounds, codec.config.sample_rate)
    title = title or f"{first}, with levels of {second}"
    return Swapped(prepared, title, note, codec, {first: ours, second: theirs})


def held_still(
    codec: Coder, clip: Tensor, bandwidth: float | None = None, title: str = ""
) -> Comparison:
    """A clip with one of its levels held at its most common code; a slider chooses which.

    Args:
        clip: [1, C, T].
        bandwidth: in kbps; the highest by default.
        title: above the player.

    Raises:
        ValueError: for audio that the codec refuses, or a bandwidth that there is not.
    """
    codes = codec.encode(clip, bandwidth)
    sounds = {"no level held still": codec.decode(codes)}
    for level in range(1, codes.shape[1] + 1):
        sounds[f"level {level} held still"] = codec.decode(freeze_levels(codes, [level]))
    prepared, note = prepare(sounds, codec.config.sample_rate)
    rate = codec.config.sample_rate
    return Comparison(prepared, rate, title, note, knob="The level that is held still")


def levels_in_words(levels: Sequence[int]) -> str:
    """ "level 1", "levels 2 to 8", "levels 1, 3".

    >>> [levels_in_words(levels) for levels in ([1], [2, 3, 4], [1, 3])]
    ['level 1', 'levels 2 to 4', 'levels 1, 3']
    """
    levels = sorted(levels)
    if len(levels) == 1:
        return f"level {levels[0]}"
    if len(levels) > 2 and levels == list(range(levels[0], levels[-1] + 1)):
        return f"levels {levels[0]} to {levels[-1]}"
    return "levels " + ", ".join(map(str, levels))


def changed(ours: Tensor, theirs: Tensor, levels: Sequence[int], way: str) -> Tensor:
    """Our codes with some levels changed in one of the two ways, [B, K, T]."""
    return freeze_levels(ours, levels) if way == FROZEN else swap_levels(ours, theirs, levels)


def controls(codec: Coder, codes: Mapping[str, Tensor]) -> Any:
    """Sliders that choose levels of two clips' codes, [1, K, T] by name, the one to change first.

    A widget, of those parts that ipywidgets 7 and 8 share.
    """
    import ipywidgets as widgets
    from IPython.display import display

    ours, theirs = codes.values()
    whole = {name: codec.decode(its) for name, its in codes.items()}
    most = ours.shape[1]
    wide = {"style": {"description_width": "9em"}, "layout": {"width": "min(100%, 30em)"}}
    which = widgets.IntRangeSlider(
        value=(1, 1), min=1, max=most, description="levels", continuous_update=False, **wide
    )
    way = widgets.Dropdown(options=[SWAPPED, FROZEN], description="are", **wide)
    hint = widgets.HTML("Move a slider, and the codec runs again in this notebook.")
    output = widgets.Output()
    slot = secrets.token_hex(8)  # in which each move shows a new player

    def run(_: Any = None) -> None:
        low, high = which.value
        levels = list(range(low, high + 1))
        label = f"{levels_in_words(levels)} {way.value}"
        sound = codec.decode(changed(ours, theirs, levels, way.value))
        prepared, note = prepare(whole | {label: sound}, codec.config.sample_rate)
        with output:
            output.clear_output(wait=True)
            display(Comparison(prepared, codec.config.sample_rate, "", note, slot=slot))

    which.observe(run, "value")
    way.observe(run, "value")
    return widgets.VBox([hint, which, way, output])
