"""Support: what blind tests share on a page: style, scripts, and a word where scripts are off."""

import html
from functools import cache
from importlib.resources import files

from minicodec.listening.fragment import CORE, TRUST, fragment


def blind_fragment(
    mode: str, title: str, lists: str, note: str, *, scripts: tuple[str, ...], data: dict[str, str]
) -> str:
    """A test as a piece of a page.

    Args:
        mode: which script takes the figure over: "abx" or "mushra".
        lists: markup of the sounds, each in an `ol.mc-sounds`.
        note: what was done to levels, or "".
        scripts: names in `web/`, beyond those of every test.
    """
    levels = f'<p class="mc-note">Levels: {html.escape(note)}.</p>' if note else ""
    return fragment(
        mode,
        title,
        f"<style>{_style()}</style>"
        '<p class="mc-needs-script">A blind test needs scripts, which are off here. You can only '
        f"listen, with the names beside the sounds. {TRUST} for the test.</p>"
        f"{lists}{levels}",
        scripts=(*CORE, "blind", "transport", "results", *scripts, mode),
        data=data,
    )


@cache
def _style() -> str:
    folder = files("minicodec.listening") / "web"
    return (folder / "blind.css").read_text(encoding="utf-8")
