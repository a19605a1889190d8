"""Packages that npm's own client brings, in the version and with the checksum that a tool states.

What was brought is kept in `_build/npm`, so that the next build needs no network.
"""

import hashlib
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

CACHE = Path(__file__).resolve().parent.parent / "_build" / "npm"


class PackageMissing(Exception):
    """Why there is no such package, as the end of a sentence."""


def fetched(package: str, sha512: str, name: str, cache: Path = CACHE) -> Path:
    """The package as a .tgz file, checked.

    Args:
        package: what npm calls it, with its version: "reveal.js@6.0.2".
        sha512: of the file, in hex.
        name: what readers call it.

    Raises:
        PackageMissing: if npm is not there, cannot bring it, or brings something else.
    """
    cache.mkdir(parents=True, exist_ok=True)
    kept = cache / f"{package.replace('@', '-')}.tgz"
    if not kept.exists():
        npm = shutil.which("npm") or shutil.which("npm", path=str(Path(sys.executable).parent))
        if npm is None:
            raise PackageMissing(f"{name}, for there was no npm to bring it")
        with tempfile.TemporaryDirectory(dir=cache) as place:
            command = [npm, "pack", package, "--pack-destination", place]
            try:
                done = subprocess.run(
                    command, cwd=place, capture_output=True, text=True, timeout=600
                )
            except (OSError, subprocess.TimeoutExpired) as error:
                raise PackageMissing(f"{name}, for npm did not bring it ({error})") from None
            packages = list(Path(place).glob("*.tgz"))
            if done.returncode or not packages:
                print(done.stderr[-2000:])
                raise PackageMissing(f"{name}, for npm could not bring it")
            packages[0].replace(kept)
    found = hashlib.sha512(kept.read_bytes()).hexdigest()
    if found != sha512:
        kept.unlink()
        raise PackageMissing(f"{name}, for what npm brought is not {package} ({found})")
    return kept
