"""Run the chapters side by side, into the cache from which the book takes its outputs.

    python tools/run_chapters.py        as `make chapters` and `make book` do

Sphinx would run them one after another. Chapters that have not changed are not run again.
"""

import logging
import sys

from jupyter_cache import get_cache
from jupyter_cache.cache.main import JupyterCacheBase
from jupyter_cache.executors import load_executor
from notebooks import ROOT, chapters

CACHE = ROOT / "_build" / ".jupyter_cache"
HANGS = 900  # seconds for one cell, on the busiest machine


def run(cache: JupyterCacheBase, paths: list[str]) -> dict[str, str]:
    """What was raised, by chapter; empty if all have run, now or before."""
    for path in paths:
        cache.add_nb_to_project(path)
    # At this level it says where it is, for it takes minutes.
    logger = logging.getLogger("chapters")
    logger.setLevel(logging.INFO)
    executor = load_executor("local-parallel", cache, logger)
    ended = executor.run_and_cache(filter_uris=paths, timeout=HANGS)
    return {
        path: str(cache.get_project_record(path).traceback or "could not be run")
        for path in (*ended.excepted, *ended.errored)
    }


def main() -> int:
    paths = [str(path) for path in chapters()]
    raised = run(get_cache(CACHE), paths)
    for path, traceback in raised.items():
        print(f"\n{path}\n{traceback}")
    print(f"{len(paths) - len(raised)} of {len(paths)} chapters run through")
    return 1 if raised else 0


if __name__ == "__main__":
    sys.exit(main())
