"""Stationary states out of equilibrium: the kinetic equation on top of the retarded solution."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..checks import checked_temperature, choice, kind, named, number
from ..device.device import Device
from ..errors import DeviceError, SolveError
from ..fem.problem import Problem, build_problem, energy_scale
from ..fem.sector import SECTORS
from ..numerics.newton import Clock
from ..numerics.report import Report
from ..parallel.engines import Workers, checked_workers
from ..parallel.tasks import progress_bar
from ..points.energy_chain import EnergyChain
from ..points.energy_choice import checked_energies, energy_interval, positive_energy
from ..points.panels import Panels, adaptive_panels, between
from ..points.sum_rule import SumRule
from ..points.team import Setup, Team
from ..points.team_remote import build_team
from .arguments import check_device, check_settings
from .bias import Bias, edges_of, read_biases
from .equilibrium import given_gaps
from .nonequilibrium_result import Conductance, Nonequilibrium, wanted_columns
from .responses import Responses, mode_vectors
from .results import Spectrum

Real = NDArray[np.float64]
Complex = NDArray[np.complex128]

ENDED = 25.0  # temperatures from the last step of an occupation up to which energies go
APART = 1e-3  # of energies at which panels begin, in units of the largest of them


@named()
def solve_nonequilibrium(
    device: Device, *, temperature: float, energies: ArrayLike | str = "adaptive", broadening: float = 1e-3,
    tolerance: float = 1e-6, energy_range: tuple[float, float] | None = None, order: int = 2, sector: str = "auto",
    linear_solver: str = "auto", workers: Workers = 1, progress: bool | None = None,
) -> Nonequilibrium:  # fmt: skip
    """Solve for the stationary state of a device whose reservoirs differ in voltage, temperature or spin bias.

    At every energy the nonlinear retarded equation, then the kinetic equation for the 8 modes of the distribution
    function (2 or 4 in smaller spin sectors), with all couplings of the equilibrium: exchange fields, scattering, gauge
    fields, theta, kappa and their torques, and every interface (theory, section on the kinetic equation). Only the
    deviation from equilibrium is solved for, so that equilibrium stays exact; the response to each reservoir is kept,
    so that other voltages need no further solve (`Nonequilibrium.with_bias`). Gaps are given.

    Parameters
    ----------
    device
        Mesh, materials and contacts; every contact is a `Reservoir` with its `voltage`, `temperature` and `spin_bias`.
        Superconducting reservoirs have the same voltage. `voltage=FLOATING`: a probe into which no charge flows.
    temperature
        Temperature (k_B = 1) of the reservoirs that have none of their own; positive.
    energies
        "adaptive": chosen so that all currents at contacts are resolved; or energies >= 0 relative to the condensate,
        shape (energies,), between which the spectral functions are taken to be linear.
    broadening
        Dynes broadening Gamma of the spectra, energy; positive. It relaxes neither charge nor energy.
    tolerance
        For "adaptive": largest error of the currents, relative to the largest.
    energy_range
        For "adaptive": lowest and highest energy. None: from 0 to 25 temperatures beyond the largest voltage; give a
        larger one to go on to larger voltages.
    order, sector, linear_solver, workers, progress
        As in `solve_equilibrium`. The kinetic equation itself is solved in this process.

    Returns
    -------
    Nonequilibrium
        Frozen result; observables are functions of it.

    Raises
    ------
    DeviceError
        If a reservoir is none, the gap of a region is not given, superconducting reservoirs have different voltages or
        a spin bias across their exchange field, contacts with different biases touch, or a part has no reservoir.
    SolveError
        If an energy is not found, the kinetic equation is singular, or floating voltages do not exist.
    ValueError, TypeError
        If an argument is out of range.

    Warns
    -----
    UserWarning
        If energies leave out part of an occupation, integrals are not resolved, or a given gap breaks the conservation
        of charge (`charge_source`).
    """
    check_device(device)
    temperature = checked_temperature(temperature)
    check_settings(order=order, linear_solver=linear_solver, progress=progress)
    choice("sector", sector, SECTORS)
    broadening = positive_energy("broadening", broadening, None)
    tolerance = number("tolerance", tolerance, above=0, below=1)
    workers = checked_workers(workers)
    chosen = _checked(energies, energy_range)
    _check_gaps(device)
    problem = build_problem(device, order, temperature=temperature, sector=sector, biased=True)
    biases, condensate = read_biases(device, problem.electrodes, temperature)
    _check_shared(problem, biases)
    responses = Responses(problem, linear_solver)
    eq = given_gaps(
        device, problem, temperature, SumRule(), linear_solver=linear_solver, workers=workers, progress=progress
    )
    known = {name: bias or Bias(0.0, _own(device, name, temperature)) for name, bias in biases.items()}
    scale = max(energy_scale(problem), broadening)
    with progress_bar(None if chosen is None else len(chosen), "energies", progress) as bar:
        team = build_team(Setup(problem, EnergyChain, scale, broadening, linear_solver), workers, bar.update)
        solved = _Solved(problem, team, responses, wanted_columns(problem, known), broadening)
        try:
            if chosen is None:
                panels = _adapted(solved, problem, known, temperature, tolerance, energy_range)
            else:
                solved.solve(chosen)
                panels = between(chosen)
        finally:
            team.release()
    return solved.result(
        device=device, temperature=temperature, equilibrium=eq, panels=panels, biases=known,
        floating=tuple(name for name, bias in biases.items() if bias is None), condensate=condensate,
        kind=linear_solver,
    )._balanced()  # fmt: skip


def conductance_matrix(neq: Nonequilibrium) -> Conductance:
    """The current of every mode out of every terminal per mode of every terminal, at the energies of a solve.

    All 8 modes in every spin sector; those that the solve did not need are found from its retarded states.

    Parameters
    ----------
    neq
        The result of `solve_nonequilibrium`.
    """
    kind("conductance_matrix", neq, Nonequilibrium, "is the result of solve_nonequilibrium")
    return neq.conductance()


def _own(device: Device, name: str, temperature: float) -> float:
    own: Any = device.contacts[name]
    return temperature if own.temperature is None else float(own.temperature)


def _checked(energies: Any, energy_range: Any) -> Real | None:
    """Given energies >= 0, at least two; None for adaptive ones."""
    if isinstance(energies, str):
        choice("energies", energies, ("adaptive",))
        if energy_range is not None and energy_interval(energy_range, 1.0)[0] < 0:
            raise ValueError("energy_range begins below 0; negative energies follow from positive ones by symmetry")
        return None
    if energy_range is not None:
        raise ValueError("energy_range belongs to energies='adaptive'")
    chosen = checked_energies(energies)
    if chosen[0] < 0:
        raise ValueError(
            f"energies begin at {chosen[0]:g}; allowed are energies >= 0, those below follow from them by symmetry"
        )
    return chosen


def _check_gaps(device: Device) -> None:
    unknown = [region for region, material in device.conductors.items() if material.self_consistent]
    if unknown:
        raise DeviceError(
            f"the gap of region {', '.join(map(repr, unknown))} is not given; out of equilibrium gaps have to be given: "
            "give gap=..., or take the materials of solve_equilibrium(...).device, whose gap has been found"
        )


def _check_shared(problem: Problem, biases: dict[str, Bias | None]) -> None:
    """Contacts that touch have the same bias."""
    names = list(biases)
    for n, first in enumerate(names):
        for second in names[n + 1 :]:
            both = np.intersect1d(problem.electrodes[first].nodes, problem.electrodes[second].nodes)
            if len(both) and (biases[first] is None or biases[first] != biases[second]):
                raise DeviceError(
                    f"contacts {first!r} and {second!r} touch at {len(both)} nodes but have different voltage, "
                    "temperature or spin bias there; separate them"
                )


def _adapted(
    solved: _Solved, problem: Problem, biases: dict[str, Bias], temperature: float, tolerance: float,
    energy_range: tuple[float, float] | None,
) -> Panels:  # fmt: skip
    """Panels that resolve all currents at contacts; without any bias those that a small voltage would make."""
    driving = dict(biases)
    if not any(bias.deviation(np.linspace(0, 9 * bias.temperature, 9), temperature).any() for bias in biases.values()):
        driving = {name: replace(bias, voltage=bias.temperature) for name, bias in biases.items()}
    top = max(float(own.steps.max()) + ENDED * max(own.temperature, temperature) for own in driving.values())
    low, high = (0.0, top) if energy_range is None else energy_interval(energy_range, 1.0)
    marks = [own.steps for own in driving.values()] + [_edges_of_spectra(problem)]
    breaks = [low]
    for mark in np.unique(np.concatenate(marks)).tolist():
        if breaks[-1] + APART * high < mark < high * (1 - APART):
            breaks.append(mark)
    vectors = mode_vectors(problem)

    def weighting(energies: Real) -> Real:
        own = np.stack([bias.deviation(energies, temperature) for bias in driving.values()], axis=1) @ vectors
        return own.reshape(len(energies), -1)

    return adaptive_panels([*breaks, high], weighting, edges_of(driving.values(), temperature), tolerance, solved.solve)


def _edges_of_spectra(problem: Problem) -> Real:
    """Gaps, and gaps plus and minus exchange fields, of reservoirs and regions."""
    found = []
    for own in problem.electrodes.values():
        for sign in (-1, 0, 1):
            found.append(abs(abs(own.gap) + sign * np.linalg.norm(own.exchange, axis=0)))
    for cells in problem.space.mesh.subdomains.values():
        found.append(np.unique(abs(problem.gap[cells]).round(12).max(keepdims=True).ravel()))
    edges = np.unique(np.concatenate(found))
    return np.asarray(edges[np.concatenate([[True], np.diff(edges) > 1e-9])])


class _Solved:
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
        self.clock = Clock()

    def solve(self, energies: Real) -> Real:
        """Solve energies, in any order; the conductances (energies, terminals x m, terminals x m) by what drives."""
        self.team.turn(np.unique(energies))
        self.team.descend(self.problem)
        for energy, state, report in zip(self.team.points.tolist(), self.team.states, self.team.reports, strict=True):
            if not report.converged:
                raise SolveError(
                    f"the retarded equation at energy {energy:.6g} was not found. Try: a finer mesh, or a larger "
                    "broadening", frequency=energy, residuals=report.residuals, state=state,
                )  # fmt: skip
            self.states[energy], self.reports[energy] = state, report
            try:
                found = self.responses.solve(complex(self.broadening, -energy), state)
            except np.linalg.LinAlgError as error:
                raise SolveError(
                    f"the kinetic equation at energy {energy:.6g} has no unique solution ({error}). Try: a larger "
                    "broadening, or a finer mesh", frequency=energy, residuals=(), state=state,
                ) from error  # fmt: skip
            self.fields[energy] = found.fields[self.columns[:, 0], self.columns[:, 1]]
            self.conductances[energy] = found.conductance
        values = np.array([self.conductances[energy] for energy in energies.tolist()])
        return np.moveaxis(values.reshape(len(energies), *2 * (values.shape[1] * values.shape[2],)), 1, 2)

    def result(self, *, panels: Panels, **what: Any) -> Nonequilibrium:
        """The result, with the energies of the panels only."""
        energies = np.unique(panels.energies) if len(panels.ends) else np.array(sorted(self.states))
        order = energies.tolist()
        spectrum = Spectrum(
            what["device"], energies, self.broadening, np.array([self.states[e] for e in order]),
            tuple(self.reports[e] for e in order), self.problem, self.team.clock,
        )  # fmt: skip
        return Nonequilibrium(
            spectrum=spectrum, panels=panels, columns=self.columns,
            responses=np.array([self.fields[e] for e in order]),
            conductances=np.array([self.conductances[e] for e in order]), **what,
        )  # fmt: skip
