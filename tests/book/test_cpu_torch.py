"""Where there is no NVIDIA card, its libraries are left out; where that fails, pip goes on."""

import subprocess
import sys

import cpu_torch
import pytest


def test_only_linux_without_a_card_needs_help(monkeypatch):
    monkeypatch.setattr(cpu_torch.shutil, "which", lambda name: None)
    assert cpu_torch.is_wanted("linux")
    assert not cpu_torch.is_wanted("darwin") and not cpu_torch.is_wanted("win32")
    assert not cpu_torch.is_wanted("linux", torch="cu128")
    monkeypatch.setattr(cpu_torch.shutil, "which", lambda name: "/usr/bin/nvidia-smi")
    assert not cpu_torch.is_wanted("linux")


def test_the_pin_is_that_of_the_constraints():
    assert cpu_torch.pin().startswith("torch==")
    assert cpu_torch.has_torch(sys.executable)


@pytest.fixture
def calls(monkeypatch):
    """What would be run; each command succeeds unless `fails` says otherwise."""
    seen: list[list[str]] = []

    def run(command, **options):
        seen.append([str(word) for word in command])
        return subprocess.CompletedProcess(command, int(run.fails in command), "", "no")

    run.fails = ""
    monkeypatch.setattr(cpu_torch.subprocess, "run", run)
    monkeypatch.setattr(cpu_torch, "has_torch", lambda python: False)
    monkeypatch.setattr(cpu_torch, "is_wanted", lambda **options: True)
    monkeypatch.setattr(sys, "argv", ["cpu_torch.py", "python-of-it"])
    return seen, run


def test_uv_brings_the_small_build(calls):
    seen, _ = calls
    assert cpu_torch.main() == 0
    assert seen[0] == ["python-of-it", "-m", "pip", "install", "-q", cpu_torch.UV]
    assert "--torch-backend=cpu" in seen[1] and seen[1][-1] == cpu_torch.pin()


@pytest.mark.parametrize("word", [cpu_torch.UV, "--torch-backend=cpu"])
def test_what_cannot_be_had_stops_nothing(calls, capsys, word):
    seen, run = calls
    run.fails = word
    assert cpu_torch.main() == 0
    assert "pip brings what it finds" in capsys.readouterr().out
    assert word in seen[-1]


def test_an_environment_that_has_torch_is_left_alone(calls, monkeypatch):
    monkeypatch.setattr(cpu_torch, "has_torch", lambda python: True)
    assert cpu_torch.main() == 0 and calls[0] == []


def test_without_an_environment_it_says_what_it_is(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["cpu_torch.py"])
    assert cpu_torch.main() == 2 and "python tools/cpu_torch.py" in capsys.readouterr().out
