"""One word per thing: whoever learns should not have to guess that two words mean one."""

import ast
import re
from pathlib import Path

import pytest
from notebooks import chapters, read, source_of

ROOT = Path(__file__).resolve().parents[2]
TRAINING = sorted((ROOT / "minicodec" / "training").rglob("*.py"))
# Where discriminators are taught and used.
ABOUT_DISCRIMINATORS = ("07", "08", "09", "10")

# A pattern, what it should say, and the chapters in which it must not stand.
EVERYWHERE = ("0", "1")
WORDS = [
    (r"\bopponents?\b", "discriminator", EVERYWHERE),
    (r"\bverdicts?\b", "logits", ABOUT_DISCRIMINATORS),
    (r"\b(?:the|a|an|this|that|each|our|its|every|\w+ing) (?:judge|critic)s?\b(?! by| of\b)",
     "discriminator", ABOUT_DISCRIMINATORS),
    (r"\bgradients?['’]s? lengths?\b|\blengths? of (?:a|the|each|its|four) (?:gradient|pull)s?\b",
     "norm", EVERYWHERE),
    (r"\bbrush\b", "kernel (a brush only paints in chapter 02)",
     ("00", "01", "03", "04", "05", "06", "07", "08", "09", "1")),
]  # fmt: skip
# A listener is a person. Where one is meant, something in the sentence says so.
PEOPLE = (
    r"MUSHRA|\b(?:people|persons?|humans?|ears?|rate[ds]?|ratings?|marks?|points?|knobs?|tests?"
    r"|would say|misses)\b"
)


def sentences(path: Path) -> list[str]:
    """Prose by sentences, and each line of code."""
    found = []
    for cell in read(path)["cells"]:
        source = source_of(cell)
        if cell["cell_type"] == "code":
            found += source.splitlines()
        else:
            # The title of a link is the glossary's sentence, not the chapter's.
            prose = re.sub(r'\]\([^\s)]*(?:\s+"[^"]*")?\)', "]", " ".join(source.split()))
            found += re.split(r"(?<=[.!?:|])\s+", prose)
    return found


def docs(path: Path) -> list[str]:
    """Docstrings, comments and names of a module."""
    text = path.read_text(encoding="utf-8")
    names = {n.id for n in ast.walk(ast.parse(text)) if isinstance(n, ast.Name)}
    return [*text.splitlines(), *names]


def faults(number: str, lines: list[str]) -> list[str]:
    """Every line with a second word for something; `number` is that of the chapter."""
    found = []
    for line in lines:
        for pattern, better, where in WORDS:
            if number.startswith(where) and re.search(pattern, line, re.IGNORECASE):
                found.append(f"say “{better}”: {line.strip()}")
        if number.startswith(ABOUT_DISCRIMINATORS):
            named = re.search(r"\blisteners?\b", line, re.IGNORECASE)
            # Its part of the diagram is a person, too.
            if named and not re.search(PEOPLE, line) and "diagrams." not in line:
                found.append(f"a listener is a person; say “discriminator”: {line.strip()}")
    return found


@pytest.mark.parametrize("path", chapters(), ids=lambda path: path.stem)
def test_a_chapter_has_one_word_per_thing(path):
    assert faults(path.stem.partition("_")[0], sentences(path)) == []


@pytest.mark.parametrize("path", TRAINING, ids=lambda path: path.name)
def test_what_trains_has_the_words_of_its_chapters(path):
    assert faults("10", docs(path)) == []


def test_second_words_are_found():
    assert (
        len(faults("08", ["The opponent says no.", "Its verdict is a map.", "Each judge pays."]))
        == 3
    )
    assert (
        len(faults("09", ["the gradient's length grows", "All five listeners have weights."])) == 2
    )
    assert faults("04", ["brush = torch.ones(4)"]) and not faults("02", ["brush = torch.ones(4)"])
    assert not faults("14", ["a verdict on ratings", "Seventeen listeners."])
    assert not faults("08", ["The listeners gave it 17 points less.", "A discriminator judges it."])
