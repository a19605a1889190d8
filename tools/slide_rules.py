"""From a chapter with its outputs to slides, by rule.

    heading         a new stack of slides
    prose           condensed (`slide_prose`), as much on a slide as is read from a distance
    picture, player, table, printed lines
                    a slide of its own, under the sentence that leads to it
    code            shown only where it is the build: functions and classes called `my_…` or
                    defined under a heading "Build …", and cells tagged `exercise`, in which the
                    solution appears at the next key press
    left out        the set-up, exercises, quiz, reading list, checks, worked answers, recorders

Where the rule is wrong, a cell says so with `slideshow={"slide_type": …}`: `skip` leaves it out,
`notes` moves it to the speaker's notes, `slide` shows all of it: every word, or every line of code.
The notes of a slide have the prose in full, what a picture shows, and the code behind an output.
"""

import ast
import html
import re
from dataclasses import dataclass, field
from typing import Any

import nbformat
import slide_prose
from notebooks import alt_of, slide_type_of, source_of, tags_of
from slide_prose import Block, as_html, as_inline_html
from slide_views import Output, code_html, fence_html, note_html, outputs_of, printed_html

Notebook = dict[str, Any]
#: As much as a slide holds, in words, and how long a sentence may be that leads to an output.
FULL, LEAD = 90, 45
LEFT_OUT = ("Exercises", "Quiz", "Further reading")
NO_SLIDE = {"setup", "check", "solution", "instructor"}
#: Up to so many printed lines stand below the sentence that they belong to.
FEW_LINES = 3
TYPES = ("skip", "notes", "slide")


@dataclass
class Slide:
    """One slide, as HTML. kind: title, text, code, printed, picture, table or player."""

    kind: str
    heading: str
    body: str
    section: int
    notes: list[str] = field(default_factory=list)


@dataclass
class _Pending:
    """A block on its way to a slide: what is shown, and what it is short for."""

    block: Block
    shown: str
    full: str = ""


def slides_of(notebook: Notebook) -> list[Slide]:
    """The slides of a chapter whose code cells have their outputs.

    Raises:
        ValueError: if a cell has a `slide_type` that means nothing here.
    """
    deck = _Deck()
    for number, cell in enumerate(notebook["cells"]):
        kind = slide_type_of(cell)
        if kind and kind not in TYPES:
            raise ValueError(
                f'cell {number} has the slide_type "{kind}"; {", ".join(TYPES)} are known'
            )
        if kind == "skip" or (cell["cell_type"] != "markdown" and NO_SLIDE & set(tags_of(cell))):
            continue
        if cell["cell_type"] == "markdown":
            if "solution" not in tags_of(cell) and "instructor" not in tags_of(cell):
                deck.prose(source_of(cell), kind)
        elif cell["cell_type"] == "code" and not deck.left_out:
            deck.code(cell, kind)
    deck.flush()
    return deck.slides


