"""Ctrl-C, and SIGTERM of a scheduler (Slurm, Kubernetes, a preempted machine): a wish to end that loses nothing."""

import contextlib
import os
import signal
import threading

# Seconds from SIGTERM to the end of the process, whatever it is doing; schedulers kill after 30.
GRACE = 25.0
TERMINATED = 128 + signal.SIGTERM


class Terminated(KeyboardInterrupt):
    """SIGTERM was received."""


class Request:
    """What came while the signals were kept back.

    Attributes:
      received: SIGINT, SIGTERM, or None.
    """

    def __init__(self):
        self.received = None
        self._deadline = threading.Timer(GRACE, _end_now)
        self._deadline.daemon = True

    def obey(self, done):
        """Raises Terminated or KeyboardInterrupt; `done` ends the sentence: what is safe, and how to go on."""
        whence = "by SIGTERM" if self.received == signal.SIGTERM else "from the keyboard"
        raise (Terminated if self.received == signal.SIGTERM else KeyboardInterrupt)(f"stopped {whence}{done}")

    def _note(self, number, frame):
        if self.received is not None:
            _raise(number, frame)
        self.received = number
        if number == signal.SIGTERM:
            self._deadline.start()


@contextlib.contextmanager
def kept_back():
    """Keeps Ctrl-C and SIGTERM back, for a block that looks for them between its steps; a second one is raised.

    Outside the main thread, which alone gets signals, nothing changes. SIGTERM ends the process after GRACE seconds if
    the block has not ended by then: files are written under temporary names, so it loses what is not yet whole.
    What the block has not looked for is raised at its end.

    Yields:
      Request.
    """
    request = Request()
    with _handled((signal.SIGINT, signal.SIGTERM), request._note):
        try:
            yield request
            if request.received is not None:
                request.obey("; the same command goes on from the last checkpoint.")
        finally:
            request._deadline.cancel()


def sigterm_raised():
    """A context in which SIGTERM raises Terminated, so that temporary files are removed and a sentence is said."""
    return _handled((signal.SIGTERM,), _raise)


@contextlib.contextmanager
def _handled(numbers, handler):
    before = {}
    if threading.current_thread() is threading.main_thread():
        before = {number: signal.signal(number, handler) for number in numbers}
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)


def _raise(number, frame):
    raise Terminated if number == signal.SIGTERM else KeyboardInterrupt


def _end_now():
    os.write(2, f"Stopped by SIGTERM {GRACE:g} seconds ago; the last whole checkpoint, if any, stands.\n".encode())
    os._exit(TERMINATED)
