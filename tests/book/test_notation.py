"""The page of notation defines every letter that a formula in a chapter uses.

Formulas are read roughly: words, operators and numbers go, letters stay. A letter counts with its
subscript (f_s is not f) where the page has it so; a subscript that only counts (r_i) defines the
letter with any subscript. A cell may bring letters of its own with *where*, *let*, *with*, *call*.
"""

import re
from functools import cache

import pytest
from notebooks import ROOT, chapters, read, source_of

from minicodec.model.config import ENCODEC_24KHZ, MINI_24KHZ, CodecConfig

PAGE = ROOT / "book" / "notation.md"
COUNTING = {"i", "j", "l", "m", "n", "t", "k"}
GREEK = re.findall(
    r"\w+",
    "alpha beta gamma delta epsilon varepsilon zeta eta theta kappa lambda mu nu xi rho sigma tau "
    "phi varphi chi psi omega Gamma Delta Theta Lambda Sigma Phi Psi Omega ell",
)
WORDS = r"text|operatorname\*?|mathrm|tag"


def without_code(markdown: str) -> str:
    markdown = re.sub(r"^(```+).*?^\1", "", markdown, flags=re.DOTALL | re.MULTILINE)
    return re.sub(r"(`+)(?!`).*?(?<!`)\1(?!`)", "", markdown, flags=re.DOTALL)


def formulas(markdown: str) -> list[str]:
    """What stands between dollars, outside code."""
    found = re.findall(r"\$\$(.+?)\$\$|\$([^$]+?)\$", without_code(markdown), flags=re.DOTALL)
    return [shown or inline for shown, inline in found]


def symbols(formula: str) -> list[str]:
    """The letters of a formula in order, each with its subscript: `f_s`, `\\ell_t`, `e_{i,n}`.

    >>> symbols(r"x_{i+1} = \\mathcal{D}_j^l[x] + \\log_2 N_{\\mathrm{max}} + 3\\text{ dB}")
    ['x_{i+1}', '\\\\mathcal{D}_j', 'l', 'x', 'N_{max}']
    """
    formula = re.sub(r"_\{?\\text\{[^{}]*\}\}?", " ", formula)
    formula = re.sub(r"_\{?\\mathrm\s*\{?([A-Za-z]+)\}?\}?", r"_{\1}", formula)
    formula = re.sub(r"\\(?:log|max|min)_(?:\w|\{\w+\})", " ", formula)
    formula = re.sub(r"\\mathcal\s*\{?([A-Z])\}?", r"‹\1›", formula)
    formula = re.sub(r"\\mathrm\{([A-Z][a-z]*)\}", r"«\1»", formula)
    formula = re.sub(rf"\\(?:{WORDS})\s*\{{[^{{}}]*\}}", " ", formula)
    greek = rf"\\(?:{'|'.join(GREEK)})(?![a-zA-Z])"
    formula = re.sub(rf"(?!{greek})\\[a-zA-Z]+", " ", formula)
    letter, sub = rf"‹\w›|«\w+»|{greek}|[A-Za-z]", r"(?:_(\{[^{}]*\}|\\[a-zA-Z]+|\w))?"
    found = []
    for base, below in re.findall(rf"({letter}){sub}", formula):
        base = re.sub(r"‹(\w)›", r"\\mathcal{\1}", base)
        base = re.sub(r"«(\w+)»", r"\\mathrm{\1}", base)
        below = re.sub(r"^\{(\w|\\[a-zA-Z]+)\}$", r"\1", below.replace(" ", ""))
        found.append(base + (f"_{below}" if below else ""))
    return found


def base_of(symbol: str) -> str:
    return symbol.split("_")[0]


def counts(symbol: str) -> bool:
    """Is there a subscript, and does it only count?"""
    below = re.findall(r"[A-Za-z]+|\d", symbol.partition("_")[2])
    return bool(below) and all(part in COUNTING or part.isdigit() for part in below)


