"""All frequencies of a solve, shared among threads or among the workers of an executor."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..fem.spectral import Spectral
from .chain import Chain, factor_memory
from .engines import capacity
from .linear import LinearSolver, linear_solver
from .newton import ERROR_TOLERANCE, Clock
from .status import Report
from .tasks import run_tasks

Real = NDArray[np.float64]
Complex = NDArray[np.complex128]
Result = TypeVar("Result")


class Team:
    """Chains of frequencies, one per thread; mesh, tables and states are common to all.

    Attributes
    ----------
    frequencies, weights
        Ascending frequencies and their weights in a sum, shape (frequencies,).
    states
        Entries of the Riccati matrix at the nodes, shape (frequencies, nodes, 4).
    chains
        Chain k has the frequencies k, k + threads, ...
    """

    def __init__(
        self, system: Spectral, frequencies: Real, weights: Real, *, scale: float, kind: str = "auto",
        threads: int = 1, keep: bool = False,
    ) -> None:  # fmt: skip
        self.frequencies, self.weights = frequencies, weights
        self.states = np.zeros((len(frequencies), system.space.nodes.shape[1], 4), complex)
        count = max(1, min(threads, len(frequencies)))
        memory = factor_memory() / count
        self.chains = [
            Chain(
                frequencies[k::count], _solver(system, kind, len(frequencies[k::count]) if keep else 1), scale,
                self.states[k::count], keep, memory,
            )
            for k in range(count)
        ]  # fmt: skip

    def each(self, task: Callable[[Chain], Result]) -> list[Result]:
        """Run a task for every chain, at the same time if there are several."""
        if len(self.chains) == 1:
            return [task(self.chains[0])]
        with ThreadPoolExecutor(len(self.chains)) as pool:
            return list(pool.map(task, self.chains))

    def descend(self, system: Spectral, accuracy: float = ERROR_TOLERANCE, step: Callable[[], Any] = int) -> None:
        """Solve all frequencies, each chain from high to low."""
        self.each(lambda chain: chain.descend(system, accuracy, step))

    def update(self, system: Spectral, accuracy: float) -> None:
        """Solve all frequencies again after a change of the system."""
        self.each(lambda chain: chain.update(system, accuracy))

    def correct(self, system: Spectral) -> None:
        """One correction of every state after a small change of the system."""
        self.each(lambda chain: chain.correct(system))

    def refresh(self, system: Spectral) -> None:
        """Factorise the tangents of all frequencies at their present states."""
        self.each(lambda chain: [chain.refresh(system, index) for index in range(len(chain.frequencies))])

    def sum(self, term: Callable[[Chain, int, float], Complex]) -> Complex:
        """The sum over all frequencies of term(chain, number in the chain, weight)."""
        count = len(self.chains)

        def part(chain: Chain) -> Complex:
            own = self.weights[self.chains.index(chain) :: count]
            total = term(chain, 0, float(own[0]))
            for index in range(1, len(own)):
                total = total + term(chain, index, float(own[index]))
            return total

        return np.asarray(sum(self.each(part)))

    def result(self) -> dict[str, Any]:
        """What an `Equilibrium` keeps of the solve."""
        for array in (self.states, self.frequencies, self.weights):
            array.flags.writeable = False
        return {"riccati": self.states, "report": self.reports, "clock": self.clock, "solver": self.solver}

    @property
    def reports(self) -> tuple[Report, ...]:
        """One report per frequency, ascending."""
        count = len(self.chains)
        return tuple(self.chains[n % count].reports[n // count] for n in range(len(self.frequencies)))

    @property
    def clock(self) -> Clock:
        """Seconds in the linear solvers, of all threads together."""
        total = Clock()
        for chain in self.chains:
            total.add(chain.clock)
        return total

    @property
    def solver(self) -> str:
        """Name of the linear solver."""
        first = self.chains[0].solver
        return first.name if first else "none"

    def release(self) -> None:
        """Free the memory of all factors."""
        for chain in self.chains:
            chain.factors.clear()
            if chain.solver is not None:
                chain.solver.release()


def spread(
    system: Spectral, frequencies: Real, *, scale: float, kind: str, executor: Executor, progress: bool | None
) -> dict[str, Any]:  # fmt: skip
    """Solve all frequencies on an executor, every worker's own from high to low; what an `Equilibrium` keeps of it."""
    count = max(1, min(capacity(executor)[1], len(frequencies)))
    states = np.zeros((len(frequencies), system.space.nodes.shape[1], 4), complex)
    reports: dict[int, Report] = {}
    clock, names = Clock(), set()

    def keep(part: int, result: tuple[Complex, list[Report], Clock, str]) -> None:
        own, each, seconds, name = result
        states[part::count] = own
        reports.update(zip(range(part, len(frequencies), count), each, strict=True))
        clock.add(seconds)
        names.add(name)

    parts = [frequencies[part::count] for part in range(count)]
    run_tasks(
        _solve_part, parts, shared=(system, scale, kind), executor=executor, label="Matsubara frequencies",
        progress=progress, on_result=keep,
    )  # fmt: skip
    states.flags.writeable = False
    ordered = tuple(reports[n] for n in range(len(frequencies)))
    return {"riccati": states, "report": ordered, "clock": clock, "solver": ", ".join(sorted(names))}


def _solve_part(shared: tuple[Spectral, float, str], frequencies: Real) -> tuple[Complex, list[Report], Clock, str]:
    """The task of a worker: some frequencies with one solver."""
    system, scale, kind = shared
    team = Team(system, frequencies, np.ones(len(frequencies)), scale=scale, kind=kind)
    try:
        team.descend(system)
        return team.states, list(team.reports), team.clock, team.solver
    finally:
        team.release()


def _solver(system: Spectral, kind: str, slots: int) -> LinearSolver | None:
    pattern = system.pattern
    if not len(pattern.free):
        return None
    return linear_solver(
        pattern.indptr, pattern.indices, block=pattern.unknowns, kind=kind, dtype=np.float64, slots=slots
    )
