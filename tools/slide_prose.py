"""Prose for slides: Markdown taken apart into blocks, condensed to what is read from a distance.

A slide holds what the chapter says, in its own words and in fewer of them: of a paragraph the
first sentence or two, what defines a term, and what leads over to a formula; of a list item the
first sentence. All the rest is in the speaker's notes.
"""

import html
import re
from dataclasses import dataclass
from functools import cache

from markdown_it import MarkdownIt
from mdit_py_plugins.dollarmath import dollarmath_plugin
from notebooks import count_words

#: A paragraph or list item of no more words than this stays as it is.
SHORT = 30
#: So many words of a paragraph's beginning stay at least, in whole sentences, and so many at most.
LEAST, MOST = 22, 55
# What begins like this speaks of the sentence before, and is not understood without it.
LEANS = re.compile(
    r"(It|Its|They|Their|This|That|These|Those|Both|Here|There|So|But|And|Or|Then|Else|Neither|Such"
    r"|Each|Otherwise|Therefore|Hence|Which|Yet|Also|Still|Only then|The (former|latter|other))\b"
)
ABBREVIATIONS = ("et al.", "e.g.", "i.e.", "cf.", "vs.", "Fig.", "Eq.", "no.", "No.", "approx.")


@dataclass(frozen=True)
class Block:
    """A heading, paragraph, list, formula, table or fence of Markdown."""

    kind: str
    text: str

    @property
    def weight(self) -> int:
        """How much of a slide it takes, in words."""
        lines = self.text.count("\n") + 1
        if self.kind == "math":
            return 14 + 12 * self.text.count(r"\\")
        if self.kind == "table":
            return 9 * lines
        if self.kind == "fence":
            return 8 * lines
        # A formula within a line is read, too.
        spoken = count_words(self.text) + 3 * len(re.findall(r"\$[^$\n]+\$", self.text))
        items = len(re.findall(r"^(?:[*+-]|\d+\.) ", self.text, flags=re.M))
        return spoken + 5 * max(1, items)


@cache
def parser() -> MarkdownIt:
    markdown = MarkdownIt("commonmark").enable("table")
    return markdown.use(dollarmath_plugin, allow_space=False, renderer=_as_mathjax_reads_it)


def _as_mathjax_reads_it(content: str, options: dict) -> str:
    left, right = (r"\[", r"\]") if options["display_mode"] else (r"\(", r"\)")
    return f"{left}{html.escape(content.strip())}{right}"


def as_html(markdown: str) -> str:
    text = str(parser().render(without_links(markdown)))
    # No line begins with the comma behind a formula.
    return re.sub(
        r'(<span class="math inline">[^<]*</span>[,.;:!?)]+)',
        r'<span class="whole">\1</span>',
        text,
    )


def as_inline_html(markdown: str) -> str:
    return str(parser().renderInline(without_links(markdown)))


def without_links(markdown: str) -> str:
    """Links into the book become their words, for a deck stands alone; links elsewhere stay."""
    inside = r"(?<!!)\[((?:[^\[\]]|\[[^\]]*\])+)\]\((?!https?:)[^)\s]*(?:\s+\"[^\"]*\")?\)"
    return re.sub(inside, r"\1", markdown)


def blocks(markdown: str) -> list[Block]:
    """The blocks of a text; what is folded away in <details> is left out."""
    kinds = {
        "heading_open": "heading", "paragraph_open": "paragraph", "bullet_list_open": "list",
        "ordered_list_open": "list", "math_block": "math", "math_block_label": "math",
        "table_open": "table", "fence": "fence", "blockquote_open": "paragraph",
    }  # fmt: skip
    lines, found, folded = markdown.splitlines(), [], 0
    for token in parser().parse(markdown):
        if token.type == "html_block":
            folded += token.content.count("<details") - token.content.count("</details")
        elif token.level == 0 and token.map and not folded and token.type in kinds:
            text = "\n".join(lines[token.map[0] : token.map[1]]).strip("\n")
            found.append(Block(kinds[token.type], text))
    return found


def sentences(paragraph: str) -> list[str]:
    """The sentences of a paragraph; dots within formulas, code, links and numbers end none.

    >>> sentences("Take $a. B$ first. Then van den Oord et al. (2017) went on: is it `x. Y`?")
    ['Take $a. B$ first.', 'Then van den Oord et al. (2017) went on: is it `x. Y`?']
    """
    kept: list[str] = []

    def hide(match: re.Match[str]) -> str:
        kept.append(match[0])
        return f"\0{len(kept) - 1}\0"

    text = re.sub(r"\s+", " ", without_links(paragraph)).strip()
    text = re.sub(r"\$[^$]+\$|`[^`]+`|\]\([^)]*\)", hide, text)
    for word in ABBREVIATIONS:
        text = re.sub(rf"\b{re.escape(word)}", hide, text)
    parts = re.split(r"(?<=[.!?])(?:(?<=[.!?])|(?<=[.!?][)*\"”_]))\s+(?=[A-Z*“\"(\[\0_])", text)
    parts = [
        piece for part in parts for piece in re.split(r"(?<=[.!?][)*\"”])\s+(?=[A-Z*“(])", part)
    ]
    return [re.sub(r"\0(\d+)\0", lambda match: kept[int(match[1])], part) for part in parts]


def condensed(block: Block) -> Block:
    """The block in fewer words."""
    if block.kind == "list":
        return Block("list", "\n".join(_item(item) for item in _items(block.text)))
    if block.kind != "paragraph":
        return block
    text = without_links(re.sub(r"^> ?", "", block.text, flags=re.M))
    if count_words(text) <= SHORT:
        return Block("paragraph", text)
    parts = [part for part in sentences(text) if not re.fullmatch(r"\(.*\)\.?", part)]
    return Block("paragraph", " ".join(parts[place] for place in sorted(_chosen(parts))))


def _chosen(parts: list[str]) -> set[int]:
    """Which sentences stay."""
    if not parts:
        return set()
    chosen: set[int] = set()
    words = 0
    first: list[int] = []
    heard = 0
    for place, part in enumerate(parts):
        # A question needs its answer, and three words say little.
        if place and heard >= LEAST and not parts[place - 1].endswith("?"):
            break
        first.append(place)
        heard += count_words(part)
    bold = [place for place, part in enumerate(parts) if "**" in part]
    last = [len(parts) - 1] if parts[-1].endswith(":") else []
    for place in first + bold + last:
        wanted = {place}
        # What leans on the sentence before comes with it, or not at all.
        while min(wanted) > 0 and LEANS.match(parts[min(wanted)].lstrip("*")):
            wanted.add(min(wanted) - 1)
        more = sum(count_words(parts[other]) for other in wanted - chosen)
        if place == 0 or words + more <= MOST:
            chosen |= wanted
            words += more
    return chosen


def _items(text: str) -> list[str]:
    """The items of a list, each with its mark."""
    return re.split(r"\n(?=(?:[*+-]|\d+\.) )", text)


def _item(item: str) -> str:
    mark, text = re.match(r"((?:[*+-]|\d+\.) +)(.*)", item, flags=re.S).groups()  # type: ignore[union-attr]
    if count_words(text) <= SHORT:
        return mark + re.sub(r"\s+", " ", without_links(text))
    parts = sentences(text)
    # "**Without both** comes …": a lead in bold alone says too little.
    shown = parts[:2] if re.fullmatch(r"\*\*[^*]+\*\*", parts[0]) else parts[:1]
    return mark + " ".join(shown)
