"""`tools/check_numbers.py` writes what stands in the pages, and finds what is stale."""

import shutil

import check_numbers
import pytest
from notebooks import ROOT

FILES = (
    "book/bitstream.md",
    "book/exact-language-model.md",
    "chapters/12_a_language_model_for_codes.ipynb",
    "minicodec/bits/prior_file.py",
    "tests/model/test_snake.py",
)


@pytest.fixture
def copies(tmp_path, monkeypatch):
    """Files that the tool may write."""
    for name in FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    monkeypatch.setattr(check_numbers, "ROOT", tmp_path)
    return tmp_path


def test_what_stands_there_is_what_would_be_written(copies):
    page, before = copies / FILES[1], "codebook 0             "
    text = page.read_text(encoding="utf-8")
    assert before in text
    page.write_text(text.replace(before, before + "7 "), encoding="utf-8")
    check_numbers.main()
    for name in FILES:
        assert (copies / name).read_bytes() == (ROOT / name).read_bytes()


def test_a_page_without_the_number_is_told(copies):
    page = copies / "book/bitstream.md"
    page.write_text("nothing", encoding="utf-8")
    with pytest.raises(SystemExit, match="bitstream.md: nothing is like"):
        check_numbers.main()
