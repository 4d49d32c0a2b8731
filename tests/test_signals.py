"""Ctrl-C and SIGTERM: kept back for a while, raised, and an end within bounds."""

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from dislib_plus import signals

BOTH = [(signal.SIGINT, KeyboardInterrupt, "from the keyboard"), (signal.SIGTERM, signals.Terminated, "by SIGTERM")]


def send(number):
    os.kill(os.getpid(), number)
    time.sleep(0.01)


@pytest.fixture(autouse=True)
def same_handlers_afterwards():
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    yield
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


@pytest.mark.parametrize("number, error, words", BOTH)
def test_the_first_is_kept_and_the_second_is_raised(number, error, words):
    with pytest.raises(error) as caught, signals.kept_back() as request:
        assert request.received is None
        send(number)
        assert request.received == number
        send(number)
    assert type(caught.value) is error


@pytest.mark.parametrize("number, error, words", BOTH)
def test_the_request_is_obeyed_with_a_sentence(number, error, words):
    with pytest.raises(error, match=f"^stopped {words} after step 3$"), signals.kept_back() as request:
        send(number)
        request.obey(" after step 3")
    deadlines = [thread for thread in threading.enumerate() if isinstance(thread, threading.Timer)]
    assert all(deadline.finished.is_set() for deadline in deadlines)


@pytest.mark.parametrize("number, error, words", BOTH)
def test_what_the_block_did_not_look_for_is_raised_at_its_end(number, error, words):
    with pytest.raises(error, match=f"^stopped {words}; the same command goes on from the last checkpoint"):
        with signals.kept_back():
            send(number)


def test_sigterm_is_raised():
    with pytest.raises(signals.Terminated), signals.sigterm_raised():
        send(signal.SIGTERM)
        pytest.fail("the block went on")


def test_other_threads_change_nothing():
    found = []

    def look():
        with signals.kept_back() as request, signals.sigterm_raised():
            found.append((request.received, signal.getsignal(signal.SIGTERM)))
    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert found == [(None, signal.getsignal(signal.SIGTERM))]


def test_the_process_ends_in_time_whatever_it_does():
    code = ("import os, signal, time; from dislib_plus import signals; signals.GRACE = 0.2\n"
            "with signals.kept_back():\n    os.kill(os.getpid(), signal.SIGTERM); time.sleep(100)")
    begun = time.monotonic()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 143 and "Stopped by SIGTERM 0.2 seconds ago; the last" in done.stderr
    assert time.monotonic() - begun < 30
