"""What SECURITY.md promises: each test that it names exists, and nothing runs what it reads."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
SOURCES = sorted(path for room in ("minicodec", "tools") for path in (ROOT / room).rglob("*.py"))

#: Modules whose readers run what they read.
UNPICKLERS = r"(pickle|cPickle|_pickle|dill|joblib|cloudpickle|marshal|shelve|jsonpickle)"


def complaints(code: str) -> list[str]:
    """Every call in a source that could run what comes from outside: line and why."""
    found = []
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            names = [alias.name for alias in node.names]
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else names
            found += [
                f"line {node.lineno}: {name} runs what it reads"
                for name in names
                if re.fullmatch(UNPICKLERS, name.partition(".")[0])
            ]
        if not isinstance(node, ast.Call):
            continue
        name = ast.unparse(node.func)
        words = {word.arg: ast.unparse(word.value) for word in node.keywords}
        wrong = {
            "it runs text": name in ("eval", "exec", "os.system", "os.popen"),
            "it unpickles": name == "torch.load" and words.get("weights_only") != "True",
            "a pickle may be in it": words.get("allow_pickle", "False") != "False",
            "YAML can make any object": name == "yaml.load" or name.startswith("yaml.unsafe"),
            "a shell reads it": words.get("shell", "False") != "False",
            "torch.hub runs a repository": name == "torch.hub.load",
            "it trusts": words.get("trust_remote_code", "False") != "False",
        }
        found += [f"line {node.lineno}: {why}" for why, holds in wrong.items() if holds]
    return found


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_runs_what_it_reads(path):
    assert complaints(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "code",
    [
        "import pickle",
        "from pickle import loads",
        "import dill as json",
        "import joblib.externals",
        "eval(input())",
        "exec(text)",
        "torch.load(path)",
        "torch.load(path, weights_only=False)",
        "np.load(path, allow_pickle=True)",
        "yaml.load(text)",
        "yaml.unsafe_load(text)",
        "subprocess.run(words, shell=True)",
        "os.system(words)",
        "torch.hub.load(a, b)",
        "load_dataset(name, trust_remote_code=yes)",
    ],
)
def test_what_would_run_it_is_found(code):
    """In a module that is otherwise right."""
    source = (ROOT / "minicodec" / "model" / "pretrained.py").read_text(encoding="utf-8")
    assert complaints(source) == []
    assert len(complaints(f"{source}\n\ndef added():\n    {code}\n")) == 1


def test_what_is_harmless_is_left_alone():
    code = "model.eval()\nexecute(x)\ntorch.load(x, weights_only=True)\nrun(x, shell=False)\n"
    assert complaints(code + "yaml.safe_load(x)\nre.compile(x)\n") == []


def named_tests(page: str) -> list[tuple[str, str]]:
    """File and function of each test that a page names."""
    return re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", page)


def missing(page: str) -> list[str]:
    """Tests that a page names and that there are not."""
    lacking = []
    for file, name in named_tests(page):
        path = ROOT / file
        code = path.read_text(encoding="utf-8") if path.is_file() else ""
        if not re.search(rf"^def {name}\(", code, re.MULTILINE):
            lacking.append(f"{file}::{name}")
    return lacking


def test_every_promise_has_its_tests():
    assert missing(PAGE) == []
    assert len(named_tests(PAGE)) >= 30
    promises = PAGE[: PAGE.index("## What is not promised")]
    # The last one is a warning: what is known of the official files.
    items = re.findall(r"^- (?:.|\n(?!- |\n))*", promises, re.MULTILINE)
    bare = [item for item in items if not named_tests(item)]
    assert len(items) > 20 and len(bare) == 1 and "32 bits" in bare[0]


def test_a_promise_without_its_test_is_found():
    wrong = PAGE.replace("test_json_in_files", "test_json_in_flies")
    assert missing(wrong) == ["tests/model/test_fields.py::test_json_in_flies"]
    assert missing("`tests/nowhere/test_x.py::test_x`") == ["tests/nowhere/test_x.py::test_x"]
