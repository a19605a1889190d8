"""Places where the book opens besides one's own machine: their files fit what is there."""

import importlib.metadata
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

try:
    import tomllib
except ModuleNotFoundError:  # Python 3.10
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[2]
POST_BUILD = ROOT / ".binder/postBuild"


def project() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def pins(name: str) -> dict[str, str]:
    """What a file of pins says, by normalized name; lines for other Pythons stay out."""
    found = {}
    for line in (ROOT / name).read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            requirement = Requirement(line)
            if not requirement.marker or requirement.marker.evaluate():
                found[canonicalize_name(requirement.name)] = next(
                    iter(requirement.specifier)
                ).version
    return found


def needed(requirements: list[str]) -> list[Requirement]:
    """Those of them that count here, and outside of extras."""
    parsed = [Requirement(each) for each in requirements]
    return [each for each in parsed if not each.marker or each.marker.evaluate({"extra": ""})]


def of_package(name: str) -> list[str]:
    return importlib.metadata.requires(name) or []


# Colab ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("package", ["minicodec", "encodec", "librosa"])
def test_colab_has_what_the_set_up_cell_needs_so_that_nothing_is_replaced(package):
    """Pip changes a package only where a bound excludes the version that is there."""
    there = pins("constraints-colab.txt")
    wanted = project()["dependencies"] if package == "minicodec" else of_package(package)
    for requirement in needed(wanted):
        name = canonicalize_name(requirement.name)
        if package == "minicodec":
            assert name in there, f"Colab lacks {name}, so that the set-up cell must fetch it"
        version = there.get(name)
        assert not version or requirement.specifier.contains(version), f"{requirement}: {version}"


def test_colabs_list_says_where_and_when_it_was_read():
    head = (ROOT / "constraints-colab.txt").read_text(encoding="utf-8").split("\nabsl")[0]
    for words in ("googlecolab/backend-info", "2026.01", "27 November 2026", "Python is 3.12.12"):
        assert words in head
    known = pins("constraints-colab.txt")
    assert known["ipywidgets"] == "7.7.1" and known["widgetsnbextension"].startswith("3.6.")
    assert known["ipython"].startswith("7.") and known["ipykernel"].startswith("6.")


def test_chapters_need_the_package_alone():
    """On Colab there is no folder above, and what is fetched is of another day than the chapter."""
    for path in sorted((ROOT / "chapters").glob("*.ipynb")):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        code = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
        found = re.findall(r"\.\./[\w/.]*|urllib|urlretrieve|import requests", code)
        assert not found, f"{path.name}: {found}"


def test_pictures_that_are_files_read_well_where_they_are_not_shown():
    """Colab opens a chapter alone: of a picture beside it, its description is all that appears.

    So chapters have one such picture, the badge, whose description is what a click on it does.
    """
    for path in sorted((ROOT / "chapters").glob("*.ipynb")):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        prose = "\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "markdown")
        pictures = re.findall(r"!\[([^\]]*)\]\((?!data:)([^)\s]+)", prose)
        assert pictures == [("Open in Colab", "../book/_static/colab-badge.svg")], path.name


# Binder -----------------------------------------------------------------------------------------


def test_binder_gets_a_python_that_we_support():
    version = (ROOT / ".binder/runtime.txt").read_text(encoding="utf-8").strip()
    number = re.fullmatch(r"python-(3\.\d+)", version)
    assert number, version
    assert Requirement(f"x{project()['requires-python']}").specifier.contains(number[1])


def test_binders_script_can_run_and_names_files_that_are_there():
    assert os.access(POST_BUILD, os.X_OK), "git update-index --chmod=+x .binder/postBuild"
    subprocess.run(["bash", "-n", POST_BUILD], check=True)
    text = POST_BUILD.read_text(encoding="utf-8")
    named = re.findall(r"tools/\w+\.py|constraints[\w-]*\.txt", text)
    assert len(named) == 3 and all((ROOT / name).is_file() for name in named)


def test_what_binder_installs_can_be_resolved():
    """Without an index, with what is installed here: the pins and bounds agree with one another."""
    (line,) = re.findall(r"pip install .*", POST_BUILD.read_text(encoding="utf-8"))
    words = [each for each in line.replace('"', "").split()[1:] if each != "-e"]
    offline = ["--dry-run", "--no-index", "--no-build-isolation", "--quiet"]
    done = subprocess.run(
        [sys.executable, "-m", "pip", *words, *offline],
        cwd=ROOT, env=os.environ | {"PIP_CONSTRAINT": os.devnull},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_the_extra_for_chapters_has_all_that_they_import():
    extra = {canonicalize_name(Requirement(each).name) for each in needed_by_chapters()}
    base = {canonicalize_name(Requirement(each).name) for each in project()["dependencies"]}
    standard = set(sys.stdlib_module_names) | {"minicodec"}
    for path in sorted((ROOT / "chapters").glob("*.ipynb")):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        code = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
        imported = set(re.findall(r"^\s*(?:import|from) (\w+)", code, flags=re.M)) - standard
        # IPython comes with ipykernel. What transformers would show is saved (`sound.official`).
        missing = imported - extra - base - {"IPython", "transformers"}
        assert not missing, f"{path.name} imports {missing}"


def needed_by_chapters() -> list[str]:
    return project()["optional-dependencies"]["chapters"]


def test_every_page_of_the_book_leads_to_colab_and_binder():
    config = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    buttons = config["launch_buttons"]
    assert buttons["binderhub_url"] == "https://mybinder.org"
    assert buttons["colab_url"] == "https://colab.research.google.com"
    # Links are made of this and the page's path; "." would give …/./chapters/…, and Colab refuses.
    assert config["repository"]["path_to_book"] == ""


# Dev container and VS Code ----------------------------------------------------------------------


def test_the_dev_container_sets_up_what_make_would():
    container = json.loads((ROOT / ".devcontainer/devcontainer.json").read_text(encoding="utf-8"))
    image = re.fullmatch(r"python:(3\.\d+)-\w+", container["image"])
    assert image, container["image"]
    assert Requirement(f"x{project()['requires-python']}").specifier.contains(image[1])
    make, *targets = container["postCreateCommand"].split()
    assert make == "make" and targets
    subprocess.run(["make", "-n", *targets], cwd=ROOT, check=True, capture_output=True)


def test_vs_code_is_offered_what_the_container_brings():
    container = json.loads((ROOT / ".devcontainer/devcontainer.json").read_text(encoding="utf-8"))
    offered = json.loads((ROOT / ".vscode/extensions.json").read_text(encoding="utf-8"))
    extensions = container["customizations"]["vscode"]["extensions"]
    assert offered["recommendations"] == extensions
    settings = json.loads((ROOT / ".vscode/settings.json").read_text(encoding="utf-8"))
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert "VENV := .venv\n" in makefile
    assert settings["python.defaultInterpreterPath"].endswith("/.venv/bin/python")
