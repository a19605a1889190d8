"""Support: a piece of a page that carries all it needs: markup, style and script.

It works in a notebook, in the built book and as a file. What a page without scripts shows is in the
markup; `web/` holds the style and the scripts. Each mode of listening (comparison, blind tests) has
its own script on top of the same engine.
"""

import html
import re
from functools import cache
from importlib.resources import files
from pathlib import Path

from minicodec.sound.files import write_text
from minicodec.sound.names import encodable

#: Scripts that every mode starts from, in the order in which one uses the other.
CORE = ("logic", "resample", "engine", "dom")

#: How scripts come on where a notebook is not trusted.
TRUST = "In a notebook, trust it (in JupyterLab: Ctrl+Shift+C, “Trust Notebook”)"


@cache
def script(*names: str) -> str:
    """The modules `web/NAME.mjs` as one script for the page, without comments.

    A page cannot import from inside itself, so the modules are laid one after another in one scope:
    a name may be defined in one of them only.
    """
    sources = [_read(f"{name}.mjs") for name in names]
    text = re.sub(r"^import .*?;\n|^export ", "", "\n".join(sources), flags=re.M | re.S)
    text = re.sub(r"^ *(//|/\*\*| \*).*\n", "", text, flags=re.M)
    return "(() => {\n" + re.sub(r"\n{2,}", "\n", text) + "})();"


@cache
def style() -> str:
    """The style of all players, without comments."""
    return re.sub(r"/\*.*?\*/\n?", "", _read("player.css"), flags=re.S)


def fragment(
    mode: str, title: str, body: str, *, scripts: tuple[str, ...], data: dict[str, str]
) -> str:
    """A figure with its style and script.

    Args:
        mode: which script takes the figure over.
        title: text, above the body; may be empty.
        body: markup, already escaped.
        scripts: names in `web/`.
        data: what the script needs to know, as data attributes.
    """
    attributes = "".join(f' data-{key}="{as_html(value)}"' for key, value in data.items())
    caption = f"<figcaption>{as_html(title)}</figcaption>" if title else ""
    # Two dollars in a label are no formula: the classes are those that MathJax 2 and 3 pass over.
    return (
        '<figure class="minicodec-player tex2jax_ignore mathjax_ignore" role="group" '
        f'data-minicodec="{mode}"{attributes} '
        f'aria-label="{as_html(title or "Listen and compare")}">'
        f"<style>{style()}</style>{caption}{body}<script>{script(*scripts)}</script></figure>"
    )


def as_html(text: str) -> str:
    """Text that a page shows as it is, in its body or between the quotes of an attribute."""
    return html.escape(encodable(text))


def save_page(file: str | Path, title: str, intro: str, content: str) -> Path:
    """Write a page of its own that works anywhere, from disk, without a network."""
    title = as_html(title)
    page = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        "<style>:root { color-scheme: light dark; } body { font: 1rem/1.5 system-ui, "
        "sans-serif; margin: 2rem auto; padding: 0 1rem; max-width: 48rem; }</style></head>"
        f"<body><main><h1>{title}</h1><p>{as_html(intro)}</p>{content}</main></body></html>"
    )
    write_text(file, page)
    return Path(file)


def _read(name: str) -> str:
    return (files("minicodec.listening") / "web" / name).read_text(encoding="utf-8")
