"""A team whose chains are worked on by the workers of an executor.

An executor does not say which worker takes a task. So the states and what has changed in the problem travel with every
task, and new states and sums come back; a worker keeps the factors that it has made for a chain, and makes them anew
where another one had the chain before. What never changes, the mesh and its patterns, travels about once per worker.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..fem.problem import Problem
from ..numerics.newton import Clock
from ..numerics.report import Report
from ..parallel.engines import Workers, capacity
from ..parallel.tasks import Crew
from ..parallel.worker import Keeper
from .chain import Chain, Known, factor_memory
from .energy_chain import nearest
from .frequency_chain import FrequencyChain
from .sums import Job, Terms
from .team import LocalTeam, Setup, Team, total

Real = NDArray[np.float64]
Complex = NDArray[np.complex128]


def build_team(setup: Setup, workers: Workers = 1, step: Callable[[], object] = int) -> Team:
    """A team without points, of threads of this process or of the workers of an executor."""
    if isinstance(workers, Executor):
        return RemoteTeam(setup, workers, step)
    return LocalTeam(setup, workers, step)


def frequency_team(
    problem: Problem, frequencies: Real, weights: Real, *, scale: float, kind: str = "auto", workers: Workers = 1,
    keep: bool = False, terms: Terms | None = None, step: Callable[[], object] = int,
) -> Team:  # fmt: skip
    """The Matsubara frequencies of a solve, shared by threads of this process or by the workers of an executor."""
    setup = Setup(problem, FrequencyChain, scale, 0.0, kind, keep, terms or Terms())
    team = build_team(setup, workers, step)
    team.turn(frequencies, weights)
    return team


@dataclass(frozen=True, eq=False)
class _Order:
    """A job for one chain, its points, and what has changed since the setup: columns of the table of coefficients.

    States are None where all are zero. Factors of an earlier generation are out of date.
    """

    number: int
    generation: int
    job: Job
    points: Real
    weights: NDArray[Any]
    known: Known
    columns: NDArray[np.int64]
    values: Real
    states: Complex | None

    def problem(self, first: Problem) -> Problem:
        """The problem in the present fields."""
        if not len(self.columns):
            return first
        table = first.coefficients.table.copy()
        table[..., self.columns] = self.values
        return first.with_columns(table)


class _Answer(NamedTuple):
    """What comes back: values of the sums, states where they have moved, and how it went."""

    sums: list[Any]
    states: Complex | None
    reports: dict[int, Report]
    clock: Clock
    solver: str


@dataclass(eq=False)
class _Held:
    """A chain with its factors, which one thread at a time may use."""

    chain: Chain
    generation: int = 0
    lock: Lock = field(default_factory=Lock)


class _Chains(Keeper):
    """The chains of a team that a process has worked on, the last one at the end; factors do not travel."""

    def __init__(self, setup: Setup, processes: int, slots: int) -> None:
        self.setup, self.processes, self.slots = setup, processes, slots
        self.held: OrderedDict[int, _Held] = OrderedDict()
        self.lock = Lock()

    def __reduce__(self) -> tuple[Any, ...]:
        return _Chains, (self.setup, self.processes, self.slots)

    def work(self, order: _Order) -> _Answer:
        """Do a job with one chain."""
        held, setup = self._take(order.number), self.setup
        try:
            with held.lock:
                chain = held.chain
                if held.generation != order.generation:
                    chain.forget()
                    held.generation = order.generation
                states = setup.zeros(len(order.points)) if order.states is None else order.states
                chain.take(order.points, order.weights, states, order.known)
                chain.borrow(setup.problem)
                chain.clock, chain.reports = Clock(), {}
                sums = order.job.run(chain, setup.terms, order.problem(setup.problem))
                moved = chain.states if order.job.move else None
                return _Answer(sums, moved, chain.reports, chain.clock, chain.solver_name)
        finally:
            self._trim(order.number)

    def _take(self, number: int) -> _Held:
        with self.lock:
            if number not in self.held:
                self.held[number] = _Held(self.setup.new_chain(factor_memory() / self.slots))
            self.held.move_to_end(number)
            return self.held[number]

    def _trim(self, last: int) -> None:
        """Drop factors that are not to be kept, and those of other chains where memory ends."""
        limit = factor_memory() / self.processes
        with self.lock:
            if not self.setup.keep:
                self._drop(last, wait=False)
                return
            for number in [number for number in self.held if number != last]:
                if sum(held.chain.held for held in self.held.values()) > limit:
                    self._drop(number, wait=False)

    def _drop(self, number: int, *, wait: bool) -> None:
        held = self.held.get(number)
        if held is not None and held.lock.acquire(blocking=wait):
            held.chain.release()
            held.lock.release()
            del self.held[number]

    def release(self) -> None:
        """Free all factors, waiting for those in use."""
        with self.lock:
            for number in list(self.held):
                self._drop(number, wait=True)


def _work(chains: _Chains, order: _Order) -> _Answer:
    """The task of a worker."""
    return chains.work(order)


class RemoteTeam(Team):
    """A team with a chain for every worker of an executor; `step` is called for every point of a descent."""

    def __init__(self, setup: Setup, executor: Executor, step: Callable[[], object] = int) -> None:
        processes, slots = capacity(executor)
        super().__init__(setup, slots)
        own = 1 if isinstance(executor, ThreadPoolExecutor) else processes
        self.step = step
        self.chains = _Chains(setup, own, slots)
        self.crew = Crew(_work, self.chains, executor, setup.chain.what)
        # Workers wait in line: the one that was ready first gets the first chain, which had better be its own.
        self.order: list[int] = []
        self.generation = 0
        self._reports: dict[int, Report] = {}
        self._clock, self._names = Clock(), set[str]()

    def turn(self, points: Real, weights: NDArray[Any] | None = None) -> None:
        """Go on to other points, with as many workers as they are worth."""
        super().turn(points, weights)
        self.order, self._reports = list(range(len(self.parts))), {}

    def run(self, problem: Problem, job: Job) -> list[Any]:
        """Do a job in every chain, wherever workers are free."""
        first, table = self.setup.problem.coefficients.table, problem.coefficients.table
        columns = np.flatnonzero((table != first).any(axis=(0, 1)))
        orders = [self._order(number, job, columns, table[..., columns]) for number in self.order]
        sums: list[list[Any]] = [[]] * len(self.parts)
        finished: list[int] = []

        def keep(index: int, answer: _Answer) -> None:
            number = orders[index].number
            self._keep(number, answer)
            sums[number] = answer.sums
            finished.append(number)
            for _ in range(len(answer.reports) if job.move == "descend" else 0):
                self.step()

        self.crew.run(orders, keep)
        self.order = finished
        return total(sums)

    def _order(self, number: int, job: Job, columns: NDArray[np.int64], values: Real) -> _Order:
        part = self.parts[number]
        points, states = self.points[part], self.states[part]
        # what travels of the known points is what these are extrapolated from
        used = {point: state for target in points.tolist() for point, state in nearest(self.known, target)}
        return _Order(
            number, self.generation, job, points, self.weights[part], list(used.items()), columns, values,
            states if states.any() else None,
        )  # fmt: skip

    def _keep(self, number: int, answer: _Answer) -> None:
        part = self.parts[number]
        if answer.states is not None:
            self.states[part] = answer.states
        own = np.arange(len(self.points))[part].tolist()
        for index, report in answer.reports.items():
            self._reports[own[index]] = report.after(self._reports.get(own[index]))
        self._clock.add(answer.clock)
        self._names.add(answer.solver)

    def forget(self) -> None:
        """Make all factors anew where they are needed next, in whichever worker."""
        self.generation += 1

    def release(self) -> None:
        """End what this team has started; workers free their factors when they turn to something else."""
        self.crew.close()
        self.chains.release()

    @property
    def reports(self) -> tuple[Report, ...]:
        """One report per point, ascending; none before all have been solved once."""
        complete = len(self._reports) == len(self.points)
        return tuple(self._reports[n] for n in range(len(self.points))) if complete else ()

    @property
    def clock(self) -> Clock:
        """Seconds in the linear solvers, of all workers together."""
        return self._clock

    @property
    def solver(self) -> str:
        """Name of the linear solver, or of several if workers differ."""
        return ", ".join(sorted(self._names))
