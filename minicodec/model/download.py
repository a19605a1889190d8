"""Support: one file from the network, of a size that is bounded, checked before it is kept."""

import hashlib
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from email.message import Message
from http.client import HTTPException
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

from tqdm import tqdm

from minicodec.sound.files import reason, whole

#: The larger official file has 93 MB.
MOST_BYTES = 256_000_000
#: Seconds to wait for the next bytes, and for all of them: a server may be silent, or endless.
_SILENCE, _PATIENCE = 30.0, 3600.0
_BLOCK = 1 << 16


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows a few redirects, but from https never to anything else, and to files never."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Any,
        newurl: str,
    ) -> urllib.request.Request | None:  # fmt: skip
        allowed = {"https"} if req.type == "https" else {"http", "https"}
        if urlsplit(newurl).scheme not in allowed:
            raise OSError(f"it is redirected to {newurl[:80]!r}")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def download(url: str, target: Path, sha256: str) -> None:
    """Fetch a file, with a bar; it appears whole and checked, or not at all.

    Several processes may fetch the same at once: each writes a part of its own.

    Args:
        url: of https, or of http where the caller says so.
        sha256: the first hex digits of its hash, as many as are known.

    Raises:
        ValueError: in one sentence, if it cannot be had, has more than `MOST_BYTES`, comes too
            slowly, or is not the file that the hash names.
    """
    if urlsplit(url).scheme not in ("http", "https"):
        raise ValueError(f"{url} is no address of https.")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ValueError(f"{target.parent} cannot be made: {reason(error)}.") from error
    digest = hashlib.sha256()
    with whole(target) as part, part.open("wb") as file:
        for block in _blocks(url, target.name):
            digest.update(block)
            file.write(block)
        if not digest.hexdigest().startswith(sha256):
            raise ValueError(
                f"what came from {url} is not the official file: it is cut short or another file, "
                f"for its sha256 does not begin with {sha256}. Nothing was kept; try again."
            )


def _blocks(url: str, name: str) -> Iterator[bytes]:
    """What comes, as it comes."""
    opener = urllib.request.build_opener(_Redirects)
    began, size = time.monotonic(), 0
    try:
        with opener.open(url, timeout=_SILENCE) as answer:
            stated = _stated(answer.headers)
            with tqdm(desc=name, total=stated, unit="B", unit_scale=True, leave=False) as bar:
                # read1: what is there now. A whole block of a slow server could take for ever.
                while block := answer.read1(_BLOCK):
                    size += len(block)
                    if max(size, stated or 0) > MOST_BYTES:
                        raise OSError(f"it has more than {MOST_BYTES} bytes")
                    if time.monotonic() - began > _PATIENCE:
                        raise TimeoutError(f"timed out: it takes longer than {_PATIENCE:.0f} s")
                    bar.update(len(block))
                    yield block
    except (HTTPException, OSError) as error:
        # Of an endless circle of redirects the library says so in several lines.
        plain = error.reason if type(error) is urllib.error.URLError else error
        first = str(plain).strip().split("\n")[0].rstrip(".")
        raise ValueError(
            f"{url} could not be downloaded ({first}). Try again, or fetch it yourself and pass "
            "path=."
        ) from error


def _stated(headers: Message) -> int | None:
    """The length that a server states, for the bar; what counts is what comes."""
    text = headers.get("Content-Length", "")
    return int(text) if text.isdecimal() and len(text) < 20 else None
