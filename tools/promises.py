"""Hold the chapters to their figures: each number that prose gives with a unit has a ground.

    python tools/promises.py                   all chapters, by the outputs that the book shows
    python tools/promises.py chapters/x.ipynb  one; --run runs it now, -v says every ground
    python tools/promises.py chapters/x.ipynb executed.ipynb    with the outputs of this copy

"6.5 dB", "25 times", "13.3 ms", "ViSQOL of 3.9": a number beside a unit is a promise. It is kept if

    printed  an output of the chapter holds it, within its rounding: one whose text has the same
             unit, or one of the cells next to the prose; three digits and more may stand anywhere
    code     it is a constant of the chapter's code: a setting, or a bound in an assert. What is
             measured (dB, %, times, points, p) counts only in an assert, or beside its unit
    config   it follows from what the codec is: the list CONFIG below
    sum      the sentence computes it (16 − 9 = 7 kHz), or the paragraph has it in another unit:
             2048 samples are 85 ms
    chapter  the paragraph names another chapter, and the prose there says the same
    source   the paragraph names a table, a section, a standard, a file of benchmarks/ or a link;
             or the sentence names the paper, or another codec

What depends on the machine or on chance is written with *about*, *nearly*, *some*, *more than* and
the like, and is compared loosely: a fifth up or down. Exercises, quiz, reading list and the table
at the head make no promises. What has another ground stands in tools/promises.yml with its reason;
an exception that is needed no more is a fault, too.
"""

import argparse
import ast
import math
import operator
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml
from notebooks import ROOT, Notebook, alt_of, chapters, read, shown, source_of, tags_of
from terms import unlinked

CACHE = ROOT / "_build" / ".jupyter_cache"
EXCEPTIONS = ROOT / "tools" / "promises.yml"
_SIGNS: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv
}  # fmt: skip

# Canonical name: how it is written. What is measured needs better grounds than what is set.
MEASURED = {
    "dB": r"dB|decibels?",
    "%": r"%|per ?cent",
    "times": r"×(?! ?\d)|-?fold"
    r"|times(?= (?:as|more|real|the|its|their|our|what|that|too|better|worse|less|\w+er)\b)",
    "points": r"(?:MUSHRA )?points?",
    "octaves": r"octaves?",
    "p": r"p[- ]values?",
}
SET = {
    "kbps": r"kbps|kbit/s|kilobits? per second",
    "bps": r"bps|bits (?:per|a|for every|on every) second",
    "Hz": r"Hz|hertz",
    "kHz": r"kHz|kilohertz",
    "ms": r"ms|milliseconds?",
    "s": r"s|seconds?",
    "min": r"min|minutes?",
    "h": r"h|hours?",
    "bits": r"bits?",
    "bytes": r"bytes?|B",
    "kB": r"kB|kilobytes?",
    "MB": r"MB|megabytes?",
    "GB": r"GB|gigabytes?",
    "samples": r"samples?",
    "frames": r"frames?",
    "codes": r"codes?",
    "steps": r"steps?|updates?",
    "weights": r"weights?|parameters?",
    "million": r"million",
    "billion": r"billion",
    "symbols": r"symbols?",
    "numbers": r"numbers?|vectors?|entries|latents?",
    "listeners": r"listeners?|people|trials?|ratings?",
    "clips": r"clips?|recordings?|files?|sounds?",
    "bands": r"bands?|bins?|filters?|channels?",
    "chunks": r"chunks?|pieces?|packets?",
}
UNITS = MEASURED | SET
# What a number is worth in a neighbouring unit: an output in samples per second backs kHz.
SCALES = {
    "%": (1, 100), "kbps": (1, 1e-3), "bps": (1, 1e3), "kHz": (1, 1e-3), "Hz": (1, 1e3),
    "ms": (1, 1e3), "s": (1, 1e-3, 60), "min": (1, 1 / 60), "h": (1, 1 / 60, 1 / 3600),
    "kB": (1, 1e-3), "MB": (1, 1e-6, 1e-3), "GB": (1, 1e-9, 1e-3),
    "million": (1, 1e-6, 1e-3),
    "billion": (1, 1e-9, 1e-6, 1e-3), "bits": (1, 8), "bytes": (1, 1 / 8),
}  # fmt: skip
# Measures that are named before their number, which has no unit.
MEASURES = r"ViSQOL|PESQ|STOI|MUSHRA|perplexity|correlation"
WORDS = {
    "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9,
    "ten": 10, "eleven": 11, "twelve": 12, "fifteen": 15, "sixteen": 16, "twenty": 20,
    "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "eighty": 80, "hundred": 100,
}  # fmt: skip
TENS = r"\b(twenty|thirty|forty|fifty|sixty|eighty)-(two|three|four|five|six|seven|eight|nine)\b"
# Units before which a number in words is a figure, too; "two seconds" is mostly a way to speak.
WORDED = ("dB", "%", "times", "points", "kbps")

