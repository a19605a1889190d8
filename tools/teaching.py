"""Write what the instructors' pages say of chapters, exercises and lectures.

    python tools/teaching.py            write the pages
    python tools/teaching.py --check    exit 1 and say what is stale or does not fit

`tools/teaching.yml` holds what people have to think of: outcomes, misconceptions, questions,
lectures. Minutes of sections come from the chapters (`tools/minutes.py`), all facts about
exercises from `minicodec.exercises`. Of book/instructors.md what stands between `<!-- NAME -->` and
`<!-- end -->` is replaced; book/instructors-by-chapter.md is made whole.
"""

import argparse
import json
import re
import sys
from pathlib import Path
from typing import Any

import yaml
from minutes import Times, about, times_of
from notebooks import ROOT, chapters, read, shown, source_of

from minicodec.exercises.exercise import Exercise, of_chapter
from minicodec.sound.drawing import AMBER, BLUE, GREEN, INK, PINK, VERMILLION, Drawing

SOURCE = ROOT / "tools" / "teaching.yml"
PAGE = ROOT / "book" / "instructors.md"
BY_CHAPTER = ROOT / "book" / "instructors-by-chapter.md"
MEND = "python tools/teaching.py"
NAME = re.compile(r"\b\d\d[a-z]?\.[a-z][a-z0-9_]*\b")
LONGEST_LECTURE = 90
CUT = range(44, 51)  # minutes, so that somebody may ask something

HEAD = """\
# Chapter by chapter, for instructors

<!-- Made by tools/teaching.py from tools/teaching.yml: change it there. -->

What a student can do after each chapter, which exercise shows it, what goes wrong, what to discuss,
and what fits into 50 minutes. [For instructors](instructors.md) has the rest. Minutes of exercises
are a student's; points count when it is graded; *slips* are the wrong answers that its check knows.
"""
KINDS = {"paper": "on paper", "code": "in code", "ear": "by ear"}

#: Where each chapter stands in the graph: column, row, and the part of the book.
PLACES = {
    "00": (1, 0, INK), "01": (1, 1, BLUE), "14": (0, 6, PINK), "01b": (0, 2, BLUE),
    "02": (1, 2, BLUE), "03": (1, 3, BLUE), "04": (0, 4, BLUE), "05": (1, 4, BLUE),
    "06": (1, 5, BLUE), "07": (2, 6, VERMILLION), "11": (1, 6, GREEN), "08": (2, 7, VERMILLION),
    "12": (1, 7, GREEN), "09": (2, 8, VERMILLION), "13": (1, 8, GREEN), "10": (2, 9, VERMILLION),
    "15": (0, 9, AMBER), "15b": (0, 10, AMBER), "16": (1, 10, AMBER), "16b": (1, 11, AMBER),
    "16c": (1, 12, AMBER),
}  # fmt: skip
SHORT = {
    "00": "First listen", "01": "Sound, bits", "01b": "Hearing", "02": "Convolutions",
    "03": "Autoencoder", "04": "Streaming", "05": "Codebooks", "06": "Residual",
    "07": "Losses", "08": "Discriminator", "09": "Balancer", "10": "Training",
    "11": "Entropy coder", "12": "Language model", "13": "Bitstream", "14": "Listeners",
    "15": "Official", "15b": "Bugs", "16": "Beyond", "16b": "Meaning", "16c": "Babble",
}  # fmt: skip
#: What each chapter builds on, without what follows from another arrow.
ARROWS = {
    "01": ["00"], "01b": ["01"], "02": ["01"], "03": ["02"], "04": ["03"], "05": ["03"],
    "06": ["05"], "07": ["06"], "08": ["07"], "09": ["08"], "10": ["09"], "11": ["06"],
    "12": ["11"], "13": ["12"], "14": ["06"], "15": ["04", "13"], "15b": ["15"], "16": ["10", "14"],
    "16b": ["16"], "16c": ["12", "16b"],
}  # fmt: skip


