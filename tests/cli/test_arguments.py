"""What can be typed; help knows the right names."""

import argparse
import json
import re
import shlex
from importlib import import_module
from pathlib import Path

import pytest

from minicodec.cli import arguments, main
from minicodec.listening.measures import MEASURES
from minicodec.model.checkpoint import SHIPPED
from minicodec.model.pretrained import OFFICIAL
from minicodec.sound.files import KINDS

TRAIN = ["train", "tiny", "--data", "x", "--out", "y"]
TRAIN_LM = ["train-lm", "--codec", "x", "--data", "x", "--valid", "x", "-o", "y"]
ROOT = Path(__file__).resolve().parents[2]


def commands() -> dict[str, argparse.ArgumentParser]:
    [action] = [a for a in arguments.parser()._actions if isinstance(a, argparse._SubParsersAction)]
    return dict(action.choices)


def test_names_that_are_written_down_twice_agree():
    assert (*SHIPPED, *OFFICIAL) == arguments.MODELS
    assert tuple(MEASURES) == arguments.MEASURES
    assert KINDS == arguments.KINDS


@pytest.mark.parametrize("name", commands())
def test_every_command_has_a_module_and_help(name, capsys):
    assert callable(import_module(f"minicodec.cli.{name.replace('-', '_')}").run)
    with pytest.raises(SystemExit) as status:
        main([name, "--help"])
    assert status.value.code == 0
    text = " ".join(capsys.readouterr().out.split())
    for option in commands()[name]._actions:
        if option.dest in ("model", "codec", "start_from"):
            assert all(model in (option.help or "") for model in (*SHIPPED, *OFFICIAL))
        assert option.help or option.dest in ("learning_rate", "weight_decay"), option.dest
    assert f"usage: minicodec {name}" in text


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["explode"], "invalid choice: 'explode'"),
        (["encode"], "required: input"),
        (["info"], "required: input"),
        (["encode", "x.wav", "--nope"], "unrecognized arguments: --nope"),
        (["encode", "x.wav", "-b", "six"], "'six' is no number"),
        (
            ["encode", "x.wav", "-b", "nan"],
            "a number above 0 and at most 1000000000 is needed, not nan",
        ),
        (["encode", "x.wav", "-b", "1e400"], "not 1e400"),
        (["encode", "x.wav", "-j", "100000"], "an integer from 1 to 1024 is needed, not 100000"),
        (["roundtrip", "x.wav", "-b", "0"], "needed, not 0"),
        (["encode", "x.wav", "--chunk", "0"], "more than 0 and at most 60 seconds, not 0"),
        (["encode", "x.wav", "--chunk", "61"], "more than 0 and at most 60 seconds, not 61"),
        (["encode", "x.wav", "-e", "zip"], "invalid choice: 'zip'"),
        (["decode", "x.mcdc", "--start", "-1"], "a number from 0 to 1000000000 is needed, not -1"),
        (["decode", "x.mcdc", "--start", "1e308"], "needed, not 1e308"),
        (["decode", "x.mcdc", "--start", "\x1b[2J"], r"'\x1b[2J' is no number"),
        (["decode", "x.mcdc", "--duration", "0"], "needed, not 0"),
        (["evaluate", "x", "--measures", "beauty"], "invalid choice: 'beauty'"),
        (["evaluate", "x", "--rate", "999"], "an integer from 1000 to 384000 is needed, not 999"),
        (["evaluate", "x", "--codec"], "--codec: expected one argument"),
        (["evaluate", "x", "--seconds", "0"], "needed, not 0"),
        (["evaluate", "x", "--seconds", "inf"], "needed, not inf"),
        (["evaluate", "x", "--opus", "0"], "an integer from 1 to 1000000000 is needed, not 0"),
        (["evaluate", "x", "--entropy", "zip"], "invalid choice: 'zip'"),
        (["train", "tiny", "--data", "x"], "required: --out"),
        ([*TRAIN, "--minutes", "0"], "a number above 0"),
        ([*TRAIN, "--minutes", "nan"], "not nan"),
        ([*TRAIN, "--steps", "0"], "from 1 to 1000000000 is needed, not 0"),
        ([*TRAIN, "--steps", "9" * 5000], f"not {'9' * 40}…"),
        ([*TRAIN, "--batch", "1e3"], "not 1e3"),
        ([*TRAIN, "--seed", "-1"], "from 0 to 9223372036854775807 is needed, not -1"),
        ([*TRAIN, "--seed", "9223372036854775808"], "not 9223372036854775808"),
        ([*TRAIN, "--workers", "-1"], "from 0 to 1024 is needed, not -1"),
        ([*TRAIN, "--threads", "two"], "not two"),
        ([*TRAIN, "--threads", "-1"], "from 1 to 1024 is needed, not -1"),
        ([*TRAIN, "--threads", "100000"], "not 100000"),
        ([*TRAIN_LM, "--copies", "1001"], "from 1 to 1000"),
        ([*TRAIN_LM, "--dim", "-8"], "not -8"),
    ],
)
def test_wrong_arguments(words, message, capsys):
    with pytest.raises(SystemExit) as status:
        main(words)
    assert status.value.code == 2
    err = capsys.readouterr().err
    assert err.startswith("usage: minicodec") and message in err


def promised() -> list[str]:
    """Command lines that pages and chapters show, one for each command of a pipe."""
    pages = (ROOT / "README.md", *sorted((ROOT / "book").glob("*.md")))
    texts = [page.read_text(encoding="utf-8") for page in pages]
    for chapter in sorted((ROOT / "chapters").glob("*.ipynb")):
        cells = json.loads(chapter.read_text(encoding="utf-8"))["cells"]
        texts += ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown"]
    lines = []
    for text in texts:
        text = text.replace("\\\n", " ")
        for block in re.findall(r"^```\w*\n(.*?)^```$", text, re.DOTALL | re.MULTILINE):
            lines += [part for line in block.splitlines() for part in line.split("|")]
    return [line.strip() for line in lines if re.match(r" *minicodec ", line)]


@pytest.mark.parametrize("line", sorted({*promised()}))
def test_what_pages_show_can_be_typed(line):
    words = shlex.split(line.split(">")[0], comments=True)
    assert arguments.parser().parse_args(words[1:]).command


def test_pages_show_commands():
    assert len(promised()) > 12