# What follows from mini_24khz and from the sound it takes, and so needs no cell: value, unit, why.
CONFIG = [
    ((24,), "kHz", "the sample rate"),
    ((24000,), "Hz", "the sample rate"),
    ((24000,), "samples", "one second of samples"),
    ((48,), "kHz", "the rate of the paper's other model"),
    ((75,), "frames", "24000 / 320: frames of a second"),
    ((75,), "Hz", "the frame rate"),
    ((320,), "samples", "the hop length, 2 · 4 · 5 · 8"),
    ((13, 13.3, 13.33), "ms", "a frame: 320 / 24000 s"),
    ((10,), "bits", "a code: one of 1024"),
    ((80,), "bits", "a frame at 6 kbps: 8 codes of 10 bits"),
    ((10,), "bytes", "a frame at 6 kbps: 80 bits"),
    ((1024,), "numbers", "a codebook"),
    ((1.5, 3, 6, 12), "kbps", "the bandwidths: 2, 4, 8, 16 codes of 10 bits, 75 times a second"),
    ((0.75,), "kbps", "one codebook: 75 · 10 bits"),
    ((24,), "kbps", "32 codebooks, the paper's most"),
    ((384,), "kbps", "PCM: 24 kHz · 16 bits"),
    ((384000,), "bps", "PCM: 24 kHz · 16 bits"),
    ((384000,), "bits", "PCM: 24 kHz · 16 bits, for a second"),
    ((16,), "bits", "PCM, as in a WAV file"),
    ((32, 64), "bits", "a float"),
    ((100,), "%", "all"),
    ((50,), "%", "chance, of two"),
    ((0,), "dB", "as loud as each other"),
    ((6, 6.02), "dB", "a bit: 20 log10 2"),
    ((95,), "%", "the usual confidence"),
]  # fmt: skip

LOCATOR = re.compile(
    r"\b[Tt]ables? [A-Z]?\.?\d|\b[Ss]ections? [A-Z]?\.?\d|\b[Aa]ppendix|\b[Ff]igures? \d|\bRFC \d"
    r"|\bITU|BS\.1534|\bG\.\d{3}|IEEE 754|\bISO\b|\]\(https?://|\bet al\b|arXiv"
    r"|benchmarks/\w+\.(?:json|py)|\(\d{4}\)"
)
PAPER = re.compile(
    r"\b(?:paper|authors|audiocraft|official|Mimi|DAC|SoundStream|HiFi-GAN|Opus|EVS|MP3|AAC)\b"
)
LOOSELY = re.compile(
    r"\b(?:about|nearly|almost|roughly|some|around|over|under|below|above|(?:more|less|fewer) than"
    r"|at least|at most|up to|within|a good|well|only|towards?|near|close to|beyond|past)"
    r"(?:\s+[a-z]+)?\s*$"
)
SKIPPED = re.compile(r"^#+\s+(?:Exercises?|Quiz|Further reading|What to read)", re.M)

