"""The table of contents is the architecture: docstrings, imports and chapters agree."""

import json
import shutil
from pathlib import Path

import pytest
from house import House

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The package, the chapters and the table of the book, to be spoilt."""
    for folder in ("minicodec", "chapters"):
        ignored = shutil.ignore_patterns("__pycache__", "weights", "web")
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=ignored)
    (tmp_path / "book").mkdir()
    shutil.copy(ROOT / "book" / "intro.md", tmp_path / "book")
    return tmp_path


def add(root: Path, module: str, text: str) -> None:
    """Append lines to a module; a new one begins with them."""
    with (root / "minicodec" / f"{module}.py").open("a") as file:
        file.write(f"\n{text}\n" if file.tell() else text)


def replace(path: Path, old: str, new: str) -> None:
    """Change one place of a file, which must be there."""
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_the_house_keeps_its_rules():
    assert House(ROOT).complaints() == []


def test_rooms_stand_in_the_order_of_their_chapters():
    rooms = House(ROOT).rooms
    assert rooms == [
        "sound",
        "model",
        "training",
        "bits",
        "listening",
        "generation",
        "exercises",
        "cli",
    ]


def test_a_copy_is_checked_in_place(copy):
    assert House(copy).complaints() == []


def test_a_module_that_does_not_say_what_it_is(copy):
    add(copy, "bits/homeless", '"""It only helps, but does not say so."""\n')
    (complaint,) = House(copy).complaints()
    assert complaint == "minicodec.bits.homeless says neither 'Chapter …' nor 'Support:'."


@pytest.mark.parametrize(
    "line",
    [
        "import minicodec.bits.bitstream",
        "from minicodec.bits import bitstream",
        "from minicodec.bits.bitstream import compress",
        "from ..bits import bitstream",
        "def late():\n    from minicodec.bits.bitstream import compress",
    ],
)
@pytest.mark.parametrize("module", ["model/conv", "model/config"])
def test_an_import_of_a_higher_room(copy, module, line):
    add(copy, module, line)
    name = f"minicodec.{module.replace('/', '.')}"
    wrong = f"{name} imports minicodec.bits.bitstream, which is in a higher room."
    assert wrong in House(copy).complaints()


def test_the_front_door_is_for_those_outside(copy):
    add(copy, "model/config", "import minicodec")
    (complaint,) = House(copy).complaints()
    assert complaint == "minicodec.model.config imports minicodec, which is in a higher room."


@pytest.mark.parametrize(
    ("module", "line", "other"),
    [
        ("model/conv", "from minicodec.model import fast", "minicodec.model.fast"),
        ("bits/bitstream", "from minicodec.bits.exact_fast import faster",
         "minicodec.bits.exact_fast"),
    ],
)  # fmt: skip
def test_taught_code_does_not_know_what_makes_it_fast(copy, module, line, other):
    add(copy, module, line)
    name = f"minicodec.{module.replace('/', '.')}"
    wrong = f"{name} is taught, but imports {other}, made for speed."
    assert wrong in House(copy).complaints()


@pytest.mark.parametrize(
    "line",
    [
        "from minicodec.model.quantize import nearest",
        "def late():\n    from minicodec.model import quantize",
    ],
)
def test_an_import_of_a_later_chapter(copy, line):
    """Conv is finished in chapter 04, and quantize begins in 05."""
    add(copy, "model/conv", line)
    wrong = "minicodec.model.conv of chapter 04 imports minicodec.model.quantize of chapter 05."
    assert wrong in House(copy).complaints()


def test_support_hides_no_later_chapter(copy):
    add(
        copy,
        "model/detour",
        '"""Support: a way round."""\n\nfrom minicodec.model import quantize\n',
    )
    assert House(copy).complaints() == []
    add(copy, "model/conv", "from minicodec.model import detour")
    wrong = (
        "minicodec.model.conv of chapter 04 imports minicodec.model.quantize of chapter 05 "
        "through minicodec.model.detour."
    )
    assert wrong in House(copy).complaints()


def test_an_import_of_an_earlier_or_the_same_chapter_is_fine(copy):
    add(copy, "model/quantize", "from minicodec.model.conv import Conv1d")
    add(copy, "training/losses", "from minicodec.training import discriminator")
    assert House(copy).complaints() == []


def test_a_chapter_between_two_others(copy):
    """01c comes after 01 and 01b, and before 02."""
    add(copy, "sound/masking", '"""Masking.\n\nChapter 01c.\n"""\n')
    (copy / "chapters" / "01c_masking.ipynb").write_text('{"cells": []}')
    assert House(copy).complaints() == [
        "minicodec.sound.masking states chapter 01c, which does not mention it."
    ]
    (copy / "chapters" / "01c_masking.ipynb").unlink()
    add(copy, "model/conv", "from minicodec.sound import masking")
    assert House(copy).complaints() == []
    add(copy, "sound/audio", "from minicodec.sound import masking")
    (complaint,) = House(copy).complaints()
    assert complaint == (
        "minicodec.sound.audio of chapter 01 imports minicodec.sound.masking of chapter 01c."
    )
    page = copy / "book" / "intro.md"
    replace(page, "| [02 Conv", "| [01c Masking](x) | ears | `sound.metrics` |\n| [02 Conv")
    wrong = "chapter 01c builds minicodec.sound.metrics, which does not state it."
    assert wrong in House(copy).complaints()


def test_a_taught_module_that_its_chapter_does_not_mention(copy):
    path = next((copy / "chapters").glob("09_*.ipynb"))
    notebook = json.loads(path.read_text(encoding="utf-8"))
    notebook["cells"] = notebook["cells"][:1]
    path.write_text(json.dumps(notebook))
    (complaint,) = House(copy).complaints()
    assert complaint == (
        "minicodec.training.balancer states chapter 09, which does not mention it."
    )


def test_support_that_a_chapter_builds(copy):
    replace(copy / "minicodec/training/balancer.py", '"""The', '"""Support: the')
    (complaint,) = House(copy).complaints()
    assert complaint == "minicodec.training.balancer is support, but chapter 09 builds it."


def test_a_chapter_and_a_module_that_disagree(copy):
    page = copy / "book" / "intro.md"
    replace(page, "| `training.balancer` |", "| `training.update` |")
    assert House(copy).complaints() == [
        "minicodec.training.balancer states chapter 09, whose row does not list it.",
        "chapter 09 builds minicodec.training.update, which does not state it.",
    ]
    replace(page, "| `training.update` |", "| `training.balance` |")
    assert House(copy).complaints()[-1] == (
        "chapter 09 builds minicodec.training.balance, which there is not."
    )
