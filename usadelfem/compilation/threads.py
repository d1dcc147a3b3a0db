"""Threads for compiled loops over cells: parts of a loop at the same time, their results one after another."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from typing import TypeVar

T = TypeVar("T")

AHEAD = 4  # results that may wait for those before them to be consumed


def kernel_threads() -> int:
    """Number of threads of loops over cells: `OMP_NUM_THREADS`, as of BLAS and MKL, or the cores that may be used."""
    first = os.environ.get("OMP_NUM_THREADS", "").split(",")[0].strip()
    if first.isdigit() and int(first) > 0:
        return int(first)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def in_order(count: int, make: Callable[[], Callable[[int], T]]) -> Iterator[T]:
    """Results of the jobs 0, 1, ..., count - 1, in this order, whatever the number of threads.

    Parameters
    ----------
    count
        Number of jobs.
    make
        Makes a function of the number of a job, with space of its own to work in. A result may lie in that space: it is
        overwritten after the next one has been asked for.

    Yields
    ------
    object
        What the function returns for each job.
    """
    threads = min(kernel_threads(), count)
    if threads < 2:
        yield from map(make(), range(count))
        return
    pool, spaces = _pool(kernel_threads()), [make() for _ in range(threads + AHEAD)]
    waiting: deque[Future[T]] = deque()
    for number in range(count):
        if number >= len(spaces):  # this one's space is in use until its last result has been consumed
            yield waiting.popleft().result()
        waiting.append(pool.submit(spaces[number % len(spaces)], number))
    while waiting:
        yield waiting.popleft().result()


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    """The threads of this process, common to all that is solved at the same time."""
    return ThreadPoolExecutor(threads, "usadelfem-kernels")


if hasattr(os, "register_at_fork"):  # threads do not exist in the child
    os.register_at_fork(after_in_child=_pool.cache_clear)
