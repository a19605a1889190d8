"""The book as plain text: every page is there, without what only a browser shows."""

import re
import subprocess
import sys

import pytest
from check_book import toc_pages
from notebooks import ROOT, from_text
from plain_text import about, text_of, written

TOOL = ROOT / "tools" / "plain_text.py"
CHAPTER = """\
# %% [markdown]
# # 02 Small
#
# [![Open in Colab](../book/_static/colab-badge.svg)](https://colab.research.google.com/x)
#
# | You will build | You will hear |
# |---|---|
# | a *filter*, by hand | clicks |
#
# <details><summary>Minutes by section</summary>
#
# | Opening | 2 |
#
# </details>
#
# A [codebook](../book/glossary.md#codebook "A list of vectors.") and ![a curve](x.png); see
# [chapter 03](03_next.ipynb#end).

# %% tags=["setup"]
# %pip install x

# %%
print("é")
"""


@pytest.fixture(scope="module")
def laid(tmp_path_factory):
    folder = tmp_path_factory.mktemp("html")
    subprocess.run([sys.executable, TOOL, folder], check=True, capture_output=True)
    return folder


def test_a_chapter_becomes_prose_and_code():
    text = text_of(from_text(CHAPTER))
    assert text.startswith("# 02 Small\n\n| You will build")
    assert '```python\nprint("é")\n```\n' in text
    assert "[codebook](../book/glossary.md#codebook) and *a curve*" in text
    assert "(03_next.md#end)" in text
    for gone in ("colab", "Minutes by section", "pip install", "A list of vectors"):
        assert gone not in text
    assert about("chapters/02_small", text) == "a filter, by hand"


def test_every_page_is_there_and_named(laid):
    named = re.findall(r"^- \[.+?\]\((\S+)\)", (laid / "llms.txt").read_text(), flags=re.M)
    assert named == [f"{page}.md" for page in toc_pages()]
    for name in named:
        assert re.match(r"(\(\w+\)=\n)?# \S", (laid / name).read_text(encoding="utf-8")), name


def test_every_chapter_says_what_it_builds(laid):
    lines = (laid / "llms.txt").read_text(encoding="utf-8").splitlines()
    chapters = [line for line in lines if line.startswith("- [") and "](chapters/" in line]
    assert chapters and all(re.search(r"\.md\): \S", line) for line in chapters)


def test_links_between_texts_lead_to_texts(laid):
    for path in sorted(laid.glob("*/*.md")):
        for link in re.findall(r"\]\((\.?\.?/?[\w./-]+\.md)", path.read_text(encoding="utf-8")):
            assert (path.parent / link).is_file(), f"{path.name}: {link}"


def test_what_is_no_page_is_said_in_a_sentence(tmp_path):
    with pytest.raises(ValueError, match="neither a notebook nor Markdown"):
        written("book/nothing")
    done = subprocess.run(
        [sys.executable, TOOL, tmp_path / "nothing"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2 and "name the folder of the built book" in done.stdout