# Thousands are parted by a comma, by a thin or a hard space, or in a raw formula by `\,`.
NUMBER = r"[−-]?\d{1,3}(?:[,\u2009\u202f\u00a0 ]\d{3})+(?!\d)(?:\.\d+)?|[−-]?\d+(?:\.\d+)?"
WORD = TENS.replace("(", "(?:") + r"|\b(?:" + "|".join(WORDS) + r")\b"
JOIN = r"(?:\s*(?:,|,? and|,? or|to|–|/|±|against|of|instead of|,? then)\s+|\s*[–/]\s*|\s*±\s*)"
UNIT = "|".join(f"(?P<u{i}>{written})" for i, written in enumerate(UNITS.values()))
FIGURE = re.compile(
    rf"(?<![\w.$])(?P<list>(?:{NUMBER}|{WORD})(?:{JOIN}(?:{NUMBER}))*)"
    rf"(?:\s|-|(?=[%×]))?\s?(?:{UNIT})(?![\w/])"
)
NAMED = re.compile(
    rf"\b(?P<name>{MEASURES})\b(?:\s+(?:of|is|was|at|says|near|about|reaches|falls|rises|from|to))*\s+"
    rf"(?P<list>(?:{NUMBER})(?:{JOIN}(?:{NUMBER}))*)(?![\w%.]*\w)"
)
SPREAD = re.compile(
    rf"(?<![\w.$])(?P<list>(?:{NUMBER})\s*±\s*(?:{NUMBER}))(?!\.?\d)(?!\s?(?:{UNIT})(?!\w))"
)
CHANCE = re.compile(rf"\bp\s*[=≈<≤]\s*(?P<list>{NUMBER})")


@dataclass(frozen=True)
class Figure:
    """A number in prose, and where it stands."""

    cell: int
    value: float
    decimals: int
    unit: str
    loose: bool
    written: str  #: as in prose, with its unit
    sentence: str
    paragraph: str

    def is_near(self, number: float, loosely: bool) -> bool:
        """Whether a number that was printed is this one, as it was rounded."""
        if self.value < 0 < number:
            return False
        for scale in SCALES.get(self.unit, (1,)):
            # Prose gives sizes where outputs have a sign: "9 dB below", "a drop of 6 %".
            off = abs(abs(number * scale) - abs(self.value))
            share = off / abs(self.value) if self.value else off
            # What is set is not 4 kHz where 3.6 is printed; a level of 3.6 dB may be called 4.
            exact = 1 if scale == 1 and self.unit not in SET else 0.01 if scale != 1 else 0.05
            rounded = off <= 0.5001 * 10**-self.decimals and share <= exact
            if rounded or (loosely and self.loose and share <= 0.2):
                return True
        return False

    @property
    def digits(self) -> int:
        """As written: 80.0 has three, 384,000 too, 0.05 one."""
        written = re.sub(r"\D", "", f"{abs(self.value):.{self.decimals}f}").lstrip("0")
        return len(written if self.decimals else written.rstrip("0"))


@dataclass(frozen=True)
class Printed:
    """The text outputs of one code cell, and the numbers in them."""

    cell: int
    order: int  #: among code cells
    text: str

    @cached_property
    def lines(self) -> list[tuple[str, list[float]]]:
        """Each line, with the headings above it that have no numbers, and its numbers."""
        found, headings = [], ""
        for line in self.text.splitlines():
            numbers = numbers_of(line)
            if not numbers:
                headings = f"{headings} {line}" if line.strip() else ""
            found.append((f"{headings} {line}", numbers))
        return found


def has_unit(text: str, unit: str) -> bool:
    written = UNITS.get(unit, re.escape(unit))
    return bool(re.search(rf"(?:(?<=\d)|(?<!\w))(?:{written})(?!\w)", text))


def plain(number: str) -> tuple[float, int]:
    """The value of a number as prose writes it, and its decimals."""
    if number[0].isalpha():
        return float(sum(WORDS[word] for word in number.lower().split("-"))), 0
    digits = re.sub(r"[,\u2009\u202f\u00a0 ]", "", number).replace("−", "-")
    return float(digits), len(digits.partition(".")[2])


def numbers_of(text: str) -> list[float]:
    found = []
    for number in re.findall(
        r"[−-]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:e[+-]?\d+)?", text.replace("_", "")
    ):
        found.append(float(number.replace(",", "").replace("−", "-")))
    return found


def prose_of(markdown: str) -> str:
    """Without code, formulas, tags and addresses; a formula that is only a number stays one."""
    text = re.sub(r"```.*?```", " ", unlinked(markdown), flags=re.S)
    text = re.sub(r"\$\$.*?\$\$", " ", text, flags=re.S)
    text = re.sub(r"\$([−-]?\d[\d.,]*)(?:\\%)?\$", r"\1", text)
    text = re.sub(r"\$[^$]+\$", " … ", text)
    text = re.sub(r"`(benchmarks/[^`]+)`", r"\1", text)
    text = re.sub(r"`[^`]*`", " … ", text)
    text = re.sub(r"<(?!\s)[^>]+>", " ", text)
    return text.replace("*", "")


