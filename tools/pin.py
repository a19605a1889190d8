"""Write constraints.txt from the packages of the environment that runs this script.

    .venv/bin/python tools/pin.py

To refresh the pins: remove .venv, install the newest versions with
`python3 -m venv .venv && .venv/bin/pip install -e ".[book,test]"`, run this, then `make test`.
"""

import importlib.metadata
from pathlib import Path

from packaging.specifiers import SpecifierSet
from packaging.version import Version

ROOT = Path(__file__).resolve().parent.parent
OLDEST = "3.10.0"
# The package itself, and the installers, which every environment brings along.
NOT_PINNED = {"minicodec", "pip", "setuptools", "wheel"}
# An older release of the second needs an older one of the first, so they are pinned together.
TOGETHER = {"pydata-sphinx-theme": "sphinx-book-theme"}
# What pip would choose wrongly on an older Python than ours.
OLDER = ['sphinx-book-theme==1.1.4 ; python_full_version < "3.11"\n']
HEADER = """\
# The one place for exact versions. pyproject.toml has the lower bounds, and nothing else pins.
# Written by tools/pin.py, which says how to refresh it. A marker stands where a release has
# dropped an older Python that this project still runs on: there, pip picks the newest that fits.
"""


def marker(requires_python: str | None) -> str:
    """The environment marker for a release that does not support our oldest Python."""
    supported = SpecifierSet(requires_python or "")
    if supported.contains(OLDEST):
        return ""
    lowest = next(s.version for s in supported if s.operator in (">=", "==", "~="))
    return f' ; python_full_version >= "{lowest.removesuffix(".*")}"'


def main() -> None:
    lines = set(OLDER)
    for package in importlib.metadata.distributions():
        name = package.metadata["Name"]
        if name.lower() in NOT_PINNED:
            continue
        # "2.13.0+cpu" names a build for one kind of machine; the pin is for all of them.
        version = Version(package.version).public
        requirer = importlib.metadata.metadata(TOGETHER.get(name, name))
        lines.add(f"{name}=={version}{marker(requirer['Requires-Python'])}\n")
    target = ROOT / "constraints.txt"
    target.write_text(HEADER + "".join(sorted(lines, key=str.lower)), encoding="utf-8")
    print(f"{target.name}: {len(lines)} packages")


if __name__ == "__main__":
    main()
