"""All frequencies of a solve, in chains that are worked on at the same time."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..fem.problem import Problem
from ..numerics.newton import ERROR_TOLERANCE, Clock
from ..numerics.report import Report
from ..parallel.interrupt import in_threads
from .frequency_chain import Chain, factor_memory
from .frequency_sums import Job, Sum, Terms

Real = NDArray[np.float64]
Complex = NDArray[np.complex128]


class Team(ABC):
    """Chains of frequencies; where they are worked on is what kinds of teams differ in.

    Attributes
    ----------
    frequencies, weights
        Ascending frequencies and their weights in a sum, shape (frequencies,).
    states
        Entries of the Riccati matrix at the nodes, shape (frequencies, nodes, 4).
    count
        Number of chains; chain k has the frequencies k, k + count, ...
    """

    def __init__(self, problem: Problem, frequencies: Real, weights: Real, count: int) -> None:
        self.frequencies, self.weights = frequencies, weights
        self.count = max(1, min(count, len(frequencies)))
        self.states = np.zeros((len(frequencies), problem.space.nodes.shape[1], 4), complex)

    @abstractmethod
    def run(self, problem: Problem, job: Job) -> list[Any]:
        """Do a job in every chain; the values of its sums over all frequencies."""

    @abstractmethod
    def forget(self) -> None:
        """Make all factors anew where they are needed next, at the states of then."""

    @abstractmethod
    def release(self) -> None:
        """Free the memory of all factors; the team has done its work."""

    @property
    @abstractmethod
    def reports(self) -> tuple[Report, ...]:
        """One report per frequency, ascending; none before all have been solved once."""

    @property
    @abstractmethod
    def clock(self) -> Clock:
        """Seconds in the linear solvers, of all chains together."""

    @property
    @abstractmethod
    def solver(self) -> str:
        """Name of the linear solver."""

    def descend(self, problem: Problem, accuracy: float = ERROR_TOLERANCE, *sums: Sum) -> list[Any]:
        """Solve all frequencies, each chain from high to low; then sums, as in `run`."""
        self.forget()
        return self.run(problem, Job(Chain.descend, (accuracy,), sums))

    def update(self, problem: Problem, accuracy: float, *sums: Sum) -> list[Any]:
        """Solve all frequencies again after a change of the problem; then sums."""
        return self.run(problem, Job(Chain.update, (accuracy,), sums))

    def correct(self, problem: Problem, accuracy: float, *sums: Sum) -> list[Any]:
        """One correction of every state after a small change of the problem, where there are factors; then sums."""
        return self.run(problem, Job(Chain.correct, (accuracy,), sums))

    def sum(self, problem: Problem, term: Callable[..., Any], *arguments: Any) -> Any:
        """The sum of a method of `Terms` over all frequencies, at the present states."""
        return self.run(problem, Job(sums=(Sum(term, arguments),)))[0]

    def result(self) -> dict[str, Any]:
        """What an `Equilibrium` keeps of the solve."""
        for array in (self.states, self.frequencies, self.weights):
            array.flags.writeable = False
        return {"riccati": self.states, "report": self.reports, "clock": self.clock, "solver": self.solver}


class LocalTeam(Team):
    """A team in this process, with a thread for every chain; mesh, tables and states are common to all.

    `step` is called after each frequency of `descend`.
    """

    def __init__(
        self, problem: Problem, frequencies: Real, weights: Real, *, scale: float, kind: str = "auto",
        threads: int = 1, keep: bool = False, terms: Terms | None = None, step: Callable[[], object] = int,
    ) -> None:  # fmt: skip
        super().__init__(problem, frequencies, weights, threads)
        self.terms, self.interrupted = terms or Terms(), False
        self.problem, self.kind, self.keep = problem, kind, keep
        memory = factor_memory() / self.count
        own = [slice(k, None, self.count) for k in range(self.count)]
        self.chains = [
            make_chain(problem, frequencies[part], weights[part], self.states[part], scale, kind, keep, memory, step)
            for part in own
        ]

    def run(self, problem: Problem, job: Job) -> list[Any]:
        """Do a job in every chain, at the same time if there are several."""
        if self.count == 1:
            return job.run(self.chains[0], self.terms, problem)
        self.interrupted = True
        parts = in_threads([partial(job.run, chain, self.terms, problem) for chain in self.chains])
        self.interrupted = False
        return total(parts)

    def forget(self) -> None:
        """Make all factors anew where they are needed next."""
        for chain in self.chains:
            chain.forget()

    def release(self) -> None:
        """Give all solvers back; a thread that was interrupted may still be using its own."""
        for chain in self.chains:
            chain.forget()
            if chain.solver is not None and not self.interrupted:
                self.problem.return_solver(chain.solver, self.kind, float, solver_slots(chain.frequencies, self.keep))

    @property
    def reports(self) -> tuple[Report, ...]:
        """One report per frequency, ascending; none before all have been solved once."""
        if sum(len(chain.reports) for chain in self.chains) < len(self.frequencies):
            return ()
        return tuple(self.chains[n % self.count].reports[n // self.count] for n in range(len(self.frequencies)))

    @property
    def clock(self) -> Clock:
        """Seconds in the linear solvers, of all threads together."""
        clock = Clock()
        for chain in self.chains:
            clock.add(chain.clock)
        return clock

    @property
    def solver(self) -> str:
        """Name of the linear solver."""
        return self.chains[0].solver_name


def total(parts: list[list[Any]]) -> list[Any]:
    """Sums over all frequencies from those over the chains."""
    return [np.sum(each, axis=0) for each in zip(*parts, strict=True)]


def solver_slots(frequencies: Real, keep: bool) -> int:
    """How many factors a chain keeps at a time."""
    return len(frequencies) if keep else 1


def make_chain(
    problem: Problem, frequencies: Real, weights: Real, states: Complex, scale: float, kind: str, keep: bool,
    memory: float, step: Callable[[], object] = int,
) -> Chain:  # fmt: skip
    """A chain with a linear solver of its own, which holds factors of all its frequencies if they are kept."""
    pattern, solver = problem.pattern, None
    if len(pattern.free):
        solver = problem.borrow_solver(kind, float, solver_slots(frequencies, keep))
    return Chain(frequencies, weights, solver, scale, states, keep, memory, step)
