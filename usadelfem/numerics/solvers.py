"""Linear solvers that have done their work and know their pattern: the next one to need one goes on with it."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import Any

from .linear import LinearSolver

MOST_IDLE = 8  # solvers of one pattern


class SolverPool:
    """Idle solvers of one sparsity pattern by what they were made with; one user at a time has each."""

    def __init__(self) -> None:
        self._idle: list[tuple[Any, LinearSolver]] = []
        self._lock = Lock()

    def __reduce__(self) -> tuple[Any, ...]:
        return SolverPool, ()

    def borrow(self, key: Any, make: Callable[[], LinearSolver]) -> LinearSolver:
        """An idle solver that was given back under this key, or a new one."""
        with self._lock:
            for place, (own, _) in enumerate(self._idle):
                if own == key:
                    return self._idle.pop(place)[1]
        return make()

    def give(self, key: Any, solver: LinearSolver) -> None:
        """Free the factors of a solver and keep it for the next user."""
        if solver.rest():
            with self._lock:
                self._idle.append((key, solver))
                dropped = self._idle[:-MOST_IDLE]
                self._idle = self._idle[-MOST_IDLE:]
            for _, old in dropped:
                old.release()
