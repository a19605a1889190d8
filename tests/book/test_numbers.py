"""No page says a number that nothing stands behind: all digits of the README, and of pages on
measurements, are printed by cells from JSON, computed here anew, or excused with a reason."""

import ast
import re
from functools import cache

import pytest
from grounds import EXCUSED, GROUNDS, KINDS
from notebooks import ROOT
from promises import prose_of

#: README.md and pages about measurements; those that are not there yet are none.
PAGES = [page for page in GROUNDS if (ROOT / page).is_file()]
NUMBER = re.compile(r"\d+")


@cache
def strings_of(code: str) -> list[str]:
    """What a cell may print in words: its strings of several words, but for keys and formats."""
    code = re.sub(r"\A(---\n[\s\S]*?^---\n|(:.*\n)+)", "", code, flags=re.M)
    tree = ast.parse(code)
    hidden = set()
    for node in ast.walk(tree):
        quiet = node.slice if isinstance(node, ast.Subscript) else None
        quiet = node.format_spec if isinstance(node, ast.FormattedValue) else quiet
        hidden |= {id(inner) for inner in ast.walk(quiet)} if quiet else set()
    return [node.value for node in ast.walk(tree)
            if isinstance(node, ast.Constant) and isinstance(node.value, str)
            and id(node) not in hidden and " " in node.value.strip()]  # fmt: skip


def said(text: str) -> str:
    """What a page says by itself: prose and the words of its cells, without code and addresses.

    Kinds of spellings that are no number (`grounds.KINDS`) are left out.
    """
    text = re.sub(r"\A---\n.*?^---\n", "", text, flags=re.S | re.M)
    cells = re.findall(r"^```\{code-cell\}[^\n]*\n(.*?)^```$", text, flags=re.S | re.M)
    text = re.sub(r"\{\w+:?\w*\}`[^`]*`", " ", text)  # a citation, a link to another page
    text = re.sub(r"\]\([^)]*\)", "]", prose_of(text))
    strings = [re.sub(r"<[^>]+>|`[^`]*`", " ", s) for cell in cells for s in strings_of(cell)]
    text = " ".join(" ".join([text, *(f"\n{s}\n" for s in strings)]).split())
    for pattern in KINDS.values():
        text = re.sub(pattern, "…", text)
    return text


def complaints(page: str, text: str, grounds: list[str]) -> list[str]:
    """A line for each number that stands on nothing, and for each ground that is not said."""
    words, held, found = said(text), set(), []
    for ground in [*grounds, *EXCUSED.get(page, {})]:
        pattern = ground[3:] if ground.startswith("re:") else re.escape(ground)
        matches = list(re.finditer(rf"(?<!\d){pattern}(?![\d]|[.,]\d)", words))
        if not matches:
            found.append(f"does not say: {ground}")
        for match in matches:
            spans = [match.span(i + 1) for i in range(len(match.groups()))] or [match.span()]
            held |= {place for start, end in spans for place in range(start, end)}
    for number in NUMBER.finditer(words):
        if not held.issuperset(range(*number.span())):
            around = words[max(0, number.start() - 30) : number.end() + 20]
            found.append(f"{number[0]} stands on nothing: … {around} …")
    return found


@pytest.mark.parametrize("page", PAGES)
def test_every_number_of_a_page_has_its_ground(page):
    found = complaints(page, (ROOT / page).read_text(encoding="utf-8"), GROUNDS[page]())
    assert not found, f"{page} (see tests/helpers/grounds.py):\n" + "\n".join(found)


@pytest.mark.parametrize("page", PAGES)
def test_a_number_that_is_changed_is_seen(page):
    """Each run of digits in turn, its last digit raised by one: a complaint, or it is no number.

    What changes without one are commands, code and addresses, which other tests run, and the kinds
    of spellings above.
    """
    text, grounds = (ROOT / page).read_text(encoding="utf-8"), GROUNDS[page]()
    before, seen = said(text), 0
    for run in NUMBER.finditer(text):
        raised = str((int(run[0][-1]) + 1) % 10)
        changed = f"{text[: run.end() - 1]}{raised}{text[run.end() :]}"
        try:
            same = said(changed) == before
        except SyntaxError:  # code that no longer is any
            continue
        if not same:
            seen += 1
            assert complaints(page, changed, grounds), text[run.start() - 40 : run.end() + 20]
    assert seen >= {"README.md": 80, "book/rate-distortion.md": 0}.get(page, 5)


def test_a_reason_is_given_for_each_excuse():
    reasons = [reason for excused in EXCUSED.values() for reason in excused.values()]
    assert all(len(reason) > 10 for reason in reasons)
    assert EXCUSED.keys() <= GROUNDS.keys()


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("It is 3 dB.", "3"),
        ("A table:\n\n| a | b |\n|---|---|\n| x | 4.5 |", "4"),
        ("```{code-cell} ipython3\n:tags: [remove-input]\n\nprint('about 7 of them')\n```", "7"),
        ("```{code-cell} ipython3\nprint(f'{1.5:.3f} is {x[\"5 s\"]} and 8 more')\n```", "8"),
    ],
)
def test_a_number_on_nothing_is_seen(text, number):
    assert [line.split()[0] for line in complaints("no page", text, [])][0] == number


@pytest.mark.parametrize(
    "text",
    [
        "Chapter 12 runs `mini_24khz -b 6` in bfloat16 ([how](x_3.md)), CC BY 4.0.",
        "```\nminicodec -b 6\n```",
        "```{code-cell} ipython3\n:tags: [x]\n\nprint(f\"{x['gaps in 30 s']:9.1f}\", 5, 'x7')\n```",
    ],
)
def test_code_names_and_addresses_are_no_numbers(text):
    assert complaints("no page", text, []) == []
