"""Every comparison with an official package runs where that package does not import."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from notebooks import chapters, dumps, from_text, read, source_of
from official_results import asked, main, names, needed, official_cells, stale

from minicodec.sound import official

ROOT = Path(__file__).resolve().parents[2]
SAVED = json.loads(official.RESULTS.read_text(encoding="utf-8"))
BROKEN = 'raise OSError("libcudart.so.13: cannot open shared object file")'


def test_saved_results_are_those_of_the_functions_as_they_are():
    assert stale(SAVED) == [], "run: python tools/official_results.py"


def test_no_chapter_imports_an_official_package_in_another_way():
    """What `official.run` is not told of ends in an error where torchaudio is broken."""
    for path in chapters():
        for cell in read(path)["cells"]:
            if cell["cell_type"] != "code":
                continue
            source = source_of(cell)
            guarded = "".join(asked(source).values()) if "official.run(" in source else ""
            imports = r"^\s*(?:from|import) (?:encodec|torchaudio)\b.*$"
            for line in re.findall(imports, source, re.MULTILINE):
                assert line in guarded, f"{path.stem}: {line.strip()}"


def test_every_cell_runs_where_torchaudio_is_broken(tmp_path):
    (tmp_path / "torchaudio").mkdir()
    (tmp_path / "torchaudio" / "__init__.py").write_text(BROKEN)
    env = os.environ | {"PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "tools/official_results.py", "--run"]
    ran = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    cells = ran.stdout.split("== ")[1:]
    asking = [found for _, _, found in official_cells([])]
    assert len(cells) == len(asking)
    assert {name for found in asking for name in found} == SAVED.keys()
    for cell in cells:  # one may rest on what an earlier one was told
        lines = [line for line in cell.splitlines() if "does not import here" in line]
        assert lines, cell
        assert all("OSError: libcudart.so.13" in line and "changed" not in line for line in lines)


def test_every_cell_runs_with_the_package_and_gives_what_is_saved(monkeypatch):
    """In kind: counts and lists as long; the numbers may depend on the machine."""
    pytest.importorskip("encodec")
    from official_results import record

    new = record([])
    assert new.keys() == SAVED.keys()
    for name, result in new.items():
        assert kind(result["value"]) == kind(SAVED[name]["value"]), name


def kind(value):
    if isinstance(value, dict):
        return {key: kind(each) for key, each in value.items()}
    if isinstance(value, list):
        return {str(kind(each)) for each in value}
    return type(value)


CHAPTER = """# %% [markdown]
# # Title

# %% tags=["setup"]
# %pip install nothing

# %%
import math
noise, unused = 3, open("/nowhere") if False else 0

# %%
def double(x):
    return 2 * math.floor(x)
raise SystemExit("what is not needed is not run")

# %%
from minicodec.sound import official

def asks():
    import json
    return double(noise)

print(official.run("00.a", asks, package="json"))
"""


@pytest.fixture
def book(tmp_path, monkeypatch):
    """A book of one chapter, whose results are saved elsewhere."""
    path = tmp_path / "00_a.ipynb"
    path.write_text(dumps(from_text(CHAPTER)))
    monkeypatch.setattr("official_results.chapters", lambda: [path])
    monkeypatch.setattr(official, "RESULTS", tmp_path / "results.json")
    return path


def test_only_what_a_cell_needs_runs_before_it(book):
    ((chapter, code, found),) = official_cells([])
    assert (chapter, list(found)) == ("00_a", ["00.a"])
    assert code.startswith("import math\nnoise, unused") and "SystemExit" not in code
    assert list(official_cells(["01"])) == []


def test_results_are_saved_and_found_stale(book, monkeypatch, capsys):
    def tool(*words):
        monkeypatch.setattr(sys, "argv", ["official_results.py", *words])
        status = main()
        return status, capsys.readouterr().out

    assert tool("--check") == (1, "00.a: is not saved; run: python tools/official_results.py\n")
    assert tool()[0] == 0
    saved = json.loads(official.RESULTS.read_text())
    assert saved["00.a"]["value"] == 6
    assert tool("--check") == (0, "1 results of the official packages are saved\n")
    assert tool("--run") == (0, "== 00_a: 00.a\n6\n")
    book.write_text(book.read_text().replace("double(noise)", "double(noise) + 1"))
    status, said = tool("--check")
    assert status == 1 and said.startswith("00.a: its function has changed")
    book.write_text(dumps(from_text(CHAPTER.replace("00.a", "00.b"))))
    assert "00.a: is saved, but no chapter asks for it" in tool("--check")[1]
    assert tool("00")[0] == 1  # what another chapter may have asked for stays
    assert tool()[0] == 0


def test_names_are_those_of_the_cell_and_not_of_its_functions():
    made, used = names("def f(a):\n    b = a + c\n    return b\nd = f(e)")
    assert made == {"f", "d"} and used == {"c", "e", "f"}
    assert needed(["a = 1\nb = 2", "c = a"], 1) == "a = 1\nc = a"
