"""Numbers as they are typed; `test_arguments.py` has the sentences that a person sees."""

import argparse
import subprocess
import sys

import pytest

from minicodec.cli import numbers

#: The least and the most that each takes, and the next ones that it does not.
ENDS = {
    numbers.positive: ("1e-300", "1e9", "0", "1000000001"),
    numbers.not_negative: ("0", "1e9", "-1e-300", "1000000001"),
    numbers.seconds_of_chunk: ("1e-300", "60", "0", "60.1"),
    numbers.count: ("1", "1000000000", "0", "1000000001"),
    numbers.copies: ("1", "1000", "0", "1001"),
    numbers.rate: ("1000", "384000", "999", "384001"),
    numbers.seed: ("0", "9223372036854775807", "-1", "9223372036854775808"),
    numbers.threads: ("1", "1024", "0", "1025"),
    numbers.workers: ("0", "1024", "-1", "1025"),
}


def refused(number, text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError) as error:
        number(text)
    assert len(str(error.value)) < 120 and str(error.value).isprintable()


@pytest.mark.parametrize("number", ENDS)
def test_ends_of_each_range(number):
    least, most, below, above = ENDS[number]
    for text in (least, most):
        assert number(text) == (int(text) if text.isdecimal() else float(text))
    for text in (below, above):
        refused(number, text)


@pytest.mark.parametrize("number", ENDS)
@pytest.mark.parametrize(
    "text", ["", "six", "nan", "inf", "-inf", "1e400", "9" * 5000, "\x1b[2J", "²"]
)
def test_what_is_no_number_in_any_range(number, text):
    refused(number, text)


def test_help_does_not_wait_for_torch():
    code = "import sys, minicodec.cli.arguments; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
