"""Support: hear two speakers exchange levels; with a kernel, sliders choose which ones.

The versions that the player starts with are computed once and stay in the page.
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
        self, sounds: list[Sound], title: str, note: str, codec: Coder, clips: dict[str, Tensor]
    ) -> None:
        super().__init__(sounds, codec.config.sample_rate, title, note)
        self.codec, self.clips = codec, clips

    def _ipython_display_(self) -> None:
        """The player as HTML, which is what a page without a kernel keeps, then the controls."""
        from IPython.display import HTML, display

        display(HTML(self._repr_html_()))
        if has_kernel():
            display(controls(self.codec, self.clips))


def swapped(
    codec: Coder,
    clips: Mapping[str, Tensor],
    levels: Sequence[Sequence[int]],
    bandwidth: float | None = None,
    title: str = "",
) -> Swapped:
    """Two clips through a codec, and the first with some of its levels taken from the second.

    In a notebook with a kernel, controls below the player choose any levels, and whether they come
    from the second clip or are held still; without one the player is all there is.

    Args:
        clips: two of them by name, [1, C, T], of the same words at the same times.
        levels: for each version, the levels that come from the second clip; they count from 1.
        bandwidth: in kbps; the highest by default.
        title: above the player.

    Raises:
        ValueError: for other than two clips, or levels or a bandwidth that there are not.
    """
    if not isinstance(clips, Mapping) or len(clips) != 2:
        raise ValueError("two clips exchange levels: give them by name, the one to change first.")
    (first, a), (second, b) = clips.items()
    ours, theirs = codec.encode(a, bandwidth), codec.encode(b, bandwidth)
    sounds = {f"{first}, coded": codec.decode(ours)}
    for chosen in levels:
        label = f"{levels_in_words(chosen)} from {second}"
        sounds[label] = codec.decode(swap_levels(ours, theirs, chosen))
    sounds[f"{second}, coded"] = codec.decode(theirs)
    prepared, note = prepare(sounds, codec.config.sample_rate)
    title = title or f"{first}, with levels of {second}"
    return Swapped(prepared, title, note, codec, dict(clips))


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


def changed(codec: Coder, clips: Mapping[str, Tensor], levels: Sequence[int], way: str) -> Tensor:
    """The first clip with some levels changed in one of the two ways."""
    ours, theirs = (codec.encode(clip) for clip in clips.values())
    codes = freeze_levels(ours, levels) if way == FROZEN else swap_levels(ours, theirs, levels)
    return codec.decode(codes)


def controls(codec: Coder, clips: Mapping[str, Tensor]) -> Any:
    """Sliders that choose levels: a widget, of those parts that ipywidgets 7 and 8 share."""
    import ipywidgets as widgets
    from IPython.display import display

    most = codec.config.max_n_q
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
        sounds = {name: codec.decode(codec.encode(clip)) for name, clip in clips.items()} | {
            label: changed(codec, clips, levels, way.value)
        }
        prepared, note = prepare(sounds, codec.config.sample_rate)
        with output:
            output.clear_output(wait=True)
            display(Comparison(prepared, codec.config.sample_rate, "", note, slot=slot))

    which.observe(run, "value")
    way.observe(run, "value")
    return widgets.VBox([hint, which, way, output])