@cache
def defined() -> tuple[frozenset[str], dict[str, frozenset[str]]]:
    """The letters of all chapters, and those that one chapter has for itself."""
    page = PAGE.read_text(encoding="utf-8")
    common, _, own = page.partition("## In one chapter alone")
    rows = [line.split("|") for line in common.splitlines() if line.startswith("|")]
    everywhere = {s for row in rows for f in formulas(" ".join(row[1:4])) for s in symbols(f)}
    local: dict[str, frozenset[str]] = {}
    for line in own.splitlines():
        if found := re.match(r"\| (\d\d[a-z]?) \| (.*?) \|", line):
            new = {s for f in formulas(found[2]) for s in symbols(f)}
            local[found[1]] = local.get(found[1], frozenset()) | new
    return frozenset(with_bases(everywhere) | COUNTING | {"x", "y", "A"}), local


def with_bases(found: set[str]) -> set[str]:
    return found | {base_of(symbol) for symbol in found if counts(symbol)}


def introduced(cell: str) -> set[str]:
    """Letters that a cell says itself: "where $h$ is the head", "let $a$ and $b$ be"."""
    new = set()
    for found in re.finditer(r"\b(?:[Ww]here|[Ll]et|[Ww]ith|[Cc]all)\b([^.]*)", without_code(cell)):
        lone = [symbols(f) for f in formulas(found[1])]
        new |= {each[0] for each in lone if len(each) == 1}
    return new


def unknown(cells: list[str], chapter: str) -> list[str]:
    """Formulas with a letter that nobody defined, and the letter."""
    everywhere, local = defined()
    known = everywhere | with_bases(set(local.get(chapter, frozenset())))
    complaints = []
    for cell in cells:
        here = known | introduced(cell)
        for formula in formulas(cell):
            for symbol in symbols(formula):
                below = symbols(symbol.partition("_")[2].strip("{}"))
                if symbol in here:
                    continue
                if base_of(symbol) in here and all(each in here for each in below):
                    continue
                complaints.append(f"{symbol} in ${' '.join(formula.split())}$")
    return list(dict.fromkeys(complaints))


@pytest.mark.parametrize("path", chapters(), ids=lambda path: path.stem)
def test_every_letter_of_a_chapter_is_defined(path):
    cells = [source_of(c) for c in read(path)["cells"] if c["cell_type"] == "markdown"]
    found = unknown(cells, path.stem.split("_")[0])
    assert not found, "not on book/notation.md, nor said by the cell:\n" + "\n".join(found)


@pytest.mark.parametrize(
    ("formula", "letters"),
    [
        (r"\lceil f_s / S \rceil", ["f_s", "S"]),
        (r"\hat{x} = \mathrm{Dec}(\mathrm{Q}(z))", ["x", r"\mathrm{Dec}", r"\mathrm{Q}", "z"]),
        (r"\ell_{\mathrm{feat}} + \ell_{feat}", [r"\ell_{feat}"] * 2),
        (r"\underbrace{L / f_s}_{\text{look-ahead}} \tag{1}", ["L", "f_s"]),
        (r"\tfrac12 \log_{10} \sin \pi s", ["s"]),
        (r"y[o, t] = e_{i, n}", ["y", "o", "t", "e_{i,n}"]),
    ],
)
def test_letters_are_found(formula, letters):
    assert symbols(formula) == letters


def test_a_letter_that_nobody_defined_is_found():
    assert unknown([r"costs `$Z$`, $\log_2 N$ and $Y + f_s$"], "00") == ["Y in $Y + f_s$"]
    assert unknown(["$Y + f_s$, where $Y$ is an offset"], "00") == []


@pytest.mark.parametrize(("config", "column"), [(ENCODEC_24KHZ, 4), (MINI_24KHZ, 5)])
def test_the_page_has_the_values_of_the_codecs(config: CodecConfig, column: int):
    rows = [[cell.strip() for cell in line.split("|")]
            for line in PAGE.read_text(encoding="utf-8").splitlines()]  # fmt: skip
    told = {row[1]: row[column] for row in rows if len(row) == 7}
    n_q = [config.n_q(bandwidth) for bandwidth in config.bandwidths]
    assert told["$f_s$"] == f"{config.sample_rate:,}"
    assert told["$f_r$"] == str(config.frame_rate)
    assert told["$C$"] == str(config.channels)
    assert told["$R$"] == ", ".join(f"{b:g}" for b in config.bandwidths)
    assert told["$F$"] == str(config.n_filters)
    assert told["$D$"] == str(config.dimension)
    assert told["$S$"] == str(config.hop_length)
    assert told["$N$"].startswith(str(config.codebook_size))
    assert told["$N_q$"] == f"{n_q[0]} to {n_q[-1]}"
