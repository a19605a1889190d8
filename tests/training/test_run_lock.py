"""A run's folder belongs to one process at a time, and to nobody when that process is gone."""

import errno
import os
import subprocess
import sys

import pytest

from minicodec.training import run_lock
from minicodec.training.run_lock import check_free, hold

CODE = """
import sys
from pathlib import Path
from minicodec.training.run_lock import hold
lock = hold(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def other(tmp_path):
    """Another process that holds the folder until it is killed."""
    command = [sys.executable, "-c", CODE, str(tmp_path / "run")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"held\n"
        yield process
        process.kill()


def test_another_process_is_refused_until_the_first_is_gone(tmp_path, other):
    for ask in (hold, check_free):
        with pytest.raises(ValueError, match="another process is training in .*run: wait until"):
            ask(tmp_path / "run")
    other.kill()  # leaves its file behind
    other.wait()
    assert os.listdir(tmp_path / "run") == [".lock"]
    check_free(tmp_path / "run")
    hold(tmp_path / "run")


def test_one_process_may_hold_it_twice_and_lets_go_with_the_last(tmp_path, monkeypatch):
    locked = []
    monkeypatch.setattr(run_lock, "_lock", locked.append)
    first, second = hold(tmp_path), hold(tmp_path)
    assert first is second and len(locked) == 1
    del first, second
    hold(tmp_path)
    assert len(locked) == 2


def test_names_of_one_folder_are_one(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path)
    assert hold(tmp_path) is hold(tmp_path / "link")


def test_a_file_system_without_locks_has_none(tmp_path, monkeypatch):
    def lock(handle):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(run_lock, "_lock", lock)
    hold(tmp_path)


def test_to_ask_makes_nothing(tmp_path):
    check_free(tmp_path / "new/run")
    assert not os.listdir(tmp_path)


def test_places_that_cannot_hold_a_run(tmp_path, monkeypatch):
    (tmp_path / "file").write_bytes(b"")
    for name in ("file", "file/run"):
        with pytest.raises(ValueError, match="file is not a folder"):
            check_free(tmp_path / name)
    with pytest.raises(ValueError, match="file/run cannot hold a run: Not a directory"):
        hold(tmp_path / "file/run")
    monkeypatch.setattr(os, "access", lambda path, way: False)
    with pytest.raises(ValueError, match=f"{tmp_path} cannot be written"):
        check_free(tmp_path / "new/run")
