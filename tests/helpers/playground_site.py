"""The playground as a small site: what the built book has of it, and nothing else.

    python tests/helpers/playground_site.py FOLDER        to work on it

Without npm, and without a runtime kept from before, tests that need it are skipped; with
MINICODEC_REQUIRE_NODE=1 they fail instead.
"""

import re
import shutil
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, "tools")

import playground
from browsing import unavailable

PAGE = "book/playground.html"
BARE = """<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>Playground</title>
<meta name="viewport" content="width=device-width, initial-scale=1"></head>
<body><main><h1>Playground: the codec in this page</h1>
{}</main></body>
</html>
"""


def build(folder: Path) -> None:
    """Lay out playground, clips and page below `folder`, as the built book does."""
    index = playground.lay_out(folder / "playground")
    if index["runtime"] is None:
        unavailable(index["why"], "NODE")
    static = Path("_static", "clips")
    shutil.copytree(playground.ROOT / "book" / static, folder / static)
    text = (playground.ROOT / "book" / "playground.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"^```\{raw\} html\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    (folder / PAGE).parent.mkdir()
    (folder / PAGE).write_text(BARE.format(block), encoding="utf-8")


class Handler(SimpleHTTPRequestHandler):
    """Says nothing of what it serves, and does not ask this machine what `.js` is."""

    extensions_map = {**SimpleHTTPRequestHandler.extensions_map, ".js": "text/javascript"}

    def log_message(self, *_):
        pass


@contextmanager
def serve(folder: Path) -> Iterator[str]:
    """Its address while it is served, without a slash at the end."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


if __name__ == "__main__":
    build(Path(sys.argv[1]))
