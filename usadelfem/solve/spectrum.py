"""Retarded spectra: the nonlinear Usadel equation at real energies with a broadening."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..checks import named, shown
from ..device.device import Device
from ..device.doors import natural_energies
from ..errors import DeviceError, warn
from ..fem.problem import Problem, build_problem, energy_scale
from ..fem.retarded import Retarded
from ..numerics.report import Report
from ..parallel.engines import Workers, checked_workers
from ..parallel.rehearsal import begin_solve
from ..parallel.tasks import progress_bar
from ..physics.riccati import spectral_minimum
from ..points.energy_chain import EnergyChain
from ..points.energy_choice import BATCH, checked_energies, curves, energy_interval, positive_energy, refine
from ..points.team import Setup, Team
from ..points.team_remote import build_team
from .arguments import check_settings
from .results import Equilibrium, Spectrum
from .unresolved import warn_unresolved_spectrum

Real = NDArray[np.float64]
Complex = NDArray[np.complex128]

# Densities of states below the negative of this, in units of the normal one, are reported.
NEGATIVE = 0.05


@named()
def solve_spectrum(
    source: Device | Equilibrium, energies: ArrayLike | str, *, broadening: float = 0.01,
    energy_range: tuple[float, float] | None = None, resolution: float | None = None, order: int | None = None,
    sector: str | None = None, linear_solver: str = "auto", workers: Workers | None = None,
    progress: bool | None = None,
) -> Spectrum:  # fmt: skip
    """Solve the retarded Usadel equation, w -> -i(E + i broadening), at real energies.

    The full nonlinear equation with all spin components. Energies go from high to low, each started from an
    extrapolation of its neighbours; where that does not lead to the physical solution, from the imaginary axis or high
    energies in adaptive steps. An energy that is not found all the same is reported by a warning and is NaN in all
    results. Negative energies follow from positive ones by symmetry.

    Parameters
    ----------
    source
        An equilibrium, whose gap, vector potential and discretisation are taken; or a device in which all gaps are
        given.
    energies
        Energies relative to the Fermi level, shape (energies,); or "adaptive": chosen so that the density of states of
        every region is resolved, densest around edges and coherence peaks.
    broadening
        Dynes broadening Gamma, energy; positive. Features are as wide as this.
    energy_range, resolution
        For "adaptive": the lowest and highest energy (None: 0 and three times the largest gap or exchange field), and
        the smallest distance of energies (None: the broadening).
    order
        Order of the elements of a device, 1 or 2 (None: 2). An equilibrium has its own.
    sector
        For a device, "auto" (None): solve only for the spin components that it has (theory, section on symmetries), or
        "full". An equilibrium has its own.
    linear_solver
        As in `solve_equilibrium`.
    workers
        Who works: a number of threads of this process, or any `concurrent.futures.Executor` that the energies are
        spread over.
    progress
        Show a progress bar; None: on a terminal, for runs longer than a second.

    Returns
    -------
    Spectrum
        Frozen result; observables are functions of it.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.
    DeviceError
        If the device has gaps that are not given: solve its equilibrium first.

    Warns
    -----
    UserWarning
        If energies were not found, or a density of states is clearly negative because the mesh is too coarse; it
        names the energies.
    """
    source = _natural(source)
    energies, broadening, energy_range, resolution = natural_energies(
        source if isinstance(source, Device) else source.device,
        energies=energies, broadening=broadening, energy_range=energy_range, resolution=resolution,
    )  # fmt: skip
    broadening = positive_energy("broadening", broadening, None)
    check_settings(order=2 if order is None else order, linear_solver=linear_solver, progress=progress)
    workers = checked_workers(workers)
    adaptive = isinstance(energies, str)
    if adaptive:
        if energies != "adaptive":
            raise ValueError(f"energies is {energies!r}; allowed are numbers and 'adaptive'")
        energy_interval(energy_range, 1.0), positive_energy("resolution", resolution, broadening)
    else:
        if energy_range is not None or resolution is not None:
            raise ValueError("energy_range and resolution belong to energies='adaptive'")
        chosen = checked_energies(energies)
    device, problem = _problem(source, order, sector)
    begin_solve(device, source.temperature, problem.space.order)
    scale = max(energy_scale(problem), broadening)
    with progress_bar(None if adaptive else len(chosen), "energies", progress) as bar:
        team = build_team(Setup(problem, EnergyChain, scale, broadening, linear_solver), workers, bar.update)
        found = _Found(problem, team)
        try:
            if adaptive:
                resolution = positive_energy("resolution", resolution, broadening)
                chosen = found.refine(*energy_interval(energy_range, scale), resolution)
            else:
                found.solve(np.unique(abs(chosen)))
        finally:
            team.release()
    return _collect(device, chosen, broadening, found)


def _natural(source: Any) -> Device | Equilibrium:
    if not isinstance(source, Device | Equilibrium):
        raise TypeError(f"source is {shown(source)}; allowed are a usadelfem.Device and an Equilibrium")
    return source.natural if isinstance(source, Device) else source


def _problem(source: Device | Equilibrium, order: int | None, sector: str | None) -> tuple[Device, Problem]:
    if isinstance(source, Equilibrium):
        if order is not None or sector is not None:
            raise ValueError("order and sector belong to a device; an equilibrium is solved on its own discretisation")
        return source.device, source.problem
    unknown = [region for region, material in source.conductors.items() if material.self_consistent]
    if unknown:
        raise DeviceError(
            f"the gap of region {', '.join(unknown)} is not given: pass the result of solve_equilibrium in place of "
            "the device"
        )
    own = build_problem(source, 2 if order is None else order, sector="auto" if sector is None else sector)
    return source, own


def _collect(device: Device, energies: Real, broadening: float, found: _Found) -> Spectrum:
    problem = found.problem
    mirrored = Retarded(problem).mirrored
    states = np.array([found.states[e] if e >= 0 else mirrored(found.states[-e]) for e in energies.tolist()])
    states.flags.writeable = False
    report = tuple(found.reports[abs(e)] for e in energies.tolist())
    failed = [r.frequency for r in report if not r.converged]
    if failed:
        warn(
            f"{len(failed)} of {len(report)} energies were not found and are NaN: {_listed(failed)}. Try: a finer "
            "mesh, a larger broadening, or other energies around them"
        )
    _warn_of_negative_densities(found, report)
    warn_unresolved_spectrum(problem, energies, broadening, states)
    return Spectrum(device, energies, broadening, states, report, problem, found.team.clock)


def _warn_of_negative_densities(found: _Found, report: tuple[Report, ...]) -> None:
    """The discrete solution, not the physical one, may have negative densities next to contacts on coarse meshes."""
    if found.problem.linearized:
        return
    energies, matrices = {abs(r.frequency) for r in report if r.converged}, Retarded(found.problem).matrices
    lowest = {e: spectral_minimum(*matrices(found.states[e])) for e in sorted(energies)}
    negative = [e for e, least in lowest.items() if least < -NEGATIVE]
    if negative:
        warn(
            f"the density of states is negative somewhere (down to {min(lowest.values()):.2g}) at {len(negative)} "
            f"energies: {_listed(negative)}. The mesh is too coarse there; refine it near the contacts, or choose a "
            "larger broadening"
        )


def _listed(energies: list[float]) -> str:
    """The first of them."""
    return ", ".join(f"{e:.6g}" for e in energies[:5]) + (", ..." if len(energies) > 5 else "")


class _Found:
    """The energies that a team has solved, with their states and reports; further ones are started from them."""

    def __init__(self, problem: Problem, team: Team) -> None:
        self.problem, self.team = problem, team
        self.states: dict[float, Complex] = {}
        self.reports: dict[float, Report] = {}

    def solve(self, energies: Real) -> None:
        """Solve energies >= 0, ascending."""
        self.team.turn(energies)
        self.team.descend(self.problem)
        for energy, state, report in zip(energies.tolist(), self.team.states, self.team.reports, strict=True):
            self.states[energy], self.reports[energy] = state, report

    def refine(self, low: float, high: float, resolution: float) -> Real:
        """Choose and solve energies between two; returns them ascending."""
        closest = 0.0 if low * high <= 0 else min(abs(low), abs(high))
        equation, last = Retarded(self.problem), np.zeros(1)

        def solve(energies: Real) -> list[Real]:
            nonlocal last
            self.solve(np.array([e for e in energies.tolist() if e not in self.states]))
            found = []
            for energy in energies.tolist():
                if self.reports[energy].converged:
                    last = curves(equation, self.states[energy])
                found.append(last)
            return found

        refine(closest, max(abs(low), abs(high)), resolution, BATCH * self.team.most, solve)
        solved = np.array(list(self.states))
        both = np.unique(np.concatenate([solved, -solved]))
        return np.asarray(both[(both >= low) & (both <= high)])
