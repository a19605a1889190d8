"""Make slides of the chapters: one deck of reveal.js for each, and a page that lists them.

    python tools/slides.py                       as `make slides` does, into _build/slides
    python tools/slides.py FOLDER                into another folder
    python tools/slides.py FOLDER NOTEBOOK …     of notebooks that hold their own outputs

Outputs are those that `make chapters` has kept. A deck needs no network and may be opened from disk
or copied with the folder. reveal.js comes from npm, by npm's own client, in the version and with
the checksum stated here. What becomes a slide is decided in `slide_rules.py`.
"""

import html
import re
import shutil
import sys
import tarfile
from pathlib import Path

import npm_package
from notebooks import ROOT, chapters, read
from promises import executed_by_book
from slide_rules import Slide, executed, slides_of

REVEAL = "reveal.js@6.0.2"
REVEAL_SHA512 = (
    "258220e43f5aa31a1a2de6fce0ef8ebc0c2c2967486af56010349cc6d6045c50"
    "93eade9342b84db5282881c8dd0a974bb168258499f7cf21377d43b0887e4a12"
)
#: Of reveal.js: what is used.
PARTS = ("dist/reveal.css", "dist/reveal.js", "dist/plugin/notes.js", "LICENSE")
OWN = ROOT / "tools" / "deck"
MARK = "<!-- The slides of minicodec -->"

HEAD = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
"""
DECK = (
    HEAD
    + """\
<link rel="stylesheet" href="reveal/reveal.css">
<link rel="stylesheet" href="deck/code.css">
<link rel="stylesheet" href="deck/deck.css">
<script src="deck/math.js"></script>
<script defer src="mathjax/tex-chtml.js"></script>
</head>
<body>
<div class="reveal"><div class="slides">
{slides}
</div></div>
<script src="reveal/reveal.js"></script>
<script src="reveal/notes.js"></script>
<script src="deck/deck.js"></script>
</body>
</html>
"""
)
INDEX = (
    HEAD
    + MARK
    + """
<link rel="stylesheet" href="deck/index.css">
</head>
<body><main>
<h1>Slides</h1>
<p>A deck for each chapter, made from its cells. → and ← go through all slides, S opens the
speaker's notes, F fills the screen, Esc shows all slides at once, ? lists all keys. The digits
choose what a player plays, P plays and pauses. In a player that was reached with Tab its own keys
hold, until the next slide; Page Up and Page Down always turn the slides.</p>
<table><thead><tr><th>Chapter</th><th>Slides</th><th>Players</th></tr></thead>
<tbody>{rows}</tbody></table>
</main></body>
</html>
"""
)


class NotOurs(Exception):
    """A folder that must not be emptied."""


class NoOutputs(Exception):
    """Chapters whose outputs are not there, in a sentence."""


def main() -> int:
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "_build" / "slides"
    try:
        counts = lay_out(target, [Path(name) for name in sys.argv[2:]])
    except npm_package.PackageMissing as error:
        print(f"The slides need {error}.")
        return 1
    except (NotOurs, NoOutputs, ValueError, OSError) as error:
        print(error)
        return 1
    size = sum(file.stat().st_size for file in target.rglob("*") if file.is_file())
    print(
        f"{len(counts)} decks with {sum(counts.values())} slides, {size / 1e6:.0f} MB: "
        f"{target / 'index.html'}"
    )
    return 0


def lay_out(target: Path, notebooks: list[Path] | None = None) -> dict[str, int]:
    """Write all decks to a folder; the number of slides of each, by its name.

    The folder appears whole or not at all, in place of what an earlier call wrote there.

    Raises:
        NotOurs: if the folder holds anything else.
        NoOutputs: if chapters have not been run.
        PackageMissing: if there is no reveal.js.
    """
    target = target.resolve()
    index = target / "index.html"
    empty = not target.exists() or (target.is_dir() and not any(target.iterdir()))
    ours = index.is_file() and MARK in index.read_text(encoding="utf-8")
    if not empty and not ours:
        raise NotOurs(f"{target} holds something else than slides: remove it, or name another.")
    sources = sources_of(notebooks)
    part = target.with_name(f"{target.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    shared(part)
    counts, rows = {}, ""
    for name, notebook in sources.items():
        slides = slides_of(notebook)
        (part / f"{name}.html").write_text(deck(slides), encoding="utf-8")
        counts[name] = len(slides)
        players = sum(slide.kind == "player" for slide in slides)
        rows += (
            f'<tr><td><a href="{name}.html">{slides[0].heading}</a></td>'
            f"<td>{len(slides)}</td><td>{players}</td></tr>\n"
        )
    (part / "index.html").write_text(INDEX.format(title="Slides", rows=rows), encoding="utf-8")
    shutil.rmtree(target, ignore_errors=True)
    part.rename(target)
    return counts


def sources_of(notebooks: list[Path] | None) -> dict[str, dict]:
    """Chapters with their outputs, by name."""
    if notebooks:
        return {path.stem: executed(path) for path in notebooks}
    found = {path.stem: with_outputs(path) for path in chapters()}
    missing = [name for name, notebook in found.items() if notebook is None]
    if missing:
        raise NoOutputs(f"{', '.join(missing)}: not run since the last change; run: make chapters")
    return {name: notebook for name, notebook in found.items() if notebook is not None}


def with_outputs(path: Path) -> dict | None:
    """The chapter, prose and all, with the outputs that `make chapters` kept; none if its code is
    newer."""
    kept = executed_by_book(path)
    if kept is None:
        return None
    notebook = read(path)
    # The cache holds the code cells alone.
    outputs = iter(cell["outputs"] for cell in kept["cells"] if cell["cell_type"] == "code")
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell["outputs"] = next(outputs)
    return notebook


def deck(slides: list[Slide]) -> str:
    """A page with all slides; those of a section lie in one stack."""
    stacks: dict[int, list[str]] = {}
    for slide in slides:
        stacks.setdefault(slide.section, []).append(section(slide))
    body = "\n".join(f"<section>\n{''.join(stack)}</section>" for stack in stacks.values())
    title = html.escape(re.sub(r"<[^>]+>", "", slides[0].heading))
    return DECK.format(title=title, slides=body)


def section(slide: Slide) -> str:
    level = "h1" if slide.kind == "title" else "h2"
    notes = f'<aside class="notes">{"".join(slide.notes)}</aside>' if slide.notes else ""
    return (
        f'<section class="{slide.kind}"><{level}>{slide.heading}</{level}>'
        f'<div class="body">{slide.body}</div>{notes}</section>\n'
    )


def shared(target: Path) -> None:
    """What all decks use: reveal.js, MathJax with its fonts, and our own style and script."""
    import sphinx
    from pygments.formatters import HtmlFormatter

    (target / "reveal").mkdir()
    with tarfile.open(npm_package.fetched(REVEAL, REVEAL_SHA512, "reveal.js")) as archive:
        for name in PARTS:
            member = archive.extractfile(f"package/{name}")
            assert member is not None
            (target / "reveal" / Path(name).name).write_bytes(member.read())
    # The extension's name is no name of a module, so it is found beside one that Sphinx stands in.
    mathjax = Path(sphinx.__file__).parents[1] / "sphinx-mathjax-offline" / "static" / "mathjax"
    fonts = Path("output", "chtml", "fonts")
    shutil.copytree(mathjax / fonts, target / "mathjax" / fonts)
    shutil.copy(mathjax / "tex-chtml.js", target / "mathjax")
    shutil.copytree(OWN, target / "deck")
    style = HtmlFormatter(style="friendly").get_style_defs("pre.code")
    (target / "deck" / "code.css").write_text(style, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