class _Deck:
    def __init__(self) -> None:
        self.slides: list[Slide] = []
        self.pending: list[_Pending] = []
        self.section, self.heading = 0, ""
        self.left_out = False

    def prose(self, markdown: str, kind: str) -> None:
        if not self.slides and markdown.startswith("# "):
            markdown = self.open(markdown)
        if kind == "slide":
            self.flush()
        for block in slide_prose.blocks(markdown):
            if block.kind == "heading":
                self.enter(block.text)
            elif self.left_out:
                continue
            elif kind == "notes":
                self.note(as_html(block.text))
            else:
                shown = block if kind == "slide" else slide_prose.condensed(block)
                text = fence_html(shown.text) if shown.kind == "fence" else as_html(shown.text)
                self.pending.append(_Pending(shown, text, as_html(block.text)))

    def open(self, markdown: str) -> str:
        """The title slide, from the chapter's head; what follows the head."""
        heading, *rest = markdown.split("\n", 1)
        self.heading = heading.removeprefix("# ")
        text = rest[0] if rest else ""
        body = ""
        row = re.search(r"^\|[^\n]*\|\n\|[-| ]+\|\n\|([^\n]*)\|$", text, flags=re.M)
        if row:
            names = ("You will build", "You will hear", "Time", "You need")
            cells = dict(zip(names, (cell.strip() for cell in row[1].split("|"))))
            shown = [(name, cells.get(name, "")) for name in names if name != "Time"]
            body = "".join(
                f"<dt>{name}</dt><dd>{as_inline_html(value)}</dd>" for name, value in shown if value
            )
            text = text.replace(row[0], "")
        self.slides.append(
            Slide("title", as_inline_html(self.heading), f"<dl>{body}</dl>" if body else "", 0)
        )
        return re.sub(r"^\[!\[[^\n]*\n?", "", text, flags=re.M)

    def enter(self, heading: str) -> None:
        self.flush()
        level, words = re.match(r"(#+) +(.*)", heading).groups()  # type: ignore[union-attr]
        if len(level) <= 2:
            self.section += 1
            self.left_out = words in LEFT_OUT
        self.heading = words

    def note(self, text: str) -> None:
        if self.slides:
            self.slides[-1].notes.append(text)

    def add(self, kind: str, body: str, notes: list[str], heading: str = "") -> None:
        heading = as_inline_html(heading or self.heading)
        self.slides.append(Slide(kind, heading, body, self.section, notes))

    def code(self, cell: Notebook, kind: str) -> None:
        source, outputs = source_of(cell), outputs_of(cell)
        if kind == "notes":
            self.note(note_html(source))
            return
        shown = source if kind == "slide" else build_of(source, tags_of(cell), self.heading)
        printed = [output for output in outputs if output.kind == "printed"]
        rich = [output for output in outputs if output.kind != "printed"]
        lines = sum(output.lines for output in printed)
        behind = [f"<h4>Code</h4>{note_html(source)}"] if not shown else []
        if shown:
            below = printed_html(printed) if lines <= FEW_LINES else ""
            lead, notes = self.lead()
            for part in code_html(shown, room=24 - (4 if below else 0) - (3 if lead else 0)):
                self.add("code", lead + part, notes)
                lead, notes = "", []
            if below:
                self.slides[-1].body += below
                printed = []
        elif printed and lines <= FEW_LINES and not any(o.kind != "player" for o in rich):
            # A line or two is the evidence of the sentence above, or of the one below.
            text = Block("fence", "\n".join(output.body for output in printed))
            self.pending.append(_Pending(text, printed_html(printed), "".join(behind)))
            printed, behind = [], []
        for output in printed if lines > FEW_LINES or not rich else []:
            lead, notes = self.lead()
            for part in output.parts:
                self.add("printed", lead + part, notes + behind)
                lead, notes, behind = "", [], []
        caption = printed_html(printed) if printed and lines <= FEW_LINES and rich else ""
        for output in rich:
            self.picture(output, cell, caption, behind)
            caption, behind = "", []

    def picture(self, output: Output, cell: Notebook, caption: str, behind: list[str]) -> None:
        """A slide with what a cell shows."""
        system = "diagrams.system(" in source_of(cell)
        if system:
            self.flush()
        lead, notes = self.lead()
        alt = alt_of(cell)
        if alt and output.kind == "picture":
            notes.append(f"<h4>The picture</h4><p>{html.escape(alt)}</p>")
        heading = "Where we are" if system else ""
        self.add(output.kind, lead + output.body + caption, notes + behind, heading)

    def lead(self) -> tuple[str, list[str]]:
        """What leads to the slide that comes, and its notes; the prose before it is flushed."""
        last = self.pending[-1] if self.pending else None
        leads = last and last.block.kind == "paragraph" and last.block.weight <= LEAD
        if not last or not leads or not (len(self.pending) == 1 or last.block.text.endswith(":")):
            self.flush()
            return "", []
        self.pending.pop()
        self.flush()
        return f'<div class="lead">{last.shown}</div>', [last.full]

    def flush(self) -> None:
        """Lay what is pending on as few slides as hold it."""
        pages: list[list[_Pending]] = []
        weight = 0
        for place, item in enumerate(self.pending):
            own = item.block.weight
            after = self.pending[place + 1] if place + 1 < len(self.pending) else None
            both = own + (after.block.weight if after and _leads(item) else 0)
            # What shows is not parted from the words about it, nor half a sentence from the other.
            led = place > 0 and _leads(self.pending[place - 1])
            half = led or item.block.text[:1].islower()
            stays = half or item.block.kind in ("math", "fence") or weight < FULL / 4
            if not pages or (weight + both > FULL and not (stays and weight + own < 1.5 * FULL)):
                pages.append([])
                weight = 0
            pages[-1].append(item)
            weight += own
        for page in pages:
            self.add("text", "".join(p.shown for p in page), [p.full for p in page if p.full])
        self.pending = []


def _leads(item: _Pending) -> bool:
    return item.block.text.rstrip().endswith((":", ","))


def build_of(source: str, tags: list[str], heading: str) -> str:
    """The code of a cell that a lecture shows; empty if there is none."""
    if "exercise" in tags:
        return source
    try:
        tree = ast.parse(re.sub(r"^[%!]", "#", source, flags=re.M))
    except SyntaxError:
        return ""
    lines, found = source.splitlines(), []
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            mine = re.match(r"my_|My[A-Z]", node.name)
            if mine or heading.startswith("Build"):
                start = min([node.lineno, *(part.lineno for part in node.decorator_list)])
                found.append("\n".join(lines[start - 1 : node.end_lineno]))
    return "\n\n".join(found)


def executed(path: Any) -> Notebook:
    """A notebook from disk that holds its own outputs."""
    return nbformat.read(path, as_version=4)
