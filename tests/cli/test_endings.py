"""How commands end by signals and full disks: one sentence, its status, nothing half-written."""

import errno
import os
import signal
import subprocess
import sys

import pytest
from command import TINY, check_refused, contents, encoded, run
from short_runs import CONFIG, before_step

from minicodec import audio, cli
from minicodec.bits.lm_training import LanguageModelTrainer
from minicodec.cli import roundtrip
from minicodec.sound import files
from minicodec.training import run_lock, run_state
from minicodec.training.interrupts import SIGNALS
from minicodec.training.trainer import Trainer

TRAIN_LM = ["train-lm", "--codec", TINY[1], "--data", "data", "--valid", "data", "--minutes",
            "0.02", "--dim", "16", "--layers", "1", "--heads", "2"]  # fmt: skip
TRAIN = ["train", "mine.json", "--data", "data", "--out", "run", "--steps", "3"]


@pytest.fixture
def there(folder, terminal, capsys):
    """A folder in which every command finds what it needs, and files that it would replace."""
    (folder / "data").mkdir()
    audio.save(folder / "data/a.wav", audio.clip("speech_en", 24000, seconds=2)[0], 24000)
    CONFIG.save(folder / "mine.json")
    data = encoded((folder / TINY[1]).read_bytes(), (folder / "mono.wav").read_bytes())
    (folder / "mono.mcdc").write_bytes(data)
    for ending in ("mcdc", "wav", "html", "json", "csv", "safetensors"):
        (folder / f"old.{ending}").write_bytes(b"precious")
    capsys.readouterr()
    return folder


def writing(*words: str, at: int = 1) -> object:
    """A command, and which of the files that it writes is the one to be disturbed."""
    return pytest.param(words, at, id=f"{words[0]} {words[-2] if at > 1 else ''}{at}")


#: Every command that writes, at every file that it writes.
COMMANDS = [
    writing("encode", "mono.wav", *TINY, "-f", "-o", "old.mcdc"),
    writing("decode", "mono.mcdc", *TINY, "-f", "-o", "old.wav"),
    writing("roundtrip", "mono.wav", *TINY, "-f", "-o", "old.wav"),
    writing("listen", "mono.wav", *TINY, "-f", "-o", "old.html"),
    writing("evaluate", "data", *TINY, "--opus", "--measures", "si_sdr", "-f", "-o", "old.json"),
    writing("evaluate", "data", *TINY, "--opus", "--measures", "si_sdr", "-f", "-o", "old.csv"),
    *(writing(*TRAIN, "-f", "--export", "old.safetensors", at=at) for at in (1, 2, 3, 4)),
    *(writing(*TRAIN_LM, "-f", "-o", "old.safetensors", at=at) for at in (1, 2, 3)),
    *(writing("export-onnx", *TINY, "-o", "exported", at=at) for at in (1, 2, 3, 4)),
    *(writing("export", *TINY, "-o", "exported", at=at) for at in (1, 2, 3)),
    *(writing("export", *TINY, "-o", "exported", "--to", "official", at=at) for at in (1, 2)),
]


@pytest.fixture
def disturb(monkeypatch):
    """Have something happen when all of a file is written, but not yet under its name."""

    def at(number: int, happens) -> None:
        calls = []

        def force(path, flags, inner=files._force):
            calls.append(path)
            if len([path for path in calls if ".part" in str(path)]) == number:
                happens()
            inner(path, flags)

        monkeypatch.setattr(files, "_force", force)

    return at


def precious(folder) -> bool:
    """Is every file that was there still what it was, and no part of a file there?"""
    parts = [path for path in folder.rglob("*") if ".part" in path.name]
    return not parts and all(path.read_bytes() == b"precious" for path in folder.glob("old.*[!n]"))


@pytest.mark.parametrize(("words", "at"), COMMANDS)
def test_a_signal_ends_a_command_in_one_sentence(there, capsys, disturb, words, at):
    disturb(at, lambda: signal.raise_signal(signal.SIGTERM))
    assert run(*words) == 143
    err = capsys.readouterr().err.splitlines()
    assert err[-1].startswith(f"minicodec {words[0]}: interrupted by SIGTERM"), err
    assert "Traceback" not in " ".join(err) and precious(there)


@pytest.mark.parametrize(("words", "at"), COMMANDS)
def test_a_full_disk_ends_a_command_in_one_sentence(there, capsys, disturb, words, at):
    def full():
        raise OSError(28, "No space left on device")

    disturb(at, full)
    assert run(*words) == 2
    err = capsys.readouterr().err.splitlines()
    assert err[-1].startswith(f"minicodec {words[0]}: ") and "No space left on device" in err[-1]
    assert "Traceback" not in " ".join(err) and precious(there)


@pytest.mark.parametrize("number", SIGNALS)
def test_the_status_says_which_signal(there, capsys, monkeypatch, number):
    monkeypatch.setattr(roundtrip, "load", lambda *_, **__: signal.raise_signal(number))
    assert run("roundtrip", "mono.wav", *TINY) == 128 + number
    name = signal.Signals(number).name
    err = capsys.readouterr().err
    assert err == f"minicodec roundtrip: interrupted by {name}; no file is left half-written.\n"


def test_an_interrupted_run_is_saved_and_goes_on(there, capsys, monkeypatch):
    run_ = Trainer.run

    def stopped(self, minutes):
        before_step(self, 1, lambda: signal.raise_signal(signal.SIGINT))
        return run_(self, minutes)

    monkeypatch.setattr(Trainer, "run", stopped)
    assert run(*TRAIN) == 130
    out, err = capsys.readouterr()
    assert "minicodec train: interrupted by SIGINT: 2 of 3 steps" in err and "--resume" in out
    monkeypatch.undo()
    os.chdir(there)
    assert run(*TRAIN, "--resume") == 0
    out = capsys.readouterr().out
    assert "from step 2" in out and "done: 3 of 3 steps" in out


