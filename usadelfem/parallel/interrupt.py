"""Ctrl-C: long calls of compiled libraries run in a thread beside the one that waits for them and can be interrupted.

Python sees an interrupt only between its own instructions, so that a factorisation of ten seconds, or threads of a pool
that are waited for, would go on. What is abandoned in the middle runs to its end in a daemon thread, which keeps what
it works on alive and does not keep the process.
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")

# Seconds that threads are waited for after they were told to stop.
PATIENCE = 0.1


class _Call(threading.Thread):
    """One function in a daemon thread, with its result or exception."""

    def __init__(self, function: Callable[[], Any]) -> None:
        super().__init__(daemon=True)
        self._function = function
        self.result: Any = None
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            self.result = self._function()
        except BaseException as error:
            self.error = error


def in_threads(functions: Sequence[Callable[[], T]]) -> list[T]:
    """Results of functions that run at the same time; an error of one, or an interrupt, stops the others.

    Raises
    ------
    BaseException
        The first error of a function, or what interrupted the wait.
    """
    calls = [_Call(function) for function in functions]
    for call in calls:
        call.start()
    try:
        for call in calls:
            call.join()
            if call.error is not None:
                raise call.error
    except BaseException:
        stop_threads(calls)
        raise
    return [call.result for call in calls]


def interruptible(function: Callable[[], T]) -> T:
    """The result of a function that may spend long in compiled code; in the main thread it can be interrupted."""
    if threading.current_thread() is not threading.main_thread():
        return function()
    return in_threads([function])[0]


def stop_threads(threads: Iterable[threading.Thread]) -> None:
    """Raise KeyboardInterrupt in threads as soon as they run Python code, and wait a moment for them to end."""
    running = [thread for thread in threads if thread.is_alive() and thread.ident is not None]
    for thread in running:
        number = ctypes.c_ulong(thread.ident or 0)
        ctypes.pythonapi.PyThreadState_SetAsyncExc(number, ctypes.py_object(KeyboardInterrupt))
    for thread in running:
        thread.join(PATIENCE / len(running))


def stop_workers(executor: Executor | None) -> None:
    """End what the workers of an interrupted pool are doing, if there is one; the pool is of no use after that.

    Processes of a ProcessPoolExecutor are terminated, threads interrupted. Clusters drop the results by themselves.
    """
    own: dict[str, Any] = {} if executor is None else vars(executor)
    if isinstance(executor, ProcessPoolExecutor):
        processes = list((own.get("_processes") or {}).values())  # gone after the shutdown
        executor.shutdown(wait=False, cancel_futures=True)
        for process in processes:
            process.terminate()
    elif isinstance(executor, ThreadPoolExecutor):
        executor.shutdown(wait=False, cancel_futures=True)
        stop_threads(own.get("_threads", ()))
