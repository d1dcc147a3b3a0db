"""Executors that count, tasks that die, and a limit on how long a test waits for them."""

import os
import signal
import time
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def at_most(seconds):
    """TimeoutError in a test that hangs."""

    def stop(*_):
        raise TimeoutError(f"the test took more than {seconds} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@pytest.fixture(autouse=True)
def limited():
    with at_most(600):  # workers may have to compile the kernels first
        yield


class Counting(Executor):
    """Another executor, with a count of what it was given."""

    def __init__(self, inner):
        self.inner, self.num_workers = inner, inner._max_workers
        self.calls = self.payloads = self.most = self.open = 0

    def submit(self, function, *arguments, **options):
        self.calls += 1
        self.payloads += arguments[-1] is not None
        future = self.inner.submit(function, *arguments, **options)
        self.open += 1
        self.most = max(self.most, self.open)
        future.add_done_callback(self._close)
        return future

    def _close(self, _):
        self.open -= 1


class Immediate(Executor):
    """Runs every task in this process when it is submitted; `before` is called before each."""

    num_workers = 2

    def __init__(self, before=lambda: None):
        self.before, self.calls, self.payloads = before, 0, 0

    def submit(self, function, *arguments, **options):
        self.calls += 1
        self.payloads += arguments[-1] is not None
        self.before()
        future = Future()
        try:
            future.set_result(function(*arguments, **options))
        except BaseException as error:
            future.set_exception(error)
        return future


def power(shared, item):
    return item**shared


def note(folder, item):
    """Leave a file for a call, and tell how many there are for the same item."""
    folder = Path(folder)
    (folder / f"{item}-{os.getpid()}-{time.monotonic_ns()}").touch()
    return calls(folder, item)


def calls(folder, item="*"):
    return len(list(Path(folder).glob(f"{item}-*")))


def die_once(folder, item):
    """Item 5 kills its worker, the first time."""
    if note(folder, item) == 1 and item == 5:
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(0.02)
    return item**2


def die(folder, item):
    note(folder, item)
    os.kill(os.getpid(), signal.SIGKILL)


def die_always(folder, item):
    """Item 5 kills its worker whenever it is tried."""
    note(folder, item)
    if item == 5:
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(0.02)
    return item**2
