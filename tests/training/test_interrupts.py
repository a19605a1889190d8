"""Signals are noted at once and obeyed later; a second one is obeyed at once."""

import os
import signal
import subprocess
import sys
import threading

import pytest

from minicodec.training.interrupts import SIGNALS, Interrupts, Stopped, ignored, obeyed

pytestmark = pytest.mark.usefixtures("terminal")


def test_the_first_is_noted_the_second_obeyed_and_handlers_come_back():
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with Interrupts() as interrupts:
        assert interrupts.seen == ""
        signal.raise_signal(signal.SIGINT)
        assert interrupts.seen == "interrupted by SIGINT" and interrupts.number == signal.SIGINT
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def test_in_another_thread_signals_are_left_alone():
    before, seen = signal.getsignal(signal.SIGTERM), []

    def work():
        with Interrupts() as interrupts:
            seen.append((interrupts.seen, signal.getsignal(signal.SIGTERM)))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [("", before)]


@pytest.mark.parametrize("number", SIGNALS)
def test_obeyed_they_are_raised_and_handlers_come_back(number):
    before = [signal.getsignal(one) for one in SIGNALS]
    with pytest.raises(Stopped) as stopped, obeyed():
        try:
            signal.raise_signal(number)
        finally:  # whoever tidies up too long is ended by a second one
            assert signal.getsignal(number) == signal.SIG_DFL
    assert stopped.value.number == number
    assert [signal.getsignal(one) for one in SIGNALS] == before


def test_a_second_one_while_they_are_noted_is_obeyed_with_what_tidies_up():
    with pytest.raises(Stopped), obeyed(), Interrupts() as interrupts:
        signal.raise_signal(signal.SIGTERM)
        assert interrupts.seen == "interrupted by SIGTERM"
        signal.raise_signal(signal.SIGTERM)


def test_what_the_program_was_told_to_ignore_it_ignores():
    """`nohup` ignores SIGHUP, and a script's `&` SIGINT."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with obeyed(), Interrupts() as interrupts:
        signal.raise_signal(signal.SIGINT)
        assert not interrupts.seen


posix = pytest.mark.skipif(os.name != "posix", reason="nothing waits for pipes on this system")


@pytest.fixture
def pipe():
    """Two ends without a buffer."""
    ours, theirs = os.pipe()
    with open(ours, "rb", buffering=0) as reader, open(theirs, "wb", buffering=0) as writer:
        yield reader, writer


@posix
def test_a_signal_ends_the_waiting_for_a_pipe(pipe):
    reader, writer = pipe
    with Interrupts() as interrupts:
        writer.write(b"first")
        assert interrupts.read(reader, 99) == b"first"
        later = threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGTERM))
        later.start()
        assert interrupts.read(reader, 99) == b""
        assert interrupts.seen == "interrupted by SIGTERM"


@posix
def test_what_lay_in_the_pipe_when_the_signal_came_is_read(pipe):
    """Whoever goes on writing does not keep us from ending."""
    reader, writer = pipe
    with Interrupts() as interrupts:
        writer.write(b"first" * 1000)
        signal.raise_signal(signal.SIGTERM)
        read = interrupts.read(reader, 12)
        writer.write(b"later" * 1000)
        while data := interrupts.read(reader, 99):
            read += data
        assert read == b"first" * 1000


@posix
def test_the_end_of_a_pipe_ends_the_waiting_too(pipe):
    reader, writer = pipe
    writer.close()
    with Interrupts() as interrupts:
        assert interrupts.read(reader, 99) == b""


def test_where_a_pipe_cannot_be_waited_for_the_next_block_ends_the_waiting(pipe, monkeypatch):
    reader, writer = pipe
    writer.write(b"first")
    monkeypatch.setattr(os, "name", "nt")
    with Interrupts() as interrupts:
        assert interrupts.read(reader, 99) == b"first"
        writer.write(b"next")
        signal.raise_signal(signal.SIGTERM)
        assert interrupts.read(reader, 99) == b""


def test_what_begins_while_signals_are_ignored_ignores_them():
    code = "import signal; print(*[int(signal.getsignal(n) == signal.SIG_IGN) for n in {numbers}])"
    words = [sys.executable, "-c", code.format(numbers=[*map(int, SIGNALS)])]
    with obeyed():
        with ignored():
            inside = subprocess.check_output(words, text=True)
            signal.raise_signal(signal.SIGTERM)
        with pytest.raises(Stopped):
            signal.raise_signal(signal.SIGTERM)
    assert inside.split() == ["1"] * len(SIGNALS)
