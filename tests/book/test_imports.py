"""Who imports a room does not wait for libraries that only drawing, notebooks or examples need."""

import pkgutil
import subprocess
import sys

import pytest

import minicodec

SLOW = ("matplotlib", "pandas", "IPython", "ipywidgets", "scipy", "librosa", "accelerate")
ROOMS = ("sound", "model", "bits", "listening")
SCRIPT = """
import importlib, sys
for name in sys.argv[2:]:
    importlib.import_module(name)
print(*(name for name in sys.argv[1].split() if name in sys.modules))
"""


def modules(room: str) -> list[str]:
    """All modules of a room, but for the one that draws."""
    path = [f"{minicodec.__path__[0]}/{room}"]
    found = [each.name for each in pkgutil.walk_packages(path, f"minicodec.{room}.")]
    return [name for name in found if name != "minicodec.sound.plotting"]


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_is_entered_without_slow_libraries(room):
    names = modules(room)
    assert len(names) > 5
    result = subprocess.run(
        [sys.executable, "-c", SCRIPT, " ".join(SLOW), *names],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (result.returncode, result.stdout.split()) == (0, []), result.stderr
