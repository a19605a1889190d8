"""What GitHub runs: linted, allowed no more than it must, and all that it names is there."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import check_workflows
import pytest
import yaml
from browsing import unavailable
from check_workflows import faults_of_form, faults_of_safety
from npm_package import PackageMissing

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted(check_workflows.WORKFLOWS.glob("*.yml"))
JOBS = [
    (path.stem, name, job)
    for path in FILES
    for name, job in yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"].items()
]


def form(files: list[Path]) -> list[str]:
    try:
        return faults_of_form(files)
    except PackageMissing as error:
        unavailable(f"there is no {error}", "NODE")


def spoilt(tmp_path: Path, name: str, old: str, new: str) -> Path:
    text = (check_workflows.WORKFLOWS / name).read_text(encoding="utf-8")
    assert old in text
    file = tmp_path / name
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    return file


def test_linters_find_nothing():
    assert [path.name for path in FILES] == ["book.yml", "colab.yml", "release.yml", "test.yml"]
    assert form(FILES) == []
    assert faults_of_safety(FILES) == []


@pytest.mark.parametrize(
    ("name", "old", "new", "fault"),
    [
        ("test.yml", "runs-on:", "runs_on:", "unexpected key"),
        ("book.yml", "needs: build", "needs: bild", 'needs job "bild"'),
        ("book.yml", "pages: write", "page: write", "unknown permission scope"),
        ("book.yml", "steps.deployment", "steps.deploy", 'property "deploy" is not defined'),
        ("release.yml", "push:", "pusch:", "unknown Webhook event"),
    ],
)
def test_faults_of_form_are_found(tmp_path, name, old, new, fault):
    found = form([spoilt(tmp_path, name, old, new)])
    assert any(fault in line for line in found), found


@pytest.mark.parametrize(
    ("name", "old", "new", "fault"),
    [
        ("test.yml", "permissions:\n      contents: read", "permissions: write-all", "permissions"),
        ("test.yml", "persist-credentials: false", "fetch-depth: 1", "credential"),
        ("test.yml", ".ci/run", "echo ${{ github.event.pull_request.title }}", "injection"),
        ("test.yml", "pull_request:", "pull_request_target:", "insecure"),
    ],
)
def test_what_is_unsafe_is_found(tmp_path, name, old, new, fault):
    found = "\n".join(faults_of_safety([spoilt(tmp_path, name, old, new)]))
    assert fault in found, found


def test_what_they_name_is_there():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    commands = [step["run"] for *_, job in JOBS for step in job["steps"] if "run" in step]
    for command in commands:
        program, *words = command.split()
        if program == "make":
            assert re.search(rf"^{words[0]}:", makefile, re.MULTILINE), command
        elif program.startswith(".ci/"):
            assert os.access(ROOT / program, os.X_OK), command
        elif program == "python" and words[0].startswith("tools/"):
            assert (ROOT / words[0]).is_file(), command
        else:
            assert program in ("cp", "grep", "gh") or " pip install " in command, (
                f"{command}: nothing here knows whether it works"
            )
    tagged = next(command for command in commands if command.startswith("grep"))
    for tag, status in ((f"v{version()}", 0), ("v99.0.0", 1)):
        env = {**os.environ, "GITHUB_REF_NAME": tag}
        assert subprocess.run(tagged, shell=True, cwd=ROOT, env=env).returncode == status
    # What make leaves behind, as the Makefile and the tools it calls say.
    for name in ("student", "slides"):
        tool = (ROOT / f"tools/{name}.py").read_text(encoding="utf-8")
        assert f'"_build" / "{name}"' in tool or f'"_build/{name}"' in tool, name
    assert "check_package.py dist" in makefile and "_build/html" in makefile


def version() -> str:
    from minicodec import __version__

    return __version__


@pytest.mark.parametrize(("file", "name", "job"), JOBS, ids=lambda value: str(value)[:12])
def test_a_job_may_do_only_what_it_must(file, name, job):
    allowed = {
        "deploy": {"pages": "write", "id-token": "write"},
        "pypi": {"id-token": "write"},
        "github": {"contents": "write"},
        "student": {"contents": "write"},
    }
    assert job["permissions"] == allowed.get(name, {"contents": "read"})
    assert job["timeout-minutes"] <= 90
    assert (
        yaml.safe_load((check_workflows.WORKFLOWS / f"{file}.yml").read_text())["permissions"] == {}
    )
    for step in job["steps"]:
        assert re.fullmatch(r"[\w-]+/[\w-]+@(release/)?v\d+", step.get("uses", "a/b@v1")), step


@pytest.fixture
def remote(tmp_path, monkeypatch):
    """An empty repository to push to, beside one that has a commit and a folder to publish."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    git("init", "-q", "--bare", tmp_path / "remote", cwd=tmp_path)
    work = tmp_path / "work"
    git("init", "-q", work, cwd=tmp_path)
    (work / "source").write_text("x")
    (work / ".gitignore").write_text("/_build/\n")
    (work / ".ci").mkdir()
    shutil.copy(ROOT / ".ci/publish-folder", work / ".ci")
    git("add", ".", cwd=work)
    git("-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "A reason", cwd=work)
    (work / "_build/student/chapters").mkdir(parents=True)
    (work / "_build/student/chapters/05.ipynb").write_text("gaps")
    (work / "_build/student/README.md").write_text("read me")
    return tmp_path / "remote"


def git(*words: object, cwd: Path) -> str:
    return subprocess.check_output(["git", *map(str, words)], cwd=cwd, text=True)


def publish(remote: Path, folder: str = "_build/student") -> subprocess.CompletedProcess[str]:
    work = remote.parent / "work"
    command = [".ci/publish-folder", folder, "student", str(remote)]
    return subprocess.run(command, cwd=work, capture_output=True, text=True, check=False)


def test_a_folder_becomes_a_branch_that_can_be_pulled(remote):
    work = remote.parent / "work"
    done = publish(remote)
    assert done.returncode == 0, done.stderr
    held = git("ls-tree", "-r", "--name-only", "student", cwd=remote).split()
    assert held == ["README.md", "chapters/05.ipynb"]
    first = git("rev-parse", "student", cwd=remote)

    assert publish(remote).stdout == "student is what it was\n"
    assert git("rev-parse", "student", cwd=remote) == first

    (work / "_build/student/README.md").unlink()
    assert publish(remote).returncode == 0
    assert git("rev-parse", "student~", cwd=remote) == first
    assert git("ls-tree", "-r", "--name-only", "student", cwd=remote).split() == held[1:]
    assert "A reason" in git("log", "-1", "--format=%s", "student", cwd=remote)
    assert git("status", "--short", cwd=work) == ""


def test_an_empty_folder_is_not_published(remote):
    (remote.parent / "work" / "empty").mkdir()
    for folder in ("empty", "missing"):
        done = publish(remote, folder)
        assert done.returncode == 2 and "usage:" in done.stderr
    assert git("branch", "--list", cwd=remote) == ""