def paragraphs(markdown: str) -> Iterator[str]:
    """Paragraphs, list items and rows of tables."""
    block: list[str] = []
    for line in [*markdown.splitlines(), ""]:
        if not line.strip() or re.match(r"\s*(?:[*+-]|\d+\.)\s|\||#", line):
            if block:
                yield " ".join(block)
            block = []
        if line.strip() and not re.match(r"#|\|[\s:|-]+$", line):
            block.append(line.strip())


def sentences(paragraph: str) -> list[str]:
    return re.split(r"(?<=[.!?:])(?:\s+)(?=[A-Z“\"(\d])", paragraph)


def figures(notebook: Notebook) -> Iterator[Figure]:
    """Every promise of a chapter, in order."""
    skipping = False
    for cell, content in enumerate(notebook["cells"]):
        if content["cell_type"] == "code":
            if alt_of(content):
                yield from figures_of(cell, alt_of(content))
            continue
        markdown = unlinked(source_of(content))
        for part in re.split(r"(?m)^(?=#+ )", markdown):
            if re.match(r"#+ ", part):
                skipping = bool(SKIPPED.match(part))
            if skipping:
                continue
            if cell == 0:  # the table at the head is held by tools/minutes.py
                part = re.sub(r"(?m)^\|.*$", "", part)
                part = re.sub(r"<details>.*?</details>", "", part, flags=re.S)
            for paragraph in paragraphs(part):
                # A table's source stands above or below it.
                yield from figures_of(cell, paragraph, part if paragraph[0] == "|" else paragraph)


def figures_of(cell: int, paragraph: str, context: str = "") -> Iterator[Figure]:
    text = prose_of(paragraph)
    for sentence in sentences(text):
        for pattern in (FIGURE, NAMED, SPREAD, CHANCE):
            for match in pattern.finditer(sentence):
                groups = match.groupdict()
                unit = groups.get("name") or ("±" if pattern is SPREAD else "p")
                if pattern is FIGURE:
                    unit = next(u for i, u in enumerate(UNITS) if groups[f"u{i}"])
                before = sentence[: match.start()]
                for number in re.findall(rf"{NUMBER}|{WORD}", match["list"]):
                    if number[0].isalpha() and unit not in WORDED:
                        continue
                    value, decimals = plain(number)
                    loose = bool(LOOSELY.search(before))
                    yield Figure(cell, value, decimals, unit, loose, match[0].strip(),
                                 " ".join(sentence.split()), context or paragraph)  # fmt: skip


def text_of(output: dict[str, Any]) -> str:
    """What an output shows in words: no pictures, sounds or scripts."""
    parts = [output.get("text", "")]
    data = output.get("data", {})
    parts.append(data.get("text/html") or data.get("text/markdown") or data.get("text/plain", ""))
    text = "\n".join(part if isinstance(part, str) else "".join(part) for part in parts)
    text = re.sub(r"<(script|style|svg|template)\b.*?</\1>", " ", text, flags=re.S)
    text = re.sub(r"data:[\w/+.-]+;base64,[\w+/=]+", " ", text)
    text = re.sub(r"<[^>]+>", " ", text)
    return re.sub(r"0x[0-9a-f]{6,}", " ", text)