class Book:
    """The chapters, their times and exercises, and what is said of them."""

    def __init__(self, told: dict[str, Any]) -> None:
        self.told = told
        self.paths = {path.stem.partition("_")[0]: path for path in chapters()}
        self.times: dict[str, Times] = {n: times_of(path) for n, path in self.paths.items()}
        self.exercises: dict[str, list[Exercise]] = {n: list(of_chapter(n)) for n in self.paths}
        self.by_name = {e.name: e for each in self.exercises.values() for e in each}
        self.titles = {n: title(path) for n, path in self.paths.items()}

    def link(self, number: str) -> str:
        return f"[{self.titles[number]}](../chapters/{self.paths[number].name})"

    def sections(self, number: str) -> dict[str, int]:
        """Minutes of each section; exercises state their own."""
        return {s.title: s.minutes for s in self.times[number].sections if s.title != "Exercises"}

    def complaints(self) -> list[str]:
        """What does not fit the chapters and the package."""
        told, found = self.told, []
        if set(told["chapters"]) != set(self.paths):
            found.append("the chapters told of are not those of the book")
        for number, chapter in told["chapters"].items():
            found += self._of_chapter(number, chapter)
        taught = [number for lecture in told["lectures"] for number in lecture["chapters"]]
        if sorted(taught) != sorted(self.paths):
            found.append("the lectures do not have each chapter once")
        for place, lecture in enumerate(told["lectures"], 1):
            found += [f"lecture {place}: {what}" for what in self._of_lecture(lecture)]
        return found

    def _needed(self, number: str) -> list[str]:
        """What a chapter's head asks for that no way of the graph leads from."""
        head = source_of(read(self.paths[number])["cells"][0])
        last = next(line for line in head.splitlines() if " minutes, exercises " in line)
        asked = last.strip("| ").split("|")[-1]
        needed = set(re.findall(r"\b\d\d[a-z]?\b", asked))
        for first, final in re.findall(r"(\d\d) to (\d\d)", asked):
            needed |= {n for n in self.paths if first <= n <= final}
        reached, ahead = set(), list(ARROWS.get(number, []))
        while ahead:
            reached.add(ahead[0])
            ahead += ARROWS.get(ahead.pop(0), [])
        return sorted(needed - reached)

    def _of_chapter(self, number: str, chapter: dict[str, Any]) -> list[str]:
        found = [f"{number}: there is no exercise {name}"
                 for name in names_in(chapter) if name not in self.by_name]  # fmt: skip
        mapped = {name for _, *names in chapter["outcomes"] for name in names}
        found += [f"{number}: no outcome has the exercise {e.name}"
                  for e in self.exercises[number] if e.name not in mapped]  # fmt: skip
        found += [f"{number}: the outcome “{outcome[0]}” has no exercise"
                  for outcome in chapter["outcomes"] if len(outcome) < 2]  # fmt: skip
        found += [f"{number}: needs {n}, and the graph does not show it"
                  for n in self._needed(number)]  # fmt: skip
        minutes = sum(chapter["cut"].values())
        if minutes not in CUT:
            found.append(f"{number}: the cut takes {minutes} minutes")
        return found

    def _of_lecture(self, lecture: dict[str, Any]) -> list[str]:
        found = []
        for number, titles in lecture["home"].items():
            found += [f"{number} has no section {t}" for t in titles
                      if t not in self.sections(number)]  # fmt: skip
        here = [e.name for number in lecture["chapters"] for e in self.exercises[number]]
        found += [f"{name} is not of its chapters" for name in lecture["solve"] if name not in here]
        if not found and self.in_class(lecture) > LONGEST_LECTURE:
            found.append(f"{self.in_class(lecture)} minutes in class are too many")
        return found

    def at_home(self, lecture: dict[str, Any]) -> int:
        return sum(self.sections(n)[t] for n, titles in lecture["home"].items() for t in titles)

    def in_class(self, lecture: dict[str, Any]) -> int:
        """Minutes of the sections that are not for home, and of what is solved in class."""
        total = sum(sum(self.sections(number).values()) for number in lecture["chapters"])
        solved = sum(self.by_name[name].minutes for name in lecture["solve"])
        return total - self.at_home(lecture) + solved

    def homework(self, lecture: dict[str, Any]) -> list[Exercise]:
        return [e for number in lecture["chapters"] for e in self.exercises[number]
                if e.core and e.name not in lecture["solve"]]  # fmt: skip


def title(path: Path) -> str:
    return source_of(read(path)["cells"][0]).splitlines()[0].removeprefix("# ").strip()


