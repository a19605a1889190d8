"""The command `minicodec` itself; its commands have files of their own."""

import subprocess
import sys

import pytest

import minicodec
from minicodec.cli import arguments, main


def run(*words: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "minicodec", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_version():
    assert run("--version").stdout.strip() == minicodec.__version__


def test_without_a_command_it_lists_them(capsys):
    assert main([]) == 2
    out, err = capsys.readouterr()
    assert out == "" and err == arguments.parser().format_help()
    assert all(f"\n    {name} " in err for name in ("encode", "decode", "listen", "train-lm"))


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["--help"],
        ["--version"],
        ["encode", "--help"],
        ["explode"],
        ["encode", "x.wav", "--nope"],
        ["encode", "x.wav", "-b", "0"],
    ],
)
def test_help_and_wrong_options_wait_for_nothing(words):
    """Modules and not seconds: torch alone takes more of those than a reader of help should."""
    code = (
        "import sys\nfrom minicodec.__main__ import main\n"
        f"sys.argv[1:] = {words!r}\ntry:\n    main()\nexcept SystemExit:\n    pass\n"
        "sys.exit(','.join({'torch', 'numpy', 'soundfile', 'tqdm'} & {*sys.modules}) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "usage: minicodec" in done.stdout + done.stderr or words == ["--version"]