class Chapter:
    """A chapter, what it printed, and what its code holds."""

    def __init__(self, notebook: Notebook, executed: Notebook):
        self.figures = list(dict.fromkeys(figures(notebook)))
        codes = [c for c in executed["cells"] if c["cell_type"] == "code"]
        places = [i for i, c in enumerate(notebook["cells"]) if c["cell_type"] == "code"]
        own = [notebook["cells"][place] for place in places]
        # Every release changes the set-up cell, and nothing that it prints is promised.
        if len(own) != len(codes) or any(
            source_of(cell) != source_of(ran) and "setup" not in tags_of(cell)
            for cell, ran in zip(own, codes)
        ):
            raise SystemExit("the executed notebook is of another version: its code differs")
        self.printed = [
            Printed(place, order, "\n".join(text_of(o) for o in cell.get("outputs", [])))
            for order, (place, cell) in enumerate(zip(places, codes))
        ]
        self.sources = [source_of(cell) for cell in codes]

    @cached_property
    def code(self) -> tuple[list[float], list[float]]:
        """Constants of the code: all of them, and those in asserts."""
        every: list[float] = []
        asserted: list[float] = []
        for source in self.sources:
            lines = [line for line in source.splitlines() if not line.lstrip().startswith("%")]
            try:
                tree = ast.parse("\n".join(line.replace("%pip", "pass #") for line in lines))
            except SyntaxError:
                continue
            for node in ast.walk(tree):
                if isinstance(node, ast.Constant):
                    every += constant(node)
                elif isinstance(node, ast.Assert):
                    for inner in ast.walk(node.test):
                        if isinstance(inner, ast.Constant):
                            asserted += constant(inner)
        return every, asserted

    def ground(self, figure: Figure) -> str:
        """On what a figure stands; empty if on nothing."""
        for name in ("printed", "code", "config", "sum", "chapter", "source"):
            found = getattr(self, f"_{name}")(figure)
            if found:
                return f"{name}: {found}"
        return ""

    def _printed(self, figure: Figure) -> str:
        before = sum(p.cell < figure.cell for p in self.printed)
        for printed in sorted(self.printed, key=lambda p: abs(p.order + 0.5 - before)):
            # One to three cells before the prose, one or two after it; sooner for a bare digit.
            near = -3 <= printed.order - before <= 1
            bare = near and (figure.digits > 1 or -2 <= printed.order - before <= 0)
            for text, numbers in printed.lines:
                if bare or figure.digits > 2 or has_unit(text, figure.unit):
                    for number in numbers:
                        if figure.is_near(number, loosely=near):
                            return f"{number:g} in cell {printed.cell}"
        return ""

    def _code(self, figure: Figure) -> str:
        every, asserted = self.code
        measured = figure.unit in MEASURED or figure.unit not in UNITS
        for number in every:
            for scale in SCALES.get(figure.unit, (1,)):
                bare = scale == 1 and figure.digits < 3 and number not in asserted
                if measured and bare:
                    continue  # 0.6 may be 60 %, and 69.4 is 69.4; but a bare 6 is anything
                if abs(abs(number * scale) - abs(figure.value)) < 1e-9 * max(1, abs(figure.value)):
                    return f"{number:g}"
        if figure.unit == "dB":  # a gain: 0.01 is −40 dB
            for number in every:
                gain = -20 * math.log10(number) if 0 < number < 1 else math.nan
                if abs(gain - abs(figure.value)) <= 0.5001 * 10**-figure.decimals:
                    return f"{number:g}, a factor"
        if measured and figure.unit in UNITS:  # in a label, beside its unit
            number_text = re.escape(f"{abs(figure.value):.{figure.decimals}f}")
            beside = rf"(?<![\d.]){number_text} ?(?:{UNITS[figure.unit]})(?!\w)"
            for source in self.sources:
                if re.search(beside, source):
                    return f"{figure.written} in a cell's text"
            named = {"dB": "db"}.get(figure.unit)
            for source in self.sources:
                if named and re.search(rf"\b\w*{named}\w*=-?{number_text}\b", source):
                    return f"a setting in {named}"
        return ""

    def _config(self, figure: Figure) -> str:
        for values, unit, why in CONFIG:
            if unit == figure.unit and abs(figure.value) in values:
                return why
        return ""

    def _sum(self, figure: Figure) -> str:
        text = figure.sentence.replace("−", "-").replace("×", "*").replace("·", "*")
        number = r"-?\d[\d,]*(?:\.\d+)?"
        for sum_, result in re.findall(
            rf"({number}(?:\s*[-+*/]\s*\(?{number}\)?)+)\s*=\s*({number})", text
        ):
            try:
                value = arithmetic(ast.parse(sum_.replace(",", ""), mode="eval").body)
            except (SyntaxError, ZeroDivisionError):
                continue
            total, decimals = plain(result.rstrip(","))
            if abs(value - total) <= 0.5001 * 10**-decimals and total == figure.value:
                return f"{sum_} = {result}"
        same = 24000.0  # a second, in samples
        lasts = {"samples": 1, "frames": 320, "ms": same / 1000, "s": same, "min": 60 * same}
        if figure.unit in lasts:
            for other in figures_of(figure.cell, figure.paragraph):
                if other.unit in lasts and other.unit != figure.unit:
                    value = other.value * lasts[other.unit] / lasts[figure.unit]
                    if abs(value - figure.value) <= 0.5001 * 10**-figure.decimals:
                        return f"{other.value:g} {other.unit}"
        return ""

    def _chapter(self, figure: Figure) -> str:
        for number in re.findall(r"\b[Cc]hapters? (\d\d[a-z]?)\b", prose_of(figure.paragraph)):
            for path in ROOT.glob(f"chapters/{number}_*.ipynb"):
                for other in figures(read(path)):
                    if (other.value, other.unit) == (figure.value, figure.unit):
                        return f"{number}, cell {other.cell}"
        return ""

    def _source(self, figure: Figure) -> str:
        for pattern, text in ((LOCATOR, figure.paragraph), (PAPER, figure.sentence)):
            named = pattern.search(text)
            if named:
                return named[0]
        return ""


