"""Pages carry no script that nobody uses; that none complains, `test_book_browser.py` sees."""

from pathlib import Path

import pytest
import yaml
from sphinx.application import Sphinx

ROOT = Path(__file__).resolve().parents[2]
SPHINX = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))["sphinx"]


@pytest.mark.parametrize("ours", [[], ["without_thebe"]], ids=["as it comes", "with ours"])
def test_a_page_without_thebe(tmp_path, ours):
    (tmp_path / "conf.py").write_text(f"extensions = {['sphinx_thebe', *ours]}\n")
    (tmp_path / "index.rst").write_text("Title\n=====\n\nText.\n")
    places = [str(tmp_path / name) for name in (".", ".", "html", "trees")]
    Sphinx(*places, "html", status=None, warning=None).build()
    page = (tmp_path / "html/index.html").read_text()
    # As it comes it is there, so this test would know its new name.
    assert ("thebe" in page.lower()) is not bool(ours)


def test_the_book_is_built_with_it():
    assert SPHINX["local_extensions"] == {"without_thebe": "tools"}