@pytest.mark.parametrize("at", [1, 2])
def test_a_full_disk_at_resuming_costs_nothing_of_the_run(there, capsys, disturb, monkeypatch, at):
    def full():
        raise OSError(28, "No space left on device")

    assert run(*TRAIN) == 0
    before = contents(there)
    disturb(at, full)
    assert run(*TRAIN[:-1], "4", "--resume") == 2
    assert "No space left on device" in capsys.readouterr().err and contents(there) == before
    monkeypatch.undo()
    os.chdir(there)
    assert run(*TRAIN[:-1], "4", "--resume") == 0
    assert "done: 4 of 4 steps" in capsys.readouterr().out


@pytest.mark.parametrize(
    "words", [TRAIN, [*TRAIN, "--resume"], [*TRAIN_LM, "-o", "run.safetensors"]]
)
def test_a_run_in_which_another_process_trains_is_left_alone(there, capsys, monkeypatch, words):
    def locked(handle):
        raise OSError(errno.EAGAIN, "Resource temporarily unavailable")

    (there / "run").mkdir()
    (there / "run.run").mkdir()
    for place in ("run/.lock", "run.run/.lock"):
        (there / place).write_bytes(b"")
    monkeypatch.setattr(run_lock, "_lock", locked)
    check_refused(there, capsys, words, "another process is training in run")


def test_an_interrupted_language_model_is_saved_and_goes_on(there, capsys, monkeypatch):
    learn = LanguageModelTrainer.learn

    def stopped(self):
        if self.step == 1:
            signal.raise_signal(signal.SIGTERM)
        return learn(self)

    monkeypatch.setattr(LanguageModelTrainer, "learn", stopped)
    line = [*TRAIN_LM, "-o", "lm.safetensors"]
    assert run(*line) == 143
    err = capsys.readouterr().err
    assert "minicodec train-lm: interrupted by SIGTERM at step" in err and "lm.run" in err
    assert not (there / "lm.safetensors").exists() and run_state.found(there / "lm.run")
    monkeypatch.undo()
    os.chdir(there)
    assert run(*line) == 0 and "goes on from step" in capsys.readouterr().out


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        RuntimeError(
            "[enforce fail at alloc_cpu.cpp:117] . DefaultCPUAllocator: not enough memory"
        ),
        RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB"),
    ],
)
def test_too_little_memory(folder, capsys, monkeypatch, error):
    def load(*_, **__):
        raise error

    monkeypatch.setattr(roundtrip, "load", load)
    assert run("roundtrip", "mono.wav", *TINY) == 2
    assert capsys.readouterr().err == "minicodec roundtrip: there is not enough memory for this.\n"


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (PermissionError(13, "Permission denied", "x\x1b.wav"), r"x\x1b.wav: Permission denied."),
        (OSError(5, "Input/output error"), "Input/output error."),
        (OSError("something"), "something"),
        (ValueError("two\nlines."), r"two\nlines."),
    ],
)
def test_what_the_system_refuses_is_a_sentence(folder, capsys, monkeypatch, error, said):
    def load(*_, **__):
        raise error

    monkeypatch.setattr(roundtrip, "load", load)
    assert run("roundtrip", "mono.wav", *TINY) == 2
    assert capsys.readouterr().err == f"minicodec roundtrip: {said}\n"


def process(code: str, **options) -> subprocess.CompletedProcess:
    """Python, as a shell starts it; nothing here waits for torch."""
    command = [sys.executable, "-c", f"import os, sys\nfrom minicodec.__main__ import *\n{code}"]
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)


@pytest.mark.skipif(os.name != "posix", reason="this system knows no death by signal")
def test_a_process_dies_of_the_signal_that_ended_its_command():
    """So that a shell's loop ends at Ctrl-C as well, and not only the command in it."""
    code = (
        "import minicodec.cli\n"
        "minicodec.cli.main = lambda: print('words', end='') or {}\n"
        "sys.exit(main())"
    )
    for status, ended in ((130, -signal.SIGINT), (143, -signal.SIGTERM), (141, 141), (2, 2)):
        done = process(code.format(status))
        assert (done.returncode, done.stdout, done.stderr) == (ended, "words", "")


@pytest.mark.skipif(os.name != "posix", reason="this system does not number its streams")
def test_streams_that_are_closed_are_taken_by_nothing_else(tmp_path):
    code = """
for number in (0, 1, 2):
    os.close(number)
sys.stdin = sys.stdout = sys.stderr = None
open_streams()
file = open("next", "wb")
print("a note", file=sys.stderr, flush=True)
said = []
for use in (lambda: os.read(0, 1), lambda: print("lost", flush=True)):
    try:
        use()
    except OSError as error:
        said.append(error.errno)
file.write(repr((file.fileno(), said)).encode())
file.close()
os._exit(0)
"""
    assert process(code, cwd=tmp_path).returncode == 0
    assert (tmp_path / "next").read_text() == "(3, [9, 9])"


def test_help_that_cannot_be_printed(capsys, monkeypatch):
    class Full:
        def write(self, text):
            raise OSError(28, "No space left on device")

        def flush(self):
            pass

    monkeypatch.setattr(sys, "stdout", Full())
    assert cli.main(["--help"]) == 2
    words = "minicodec: the standard output cannot be written: No space left on device.\n"
    assert capsys.readouterr().err == words