def constant(node: ast.Constant) -> list[float]:
    if isinstance(node.value, bool) or node.value is None:
        return []
    if isinstance(node.value, int | float):
        return [float(node.value)] if abs(node.value) < 1e15 else []
    return numbers_of(node.value) if isinstance(node.value, str) else []


def exceptions(stem: str, path: Path = EXCEPTIONS) -> dict[str, str]:
    """Sentences, or parts of them, whose figures have another ground: the ground of each."""
    listed = yaml.safe_load(path.read_text(encoding="utf-8")) if path.exists() else None
    return {entry["says"]: entry["because"] for entry in (listed or {}).get(stem, [])}


def complaints(chapter: Chapter, allowed: dict[str, str]) -> list[str]:
    """A line for each figure without a ground, and for each exception without a figure."""
    found, used = [], set()
    for figure in chapter.figures:
        if chapter.ground(figure):
            continue
        excused = [part for part in allowed if part in figure.sentence]
        used |= set(excused)
        if not excused:
            found.append(f"cell {figure.cell}: “{figure.written}” has no ground: {figure.sentence}")
    for part in allowed.keys() - used:
        found.append(f"is excused for “{part}”, which needs no excuse; take it out")
    return found


def executed_by_book(path: Path) -> Notebook | None:
    """The chapter with the outputs that `make chapters` kept; none if its code is newer."""
    import nbformat
    from jupyter_cache import get_cache

    cache = get_cache(CACHE)
    notebook = nbformat.read(path, as_version=4)
    try:
        bundle = cache.get_cache_bundle(cache.match_cache_notebook(notebook).pk)
    except KeyError:
        return None
    return bundle.nb


def run_now(path: Path) -> Notebook:
    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.read(path, as_version=4)
    folder = {"metadata": {"path": str(path.resolve().parent)}}
    NotebookClient(notebook, timeout=900, resources=folder).execute()
    return notebook


def arithmetic(node: ast.expr) -> float:
    """The value of numbers and + - * / between them; nothing else is computed.

    >>> arithmetic(ast.parse("16 - 9 * -2", mode="eval").body)
    34
    """
    match node:
        case ast.Constant(value=int() | float() as value):
            return value
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -arithmetic(operand)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _SIGNS:
            return _SIGNS[type(op)](arithmetic(left), arithmetic(right))
    raise SyntaxError("no sum of numbers")


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("chapter", type=Path, nargs="?", help="one chapter (default: all)")
    parser.add_argument("executed", type=Path, nargs="?", help="a copy of it with outputs")
    parser.add_argument("--run", action="store_true", help="run chapters now to see their outputs")
    parser.add_argument("-v", "--verbose", action="store_true", help="say on what each stands")
    args = parser.parse_args()

    count = failed = 0
    for path in [args.chapter] if args.chapter else chapters():
        if args.executed:
            executed: Notebook | None = read(args.executed)
        else:
            executed = run_now(path) if args.run else executed_by_book(path)
        if executed is None:
            print(f"{shown(path)}: was not run since it was changed; run: make chapters")
            failed += 1
            continue
        chapter = Chapter(read(path), executed)
        count += len(chapter.figures)
        if args.verbose:
            for figure in chapter.figures:
                ground = chapter.ground(figure) or "NOTHING"
                print(f"{figure.cell:3}  {figure.written:28} {ground}")
        lines = complaints(chapter, exceptions(path.stem))
        for line in lines:
            print(f"{shown(path)}: {line}")
        failed += len(lines)
    print(f"{count} figures in prose; {failed or 'no'} complaints")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
