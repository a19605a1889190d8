"""Signals are noted at once and obeyed later; a second one is obeyed at once."""

import os
import signal
import threading

import pytest

from minicodec.training.interrupts import Interrupts


def test_the_first_is_noted_the_second_obeyed_and_handlers_come_back():
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with Interrupts() as interrupts:
        assert interrupts.seen == ""
        os.kill(os.getpid(), signal.SIGINT)
        assert interrupts.seen == "interrupted by SIGINT"
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
            signal.pause()
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