def names_in(value: object) -> list[str]:
    """All names of exercises anywhere in what is told."""
    if isinstance(value, dict):
        return [name for pair in value.items() for each in pair for name in names_in(each)]
    if isinstance(value, list):
        return [name for each in value for name in names_in(each)]
    return NAME.findall(str(value))


def coded(text: str) -> str:
    """Names of exercises as code, where they are not yet."""
    return re.sub(rf"(?<!`){NAME.pattern}(?!`)", r"`\g<0>`", text)


def plan(book: Book) -> str:
    """The lectures as a table, and what is for home."""
    lines = ["| No. | Lecture | Chapters | In class | Reading at home | Homework |",
             "|---|---|---|---|---|---|"]  # fmt: skip
    lectures, total = book.told["lectures"], [0, 0, 0]
    for place, lecture in enumerate(lectures, 1):
        work = sum(e.minutes for e in book.homework(lecture))
        minutes = [book.in_class(lecture), book.at_home(lecture), work]
        total = [a + b for a, b in zip(total, minutes)]
        links = ", ".join(
            f"[{n}](../chapters/{book.paths[n].name})" for n in lecture["chapters"]
        )  # fmt: skip
        cells = [f"{minute} min" for minute in minutes]
        lines.append(f"| {place} | {lecture['title']} | {links} | {' | '.join(cells)} |")
    hours = [f"{minute / 60:.1f} h" for minute in total]
    lines += [f"| | all | | {' | '.join(hours)} |", ""]
    for place, lecture in enumerate(lectures, 1):
        lines += [f"<details><summary>{place}. {lecture['title']}</summary>", ""]
        for number in lecture["chapters"]:
            left = lecture["home"].get(number, [])
            taught = [t for t in book.sections(number) if t not in left]
            lines.append(f"- {number} in class: {'; '.join(taught)}.")
            lines += [f"- {number} at home: {'; '.join(left)}."] if left else []
        lines.append(f"- Solved together: {listed(lecture['solve'])}.")
        lines += [f"- Homework: {listed([e.name for e in book.homework(lecture)])}."]
        lines += ["", "</details>", ""]
    return "\n".join(lines)


