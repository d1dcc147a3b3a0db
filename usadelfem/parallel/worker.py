"""What runs in a worker process: it keeps what tasks share, has one BLAS thread, and answers in bytes.

All that travels is bytes and strings, pickled here with cloudpickle (lambdas, closures and functions of a script
included) in protocol 5, which keeps read-only arrays read-only. The engine in between never sees a user's object.
"""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import pickle
import threading
import time
import traceback
import uuid
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, NamedTuple

import cloudpickle
from threadpoolctl import threadpool_limits

from ..defaults import change_defaults, default_of
from ..device.units import Units, active_units, use_units

Task = Callable[[Any, Any], Any]

# Payloads that a worker keeps: more than one, for runs that take turns on the same workers.
KEPT = 4
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
FORWARDED = ("linear_solver", "states")  # of the settings of the process that submits a task
ORPHAN_CHECK = 1.0  # seconds

_ORIGIN = uuid.uuid4().hex
_kept: OrderedDict[str, tuple[Task, Any, Units, dict[str, Any]]] = OrderedDict()
_lock = threading.Lock()
_local = threading.local()
_watched: set[int] = set()


class Outcome(NamedTuple):
    """What a worker answers: "done" with a pickled result, "raised" with a pickled exception, or "missing"."""

    worker: str
    kind: str
    body: bytes = b""


class Keeper(ABC):
    """Shared data that keep something large in a worker from task to task, until the worker turns to another run."""

    @abstractmethod
    def release(self) -> None:
        """Free it."""


class Payload(NamedTuple):
    """The task function, what all tasks share and the units in force, pickled, with a name by which workers know it."""

    key: str
    body: bytes


def process_name() -> str:
    """A name of this process that no other has: forked ones differ by their number, others by the first part."""
    return f"{_ORIGIN}-{os.getpid()}"


def dumps(thing: Any) -> bytes:
    """Pickle with cloudpickle, which also takes lambdas, closures and what is defined in a script."""
    return bytes(cloudpickle.dumps(thing, protocol=5))


def pack(task: Task, shared: Any) -> Payload:
    """Pickle what all tasks need.

    Raises
    ------
    TypeError
        If it cannot be pickled.
    """
    try:
        body = dumps((task, shared, active_units(), {name: default_of(name, None) for name in FORWARDED}))
    except Exception as error:  # whatever a user's __reduce__ raises
        raise TypeError(
            f"what the workers need cannot be pickled: {error!r}; open files, locks and connections cannot travel: "
            "open them in the function, or leave executor=None"
        ) from error
    return Payload(hashlib.sha256(body).hexdigest(), body)


def perform(serial: str, key: str, item: bytes, origin: str, payload: bytes | None) -> Outcome:
    """Run one task in a worker.

    Parameters
    ----------
    serial
        Different for every call, for engines that take equal calls for the same call.
    key, payload
        Name of the payload, and the payload itself unless the worker is believed to have it.
    item
        The pickled item.
    origin
        Name of the process that submitted the task.
    """
    name = process_name()
    if name != origin:
        _settle_in(int(origin.rpartition("-")[2]))
    try:
        known = _recall(key, payload)
        if known is None:
            return Outcome(name, "missing")
        task, shared, units, defaults = known
        use_units(units)
        change_defaults(defaults)
        return Outcome(name, "done", dumps(task(shared, pickle.loads(item))))
    except Exception as error:
        return Outcome(name, "raised", _packed(error))


def _recall(key: str, payload: bytes | None) -> tuple[Task, Any, Units, dict[str, Any]] | None:
    with _lock:
        last = next(reversed(_kept), key)
        if key in _kept:
            _kept.move_to_end(key)
        elif payload is None:
            return None
        else:
            _kept[key] = pickle.loads(payload)
        left = _kept[last][1] if last != key else None
        if len(_kept) > KEPT:
            _kept.popitem(last=False)
        known = _kept[key]
    if isinstance(left, Keeper):
        left.release()
    return known


def _packed(error: Exception) -> bytes:
    """An exception as bytes that are known to load again, with the worker's traceback as a note."""
    note = f"in a worker:\n{traceback.format_exc()}"
    error.add_note(note)
    try:
        body = dumps(error)
        pickle.loads(body)
    except Exception:
        other = RuntimeError(f"{type(error).__name__}: {error} (an exception that cannot be pickled)")
        other.add_note(note)
        body = dumps(other)
    return body


def _settle_in(origin: int) -> None:
    """Before the first task in a thread of a worker: one BLAS thread, and an end when the main process is gone."""
    if getattr(_local, "settled", False):
        return
    _local.settled = True
    os.environ.update(dict.fromkeys(THREADS, "1"))  # for libraries that are loaded later
    threadpool_limits(limits=1)  # for good: restoring it would race with the other threads of a worker
    parent = multiprocessing.parent_process()
    with _lock:
        if parent is not None and parent.pid == origin and os.getpid() not in _watched:
            _watched.add(os.getpid())
            threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()


def _end_with(parent: int) -> None:
    """End this process when its parent is gone: the workers of a pool would wait for tasks for ever."""
    while os.getppid() == parent:
        time.sleep(ORPHAN_CHECK)
    os._exit(1)
