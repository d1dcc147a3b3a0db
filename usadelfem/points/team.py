"""All points of a solve, frequencies or energies, in chains that are worked on at the same time."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..fem.problem import Problem
from ..numerics.newton import ERROR_TOLERANCE, Clock
from ..numerics.report import Report
from ..parallel.interrupt import in_threads
from .chain import Chain, factor_memory
from .storage import new_states
from .sums import Job, Sum, Terms

Real = NDArray[np.float64]
Complex = NDArray[np.complex128]


class Setup(NamedTuple):
    """What all chains of a team have in common.

    The problem is that of the first fields; `kind` names the linear solver, as in `linear_solver`.
    """

    problem: Problem
    chain: type[Chain]
    scale: float
    broadening: float = 0.0
    kind: str = "auto"
    keep: bool = False
    terms: Terms = Terms()

    def new_chain(self, memory: float = np.inf, step: Callable[[], object] = int) -> Chain:
        """A chain without points."""
        return self.chain(self.scale, self.broadening, self.kind, self.keep, memory, step)

    def zeros(self, count: int) -> Complex:
        """The states of the normal metal at so many points."""
        zero = self.chain.equation(self.problem).zero()
        return new_states((count, *zero.shape))


class Team(ABC):
    """Chains of points; where they are worked on is what kinds of teams differ in.

    Attributes
    ----------
    setup
        What the chains have in common.
    most
        Largest number of chains.
    points, weights
        Ascending frequencies or energies and their weights in a sum, shape (points,).
    states
        Unknown matrices at the nodes, shape (points, nodes, entries).
    parts
        The points of every chain.
    known
        Points that were solved before these, with their states.
    """

    def __init__(self, setup: Setup, most: int) -> None:
        self.setup, self.most = setup, most
        self.points = self.weights = np.empty(0)
        self.states = setup.zeros(0)
        self.known: list[tuple[float, Complex]] = []
        self.parts: list[slice] = []

    def turn(self, points: Real, weights: NDArray[Any] | None = None) -> None:
        """Go on to other points; those that have been solved are what they start from."""
        solved = zip(self.points.tolist(), self.states, self.reports, strict=True) if self.reports else ()
        self.known = [*self.known, *((point, state) for point, state, report in solved if report.converged)]
        self.points, self.weights = points, np.ones(len(points)) if weights is None else weights
        self.states = self.setup.zeros(len(points))
        self.parts = self.setup.chain.parts(len(points), self.most, len(self.known))

    @property
    def arguments(self) -> NDArray[Any]:
        """w of the equation at every point."""
        return np.array([self.setup.chain.argument(point, self.setup.broadening) for point in self.points.tolist()])

    @property
    def inverse_sum(self) -> float:
        """The sum of 1/w over all points, which the gap equation is cut off with."""
        return float((self.weights / self.arguments).real.sum())

    @abstractmethod
    def run(self, problem: Problem, job: Job) -> list[Any]:
        """Do a job in every chain; the values of its sums over all points."""

    @abstractmethod
    def forget(self) -> None:
        """Make all factors anew where they are needed next, at the states of then."""

    @abstractmethod
    def release(self) -> None:
        """Free the memory of all factors; the team has done its work."""

    @property
    @abstractmethod
    def reports(self) -> tuple[Report, ...]:
        """One report per point, ascending; none before all have been solved once."""

    @property
    @abstractmethod
    def clock(self) -> Clock:
        """Seconds in the linear solvers, of all chains together."""

    @property
    @abstractmethod
    def solver(self) -> str:
        """Name of the linear solver."""

    def descend(self, problem: Problem, accuracy: float = ERROR_TOLERANCE, *sums: Sum) -> list[Any]:
        """Solve all points, each chain from high to low; then sums, as in `run`."""
        self.forget()
        return self.run(problem, Job("descend", (accuracy,), sums))

    def update(self, problem: Problem, accuracy: float, *sums: Sum) -> list[Any]:
        """Solve all points again after a change of the problem; then sums."""
        return self.run(problem, Job("update", (accuracy,), sums))

    def correct(self, problem: Problem, accuracy: float, *sums: Sum) -> list[Any]:
        """One correction of every state after a small change of the problem, where there are factors; then sums."""
        return self.run(problem, Job("correct", (accuracy,), sums))

    def sum(self, problem: Problem, term: Callable[..., Any], *arguments: Any) -> Any:
        """The sum of a method of `Terms` over all points, at the present states."""
        return self.run(problem, Job(sums=(Sum(term, arguments),)))[0]

    def result(self) -> dict[str, Any]:
        """What an `Equilibrium` keeps of the solve."""
        for array in (self.states, self.points, self.weights):
            array.flags.writeable = False
        return {"riccati": self.states, "report": self.reports, "clock": self.clock, "solver": self.solver}


class LocalTeam(Team):
    """A team in this process, with a thread for every chain; mesh, tables and states are common to all.

    `step` is called after each point of `descend`.
    """

    def __init__(self, setup: Setup, threads: int = 1, step: Callable[[], object] = int) -> None:
        super().__init__(setup, threads)
        self.interrupted = False
        self.chains = [setup.new_chain(step=step) for _ in range(threads)]
        self.active = self.chains[:0]

    def turn(self, points: Real, weights: NDArray[Any] | None = None) -> None:
        """Go on to other points, with as many threads as they are worth."""
        super().turn(points, weights)
        self.active = self.chains[: len(self.parts)]
        for chain, part in zip(self.active, self.parts, strict=True):
            chain.memory = factor_memory() / len(self.parts)
            chain.take(self.points[part], self.weights[part], self.states[part], self.known)
            chain.borrow(self.setup.problem)

    def run(self, problem: Problem, job: Job) -> list[Any]:
        """Do a job in every chain, at the same time if there are several."""
        terms = self.setup.terms
        if len(self.active) == 1:
            return job.run(self.active[0], terms, problem)
        self.interrupted = True
        parts = in_threads([partial(job.run, chain, terms, problem) for chain in self.active])
        self.interrupted = False
        return total(parts)

    def forget(self) -> None:
        """Make all factors anew where they are needed next."""
        for chain in self.chains:
            chain.forget()

    def release(self) -> None:
        """Give all solvers back; a thread that was interrupted may still be using its own."""
        for chain in self.chains:
            if self.interrupted:
                chain.forget()
            else:
                chain.release()

    @property
    def reports(self) -> tuple[Report, ...]:
        """One report per point, ascending; none before all have been solved once."""
        if sum(len(chain.reports) for chain in self.active) < len(self.points):
            return ()
        numbers = np.arange(len(self.points))
        found = {
            number: chain.reports[index]
            for chain, part in zip(self.active, self.parts, strict=True)
            for index, number in enumerate(numbers[part].tolist())
        }  # fmt: skip
        return tuple(found[number] for number in numbers.tolist())

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
    """Sums over all points from those over the chains."""
    return [np.sum(each, axis=0) for each in zip(*parts, strict=True)]
