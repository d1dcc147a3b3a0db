"""Independent tasks, in this process or on any `concurrent.futures.Executor`.

The items of a run differ, what they share travels about once per worker: a submission carries the payload only if it is
one of the first, or if a worker has said that it does not have it. A worker that dies takes its running tasks with
it; they are submitted again.
"""

from __future__ import annotations

import itertools
import pickle
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from textwrap import shorten
from typing import Any

from tqdm import tqdm

from ..defaults import default_of
from .engines import WorkerLostError, capacity, check_executor, is_killed_worker, large_calls_are_meant, successor
from .interrupt import stop_workers
from .rehearsal import rehearsing
from .scripts import check_ends, check_script
from .worker import Outcome, Payload, Task, pack, perform, process_name
from .worker import dumps as dump_item

# Times that the worker of the same item may die.
LOSSES = 3
# Items that lose all their workers before a run is given up at once, and not at its end.
LOST_ITEMS = 3
# Submitted tasks per worker: one that runs and one that waits for it.
AHEAD = 2
# An item that so many workers had no payload for carries it along.
MISSES = 2
# Bytes of an item from which on dask is asked not to warn of it; it does from 1e7 on.
LARGE = 1_000_000
# Seconds after which the size of a cluster is asked for again.
RECOUNT = 10.0


def run_tasks(
    task: Task,
    items: Sequence[Any],
    *,
    shared: Any = None,
    executor: Executor | None = None,
    label: str = "",
    progress: bool | None = None,
    on_result: Callable[[int, Any], object] | None = None,
) -> list[Any]:
    """Results of `task(shared, item)` for all items, in the order of the items.

    With processes, `shared` and `task` are pickled once (with cloudpickle) and travel about once per worker; a worker
    has one BLAS thread. Tasks of a worker that died are retried, on a new pool where a ProcessPoolExecutor has broken,
    at last by themselves. Threads share everything.

    Parameters
    ----------
    task
        Function of what all items share and one item.
    items
        What they differ in; a few per worker are submitted at a time.
    shared
        What all tasks need: a device, a discretised problem.
    executor
        Any `concurrent.futures.Executor`; it stays open. None: in this process, one after the other.
    label
        What is done: for bar and errors.
    progress
        Whether to show a bar; None: on a terminal, in runs longer than a second.
    on_result
        Called in this process with index and result of every item when it is finished.

    Raises
    ------
    WorkerLostError
        If an item lost its worker LOSSES times (after all others have been done), or the executor broke and is not a
        ProcessPoolExecutor.
    TypeError
        If `executor` is no Executor, or `shared` cannot be pickled.
    Exception
        What a task raised, with the worker's traceback as a note. Pending tasks are cancelled.
    """
    check_executor(executor)
    results: list[Any] = [None] * len(items)
    with progress_bar(len(items), label, progress) as bar:

        def deliver(index: int, result: Any) -> None:
            results[index] = result
            if on_result is not None:
                on_result(index, result)
            bar.update()

        if executor is None or rehearsing():
            for index, item in enumerate(items):
                deliver(index, task(shared, item))
        elif len(items):
            with Crew(task, shared, executor, label or getattr(task, "__name__", "task")) as crew:
                crew.run(items, deliver)
    return results


def progress_bar(total: int | None, what: str, progress: bool | None) -> Any:
    """A bar on a terminal, for runs longer than a second; `progress` as in `run_tasks`."""
    progress = default_of("progress", None) if progress is None else progress
    disable = None if progress is None else not progress  # None: shown on a terminal only
    return tqdm(total=total, desc=what, unit="", leave=False, delay=1.0, disable=disable)


@dataclass(frozen=True)
class _Flight:
    """A submitted task: its item, on which executor, and to which worker without payload it was promised."""

    index: int
    engine: Executor
    alone: bool
    promised: str | None = None