def listed(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def graph(book: Book) -> str:
    """The chapters and what each builds on, as a picture for light and dark pages."""
    needed = "; ".join(f"{n} needs {', '.join(before)}" for n, before in ARROWS.items())
    wide, high, step = 108, 40, 58
    rows = 1 + max(row for _, row, _ in PLACES.values())
    drawing = Drawing(
        "What each chapter builds on", f"An arrow for each: {needed}.", rows * step - 8
    )

    def corner(number: str) -> tuple[float, float]:
        column, row, _ = PLACES[number]
        return 4 + 122 * column, 4 + row * step

    for number, before in ARROWS.items():
        x, y = corner(number)
        for other in before:
            x0, y0 = corner(other)
            side, middle, center = x0 if x < x0 else x0 + wide, y0 + high / 2, x + wide / 2
            way = [(center, y0 + high), (center, y)]
            if x != x0:  # out at the side, then down
                way = [(side, middle), (center, middle), (center, y)]
            if y > y0 + step and x == x0:  # past what stands between, in the gap of two columns
                past, end = side + 4, y + high / 2
                way = [(side, middle), (past, middle), (past, end), (side, end)]
            elif y > y0 + step:
                past, above = side + 10, y - 9
                way = [(side, middle), (past, middle), (past, above), (center, above), (center, y)]
            drawing.arrow(*way)
    for number, (_, _, color) in PLACES.items():
        x, y = corner(number)
        drawing.box(x, y, wide, high, number, SHORT[number], color=color)
    return drawing.finished()._repr_html_()


def summary(book: Book) -> str:
    """How many exercises there are of each kind, by chapter."""
    head = ["Chapter", "Read, run, hear", "Exercises", "on paper", "in code", "by ear", "core"]
    lines = [f"| {' | '.join([*head, 'Points'])} |", "|---" * 8 + "|"]
    for number, exercises in book.exercises.items():
        kinds = [sum(e.kind == kind for e in exercises) for kind in ("paper", "code", "ear")]
        minutes = sum(e.minutes for e in exercises)
        lines.append(
            f"| {book.link(number)} | {sum(book.sections(number).values())} min | {minutes} min | "
            f"{' | '.join(map(str, kinds))} | {sum(e.core for e in exercises)} of "
            f"{len(exercises)} | {sum(e.points for e in exercises if e.core)} |"
        )
    every = list(book.by_name.values())
    mistakes = sum(len(e.mistakes) for e in every)
    read_minutes = sum(sum(book.sections(n).values()) for n in book.paths)
    lines += ["", f"{len(every)} exercises, {sum(e.core for e in every)} of them core; "
              f"{mistakes} wrong answers are known by name. All chapters take "
              f"{read_minutes / 60:.0f} hours, all exercises "
              f"{sum(e.minutes for e in every) / 60:.0f}."]  # fmt: skip
    return "\n".join(lines)


def hardware(book: Book) -> str:
    """What computing and installing take, as they were measured."""
    seconds = {number: times.total("seconds") for number, times in book.times.items()}
    most = max(seconds, key=lambda number: seconds[number])
    install = json.loads((ROOT / "benchmarks" / "install.json").read_text(encoding="utf-8"))
    setting_up, busy = install["the install in the last two"], install["beside other programs"]
    return (
        f"All chapters together compute for {sum(seconds.values()) / 60:.0f} minutes of one core, "
        f"chapter {most} longest with {about(seconds[most])}. Setting up a machine took "
        f"{setting_up['minutes']:.0f} minutes and {setting_up['gb']:.1f} GB on two quiet cores "
        f"with a fast network, and {busy['the install']['minutes']:.0f} minutes beside other "
        f"programs; with the whole book and all its outputs "
        f"{install['make book']['minutes']:.0f} and {busy['make book']['minutes']:.0f}."
    )


def by_chapter(book: Book) -> str:
    """The second page, whole."""
    lines = [HEAD]
    for number, told in book.told["chapters"].items():
        reading = sum(book.sections(number).values())
        lines += [f"## {book.titles[number]}", "",
                  f"{book.link(number)}: {reading} minutes, section by section in its head.", "",
                  "**A student can**", ""]  # fmt: skip
        lines += [f"- {text} ({listed(names)})" for text, *names in told["outcomes"]]
        lines += [
            "",
            "| Exercise | Kind | Minutes | Need | Points | Slips |",
            "|---|---|---|---|---|---|",
        ]
        lines += [
            f"| `{e.name}` | {KINDS[e.kind]} | {e.minutes} | {'core' if e.core else 'optional'} | "
            f"{e.points if e.core else '–'} | {len(e.mistakes)} |"
            for e in book.exercises[number]
        ]
        lines += ["", "| What students think | What shows it |", "|---|---|"]
        lines += [f"| {thought} | {coded(str(by))} |" for thought, by in told["misconceptions"]]
        lines += ["", "**To discuss**", ""]
        lines += [f"{place}. {question}" for place, question in enumerate(told["discuss"], 1)]
        cut = " · ".join(f"{what} {minutes}" for what, minutes in told["cut"].items())
        lines += ["", f"**In 50 minutes.** {coded(cut)}. At home: {coded(told['home'])}.", ""]
    return "\n".join(lines)


def pages(book: Book) -> dict[Path, str]:
    """Both pages as they should be."""
    text = PAGE.read_text(encoding="utf-8")
    for name, make in {
        "plan": plan,
        "graph": graph,
        "summary": summary,
        "hardware": hardware,
    }.items():
        place = re.search(rf"(?s)<!-- {name} -->\n(.*?)\n<!-- end -->", text)
        if not place:
            raise SystemExit(f"{shown(PAGE)}: has no place for {name}")
        text = text[: place.start(1)] + make(book) + text[place.end(1) :]
    return {PAGE: text, BY_CHAPTER: by_chapter(book)}


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 when stale")
    args = parser.parse_args()
    book = Book(yaml.safe_load(SOURCE.read_text(encoding="utf-8")))
    complaints = [f"{shown(SOURCE)}: {what}" for what in book.complaints()]
    if complaints:
        print("\n".join(complaints))
        return 1
    failed = False
    for path, text in pages(book).items():
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        if args.check:
            print(f"{shown(path)}: is stale; run: {MEND}")
            failed = True
        else:
            path.write_text(text, encoding="utf-8")
            print(f"{shown(path)}: written")
    if not failed:
        lectures = book.told["lectures"]
        average = sum(map(book.in_class, lectures)) // len(lectures)
        print(f"{len(book.by_name)} exercises, {len(lectures)} lectures of {average} minutes")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
