"""The table of contents is the architecture: the rules of the house, read from docstrings.

A module's docstring says what it is. "Chapters 02 and 04." in a line of its own: these chapters
build it, it is *taught*. "Support:" at the beginning: it only helps. What a chapter builds is said
a second time, in the book's table of chapters; the two must agree.

A module exists for others from its first chapter on, and it is finished in its last one. So a
taught module may import what has begun by its own last chapter: `seanet`, begun in chapter 03 and
finished in 04, imports `conv` of chapter 02. Support may import what its room may: it is not read
in any order. But it hides nothing: what a taught module reaches through support counts as if it
imported that itself. Chapter 00 alone looks ahead: it plays the finished codec, so what belongs to
it may rest on all that its room may.
"""

import ast
import json
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

# Two digits, and a letter where a chapter was put between two others: 01, 01b, 02.
NUMBER = r"\d\d[a-z]?"
_CHAPTERS = rf"Chapters? ({NUMBER}(?:(?:, | and | to ){NUMBER})*)\."


@dataclass
class Module:
    """One file of the package."""

    name: str  #: with dots, beginning with minicodec
    tree: ast.Module
    is_package: bool

    @cached_property
    def docstring(self) -> str:
        return ast.get_docstring(self.tree) or ""

    @property
    def support(self) -> bool:
        return self.docstring.startswith("Support:")

    @property
    def chapters(self) -> list[str]:
        """Those that build it; none for support. A room says them anywhere, a module in a line."""
        pattern = _CHAPTERS if self.is_room else f"^{_CHAPTERS}"
        stated = re.search(pattern, self.docstring, re.MULTILINE)
        if self.support or not stated:
            return []
        return re.findall(NUMBER, stated[1])

    @property
    def taught(self) -> bool:
        return bool(self.chapters) and not self.is_room

    @property
    def is_room(self) -> bool:
        return self.is_package and self.name.count(".") == 1

    @property
    def room(self) -> str:
        """Its first folder; none for the package's own files."""
        parts = self.name.split(".")
        return parts[1] if len(parts) > 2 or self.is_room else ""

    @property
    def fast(self) -> bool:
        """Whether it is there for speed: whoever learns need not read it."""
        return ".fast." in f"{self.name}." or self.name.endswith("_fast")

    def defines(self) -> set[str]:
        """Names of its own functions and classes."""
        kinds = (ast.FunctionDef, ast.ClassDef)
        return {node.name for node in self.tree.body if isinstance(node, kinds)}