class Crew:
    """The workers of an executor, for runs of one task function with the same shared data, which travel once for all.

    What waits and what is in flight belongs to a run; who has the payload, and an executor in place of a broken one,
    last until the crew is closed.
    """

    def __init__(self, task: Task, shared: Any, executor: Executor, label: str) -> None:
        self.task, self.shared, self.label = task, shared, label
        self.given, self.engine = executor, executor
        self.payload: Payload | None = None if isinstance(executor, ThreadPoolExecutor) else pack(task, shared)
        check_script(executor, label)
        self.workers: dict[Any, Any] = {}
        self.serial, self.serials = uuid.uuid4().hex, itertools.count()
        self.needy: set[str] = set()
        self.flights: dict[Future[Any], _Flight] = {}
        self.counted = -RECOUNT
        self.processes = self.slots = 1
        self._count()
        self.first = self.processes

    def __enter__(self) -> Crew:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the executor that has replaced a broken one."""
        if self.engine is not self.given:
            self.engine.shutdown(wait=not self.flights, cancel_futures=True)

    def run(self, items: Sequence[Any], deliver: Callable[[int, Any], None]) -> None:
        """Submit and collect until all is delivered; errors as in `run_tasks`."""
        self.items, self.deliver = items, deliver
        self.fresh: Iterator[int] = iter(range(len(items)))
        self.again: deque[int] = deque()
        self.suspects: deque[int] = deque()
        self.losses: dict[int, int] = {}
        self.lost: list[WorkerLostError] = []
        self.misses: dict[int, int] = {}
        self.flights = {}
        self.finished: SimpleQueue[Future[Any]] = SimpleQueue()
        try:
            while self._refill():
                self._collect(self.finished.get())
        except BaseException as error:
            self._abandon(stop=isinstance(error, KeyboardInterrupt))
            raise
        if self.lost:
            raise self.lost[0]

    def _count(self) -> None:
        if time.monotonic() - self.counted > RECOUNT:
            self.counted = time.monotonic()
            self.processes, self.slots = capacity(self.engine)

    def _refill(self) -> bool:
        self._count()
        while len(self.flights) < AHEAD * self.slots:
            index, alone = self._next()
            if index is None:
                break
            self._submit(index, alone)
        return bool(self.flights)

    def _next(self) -> tuple[int | None, bool]:
        """The next item, and whether it runs alone: suspects come last and have the workers to themselves."""
        if any(flight.alone for flight in self.flights.values()):
            return None, True
        # one bad item makes suspects of its neighbours; more of them are a sign that nothing works
        index = None
        if len(self.suspects) <= AHEAD * self.slots:
            index = self.again.popleft() if self.again else next(self.fresh, None)
        if index is None and self.suspects and not self.flights:
            return self.suspects.popleft(), True
        return index, False

    def _submit(self, index: int, alone: bool) -> None:
        while True:
            engine, promised, carries, large = self.engine, None, False, False
            if self.payload is None:
                call: tuple[Any, ...] = (self.task, self.shared, self.items[index])
            else:
                carries = self.first > 0 or bool(self.needy) or self.misses.get(index, 0) >= MISSES
                promised = next(iter(self.needy), None) if self.first <= 0 else None
                name, item = f"{self.serial}-{next(self.serials)}", dump_item(self.items[index])
                body = self.payload.body if carries else None
                call = (perform, name, self.payload.key, item, process_name(), body)
                large = carries or len(item) > LARGE
            try:
                with large_calls_are_meant() if large else nullcontext():
                    future: Future[Any] = engine.submit(*call)
            except BrokenExecutor as error:
                self._replace(engine, error)
                continue
            break
        self.workers |= vars(engine).get("_processes") or {}
        self.first -= carries
        self.needy.discard(promised or "")
        self.flights[future] = _Flight(index, engine, alone, promised)
        future.add_done_callback(self.finished.put)

    def _collect(self, future: Future[Any]) -> None:
        flight = self.flights.pop(future)
        if self.payload is None:
            self.deliver(flight.index, future.result())
            return
        try:
            outcome = future.result()
        except BrokenExecutor as error:
            self._lost(flight, error)
            self._replace(flight.engine, error)
            return
        except Exception as error:
            if not is_killed_worker(error):
                raise
            self._lost(flight, error, LOSSES - 1)  # dask has retried by itself
            return
        self._read(flight, outcome)

    def _read(self, flight: _Flight, outcome: Outcome) -> None:
        if outcome.kind == "missing":
            self.misses[flight.index] = self.misses.get(flight.index, 0) + 1
            if all(other.promised != outcome.worker for other in self.flights.values()):
                self.needy.add(outcome.worker)
            (self.suspects if flight.alone else self.again).appendleft(flight.index)
            return
        self.needy.discard(outcome.worker)
        value = pickle.loads(outcome.body)
        if outcome.kind == "raised":
            raise value
        self.deliver(flight.index, value)

    def _lost(self, flight: _Flight, error: BaseException, count: int = 1) -> None:
        """Put an item back whose worker may have died of it; with its neighbours' deaths it is only suspected."""
        check_ends(self.workers, self.label)
        index = flight.index
        losses = self.losses[index] = self.losses.get(index, 0) + count
        if losses >= LOSSES and flight.alone:
            final = WorkerLostError(
                f"{self.label}: the worker that ran item {index} ({shorten(repr(self.items[index]), 80)}) died "
                f"{losses} times, at last with no other task beside it. Look for lack of memory or a crash in compiled "
                "code; executor=None runs it in this process"
            )
            final.__cause__ = error
            self.lost.append(final)
            if len(self.lost) >= LOST_ITEMS:
                raise self.lost[0]
            return
        (self.suspects if losses >= LOSSES - 1 else self.again).append(index)

    def _replace(self, broken: Executor, error: BaseException) -> None:
        """A new executor in place of a broken one, unless that has been done."""
        if broken is not self.engine:
            return
        self.engine = successor(broken, self.label, error)
        if broken is not self.given:
            broken.shutdown(wait=False)
        self.counted = -RECOUNT
        self._count()
        self.first, self.needy = self.processes, set()

    def _abandon(self, *, stop: bool) -> None:
        """Cancel what is pending and deliver what is finished already; `stop` also what runs."""
        for future in self.flights:
            future.cancel()
        stop_workers(self.engine if stop else None)
        with suppress(Empty):
            while True:
                future = self.finished.get_nowait()
                if future in self.flights and not future.cancelled() and future.exception() is None:
                    with suppress(Exception):  # the first error is the one that is raised
                        self._collect(future)
