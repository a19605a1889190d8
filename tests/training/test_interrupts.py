"""Signals are noted at once and obeyed later; a second one is obeyed at once."""

import signal
import threading

import pytest

from minicodec.training.interrupts import Interrupts


@pytest.fixture
def obeyed():
    """Ctrl-C as a terminal has it: what is started in the background ignores it from birth."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_the_first_is_noted_the_second_obeyed_and_handlers_come_back(obeyed):
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with Interrupts() as interrupts:
        assert interrupts.seen == ""
        signal.raise_signal(signal.SIGINT)
        assert interrupts.seen == "interrupted by SIGINT"
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
