"""Retarded spectra: the nonlinear Usadel equation at real energies with a broadening."""

from __future__ import annotations

from concurrent.futures import Executor
from threading import local
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..checks import named, shown
from ..device.device import Device
from ..errors import DeviceError, warn
from ..fem.problem import Problem, build_problem, energy_scale
from ..fem.retarded import Retarded
from ..numerics.newton import Clock
from ..numerics.report import Report
from ..parallel.engines import Workers, capacity, checked_workers, executor_of
from ..parallel.tasks import progress_bar, run_tasks
from ..physics.riccati import spectral_minimum
from ..points.energy_chain import EnergyChain
from ..points.energy_choice import BATCH, checked_energies, curves, energy_interval, positive_energy, refine
from .arguments import check_settings
from .results import Equilibrium, Spectrum
from .unresolved import warn_unresolved_spectrum

Real = NDArray[np.float64]
Complex = NDArray[np.complex128]

# Fewest energies of a task: its first one needs a ladder. More than one task per worker does not pay for that reason.
FEWEST, PER_WORKER = 6, 1
# Densities of states below the negative of this, in units of the normal one, are reported.
NEGATIVE = 0.05


@named()
def solve_spectrum(
    source: Device | Equilibrium, energies: ArrayLike | str, *, broadening: float = 0.01,
    energy_range: tuple[float, float] | None = None, resolution: float | None = None, order: int | None = None,
    sector: str | None = None, linear_solver: str = "auto", workers: Workers = 1,
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
        "auto", "pardiso" or "superlu".
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
    equation, scale = Retarded(problem), max(energy_scale(problem), broadening)
    with executor_of(workers) as executor:
        crew = _Crew(equation, scale, broadening, linear_solver, executor, progress)
        if adaptive:
            chosen = crew.refine(
                *energy_interval(energy_range, scale), positive_energy("resolution", resolution, broadening)
            )
        else:
            crew.solve(np.unique(abs(chosen)))
    if crew.chain is not None:
        crew.chain.release()
    return _collect(device, chosen, crew)


def _problem(source: Any, order: int | None, sector: str | None) -> tuple[Device, Problem]:
    if isinstance(source, Equilibrium):
        if order is not None or sector is not None:
            raise ValueError("order and sector belong to a device; an equilibrium is solved on its own discretisation")
        return source.device, source.problem
    if not isinstance(source, Device):
        raise TypeError(f"source is {shown(source)}; allowed are a usadelfem.Device and an Equilibrium")
    unknown = [region for region, material in source.conductors.items() if material.self_consistent]
    if unknown:
        raise DeviceError(
            f"the gap of region {', '.join(unknown)} is not given: pass the result of solve_equilibrium in place of "
            "the device"
        )
    own = build_problem(source, 2 if order is None else order, sector="auto" if sector is None else sector)
    return source, own


def _collect(device: Device, energies: Real, crew: _Crew) -> Spectrum:
    states = np.array(
        [crew.states[e] if e >= 0 else crew.equation.mirrored(crew.states[-e]) for e in energies.tolist()]
    )  # fmt: skip
    states.flags.writeable = False
    report = tuple(crew.reports[abs(e)] for e in energies.tolist())
    failed = [r.frequency for r in report if not r.converged]
    if failed:
        warn(
            f"{len(failed)} of {len(report)} energies were not found and are NaN: {_listed(failed)}. Try: a finer "
            "mesh, a larger broadening, or other energies around them"
        )
    _warn_of_negative_densities(crew, report)
    warn_unresolved_spectrum(crew.equation.problem, energies, crew.broadening, states)
    return Spectrum(device, energies, crew.broadening, states, report, crew.equation.problem, crew.clock)


def _warn_of_negative_densities(crew: _Crew, report: tuple[Report, ...]) -> None:
    """The discrete solution, not the physical one, may have negative densities next to contacts on coarse meshes."""
    if crew.equation.problem.linearized:
        return
    found = {abs(r.frequency) for r in report if r.converged}
    lowest = {e: spectral_minimum(*crew.equation.matrices(crew.states[e])) for e in sorted(found)}
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


class _Crew:
    """Solves sets of energies, here or on an executor, and keeps what is found."""

    def __init__(
        self, equation: Retarded, scale: float, broadening: float, kind: str, executor: Executor | None,
        progress: bool | None,
    ) -> None:  # fmt: skip
        self.equation, self.scale, self.broadening = equation, scale, broadening
        self.kind, self.executor, self.progress = kind, executor, progress
        self.states: dict[float, Complex] = {}
        self.reports: dict[float, Report] = {}
        self.clock = Clock()
        self.chain = EnergyChain(equation, scale, broadening, kind) if executor is None else None

    def solve(self, energies: Real) -> None:
        """Solve energies >= 0, ascending."""
        if self.executor is None:
            assert self.chain is not None
            with progress_bar(len(energies), "energies", self.progress) as bar:
                for energy in energies[::-1].tolist():
                    self._store(energy, *self.chain.solve(energy))
                    bar.update()
            self.clock = self.chain.clock
            return
        parts = max(1, min(PER_WORKER * capacity(self.executor)[1], len(energies) // FEWEST))
        shared = self.equation, self.scale, self.broadening, self.kind

        def keep(index: int, result: tuple[list[tuple[float, Complex, Report]], Clock]) -> None:
            for found in result[0]:
                self._store(*found)
            self.clock.add(result[1])

        run_tasks(
            _solve_part, np.array_split(energies, parts), shared=shared, executor=self.executor, label="energies",
            progress=self.progress, on_result=keep,
        )  # fmt: skip

    def _store(self, energy: float, state: Complex, report: Report) -> None:
        self.states[energy], self.reports[energy] = state, report

    def refine(self, low: float, high: float, resolution: float) -> Real:
        """Choose and solve energies between two; returns them ascending."""
        closest = 0.0 if low * high <= 0 else min(abs(low), abs(high))
        workers = 1 if self.executor is None else capacity(self.executor)[1]
        last = np.zeros(1)

        def solve(energies: Real) -> list[Real]:
            nonlocal last
            self.solve(np.array([e for e in energies.tolist() if e not in self.states]))
            found = []
            for energy in energies.tolist():
                if self.reports[energy].converged:
                    last = curves(self.equation, self.states[energy])
                found.append(last)
            return found

        refine(closest, max(abs(low), abs(high)), resolution, BATCH * workers, solve)
        solved = np.array(list(self.states))
        both = np.unique(np.concatenate([solved, -solved]))
        return np.asarray(both[(both >= low) & (both <= high)])


def _solve_part(shared: tuple[Retarded, float, float, str], energies: Real) -> Any:
    """The task of a worker: some energies with one solver, which goes on from what the worker has solved before."""
    chain: EnergyChain | None = getattr(_own, "chain", None)
    if chain is None or chain.equation is not shared[0]:
        if chain is not None:
            chain.release()
        chain = _own.chain = EnergyChain(*shared)
    chain.clock = Clock()
    found = [(energy, *chain.solve(energy)) for energy in energies[::-1].tolist()]
    return found, chain.clock


_own = local()  # of every thread, the chain of its last problem; in a pool of processes there is one
