"""What is particular about the executors of the standard library, dask and MPI."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from ..checks import integer, shown
from ..defaults import default_of
from ..errors import WorkerLostError as WorkerLostError

Workers = int | Executor

_EXECUTORS = (
    "a concurrent.futures.Executor: ProcessPoolExecutor(), dask's Client.get_executor(), "
    "mpi4py.futures.MPIPoolExecutor()"
)


def checked_workers(workers: Any) -> Workers:
    """Who works: threads of this process, or an executor; None is the default. ValueError if it is none of these."""
    if workers is None:
        workers = default_of("workers", 1)
    if isinstance(workers, Executor):
        return workers
    return integer("workers", workers, least=1, note=f", or {_EXECUTORS}")


@contextmanager
def executor_of(workers: Workers) -> Iterator[Executor | None]:
    """The executor of some workers: None for one, which is this thread, and a pool of threads for more."""
    if isinstance(workers, Executor):
        yield workers
    elif workers == 1:
        yield None
    else:
        pool = ThreadPoolExecutor(workers)
        try:
            yield pool
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def check_executor(executor: Any) -> None:
    """TypeError if it is neither None nor an Executor."""
    if executor is not None and not isinstance(executor, Executor):
        raise TypeError(f"executor is {shown(executor)}; allowed is None, or {_EXECUTORS}")


@contextmanager
def large_calls_are_meant() -> Iterator[None]:
    """Without dask's advice to scatter: scattered data die with the worker that holds them."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Sending large graph")
        yield


def capacity(executor: Executor) -> tuple[int, int]:
    """Number of worker processes, and of tasks that they run at a time."""
    client: Any = getattr(executor, "_client", None)
    if hasattr(client, "nthreads"):  # dask
        threads = list(client.nthreads().values())
        return max(1, len(threads)), max(1, sum(threads))
    known = (getattr(executor, name, None) for name in ("num_workers", "_max_workers"))  # MPI, the standard library
    count = next((number for number in known if isinstance(number, int) and number > 0), os.cpu_count() or 1)
    return count, count


def is_killed_worker(error: BaseException) -> bool:
    """Whether this is the error with which dask gives up a task whose workers die."""
    return type(error).__name__ == "KilledWorker" and type(error).__module__.startswith("distributed")


def successor(broken: Executor, label: str, error: BaseException) -> Executor:
    """A process pool like one that has broken.

    Raises
    ------
    WorkerLostError
        If it is no process pool.
    """
    if not isinstance(broken, ProcessPoolExecutor):
        raise WorkerLostError(
            f"{label}: the {type(broken).__name__} broke and cannot be replaced; start it again (results so far are "
            "kept where there is a checkpoint)"
        ) from error
    own: dict[str, Any] = vars(broken)
    return ProcessPoolExecutor(
        own["_max_workers"], own["_mp_context"], own["_initializer"], own["_initargs"],
        max_tasks_per_child=own.get("_max_tasks_per_child"),
    )  # fmt: skip
