"""`tools/check_numbers.py` writes what stands in the pages, and finds what is stale."""

import re
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


def test_every_number_is_written_anew(copies):
    """All fingerprints, hashes, codes of silence and frequencies, each spoilt before."""
    numbers = r"\b[0-9a-f]{64}\b|(?<=[`\"'])[0-9a-f]{16}(?=[`\"'])|(?<=  )[0-9a-f]{16}(?=  )"
    for name in FILES:
        text = (copies / name).read_text(encoding="utf-8")
        spoilt = re.sub(numbers, lambda match: len(match[0]) * "0", text)
        spoilt = re.sub(r"(?m)^\d+( \d+){15}$", " ".join(16 * "0"), spoilt)
        spoilt = re.sub(r"(?m)^( +(?:layer|codebook) \d +)-?\d+", r"\g<1>7", spoilt)
        assert spoilt != text, name
        (copies / name).write_text(spoilt, encoding="utf-8")
    check_numbers.main()
    for name in FILES:
        assert (copies / name).read_bytes() == (ROOT / name).read_bytes(), name


def test_a_page_without_the_number_is_told(copies):
    page = copies / "book/bitstream.md"
    page.write_text("nothing", encoding="utf-8")
    with pytest.raises(SystemExit, match="bitstream.md: nothing is like"):
        check_numbers.main()
