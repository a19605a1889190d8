"""A package that is missing is asked for by a command that works."""

import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from minicodec.sound.installs import remedy
from minicodec.sound.judges import PACKAGES, bringing

ROOT = Path(__file__).resolve().parents[2]
ASKED = metadata.requires("minicodec") or []
KNOWN = {re.split(r"[^\w.-]", line)[0] for line in ASKED}


def named_in(text: str) -> list[str]:
    """Packages that a text hands to `remedy`, or to what hands them on."""
    return [
        name
        for call in re.findall(r"(?:remedy|_imported)\(([^()]*)\)", text)
        for name in re.findall(r"[\"']([\w.-]+)[\"']", call)
    ]


def test_versions_are_those_of_the_metadata():
    line = next(line for line in ASKED if line.startswith("datasets"))
    assert remedy("datasets") == f'pip install "{line.split(";")[0].strip()}"'


def test_without_metadata_the_names_are_enough(monkeypatch):
    def missing(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "requires", missing)
    assert remedy("accelerate", "datasets") == "pip install accelerate datasets"


def test_pip_understands_what_is_to_be_typed():
    """As a shell hands it on; nothing is looked for."""
    command = remedy("accelerate", "pip").replace("pip ", f"{sys.executable} -m pip ", 1)
    dry = command.replace("install", "install --dry-run --no-index --no-deps -q")
    done = subprocess.run(dry, shell=True, capture_output=True, text=True, check=False)
    assert "Invalid requirement" not in done.stderr, done.stderr
    assert not Path("=0.30").exists()


def test_calls_are_found_however_they_are_written():
    text = """f"{remedy('one', "two")}" + _imported("three")"""
    assert named_in(text) == ["one", "two", "three"]
    files = [p for p in ROOT.glob("minicodec/*/*.py") if p.name != "installs.py"]
    everywhere = "\n".join(path.read_text(encoding="utf-8") for path in files)
    assert {"onnx", "accelerate", "tensorboard", "datasets"} <= set(named_in(everywhere))


def test_measures_ask_for_what_is_ours_too(monkeypatch):
    monkeypatch.setattr("minicodec.sound.judges.missing", PACKAGES.get)
    asked = re.findall(r'"([\w.-]+)[>=]', bringing(*PACKAGES))
    assert len(asked) == len(set(PACKAGES.values())) and set(asked) <= KNOWN


@pytest.mark.parametrize("room", ["sound", "model", "training", "bits", "listening", "cli"])
def test_what_is_asked_for_is_known_by_that_name(room):
    """Each is a requirement of ours, so CI has installed it from where everybody does."""
    for path in (ROOT / "minicodec" / room).rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        if path.name != "installs.py":
            assert set(named_in(text)) <= KNOWN, path
            assert "minicodec[" not in text, f"{path.name}: minicodec itself is on no registry"
