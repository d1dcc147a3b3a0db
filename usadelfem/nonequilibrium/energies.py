"""Energies of a solve out of equilibrium: which ones, and what is solved at each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..device.device import Device
from ..errors import SolveError
from ..fem.problem import Problem, energy_scale
from ..numerics.report import Report
from ..parallel.tasks import progress_bar
from ..points.energy_chain import EnergyChain
from ..points.energy_choice import energy_interval
from ..points.panels import Panels, adaptive_panels, between
from ..points.team import Setup, Team
from ..points.team_remote import build_team
from ..solve.field_solve import FieldOptions
from ..solve.results import Equilibrium, Spectrum
from .bias import Bias, deviations, edges_of, wanted_columns
from .collisions import scatters
from .responses import Responses, mode_vectors, solved_response
from .result import Nonequilibrium

Real = NDArray[np.float64]
Complex = NDArray[np.complex128]

ENDED = 25.0  # temperatures from the last step of an occupation up to which energies go
WIDTH = 3.0  # of panels where occupations are those of scattering electrons, in temperatures
HEATED = 0.56  # temperature of electrons between reservoirs, in units of the larger voltage
APART = 1e-3  # of energies at which panels begin, in units of the largest of them


@dataclass(frozen=True, eq=False)
class Plan:
    """What is asked for."""

    device: Device
    temperature: float
    broadening: float
    tolerance: float
    energy_range: tuple[float, float] | None
    chosen: Real | None
    responses: Responses
    biases: dict[str, Bias]
    floating: tuple[str, ...]
    condensate: float
    options: FieldOptions

    def team(self, problem: Problem, step: Callable[[], object] = int, *, keep: bool = False) -> Team:
        """A team for energies."""
        scale = max(energy_scale(problem), self.broadening)
        kind = self.options.linear_solver
        setup = Setup(problem, EnergyChain, scale, self.broadening, kind, keep)
        return build_team(setup, self.options.workers, step)

    def energies(self, problem: Problem, biases: dict[str, Bias]) -> tuple[Solved, Panels]:
        """All energies of a problem, solved, with their panels; biases relative to the condensate."""
        count = None if self.chosen is None else len(self.chosen)
        with progress_bar(count, "energies", self.options.progress) as bar:
            solved = Solved(
                problem, self.team(problem, bar.update), self.responses.with_problem(problem),
                wanted_columns(problem, biases), self.broadening,
            )  # fmt: skip
            try:
                if self.chosen is not None:
                    solved.solve(self.chosen)
                    return solved, between(self.chosen)
                return solved, self._adapted(solved, problem, biases)
            except BaseException:
                solved.team.release()
                raise

    def _adapted(self, solved: Solved, problem: Problem, biases: dict[str, Bias]) -> Panels:
        """Panels that resolve all currents at contacts; without any bias those that a small voltage would make."""
        driving, reference = dict(biases), self.temperature
        at_rest = (Bias(0.0, reference),)
        if all(bias in at_rest for bias in biases.values()):
            driving = {name: replace(bias, voltage=bias.temperature) for name, bias in biases.items()}
        top = max(float(own.steps.max()) + ENDED * max(own.temperature, reference) for own in driving.values())
        low, high = (0.0, top) if self.energy_range is None else energy_interval(self.energy_range, 1.0)
        marks = [*(own.steps for own in driving.values()), _spectral_edges(problem)]
        if scatters(problem):
            marks.append(_thermal_marks(list(driving.values())))
            high = max(high, float(marks[-1][-1])) if self.energy_range is None else high
        breaks = [low]
        for mark in np.unique(np.concatenate(marks)).tolist():
            if breaks[-1] + APART * high < mark < high * (1 - APART):
                breaks.append(mark)
        vectors = mode_vectors(problem)

        def weighting(energies: Real) -> Real:
            own = deviations(driving.values(), energies, reference, vectors)
            if self.energy_range is not None:  # for other biases to come
                own[:, :, [0, own.shape[2] // 2]] = 1.0
            return np.asarray(own.reshape(len(energies), -1))

        edges = edges_of(driving.values(), reference)
        return adaptive_panels([*breaks, high], weighting, edges, self.tolerance, solved.solve)


def _thermal_marks(biases: list[Bias]) -> Real:
    """Energies close enough for the occupations of electrons with a temperature of their own."""
    top, coldest = max(float(bias.steps.max()) for bias in biases), min(bias.temperature for bias in biases)
    hottest = max(bias.temperature for bias in biases) + HEATED * top
    low = np.arange(0.0, top + ENDED * coldest, WIDTH * coldest)
    return np.concatenate([low, np.arange(low[-1], top + ENDED * hottest, WIDTH * hottest)[1:]])


def _spectral_edges(problem: Problem) -> Real:
    """Gaps, and gaps plus and minus exchange fields, of reservoirs, and the largest gap of every region."""
    found = []
    for own in problem.electrodes.values():
        for sign in (-1, 0, 1):
            found.append(abs(abs(own.gap) + sign * np.linalg.norm(own.exchange, axis=0)))
    for cells in problem.space.mesh.subdomains.values():
        found.append(np.atleast_1d(abs(problem.gap[cells]).max()))
    edges = np.unique(np.concatenate(found))
    return np.asarray(edges[np.concatenate([[True], np.diff(edges) > 1e-9])])


class Solved:
    """The energies that are solved, with their states, responses and reports."""

    def __init__(
        self, problem: Problem, team: Team, responses: Responses, columns: NDArray[np.int64], broadening: float
    ) -> None:  # fmt: skip
        self.problem, self.team, self.responses = problem, team, responses
        self.columns, self.broadening = columns, broadening
        self.states: dict[float, Complex] = {}
        self.reports: dict[float, Report] = {}
        self.fields: dict[float, Real] = {}
        self.conductances: dict[float, Real] = {}

    def solve(self, energies: Real) -> Real:
        """Solve energies, in any order; the conductances by terminal, mode and what drives, (energies, T, m, T m)."""
        self.team.turn(np.unique(energies))
        self.team.descend(self.problem)
        for energy, state, report in zip(self.team.points.tolist(), self.team.states, self.team.reports, strict=True):
            if not report.converged:
                raise SolveError(
                    f"the retarded equation at energy {energy:.6g} was not found. Try: a finer mesh, or a larger "
                    "broadening", frequency=energy, residuals=report.residuals, state=state,
                )  # fmt: skip
            self.states[energy], self.reports[energy] = state, report
            found = solved_response(self.responses, self.broadening, energy, state)
            self.fields[energy] = found.fields[self.columns[:, 0], self.columns[:, 1]]
            self.conductances[energy] = found.conductance
        values = np.array([self.conductances[energy] for energy in energies.tolist()])
        return values.reshape(*values.shape[:3], -1)

    def energies_of(self, panels: Panels) -> Real:
        """The energies of the panels; where they were given all of them, exactly as given."""
        given = len(panels.points) == 2
        return np.array(sorted(self.states)) if given else np.unique(panels.energies)

    def result(
        self, plan: Plan, eq: Equilibrium, panels: Panels, biases: dict[str, Bias], condensate: float
    ) -> Nonequilibrium:  # fmt: skip
        """The result, with the energies of the panels only."""
        energies = self.energies_of(panels)
        order = energies.tolist()
        spectrum = Spectrum(
            plan.device, energies, self.broadening, np.array([self.states[e] for e in order]),
            tuple(self.reports[e] for e in order), self.problem, self.team.clock,
        )  # fmt: skip
        return Nonequilibrium(
            plan.device, plan.temperature, eq, spectrum, panels, biases, plan.floating, condensate, self.columns,
            np.array([self.fields[e] for e in order]), np.array([self.conductances[e] for e in order]),
            plan.options.linear_solver,
        )  # fmt: skip