class House:
    """The package in a folder, its imports, and everything that is wrong with them."""

    def __init__(self, root: Path):
        self.root = root
        self.modules: dict[str, Module] = {}
        for path in sorted((root / "minicodec").rglob("*.py")):
            parts = path.relative_to(root).with_suffix("").parts
            is_package = parts[-1] == "__init__"
            name = ".".join(parts[:-1] if is_package else parts)
            tree = ast.parse(path.read_text(encoding="utf-8"))
            self.modules[name] = Module(name, tree, is_package)

    @cached_property
    def imports(self) -> dict[str, set[str]]:
        """Modules that each module imports, inside of functions too, but not by a string."""
        return {name: self._imports_of(module) for name, module in self.modules.items()}

    @cached_property
    def rooms(self) -> list[str]:
        """From the lowest to the highest: by the last chapter that a room states.

        A room that is support has no chapters, and stands above all that have; the command is the
        highest, for it may use everything.
        """
        rooms = [module for module in self.modules.values() if module.is_room]
        by_chapter = sorted(rooms, key=lambda m: (max(m.chapters, default="~"), m.room == "cli"))
        return [room.room for room in by_chapter]

    def complaints(self) -> list[str]:
        """Everything that is wrong, a sentence each."""
        return [*self._unplaced(), *self._upward(), *self._later(), *self._untaught()]

    def _unplaced(self) -> list[str]:
        return [
            f"{name} says neither 'Chapter …' nor 'Support:'."
            for name, module in self.modules.items()
            if module.room and not module.chapters and not module.support
        ]

    def _upward(self) -> list[str]:
        found = []
        height = {room: index for index, room in enumerate(self.rooms)}
        height[""] = len(self.rooms) - 1  # the package's own files: its front door
        for name, imported in self.imports.items():
            module = self.modules[name]
            for other in sorted(imported):
                to = self.modules[other]
                if height[to.room] > height[module.room]:
                    found.append(f"{name} imports {other}, which is in a higher room.")
                elif module.taught and to.fast:
                    found.append(f"{name} is taught, but imports {other}, made for speed.")
        return found

    def _later(self) -> list[str]:
        found = []
        for name, module in self.modules.items():
            if not module.taught or module.chapters[-1] == "00":
                continue
            for other, way in self._reached(name).items():
                first = self.modules[other].chapters[0]
                if first > module.chapters[-1]:
                    through = f" through {', '.join(way)}" if way else ""
                    found.append(
                        f"{name} of chapter {module.chapters[-1]} imports {other} of chapter "
                        f"{first}{through}."
                    )
        return found

    def _untaught(self) -> list[str]:
        """Docstrings, the book's table of chapters and the chapters say the same."""
        found, table = [], self._table()
        for name, module in self.modules.items():
            listed = sorted(chapter for chapter, names in table.items() if name in names)
            if module.support and listed:
                found.append(f"{name} is support, but chapter {listed[0]} builds it.")
            for chapter in module.chapters if module.taught else []:
                if chapter in table and chapter not in listed:
                    found.append(f"{name} states chapter {chapter}, whose row does not list it.")
                if chapter in self._texts and not self._mentions(self._texts[chapter], module):
                    found.append(f"{name} states chapter {chapter}, which does not mention it.")
            if module.taught:
                for chapter in set(listed) - set(module.chapters):
                    found.append(f"chapter {chapter} builds {name}, which does not state it.")
        known = self.modules.keys()
        for chapter, names in table.items():
            for name in sorted(names - known):
                found.append(f"chapter {chapter} builds {name}, which there is not.")
        return found

    def _reached(self, name: str) -> dict[str, list[str]]:
        """Taught modules that one imports, itself or through support, and the way to each."""
        reached: dict[str, list[str]] = {}
        seen, queue = {name}, [(name, [])]
        while queue:
            current, way = queue.pop(0)
            for other in sorted(self.imports[current] - seen):
                seen.add(other)
                if self.modules[other].taught:
                    reached[other] = way
                elif self.modules[other].room:  # not the front door
                    queue.append((other, [*way, other]))
        return reached

    def _imports_of(self, module: Module) -> set[str]:
        found = set()
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                base = node.module or ""
                if node.level:
                    home = module.name.split(".")
                    home = home[: len(home) - node.level + module.is_package]
                    base = ".".join([*home, *filter(None, [base])])
                found.add(base)
                found |= {f"{base}.{alias.name}" for alias in node.names}
        inside = found & self.modules.keys()
        # `from a.b import c` imports c, if that is a module; that a.b is passed on the way is
        # no dependency on it.
        passed = {n.rpartition(".")[0] for n in inside} - {module.name}
        return {n for n in inside if n not in passed} - {module.name}

    @cached_property
    def _texts(self) -> dict[str, str]:
        """Code and prose of each chapter."""
        texts = {}
        for path in (self.root / "chapters").glob("[0-9][0-9]*_*.ipynb"):
            cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
            number = path.stem.partition("_")[0]
            texts[number] = "\n".join("".join(cell["source"]) for cell in cells)
        return texts

    def _mentions(self, text: str, module: Module) -> bool:
        """By its name, or by one of its functions or classes, imported from its room."""
        if re.search(rf"{re.escape(module.name)}\b|{module.name.replace('.', '/')}\.py", text):
            return True
        doors = {"minicodec", f"minicodec.{module.room}", module.name}
        names = module.defines() | {module.name.rpartition(".")[2]}
        for door, plain, listed in re.findall(
            r"from (minicodec[\w.]*) import (?:([\w, ]+)|\(([^)]*)\))", text
        ):
            if door in doors and names & set(re.findall(r"\w+", plain + listed)):
                return True
        return bool(names & set(re.findall(rf"\b(?:minicodec|{module.room})\.(\w+)", text)))

    def _table(self) -> dict[str, set[str]]:
        """What each chapter builds, by the table of `book/intro.md`."""
        page = (self.root / "book" / "intro.md").read_text(encoding="utf-8")
        rows = re.findall(rf"^\| \[({NUMBER}) .*\| (.*) \|$", page, re.MULTILINE)
        return {
            chapter: {f"minicodec.{name}" for name in re.findall(r"`(\w+\.\w+)`", built)}
            for chapter, built in rows
        }
